//! Gathers the cells of a sheet within limits, and decides which of them belong to it.

use std::collections::BTreeMap;

use super::{Row, Sheet};
use crate::Phrase;
use crate::model::{FormProblem, FormProblems, Place, ProblemKind};

/// The largest file that is opened, in bytes.
pub const MAX_FILE_BYTES: u64 = 8 << 20;
/// The most bytes that the parts of a zip archive may have once inflated.
pub const MAX_INFLATED_BYTES: u64 = 64 << 20;
/// The most parts (files) of a zip archive.
pub const MAX_PARTS: u64 = 1000;
/// The most sheets of a file.
pub const MAX_SHEETS: u64 = 256;
/// The last row of a sheet that may be filled.
pub const MAX_ROWS: u32 = 20_000;
/// The last column of a sheet that may be filled.
pub const MAX_COLUMNS: u32 = 500;
/// The most cells of a file that may be filled.
pub const MAX_CELLS: u64 = 500_000;
/// The most bytes of text in the cells of a file, counting a repeated text each time.
pub const MAX_TEXT_BYTES: u64 = 32 << 20;

/// How many empty columns may stand between two headings, as in pyxform.
const MAX_EMPTY_COLUMNS: u32 = 20;
/// How many empty rows may stand between two rows, as in pyxform.
const MAX_EMPTY_ROWS: u32 = 60;

/// Refuses more than a limit.
pub(super) fn within(what: Phrase, found: u64, most: u64) -> Result<(), ProblemKind> {
    if found > most {
        return Err(ProblemKind::TooLarge { what, found, most });
    }
    Ok(())
}

/// Refuses a file with too many sheets.
pub(super) fn check_sheet_count(sheets: usize) -> Result<(), FormProblems> {
    let what = Phrase::new("the number of sheets", "số trang tính");
    within(what, sheets as u64, MAX_SHEETS).map_err(FormProblems::workbook)
}

/// Refuses a table of strings, to which cells refer, that is longer than the cells of all sheets could be.
pub(super) fn check_string_count(strings: usize) -> Result<(), FormProblems> {
    let what = Phrase::new("the number of shared strings", "số chuỗi dùng chung");
    within(what, strings as u64, MAX_CELLS).map_err(FormProblems::workbook)
}

/// A file whose bytes contradict its format; `place` says where, as `byte 512`.
pub(super) fn damaged(format: &'static str, place: String, what: Phrase) -> FormProblems {
    FormProblems::workbook(ProblemKind::Damaged { format, place, what })
}

/// What the cells of a whole file have used up of the limits.
#[derive(Default)]
pub(super) struct Budget {
    cells: u64,
    text_bytes: u64,
}

impl Budget {
    fn take(&mut self, text: &str) -> Result<(), ProblemKind> {
        self.cells += 1;
        self.text_bytes += text.len() as u64;
        within(
            Phrase::new("the number of filled cells", "số ô có nội dung"),
            self.cells,
            MAX_CELLS,
        )?;
        within(
            Phrase::new("the text of the cells in bytes", "lượng chữ trong các ô (byte)"),
            self.text_bytes,
            MAX_TEXT_BYTES,
        )
    }
}

/// What pyxform does to the text of a cell before it hands it on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Spreadsheets: non-breaking spaces become spaces, and runs of spaces in headings become one.
    Spreadsheet,
    /// CSV and Markdown: texts stay as they are but for white space around them.
    Text,
}

/// The cells of one sheet while it is read.
pub(super) struct Grid<'a> {
    sheet: String,
    dialect: Dialect,
    budget: &'a mut Budget,
    rows: BTreeMap<u32, BTreeMap<u32, String>>,
}

impl<'a> Grid<'a> {
    pub(super) fn new(sheet: &str, dialect: Dialect, budget: &'a mut Budget) -> Self {
        Self {
            sheet: sheet.to_owned(),
            dialect,
            budget,
            rows: BTreeMap::new(),
        }
    }

