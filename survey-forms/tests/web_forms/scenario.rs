//! Scenarios: an XLSForm in Markdown tables and the steps that fill it.

use std::path::Path;

use rust_xlsxwriter::Workbook;
use survey_forms::model::Form;

/// A form and how it is filled.
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) workbook: Vec<u8>,
    pub(crate) steps: Vec<Step>,
}

/// One thing that the person does; questions and instances are named as in XForms.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Answer { reference: String, value: String },
    Add { reference: String },
    Remove { reference: String },
}

impl Scenario {
    pub(crate) fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let mut sheets: Vec<(String, Vec<Vec<String>>)> = Vec::new();
        let mut steps = Vec::new();
        for line in text.lines().map(str::trim) {
            if let Some(row) = line.strip_prefix('|') {
                let cells = row.trim_end_matches('|').split('|').map(|cell| cell.trim().to_owned());
                match cells.collect::<Vec<String>>().as_slice() {
                    [name] => sheets.push((name.clone(), Vec::new())),
                    [_, cells @ ..] => sheets.last_mut().unwrap().1.push(cells.to_vec()),
                    [] => {}
                }
            } else if let Some(step) = step(line) {
                steps.push(step);
            }
        }
        let mut workbook = Workbook::new();
        for (name, rows) in &sheets {
            let sheet = workbook.add_worksheet().set_name(name).unwrap();
            for (row, cells) in (0..).zip(rows) {
                for (column, text) in (0..).zip(cells).filter(|(_, text)| !text.is_empty()) {
                    sheet.write_string(row, column, text).unwrap();
                }
            }
        }
        Self {
            name: path.file_stem().unwrap().to_string_lossy().into_owned(),
            workbook: workbook.save_to_buffer().unwrap(),
            steps,
        }
    }

    pub(crate) fn form(&self) -> Form {
        survey_forms::xlsform::read(&self.workbook).unwrap_or_else(|problems| panic!("{}: {problems}", self.name))
    }
}

fn step(line: &str) -> Option<Step> {
    let (verb, rest) = line.split_once(' ')?;
    let reference = rest.split(' ').next()?.to_owned();
    Some(match verb {
        "answer" => Step::Answer {
            value: rest.split_once(' ')?.1.to_owned(),
            reference,
        },
        "clear" => Step::Answer {
            reference,
            value: String::new(),
        },
        "add" => Step::Add { reference },
        "remove" => Step::Remove { reference },
        _ => return None,
    })
}
