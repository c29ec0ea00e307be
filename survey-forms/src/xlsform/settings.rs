//! The sheet `settings`: one row below its headings.

use super::cells::{Cells, Cleaning};
use super::headings;
use super::report::Reporter;
use super::survey::is_yes;
use crate::model::lexical::is_qualified_name;
use crate::model::{Advice, ProblemKind, Settings, Submission};
use crate::workbook::Sheet;

/// The settings, and those that only the reader needs.
#[derive(Default)]
pub(super) struct SettingsSheet {
    pub(super) settings: Settings,
    /// Whether several spaces in a row become one in the sheet `survey`; yes unless the sheet says no.
    pub(super) keeps_spaces: bool,
    pub(super) adds_none: bool,
}

/// Reads the settings; a form without them has none.
pub(super) fn read(sheet: Option<&Sheet>, reporter: &mut Reporter<'_>) -> SettingsSheet {
    let mut read = SettingsSheet::default();
    read.settings.root_name = Settings::DEFAULT_ROOT_NAME.to_owned();
    let Some(sheet) = sheet else { return read };
    let has = |wanted: &str| sheet.headings.values().any(|heading| heading == wanted);
    let mut found = Vec::new();
    let headings = headings::SETTINGS.headings(sheet, &mut found);
    if has("form_id") && has("id_string") {
        reporter.warn(1, "id_string", ProblemKind::Advice(Advice::TwoFormIds));
        found.retain(|problem| !matches!(&problem.kind, ProblemKind::DuplicateColumn(other) if other.contains("id")));
    }
    reporter.problems.extend(found);
    let Some(row) = sheet.rows.first() else { return read };
    let mut cells = Cells::new(row, &headings, Cleaning::Quotes);
    if has("form_id") {
        cells.drop_column("id_string");
    }
    let mut text = |name: &str| cells.take(&[name]);
    if let Some(name) = text("name") {
        if !is_qualified_name(&name) {
            reporter.report(row.number, "name", ProblemKind::BadName(name.clone()));
        }
        read.settings.root_name = name;
    }
    read.keeps_spaces = text("clean_text_values").is_some_and(|written| is_no(&written));
    read.adds_none = text("add_none_option").is_some_and(|written| is_yes(&written));
    if text("flat").is_some_and(|written| is_yes(&written)) {
        reporter.warn(row.number, "flat", ProblemKind::Advice(Advice::Flat));
    }
    let mut yes = |name: &str| text(name).is_some_and(|written| is_yes(&written));
    let allow_choice_duplicates = yes("allow_choice_duplicates");
    let omit_instance_id = yes("omit_instanceID");
    let client_editable = yes("client_editable");
    let submission = Submission {
        url: text("submission_url"),
        public_key: text("public_key"),
        auto_send: text("auto_send"),
        auto_delete: text("auto_delete"),
        client_editable,
    };
    if omit_instance_id && submission.public_key.is_some() {
        reporter.report(row.number, "omit_instanceID", ProblemKind::EncryptionNeedsIdentity);
    }
    read.settings = Settings {
        form_id: text("id_string").unwrap_or_default(),
        title: text("title").unwrap_or_default(),
        version: text("version").unwrap_or_default(),
        root_name: read.settings.root_name,
        default_language: text("default_language"),
        instance_name: text("instance_name"),
        style: text("style"),
        submission,
        namespaces: text("namespaces"),
        instance_namespace: text("instance_xmlns"),
        instance_id: text("instance_id"),
        omit_instance_id,
        allow_choice_duplicates,
        compact_prefix: text("prefix"),
        compact_delimiter: text("delimiter"),
        attributes: cells.attributes("attribute"),
        other: cells.rest().collect(),
    };
    read
}

fn is_no(written: &str) -> bool {
    matches!(written, "no" | "No" | "NO" | "false" | "False" | "FALSE" | "false()")
}
