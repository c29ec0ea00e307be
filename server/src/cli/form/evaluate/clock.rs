//! The moment that `now()` and `today()` say.

use survey_forms::xpath::Moment;

use super::Failure;

/// Việt Nam's offset from UTC in minutes, for a system that knows no time zone of its own.
const VIETNAM: i32 = 420;

/// How the system's local time differs from UTC now, in minutes.
fn system_offset_minutes() -> i32 {
    match jiff::tz::TimeZone::try_system() {
        Ok(zone) => zone.to_offset(jiff::Timestamp::now()).seconds() / 60,
        Err(_) => VIETNAM,
    }
}

/// The moment of `--now` and `--time-zone`: the clock where no time is given.
pub(super) fn moment(now: Option<&str>, time_zone: Option<&str>) -> Result<Moment, Failure> {
    let given = time_zone.map(|written| offset_minutes(written).ok_or_else(|| bad_time_zone(written)));
    let given = given.transpose()?;
    let Some(now) = now else {
        return Ok(Moment {
            unix_milliseconds: crate::clock::now(),
            utc_offset_minutes: given.unwrap_or_else(system_offset_minutes),
        });
    };
    let own = now.split_once('T').and_then(|(_, time)| {
        let start = time.find(['Z', '+', '-'])?;
        offset_minutes(time.get(start..)?)
    });
    let local = given.or(own).unwrap_or_else(system_offset_minutes);
    Moment::parse(now, own.unwrap_or(local))
        .map(|moment| Moment {
            utc_offset_minutes: local,
            ..moment
        })
        .ok_or_else(|| {
            Failure::new(
                format!("{now:?} không phải thời điểm; viết như 2026-11-25T10:00:00+07:00"),
                format!("{now:?} is no time; write it as 2026-11-25T10:00:00+07:00"),
            )
        })
}

fn bad_time_zone(written: &str) -> Failure {
    Failure::new(
        format!("{written:?} không phải múi giờ; viết như +07:00"),
        format!("{written:?} is no offset from UTC; write it as +07:00"),
    )
}

/// `Z`, `+07:00` or `-0330` in minutes; at most 14 hours, as no place on Earth is further from UTC.
fn offset_minutes(written: &str) -> Option<i32> {
    if written == "Z" {
        return Some(0);
    }
    let (sign, rest) = match (written.strip_prefix('+'), written.strip_prefix('-')) {
        (Some(rest), _) => (1, rest),
        (_, Some(rest)) => (-1, rest),
        _ => return None,
    };
    let digits = rest.replacen(':', "", 1);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || !matches!(digits.len(), 2 | 4) {
        return None;
    }
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    let minutes: i32 = digits
        .get(2..)
        .filter(|text| !text.is_empty())
        .unwrap_or("0")
        .parse()
        .ok()?;
    (hours <= 14 && minutes <= 59).then_some(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_read_in_every_way_that_iso_8601_writes_it() {
        let offsets = ["Z", "+07:00", "-0330", "+14", "07:00", "+7", "+15:00", "+07:60", "+ab"].map(offset_minutes);
        let expected = [Some(0), Some(420), Some(-210), Some(840), None, None, None, None, None];
        assert_eq!(offsets, expected);
    }

    #[test]
    fn the_time_keeps_its_instant_and_takes_the_offset_that_is_given() {
        let ten = moment(Some("2026-11-25T10:00:00+07:00"), None).unwrap();
        assert_eq!(ten.to_date_time_text(), "2026-11-25T10:00:00.000+07:00");
        let elsewhere = moment(Some("2026-11-25T10:00:00+07:00"), Some("-07:00")).unwrap();
        assert_eq!(elsewhere.unix_milliseconds, ten.unix_milliseconds);
        assert_eq!(elsewhere.to_date_time_text(), "2026-11-24T20:00:00.000-07:00");
        let local = moment(Some("2026-11-25T10:00:00"), Some("-07:00")).unwrap();
        assert_eq!(local.to_date_time_text(), "2026-11-25T10:00:00.000-07:00");
        assert!(moment(Some("tomorrow"), None).is_err());
    }
}
