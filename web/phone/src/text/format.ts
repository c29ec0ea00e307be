/**
 * Times, lengths and amounts as people in Vietnam read them: «09:40 hôm nay», «thứ Tư 3/12», «1,2 km».
 * Pure: language, time zone and the present are parameters.
 */

/** The languages of the pages. */
export type Language = 'vi' | 'en';

const LOCALES: Record<Language, string> = { vi: 'vi-VN', en: 'en-GB' };

const DAY = 86_400_000;

/** Names of the days around today, by their distance. */
const NEAR_DAYS: Record<Language, Record<number, string>> = {
  vi: { [-1]: 'hôm qua', 0: 'hôm nay', 1: 'ngày mai' },
  en: { [-1]: 'yesterday', 0: 'today', 1: 'tomorrow' },
};

/** Makers of text for one language. Times are milliseconds since 1970-01-01T00:00:00Z. */
export interface Formatter {
  count(value: number): string;
  /** A number with up to seven decimals, ungrouped, as it would be typed. */
  typed(value: number): string;
  /** The time of the day, such as «09:40». */
  clock(time: number): string;
  /** A moment with its day as seen from `now`. */
  moment(time: number, now: number): string;
  /** A calendar day `YYYY-MM-DD`. */
  day(date: string): string;
  metres(length: number): string;
  bytes(amount: number): string;
  /** A span of time in whole minutes and seconds. */
  span(milliseconds: number): string;
  /** Compares names as readers of the language expect, numbers by value. */
  compare(left: string, right: string): number;
}

/** The formatter of a language, in a time zone (the phone's unless told). */
export function formatter(language: Language, timeZone?: string): Formatter {
  const locale = LOCALES[language];
  const zone = timeZone === undefined ? {} : { timeZone };
  const near = NEAR_DAYS[language];
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const short = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const exact = new Intl.NumberFormat(locale, { maximumFractionDigits: 7, useGrouping: false });
  const clock = new Intl.DateTimeFormat(locale, {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    ...zone,
  });
  const parts = new Intl.DateTimeFormat('en-GB', {
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    ...zone,
  });
  const weekday = new Intl.DateTimeFormat(locale, { weekday: 'long', ...zone });
  const collator = new Intl.Collator(locale, { numeric: true });

  const calendar = (time: number): [number, number, number] => {
    const found = parts.formatToParts(time);
    const part = (type: string): number =>
      Number(found.find((candidate) => candidate.type === type)?.value);
    return [part('year'), part('month'), part('day')];
  };
  const dayNumber = (time: number): number => {
    const [year, month, day] = calendar(time);
    return Date.UTC(year, month - 1, day) / DAY;
  };
  const clockOf = (time: number): string => clock.format(time);
  const nameOfDay = (time: number, now: number): string => {
    const away = dayNumber(time) - dayNumber(now);
    const name = near[away];
    if (name !== undefined) return name;
    const [year, month, day] = calendar(time);
    const date = `${day}/${month}`;
    // The weekday helps only while it is clear which week is meant.
    if (Math.abs(away) < 7) return `${weekday.format(time)} ${date}`;
    return `${date}/${year}`;
  };

  return {
    count: (value) => whole.format(value),
    typed: (value) => exact.format(value),
    clock: clockOf,
    moment: (time, now) => `${clockOf(time)} ${nameOfDay(time, now)}`,
    day: (date) => {
      const [year, month, day] = date.split('-').map(Number);
      return `${day}/${month}/${year}`;
    },
    metres: (length) =>
      length < 1000
        ? `${whole.format(length < 20 ? length : Math.round(length / 5) * 5)}\u00a0m`
        : `${short.format(length / 1000)}\u00a0km`,
    bytes: (amount) =>
      amount < 1_000_000
        ? `${whole.format(Math.ceil(amount / 1000))}\u00a0KB`
        : amount < 1_000_000_000
          ? `${short.format(amount / 1_000_000)}\u00a0MB`
          : `${short.format(amount / 1_000_000_000)}\u00a0GB`,
    span: (milliseconds) => {
      const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
      const minutes = Math.floor(seconds / 60);
      const rest = String(seconds % 60).padStart(minutes > 0 ? 2 : 1, '0');
      return minutes > 0 ? `${minutes}:${rest}` : language === 'vi' ? `${rest} giây` : `${rest} s`;
    },
    compare: (left, right) => collator.compare(left, right),
  };
}
