//! Reads XLSForm workbooks (xlsform.org/en/ref-table) into forms.
//!
//! [`crate::workbook`] turns bytes into sheets of text. Here `headings` says what each heading means, `cells` gives a
//! row's cells by meaning, and `survey`, `choices`, `settings` and `entities` read one sheet each; `references` checks
//! that every `${question}` exists. Every problem of every sheet is reported at once; what concerns the form rather than
//! the workbook is checked by [`Form::compile`].

mod cells;
mod choices;
mod drafts;
mod entities;
mod headings;
pub(crate) mod languages;
mod parameters;
mod range;
mod references;
mod report;
mod selects;
mod settings;
mod survey;
mod types;
mod writing;

use crate::model::{Advice, Form, FormDefinition, FormProblem, FormProblems, Place, ProblemKind, nearest_name};
use crate::workbook::{self, Sheet, Workbook};
use cells::Cleaning;
use languages::Languages;
use report::Reporter;
use survey::Surroundings;

pub use writing::write;

/// A form that was read, and what its author should look at though it works.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The form.
    pub form: Form,
    /// Advice to the form's author.
    pub warnings: Vec<FormProblem>,
}

/// Reads and checks the form in the bytes of a workbook.
///
/// # Errors
/// With everything found wrong, each with its sheet, row and column. Problems of the workbook's structure come before
/// those of its expressions, which can only be checked once the structure is known.
pub fn read(bytes: &[u8]) -> Result<Form, FormProblems> {
    read_file(bytes, None).map(|reading| reading.form)
}

/// Reads and checks the form in the bytes of a workbook of any supported kind; the file's name is a hint at its kind.
///
/// # Errors
/// As [`read`].
pub fn read_file(bytes: &[u8], file_name: Option<&str>) -> Result<Reading, FormProblems> {
    let stem = file_name.map(|name| name.rsplit_once('.').map_or(name, |(stem, _)| stem));
    read_workbook(&workbook::read(bytes, file_name)?, stem)
}

/// Reads and checks the form in the sheets of a workbook. A form that names itself nowhere gets `default_id`.
///
/// # Errors
/// As [`read`].
pub fn read_workbook(workbook: &Workbook, default_id: Option<&str>) -> Result<Reading, FormProblems> {
    let mut problems: Vec<FormProblem> = workbook.sheets.iter().flat_map(Sheet::error_cells).collect();
    let error_cells: Vec<Place> = problems.iter().map(|problem| problem.place.clone()).collect();
    let mut warnings = Vec::new();
    let mut definition = definition(workbook, &mut problems, &mut warnings);
    if let Some(default_id) = default_id
        && definition.settings.form_id.is_empty()
    {
        definition.settings.form_id = default_id.to_owned();
    }
    let has_survey = workbook.sheet("survey").is_some();
    match Form::compile(definition) {
        Ok(form) if problems.is_empty() => {
            warnings.extend_from_slice(form.warnings());
            Ok(Reading { form, warnings })
        }
        // Without the sheet every other complaint would follow from its absence.
        Err(FormProblems(more)) if has_survey => {
            for problem in more {
                if !problems.contains(&problem) {
                    problems.push(problem);
                }
            }
            Err(without_consequences(problems, &error_cells))
        }
        _ => Err(without_consequences(problems, &error_cells)),
    }
}

/// What is wrong, without what only follows from a cell that holds a spreadsheet error: `#REF!` is no expression.
fn without_consequences(mut problems: Vec<FormProblem>, error_cells: &[Place]) -> FormProblems {
    problems
        .retain(|problem| matches!(problem.kind, ProblemKind::ErrorCell(_)) || !error_cells.contains(&problem.place));
    FormProblems(problems)
}

fn definition(workbook: &Workbook, problems: &mut Vec<FormProblem>, warnings: &mut Vec<FormProblem>) -> FormDefinition {
    fn reporter<'p>(
        sheet: &'static str,
        problems: &'p mut Vec<FormProblem>,
        warnings: &'p mut Vec<FormProblem>,
    ) -> Reporter<'p> {
        Reporter {
            sheet,
            problems,
            warnings,
        }
    }
    let absent = Sheet::empty("survey");
    let survey_sheet = workbook.sheet("survey").unwrap_or_else(|| {
        problems.push(FormProblem {
            place: Place::default(),
            kind: ProblemKind::MissingSheet("survey"),
        });
        &absent
    });
    for sheet in &workbook.sheets {
        if let Some((row, column)) = &sheet.without_heading {
            warnings.push(FormProblem {
                place: Place::new(&sheet.name, Some(*row), Some(column)),
                kind: ProblemKind::Advice(Advice::CellWithoutHeading),
            });
        }
    }
    for sheet in ["settings", "choices", "entities"] {
        if workbook.sheet(sheet).is_none()
            && let Some(similar) = similar_sheet(workbook, sheet)
        {
            let advice = Advice::MisspelledSheet {
                found: similar.to_owned(),
                meant: sheet,
            };
            warnings.push(FormProblem {
                place: Place::default(),
                kind: ProblemKind::Advice(advice),
            });
        }
    }
    let mut read = settings::read(
        workbook.sheet("settings"),
        &mut reporter("settings", problems, warnings),
    );
    let mut languages = Languages::new(read.settings.default_language.as_deref());
    let mut lists = |name: &'static str, columns, strictness| match workbook.sheet(name) {
        Some(sheet) => {
            let mut reporter = reporter(name, problems, warnings);
            choices::read(sheet, columns, strictness, &mut languages, &mut reporter)
        }
        None => crate::model::ChoiceLists::new(),
    };
    let choice_rows = choices::Strictness {
        unique_names: !read.settings.allow_choice_duplicates,
        complete: true,
    };
    let other_rows = choices::Strictness {
        unique_names: false,
        complete: false,
    };
    let mut choice_lists = lists("choices", &headings::CHOICES, choice_rows);
    let external_choices = lists("external_choices", &headings::OTHER_CHOICES, other_rows);
    let osm_tags = lists("osm", &headings::OTHER_CHOICES, other_rows);
    let surroundings = Surroundings {
        settings: &mut read.settings,
        languages: &mut languages,
        choices: &mut choice_lists,
        external_choices: &external_choices,
        cleaning: if read.keeps_spaces {
            Cleaning::Quotes
        } else {
            Cleaning::QuotesAndSpaces
        },
        adds_none: read.adds_none,
    };
    let nodes = survey::read(survey_sheet, surroundings, &mut reporter("survey", problems, warnings));
    let entities = match workbook.sheet("entities") {
        Some(sheet) => entities::read(sheet, &mut reporter("entities", problems, warnings)),
        None => Vec::new(),
    };
    references::check(workbook, &nodes, !read.settings.omit_instance_id, problems);
    FormDefinition {
        settings: read.settings,
        languages: languages.finish(),
        nodes,
        choices: choice_lists,
        external_choices,
        osm_tags,
        entities,
    }
}

/// A sheet whose name is nearly `wanted`; names that begin with `_` are notes.
fn similar_sheet<'w>(workbook: &'w Workbook, wanted: &str) -> Option<&'w str> {
    let mut names = workbook.sheet_names.iter().map(String::as_str);
    names.find(|name| {
        let lower = name.to_lowercase();
        let is_known = workbook::SHEETS.contains(&lower.as_str());
        !name.starts_with('_') && !is_known && nearest_name(&lower, std::iter::once(wanted)).is_some()
    })
}
