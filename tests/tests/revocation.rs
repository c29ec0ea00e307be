//! Authority in time: a device that was revoked, and one whose hamlet was withdrawn. What they wrote before stays or still
//! comes in, what they wrote later waits for an official, and they read nothing that is not theirs any more.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a failed test"
)]

use std::thread::sleep;
use std::time::Duration;

use khaosat_tests::installation::Installation;
use khaosat_tests::phone::{Phone, enrolment_request, now, try_enrol};
use serde_json::{Value, json};
use survey_forms::answers::{AnswerPath, AnswersMut};
use sync_core::Change;
use sync_core::exchange::{Client, Reconciliation, RefusalReason, SyncRequest, reconciliation};

/// The hamlets of an installation.
const HAMLETS: [&str; 2] = ["28249-01", "28270-01"];
/// More than the second to which a change tells its time.
const LATER: Duration = Duration::from_millis(1_100);

fn answer(phone: &mut Phone, unit: &str, text: &str) -> Change {
    let path = AnswerPath::top("fibre_available");
    phone
        .edit(unit, |edit| edit.put_answer(&path, &text.into()))
        .expect("a new answer makes a change")
}

fn refused(phone: &Phone) -> Vec<(RefusalReason, bool)> {
    let refused = phone.client.refused().iter();
    refused.map(|refused| (refused.reason, refused.quarantined)).collect()
}

fn has(phone: &mut Phone, unit: &str, change: &Change) -> bool {
    phone.open(unit).has(&change.hash())
}

fn units_in_quarantine(installation: &Installation) -> Vec<String> {
    let listed = installation
        .run(&["quarantine", "list", "--format", "json"])
        .success()
        .json();
    let listed = listed.as_array().unwrap().iter();
    listed
        .map(|change| change["unit"].as_str().unwrap().to_owned())
        .collect()
}

fn device(installation: &Installation, phone: &Phone) -> Value {
    let listed = installation
        .run(&["device", "list", "--format", "json"])
        .success()
        .json();
    let key = phone.key.public().to_string();
    let found = listed
        .as_array()
        .unwrap()
        .iter()
        .find(|device| device["public_key"] == key.as_str());
    found.unwrap().clone()
}

/// `khaosat device DECISION KEY …` on a phone.
fn decide(installation: &Installation, decision: &str, phone: &Phone, more: &[&str]) {
    let key = phone.key.public().to_string();
    installation
        .run(&[&["device", decision, &key], more].concat())
        .success();
}

fn revoke(installation: &Installation, phone: &Phone) {
    decide(installation, "revoke", phone, &["--reason", "Mất máy"]);
}