    /// Puts a text into a cell, both counted from 0; empty texts are no cells.
    pub(super) fn put(&mut self, row: u32, column: u32, text: &str) -> Result<(), FormProblems> {
        let text = trim(text);
        if text.is_empty() {
            return Ok(());
        }
        let number = row.saturating_add(1);
        let checked = self
            .check_position(number, column.saturating_add(1))
            .and_then(|()| self.budget.take(text));
        checked.map_err(|kind| self.problem(number, column, kind))?;
        let text = match self.dialect {
            Dialect::Spreadsheet if row == 0 => single_spaces(text),
            Dialect::Spreadsheet => text.replace('\u{a0}', " "),
            Dialect::Text => text.to_owned(),
        };
        self.rows.entry(row).or_default().insert(column, text);
        Ok(())
    }

    fn check_position(&self, rows: u32, columns: u32) -> Result<(), ProblemKind> {
        within(
            Phrase::new("the number of rows", "số hàng"),
            rows.into(),
            MAX_ROWS.into(),
        )?;
        within(
            Phrase::new("the number of columns", "số cột"),
            columns.into(),
            MAX_COLUMNS.into(),
        )
    }

    fn problem(&self, number: u32, column: u32, kind: ProblemKind) -> FormProblems {
        FormProblems(vec![FormProblem {
            place: Place::new(&self.sheet, Some(number), Some(&column_letters(column))),
            kind,
        }])
    }

    /// The sheet, without the cells that do not belong to it.
    pub(super) fn finish(mut self) -> Sheet {
        let mut headings = self.rows.remove(&0).unwrap_or_default();
        let mut rows: Vec<Row> = Vec::new();
        if self.dialect == Dialect::Spreadsheet {
            let mut next = 0;
            headings.retain(|column, _| {
                let reached = column.saturating_sub(next) <= MAX_EMPTY_COLUMNS;
                if reached {
                    next = column + 1;
                }
                reached
            });
        }
        let mut without_heading = None;
        for (row, mut cells) in self.rows {
            let stray = cells.keys().find(|column| !headings.contains_key(column));
            if without_heading.is_none() {
                without_heading = stray.map(|column| (row + 1, column_letters(*column)));
            }
            cells.retain(|column, _| headings.contains_key(column));
            if cells.is_empty() {
                continue;
            }
            let number = row + 1;
            let last = rows.last().map_or(1, |row| row.number);
            if self.dialect == Dialect::Spreadsheet && number - last - 1 > MAX_EMPTY_ROWS {
                break;
            }
            rows.push(Row { number, cells });
        }
        Sheet {
            name: self.sheet,
            headings,
            rows,
            without_heading,
        }
    }
}

/// Whether Python's `str.strip` removes a character: white space of Unicode, and four separators of ASCII.
pub(super) fn is_white_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

/// The text without white space around it.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(is_white_space)
}

fn single_spaces(text: &str) -> String {
    let mut single = String::with_capacity(text.len());
    for character in text.chars() {
        if character != ' ' || !single.ends_with(' ') {
            single.push(character);
        }
    }
    single
}

/// The letters of a column counted from 0: `A`, `Z`, `AA`, `XFD`.
pub(super) fn column_letters(column: u32) -> String {
    let mut letters = Vec::new();
    let mut left = u64::from(column) + 1;
    while left > 0 {
        left -= 1;
        letters.push(char::from(b'A' + (left % 26) as u8));
        left /= 26;
    }
    letters.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_the_letters_of_spreadsheets() {
        let letters: Vec<String> = [0, 25, 26, 701, 702, 16_383].map(column_letters).into();
        assert_eq!(letters, ["A", "Z", "AA", "ZZ", "AAA", "XFD"]);
    }

    #[test]
    fn runs_of_empty_columns_and_rows_end_a_sheet() {
        let mut budget = Budget::default();
        let mut grid = Grid::new("survey", Dialect::Spreadsheet, &mut budget);
        for (row, column) in [(0, 0), (0, 21), (0, 43), (1, 0), (62, 0), (124, 0), (62, 1)] {
            grid.put(row, column, "x").unwrap();
        }
        let sheet = grid.finish();
        assert_eq!(sheet.headings.keys().copied().collect::<Vec<_>>(), [0, 21]);
        let numbers: Vec<u32> = sheet.rows.iter().map(|row| row.number).collect();
        assert_eq!(numbers, [2, 63], "60 empty rows are bridged, 61 are not");
        assert_eq!(
            sheet.rows[1].cells.len(),
            1,
            "no heading stands above the second column"
        );
    }
}
