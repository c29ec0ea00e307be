//! The sheet `entities`: one row for each list of entities that answers create or update.

use super::cells::{Cells, Cleaning};
use super::headings;
use super::report::Reporter;
use crate::model::{EntityDeclaration, EntityProblem, ProblemKind};
use crate::workbook::Sheet;

/// Reads the declarations. What they mean for the form's questions is checked with the form.
pub(super) fn read(sheet: &Sheet, reporter: &mut Reporter<'_>) -> Vec<EntityDeclaration> {
    let headings = headings::ENTITIES.headings(sheet, reporter.problems);
    let mut declarations = Vec::new();
    for row in &sheet.rows {
        let mut cells = Cells::new(row, &headings, Cleaning::Quotes);
        if cells.is_empty() {
            continue;
        }
        let mut text = |name: &str| cells.take(&[name]);
        declarations.push(EntityDeclaration {
            list_name: text("dataset").unwrap_or_default(),
            label: text("label"),
            entity_id: text("entity_id"),
            create_if: text("create_if"),
            update_if: text("update_if"),
            row: row.number,
        });
        // An older version of the specification had a column `repeat`; the place follows from the references now.
        text("repeat");
        for (column, _) in cells.rest() {
            let kind = ProblemKind::Entity(EntityProblem::UnknownColumn(column.clone()));
            reporter.report(row.number, &column, kind);
        }
    }
    declarations
}
