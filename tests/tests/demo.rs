//! What `khaosat demo` promises: the seed decides everything, and nobody takes simulated figures for real ones.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a step that fails is a failed test")]

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use khaosat_tests::demonstration::{Demonstration, figures};
use khaosat_tests::process::{Ended, Process, khaosat, run_to_end, signal};
use khaosat_tests::rows::rows;
use serde_json::Value;

/// A demo with default parameters that ran to its end, with its data.
struct Finished {
    data: PathBuf,
    ended: Ended,
}

fn finished() -> &'static Finished {
    static FINISHED: OnceLock<Finished> = OnceLock::new();
    FINISHED.get_or_init(|| {
        // Nothing is dropped at the end of a test program, so the folder is one that the next run finds and clears.
        let data = Path::new(env!("CARGO_TARGET_TMPDIR")).join("demo");
        let _ = std::fs::remove_dir_all(&data);
        let ended = Demonstration::begin(&data, &["--once"]).end().success();
        Finished { data, ended }
    })
}

fn run(data: &Path, arguments: &[&str]) -> Ended {
    run_to_end(khaosat(arguments).arg("--data").arg(data))
}

fn estimated(document: &Value) -> impl Iterator<Item = &Value> {
    let indicators = document["indicators"].as_array().unwrap().iter();
    indicators.filter(|indicator| !indicator["estimate"].is_null())
}

#[test]
fn a_seed_gives_the_same_document_every_time() {
    let another = |arguments: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        figures(&Demonstration::document(folder.path(), arguments))
    };
    let first = figures(&finished().ended.json());
    // The default seed, named; and a pace, which may not matter.
    assert_eq!(another(&["--once", "--seed", "394", "--pace", "3"]), first);
    let other = another(&["--once", "--seed", "395"]);
    assert_ne!(other["indicators"], first["indicators"]);
    assert_ne!(other["coverage"]["open_conflicts"], Value::Null);
}

#[test]
fn hubs_and_couriers_give_the_same_figures_as_the_direct_way() {
    let expected = figures(&finished().ended.json());
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo");
    // All of it loses power once, in the middle.
    let mut demo = Demonstration::start(&data, &["--once", "--topology", "hubs", "--pace", "100"]);
    let mut hubs = 0;
    while demo.is_alive() && hubs < 6 {
        hubs = (1..=6)
            .filter(|hub| data.join("hubs").join(hub.to_string()).join("server.log").exists())
            .count();
    }
    assert!(demo.is_alive(), "the demo ended before its death");
    demo.kill();

    let document = Demonstration::document(&data, &["--once", "--topology", "hubs"]);
    assert_eq!(figures(&document), expected);
    for hub in 1..=6 {
        let hub_data = data.join("hubs").join(hub.to_string());
        let shown = run(&hub_data, &["upstream", "show", "--format", "json"]);
        if hub % 2 == 1 {
            let shown = shown.success().json();
            assert_eq!(
                (&shown["behind"], &shown["unsettled"]),
                (&0.into(), &Value::Array(vec![]))
            );
        } else {
            // It only ever met the province by bundle.
            assert!(shown.failure().stderr.contains("upstream join"));
            assert!(hub_data.join("answers.khaosat").exists());
        }
    }
}

#[test]
fn the_document_stands_alone_on_standard_output() {
    let ended = &finished().ended;
    // One document and a line end; a second one, or any other word, would be no JSON.
    let document = ended.json();
    assert!(ended.text().starts_with('{') && ended.text().ends_with("}\n"));
    assert_eq!(document["simulated"], true);
    assert_eq!(document["seed"], 394);
    let address = document["address"].as_str().unwrap();
    assert!(ended.stderr.contains(address), "{}", ended.stderr);
    assert!(ended.stderr.contains("thay đổi đã lưu"), "{}", ended.stderr);
    assert!(ended.stderr.contains("broken connections"), "{}", ended.stderr);
}

#[test]
fn the_default_demo_is_a_survey_of_a_province() {
    let document = finished().ended.json();
    let coverage = &document["coverage"];
    assert!(coverage["expected"].as_u64() >= Some(200), "{coverage}");
    assert_eq!(coverage["received"], coverage["expected"]);
    assert!(coverage["sampled_hamlets"].as_u64() >= Some(20), "{coverage}");
    assert!(
        coverage["responded"].as_u64() < coverage["received"].as_u64(),
        "nobody refused"
    );
    assert_eq!(document["teams"], coverage["sampled_hamlets"]);
    assert_eq!(
        document["devices"].as_u64(),
        document["teams"].as_u64().map(|teams| 2 * teams)
    );
    assert!(estimated(&document).count() >= 9);
}

