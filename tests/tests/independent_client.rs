//! What `docs/protocol.md` says is enough to write a client: one in Python, which follows it and shares no code with ours,
//! and our own phones exchange answers over the same server, and see the same.

#![allow(clippy::unwrap_used, reason = "a step that fails is a failed test")]

use std::collections::BTreeSet;

use khaosat::hex;
use khaosat_tests::installation::{Installation, Server};
use khaosat_tests::phone::Phone;
use khaosat_tests::process::{khaosat, run_to_end};
use khaosat_tests::python::{PythonClient, copy_folder};
use serde_json::{Value as Json, json};
use survey_forms::answers::{AnswerPath, Answers as _, AnswersMut as _, Value};

const HAMLET: &str = "28249-01";

fn put(phone: &mut Phone, unit: &str, question: &str, value: impl Into<Value>) {
    let value = value.into();
    phone.edit(unit, |edit| edit.put_answer(&AnswerPath::top(question), &value));
}

fn read(phone: &mut Phone, unit: &str, question: &str) -> Option<Value> {
    phone.open(unit).read().answers.answer(&AnswerPath::top(question))
}

/// What a new device of ours comes to know of a unit, as hashes: each change once.
fn hashes(installation: &Installation, server: &Server, number: u8, unit: &str) -> Vec<String> {
    let mut newcomer = Phone::of(installation, server, &[HAMLET], number);
    newcomer.sync();
    let changes = newcomer.open(unit).changes();
    changes.iter().map(|change| change.hash().to_string()).collect()
}

#[test]
fn both_see_what_the_other_wrote() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = Phone::of(&installation, &server, &[HAMLET], 1);
    let client = PythonClient::of(&installation, &server, &[HAMLET]);

    let written = client.answer("A1", "note", &json!("cổng xanh"));
    assert_eq!(written["unacknowledged"], 1);
    client.answer("A1", "household_size", &json!(4));
    client.answer("A1", "area", &json!(72.5));
    client.answer("A1", "tools/radio", &json!(true));
    client.answer("A2", "note", &json!("x".repeat(300)));
    assert_eq!(client.sync()["unacknowledged"], 0);

    phone.sync();
    assert_eq!(read(&mut phone, "A1", "note"), Some("cổng xanh".into()));
    assert_eq!(read(&mut phone, "A1", "household_size"), Some(Value::Integer(4)));
    assert_eq!(read(&mut phone, "A1", "area"), Some(Value::Decimal(72.5)));
    let radio = Value::Choices(BTreeSet::from(["radio".to_owned()]));
    assert_eq!(read(&mut phone, "A1", "tools"), Some(radio));
    assert_eq!(read(&mut phone, "A2", "note"), Some("x".repeat(300).as_str().into()));

    // Several operations in one change, an overwritten value, a cleared one, a negative and a large number.
    phone.edit("A1", |edit| {
        edit.put_answer(&AnswerPath::top("household_size"), &Value::Integer(-5_000_000_000))?;
        edit.put_answer(&AnswerPath::top("consent"), &"yes".into())?;
        edit.clear_answer(&AnswerPath::top("note"))
    });
    phone.sync();
    let held = client.sync();
    let expected = json!({
        "A1": { "note": null, "household_size": -5_000_000_000_i64, "area": 72.5, "tools/radio": true, "consent": "yes" },
        "A2": { "note": "x".repeat(300) },
    });
    assert_eq!(held["answers"], expected);
    assert_eq!(held["refused"], json!([]));

    // It goes on from what it read, and a client that knows nothing reads all of it.
    client.answer("A1", "note", &json!("cổng đỏ"));
    client.sync();
    phone.sync();
    assert_eq!(read(&mut phone, "A1", "note"), Some("cổng đỏ".into()));
    assert!(phone.open("A1").read().conflicts.is_empty());
    let fresh = PythonClient::of(&installation, &server, &[HAMLET]);
    assert_eq!(fresh.sync(), client.show());
}

