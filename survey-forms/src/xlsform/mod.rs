//! Reads XLSForm workbooks (xlsform.org/en/ref-table) into forms.
//!
//! [`crate::workbook`] turns bytes into sheets of text within fixed limits, `columns` says what each heading means, and
//! `survey`, `choices` and `settings` read one sheet each. Every problem of every sheet is reported at once; what
//! concerns the form rather than the workbook is checked by [`Form::compile`].

mod choices;
mod columns;
mod settings;
mod survey;

use crate::model::{Form, FormDefinition, FormProblem, FormProblems, Place, ProblemKind};
use crate::workbook::{Sheet, Workbook};
use columns::Languages;

pub use crate::workbook::{MAX_COLUMNS, MAX_FILE_BYTES, MAX_INFLATED_BYTES, MAX_ROWS};

/// Reads and checks the form in the bytes of a workbook: any container that [`crate::workbook::read`] knows.
///
/// # Errors
/// With everything found wrong, each with its sheet, row and column. Problems of the workbook's structure come before
/// those of its expressions, which can only be checked once the structure is known.
pub fn read(bytes: &[u8]) -> Result<Form, FormProblems> {
    Form::compile(read_definition(bytes)?)
}

fn read_definition(bytes: &[u8]) -> Result<FormDefinition, FormProblems> {
    read_sheets(&crate::workbook::read(bytes, None)?)
}

/// Reads the definition of a form from its sheets.
fn read_sheets(workbook: &Workbook) -> Result<FormDefinition, FormProblems> {
    let names = ["survey", "choices", "settings"];
    let sheets = names.iter().filter_map(|name| workbook.sheet(name));
    let mut problems: Vec<FormProblem> = sheets.flat_map(Sheet::error_cells).collect();
    let empty = Sheet::empty("settings");
    let settings_sheet = workbook.sheet("settings").unwrap_or(&empty);
    let survey_sheet = workbook.sheet("survey");
    if survey_sheet.is_none() {
        problems.push(FormProblem {
            place: Place::default(),
            kind: ProblemKind::MissingSheet("survey"),
        });
    }
    let choices_sheet = workbook.sheet("choices");
    let mut languages = Languages::new(settings::default_language(settings_sheet));
    let settings = settings::read(settings_sheet, &mut problems);
    let nodes = survey_sheet.map(|sheet| survey::read(sheet, &mut languages, &mut problems));
    let choices = choices_sheet.map(|sheet| choices::read(sheet, &mut languages, &mut problems));
    if !problems.is_empty() {
        // Expressions are checked too if the rows can be read at all, so that an author sees everything at once.
        if let Some(nodes) = nodes.filter(|_| survey_sheet.is_some()) {
            let definition = FormDefinition {
                settings,
                languages: languages.finish(),
                nodes,
                choices: choices.unwrap_or_default(),
            };
            if let Err(FormProblems(more)) = Form::compile(definition) {
                problems.extend(more);
            }
        }
        return Err(FormProblems(problems));
    }
    Ok(FormDefinition {
        settings,
        languages: languages.finish(),
        nodes: nodes.unwrap_or_default(),
        choices: choices.unwrap_or_default(),
    })
}
