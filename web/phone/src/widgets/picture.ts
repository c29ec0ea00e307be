/** Pictures small enough for a slow network. */

/** The longest side of a kept picture in pixels. */
const LONGEST = 1280;

/** How much a JPEG may lose: readable text on a certificate, about 200 KB. */
const QUALITY = 0.8;

/** A picture of any size as JPEG whose longer side has at most 1280 pixels. Fails when it is no picture. */
export async function smallPicture(file: Blob): Promise<Blob> {
  const bitmap = await createImageBitmap(file);
  const factor = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(bitmap.width * factor));
  canvas.height = Math.max(1, Math.round(bitmap.height * factor));
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return blobOf(canvas, 'image/jpeg', QUALITY);
}

/** What stands on a canvas, as a file. */
export function blobOf(canvas: HTMLCanvasElement, type: string, quality?: number): Promise<Blob> {
  return new Promise((resolve, reject) =>
    canvas.toBlob(
      (blob) => (blob === null ? reject(new Error('The canvas is empty.')) : resolve(blob)),
      type,
      quality,
    ),
  );
}

/** Draws a picture onto a canvas of its size. */
export async function show(picture: Blob, canvas: HTMLCanvasElement): Promise<void> {
  const bitmap = await createImageBitmap(picture);
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
  bitmap.close();
}

/** A name for a new file: its question and the moment, unlike all others on the phone. */
export function fileName(question: string, now: Date, ending: string): string {
  const moment = now.toISOString().replace(/\D/g, '').slice(0, 17);
  return `${question.replace(/[^\w-]/g, '_')}-${moment}.${ending}`;
}
