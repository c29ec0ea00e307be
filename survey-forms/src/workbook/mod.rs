//! Turns the bytes of any XLSForm container into sheets of text, within fixed limits.
//!
//! The containers are `.xlsx`, `.xls`, `.ods`, pyxform's single-file CSV, CSV files one a sheet (in a zip archive or
//! handed over one by one), and pyxform's Markdown tables. What a file holds decides which reader reads it; its name
//! only breaks ties, since an old `.xls` is often named `.xlsx`.
//!
//! Cells come out as pyxform 4.5.0 hands them on (`xls2json_backends.py`):
//!
//! - white space at both ends of a cell is removed, white space within it is kept; non-breaking spaces of a spreadsheet
//!   become ordinary ones; curly quotes stay as they are;
//! - booleans are `TRUE` and `FALSE`, whole numbers have no point, other numbers are the shortest text that reads back as
//!   the same number; dates are `2026-11-25 00:00:00`, times `09:30:00`;
//! - the headings are the first row, whatever it holds; runs of spaces in a spreadsheet's heading are one space;
//! - columns after a run of 21 columns without a heading, and rows after a run of 61 rows that are empty below the
//!   headings, do not belong to the sheet, nor do cells below no heading;
//! - of merged cells the first one holds the text; hidden sheets, rows and columns count like any other.
//!
//! Where pyxform would give up without naming a place, or hand on something that is certainly wrong, this reader
//! differs: text below no heading is left out also in CSV and Markdown, where pyxform stumbles over it; cells with spreadsheet errors are `#REF!` and the like in every container (pyxform gives a number for those
//! in `.xls`), the size that a sheet declares for itself is not believed, a byte order mark is skipped, and headings that
//! are numbers are read as text.
//!
//! | module | subject |
//! | --- | --- |
//! | `archive` | parts of zip archives, inflated within limits |
//! | `xml` | texts and attributes of XML, without entities of its own |
//! | `office_open`, `open_document` | the sheets of `.xlsx` and of `.ods` |
//! | `compound`, `binary`, `binary_text` | the streams, the records and the strings of `.xls` |
//! | `delimited`, `markdown` | CSV and Markdown |
//! | `numbers` | numbers and dates as text |
//! | `grid` | limits, and what of the cells belongs to a sheet |

mod archive;
mod binary;
mod binary_text;
mod compound;
mod delimited;
mod detection;
mod grid;
mod markdown;
mod numbers;
mod office_open;
mod open_document;
mod xml;

use std::collections::BTreeMap;

use crate::model::{FormProblem, FormProblems, Place, ProblemKind};

pub use detection::read;
pub use grid::{
    MAX_CELLS, MAX_COLUMNS, MAX_FILE_BYTES, MAX_INFLATED_BYTES, MAX_PARTS, MAX_ROWS, MAX_SHEETS, MAX_TEXT_BYTES,
};
pub use markdown::write as write_markdown;

/// The sheets that an XLSForm may have; others are named but not read.
pub const SHEETS: [&str; 6] = ["survey", "choices", "settings", "external_choices", "entities", "osm"];

/// The sheets of an XLSForm.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workbook {
    /// The sheets whose names an XLSForm knows (see [`SHEETS`]), in the order of the file. A file with only one sheet
    /// has it here whatever its name.
    pub sheets: Vec<Sheet>,
    /// The names of all sheets as written, also of those that are not read, for advice about misspelt ones.
    pub sheet_names: Vec<String>,
}

/// A sheet: its headings, and the rows below them that are not empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sheet {
    /// The name as written.
    pub name: String,
    /// The headings by column, from 0; columns without a heading are left out.
    pub headings: BTreeMap<u32, String>,
    /// The rows with at least one cell, from top to bottom.
    pub rows: Vec<Row>,
    /// The first cell that is left out because its column has no heading: the row's number and the column's letters.
    pub without_heading: Option<(u32, String)>,
}

/// A row of a sheet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// The number that spreadsheets show, from 1; the headings are row 1. In CSV and Markdown it counts the rows of the
    /// sheet that are not empty, as pyxform does.
    pub number: u32,
    /// The texts of the cells that are not empty and stand below a heading, by column, from 0.
    pub cells: BTreeMap<u32, String>,
}

impl Sheet {
    /// A sheet without headings and rows.
    pub fn empty(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// The problems of its cells that hold a spreadsheet error, such as `#REF!`, each with row and heading.
    pub fn error_cells(&self) -> impl Iterator<Item = FormProblem> {
        self.rows.iter().flat_map(move |row| {
            let errors = row.cells.iter().filter(|(_, text)| is_error_value(text));
            errors.map(move |(column, text)| FormProblem {
                place: Place::new(
                    &self.name,
                    Some(row.number),
                    self.headings.get(column).map(String::as_str),
                ),
                kind: ProblemKind::ErrorCell(text.clone()),
            })
        })
    }
}

impl Workbook {
    /// The sheet of that name, written in capitals or not. The only sheet of a file is its survey, unless it has the name of
    /// another sheet.
    pub fn sheet(&self, name: &str) -> Option<&Sheet> {
        let lower = |sheet: &Sheet| sheet.name.to_lowercase();
        // pyxform takes the last of two sheets whose names differ in capitals only, and takes no name with spaces
        // around it, which here counts where there is no better one.
        let exact = self.sheets.iter().rfind(|sheet| lower(sheet) == name);
        let trimmed = || self.sheets.iter().find(|sheet| lower(sheet).trim() == name);
        let only = || {
            let only = self
                .sheets
                .first()
                .filter(|_| self.sheet_names.len() == 1 && name == "survey");
            only.filter(|sheet| !is_known_sheet(&sheet.name))
        };
        exact.or_else(trimmed).or_else(only)
    }
}

/// Reads CSV files that hold one sheet each, as pairs of a file's name and its bytes: `survey.csv`, `choices.csv` and so
/// on. Files that do not end in `.csv` are not looked at.
///
/// # Errors
/// With the sheet and row of text that cannot be read, or the limit that is exceeded.
pub fn read_files(files: &[(&str, &[u8])]) -> Result<Workbook, FormProblems> {
    delimited::read_files(files)
}

/// Whether an XLSForm knows a sheet of that name.
fn is_known_sheet(name: &str) -> bool {
    SHEETS.contains(&name.trim().to_lowercase().as_str())
}

/// Whether a sheet is read: one that an XLSForm knows, or the only one of its file.
fn is_read(name: &str, sheets_in_file: usize) -> bool {
    sheets_in_file == 1 || is_known_sheet(name)
}

/// Whether a text is how a spreadsheet shows an error: the seven of ECMA-376 part 1 §18.17.3, Excel's `#GETTING_DATA`
/// and newer ones, and LibreOffice's numbered ones.
fn is_error_value(text: &str) -> bool {
    const ERRORS: [&str; 11] = [
        "#REF!",
        "#N/A",
        "#VALUE!",
        "#NAME?",
        "#DIV/0!",
        "#NULL!",
        "#NUM!",
        "#GETTING_DATA",
        "#SPILL!",
        "#CALC!",
        "#FIELD!",
    ];
    let numbered = |number: &str| number.len() == 3 && number.bytes().all(|byte| byte.is_ascii_digit());
    ERRORS.contains(&text) || text.strip_prefix("Err:").is_some_and(numbered)
}
