//! Numbers and dates of spreadsheets as the text that pyxform gives them, which is Python's.
//!
//! Which cells are dates follows from their number formats (ECMA-376 part 1 §18.8.30–31). openpyxl, which reads `.xlsx`
//! for pyxform, and xlrd, which reads `.xls`, decide it by different rules and round differently; both are kept.

use std::fmt::Write;

/// From which day a workbook counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Epoch {
    /// Day 1 is 1900-01-01, and 1900 is taken for a leap year.
    #[default]
    Windows,
    /// Day 0 is 1904-01-01.
    Macintosh,
}

impl Epoch {
    /// Day 0 as a count of days from 1970-01-01; for Windows the day that makes days from March 1900 right.
    fn day_zero(self) -> i64 {
        match self {
            Self::Windows => -25_569,
            Self::Macintosh => -24_107,
        }
    }
}

/// What a number format makes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Number,
    /// A day, a time of day, or both.
    Date,
    /// A length of time.
    Duration,
}

/// A number: without a point where it is whole, otherwise the shortest text that reads back as the same number.
pub(super) fn number_text(number: f64) -> String {
    if !number.is_finite() {
        let sign = if number < 0.0 { "-" } else { "" };
        return format!("{sign}{}", if number.is_nan() { "nan" } else { "inf" });
    }
    if number.trunc() == number {
        // Adding zero makes minus zero zero.
        return format!("{:.0}", number + 0.0);
    }
    let scientific = format!("{number:e}");
    match scientific.split_once("e-") {
        Some((digits, exponent)) if exponent.parse::<u32>().is_ok_and(|exponent| exponent > 4) => {
            format!("{digits}e-{exponent:0>2}")
        }
        _ => number.to_string(),
    }
}

/// The number that a cell of `.xlsx` writes; none if it writes none. Whole numbers keep all their digits.
pub(super) fn written_number_text(written: &str) -> Option<String> {
    let written = written.trim();
    if written.contains(['.', 'e', 'E']) {
        return written.parse().ok().map(number_text);
    }
    let (sign, digits) = match written.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", written.strip_prefix('+').unwrap_or(written)),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(match digits.trim_start_matches('0') {
        "" => "0".to_owned(),
        digits => format!("{sign}{digits}"),
    })
}

/// A day, counted from 1970-01-01, and microseconds of that day; none before the year 1 and after 9999.
///
/// The day is turned into a date of the Gregorian calendar by H. Hinnant's algorithm `civil_from_days`.
fn date_time_text(days: i64, microseconds: i64) -> Option<String> {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    if !(1..=9999).contains(&year) {
        return None;
    }
    Some(format!("{year:04}-{month:02}-{day:02} {}", time_text(microseconds)))
}

fn time_text(microseconds: i64) -> String {
    let seconds = microseconds / 1_000_000;
    let mut text = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    fraction(&mut text, microseconds % 1_000_000);
    text
}

fn fraction(text: &mut String, microseconds: i64) {
    if microseconds != 0 {
        // Writing into a string cannot fail.
        let _ = write!(text, ".{microseconds:06}");
    }
}

/// A date of `.xlsx`, to the millisecond; none outside the years 1 to 9999.
pub(super) fn serial_date_text(serial: f64, epoch: Epoch) -> Option<String> {
    const DAY: i64 = 86_400_000;
    let mut day = whole_days(serial)?;
    let milliseconds = ((serial - serial.floor()) * 86_400_000.0).round_ties_even() as i64;
    let (carried, milliseconds) = (milliseconds / DAY, milliseconds % DAY);
    if (0.0..1.0).contains(&serial) && carried == 0 {
        return Some(time_text(milliseconds * 1000));
    }
    if serial > 0.0 && serial < 60.0 && epoch == Epoch::Windows {
        day += 1;
    }
    date_time_text(epoch.day_zero() + day + carried, milliseconds * 1000)
}

