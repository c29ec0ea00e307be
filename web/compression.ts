/** Compresses what a build wrote, so that the server sends small files without compressing them for every phone. */

import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';
import type { Plugin } from 'vite';

/** Kinds of files that become smaller; pictures are compressed already. */
const COMPRESSIBLE = new Set(['.css', '.html', '.js', '.json', '.svg', '.wasm', '.webmanifest']);

const compress = promisify(brotliCompress);

/** Writes `<file>.br` beside a file, if it is of a kind that becomes smaller. */
export async function writeCompressed(path: string): Promise<void> {
  if (!COMPRESSIBLE.has(extname(path))) return;
  const content = await readFile(path);
  const compressed = await compress(content, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
    },
  });
  if (compressed.length < content.length) await writeFile(`${path}.br`, compressed);
}

/** All files below a folder but compressed ones, by their paths within it with `/`, in alphabetical order. */
export async function filesBelow(folder: string, within = ''): Promise<string[]> {
  const entries = await readdir(join(folder, within), { withFileTypes: true });
  const paths = await Promise.all(
    entries.map((entry) => {
      const path = within === '' ? entry.name : `${within}/${entry.name}`;
      return entry.isDirectory() ? filesBelow(folder, path) : [path];
    }),
  );
  return paths
    .flat()
    .filter((path) => !path.endsWith('.br'))
    .sort();
}

/** How many bytes of a file go over the network. */
export async function encodedSize(path: string): Promise<number> {
  const { size } = await stat(`${path}.br`).catch(() => stat(path));
  return size;
}

/** Vite's plugin: compresses every file of a finished build. */
export function compression(): Plugin {
  let folder = '';
  return {
    name: 'khaosat-compression',
    apply: 'build',
    configResolved(config) {
      folder = resolve(config.root, config.build.outDir);
    },
    closeBundle: {
      order: 'post',
      sequential: true,
      async handler() {
        // The page itself comes last, so that where it is compressed, everything is.
        const files = await filesBelow(folder);
        await Promise.all(
          files
            .filter((file) => file !== 'index.html')
            .map((file) => writeCompressed(join(folder, file))),
        );
        await writeCompressed(join(folder, 'index.html'));
      },
    },
  };
}
