/** Pictures of the screen made small: at most 256 colours, of which a screen's letters and surfaces need no more. */

import { crc32, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const MOST_COLOURS = 256;

/** Pixels in rows, three bytes each. */
interface Picture {
  width: number;
  height: number;
  pixels: Buffer;
}

/** Writes a PNG as the browser makes it (eight bits a colour, no transparency) anew with a palette. */
export function withPalette(png: Buffer): Buffer {
  const { width, height, pixels } = read(png);
  const counts = new Map<number, number>();
  for (let at = 0; at < pixels.length; at += 3) {
    const colour = pixels.readUIntBE(at, 3);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const palette = paletteOf(counts);
  const indices = new Map([...counts.keys()].map((colour) => [colour, nearest(palette, colour)]));

  const rows = Buffer.alloc(height * (width + 1));
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) {
      const colour = pixels.readUIntBE(3 * (y * width + x), 3);
      rows[y * (width + 1) + 1 + x] = indices.get(colour) ?? 0;
    }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3, 0, 0, 0], 8);
  const colours = Buffer.alloc(3 * palette.length);
  palette.forEach((colour, index) => colours.writeUIntBE(colour, 3 * index, 3));
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', head),
    chunk('PLTE', colours),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** The most frequent colours, none of them too like another. */
function paletteOf(counts: ReadonlyMap<number, number>): number[] {
  const frequent = [...counts].sort(([, left], [, right]) => right - left).map(([one]) => one);
  for (let least = 0; ; least = 2 * least + 1) {
    const palette: number[] = [];
    for (const colour of frequent) {
      const like = palette[nearest(palette, colour)];
      if (like === undefined || difference(like, colour) > least) palette.push(colour);
      if (palette.length > MOST_COLOURS) break;
    }
    if (palette.length <= MOST_COLOURS) return palette;
  }
}

function nearest(palette: readonly number[], colour: number): number {
  let best = 0;
  let least = Infinity;
  palette.forEach((candidate, index) => {
    const away = difference(candidate, colour);
    if (away < least) [best, least] = [index, away];
  });
  return best;
}

/** The squared distance of two colours. */
function difference(left: number, right: number): number {
  const red = (left >> 16) - (right >> 16);
  const green = ((left >> 8) & 0xff) - ((right >> 8) & 0xff);
  const blue = (left & 0xff) - (right & 0xff);
  return red * red + green * green + blue * blue;
}

function read(png: Buffer): Picture {
  const data: Buffer[] = [];
  let [width, height] = [0, 0];
  for (let at = SIGNATURE.length; at < png.length;) {
    const length = png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    const content = png.subarray(at + 8, at + 8 + length);
    if (type === 'IHDR') {
      [width, height] = [content.readUInt32BE(0), content.readUInt32BE(4)];
      if (content[8] !== 8 || content[9] !== 2 || content[12] !== 0)
        throw new Error('this is no picture of three times eight bits');
    }
    if (type === 'IDAT') data.push(content);
    at += length + 12;
  }
  return { width, height, pixels: unfiltered(inflateSync(Buffer.concat(data)), 3 * width, height) };
}

/** Undoes the filters of the PNG specification, section 9. */
function unfiltered(rows: Buffer, stride: number, height: number): Buffer {
  const pixels = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y += 1) {
    const from = y * (stride + 1);
    const filter = rows[from];
    for (let x = 0; x < stride; x += 1) {
      const to = y * stride + x;
      const left = x < 3 ? 0 : (pixels[to - 3] ?? 0);
      const above = y === 0 ? 0 : (pixels[to - stride] ?? 0);
      const corner = x < 3 || y === 0 ? 0 : (pixels[to - stride - 3] ?? 0);
      const added = [0, left, above, (left + above) >> 1, paeth(left, above, corner)];
      pixels[to] = (rows[from + 1 + x] ?? 0) + (added[filter ?? 0] ?? 0);
    }
  }
  return pixels;
}

function paeth(left: number, above: number, corner: number): number {
  const toLeft = Math.abs(above - corner);
  const toAbove = Math.abs(left - corner);
  const toCorner = Math.abs(left + above - 2 * corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

function chunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
