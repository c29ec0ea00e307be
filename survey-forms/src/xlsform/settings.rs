//! The sheet `settings`: one row below its headings.

use super::columns::{Cells, Languages, headings};
use crate::model::{FormProblem, Settings};
use crate::workbook::Sheet;

/// The column `default_language`.
pub(super) fn default_language(sheet: &Sheet) -> Option<&str> {
    let (column, _) = sheet
        .headings
        .iter()
        .find(|(_, heading)| heading.trim().eq_ignore_ascii_case("default_language"))?;
    sheet.rows.first()?.cells.get(column).map(String::as_str)
}

/// Reads the settings; a form without them has none.
pub(super) fn read(sheet: &Sheet, problems: &mut Vec<FormProblem>) -> Settings {
    // Settings are in no language, so none that a heading may seem to name counts.
    let headings = headings(sheet, &mut Languages::new(None), problems);
    let Some(row) = sheet.rows.first() else {
        return Settings::default();
    };
    let mut cells = Cells::new(row, &headings);
    let mut text = |names: [&str; 2]| {
        let found = names.iter().find_map(|name| cells.take(name));
        found.unwrap_or_default().to_owned()
    };
    let form_id = text(["form_id", "id_string"]);
    let title = text(["form_title", "title"]);
    let version = text(["version", "form_version"]);
    text(["default_language", "default language"]);
    Settings {
        form_id,
        title,
        version,
        other: cells.rest(),
    }
}