#[test]
fn a_conflict_is_one_for_both_until_either_settles_it() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = Phone::of(&installation, &server, &[HAMLET], 1);
    let client = PythonClient::of(&installation, &server, &[HAMLET]);
    let conflict = |phone: &mut Phone| -> Vec<BTreeSet<String>> {
        let conflicts = phone.open("A1").read().conflicts;
        let values = conflicts.iter().map(|conflict| conflict.values());
        values
            .map(|values| values.iter().map(|value| format!("{value:?}")).collect())
            .collect()
    };
    let both = |one: &str, other: &str| {
        let values = [one, other].map(|text| format!("{:?}", Some(Value::from(text))));
        vec![BTreeSet::from(values)]
    };

    put(&mut phone, "A1", "note", "của máy");
    put(&mut phone, "A1", "roof", "tile");
    client.answer("A1", "note", &json!("của Python"));
    client.answer("A1", "roof", &json!("tile"));
    phone.sync();
    client.sync();
    phone.sync();
    assert_eq!(conflict(&mut phone), both("của máy", "của Python"));
    let held = client.show();
    assert_eq!(held["answers"]["A1"]["note"], json!(["của Python", "của máy"]));
    assert_eq!(held["answers"]["A1"]["roof"], "tile", "equal values are no conflict");

    // The client settles one, which replaces two values of two authors; the phone another.
    client.answer("A1", "note", &json!("đã thống nhất"));
    client.sync();
    phone.sync();
    assert_eq!(conflict(&mut phone), Vec::<BTreeSet<String>>::new());
    assert_eq!(read(&mut phone, "A1", "note"), Some("đã thống nhất".into()));

    put(&mut phone, "A1", "note", "một");
    client.answer("A1", "note", &json!("hai"));
    client.sync();
    phone.sync();
    client.sync();
    assert_eq!(client.show()["answers"]["A1"]["note"], json!(["hai", "một"]));
    let note = AnswerPath::top("note");
    phone.edit("A1", |edit| edit.settle(&note, Some(&"một".into())));
    phone.sync();
    assert_eq!(client.sync()["answers"]["A1"]["note"], "một");
    let fresh = PythonClient::of(&installation, &server, &[HAMLET]);
    assert_eq!(fresh.sync(), client.show());
}

#[test]
fn a_lost_answer_loses_and_doubles_nothing() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = Phone::of(&installation, &server, &[HAMLET], 1);
    let client = PythonClient::of(&installation, &server, &[HAMLET]);
    put(&mut phone, "A1", "note", "của máy");
    phone.sync();
    client.answer("A1", "note", &json!("một"));
    client.answer("A1", "roof", &json!("tile"));
    let before = client.backup();
    let after = client.sync();
    // The server has everything, but the device stopped before it kept the answer.
    client.restore(&before);
    assert_eq!(client.show()["unacknowledged"], 2);
    assert_eq!(client.sync(), after);
    let logged = hashes(&installation, &server, 2, "A1");
    assert_eq!(logged.len(), 3);
    assert_eq!(logged.iter().collect::<BTreeSet<_>>().len(), 3);
    client.answer("A1", "roof", &json!("thatch"));
    client.sync();
    phone.sync();
    assert_eq!(read(&mut phone, "A1", "roof"), Some("thatch".into()));
    assert_eq!(hashes(&installation, &server, 3, "A1").len(), 4);
}

