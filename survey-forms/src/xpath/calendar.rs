//! Dates and moments without a clock: ISO 8601 text, days since 1970, and the formats of ODK's `format-date`.

use std::fmt;

use serde::{Deserialize, Serialize};

const MILLISECONDS_A_DAY: i64 = 86_400_000;
const MILLISECONDS_A_MINUTE: i64 = 60_000;

/// A day of the proleptic Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Date {
    year: i32,
    month: u8,
    day: u8,
}

impl Date {
    /// The day of that year, month (1–12) and day (1–31); none where the calendar has no such day or the year is
    /// outside 1…9999.
    pub fn new(year: i32, month: u8, day: u8) -> Option<Self> {
        let valid = (1..=9999).contains(&year) && day >= 1 && day <= days_in_month(year, month);
        valid.then_some(Self { year, month, day })
    }

    /// Reads `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let year = digits(parts.next()?, 4..=4)?;
        let month = digits(parts.next()?, 1..=2)?;
        let day = digits(parts.next()?, 1..=2)?;
        if parts.next().is_some() {
            return None;
        }
        Self::new(year, u8::try_from(month).ok()?, u8::try_from(day).ok()?)
    }

    /// The year.
    pub fn year(self) -> i32 {
        self.year
    }

    /// The month, 1 to 12.
    pub fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, 1 to 31.
    pub fn day(self) -> u8 {
        self.day
    }

    /// Days since 1970-01-01. Source of the arithmetic: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms",
    /// days_from_civil.
    fn days(self) -> i64 {
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let month = (i64::from(self.month) + 9) % 12;
        let day_of_year = (153 * month + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }

    /// The inverse of [`Date::days`]; none outside the years 1…9999. Source: the same, civil_from_days.
    fn from_days(days: i64) -> Option<Self> {
        let shifted = days.checked_add(719_468)?;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self::new(
            i32::try_from(year).ok()?,
            u8::try_from(month).ok()?,
            u8::try_from(day).ok()?,
        )
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

fn days_in_month(year: i32, month: u8) -> u8 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

fn digits(text: &str, length: std::ops::RangeInclusive<usize>) -> Option<i32> {
    let fits = length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

/// A moment in time as seen at a place: given by the caller, never read from a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub unix_milliseconds: i64,
    /// Minutes by which local time is ahead of UTC; 420 in Việt Nam.
    pub utc_offset_minutes: i32,
}

impl Moment {
    /// Reads an ISO 8601 date, or date and time with or without offset; `default_offset_minutes` applies where the text
    /// gives no offset, and becomes the moment's own offset.
    pub fn parse(text: &str, default_offset_minutes: i32) -> Option<Self> {
        // Cheap refusal first: nearly every text that comes here is a choice's name.
        if !text.as_bytes().first()?.is_ascii_digit() {
            return None;
        }
        let (date, time) = match text.split_once('T') {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let midnight = Date::parse(date)?.days() * MILLISECONDS_A_DAY;
        let (of_day, offset) = match time {
            Some(time) => milliseconds_of_day(time)?,
            None => (0, None),
        };
        let offset = offset.unwrap_or(default_offset_minutes);
        Some(Self {
            unix_milliseconds: midnight + of_day - i64::from(offset) * MILLISECONDS_A_MINUTE,
            utc_offset_minutes: default_offset_minutes,
        })
    }

    /// The moment that many days (with fractions) after 1970-01-01T00:00Z; none for numbers that no calendar holds.
    pub fn from_days(days: f64, utc_offset_minutes: i32) -> Option<Self> {
        let milliseconds = (days * MILLISECONDS_A_DAY as f64).round();
        if milliseconds.abs() >= 2.6e14 || milliseconds.is_nan() {
            return None;
        }
        Some(Self {
            unix_milliseconds: milliseconds as i64,
            utc_offset_minutes,
        })
    }

    /// Days with fraction since 1970-01-01T00:00Z.
    pub fn days(self) -> f64 {
        self.unix_milliseconds as f64 / MILLISECONDS_A_DAY as f64
    }

    fn local(self) -> i64 {
        let offset = i64::from(self.utc_offset_minutes) * MILLISECONDS_A_MINUTE;
        self.unix_milliseconds.saturating_add(offset)
    }

    /// The local date; none outside the years 1…9999.
    pub fn date(self) -> Option<Date> {
        Date::from_days(self.local().div_euclid(MILLISECONDS_A_DAY))
    }

    /// The midnight at which the local day begins.
    pub fn local_midnight(self) -> Self {
        Self {
            unix_milliseconds: self.unix_milliseconds.saturating_sub(self.milliseconds_of_local_day()),
            ..self
        }
    }

    /// ISO 8601 text: the date alone at local midnight, otherwise with time and offset; empty outside the calendar.
    pub fn to_text(self) -> String {
        let Some(date) = self.date() else {
            return String::new();
        };
        if self.milliseconds_of_local_day() == 0 {
            return date.to_string();
        }
        self.to_date_time_text()
    }

    /// ISO 8601 text with time and offset, as ODK's `now` and metadata `start` and `end`.
    pub fn to_date_time_text(self) -> String {
        let Some(date) = self.date() else {
            return String::new();
        };
        let of_day = self.milliseconds_of_local_day();
        let (hours, minutes) = (of_day / 3_600_000, of_day / 60_000 % 60);
        let (seconds, thousandths) = (of_day / 1000 % 60, of_day % 1000);
        let sign = if self.utc_offset_minutes < 0 { '-' } else { '+' };
        let offset = self.utc_offset_minutes.unsigned_abs();
        format!(
            "{date}T{hours:02}:{minutes:02}:{seconds:02}.{thousandths:03}{sign}{:02}:{:02}",
            offset / 60,
            offset % 60
        )
    }

    fn milliseconds_of_local_day(self) -> i64 {
        self.local().rem_euclid(MILLISECONDS_A_DAY)
    }

    /// The letters that [`Moment::format`] knows.
    pub(crate) const FORMAT_LETTERS: [char; 13] = ['Y', 'y', 'm', 'n', 'b', 'd', 'e', 'H', 'h', 'M', 'S', '3', 'a'];

    /// Formats by ODK's `format-date` (ODK XForms specification): `%Y %y %m %n %b %d %e %H %h %M %S %3 %a`, with English
    /// names of months and days; an unknown letter is kept as it is.
    pub fn format(self, pattern: &str) -> String {
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
        let Some(date) = self.date() else {
            return String::new();
        };
        let of_day = self.milliseconds_of_local_day();
        let hours = of_day / 3_600_000;
        let month_name = MONTHS.get(usize::from(date.month) - 1).copied().unwrap_or("");
        let weekday = usize::try_from(date.days().rem_euclid(7)).unwrap_or(0);
        let mut text = String::new();
        let mut characters = pattern.chars();
        while let Some(character) = characters.next() {
            if character != '%' {
                text.push(character);
                continue;
            }
            match characters.next() {
                Some('Y') => text += &format!("{:04}", date.year),
                Some('y') => text += &format!("{:02}", date.year % 100),
                Some('m') => text += &format!("{:02}", date.month),
                Some('n') => text += &date.month.to_string(),
                Some('b') => text += month_name,
                Some('d') => text += &format!("{:02}", date.day),
                Some('e') => text += &date.day.to_string(),
                Some('H') => text += &format!("{hours:02}"),
                Some('h') => text += &hours.to_string(),
                Some('M') => text += &format!("{:02}", of_day / 60_000 % 60),
                Some('S') => text += &format!("{:02}", of_day / 1000 % 60),
                Some('3') => text += &format!("{:03}", of_day % 1000),
                Some('a') => text += DAYS.get(weekday).copied().unwrap_or(""),
                Some(other) => {
                    text.push('%');
                    text.push(other);
                }
                None => text.push('%'),
            }
        }
        text
    }
}

/// Reads `HH:MM[:SS[.fff]][Z|±HH[:MM]]`: milliseconds since midnight, and the offset from UTC in minutes if written.
pub(crate) fn milliseconds_of_day(text: &str) -> Option<(i64, Option<i32>)> {
    let (clock, offset) = match text.find(['Z', '+', '-']) {
        Some(position) => (&text[..position], Some(offset_minutes(&text[position..])?)),
        None => (text, None),
    };
    let mut parts = clock.split(':');
    let hours = digits(parts.next()?, 2..=2)?;
    let minutes = digits(parts.next()?, 2..=2)?;
    let (seconds, fraction) = match parts.next() {
        Some(text) => text.split_once('.').unwrap_or((text, "0")),
        None => ("00", "0"),
    };
    let seconds = digits(seconds, 2..=2)?;
    digits(fraction, 1..=9)?;
    let thousandths: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    if parts.next().is_some() || hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    let whole = i64::from(hours) * 3_600_000 + i64::from(minutes) * 60_000 + i64::from(seconds) * 1000;
    Some((whole + thousandths, offset))
}

fn offset_minutes(text: &str) -> Option<i32> {
    if text == "Z" {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = match text.get(1..)?.split_once(':') {
        Some((hours, minutes)) => (hours, minutes),
        None => (text.get(1..)?, "00"),
    };
    let (hours, minutes) = (digits(hours, 2..=2)?, digits(minutes, 2..=2)?);
    (hours <= 14 && minutes <= 59).then_some(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_inverse_over_the_whole_calendar() {
        // 0001-01-01 and 9999-12-31 are 719162 days before and 2932896 days after 1970-01-01.
        for days in (-719_162..=2_932_896).step_by(37) {
            assert_eq!(Date::from_days(days).unwrap().days(), days);
        }
        assert_eq!(Date::from_days(-719_162).unwrap().to_string(), "0001-01-01");
        assert_eq!(Date::from_days(2_932_896).unwrap().to_string(), "9999-12-31");
        assert_eq!(Date::from_days(2_932_897), None);
    }

    #[test]
    fn days_that_the_calendar_lacks_are_refused() {
        for text in [
            "2023-02-29",
            "1900-02-29",
            "2025-13-01",
            "2025-00-10",
            "2025-04-31",
            "25-01-01",
            "2025-1-1-1",
            "",
        ] {
            assert_eq!(Date::parse(text), None, "{text}");
        }
        assert!(Date::parse("2024-02-29").is_some() && Date::parse("2000-02-29").is_some());
    }

    #[test]
    fn a_moment_keeps_its_instant_whatever_the_offset_written() {
        let noon = Moment::parse("2025-10-01T12:00:00.250+07:00", 420).unwrap();
        assert_eq!(noon, Moment::parse("2025-10-01T05:00:00.250Z", 420).unwrap());
        assert_eq!(noon.to_text(), "2025-10-01T12:00:00.250+07:00");
        assert_eq!(Moment::parse("2025-10-01", 420).unwrap().to_text(), "2025-10-01");
        assert_eq!(Moment::parse("2025-10-01T25:00:00", 420), None);
        assert_eq!(
            noon.format("%e/%n/%Y %H:%M:%S.%3 %a %q"),
            "1/10/2025 12:00:00.250 Wed %q"
        );
    }
}
