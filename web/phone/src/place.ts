/** The pages by their address: what stands after the `#`, so that the phone's back button works. */

/** A page of the app. */
export type Place =
  | {
      page:
        | 'households'
        | 'around'
        | 'add'
        | 'send'
        | 'carry'
        | 'give'
        | 'receive'
        | 'ready'
        | 'more'
        | 'team'
        | 'assign';
    }
  | { page: 'household' | 'failed' | 'conflicts' | 'address' | 'review'; unit: string }
  | { page: 'interview'; unit: string; step: string | null };

const PLAIN = [
  'around',
  'add',
  'send',
  'carry',
  'give',
  'receive',
  'ready',
  'more',
  'team',
  'assign',
] as const;
const OF_UNIT = ['household', 'failed', 'conflicts', 'address', 'review'] as const;

/** The page that an address' fragment names; what it does not name is the list of households. */
export function placeOf(fragment: string): Place {
  const [name, unit, step] = fragment
    .replace(/^#?\/?/, '')
    .split('/')
    .map(decoded);
  const plain = PLAIN.find((page) => page === name);
  if (plain !== undefined) return { page: plain };
  if (unit) {
    const ofUnit = OF_UNIT.find((page) => page === name);
    if (ofUnit !== undefined) return { page: ofUnit, unit };
    if (name === 'interview') return { page: 'interview', unit, step: step || null };
  }
  return { page: 'households' };
}

/** The fragment that names a page. */
export function fragmentOf(place: Place): string {
  switch (place.page) {
    case 'households':
      return '#/';
    case 'interview': {
      const step = place.step === null ? '' : `/${encodeURIComponent(place.step)}`;
      return `#/interview/${encodeURIComponent(place.unit)}${step}`;
    }
    case 'household':
    case 'failed':
    case 'conflicts':
    case 'address':
    case 'review':
      return `#/${place.page}/${encodeURIComponent(place.unit)}`;
    default:
      return `#/${place.page}`;
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The page that saves data when nothing else works: it needs none of the app. */
export const RESCUE = './rescue.html';
