//! An official settles what two volunteers answered differently, and both phones see it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a failed test"
)]

use khaosat_tests::handset::Handset;
use khaosat_tests::installation::Installation;
use khaosat_tests::process::Ended;
use serde_json::{Value, json};

const HAMLET: &str = "28249-01";
const QUESTION: &str = "fibre_provider";
const OFFICIAL: &str = "Lê Văn Bảy";

/// Interviews the unit, where this provider is named.
fn answers(phone: &mut Handset, unit: &str, provider: &str) {
    phone.interview(unit, "Nguyễn Thị Hoa");
    phone.answer(QUESTION, json!(provider));
    phone.now += 60_000;
    phone.ask("leave_interview", Value::Null).unwrap();
}

fn show(installation: &Installation, unit: &str) -> Value {
    let arguments = ["conflict", "show", unit, "--format", "json"];
    installation.run(&arguments).success().json()
}

fn settle(installation: &Installation, decision: &[&str]) -> Ended {
    installation.run(&[&["conflict", "settle"], decision, &["--by", OFFICIAL]].concat())
}

#[test]
fn an_official_settles_beside_the_running_server_and_both_phones_see_it() {
    let installation = Installation::new();
    let server = installation.serve();
    let [mut an, mut binh] =
        ["An", "Bình"].map(|name| Handset::enrolled(server.address, &installation.invite_named(&[HAMLET], name)));
    for (phone, provider) in [(&mut an, "vnpt"), (&mut binh, "viettel")] {
        answers(phone, "A1", provider);
        phone.sync();
    }
    an.sync();
    assert_eq!(an.line("A1")["conflicts"], 1);

    let open = show(&installation, "A1");
    assert_eq!(open.as_array().unwrap().len(), 1, "{open}");
    assert_eq!(open[0]["question"], QUESTION);
    let given = open[0]["answers"].as_array().unwrap();
    let by = |provider: &str| given.iter().position(|answer| answer["value"] == provider).unwrap();
    assert_eq!(given[by("vnpt")]["authors"], json!(["An"]));
    assert_eq!(given[by("viettel")]["authors"], json!(["Bình"]));

    // What cannot be decided changes nothing.
    for (decision, expected) in [
        (["A2", QUESTION, "--clear"].as_slice(), "A2"),
        (&["A1", "fibre_available", "--clear"], "conflict show A1"),
        (&["A1", QUESTION, "--answer", "3"], "1"),
        (&["A1", QUESTION, "--answer", "0"], "1"),
        (&["A1", QUESTION, "--value", "viettel"], "JSON"),
        (&["A1", QUESTION, "--value", "\"nowhere\""], ""),
    ] {
        let refused = settle(&installation, decision).failure().stderr;
        assert!(refused.contains(expected), "{decision:?}: {refused}");
    }
    assert_eq!(show(&installation, "A1"), open);

    // For the answer that wins already, which an official must be able to decide for as well.
    settle(&installation, &["A1", QUESTION, "--answer", "1"]).success();
    assert_eq!(show(&installation, "A1"), json!([]));
    assert!(
        settle(&installation, &["A1", QUESTION, "--answer", "1"])
            .failure()
            .stderr
            .contains("A1")
    );
    for phone in [&mut an, &mut binh] {
        assert_eq!(phone.sync()["problem"], Value::Null);
        assert_eq!(phone.line("A1")["conflicts"], 0);
    }

    // They know the official by name, and as nobody to whom something can be given.
    an.now += 10 * 60_000;
    an.sync();
    assert!(an.colleague("Bình").is_some() && an.colleague(OFFICIAL).is_none());

    // Who decides otherwise later meets the official's answer by name.
    answers(&mut an, "A2", "vnpt");
    answers(&mut binh, "A2", "viettel");
    an.sync();
    binh.sync();
    settle(&installation, &["A2", QUESTION, "--value", "\"fpt\""]).success();
    an.sync();
    let kept = an.ask("answers", json!({ "unit": "A2" })).unwrap();
    assert!(kept.to_string().contains("FPT"), "{kept}");
    let devices = installation
        .run(&["device", "list", "--format", "json"])
        .success()
        .json();
    let names: Vec<&str> = devices
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|device| device["name"].as_str())
        .collect();
    assert_eq!(names.iter().filter(|name| **name == OFFICIAL).count(), 1, "{names:?}");
}
