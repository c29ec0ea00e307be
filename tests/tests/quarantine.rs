//! What is refused for a reason that a person can decide about is lost nowhere: it is in quarantine until an official
//! releases or discards it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a failed test"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use khaosat::store::{DataFolder, Store};
use khaosat::sync::{Official, QuarantineError, Released, Selection, discard, release};
use khaosat_tests::installation::Installation;
use khaosat_tests::phone::Phone;
use khaosat_tests::rows::rows;
use serde_json::{Value, json};
use survey_forms::answers::{AnswerPath, AnswersMut};
use sync_core::exchange::{Client, OutgoingChange, RefusalReason};
use sync_core::identity::ResponseId;
use sync_core::response::Response;
use sync_core::{Change, ChangeHash};

/// The hamlets of an installation.
const HAMLETS: [&str; 2] = ["28249-01", "28270-01"];
const QUESTION: &str = "fibre_available";

fn answer(phone: &mut Phone, unit: &str, text: &str) -> Change {
    phone
        .edit(unit, |edit| edit.put_answer(&AnswerPath::top(QUESTION), &text.into()))
        .expect("a new answer makes a change")
}

fn quarantine(installation: &Installation) -> Vec<Value> {
    let listed = installation
        .run(&["quarantine", "list", "--format", "json"])
        .success()
        .json();
    listed.as_array().unwrap().clone()
}

fn hashes(phone: &mut Phone, unit: &str) -> Vec<ChangeHash> {
    phone.open(unit).changes().iter().map(Change::hash).collect()
}

/// What the phone was told of its refused changes: the reason, and whether it is in quarantine.
fn refused(phone: &Phone) -> Vec<(RefusalReason, bool)> {
    let refused = phone.client.refused().iter();
    refused.map(|refused| (refused.reason, refused.quarantined)).collect()
}

#[test]
fn an_official_releases_what_was_refused() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut ours = Phone::of(&installation, &server, &HAMLETS[..1], 1);
    let mut theirs = Phone::of(&installation, &server, &HAMLETS[1..], 2);
    let (first, second) = (answer(&mut ours, "B1", "yes"), answer(&mut ours, "B1", "no"));
    ours.sync();
    assert_eq!(refused(&ours), [(RefusalReason::OutsideScope, true); 2]);
    assert_eq!(ours.client.unacknowledged(), 0);
    // Bringing it again changes nothing, and neither does a power cut.
    ours.client.ask_again();
    ours.sync();
    assert_eq!(refused(&ours), [(RefusalReason::OutsideScope, true); 2]);
    server.kill();
    let server = installation.serve();
    ours.move_to(server.address);
    theirs.move_to(server.address);

    let listed = quarantine(&installation);
    let listed_hashes: Vec<&str> = listed.iter().map(|change| change["hash"].as_str().unwrap()).collect();
    assert_eq!(listed_hashes, [first.hash().to_string(), second.hash().to_string()]);
    let change = &listed[0];
    assert_eq!(change["device"], ours.key.public().to_string());
    assert_eq!(change["unit"], "B1");
    assert_eq!(change["reason"], "outside_scope");
    assert_eq!(
        change["writes"],
        json!([{ "within": "answers", "key": QUESTION, "value": "yes" }])
    );
    theirs.sync();
    assert!(hashes(&mut theirs, "B1").is_empty());

    // The second depends on the first, so it waits for it; what waits reaches nobody.
    let release = |hash: ChangeHash| {
        let hash = hash.to_string();
        let arguments = [
            "quarantine",
            "release",
            &hash,
            "--reason",
            "Đã hỏi hộ",
            "--by",
            "Cán bộ",
        ];
        let released = installation
            .run(&[&arguments[..], &["--format", "json"]].concat())
            .success()
            .json();
        (released["logged"].clone(), released["waiting"].clone())
    };
    assert_eq!(release(second.hash()), (json!(0), json!(1)));
    theirs.sync();
    assert!(hashes(&mut theirs, "B1").is_empty());
    assert_eq!(release(first.hash()), (json!(1), json!(0)));
    assert!(quarantine(&installation).is_empty());
    theirs.sync();
    assert_eq!(hashes(&mut theirs, "B1"), [first.hash(), second.hash()]);
    // The author's phone learns of it when it asks again.
    ours.client.ask_again();
    let told = ours.sync();
    assert_eq!(told[0].acknowledged, 2);
    assert_eq!(refused(&ours), []);
    // It is written for good who decided what.
    server.kill();
    type Row = (bool, String, String, String);
    let decided: Vec<Row> = rows(
        &installation.data(),
        "SELECT released, refused_for, decided_by, reason FROM quarantine_decision",
    );
    let row = || {
        (
            true,
            "outside_scope".to_owned(),
            "Cán bộ".to_owned(),
            "Đã hỏi hộ".to_owned(),
        )
    };
    assert_eq!(decided, [row(), row()]);
}

