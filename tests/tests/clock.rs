//! Phones whose clocks are wrong, and the true times of their interviews.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a failed test"
)]

use khaosat_tests::installation::Installation;
use khaosat_tests::phone::{Phone, now};
use khaosat_tests::rows::rows;
use serde_json::Value;
use sync_core::response::Visit;

/// A year, in milliseconds.
const YEAR: i64 = 365 * 24 * 3_600_000;
/// How long an interview takes, in milliseconds.
const INTERVIEW: i64 = 25 * 60_000;

/// RFC 3339 as milliseconds since 1970-01-01T00:00:00Z.
fn instant(text: &Value) -> i64 {
    let text = text.as_str().unwrap();
    let date = text.strip_suffix('Z').unwrap();
    let (day, time) = date.split_once('T').unwrap();
    let numbers =
        |text: &str, separator| -> Vec<f64> { text.split(separator).map(|number| number.parse().unwrap()).collect() };
    let (day, time) = (numbers(day, '-'), numbers(time, ':'));
    // Days from the civil calendar, after Howard Hinnant's `days_from_civil`.
    let (year, month, day) = (day[0] as i64, day[1] as i64, day[2] as i64);
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    days * 86_400_000 + ((time[0] * 3_600.0 + time[1] * 60.0 + time[2]) * 1_000.0).round() as i64
}

/// Visits a unit, and gives the true times at which the interview began and ended.
fn interview(phone: &mut Phone, unit: &str) -> (i64, i64) {
    let (started_at, ended_at) = (now() - INTERVIEW, now());
    let ahead = phone.clock_ahead.unwrap();
    let visit = Visit {
        device: phone.key.actor().to_hex_string(),
        started_at: started_at + ahead,
        ended_at: ended_at + ahead,
        outcome: "completed".to_owned(),
        call_back_at: None,
        position: None,
        audit: None,
    };
    phone.edit(unit, |edit| edit.record_visit("visit", &visit)).unwrap();
    (started_at, ended_at)
}

fn visits(installation: &Installation) -> Vec<Value> {
    let exported = installation
        .run(&["export", "responses", "--with-identifying"])
        .success();
    let mut lines: Vec<Value> = exported
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    lines.sort_by_key(|line| line["unit"].to_string());
    lines
        .iter()
        .flat_map(|line| line["visits"].as_array().unwrap().clone())
        .collect()
}

#[test]
fn interviews_have_their_true_times_whatever_the_phone_shows() {
    let installation = Installation::new();
    let server = installation.serve();
    for (number, ahead) in (1..).zip([YEAR, -now(), 0]) {
        let mut phone = Phone::of(&installation, &server, &["28249-01"], number);
        phone.clock_ahead = Some(ahead);
        let unit = format!("A{number}");
        let times = interview(&mut phone, &unit);
        let sent = now();
        phone.sync();
        let round_trip = now() - sent;
        let visit = visits(&installation)[usize::from(number) - 1].clone();
        assert_eq!(visit["device"], phone.key.actor().to_hex_string());
        for (true_time, name) in [(times.0, "started_at"), (times.1, "ended_at")] {
            assert_eq!(instant(&visit[name]), true_time + ahead, "{name} by its own clock");
            let corrected = instant(&visit[format!("{name}_corrected")]);
            // What the message took on its way is all that is unknown.
            assert!((0..=round_trip).contains(&(corrected - true_time)), "{ahead}: {visit}");
        }
    }
}

#[test]
fn the_history_of_a_clock_has_what_changed() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = Phone::of(&installation, &server, &["28249-01"], 1);
    for (ahead, syncs) in [(YEAR, 3), (0, 2), (YEAR, 1)] {
        phone.clock_ahead = Some(ahead);
        for _ in 0..syncs {
            phone.sync();
        }
    }
    server.kill();
    let readings: Vec<(i64,)> = rows(
        &installation.data(),
        "SELECT clock_ahead FROM clock_reading ORDER BY read_at",
    );
    // A year has enough milliseconds that what the messages took is not seen.
    let years: Vec<i64> = readings
        .iter()
        .map(|(ahead,)| (ahead + YEAR / 2).div_euclid(YEAR))
        .collect();
    assert_eq!(years, [1, 0, 1]);
}

#[test]
fn what_a_courier_brought_has_no_corrected_time() {
    let from = Installation::new();
    let to = from.twin();
    let server = from.serve();
    let mut phone = Phone::of(&from, &server, &["28249-01"], 1);
    phone.clock_ahead = Some(YEAR);
    interview(&mut phone, "A1");
    phone.sync();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    from.run(&["device", "export", "--output", &path("roster")]).success();
    from.run(&["bundle", "write", "--output", &path("bundle")]).success();
    let signing = from
        .run(&["bundle", "key"])
        .success()
        .text()
        .lines()
        .nth(1)
        .unwrap()
        .to_owned();
    to.run(&["device", "import", &path("roster"), "--from", &signing])
        .success();
    to.run(&["bundle", "read", &path("bundle")]).success();
    let visit = visits(&to)[0].clone();
    assert!(
        visit["started_at"].is_string() && visit["started_at_corrected"].is_null(),
        "{visit}"
    );
    assert!(visits(&from)[0]["started_at_corrected"].is_string());
}