/// A length of time of `.xlsx`, to the millisecond, as in `1 day, 2:30:00`; none beyond a thousand million days.
pub(super) fn duration_text(days: f64) -> Option<String> {
    const DAY: i64 = 86_400_000_000;
    let whole = whole_days(days)?;
    let rest = ((days - days.floor()) * 86_400_000_000.0).round_ties_even();
    let rest = (rest / 1000.0).round_ties_even() as i64 * 1000;
    let (days, rest) = (whole + rest / DAY, rest % DAY);
    let mut text = match days {
        0 => String::new(),
        1 | -1 => format!("{days} day, "),
        _ => format!("{days} days, "),
    };
    let seconds = rest / 1_000_000;
    // Writing into a string cannot fail.
    let _ = write!(text, "{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    fraction(&mut text, rest % 1_000_000);
    Some(text)
}

fn whole_days(days: f64) -> Option<i64> {
    (days.abs() < 1e9).then(|| days.floor() as i64)
}

/// A date of `.xls`, to the second; none for what xlrd refuses: before day 0, in the two months of which Windows' epoch
/// has one day too many, and after the year 9999.
pub(super) fn binary_date_text(serial: f64, epoch: Epoch) -> Option<String> {
    if !(0.0..3e6).contains(&serial) {
        return None;
    }
    let mut day = serial.trunc() as i64;
    let mut seconds = ((serial - serial.trunc()) * 86_400.0).round_ties_even() as i64;
    if seconds == 86_400 {
        (day, seconds) = (day + 1, 0);
    }
    match day {
        0 => Some(time_text(seconds * 1_000_000)),
        1..61 if epoch == Epoch::Windows => None,
        _ => date_time_text(epoch.day_zero() + day, seconds * 1_000_000),
    }
}

/// What openpyxl takes a number format for: the letters of dates count in its first section, outside quotes and
/// brackets, unless `_` or `\` stands before them.
pub(super) fn office_open_format(code: &str) -> Format {
    let section = code.split(';').next().unwrap_or_default();
    let mut date = false;
    let mut duration = false;
    let mut rest = section;
    let mut before = ' ';
    while let Some(character) = rest.chars().next() {
        let after = &rest[character.len_utf8()..];
        match character {
            '"' if after.contains('"') => {
                let end = after.find('"').unwrap_or_default();
                rest = &after[end + 1..];
                continue;
            }
            '[' if after.find(']').is_some_and(|end| end > 0) => {
                let end = after.find(']').unwrap_or_default();
                let inside = &after[..end];
                if matches!(inside, "h" | "hh" | "m" | "mm" | "s" | "ss") {
                    date = true;
                }
                if matches!(
                    inside.to_ascii_lowercase().as_str(),
                    "h" | "hh" | "m" | "mm" | "s" | "ss"
                ) {
                    duration = true;
                }
                rest = &after[end + 1..];
                continue;
            }
            'd' | 'm' | 'h' | 'y' | 's' | 'D' | 'M' | 'H' | 'Y' | 'S' if !matches!(before, '_' | '\\') => date = true,
            _ => {}
        }
        before = character;
        rest = after;
    }
    match (date, duration) {
        (true, true) => Format::Duration,
        (true, false) => Format::Date,
        (false, _) => Format::Number,
    }
}

/// The built-in number formats of `.xlsx` by number.
pub(super) fn built_in_office_open_format(id: u32) -> Format {
    match id {
        14..=22 | 45 | 47 => Format::Date,
        46 => Format::Duration,
        _ => Format::Number,
    }
}

/// What xlrd takes a number format for: the letters of dates outside quotes and brackets against the digits of numbers,
/// whichever are more.
pub(super) fn binary_format(code: &str) -> Format {
    let mut reduced = String::new();
    let mut characters = code.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => while characters.next().is_some_and(|quoted| quoted != '"') {},
            '\\' | '_' | '*' => {
                characters.next();
            }
            '$' | '-' | '+' | '/' | '(' | ')' | ':' | ' ' => {}
            _ => reduced.push(character),
        }
    }
    let mut unbracketed = String::new();
    let mut rest = reduced.as_str();
    while let Some((before, bracketed)) = rest.split_once('[') {
        unbracketed.push_str(before);
        match bracketed.split_once(']') {
            Some((_, after)) => rest = after,
            None => {
                unbracketed.push('[');
                rest = bracketed;
            }
        }
    }
    unbracketed.push_str(rest);
    if matches!(
        unbracketed.as_str(),
        "0.00E+00" | "##0.0E+0" | "General" | "GENERAL" | "general" | "@"
    ) {
        return Format::Number;
    }
    let count = |letters: &str| unbracketed.chars().filter(|&letter| letters.contains(letter)).count();
    if count("ymdhsYMDHS") > count("0#?") {
        Format::Date
    } else {
        Format::Number
    }
}

