//! `khaosat form` as the author of a questionnaire uses it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a step that fails is a failed test")]

#[path = "form_cli/broken_forms.rs"]
mod broken_forms;
#[path = "form_cli/differences.rs"]
mod differences;
#[path = "form_cli/evaluation.rs"]
mod evaluation;
#[path = "form_cli/workbooks.rs"]
mod workbooks;

use std::ffi::OsStr;
use std::path::PathBuf;

use khaosat_tests::installation::repository;
use khaosat_tests::process::{Ended, khaosat, run_to_end};

fn form<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Ended {
    run_to_end(khaosat(["form"]).args(arguments))
}

fn household() -> PathBuf {
    repository().join("forms/household.xlsx")
}

#[test]
fn the_help_says_what_each_command_is_for_in_both_languages_and_how_it_ends() {
    let top = form(["--help"]).success();
    for (command, vietnamese) in [
        ("check", "Kiểm tra biểu mẫu: "),
        ("convert", "Chuyển đổi: "),
        ("eval", "Tính biểu thức: "),
        ("diff", "So sánh hai phiên bản: "),
    ] {
        assert!(top.text().contains(vietnamese), "{}", top.text());
        let own = form([command, "--help"]).success();
        assert!(own.text().starts_with(vietnamese), "{}", own.text());
        assert!(own.text().contains("Exit code: 0"), "{}", own.text());
    }
}

#[test]
fn a_good_form_is_checked_and_converted() {
    let checked = form([OsStr::new("check"), household().as_ref()]).success();
    assert!(checked.text().contains("0 lỗi, 0 cảnh báo"), "{}", checked.text());
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("household.json");
    let written = run_to_end(
        khaosat(["form", "convert", "--to", "json", "--output"])
            .arg(&output)
            .arg(household()),
    )
    .success();
    assert!(written.stdout.is_empty());
    let printed = run_to_end(khaosat(["form", "convert", "--to", "json"]).arg(household())).success();
    assert_eq!(std::fs::read(&output).unwrap(), printed.stdout);
    let again: survey_forms::model::Form = serde_json::from_slice(&printed.stdout).unwrap();
    let read = survey_forms::xlsform::read(&std::fs::read(household()).unwrap()).unwrap();
    assert_eq!(again.content_hash(), read.content_hash());
}

#[test]
fn a_form_is_written_as_an_xform_that_expressions_can_be_tried_on() {
    let folder = tempfile::tempdir().unwrap();
    let xform = folder.path().join("household.xml");
    run_to_end(
        khaosat(["form", "convert", "--to", "xform", "--output"])
            .arg(&xform)
            .arg(household()),
    )
    .success();
    let members = run_to_end(
        khaosat(["form", "eval", "--xml"])
            .arg(&xform)
            .arg("count(//members) > 0"),
    )
    .success();
    assert_eq!(members.json()["value"], true);
}
