//! The general path against the R package survey, over its own data sets.
//!
//! The expected values are in `tests/fixtures/survey`, written by `tests/oracle/survey.R`. One test compares our figures
//! with them; the other runs the script again and compares what it writes now.

// What cannot be set up, or compared, fails the test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod comparison;
mod distributions;
mod fixture;
#[path = "../regression/mod.rs"]
mod regression;
mod statistics;

use comparison::Comparisons;
use fixture::Fixture;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/survey")
}

fn read(folder: &Path) -> Vec<(String, Value)> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let named = files.into_iter().map(|path| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
    });
    named.collect()
}

#[test]
fn statistics_agree_with_r_survey() {
    let mut comparisons = Comparisons::default();
    let files = read(&fixtures());
    for (_, json) in &files {
        let fixture = Fixture::new(json);
        for case in fixture.cases() {
            statistics::compare_case(&fixture, case, &mut comparisons);
        }
    }
    comparisons.print(&format!("R survey {}", files[0].1["survey"].as_str().unwrap()));
    comparisons.check();
    // A fixture that lost its cases would compare nothing.
    assert!(files.len() >= 15, "only {} data sets", files.len());
    assert!(comparisons.count() >= 2000, "only {} comparisons", comparisons.count());
}

/// Walks two JSON values together and collects where numbers differ.
fn differences(committed: &Value, current: &Value, place: &str, found: &mut Vec<String>) {
    match (committed, current) {
        (Value::Object(one), Value::Object(other)) if one.keys().eq(other.keys()) => {
            for (key, value) in one {
                // The versions are told, not compared: another R must give the same figures.
                if key != "r" && key != "survey" {
                    differences(value, &other[key], &format!("{place}/{key}"), found);
                }
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (position, (value, other)) in one.iter().zip(other).enumerate() {
                differences(value, other, &format!("{place}/{position}"), found);
            }
        }
        (Value::Number(one), Value::Number(other)) => {
            let (one, other) = (one.as_f64().unwrap(), other.as_f64().unwrap());
            if (one - other).abs() > 1e-10 * one.abs().max(1e-6) {
                found.push(format!("{place}: {one:e} committed, {other:e} now"));
            }
        }
        _ if committed == current => {}
        _ => found.push(format!("{place}: {committed} committed, {current} now")),
    }
}

#[test]
fn the_script_still_writes_the_committed_figures() {
    let folder = tempfile::tempdir().unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle/survey.R");
    let advice = "this test needs R with the packages survey and jsonlite: run `cargo xtask test`, which installs them";
    let run = Command::new("Rscript")
        .arg(script)
        .arg(folder.path())
        .output()
        .unwrap_or_else(|error| panic!("cannot run Rscript ({error}); {advice}"));
    let complaint = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "Rscript failed; {advice}\n{complaint}");
    let (committed, current) = (read(&fixtures()), read(folder.path()));
    let names = |files: &[(String, Value)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&committed), names(&current));
    let mut found = Vec::new();
    for ((name, one), (_, other)) in committed.iter().zip(&current) {
        differences(one, other, name, &mut found);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