#[test]
fn what_the_server_does_not_take_is_kept_with_its_reason() {
    let installation = Installation::new();
    let server = installation.serve();
    let client = PythonClient::of(&installation, &server, &[HAMLET]);
    client.answer("B1", "note", &json!("of another hamlet"));
    client.answer("nowhere", "note", &json!("of no unit"));
    client.answer("A1", "note", &json!("right"));
    for _ in 0..2 {
        let held = client.sync();
        let expected = json!({
            "answers": {
                "A1": { "note": "right" },
                "B1": { "note": "of another hamlet" },
                "nowhere": { "note": "of no unit" },
            },
            "unacknowledged": 0,
            "refused": [
                { "unit": "B1", "reason": "outside_scope" },
                { "unit": "nowhere", "reason": "unknown_unit" },
            ],
        });
        assert_eq!(held, expected);
    }
    assert_eq!(hashes(&installation, &server, 2, "A1").len(), 1);

    // An official takes one and discards the other; the client asks again and learns of it.
    let state: Json = serde_json::from_slice(&client.backup()).unwrap();
    let hash = |number: usize| state["refused"][number][1].as_str().unwrap();
    for (decision, hash) in [("release", hash(0)), ("discard", hash(1))] {
        let by = ["--reason", "Đã hỏi hộ", "--by", "Cán bộ"];
        installation
            .run(&[&["quarantine", decision, hash][..], &by].concat())
            .success();
    }
    for _ in 0..2 {
        let held = client.sync();
        assert_eq!(held["answers"]["B1"]["note"], "of another hamlet");
        assert_eq!(held["refused"], json!([{ "unit": "nowhere", "reason": "discarded" }]));
    }
    let mut there = Phone::of(&installation, &server, &["28270-01"], 3);
    there.sync();
    assert_eq!(read(&mut there, "B1", "note"), Some("of another hamlet".into()));

    // A problem with a request as a whole ends the command, and changes nothing.
    let mut state: Json = serde_json::from_slice(&client.backup()).unwrap();
    state["token"] = json!("of nobody");
    client.restore(state.to_string().as_bytes());
    let refused = client.try_sync();
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).starts_with("401: "));
    assert_eq!(client.backup(), state.to_string().as_bytes());
}

#[test]
fn a_server_that_was_set_back_gets_everything_again() {
    let installation = Installation::new();
    let server = installation.serve();
    let address = server.address;
    let client = PythonClient::of(&installation, &server, &[HAMLET]);
    let mut phone = Phone::of(&installation, &server, &[HAMLET], 1);
    put(&mut phone, "A1", "note", "của máy");
    phone.sync();
    client.answer("A1", "note", &json!("before the backup"));
    client.sync();
    server.kill();
    let backup = installation.data().with_file_name("backup");
    copy_folder(&installation.data(), &backup);

    let server = Server::start(&installation.data(), address);
    client.answer("A1", "note", &json!("after the backup"));
    client.answer("A2", "note", &json!("only here"));
    put(&mut phone, "A3", "note", "của máy, sau bản sao lưu");
    phone.sync();
    client.sync();
    client.answer("A3", "note", &json!("built on what the backup lacks"));
    let held = client.sync();
    assert_eq!(held["unacknowledged"], 0);
    server.kill();
    std::fs::remove_dir_all(installation.data()).unwrap();
    copy_folder(&backup, &installation.data());

    let server = Server::start(&installation.data(), address);
    assert_eq!(hashes(&installation, &server, 2, "A2"), Vec::<String>::new());
    // One of its changes waits for the phone's, which the server does not have again yet: it stays to be sent.
    let waiting = client.sync();
    assert_eq!(waiting["answers"], held["answers"]);
    assert_eq!(
        (&waiting["unacknowledged"], &waiting["refused"]),
        (&json!(1), &json!([]))
    );
    phone.sync();
    assert_eq!(client.sync(), held);
    phone.sync();
    assert_eq!(
        read(&mut phone, "A3", "note"),
        Some("built on what the backup lacks".into())
    );
    assert_eq!(read(&mut phone, "A1", "note"), Some("after the backup".into()));
    assert_eq!(read(&mut phone, "A2", "note"), Some("only here".into()));
    let fresh = PythonClient::of(&installation, &server, &[HAMLET]);
    assert_eq!(fresh.sync(), held);
}

#[test]
fn what_was_erased_is_gone_from_the_client_too() {
    let installation = Installation::new();
    let server = installation.serve();
    let client = PythonClient::of(&installation, &server, &[HAMLET]);
    client.answer("A1", "note", &json!("a secret"));
    client.answer("A2", "note", &json!("stays"));
    client.sync();
    let arguments = ["response", "erase", "A1", "--reason", "Đơn số 12/2026"];
    run_to_end(khaosat(arguments).arg("--data").arg(installation.data())).success();
    // It answers once more before it hears of that.
    client.answer("A1", "note", &json!("too late"));
    let held = client.sync();
    assert_eq!(held["answers"], json!({ "A2": { "note": "stays" } }));
    assert_eq!((&held["unacknowledged"], &held["refused"]), (&json!(0), &json!([])));
    assert!(!String::from_utf8_lossy(&client.backup()).contains(&hex::encode(b"too late")));
}
