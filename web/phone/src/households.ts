/** The list of households: which are shown, in which order, and how far the work is. Pure. */

import type { Household, HouseholdStatus } from './core/protocol.ts';
import { isoDay } from './text/days.ts';
import { distance, type Place } from './text/distance.ts';
import { matches, plain } from './text/search.ts';

/** All statuses in the order of the filter. */
export const STATUSES: readonly HouseholdStatus[] = [
  'attention',
  'draft',
  'call_back',
  'not_started',
  'finished',
  'sent',
  'closed',
];

/** Whether a visit is still to be made. */
export function isOpen(status: HouseholdStatus): boolean {
  return !isDone(status);
}

/** Whether a household needs no further visit. */
export function isDone(status: HouseholdStatus): boolean {
  return status === 'finished' || status === 'sent' || status === 'closed';
}

/** A household with what searching and sorting need, worked out once. */
export interface Entry {
  household: Household;
  plainText: string;
  /** Metres from here, where both places are known. */
  away: number | null;
}

/** The entries of a list by their codes, in which A2 comes before A10, or the nearest first. */
export function entriesOf(
  households: readonly Household[],
  here: Place | null,
  compare: (left: string, right: string) => number,
): Entry[] {
  const ordered = [...households].sort((left, right) => compare(left.unit, right.unit));
  const entries = ordered.map((household) => ({
    household,
    plainText: plain(`${household.address} ${household.person ?? ''} ${household.unit}`),
    away: here === null || household.location === null ? null : distance(here, household.location),
  }));
  if (here === null) return entries;
  return entries.sort((left, right) => byDistance(left, right));
}

/** The entries that a search and a filter leave. */
export function narrowed(
  entries: readonly Entry[],
  query: string,
  status: HouseholdStatus | 'mine' | null,
): Entry[] {
  return entries.filter(
    ({ household, plainText }) =>
      (status === null || (status === 'mine' ? household.mine : household.status === status)) &&
      matches(plainText, query),
  );
}

/** How many households have each status. */
export function countByStatus(households: readonly Household[]): Map<HouseholdStatus, number> {
  const counts = new Map<HouseholdStatus, number>();
  for (const { status } of households) counts.set(status, (counts.get(status) ?? 0) + 1);
  return counts;
}

/** How far the work is: households done, and of them those done today. */
export function progressOf(
  households: readonly Household[],
  now: number,
): { done: number; today: number } {
  const day = isoDay(new Date(now));
  const done = households.filter(({ status }) => isDone(status));
  const today = done.filter(
    ({ visitedAt }) => visitedAt !== null && isoDay(new Date(visitedAt)) === day,
  );
  return { done: done.length, today: today.length };
}

/** Words of addresses by which no household is told from another, as `plain` makes them. */
const COMMON_WORDS = new Set(
  'so nha cua ho hem duong to ap khu pho khom thon ong ba gan sau'.split(' '),
);

/** The words of an address by which a household is told from another; all of them where there are no others. */
function tellingWords(text: string): string[] {
  const words = [...new Set(plain(text).match(/[\p{L}\p{N}/]+/gu) ?? [])];
  const telling = words.filter((word) => !COMMON_WORDS.has(word));
  return telling.length === 0 ? words : telling;
}

/** How many households are shown at most that look like a new one. */
const LOOK_ALIKES = 3;

/**
 * The households of a hamlet that a new one with this address may be: two thirds of what tells it apart stand in their
 * address or their person's name, a number among them where there is one. The most alike come first.
 */
export function lookAlikes(
  households: readonly Household[],
  hamlet: string,
  address: string,
): Household[] {
  const wanted = tellingWords(address);
  const hasNumber = (words: string[]): boolean => words.some((word) => /\d/.test(word));
  return households
    .filter((household) => household.hamlet === hamlet)
    .map((household) => {
      const words = new Set(tellingWords(`${household.address} ${household.person ?? ''}`));
      return { household, shared: wanted.filter((word) => words.has(word)) };
    })
    .filter(
      ({ shared }) =>
        3 * shared.length >= 2 * wanted.length &&
        shared.length > 0 &&
        (hasNumber(shared) || !hasNumber(wanted)),
    )
    .sort((left, right) => right.shared.length - left.shared.length)
    .slice(0, LOOK_ALIKES)
    .map(({ household }) => household);
}

/** Those whose place is not known come last, in their order. */
function byDistance(left: Entry, right: Entry): number {
  if (left.away === null || right.away === null)
    return Number(left.away === null) - Number(right.away === null);
  return left.away - right.away;
}
