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

/** Positions are not asked for more often, in milliseconds. */
const SHORTEST_INTERVAL = 1_000;

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
  // A watch tells only of movement, and who sits in a house does not move: so it is asked again and again.
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ended = false;
  const ask = (): void => {
    const again = (): void => {
      if (!ended) timer = setTimeout(ask, Math.max(interval, SHORTEST_INTERVAL));
    };
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        if (!ended) tell([coords.latitude, coords.longitude, coords.accuracy]);
        again();
      },
      ({ code, PERMISSION_DENIED }) => {
        if (code !== PERMISSION_DENIED) again();
        else if (!ended) tell(null);
      },
      { enableHighAccuracy: exact, maximumAge: Math.min(interval, maxAge), timeout: 30_000 },
    );
  };
  ask();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}

/** The one watch by which households are sorted; it stays on from page to page. */
export const here = new PositionWatch();
