//! Changes that come early, twice, at the same time, or from a phone that lost its place: each is kept once and none is
//! lost, and one device's rubbish does not stand in another's way.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a failed test"
)]

use automerge::legacy::{ObjectId, OpId};
use khaosat_tests::installation::{Installation, Server};
use khaosat_tests::phone::Phone;
use survey_forms::answers::{AnswerPath, Answers, AnswersMut};
use sync_core::exchange::{Client, ClientState, Cursor, LogMark, RefusalReason, SyncRequest, wire};
use sync_core::{Change, ChangeHash};

const HAMLET: &str = "28249-01";

fn answer(phone: &mut Phone, unit: &str, text: &str) -> Change {
    phone
        .edit(unit, |edit| edit.put_answer(&AnswerPath::top("note"), &text.into()))
        .expect("a new answer makes a change")
}

/// What a new phone of the hamlet comes to know of a unit.
fn seen(installation: &Installation, server: &Server, number: u8, unit: &str) -> Vec<ChangeHash> {
    let mut newcomer = Phone::of(installation, server, &[HAMLET], number);
    newcomer.sync();
    newcomer.open(unit).changes().iter().map(Change::hash).collect()
}

fn log_head(server: &Server) -> i64 {
    server.overview(None)["freshness"]["log_head"].as_i64().unwrap()
}

#[test]
fn an_early_change_waits_for_what_it_builds_on() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut writer = Phone::of(&installation, &server, &[HAMLET], 1);
    let changes: Vec<Change> = (0..4)
        .map(|number| answer(&mut writer, "A1", &number.to_string()))
        .collect();

    for early in [&changes[3], &changes[2], &changes[3]] {
        let response = writer.exchange(&writer.carrying("A1", &[early]));
        assert_eq!((response.accepted, response.waiting), (0, vec![0]));
        assert_eq!(response.refused, []);
    }
    assert_eq!(log_head(&server), 0);
    assert!(seen(&installation, &server, 2, "A1").is_empty());

    // What waits survives a power cut.
    server.kill();
    let server = installation.serve();
    writer.move_to(server.address);
    // The first arrives: what waits still lacks the second.
    assert_eq!(writer.exchange(&writer.carrying("A1", &[&changes[0]])).accepted, 1);
    assert_eq!(log_head(&server), 1);
    // The second comes together with the last, which waits already.
    let response = writer.exchange(&writer.carrying("A1", &[&changes[3], &changes[1]]));
    assert_eq!(response.accepted as usize + response.waiting.len(), 2);
    assert_eq!(log_head(&server), 4);
    let expected: Vec<ChangeHash> = changes.iter().map(Change::hash).collect();
    assert_eq!(seen(&installation, &server, 3, "A1"), expected);
    // Sent again, everything is there.
    let response = writer.exchange(&writer.carrying("A1", &changes.iter().collect::<Vec<_>>()));
    assert_eq!((response.accepted, response.waiting), (4, vec![]));
    assert_eq!(log_head(&server), 4);
}

#[test]
fn an_early_change_and_what_it_builds_on_cannot_miss_each_other() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut writer = Phone::of(&installation, &server, &[HAMLET], 1);
    let mut total = 0;
    for number in 1..=9 {
        let unit = format!("A{number}");
        let changes: Vec<Change> = (0..4)
            .map(|text| answer(&mut writer, &unit, &text.to_string()))
            .collect();
        let bodies: Vec<Vec<u8>> = changes
            .iter()
            .rev()
            .map(|change| wire::encode(&writer.carrying(&unit, &[change])).unwrap())
            .collect();
        let barrier = std::sync::Barrier::new(bodies.len());
        let writer = &writer;
        std::thread::scope(|scope| {
            for body in &bodies {
                scope.spawn(|| {
                    barrier.wait();
                    assert_eq!(writer.post(body).status, 200);
                });
            }
        });
        total += 4;
        assert_eq!(log_head(&server), total, "unit {unit}");
    }
    let expected: Vec<ChangeHash> = writer.open("A9").changes().iter().map(Change::hash).collect();
    assert_eq!(seen(&installation, &server, 2, "A9"), expected);
}

