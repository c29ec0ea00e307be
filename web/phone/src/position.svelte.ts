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

/** The one watch by which households are sorted; it stays on from page to page. */
export const here = new PositionWatch();
