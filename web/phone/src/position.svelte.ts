/** The phone's own position, while somebody wants it. */

/** How the search for a position stands. */
export type PositionState = 'off' | 'asking' | 'found' | 'denied' | 'unavailable';

/** A watch over the phone's position. It begins and ends by the person's will: it costs battery. */
export class PositionWatch {
  state: PositionState = $state('off');
  coordinates: GeolocationCoordinates | null = $state.raw(null);
  #watch: number | null = null;

  start(): void {
    this.stop();
    if (!('geolocation' in navigator)) {
      this.state = 'unavailable';
      return;
    }
    this.state = 'asking';
    this.#watch = navigator.geolocation.watchPosition(
      ({ coords }) => {
        this.coordinates = coords;
        this.state = 'found';
      },
      (error) => {
        if (error.code === error.PERMISSION_DENIED) {
          this.stop();
          this.state = 'denied';
        } else if (this.coordinates === null) {
          this.state = 'unavailable';
        }
      },
      // The position of a moment ago may be that of the house before.
      { enableHighAccuracy: true, maximumAge: 0, timeout: 30_000 },
    );
  }

  stop(): void {
    if (this.#watch !== null) navigator.geolocation.clearWatch(this.#watch);
    this.#watch = null;
    this.state = 'off';
    this.coordinates = null;
  }
}

/** How positions are to be taken while an interview is open. */
export interface Following {
  /** Whether exact positions are worth their energy. */
  exact: boolean;
  /** How long to wait between two, in milliseconds. */
  interval: number;
  /** How old a position may be, in milliseconds. */
  maxAge: number;
}

/**
 * Tells where the phone is, at most once in each interval, and null once where the browser does not say.
 * Returns what ends it.
 */
export function follow(
  { exact, interval, maxAge }: Following,
  tell: (position: [number, number, number] | null) => void,
): () => void {
  if (!('geolocation' in navigator)) {
    tell(null);
    return () => undefined;
  }
  let next = 0;
  const watch = navigator.geolocation.watchPosition(
    ({ coords, timestamp }) => {
      if (timestamp < next) return;
      next = timestamp + interval;
      tell([coords.latitude, coords.longitude, coords.accuracy]);
    },
    ({ code, PERMISSION_DENIED }) => {
      // Without a signal there may be one later.
      if (code === PERMISSION_DENIED) tell(null);
    },
    { enableHighAccuracy: exact, maximumAge: maxAge },
  );
  return () => navigator.geolocation.clearWatch(watch);
}

/** The one watch by which households are sorted; it stays on from page to page. */
export const here = new PositionWatch();
