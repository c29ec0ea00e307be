//! A closed round is packed, and nobody can tell: figures, phones, hubs and erasures are as before.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a step that fails is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use khaosat_tests::installation::{Installation, Server};
use khaosat_tests::phone::Phone;
use khaosat_tests::process::{Process, khaosat, signal};
use khaosat_tests::rows::rows;
use survey_forms::answers::{AnswerPath, AnswersMut};
use sync_core::exchange::archive;
use sync_core::{Change, ChangeHash};

/// The hamlets of an installation.
const HAMLETS: [&str; 2] = ["28249-01", "28270-01"];
const UNITS: [&str; 4] = ["A1", "A2", "A3", "B1"];

/// Interviews in all units, some corrected by another phone, one with a conflict. Gives both phones.
fn fieldwork(installation: &Installation, server: &Server) -> [Phone; 2] {
    let mut one = Phone::of(installation, server, &HAMLETS, 1);
    let mut two = Phone::of(installation, server, &HAMLETS, 2);
    for unit in UNITS {
        one.interview(unit, "yes");
    }
    two.interview("A3", "no");
    one.sync();
    two.sync();
    for number in 0..30 {
        two.edit("A1", |edit| {
            edit.put_answer(&AnswerPath::top("note"), &format!("ghi chú {number}").as_str().into())
        });
    }
    two.sync();
    one.sync();
    [one, two]
}

/// How many changes are in rows of the log and in segments of the archive.
fn kept(installation: &Installation) -> [usize; 2] {
    let of_rows: Vec<(i64, Option<i64>)> = rows(
        &installation.data(),
        "SELECT LENGTH(bytes), segment_key FROM change_log",
    );
    // A change is in one place.
    assert!(
        of_rows
            .iter()
            .all(|(bytes, segment)| (*bytes == 0) == segment.is_some())
    );
    let in_rows = of_rows.iter().filter(|(_, segment)| segment.is_none()).count();
    let segments: Vec<(Vec<u8>,)> = rows(&installation.data(), "SELECT packed FROM archive_segment");
    let archived = segments
        .iter()
        .map(|(packed,)| archive::changes(packed).unwrap().len())
        .sum();
    [in_rows, archived]
}

/// The hashes of all changes that a phone has.
fn hashes(phone: &mut Phone) -> BTreeMap<&'static str, BTreeSet<ChangeHash>> {
    UNITS
        .into_iter()
        .map(|unit| (unit, phone.open(unit).changes().iter().map(Change::hash).collect()))
        .collect()
}

#[test]
fn a_closed_round_says_what_it_said_before() {
    let installation = Installation::new();
    let server = installation.serve();
    let [mut one, _] = fieldwork(&installation, &server);
    let expected = server.figures();
    let all = hashes(&mut one);
    let count = all.values().map(BTreeSet::len).sum::<usize>();
    assert_eq!(kept(&installation), [count, 0]);
    // Each export has pseudonyms of its own.
    let export = || {
        let ended = installation.run(&["export", "responses"]).success();
        let lines = ended.text().lines().map(|line| {
            let mut response: serde_json::Value = serde_json::from_str(line).unwrap();
            response.as_object_mut().unwrap().remove("unit").unwrap();
            response
        });
        lines.collect::<Vec<_>>()
    };
    let before = export();
    assert_eq!(before.len(), UNITS.len());

    // The server runs, so the file stays as large as it was; once more without it.
    let told = installation.run(&["round", "close"]).success();
    assert!(told.text().contains("a server is running"), "{}", told.text());
    assert_eq!(kept(&installation), [0, count]);
    assert_eq!(server.figures(), expected);
    server.kill();
    let told = installation.run(&["round", "close"]).success();
    assert!(told.text().contains("0 changes packed"), "{}", told.text());
    let free: Vec<(i64,)> = rows(&installation.data(), "PRAGMA freelist_count");
    assert_eq!(free, [(0,)]);

    // A server that projects everything anew, and a phone that is new.
    let server = installation.serve();
    assert_eq!(server.figures(), expected);
    assert_eq!(export(), before);
    let mut fresh = Phone::of(&installation, &server, &HAMLETS, 3);
    fresh.sync();
    assert_eq!(hashes(&mut fresh), all);
    // A phone that was there goes on where it was.
    one.move_to(server.address);
    assert!(
        one.sync()
            .iter()
            .all(|received| received.responses.is_empty() && !received.unknown_cursor)
    );
    assert_eq!(hashes(&mut one), all);
}

