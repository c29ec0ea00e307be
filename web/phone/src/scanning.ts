/** The browser's own reader of barcodes (W3C, "Accelerated Shape Detection in Images"), where there is one. */

interface Detector {
  detect(source: HTMLVideoElement): Promise<{ rawValue: string }[]>;
}

type DetectorMaker = new () => Detector;

function maker(): DetectorMaker | undefined {
  return (globalThis as { BarcodeDetector?: DetectorMaker }).BarcodeDetector;
}

/** Whether this browser can read codes with a camera. */
export function canScan(): boolean {
  return maker() !== undefined && 'mediaDevices' in navigator;
}

/** Between two looks at the picture, in milliseconds: quick for people, slow enough for cheap phones. */
const INTERVAL = 200;

/** A camera that looks for codes until it is stopped. */
export interface Scan {
  stop(): void;
}

/**
 * Shows the rear camera in a video element and tells every code that it sees.
 * Fails when there is no camera or its use is not allowed.
 */
export async function scan(video: HTMLVideoElement, found: (text: string) => void): Promise<Scan> {
  const Maker = maker();
  if (Maker === undefined) throw new Error('This browser reads no barcodes.');
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { facingMode: 'environment' },
  });
  video.srcObject = stream;
  await video.play();
  const detector = new Maker();
  let stopped = false;
  const look = async (): Promise<void> => {
    if (stopped) return;
    try {
      for (const { rawValue } of await detector.detect(video)) if (!stopped) found(rawValue);
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
