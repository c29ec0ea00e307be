//! Conformance with the XLSForm reference: forms of our own that use every row of it (`tests/forms`) go through this
//! library, through pyxform 4.5.0 and through ODK Validate, and the two XForms of each are compared.
//!
//! `sheets` reads the forms' tables and `reference` the list of features; `oracles` runs the other software and `library`
//! this one; `document` and `comparison` say what differs between two XForms, `justified` which differences are meant;
//! `results` gathers what happened and `report` writes `docs/xlsform-support.md` from it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test's own helpers fail by panicking

mod comparison;
mod document;
mod justified;
mod library;
mod oracles;
mod real_workbooks;
mod reference;
mod report;
mod results;
mod sheets;

use std::collections::BTreeSet;

use comparison::{Difference, compare};
use results::{Results, run, unused_reasons};
use sheets::{folder, read_folder};

#[test]
fn each_form_has_the_features_that_the_reference_says_and_none_is_left_out() {
    let forms = read_folder(&folder());
    let mut listed = BTreeSet::new();
    let mut features = BTreeSet::new();
    for feature in reference::features() {
        assert!(
            !feature.forms.is_empty(),
            "no form uses {}, {}",
            feature.sheet,
            feature.name
        );
        assert!(
            features.insert((feature.sheet.clone(), feature.name.clone())),
            "{}, {} is listed twice",
            feature.sheet,
            feature.name
        );
        for name in &feature.forms {
            let form = forms.iter().find(|form| form.name == *name);
            let form = form.unwrap_or_else(|| panic!("{name} of {} is no form", feature.name));
            assert!(
                feature.is_used_by(form),
                "{name} does not use {}, {}",
                feature.sheet,
                feature.name
            );
            listed.insert(name.clone());
        }
    }
    let all: BTreeSet<String> = forms.into_iter().map(|form| form.name).collect();
    assert_eq!(listed, all);
}

#[test]
fn each_broken_form_is_listed_with_who_refuses_it() {
    let files = read_folder(&folder().join("refused"));
    let listed = reference::broken_forms();
    let pairs: BTreeSet<(&str, &str)> = listed
        .iter()
        .map(|form| (form.name.as_str(), form.mistake.as_str()))
        .collect();
    let files: BTreeSet<(&str, &str)> = files
        .iter()
        .map(|file| (file.name.as_str(), file.title.as_str()))
        .collect();
    assert_eq!(pairs, files);
    for form in &listed {
        let stricter = form.refused_by == "Khảo Sát";
        assert!(
            ["pyxform", "ODK Validate", "Khảo Sát"].contains(&form.refused_by.as_str()),
            "{}",
            form.name
        );
        assert_eq!(
            stricter,
            !form.reason.is_empty(),
            "{}: a reason is given where only we refuse",
            form.name
        );
    }
}

#[test]
fn the_forms_go_through_the_library_and_the_oracles() {
    let results = run();
    the_oracles_accept_every_form(&results);
    the_oracles_refuse_every_broken_form(&results);
    every_form_is_read_filled_and_written(&results);
    every_broken_form_is_refused_or_warned_of(&results);
    what_is_written_says_the_same_as_pyxform(&results);
    the_report_is_up_to_date(&results);
}

fn the_oracles_accept_every_form(results: &Results) {
    for form in &results.forms {
        let name = &form.file.name;
        let conversion = form.conversion.as_ref();
        let conversion = conversion.unwrap_or_else(|error| panic!("pyxform refuses {name}: {error}"));
        assert!(form.valid, "ODK Validate refuses {name}:\n{}", results.validator_said);
        // The comparison finds nothing between two ways to write the same form, however rich the form.
        let mut differences = compare(&conversion.indented, &conversion.plain);
        differences.retain(|difference| !is_indented_label(difference));
        assert_eq!(differences, [], "{name} indented");
    }
}

/// Whether a difference is white space that pyxform's indentation puts into a label of nothing but references, where it
/// is text.
fn is_indented_label(difference: &Difference) -> bool {
    let indentation =
        |text: &String| text.starts_with("\"\\n") && text.trim_matches('"').replace("\\n", "").trim().is_empty();
    difference.place.contains("/label/text()") && difference.ours.as_ref().is_some_and(indentation)
}

fn the_oracles_refuse_every_broken_form(results: &Results) {
    for refusal in &results.refusals {
        let (by_pyxform, by_validate) = (refusal.conversion.is_err(), refusal.invalid);
        let expected = match refusal.form.refused_by.as_str() {
            "pyxform" => (true, false),
            "ODK Validate" => (false, true),
            _ => (false, false),
        };
        assert_eq!((by_pyxform, by_validate), expected, "who refuses {}", refusal.form.name);
    }
}

/// Forms that the engine of ODK Web Forms cannot open yet: it has no `version()`.
const UNKNOWN_TO_WEB_FORMS: [&str; 1] = ["functions"];

fn every_form_is_read_filled_and_written(results: &Results) {
    let mut short = Vec::new();
    for form in &results.forms {
        let name = &form.file.name;
        match (&form.read, &form.filled) {
            (Err(problems), _) => short.push(format!("{name} is not read: {problems}")),
            (_, Err(question)) => short.push(format!("{name} cannot be filled at {question}")),
            _ => {}
        }
        if !form.agrees_with_odk_validate() {
            short.push(format!("{name} as written is refused by ODK Validate"));
        }
        if form.web_forms.is_some() && !UNKNOWN_TO_WEB_FORMS.contains(&name.as_str()) {
            short.push(format!(
                "{name} as written is refused by ODK Web Forms: {:?}",
                form.web_forms
            ));
        }
    }
    assert_eq!(short, [""; 0]);
}

fn every_broken_form_is_refused_or_warned_of(results: &Results) {
    for refusal in &results.refusals {
        let mended = refusal.form.refused_by == "ODK Validate" && refusal.ours_is_valid;
        assert!(
            refusal.message.is_some() || mended,
            "{} is accepted without a word",
            refusal.form.name
        );
    }
}

fn what_is_written_says_the_same_as_pyxform(results: &Results) {
    let mut unexplained = Vec::new();
    for form in &results.forms {
        let without_reason = form.differences.iter().filter(|(_, reason)| reason.is_none());
        unexplained.extend(without_reason.map(|(difference, _)| format!("{}: {difference}", form.file.name)));
    }
    assert!(
        unexplained.is_empty(),
        "differences without a reason:\n{}",
        unexplained.join("\n")
    );
    assert_eq!(
        unused_reasons(&results.forms),
        [0_usize; 0],
        "reasons that no difference has"
    );
}

fn the_report_is_up_to_date(results: &Results) {
    let written = report::report(results);
    if std::env::var_os("KHAOSAT_UPDATE").is_some() {
        std::fs::write(report::path(), &written).unwrap();
    }
    let committed = std::fs::read_to_string(report::path()).unwrap_or_default();
    let mut lines = committed.lines().zip(written.lines());
    let differs = lines.find(|(committed, written)| committed != written);
    assert!(
        committed == written,
        "docs/xlsform-support.md is not what the test found; run with KHAOSAT_UPDATE=1 and look at the change. First \
         difference: {differs:#?}"
    );
}