#[test]
fn a_reopened_round_goes_on_from_its_archive() {
    let installation = Installation::new();
    let server = installation.serve();
    let [mut one, mut two] = fieldwork(&installation, &server);
    installation.run(&["round", "close"]).success();
    let [_, archived] = kept(&installation);
    installation.run(&["round", "reopen"]).success();
    // The conflict in the archive is settled, and an answer there contradicted anew.
    one.edit("A3", |edit| {
        edit.settle(&AnswerPath::top("fibre_available"), Some(&"no".into()))
    });
    one.edit("A2", |edit| {
        edit.put_answer(&AnswerPath::top("fibre_available"), &"no".into())
    });
    two.edit("A2", |edit| {
        edit.put_answer(&AnswerPath::top("fibre_available"), &"unknown".into())
    });
    one.sync();
    two.sync();
    one.sync();
    assert_eq!(hashes(&mut one), hashes(&mut two));
    assert_eq!(one.open("A3").read().conflicts.len(), 0);
    assert_eq!(one.open("A2").read().conflicts.len(), 1);
    assert_eq!(kept(&installation), [3, archived]);
    installation.run(&["round", "close"]).success();
    assert_eq!(kept(&installation), [0, archived + 3]);
    let mut fresh = Phone::of(&installation, &server, &HAMLETS, 3);
    fresh.sync();
    assert_eq!(hashes(&mut fresh), hashes(&mut one));
}

#[test]
fn what_is_erased_leaves_the_archive_too() {
    let installation = Installation::new();
    let server = installation.serve();
    let [mut one, _] = fieldwork(&installation, &server);
    installation.run(&["round", "close"]).success();
    let erased: BTreeSet<ChangeHash> = one.open("A1").changes().iter().map(Change::hash).collect();
    let [_, archived] = kept(&installation);
    installation
        .run(&["response", "erase", "A1", "--reason", "Đơn số 12/2026"])
        .success();
    assert_eq!(kept(&installation), [0, archived - erased.len()]);
    let segments: Vec<(Vec<u8>,)> = rows(&installation.data(), "SELECT packed FROM archive_segment");
    for (packed,) in segments {
        let left = archive::changes(&packed).unwrap();
        assert!(left.keys().all(|hash| !erased.contains(hash)));
    }
    for file in std::fs::read_dir(installation.data()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let wanted = "ghi chú".as_bytes();
        assert!(!bytes.windows(wanted.len()).any(|window| window == wanted));
    }
    assert_eq!(server.current_overview()["coverage"]["received"], 3);
    let mut fresh = Phone::of(&installation, &server, &HAMLETS, 3);
    fresh.sync();
    assert!(fresh.open("A1").changes().is_empty());
    assert_eq!(fresh.open("A2").changes().len(), one.open("A2").changes().len());
}

#[test]
fn a_hub_brings_what_is_archived() {
    let province = Installation::new();
    let hub = province.twin();
    let (above, below) = (province.serve(), hub.serve());
    fieldwork(&hub, &below);
    hub.run(&["round", "close"]).success();
    let code = province.invite_hub(&HAMLETS);
    let address = format!("http://{}", above.address);
    hub.run(&["upstream", "join", &address, &code]).success();
    hub.run(&["upstream", "sync"]).success();
    assert_eq!(above.figures(), below.figures());
}

#[test]
fn closing_may_be_interrupted_at_any_moment() {
    let installation = Installation::new();
    let server = installation.serve();
    let [mut one, _] = fieldwork(&installation, &server);
    let expected = server.figures();
    server.kill();
    let all = hashes(&mut one);
    let count = all.values().map(BTreeSet::len).sum::<usize>();
    for moment in 0..12 {
        let closing = Process::start(khaosat(["round", "close"]).arg("--data").arg(installation.data()));
        std::thread::sleep(Duration::from_millis(moment * 4));
        signal(closing.id(), "KILL");
        closing.end();
        let [in_rows, archived] = kept(&installation);
        assert_eq!(in_rows + archived, count);
    }
    installation.run(&["round", "close"]).success();
    assert_eq!(kept(&installation), [0, count]);
    let server = installation.serve();
    assert_eq!(server.figures(), expected);
}

#[test]
fn a_damaged_segment_is_named_and_the_rest_is_served() {
    let installation = Installation::new();
    let server = installation.serve();
    fieldwork(&installation, &server);
    server.kill();
    // Without a server everything is in the one file afterwards.
    installation.run(&["round", "close"]).success();
    let segments: Vec<(i64, Vec<u8>)> = rows(&installation.data(), "SELECT segment_key, packed FROM archive_segment");
    // One segment for each hamlet.
    assert_eq!(segments.len(), 2);
    let file = installation.data().join("khaosat.sqlite");
    let mut bytes = std::fs::read(&file).unwrap();
    let wanted = &segments[0].1[..64];
    let place = bytes.windows(wanted.len()).position(|window| window == wanted).unwrap();
    bytes[place + 40] ^= 0x10;
    std::fs::write(&file, bytes).unwrap();

    let server = installation.serve();
    let mut whole = Phone::of(&installation, &server, &HAMLETS[1..], 4);
    whole.sync();
    assert!(!whole.open("B1").changes().is_empty());
    let mut damaged = Phone::of(&installation, &server, &HAMLETS[..1], 5);
    let request = damaged.client.request(&damaged.key, 0, usize::MAX);
    let answer = damaged.post(&sync_core::exchange::wire::encode(&request).unwrap());
    assert_eq!(answer.status, 500, "{}", String::from_utf8_lossy(&answer.body));
    let exported = installation.run(&["export", "responses"]).failure();
    assert!(exported.stderr.contains("archive_segment"), "{}", exported.stderr);
}
