/** Days and times of the phone's own calendar, as answers and input fields write them. */

const two = (number: number): string => String(number).padStart(2, '0');

/** A day as `YYYY-MM-DD`. */
export function isoDay(date: Date): string {
  return `${String(date.getFullYear()).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** A time of the day as `HH:MM`. */
export function isoClock(date: Date): string {
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** The offset from UTC as `+07:00`. */
export function isoOffset(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  const sign = minutes < 0 ? '-' : '+';
  return `${sign}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
}

/** A day and an hour of the phone's calendar, counted from a moment's day. */
export function atHour(now: Date, daysLater: number, hour: number): Date {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + daysLater, hour);
}

/** When to call again, without opening a calendar. */
export interface QuickTime {
  name: 'afternoon' | 'evening' | 'morning';
  time: number;
}

/** The next afternoon (15:00), evening (18:30) and morning (8:00) that are still to come within a day. */
export function quickTimes(now: Date): QuickTime[] {
  const evening = atHour(now, 0, 18);
  evening.setMinutes(30);
  const times: QuickTime[] = [
    { name: 'afternoon', time: atHour(now, 0, 15).getTime() },
    { name: 'evening', time: evening.getTime() },
    { name: 'morning', time: atHour(now, 1, 8).getTime() },
  ];
  return times.filter(({ time }) => time > now.getTime());
}
