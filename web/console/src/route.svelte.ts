/** What the page shows, as its address: `?unit=815&indicator=XHS-01&view=indicator` can be shared. */

/** The two ways to show the indicators of a unit, and the page of one of them. */
export type View = 'chart' | 'table' | 'indicator';

/** A place in the console. Null stands for the round's root unit, or for no open indicator. */
export interface Place {
  unit: string | null;
  indicator: string | null;
  view: View;
}

/** The place that an address' query names; what it does not name is the default. */
export function placeOf(query: string): Place {
  const parameters = new URLSearchParams(query);
  const indicator = parameters.get('indicator') || null;
  const view = parameters.get('view');
  return {
    unit: parameters.get('unit') || null,
    indicator,
    // A page needs an indicator that it is about.
    view: view === 'table' || (view === 'indicator' && indicator !== null) ? view : 'chart',
  };
}

/** The address of a place, relative to the console's own. */
export function addressOf(place: Place): string {
  const parameters = new URLSearchParams();
  if (place.unit !== null) parameters.set('unit', place.unit);
  if (place.indicator !== null) parameters.set('indicator', place.indicator);
  if (place.view !== 'chart') parameters.set('view', place.view);
  const query = parameters.toString();
  return query === '' ? './' : `?${query}`;
}

class Route {
  /** The place shown now. */
  place: Place = $state.raw(placeOf(location.search));

  constructor() {
    addEventListener('popstate', () => (this.place = placeOf(location.search)));
  }

  /** The address of the current place with some of it changed. */
  address(change: Partial<Place>): string {
    return addressOf({ ...this.place, ...change });
  }

  /** Goes to the current place with some of it changed, as a new entry of the browser's history. */
  go(change: Partial<Place>): void {
    this.place = { ...this.place, ...change };
    history.pushState(null, '', addressOf(this.place));
  }

  /** Follows a link within the page; a click that asks for a new tab or window stays the browser's. */
  follow(event: MouseEvent, change: Partial<Place>): void {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)
      return;
    event.preventDefault();
    this.go(change);
  }
}

/** The one route of the page. */
export const route = new Route();
