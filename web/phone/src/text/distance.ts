/** Distances and directions between places that are near each other. */

/** Latitude and longitude in degrees (WGS 84). */
export type Place = readonly [number, number];

/** The mean radius of the earth in metres. */
const EARTH = 6_371_008.8;

const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** The great-circle distance of two places in metres (haversine formula). */
export function distance(from: Place, to: Place): number {
  const across = Math.sin(radians(to[0] - from[0]) / 2) ** 2;
  const along = Math.sin(radians(to[1] - from[1]) / 2) ** 2;
  const chord = across + Math.cos(radians(from[0])) * Math.cos(radians(to[0])) * along;
  return 2 * EARTH * Math.asin(Math.min(1, Math.sqrt(chord)));
}

/** Where a place lies as seen from another: metres to the east and to the north. */
export function offset(from: Place, to: Place): { east: number; north: number } {
  const north = radians(to[0] - from[0]) * EARTH;
  const east = radians(to[1] - from[1]) * EARTH * Math.cos(radians(from[0]));
  return { east, north };
}

/** The nearest number of the series 1, 2, 5, 10, 20, … that is not below a length: the radius of a drawing. */
export function roundRadius(metres: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(metres, 1)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((radius) => radius >= metres) ?? metres;
}
