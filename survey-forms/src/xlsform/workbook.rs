//! Turns the bytes of a workbook into sheets of text, within fixed limits.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use calamine::{DataRef, Reader, Xlsx};

use crate::Phrase;
use crate::model::{FormProblem, FormProblems, Place, ProblemKind};

/// The largest workbook that is opened, in bytes.
pub const MAX_FILE_BYTES: u64 = 8 << 20;
/// The most bytes that a workbook's parts may have once inflated.
pub const MAX_INFLATED_BYTES: u64 = 64 << 20;
/// The most parts (files of the zip archive) in a workbook.
const MAX_PARTS: u64 = 1000;
/// The last row of a sheet that may be filled.
pub const MAX_ROWS: u32 = 20_000;
/// The last column of a sheet that may be filled.
pub const MAX_COLUMNS: u32 = 500;
/// The most bytes of text in one sheet, counting a repeated text each time.
const MAX_SHEET_TEXT: u64 = 32 << 20;

/// The sheets of an XLSForm.
pub(super) struct Workbook {
    sheets: Vec<Sheet>,
}

/// A sheet: its headings and the rows below them that are not empty.
pub(super) struct Sheet {
    /// The name in lower case.
    pub(super) name: String,
    /// The headings by column, from 0.
    pub(super) headings: BTreeMap<u32, String>,
    pub(super) rows: Vec<Row>,
}

/// A row of a sheet.
pub(super) struct Row {
    /// The number that spreadsheets show, from 1.
    pub(super) number: u32,
    /// The trimmed texts of the cells that are not empty, by column.
    pub(super) cells: BTreeMap<u32, String>,
}

impl Sheet {
    pub(super) fn empty(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            headings: BTreeMap::new(),
            rows: Vec::new(),
        }
    }
}

impl Workbook {
    /// Reads the sheets that an XLSForm may have; others are not looked at.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, FormProblems> {
        within(
            Phrase::new("the file's size in bytes", "kích thước tệp (byte)"),
            bytes.len() as u64,
            MAX_FILE_BYTES,
        )
        .map_err(FormProblems::workbook)?;
        check_archive(bytes).map_err(FormProblems::workbook)?;
        let mut xlsx: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(unreadable)?;
        let mut sheets = Vec::new();
        for name in xlsx.sheet_names() {
            let lower = name.trim().to_lowercase();
            if matches!(lower.as_str(), "survey" | "choices" | "settings") {
                sheets.push(read_sheet(&mut xlsx, &name, lower)?);
            }
        }
        Ok(Self { sheets })
    }

    pub(super) fn sheet(&self, name: &str) -> Option<&Sheet> {
        self.sheets.iter().find(|sheet| sheet.name == name)
    }
}

fn within(what: Phrase, found: u64, most: u64) -> Result<(), ProblemKind> {
    if found > most {
        return Err(ProblemKind::TooLarge { what, found, most });
    }
    Ok(())
}

fn unreadable(error: impl std::fmt::Display) -> FormProblems {
    FormProblems::workbook(ProblemKind::NotAWorkbook(error.to_string()))
}

/// Refuses archives that would inflate to more than the limit: by the sizes they declare, and by inflating every part
/// into nothing, because a declared size can be a lie.
fn check_archive(bytes: &[u8]) -> Result<(), ProblemKind> {
    let broken = |error: &dyn std::fmt::Display| ProblemKind::NotAWorkbook(error.to_string());
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(&error))?;
    within(
        Phrase::new("the number of parts in the file", "số phần trong tệp"),
        archive.len() as u64,
        MAX_PARTS,
    )?;
    const WHAT: Phrase = Phrase::new("the inflated size in bytes", "kích thước sau giải nén (byte)");
    let mut declared = 0_u64;
    for part in 0..archive.len() {
        let entry = archive.by_index(part).map_err(|error| broken(&error))?;
        declared = declared.saturating_add(entry.size());
    }
    within(WHAT, declared, MAX_INFLATED_BYTES)?;
    let mut inflated = 0;
    for part in 0..archive.len() {
        let entry = archive.by_index(part).map_err(|error| broken(&error))?;
        let mut limited = entry.take(MAX_INFLATED_BYTES + 1 - inflated);
        inflated += std::io::copy(&mut limited, &mut std::io::sink()).map_err(|error| broken(&error))?;
        within(WHAT, inflated, MAX_INFLATED_BYTES)?;
    }
    Ok(())
}

/// Reads a sheet cell by cell: a range would be as large as its last cell's address says, however few cells it holds.
fn read_sheet(xlsx: &mut Xlsx<Cursor<&[u8]>>, name: &str, lower: String) -> Result<Sheet, FormProblems> {
    let problem = |row: Option<u32>, kind| {
        FormProblems(vec![FormProblem {
            place: Place::new(&lower, row, None),
            kind,
        }])
    };
    let mut cells = xlsx.worksheet_cells_reader(name).map_err(unreadable)?;
    let mut rows: BTreeMap<u32, BTreeMap<u32, String>> = BTreeMap::new();
    let mut text_bytes = 0;
    while let Some(cell) = cells.next_cell().map_err(unreadable)? {
        let (row, column) = cell.get_position();
        let row = row.saturating_add(1);
        let text = match cell.get_value() {
            DataRef::Error(error) => {
                let kind = ProblemKind::ErrorCell(error.to_string());
                return Err(problem(Some(row), kind));
            }
            value => cell_text(value),
        };
        let text = text.trim();
        if text.is_empty() {
            continue;
        }
        text_bytes += text.len() as u64;
        within(
            Phrase::new("the number of rows", "số hàng"),
            row.into(),
            MAX_ROWS.into(),
        )
        .and_then(|()| {
            within(
                Phrase::new("the number of columns", "số cột"),
                u64::from(column) + 1,
                MAX_COLUMNS.into(),
            )
        })
        .and_then(|()| {
            within(
                Phrase::new("the text of the sheet in bytes", "lượng chữ của trang tính (byte)"),
                text_bytes,
                MAX_SHEET_TEXT,
            )
        })
        .map_err(|kind| problem(None, kind))?;
        rows.entry(row).or_default().insert(column, text.to_owned());
    }
    drop(cells);
    // The headings are the first row that holds anything.
    let mut rows = rows.into_iter();
    let headings = rows.next().map(|(_, cells)| cells).unwrap_or_default();
    Ok(Sheet {
        name: lower,
        headings,
        rows: rows.map(|(number, cells)| Row { number, cells }).collect(),
    })
}

/// A cell as its author typed it: whole numbers without a point, days as `YYYY-MM-DD`.
fn cell_text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::String(text) => text.to_string(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => crate::xpath::number_to_text(*number),
        DataRef::Bool(true) => "TRUE".to_owned(),
        DataRef::Bool(false) => "FALSE".to_owned(),
        DataRef::DateTime(moment) => {
            let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
            if (hour, minute, second) == (0, 0, 0) {
                format!("{year:04}-{month:02}-{day:02}")
            } else {
                format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
            }
        }
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        _ => String::new(),
    }
}
