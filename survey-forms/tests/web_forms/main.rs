//! The same forms filled with the same answers here and in ODK Web Forms' engine: after every step both say the same of
//! every question.
//!
//! A scenario is a Markdown file: the sheets of an XLSForm as tables, and between them the steps, one a line: `answer
//! /data/members[2]/age 41`, `clear PATH`, `add /data/members`, `remove /data/members[1]`. pyxform makes the XForm that
//! the engine opens.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test's own helpers fail by panicking

mod compare;
mod engine;
mod scenario;

use std::path::Path;

/// Every scenario at once, for starting Python and Node takes longer than filling the forms.
#[test]
fn web_forms_and_the_session_agree_after_every_step() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/web_forms/forms");
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let scenarios: Vec<scenario::Scenario> = paths.iter().map(|path| scenario::Scenario::read(path)).collect();
    assert!(scenarios.len() >= 8);
    let verdicts = engine::fill(&scenarios);
    let (mut compared, mut differences) = (0, Vec::new());
    for (scenario, verdict) in scenarios.iter().zip(&verdicts) {
        compared += compare::compare(scenario, verdict, &mut differences);
    }
    assert!(
        differences.is_empty(),
        "{} differences\n{}",
        differences.len(),
        differences.join("\n")
    );
    assert!(compared > 1000, "only {compared} questions were compared");
}