#[test]
fn what_is_discarded_is_gone_and_stays_out() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut ours = Phone::of(&installation, &server, &HAMLETS[..1], 1);
    let change = answer(&mut ours, "B1", "Nguyễn Thị Bí Mật");
    ours.sync();
    let hash = change.hash().to_string();
    let discard = |hash: &str| installation.run(&["quarantine", "discard", hash, "--reason", "Nhầm hộ"]);
    discard(&hash).success();
    assert!(quarantine(&installation).is_empty());
    for file in std::fs::read_dir(installation.data()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let there = bytes
            .windows(change.raw_bytes().len())
            .any(|part| part == change.raw_bytes());
        assert!(!there, "the discarded change is still on the disk");
    }
    // Also when its author may write there in the meantime.
    let key = ours.key.public().to_string();
    installation
        .run(&["device", "grant", &key, "--hamlet", HAMLETS[1]])
        .success();
    ours.client.ask_again();
    ours.sync();
    assert_eq!(refused(&ours), [(RefusalReason::Discarded, false)]);
    assert!(quarantine(&installation).is_empty());
    assert_eq!(server.current_overview()["coverage"]["received"], 0);
    let unknown = discard(&hash).failure();
    assert!(unknown.stderr.contains("khu chờ xét"), "{}", unknown.stderr);
    discard("abc").failure();
}

/// What two officials learn who decided about one change at once, and what is in the log and recorded afterwards.
struct AtOnce {
    hash: ChangeHash,
    discarded: Result<u64, QuarantineError>,
    released: Released,
    logged: usize,
    decided: Vec<(bool, String)>,
}

/// A change in quarantine, about which two officials decide while the writer is busy: both find it there, and what they
/// decide waits one behind the other.
fn decided_at_once(discards_first: bool) -> AtOnce {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = Phone::of(&installation, &server, &HAMLETS[..1], 1);
    let hash = answer(&mut phone, "B1", "yes").hash();
    phone.sync();
    server.kill();
    let official = |name: &str| Official {
        name: name.to_owned(),
        reason: "Đã hỏi hộ".to_owned(),
    };
    let (first, second) = (Duration::ZERO, Duration::from_millis(100));
    let (discards, releases) = if discards_first {
        (first, second)
    } else {
        (second, first)
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (discarded, released) = runtime.block_on(async {
        let folder = DataFolder::open(&installation.data()).unwrap();
        let store = Store::open(&folder.database()).await.unwrap();
        let (go_on, busy) = tokio::sync::oneshot::channel::<()>();
        let writer = store.writer.clone();
        let busy = tokio::spawn(async move {
            writer
                .write(move |_| {
                    Box::pin(async move {
                        let _ = busy.await;
                        Ok(())
                    })
                })
                .await
        });
        let (hashes, selection) = ([hash], Selection::Hashes(vec![hash]));
        let (discarded, released, ()) = tokio::join!(
            async {
                tokio::time::sleep(discards).await;
                discard(&store, &hashes, official("Một")).await
            },
            async {
                tokio::time::sleep(releases).await;
                release(&store, &selection, official("Hai")).await
            },
            async {
                tokio::time::sleep(Duration::from_millis(500)).await;
                go_on.send(()).unwrap();
            }
        );
        busy.await.unwrap().unwrap();
        (discarded, released.unwrap())
    });
    let logged: Vec<(i64,)> = rows(&installation.data(), "SELECT seq FROM change_log");
    let decided = rows(
        &installation.data(),
        "SELECT released, decided_by FROM quarantine_decision",
    );
    assert_eq!(quarantine(&installation), Vec::<Value>::new());
    AtOnce {
        hash,
        discarded,
        released,
        logged: logged.len(),
        decided,
    }
}

#[test]
fn what_was_discarded_first_is_not_released() {
    let outcome = decided_at_once(true);
    assert_eq!(outcome.discarded.unwrap(), 1);
    assert_eq!((outcome.released.logged, outcome.released.waiting), (0, 0));
    assert_eq!(
        outcome.released.kept[&outcome.hash.to_string()],
        RefusalReason::Discarded
    );
    assert_eq!((outcome.logged, outcome.decided), (0, vec![(false, "Một".to_owned())]));
}

#[test]
fn what_was_released_first_is_not_discarded() {
    let outcome = decided_at_once(false);
    assert!(matches!(outcome.discarded, Err(QuarantineError::Unknown(unknown)) if unknown == outcome.hash));
    assert_eq!((outcome.released.logged, outcome.released.waiting), (1, 0));
    assert_eq!((outcome.logged, outcome.decided), (1, vec![(true, "Hai".to_owned())]));
}

#[test]
fn a_contradiction_can_be_read_but_not_released() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = Phone::of(&installation, &server, &HAMLETS[..1], 1);
    answer(&mut phone, "A1", "yes");
    phone.sync();
    // A phone that was set back to a backup writes another change under the same number.
    phone.responses.clear();
    let other = answer(&mut phone, "A1", "no");
    let told = phone.exchange(&phone.carrying("A1", &[&other])).refused;
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].reason, told[0].quarantined),
        (RefusalReason::Contradiction, true)
    );
    let listed = quarantine(&installation);
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["writes"][0]["value"], "no");
    let hash = other.hash().to_string();
    let refused = installation
        .run(&["quarantine", "release", &hash, "--reason", "Thử"])
        .failure();
    assert!(refused.stderr.contains("mâu thuẫn"), "{}", refused.stderr);
    let kept = [
        "quarantine",
        "release",
        "--unit",
        "A1",
        "--reason",
        "Thử",
        "--format",
        "json",
    ];
    let kept = installation.run(&kept).success().json();
    assert_eq!(kept["kept"], json!({ hash.as_str(): "contradiction" }));
    assert_eq!(quarantine(&installation).len(), 1);
    installation
        .run(&["quarantine", "discard", &hash, "--reason", "Thử"])
        .success();
    assert!(quarantine(&installation).is_empty());
}

