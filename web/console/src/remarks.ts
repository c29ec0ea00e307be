/** Sentences for what a figure lacks: why it is withheld, or why its precision is unknown. */

import type { Estimate, Withheld } from './api.ts';
import type { Formatter } from './format.ts';
import type { Strings } from './strings/vi.ts';

/** Why the publication rules keep a figure back, without a leading capital. */
export function withheldSentence(withheld: Withheld, strings: Strings, format: Formatter): string {
  return withheld.rule === 'minimum_households'
    ? strings.withheld.households(format.count(withheld.households), format.count(withheld.minimum))
    : strings.withheld.rule(withheld.rule);
}

/** Why an estimate has no standard error, or null when it has one. */
export function precisionSentence(estimate: Estimate, strings: Strings): string | null {
  if (estimate.reason === null) return null;
  return estimate.reason === 'single_psu'
    ? strings.reason.single_psu
    : strings.reason.other(estimate.reason);
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
    parts.push(precisionSentence(estimate, strings) ?? strings.intervalMissing);
  } else {
    const level = format.level(interval);
    const { method } = interval;
    parts.push(
      method === 'logit' || method === 'beta' || method === 'census'
        ? strings.methodInterval[method](level)
        : strings.methodInterval.other(level, method),
    );
    parts.push(strings.methodFreedom(format.count(estimate.degrees_of_freedom)));
  }
  if (estimate.design_effect !== null) {
    parts.push(strings.methodEffect(format.decimal(estimate.design_effect, 2)));
  }
  parts.push(strings.methodSample(format.count(estimate.households)));
  parts.push(analysed(format.count(estimate.denominator_count)));
  if (!estimate.bounds_exact) parts.push(strings.boundsInexact);
  return parts.join('; ');
}
