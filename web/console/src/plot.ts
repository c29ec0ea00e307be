/** What interval plots show, in numbers and in words: the words are the plot's text alternative. */

import type { Bounds, Decision, Interval, Modelled, Target } from './api.ts';
import type { Formatter } from './format.ts';
import type { Strings } from './strings/vi.ts';

/** The figures one interval plot draws. Shares are fractions from 0 to 1. */
export interface PlotFigures {
  point: number;
  interval: Interval | null;
  bounds: Bounds | null;
  target: Target;
  decision: Decision | null;
}

/** What is drawn of a model's figure: nothing is decided by it. */
export function modelledFigures(modelled: Modelled, target: Target): PlotFigures {
  const { point, lower, upper, level } = modelled;
  const interval: Interval = { lower, upper, level, method: 'normal' };
  return { point, interval, bounds: null, target, decision: null };
}

/** The ticks of the axis that all plots share, as fractions. */
export const TICKS: readonly number[] = [0, 0.2, 0.4, 0.6, 0.8, 1];

/** A place on the axis as a percentage of its length; what lies outside is put at the nearer end. */
export function position(share: number): string {
  return `${Math.min(100, Math.max(0, share * 100))}%`;
}

// Below this, bounds differ only by the rounding of sums.
const ROUNDING = 1e-9;

/** Whether open conflicts leave more than one value possible. */
export function isOpen(bounds: Bounds | null): bounds is Bounds {
  return bounds !== null && bounds.upper - bounds.lower > ROUNDING;
}

/** The plot in one sentence. */
export function describe(figures: PlotFigures, strings: Strings, format: Formatter): string {
  const { point, interval, bounds, target, decision } = figures;
  const parts = [strings.pointOf(format.percent(point))];
  parts.push(
    interval === null
      ? strings.intervalMissing
      : strings.intervalOf(format.level(interval), format.range(interval)),
  );
  if (isOpen(bounds)) parts.push(strings.boundsOf(format.range(bounds)));
  parts.push(strings.targetOf(format.target(target)));
  if (decision !== null) parts.push(strings.decision[decision]);
  return parts.join('; ');
}

/** Whether any two of the intervals share a value, so that their points give no sure order. */
export function anyOverlap(intervals: readonly Interval[]): boolean {
  const ordered = [...intervals].sort((left, right) => left.lower - right.lower);
  return ordered.some((interval, index) => {
    const next = ordered[index + 1];
    return next !== undefined && next.lower <= interval.upper;
  });
}
