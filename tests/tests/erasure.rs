//! A household that asks for it is forgotten: by the server's files, by every device that comes by, and for ever.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a failed test"
)]

use std::path::Path;

use khaosat_tests::installation::Installation;
use khaosat_tests::phone::Phone;
use khaosat_tests::process::{Ended, khaosat, run_to_end};
use survey_forms::answers::{AnswerPath, AnswersMut};
use sync_core::Change;
use sync_core::exchange::{Client, ClientState, Cursor, LogMark, RefusalReason};

const HAMLET: &str = "28249-01";
/// What must be nowhere.
const SECRET: &str = "Nguyễn Thị Bí Mật 0912345678";
/// What must stay.
const OTHER: &str = "Trần Văn Công Khai";

fn answer(phone: &mut Phone, unit: &str, text: &str) -> Change {
    phone
        .edit(unit, |edit| {
            edit.put_answer(&AnswerPath::top("consent"), &"yes".into())?;
            edit.put_answer(&AnswerPath::top("visit_outcome"), &"completed".into())?;
            edit.put_answer(&AnswerPath::top("fibre_available"), &"yes".into())?;
            edit.put_answer(&AnswerPath::top("note"), &text.into())
        })
        .expect("a new answer makes a change")
}

fn erase(installation: &Installation, unit: &str) -> Ended {
    let arguments = ["response", "erase", unit, "--reason", "Đơn số 12/2026"];
    run_to_end(khaosat(arguments).arg("--data").arg(installation.data()))
}

/// The files of the folder in which these bytes are.
fn files_with(folder: &Path, wanted: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, wanted));
        } else if std::fs::read(&path)
            .unwrap()
            .windows(wanted.len())
            .any(|bytes| bytes == wanted)
        {
            found.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    found
}

fn has(phone: &Phone, unit: &str) -> bool {
    phone
        .responses
        .get(unit)
        .is_some_and(|response| !response.changes().is_empty())
}

#[test]
fn no_byte_of_an_erased_response_stays() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut writer = Phone::of(&installation, &server, &[HAMLET], 1);
    let mut erased = Vec::new();
    // Enough that the database's pages were split and filled again, and answers longer than a page among them.
    for number in 0..400 {
        let long = if number % 40 == 0 { 9_000 } else { number % 300 };
        let padding = "ấp ".repeat(long);
        let unit = format!("A{}", number % 9 + 1);
        let text = if unit == "A1" { SECRET } else { OTHER };
        let change = answer(&mut writer, &unit, &format!("{text} {number} {padding}"));
        if unit == "A1" {
            erased.push(change);
        }
        if number % 7 == 0 {
            writer.sync();
        }
    }
    writer.sync();
    // One that waits for another, which never comes.
    let mut early = Phone::of(&installation, &server, &[HAMLET], 2);
    answer(&mut early, "A1", "first");
    let second = answer(&mut early, "A1", &format!("{SECRET} waits"));
    early.client = Client::default();
    early.client.enqueue(early.outgoing("A1", &second));
    early.sync();
    // One that an official should decide about.
    let mut stranger = Phone::of(&installation, &server, &["28270-01"], 3);
    let outside = answer(&mut stranger, "A1", &format!("{SECRET} outside"));
    stranger.sync();
    assert!(stranger.client.refused()[0].quarantined);
    erased.extend([second, outside]);
    assert_eq!(server.current_overview()["coverage"]["received"], 9);
    assert!(!files_with(&installation.data(), SECRET.as_bytes()).is_empty());

    erase(&installation, "A1").success();

    assert_eq!(files_with(&installation.data(), SECRET.as_bytes()), [] as [String; 0]);
    assert!(!files_with(&installation.data(), OTHER.as_bytes()).is_empty());
    assert_eq!(server.current_overview()["coverage"]["received"], 8);
    // Nothing of it comes into quarantine again.
    stranger.client.ask_again();
    stranger.sync();
    assert!(stranger.client.refused().is_empty() && !has(&stranger, "A1"));
    for change in &erased {
        assert_eq!(files_with(&installation.data(), change.raw_bytes()), [] as [String; 0]);
    }
    server.kill();
    let server = installation.serve();
    assert_eq!(server.current_overview()["coverage"]["received"], 8);
    assert_eq!(files_with(&installation.data(), SECRET.as_bytes()), [] as [String; 0]);
}

