/** Sentences for what a figure lacks: why it is withheld, why it or its precision cannot be computed. */

import type { Absence, Coverage, Estimate, Indicator, Withheld } from './api.ts';
import type { Formatter } from './format.ts';
import type { Strings } from './strings/vi.ts';

/** What is said in the place of a figure: a title and the reason, neither with a full stop. */
export interface MissingFigure {
  title: string;
  reason: string;
}

/** Why there is no figure, or null when there is one, or nothing is known of why. */
export function missingFigure(
  withheld: Withheld | null,
  absence: Absence | null,
  strings: Strings,
  format: Formatter,
): MissingFigure | null {
  if (withheld !== null) {
    return { title: strings.withheld.title, reason: withheldReason(withheld, strings, format) };
  }
  return absence === null ? null : { title: strings.notComputed, reason: strings.absence[absence] };
}

function withheldReason(withheld: Withheld, strings: Strings, format: Formatter): string {
  const { rule, households, minimum } = withheld;
  if (households === 0) return strings.absence.no_responses;
  return rule === 'minimum_households'
    ? strings.withheld.households(format.count(households), format.count(minimum))
    : strings.withheld.rule(rule);
}

/** Whether anybody has answered what the indicator asks about, so that it belongs among the figures. */
export function isSurveyed({ estimate, withheld, reason }: Indicator): boolean {
  if (estimate !== null) return true;
  if (withheld !== null) return withheld.households > 0;
  return reason !== null && reason !== 'no_responses';
}

/** Where the figures of an indicator without any come from; for the household survey, what it lacks. */
export function sourceOf(
  { source_kind }: Pick<Indicator, 'source_kind'>,
  { expected }: Pick<Coverage, 'expected'>,
  strings: Strings,
): string {
  const source = strings.sourceKind[source_kind];
  if (source_kind !== 'household survey') return source;
  return `${source}, ${expected === 0 ? strings.unitNotSampled : strings.unitWithoutData}`;
}

/** Something whose interval is missing, and why. */
export interface MissingInterval {
  name: string;
  reason: Absence;
}

/** The names that share a reason, in the order in which the reasons first occur. */
export function byReason(missing: readonly MissingInterval[]): Map<Absence, string[]> {
  const groups = new Map<Absence, string[]>();
  for (const { name, reason } of missing) {
    const names = groups.get(reason);
    if (names === undefined) groups.set(reason, [name]);
    else names.push(name);
  }
  return groups;
}

/** How the estimate was made, in one line. */
export function methodSentence(
  estimate: Estimate,
  analysed: (count: string) => string,
  strings: Strings,
  format: Formatter,
): string {
  const parts = [strings.methodRatio];
  const { interval } = estimate;
  if (interval === null) {
    parts.push(intervalMissing(estimate, strings));
  } else {
    parts.push(strings.methodInterval[interval.method](format.level(interval)));
    if (interval.method !== 'census') {
      parts.push(strings.methodFreedom(format.count(estimate.degrees_of_freedom)));
    }
  }
  if (estimate.design_effect !== null) {
    parts.push(strings.methodEffect(format.decimal(estimate.design_effect, 2)));
  }
  parts.push(strings.methodSample(format.count(estimate.households)));
  parts.push(analysed(format.count(estimate.denominator_count)));
  if (estimate.bounds === null) parts.push(strings.boundsMissing);
  else if (!estimate.bounds_exact) parts.push(strings.boundsInexact);
  return parts.join('; ');
}

/** That an estimate has no interval, with the reason where it is known. */
export function intervalMissing({ reason }: Estimate, strings: Strings): string {
  return reason === null
    ? strings.intervalMissing
    : strings.intervalMissingBecause(strings.absence[reason]);
}