#[test]
fn conflicts_stay_open_and_bounds_hold_the_point() {
    let document = finished().ended.json();
    assert!(document["coverage"]["open_conflicts"].as_u64() > Some(0));
    assert!(document["coverage"]["responses_with_conflicts"].as_u64() > Some(0));
    let mut wide = 0;
    for indicator in estimated(&document) {
        let estimate = &indicator["estimate"];
        let bound = |end: &str| estimate["bounds"][end].as_f64().unwrap();
        let (lower, upper, point) = (bound("lower"), bound("upper"), estimate["point"].as_f64().unwrap());
        assert!(
            (0.0..=point).contains(&lower) && (point..=1.0).contains(&upper),
            "{indicator}"
        );
        if indicator["open_conflicts"].as_u64() > Some(0) {
            wide += usize::from(lower < upper);
        } else {
            assert_eq!(lower, upper, "{indicator}");
        }
    }
    assert!(wide > 0, "no conflict touches any indicator");
}

#[test]
fn some_phones_had_wrong_clocks() {
    const DAY: i64 = 24 * 3600 * 1000;
    let finished = finished();
    let clocks: Vec<(i64,)> = rows(&finished.data, "SELECT clock_ahead FROM device");
    assert_eq!(Some(clocks.len() as u64), finished.ended.json()["devices"].as_u64());
    let some = |wrong: &dyn Fn(i64) -> bool| clocks.iter().any(|(ahead,)| wrong(*ahead));
    assert!(some(&|ahead| ahead > 300 * DAY), "none a year ahead: {clocks:?}");
    assert!(some(&|ahead| ahead < -10_000 * DAY), "none begins in 1970: {clocks:?}");
    assert!(some(&|ahead| ahead.abs() < DAY), "none right: {clocks:?}");
}

#[test]
fn the_figures_are_those_of_the_data_that_stay() {
    let finished = finished();
    let estimate = run(&finished.data, &["estimate", "--format", "json"]).success().json();
    let document = finished.ended.json();
    for part in ["coverage", "indicators"] {
        assert_eq!(estimate[part], document[part], "{part}");
    }
}

#[test]
fn everything_that_leaves_says_that_it_is_simulated() {
    let data = &finished().data;
    let estimate = run(data, &["estimate", "--format", "json"]).success();
    assert_eq!(estimate.json()["round"]["simulated"], true);
    let table = run(data, &["estimate"]).success();
    assert!(table.text().contains("Dữ liệu mô phỏng") && table.text().contains("Simulated data"));
    let rounds = run(data, &["round", "list"]).success();
    assert!(rounds.text().contains("mô phỏng"), "{}", rounds.text());

    let csv = run(data, &["export", "--format", "csv"]).success();
    let mut lines = csv.text().lines();
    assert!(lines.next().unwrap().starts_with("simulated,"));
    assert!(lines.clone().count() > 100);
    for line in lines {
        assert!(line.starts_with("true,"), "{line}");
    }
    for what in ["estimates", "responses"] {
        let exported = run(data, &["export", what, "--format", "jsonl"]).success();
        assert!(exported.text().lines().count() >= 200, "{what}");
        for line in exported.text().lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            assert_eq!(row["simulated"], true, "{line}");
        }
    }
}

#[test]
fn a_folder_with_anything_else_in_it_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let foreign = folder.path().join("foreign");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::write(foreign.join("thesis.txt"), "mine").unwrap();
    let refused = Demonstration::begin(&foreign, &["--once"]).end().failure();
    assert!(refused.stderr.contains("không trống"), "{}", refused.stderr);
    let left: Vec<_> = std::fs::read_dir(&foreign)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["thesis.txt"]);

    // A real installation is no demo's folder either, nor is that of a demo with another seed.
    let real = folder.path().join("real");
    run(&real, &["init"]).success();
    let before = std::fs::read(real.join("khaosat.sqlite")).unwrap();
    let refused = Demonstration::begin(&real, &["--once"]).end().failure();
    assert!(refused.stderr.contains("đã có dữ liệu"), "{}", refused.stderr);
    assert_eq!(std::fs::read(real.join("khaosat.sqlite")).unwrap(), before);
    let other_seed = ["--once", "--seed", "1"];
    let refused = Demonstration::begin(&finished().data, &other_seed).end().failure();
    assert!(refused.stderr.contains("đã có dữ liệu"), "{}", refused.stderr);
}

#[test]
fn without_once_the_console_stays_up_until_it_is_interrupted() {
    let scratch = tempfile::tempdir().unwrap();
    let mut process = Process::start(
        khaosat(["demo", "--households", "48", "--listen", "127.0.0.1:0"]).env("TMPDIR", scratch.path()),
    );
    let line = process
        .line_with("Ctrl-C")
        .unwrap_or_else(|| panic!("the demo ended by itself"));
    let address = line
        .split_whitespace()
        .find(|word| word.starts_with("http://"))
        .unwrap();
    let console = ureq::get(address).call().unwrap();
    assert_eq!(
        console.headers()["content-type"].to_str().unwrap().split(';').next(),
        Some("text/html")
    );
    signal(process.id(), "INT");
    let ended = process.end().success();
    for words in ["Dữ liệu mô phỏng", "Simulated data", "XHS-01", address] {
        assert!(ended.text().contains(words), "{words}: {}", ended.text());
    }
    // Where no folder was named, nothing is left behind.
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
}