#[test]
fn a_device_has_its_share_of_room_and_no_more() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = Phone::of(&installation, &server, &HAMLETS[..1], 1);
    let round = phone.round();
    let actor = phone.key.actor();
    // As many changes as fit, and three; each of another unit, which is not in the frame.
    for number in 0..20_003 {
        let unit = format!("Z{number}");
        let mut response = Response::new(ResponseId::of(round, &unit)).unwrap();
        let path = AnswerPath::top(QUESTION);
        let edited = response.edit(&actor, 1, |edit| edit.put_answer(&path, &"yes".into()));
        let change = edited.unwrap().1.unwrap();
        phone.client.enqueue(OutgoingChange { round, unit, change });
    }
    let counted = |phone: &Phone| {
        let mut counts: BTreeMap<bool, usize> = BTreeMap::new();
        for (reason, quarantined) in refused(phone) {
            assert_eq!(reason, RefusalReason::UnknownUnit);
            *counts.entry(quarantined).or_default() += 1;
        }
        counts
    };
    phone.sync();
    assert_eq!(counted(&phone), BTreeMap::from([(true, 20_000), (false, 3)]));
    // What was not kept is with the phone, and goes in as soon as there is room.
    let hash = phone.client.refused()[0].outgoing.change.hash().to_string();
    installation
        .run(&["quarantine", "discard", &hash, "--reason", "Thử"])
        .success();
    let left: Vec<OutgoingChange> = phone
        .client
        .refused()
        .iter()
        .filter(|refused| !refused.quarantined)
        .map(|refused| refused.outgoing.clone())
        .collect();
    phone.client = Client::default();
    left.into_iter().for_each(|outgoing| phone.client.enqueue(outgoing));
    phone.sync();
    assert_eq!(counted(&phone), BTreeMap::from([(true, 1), (false, 2)]));
}

#[test]
fn a_closed_round_takes_nothing_until_it_is_reopened() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = Phone::of(&installation, &server, &HAMLETS, 1);
    phone.interview("A1", "yes");
    phone.sync();
    let closed = installation.run(&["round", "close"]).success();
    assert!(closed.text().contains("closed"), "{}", closed.text());
    let listed = installation.run(&["round", "list"]).success();
    assert!(listed.text().contains("(closed)"), "{}", listed.text());

    phone.interview("A2", "yes");
    phone.interview("A3", "yes");
    phone.sync();
    assert_eq!(refused(&phone), [(RefusalReason::RoundClosed, true); 2]);
    assert_eq!(server.current_overview()["coverage"]["received"], 1);
    // A person lets one in although the round is closed; the other comes in once it is open again and the phone asks.
    let hash = phone.open("A2").changes()[0].hash().to_string();
    let release = ["quarantine", "release", &hash, "--reason", "đến muộn"];
    installation.run(&release).success();
    assert_eq!(server.current_overview()["coverage"]["received"], 2);
    installation.run(&["round", "reopen"]).success();
    phone.client.ask_again();
    phone.sync();
    assert_eq!(refused(&phone), []);
    assert_eq!(server.current_overview()["coverage"]["received"], 3);
    assert_eq!(quarantine(&installation), Vec::<Value>::new());
}