#[test]
fn a_revoked_phone_hands_in_its_work_and_reads_nothing() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut lost = Phone::of(&installation, &server, &HAMLETS[..1], 1);
    let mut other = Phone::of(&installation, &server, &HAMLETS[..1], 2);
    let before = answer(&mut lost, "A1", "yes");
    lost.sync();
    // Logged before the revocation, but after the lost phone's last contact.
    let secret = answer(&mut other, "A2", "Nguyễn Thị Bí Mật");
    other.sync();
    revoke(&installation, &lost);
    let listed = device(&installation, &lost);
    assert_eq!(listed["revocation_reason"], "Mất máy");
    assert!(listed["revoked_at"].is_string());

    let after = answer(&mut lost, "A3", "no");
    lost.client.enqueue(lost.outgoing("A1", &before));
    let told = lost.sync();
    // Its cursor counts no more, so it begins anew and offers once more what it handed in before.
    assert_eq!(told.iter().map(|received| received.acknowledged).sum::<usize>(), 2);
    assert_eq!(refused(&lost), [(RefusalReason::RevokedDevice, true)]);
    assert!(
        told.iter()
            .all(|received| received.responses.is_empty() && received.erased.is_empty())
    );
    assert!(!lost.responses.contains_key("A2"));
    // Whatever it asks for: from the start, by comparing, or by name.
    let empty = lost.carrying("A1", &[]);
    let mut comparing = Client::default();
    comparing.reconcile(
        [before.hash()],
        reconciliation::Salt([1; 16]),
        reconciliation::Limits::default(),
    );
    let compare = comparing.request(&lost.key, 0, 0).reconciliation;
    assert!(compare.is_some());
    let fetch = Reconciliation::Fetch(vec![serde_bytes::ByteArray::new(secret.hash().0)]);
    for reconciliation in [None, compare, Some(fetch)] {
        let request = SyncRequest {
            reconciliation,
            ..empty.clone()
        };
        let told = lost.exchange(&request);
        assert!(told.responses.is_empty() && told.erased.is_empty(), "{told:?}");
        // A comparison says nothing of others' answers: it is the same when there are more.
        answer(&mut other, "A5", &format!("{:?}", told.cursor));
        other.sync();
        let again = lost.exchange(&request);
        assert_eq!(told.reconciliation, again.reconciliation);
    }
    let units = format!("/api/v1/rounds/{}/units", installation.round);
    let bearer = format!("Bearer {}", lost.token);
    let units = khaosat_tests::connection::get(server.address, &units, &[("authorization", &bearer)]);
    assert_eq!(
        (units.status, units.json()["type"].as_str()),
        (403, Some("/problems/device-revoked"))
    );

    other.sync();
    assert!(has(&mut other, "A1", &before));
    assert!(!has(&mut other, "A3", &after));
    // The phone is found again.
    let key = lost.key.public().to_string();
    installation
        .run(&[
            "quarantine",
            "release",
            "--device",
            &key,
            "--reason",
            "Tìm lại được máy",
        ])
        .success();
    other.sync();
    assert!(has(&mut other, "A3", &after));
    lost.client.ask_again();
    lost.sync();
    assert_eq!(refused(&lost), []);
    // It stays revoked.
    answer(&mut lost, "A4", "no");
    lost.sync();
    assert_eq!(refused(&lost), [(RefusalReason::RevokedDevice, true)]);
    let granted = installation
        .run(&["device", "grant", &key, "--hamlet", HAMLETS[1]])
        .failure();
    assert!(granted.stderr.contains("thu hồi"), "{}", granted.stderr);
}

#[test]
fn what_waits_of_a_revoked_device_never_enters_by_itself() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut lost = Phone::of(&installation, &server, &HAMLETS[..1], 1);
    let mut other = Phone::of(&installation, &server, &HAMLETS[..1], 2);
    // The lost phone has heard of the other's answer before the server has, and built on it.
    let first = answer(&mut other, "A1", "yes");
    lost.open("A1").apply([first.clone()]).unwrap();
    let second = answer(&mut lost, "A1", "no");
    let waits = lost.exchange(&lost.carrying("A1", &[&second]));
    assert_eq!(waits.waiting, [0]);
    revoke(&installation, &lost);
    assert_eq!(units_in_quarantine(&installation), ["A1"]);
    other.sync();
    let mut reader = Phone::of(&installation, &server, &HAMLETS[..1], 3);
    reader.sync();
    assert!(has(&mut reader, "A1", &first) && !has(&mut reader, "A1", &second));
    let brought = lost.exchange(&lost.carrying("A1", &[&second]));
    assert!(brought.refused[0].quarantined);
    assert_eq!(units_in_quarantine(&installation), ["A1"]);
    let unit = ["quarantine", "release", "--unit", "A1", "--reason", "Thử"];
    installation.run(&unit).success();
    reader.sync();
    assert!(has(&mut reader, "A1", &second));
}

#[test]
fn a_courier_brings_what_a_revoked_device_wrote_before_and_nothing_later() {
    let from = Installation::new();
    let to = from.twin();
    let server = from.serve();
    let mut phone = Phone::of(&from, &server, &HAMLETS[..1], 1);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let signing = from
        .run(&["bundle", "key"])
        .success()
        .text()
        .lines()
        .nth(1)
        .unwrap()
        .to_owned();
    let tell = |roster: &str| {
        from.run(&["device", "export", "--output", roster]).success();
        to.run(&["device", "import", roster, "--from", &signing]).success();
    };
    let carry = |bundle: &str| {
        from.run(&["bundle", "write", "--output", bundle]).success();
        to.run(&["bundle", "read", "--format", "json", bundle]).success().json()[0].clone()
    };
    tell(&path("1.roster"));
    answer(&mut phone, "A1", "yes");
    phone.sync();
    assert_eq!(carry(&path("1.khaosat"))["new"], 1);
    answer(&mut phone, "A2", "yes");
    phone.sync();
    revoke(&from, &phone);
    tell(&path("2.roster"));
    let report = carry(&path("2.khaosat"));
    assert_eq!((&report["known"], &report["new"]), (&json!(1), &json!(0)));
    assert_eq!(report["refused"], json!({ "revoked_device": 1 }));
    assert_eq!(units_in_quarantine(&to), ["A2"]);
    let key = phone.key.public().to_string();
    to.run(&[
        "quarantine",
        "release",
        "--device",
        &key,
        "--reason",
        "Ghi trước khi thu hồi",
    ])
    .success();
    assert_eq!(carry(&path("3.khaosat"))["known"], 2);
}

