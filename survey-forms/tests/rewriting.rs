//! Forms written as workbooks, Markdown and JSON and read again: nothing that a form says is lost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test's own helpers fail by panicking

use std::path::Path;

use survey_forms::model::{Form, FormDefinition};
use survey_forms::{read_form, workbook, xlsform};

/// The test forms that cover the XLSForm reference.
fn forms() -> Vec<(String, Form)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/forms");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    paths.sort();
    assert!(paths.len() > 150, "the test forms are missing");
    let read = |path: std::path::PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let reading = read_form(&std::fs::read(&path).unwrap(), Some(&name));
        let reading = reading.unwrap_or_else(|problems| panic!("{name}: {problems}"));
        (name, reading.form)
    };
    paths.into_iter().map(read).collect()
}

/// The definition without what only messages need.
fn without_rows(form: &Form) -> FormDefinition {
    let mut definition = form.definition().clone();
    definition.nodes.iter_mut().for_each(|node| node.row = 0);
    let lists = definition.choices.values_mut();
    let lists = lists.chain(definition.external_choices.values_mut());
    let lists = lists.chain(definition.osm_tags.values_mut());
    lists.flatten().for_each(|choice| choice.row = 0);
    definition.entities.iter_mut().for_each(|declared| declared.row = 0);
    definition
}

#[test]
fn a_form_written_as_a_workbook_reads_the_same() {
    for (name, form) in forms() {
        let written = xlsform::write(form.definition());
        let again = xlsform::read_workbook(&written, None).unwrap_or_else(|problems| panic!("{name}: {problems}"));
        assert_eq!(without_rows(&again.form), without_rows(&form), "{name}");
    }
}

#[test]
fn a_form_written_as_markdown_reads_the_same() {
    for (name, form) in forms() {
        let markdown = workbook::write_markdown(&xlsform::write(form.definition())).unwrap();
        let again = read_form(markdown.as_bytes(), None).unwrap_or_else(|problems| panic!("{name}: {problems}"));
        assert_eq!(without_rows(&again.form), without_rows(&form), "{name}");
    }
}

#[test]
fn a_form_written_as_json_has_the_same_content_hash() {
    for (name, form) in forms() {
        let json = serde_json::to_vec_pretty(form.definition()).unwrap();
        let again = read_form(&json, None).unwrap_or_else(|problems| panic!("{name}: {problems}"));
        assert_eq!(again.form.content_hash(), form.content_hash(), "{name}");
    }
}

#[test]
fn json_that_is_no_definition_is_refused_where_it_is_wrong() {
    let problems = read_form(b"{\n  \"settings\": 7\n}", None).unwrap_err();
    assert!(problems.to_string().contains("line 2, column 15"), "{problems}");
    assert!(
        problems.vietnamese().contains("dòng 2, cột 15"),
        "{}",
        problems.vietnamese()
    );
}