#[test]
fn the_same_request_many_times_at_once_is_stored_once() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut writer = Phone::of(&installation, &server, &[HAMLET], 1);
    let changes = [answer(&mut writer, "A1", "a"), answer(&mut writer, "A1", "b")];
    let request = writer.carrying("A1", &[&changes[0], &changes[1], &changes[0]]);
    let writer = &writer;
    std::thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| {
                let response = writer.exchange(&request);
                assert_eq!((response.accepted, response.waiting), (3, vec![]));
                assert_eq!(response.refused, []);
            });
        }
    });
    let pulled = Phone::of(&installation, &server, &[HAMLET], 3).exchange(&SyncRequest {
        responses: Vec::new(),
        attestations: Vec::new(),
        ..request.clone()
    });
    let stored: usize = pulled.responses.iter().map(|group| group.changes.len()).sum();
    assert_eq!(stored, 2);
    let overview = server.current_overview();
    assert_eq!(overview["coverage"]["received"], 1);
    assert_eq!(
        seen(&installation, &server, 2, "A1"),
        changes.each_ref().map(Change::hash)
    );
}

#[test]
fn a_phone_that_has_nearly_everything_fetches_only_what_it_lacks() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut writer = Phone::of(&installation, &server, &[HAMLET], 1);
    let mut lost = Phone::of(&installation, &server, &[HAMLET], 2);
    for number in 0..30 {
        answer(&mut writer, "A1", &number.to_string());
    }
    writer.sync();
    lost.sync();
    let late = answer(&mut writer, "A2", "late");
    writer.sync();
    // What the phone wrote last never arrived: as if the server had been set back.
    let own = answer(&mut lost, "A1", "own");
    lost.client = Client::new(ClientState {
        cursor: Some(Cursor(30, LogMark([7; 8]))),
        acknowledged: None,
        caught_up: true,
    });
    let received = lost.sync();
    let came = received.iter().flat_map(|received| &received.responses);
    let came: Vec<&[u8]> = came
        .flat_map(|group| &group.changes)
        .map(|bytes| bytes.as_slice())
        .collect();
    assert_eq!(came, [late.raw_bytes()]);
    assert!(lost.client.state().caught_up);
    writer.sync();
    assert!(writer.open("A1").has(&own.hash()));
}

#[test]
fn a_cursor_of_another_server_recovers() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut writer = Phone::of(&installation, &server, &[HAMLET], 1);
    let change = answer(&mut writer, "A1", "a");
    writer.sync();
    // Beyond the log, and within it with the mark of another log.
    for (number, sequence) in (2..).zip([1, 2, 1 << 40, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX]) {
        let mut lost = Phone::of(&installation, &server, &[HAMLET], number);
        let cursor = Cursor(sequence, LogMark([7; 8]));
        lost.client = Client::new(ClientState {
            cursor: Some(cursor),
            acknowledged: None,
            caught_up: true,
        });
        let own = answer(&mut lost, "A2", &number.to_string());
        lost.sync();
        let read = lost.client.state().cursor.unwrap().sequence();
        assert_eq!(read as i64, log_head(&server), "cursor {sequence}");
        assert!(lost.open("A1").has(&change.hash()), "cursor {sequence}");
        assert!(lost.open("A2").has(&own.hash()), "cursor {sequence}");
    }
}

#[test]
fn a_phone_that_starts_over_gets_its_own_answers_back_however_many() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut writer = Phone::of(&installation, &server, &[HAMLET], 1);
    let mut colleague = Phone::of(&installation, &server, &[HAMLET], 2);
    // Together far more than one answer of the server holds.
    let text = "ấp ".repeat(12_000);
    for round in 0..12 {
        for number in 1..=9 {
            answer(&mut writer, &format!("A{number}"), &format!("{round} {text}"));
        }
        writer.sync();
    }
    colleague.sync();
    let last = answer(&mut colleague, "A1", "the colleague's word");
    colleague.sync();

    writer.client = Client::default();
    let before = std::mem::take(&mut writer.responses);
    let answers = writer.sync();
    assert!(answers.len() > 1, "one answer held everything; the test needs more");
    for (unit, response) in &before {
        let restored = writer.open(unit);
        for change in response.changes() {
            assert!(restored.has(&change.hash()), "unit {unit} lost an answer");
        }
    }
    assert!(writer.open("A1").has(&last.hash()));
    // Once it is up to date, its own changes do not travel back to it any more.
    answer(&mut writer, "A1", "new");
    assert!(writer.sync().iter().all(|received| received.responses.is_empty()));
}