#[test]
fn a_withdrawn_hamlet_still_takes_what_was_written_before_by_any_clock() {
    let installation = Installation::new();
    let server = installation.serve();
    // A phone that keeps time, one that is a year ahead, and one that was never set.
    let year = 365 * 24 * 3_600_000;
    let clocks = [0, year, -now()];
    let mut phones: Vec<Phone> = (1..)
        .zip(clocks)
        .map(|(number, ahead)| {
            let mut phone = Phone::of(&installation, &server, &HAMLETS, number);
            phone.clock_ahead = Some(ahead);
            phone
        })
        .collect();
    let mut reader = Phone::of(&installation, &server, &HAMLETS[1..], 9);
    let before: Vec<Change> = phones.iter_mut().map(|phone| answer(phone, "B1", "yes")).collect();
    sleep(LATER);
    for phone in &phones {
        decide(&installation, "withdraw", phone, &["--hamlet", HAMLETS[1]]);
    }
    answer(&mut reader, "B9", "yes");
    reader.sync();
    sleep(LATER);
    let after: Vec<Change> = phones.iter_mut().map(|phone| answer(phone, "B2", "yes")).collect();
    for phone in &mut phones {
        answer(phone, "A1", "yes");
        phone.sync();
        assert_eq!(refused(phone), [(RefusalReason::OutsideScope, true)]);
        assert!(!phone.responses.contains_key("B9"), "it reads what was withdrawn");
        assert_eq!(device(&installation, phone)["withdrawn"], json!([HAMLETS[1]]));
    }
    reader.sync();
    assert!(before.iter().all(|change| has(&mut reader, "B1", change)));
    assert!(!after.iter().any(|change| has(&mut reader, "B2", change)));
    assert_eq!(units_in_quarantine(&installation), ["B2"; 3]);
    // What came in before the withdrawal and comes again is known.
    let again = phones[0].exchange(&phones[0].carrying("B1", &[&before[0]]));
    assert_eq!((again.accepted, again.refused), (1, vec![]));

    // Whoever gets the hamlet back may bring what was written in between, and reads what the cursor has passed.
    decide(&installation, "grant", &phones[0], &["--hamlet", HAMLETS[1]]);
    phones[0].client.ask_again();
    let received = phones[0].sync();
    assert_eq!(refused(&phones[0]), []);
    assert!(received.iter().any(|received| received.unknown_cursor));
    assert!(phones[0].responses.contains_key("B9"));
    // It is told once, and goes on from there by its cursor.
    let received = phones[0].sync();
    assert!(received.iter().all(|received| !received.unknown_cursor));
    assert_eq!(units_in_quarantine(&installation), ["B2"; 2]);
}

#[test]
fn an_old_code_brings_nothing_back() {
    let installation = Installation::new();
    let server = installation.serve();
    let code = installation.invite(&HAMLETS);
    let mut phone = Phone::enrol(server.address, installation.round, &code, 1);
    decide(&installation, "withdraw", &phone, &["--hamlet", HAMLETS[0], HAMLETS[1]]);
    let again = try_enrol(server.address, &enrolment_request(&phone.key, &code));
    assert_eq!(again.status, 201);
    phone.token = again.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(device(&installation, &phone)["hamlets"], json!([]));
    // A new invitation does.
    let code = installation.invite(&HAMLETS[..1]);
    let again = try_enrol(server.address, &enrolment_request(&phone.key, &code));
    phone.token = again.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(device(&installation, &phone)["hamlets"], json!([HAMLETS[0]]));
    answer(&mut phone, "A1", "yes");
    phone.sync();
    assert_eq!(refused(&phone), []);
}