#[test]
fn devices_delete_their_copies_and_bring_nothing_back() {
    let installation = Installation::new();
    let server = installation.serve();
    let (mut one, mut other) = (
        Phone::of(&installation, &server, &[HAMLET], 1),
        Phone::of(&installation, &server, &[HAMLET], 2),
    );
    answer(&mut one, "A1", SECRET);
    answer(&mut one, "A2", OTHER);
    one.sync();
    other.sync();
    assert!(has(&other, "A1"));
    // Written before the phone learns of it, and not sent yet.
    answer(&mut other, "A1", &format!("{SECRET} again"));
    answer(&mut other, "A3", OTHER);

    erase(&installation, "A1").success();

    for phone in [&mut one, &mut other] {
        phone.sync();
        assert!(!has(phone, "A1"));
        assert!(has(phone, "A2"));
        assert_eq!(phone.client.unacknowledged(), 0);
        assert!(phone.client.refused().is_empty(), "what was refused is kept");
        assert!(phone.client.state().caught_up);
    }
    assert_eq!(server.current_overview()["coverage"]["received"], 2);
    // A phone that was off for long tries once more, and so does one that lost its place in the log.
    let late = answer(&mut one, "A1", SECRET);
    let refused = one.exchange(&one.carrying("A1", &[&late])).refused;
    assert_eq!(refused[0].reason, RefusalReason::Erased);
    let mut lost = Phone::of(&installation, &server, &[HAMLET], 3);
    answer(&mut lost, "A1", SECRET);
    lost.client = Client::new(ClientState {
        cursor: Some(Cursor(1, LogMark([7; 8]))),
        acknowledged: None,
        caught_up: true,
    });
    lost.sync();
    assert!(!has(&lost, "A1"));
    assert!(has(&lost, "A3"));
    let mut newcomer = Phone::of(&installation, &server, &[HAMLET], 4);
    newcomer.sync();
    assert!(!has(&newcomer, "A1"));
    assert_eq!(files_with(&installation.data(), SECRET.as_bytes()), [] as [String; 0]);
}

#[test]
fn cursors_keep_their_meaning() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut writer = Phone::of(&installation, &server, &[HAMLET], 1);
    let mut reader = Phone::of(&installation, &server, &[HAMLET], 2);
    answer(&mut writer, "A1", SECRET);
    writer.sync();
    reader.sync();
    // The entry that the reader's cursor names is erased.
    erase(&installation, "A1").success();
    answer(&mut writer, "A2", OTHER);
    let told = writer.sync();
    assert!(told.iter().all(|received| !received.unknown_cursor));
    let told = reader.sync();
    assert!(told.iter().all(|received| !received.unknown_cursor));
    assert!(!has(&reader, "A1"));
    assert!(has(&reader, "A2"));
}

#[test]
fn erasing_again_or_before_there_is_anything_is_well() {
    let installation = Installation::new();
    let server = installation.serve();
    let first = erase(&installation, "A1").success();
    assert!(first.text().contains("0 thay đổi"), "{}", first.text());
    let again = erase(&installation, "A1").success();
    assert!(again.text().contains("đã xóa từ trước"), "{}", again.text());
    let mut writer = Phone::of(&installation, &server, &[HAMLET], 1);
    answer(&mut writer, "A1", SECRET);
    writer.sync();
    assert!(!has(&writer, "A1"));
    let unknown = erase(&installation, "Z9");
    assert!(!unknown.status.success());
    assert!(
        unknown.stderr.contains("đợt khảo sát không có hộ Z9"),
        "{}",
        unknown.stderr
    );
}
