//! The sheet `choices`: one row for each choice of each list.

use std::collections::BTreeMap;

use super::columns::{Cells, Languages, headings};
use crate::Phrase;
use crate::model::{Choice, FormProblem, Place, ProblemKind};
use crate::workbook::Sheet;

/// Reads the lists; rows without a list's name are comments and skipped, as pyxform does.
pub(super) fn read(
    sheet: &Sheet,
    languages: &mut Languages,
    problems: &mut Vec<FormProblem>,
) -> BTreeMap<String, Vec<Choice>> {
    let mut report = |row: Option<u32>, column, kind| {
        problems.push(FormProblem {
            place: Place::new(&sheet.name, row, column),
            kind,
        });
    };
    let mut found = Vec::new();
    let headings = headings(sheet, languages, &mut found);
    for column in ["list_name", "name"] {
        if !headings.values().any(|heading| heading.name == column) {
            report(None, None, ProblemKind::MissingColumn(column));
        }
    }
    let mut lists: BTreeMap<String, Vec<Choice>> = BTreeMap::new();
    for row in &sheet.rows {
        let mut cells = Cells::new(row, &headings);
        let Some(list) = cells.take("list_name") else {
            continue;
        };
        let name = cells.take("name").unwrap_or_else(|| {
            report(
                Some(row.number),
                Some("name"),
                ProblemKind::MissingValue(Phrase::new("the value to store", "giá trị cần lưu")),
            );
            ""
        });
        let label = cells.translations("label", languages);
        if label.is_empty() {
            report(
                Some(row.number),
                Some("label"),
                ProblemKind::MissingValue(Phrase::new("the text to show", "nội dung hiển thị")),
            );
        }
        lists.entry(list.to_owned()).or_default().push(Choice {
            name: name.to_owned(),
            label,
            other: cells.rest(),
            row: row.number,
        });
    }
    problems.extend(found);
    lists
}
