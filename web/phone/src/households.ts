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

/** Those whose place is not known come last, in their order. */
function byDistance(left: Entry, right: Entry): number {
  if (left.away === null || right.away === null)
    return Number(left.away === null) - Number(right.away === null);
  return left.away - right.away;
}