#[test]
fn contradictions_are_refused_and_stand_in_nobodys_way() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut writer = Phone::of(&installation, &server, &[HAMLET], 1);
    let first = answer(&mut writer, "A1", "a");
    assert_eq!(writer.exchange(&writer.carrying("A1", &[&first])).accepted, 1);
    // Another change with the same sequence number of the same author, as from a phone restored from an old copy.
    let rewritten = |sequence: u64, start: u64| {
        let mut change = first.decode();
        change.seq = sequence;
        change.start_op = start.try_into().unwrap();
        change.time += 1;
        change.hash = None;
        Change::from(change)
    };
    let twice = writer.exchange(&writer.carrying("A1", &[&rewritten(1, 4)]));
    assert_eq!(twice.refused.len(), 1);
    assert_eq!(twice.refused[0].reason, RefusalReason::Contradiction);
    // Sequence numbers that leave gaps or wrap around.
    for sequence in [0, 3, 1 << 33, u64::MAX] {
        let request = writer.carrying("A1", &[&rewritten(sequence, 4)]);
        let answer = writer.post(&wire::encode(&request).unwrap());
        assert_eq!(
            answer.status,
            200,
            "sequence {sequence}: {}",
            String::from_utf8_lossy(&answer.body)
        );
        let response = writer.exchange(&request);
        assert_eq!(response.refused.len(), 1, "sequence {sequence} was taken");
    }
    let mut colleague = Phone::of(&installation, &server, &[HAMLET], 2);
    colleague.sync();
    let next = answer(&mut colleague, "A1", "b");
    colleague.sync();
    assert!(colleague.client.refused().is_empty());
    assert_eq!(seen(&installation, &server, 3, "A1"), [first.hash(), next.hash()]);
}

#[test]
fn a_waiting_change_cannot_spoil_what_it_waits_for() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut honest = Phone::of(&installation, &server, &[HAMLET], 1);
    let mut hostile = Phone::of(&installation, &server, &[HAMLET], 2);
    for (unit, spoil) in [("A1", 0), ("A2", 1), ("A3", 2)] {
        let word = answer(&mut honest, unit, "an honest word");
        // A change that builds on it, by hand from phone to phone, and writes what cannot be.
        hostile.open(unit).apply([word.clone()]).unwrap();
        let mut spoiled = answer(&mut hostile, unit, "x").decode();
        match spoil {
            0 => spoiled.seq = 5,
            1 => {
                // Into a member that nobody made.
                for operation in &mut spoiled.operations {
                    operation.obj = ObjectId::Id(OpId::new(9_999, &hostile.key.actor()));
                }
            }
            _ => spoiled.start_op = 4.try_into().unwrap(),
        }
        spoiled.hash = None;
        let spoiled = Change::from(spoiled);
        let answer = hostile.post(&wire::encode(&hostile.carrying(unit, &[&spoiled])).unwrap());
        assert_eq!(answer.status, 200, "{unit}");

        let response = honest.exchange(&honest.carrying(unit, &[&word]));
        assert_eq!(response.refused, [], "{unit}: an honest answer was refused");
        assert_eq!(response.accepted, 1, "{unit}");
        let mut newcomer = Phone::of(&installation, &server, &[HAMLET], 10 + spoil);
        newcomer.sync();
        assert!(newcomer.open(unit).has(&word.hash()), "{unit}");
        assert!(
            newcomer
                .open(unit)
                .read()
                .answers
                .answer(&AnswerPath::top("note"))
                .is_some()
        );
    }
    assert_eq!(server.current_overview()["coverage"]["received"], 3);
}

#[test]
fn what_a_phone_brings_is_not_sent_back_to_it() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut writer = Phone::of(&installation, &server, &[HAMLET], 1);
    let mut other = Phone::of(&installation, &server, &[HAMLET], 2);
    answer(&mut other, "A9", "other");
    other.sync();
    for unit in ["A1", "A2", "A3"] {
        answer(&mut writer, unit, "mine");
    }
    // It has never read the log, and gets what the other wrote and nothing else.
    let received = writer.sync();
    let units: Vec<&str> = received
        .iter()
        .flat_map(|received| &received.responses)
        .map(|group| group.unit.as_str())
        .collect();
    assert_eq!(units, ["A9"]);
    assert_eq!(received.iter().map(|received| received.acknowledged).sum::<usize>(), 3);
    // It need not offer them again either.
    let received = writer.sync();
    assert_eq!(received.iter().map(|received| received.acknowledged).sum::<usize>(), 0);
    // A phone that lost them gets them.
    writer.client = sync_core::exchange::Client::default();
    writer.responses.clear();
    writer.sync();
    assert_eq!(writer.responses.len(), 4);
}
