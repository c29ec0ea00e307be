/** Where in the app the person is. The browser's history holds the way there. */

import { fragmentOf, placeOf, type Place } from './place.ts';

class Route {
  /** The page shown now. */
  place: Place = $state.raw(placeOf(location.hash));
  /** How many entries of the history are this visit's, up to the one shown. */
  #depth = depthOf(history.state) ?? 0;

  constructor() {
    // Told for the back button and for links within the app; an entry that a link made has no depth yet.
    addEventListener('popstate', () => {
      const known = depthOf(history.state);
      this.#depth = known ?? this.#depth + 1;
      if (known === null) history.replaceState({ depth: this.#depth }, '');
      this.place = placeOf(location.hash);
    });
  }

  /** Goes to a page, as a new entry of the history. */
  go(place: Place): void {
    this.#depth += 1;
    history.pushState({ depth: this.#depth }, '', fragmentOf(place));
    this.place = place;
  }

  /** Shows another page in place of this one. */
  replace(place: Place): void {
    history.replaceState({ depth: this.#depth }, '', fragmentOf(place));
    this.place = place;
  }

  /** Goes back, or to the list of households where the app was opened at this very page. */
  back(): void {
    if (this.#depth > 0) history.back();
    else this.replace({ page: 'households' });
  }

  /** Goes back by several entries at once, or to the list of households where there are not so many. */
  leave(entries: number): void {
    if (this.#depth >= entries) history.go(-entries);
    else this.replace({ page: 'households' });
  }
}

function depthOf(state: unknown): number | null {
  return typeof state === 'object' && state !== null && 'depth' in state
    ? Number(state.depth)
    : null;
}

/** The one route of the app. */
export const route = new Route();
