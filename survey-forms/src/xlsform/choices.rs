//! The sheets `choices`, `external_choices` and `osm`: one row for each choice of each list.

use std::collections::HashMap;

use super::cells::{Cells, Cleaning};
use super::headings::Columns;
use super::languages::Languages;
use super::report::Reporter;
use crate::Phrase;
use crate::model::{Advice, Choice, ChoiceLists, ProblemKind};
use crate::workbook::Sheet;

/// What is asked of the rows of a sheet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Strictness {
    /// Whether each choice needs a name of its own within its list.
    pub(super) unique_names: bool,
    /// Whether each choice needs a name, and should have a label.
    pub(super) complete: bool,
}

/// Reads the lists; rows without a list's name are comments and skipped, as in pyxform.
pub(super) fn read(
    sheet: &Sheet,
    columns: &Columns,
    strictness: Strictness,
    languages: &mut Languages,
    reporter: &mut Reporter<'_>,
) -> ChoiceLists {
    let headings = columns.headings(sheet, reporter.problems);
    let mut lists = ChoiceLists::new();
    // Further columns become elements of the XForm, so those that cannot be are left out.
    for heading in headings.values().filter(|heading| heading.parts[0] != LIST) {
        if heading.parts[0].contains(' ') || heading.parts[0].is_empty() {
            let advice = Advice::ColumnLeftOut(heading.written.clone());
            reporter.warn(0, &heading.written, ProblemKind::Advice(advice));
        }
    }
    let mut names: HashMap<(String, String), u32> = HashMap::new();
    for row in &sheet.rows {
        let mut cells = Cells::new(row, &headings, Cleaning::Quotes);
        let Some(list) = cells.take(&[LIST]) else { continue };
        let name = cells.take(&["name"]);
        if name.is_none() && strictness.complete {
            let what = Phrase::new("the value to store", "giá trị cần lưu");
            reporter.report(row.number, "name", ProblemKind::MissingValue(what));
        }
        let name = name.unwrap_or_default();
        let label = cells.translations(&["label"], languages);
        if label.is_empty() && strictness.complete {
            reporter.warn(row.number, "label", ProblemKind::Advice(Advice::ChoiceWithoutLabel));
        }
        if strictness.unique_names && !name.is_empty() {
            let first = names.insert((list.clone(), name.clone()), row.number);
            if first.is_some() {
                let kind = ProblemKind::DuplicateChoice {
                    list: list.clone(),
                    name: name.clone(),
                };
                reporter.report(row.number, "name", kind);
            }
        }
        let media = cells.media(languages);
        let other = cells
            .rest()
            .filter(|(column, _)| !column.contains(' ') && !column.is_empty());
        lists.entry(list).or_default().push(Choice {
            name,
            label,
            media,
            other: other.collect(),
            row: row.number,
        });
    }
    lists
}

/// The place of the list's name.
const LIST: &str = "list name";
