/**
 * Codes before the camera: read by the browser's own reader (W3C, "Accelerated Shape Detection in Images") where there is
 * one, and QR codes by one of the app's where there is none.
 */

interface Detector {
  detect(source: HTMLVideoElement): Promise<{ rawValue: string }[]>;
}

interface DetectorMaker {
  new (): Detector;
  getSupportedFormats(): Promise<string[]>;
}

/** Gives the codes in the picture that stands now. */
type Reader = (video: HTMLVideoElement) => Promise<string[]>;

function maker(): DetectorMaker | undefined {
  return (globalThis as { BarcodeDetector?: DetectorMaker }).BarcodeDetector;
}

/** Whether this browser can read codes of any kind with a camera. */
export function canScan(): boolean {
  return maker() !== undefined && 'mediaDevices' in navigator;
}

/** Whether this browser can read QR codes with a camera. */
export function canScanQr(): boolean {
  return 'mediaDevices' in navigator;
}

/** Between two looks at the picture, in milliseconds: codes that run stand for about twice as long. */
const INTERVAL = 120;
/** The longer side of the picture that the app's own reader looks at: a code of 70 modules keeps several pixels for each. */
const LONGER_SIDE = 800;

/** How long a look may try again where the picture is not clear at once, in milliseconds. */
const EFFORT = 100;

/** A camera that looks for codes until it is stopped. */
export interface Scan {
  stop(): void;
}

/**
 * Shows the rear camera in a video element and tells every code that it sees.
 * Fails when there is no camera or its use is not allowed.
 */
export async function scan(video: HTMLVideoElement, found: (text: string) => void): Promise<Scan> {
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { facingMode: 'environment', width: { ideal: 1280 } },
  });
  video.srcObject = stream;
  await video.play();
  const read = (await browserReader()) ?? (await ownReader());
  let stopped = false;
  const look = async (): Promise<void> => {
    if (stopped) return;
    try {
      for (const text of await read(video)) if (!stopped) found(text);
    } catch {
      // A frame that is not ready yet; the next one is.
    }
    if (!stopped) setTimeout(() => void look(), INTERVAL);
  };
  void look();
  return {
    stop() {
      stopped = true;
      for (const track of stream.getTracks()) track.stop();
      video.srcObject = null;
    },
  };
}

async function browserReader(): Promise<Reader | null> {
  const Maker = maker();
  // Some browsers have the interface and nothing behind it.
  if (Maker === undefined || !(await Maker.getSupportedFormats()).includes('qr_code')) return null;
  const detector = new Maker();
  return async (video) => (await detector.detect(video)).map(({ rawValue }) => rawValue);
}

/** It is loaded only where it is needed, and kept with the rest of the app. */
async function ownReader(): Promise<Reader> {
  const { decodeQR } = await import('qr/decode.js');
  const context = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('This browser gives no pictures.');
  return (video) => {
    const { videoWidth, videoHeight } = video;
    const scale = Math.min(1, LONGER_SIDE / Math.max(videoWidth, videoHeight, 1));
    const width = Math.round(videoWidth * scale);
    const height = Math.round(videoHeight * scale);
    if (width === 0 || height === 0) return Promise.resolve([]);
    if (context.canvas.width !== width) context.canvas.width = width;
    if (context.canvas.height !== height) context.canvas.height = height;
    context.drawImage(video, 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height);
    // It throws where it finds none.
    return Promise.resolve([decodeQR({ width, height, data }, { timeLimit: EFFORT })]);
  };
}
