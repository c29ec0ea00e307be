/**
 * Figures, shares and times as text, by the conventions of each language: «79,4 %» and «1.234» in
 * Vietnamese, "79.4%" and "1,234" in English. Pure: the language and the time are parameters.
 */

import type { Interval, Language, Target } from './api.ts';

const LOCALES: Record<Language, string> = { vi: 'vi-VN', en: 'en-GB' };

const NO_BREAK_SPACE = '\u00a0';

/** Makers of text for one language. Shares are fractions from 0 to 1. */
export interface Formatter {
  /** A whole number, grouped by thousands. */
  count(value: number): string;
  /** A number with a fixed count of decimals (one unless told). */
  decimal(value: number, digits?: number): string;
  /** A share as a percentage with one decimal. */
  percent(share: number): string;
  /** Two shares as one range of percentages. */
  range(bounds: { lower: number; upper: number }): string;
  /** A width on the scale of shares, such as a standard error, in percentage points without a unit. */
  points(share: number): string;
  /** A difference of two shares in percentage points, with its sign and without a unit. */
  change(difference: number): string;
  /** A target such as «≥ 80 %». */
  target(target: Target): string;
  /** A confidence level such as «95 %». */
  level(interval: Pick<Interval, 'level'>): string;
  /** A calendar day `YYYY-MM-DD`. */
  day(date: string): string;
  /** A moment, to the minute, in the reader's time zone. */
  moment(time: string): string;
  /** How long before `now` (both in milliseconds since the epoch) a moment was. */
  ago(time: string, now: number): string;
  /** Compares names the way a reader of the language expects, numbers by value. */
  compare(left: string, right: string): number;
}

/** The formatter of a language. */
export function formatter(language: Language): Formatter {
  const locale = LOCALES[language];
  const percentSign = language === 'vi' ? `${NO_BREAK_SPACE}%` : '%';
  const rangeDash = language === 'vi' ? `${NO_BREAK_SPACE}–${NO_BREAK_SPACE}` : '–';
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const plain = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 });
  const fixed = (value: number, digits: number): string =>
    value.toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const calendar = new Intl.DateTimeFormat(locale, {
    day: '2-digit',
    month: '2-digit',
    year: 'numeric',
    timeZone: 'UTC',
  });
  const clock = new Intl.DateTimeFormat(locale, {
    day: '2-digit',
    month: '2-digit',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const collator = new Intl.Collator(locale, { numeric: true });

  return {
    count: (value) => whole.format(value),
    decimal: (value, digits = 1) => fixed(value, digits),
    percent: (share) => fixed(share * 100, 1) + percentSign,
    range: ({ lower, upper }) =>
      fixed(lower * 100, 1) + rangeDash + fixed(upper * 100, 1) + percentSign,
    points: (share) => fixed(share * 100, 1),
    change: (difference) =>
      (difference * 100).toLocaleString(locale, {
        minimumFractionDigits: 1,
        maximumFractionDigits: 1,
        signDisplay: 'exceptZero',
      }),
    target: ({ operator, percent }) =>
      `${operator === '>=' ? '≥' : '>'}${NO_BREAK_SPACE}${plain.format(percent)}${percentSign}`,
    level: ({ level }) => plain.format(level * 100) + percentSign,
    day: (date) => calendar.format(new Date(`${date}T00:00:00Z`)),
    moment: (time) => clock.format(new Date(time)),
    ago: (time, now) => {
      const seconds = Math.min(0, Math.round((Date.parse(time) - now) / 1000));
      const [amount, unit] = largestUnit(seconds);
      return relative.format(amount, unit);
    },
    compare: (left, right) => collator.compare(left, right),
  };
}

// Below a minute the exact second would only flicker: it is «now».
function largestUnit(seconds: number): [number, Intl.RelativeTimeFormatUnit] {
  const elapsed = -seconds;
  if (elapsed < 60) return [0, 'second'];
  if (elapsed < 3_600) return [-Math.floor(elapsed / 60), 'minute'];
  if (elapsed < 86_400) return [-Math.floor(elapsed / 3_600), 'hour'];
  return [-Math.floor(elapsed / 86_400), 'day'];
}