/// The built-in number formats of `.xls` by number, among them East Asian and Thai dates.
pub(super) fn built_in_binary_format(id: u16) -> Format {
    match id {
        14..=22 | 27..=36 | 45..=47 | 50..=58 | 71..=81 => Format::Date,
        _ => Format::Number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_python_writes_them() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-2.5, "-2.5"),
            (0.1 + 0.2, "0.30000000000000004"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (2.5e-100, "2.5e-100"),
            (1e22, "10000000000000000000000"),
            (123_456_789.125, "123456789.125"),
        ] {
            assert_eq!(number_text(number), text);
        }
        assert_eq!(written_number_text("0012"), Some("12".into()));
        assert_eq!(written_number_text("-0"), Some("0".into()));
        assert_eq!(
            written_number_text("12345678901234567890"),
            Some("12345678901234567890".into())
        );
        assert_eq!(written_number_text("1.0E3"), Some("1000".into()));
        assert_eq!(written_number_text("x"), None);
    }

    #[test]
    fn dates_follow_both_epochs_and_the_missing_leap_day() {
        let date = |serial| serial_date_text(serial, Epoch::Windows).unwrap();
        assert_eq!(date(43_831.0), "2020-01-01 00:00:00");
        assert_eq!(date(43_831.5), "2020-01-01 12:00:00");
        assert_eq!(date(0.4), "09:36:00");
        assert_eq!(date(1.0), "1900-01-01 00:00:00");
        assert_eq!(date(61.0), "1900-03-01 00:00:00");
        assert_eq!(date(43_831.000_005_787_037), "2020-01-01 00:00:00.500000");
        assert_eq!(serial_date_text(0.0, Epoch::Macintosh), Some("00:00:00".into()));
        assert_eq!(
            serial_date_text(42_369.0, Epoch::Macintosh),
            Some("2020-01-01 00:00:00".into())
        );
        assert_eq!(serial_date_text(1e300, Epoch::Windows), None);
        assert_eq!(serial_date_text(f64::NAN, Epoch::Windows), None);
        assert_eq!(
            binary_date_text(43_831.25, Epoch::Windows),
            Some("2020-01-01 06:00:00".into())
        );
        assert_eq!(binary_date_text(30.0, Epoch::Windows), None);
        assert_eq!(
            binary_date_text(30.0, Epoch::Macintosh),
            Some("1904-01-31 00:00:00".into())
        );
        assert_eq!(binary_date_text(-1.0, Epoch::Windows), None);
    }

    #[test]
    fn durations_are_written_with_days() {
        assert_eq!(duration_text(1.5), Some("1 day, 12:00:00".into()));
        assert_eq!(duration_text(0.25), Some("6:00:00".into()));
        assert_eq!(duration_text(-0.25), Some("-1 day, 18:00:00".into()));
        assert_eq!(duration_text(1e12), None);
    }

    #[test]
    fn formats_are_told_apart() {
        for (code, format) in [
            ("yyyy\\-mm\\-dd", Format::Date),
            ("[$-409]d\\-mmm\\-yy;@", Format::Date),
            ("[h]:mm:ss", Format::Duration),
            ("#,##0.00", Format::Number),
            ("0.0\"days\"", Format::Number),
            ("[Red]0", Format::Number),
            ("0_d", Format::Number),
            ("General", Format::Number),
        ] {
            assert_eq!(office_open_format(code), format, "{code}");
        }
        for (code, format) in [
            ("yyyy-mm-dd", Format::Date),
            ("[h]:mm:ss", Format::Date),
            ("General", Format::Number),
            ("\"day\" 0", Format::Number),
            ("[unclosed d", Format::Date),
        ] {
            assert_eq!(binary_format(code), format, "{code}");
        }
    }
}
