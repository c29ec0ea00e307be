/** Points as answers hold them (ODK XForms, "geopoint"): `latitude longitude altitude accuracy`. */

/** A recorded point: degrees, and metres where known. */
export interface Point {
  latitude: number;
  longitude: number;
  altitude: number;
  accuracy: number;
}

/** A point as an answer. Seven decimals of a degree are about a centimetre. */
export function writePoint(point: Point): string {
  return [
    point.latitude.toFixed(7),
    point.longitude.toFixed(7),
    point.altitude.toFixed(1),
    point.accuracy.toFixed(1),
  ].join(' ');
}

/** The point of an answer, or null when it holds none. */
export function readPoint(text: string): Point | null {
  const numbers = text.trim().split(/\s+/).map(Number);
  const [latitude, longitude, altitude = 0, accuracy = 0] = numbers;
  if (latitude === undefined || longitude === undefined || numbers.some(Number.isNaN)) return null;
  return { latitude, longitude, altitude, accuracy };
}

/** The points of a line or an outline. */
export function readPoints(text: string): Point[] {
  return text
    .split(';')
    .map(readPoint)
    .filter((point) => point !== null);
}

/** A line of at least two points as an answer; null while there are fewer. */
export function writeTrace(points: readonly Point[]): string | null {
  return points.length < 2 ? null : points.map(writePoint).join(';');
}

/** An outline of at least three corners, closed by its first; null while there are fewer. */
export function writeShape(corners: readonly Point[]): string | null {
  const first = corners[0];
  if (first === undefined || corners.length < 3) return null;
  return [...corners, first].map(writePoint).join(';');
}
