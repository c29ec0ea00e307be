//! CSV: pyxform's single file with all sheets, and one file a sheet.
//!
//! In the single file the first column names a sheet, the next row below or beside it holds its headings, and the rows
//! after that its cells, all from the second column on. Rows without content are not counted. Quotes follow RFC 4180;
//! besides the comma, a semicolon or tab separates where only so there are columns.

use std::collections::BTreeMap;

use csv::StringRecord;

use super::archive::Archive;
use super::detection;
use super::grid::{Budget, Dialect, Grid, MAX_CELLS, MAX_FILE_BYTES, check_sheet_count, trim, within};
use super::{Workbook, is_known_sheet, is_read};
use crate::Phrase;
use crate::model::{FormProblem, FormProblems, Place, ProblemKind};

/// How many records are looked at to tell what a text is.
const LOOKED_AT: usize = 50;
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];
/// The most separators in a line, within texts or between them: as many as a spreadsheet has columns.
const MAX_SEPARATORS: u64 = 16_384;

fn records(text: &str, separator: u8) -> csv::StringRecordsIntoIter<&[u8]> {
    let mut builder = csv::ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(separator);
    builder.from_reader(text.as_bytes()).into_records()
}

/// Refuses lines with more columns than any spreadsheet has, before records are made of them.
fn check_lines(text: &str) -> Result<(), FormProblems> {
    for (line, fields) in (1..).zip(text.split('\n')) {
        let separators = fields.bytes().filter(|byte| SEPARATORS.contains(byte)).count();
        within(
            Phrase::new("the number of separators in a line", "số dấu phân cách trên một dòng"),
            separators as u64,
            MAX_SEPARATORS,
        )
        .map_err(|kind| in_text(line, kind))?;
    }
    Ok(())
}

/// The first records that are not empty.
fn first_records(text: &str, separator: u8) -> impl Iterator<Item = StringRecord> {
    let records = records(text, separator).flatten();
    records.filter(|record| has_content(record.iter())).take(LOOKED_AT)
}

fn has_content<'a>(mut fields: impl Iterator<Item = &'a str>) -> bool {
    fields.any(|field| !trim(field).is_empty())
}

/// A record that cannot be read, although the text was found to be UTF-8 before.
fn unreadable(error: csv::Error) -> FormProblems {
    const RECORD: Phrase = Phrase::new("a record of the CSV cannot be read", "không đọc được một dòng của CSV");
    let line = error.position().map_or(1, csv::Position::line);
    in_text(line, ProblemKind::NotAWorkbook(RECORD))
}

/// A problem with a line of a text, whatever its sheet.
fn in_text(line: u64, kind: ProblemKind) -> FormProblems {
    FormProblems(vec![FormProblem {
        place: Place::new("CSV/Markdown", u32::try_from(line).ok(), None),
        kind,
    }])
}

/// The separator that makes the most columns of the first records, up to the headings; the comma where others make no
/// more.
fn separator(text: &str, headings: usize) -> u8 {
    let mut best = (b',', 0);
    for separator in SEPARATORS {
        let first = first_records(text, separator).take(headings);
        let columns = first.map(|record| record.len()).max().unwrap_or_default();
        if columns > best.1 {
            best = (separator, columns);
        }
    }
    best.0
}

/// The separator of a single file: its headings are at the latest in the second record.
fn single_file_separator(text: &str) -> u8 {
    separator(text, 2)
}

/// Whether a text is a single file with sheets: it begins with the name of one, or it has the four separators of
/// pyxform's rule and rows whose first column is empty.
pub(super) fn looks_like_sheets(beginning: &str) -> bool {
    let separator = single_file_separator(beginning);
    let mut records = first_records(beginning, separator);
    let Some(first) = records.next() else {
        return false;
    };
    if first.get(0).is_some_and(is_known_sheet) {
        return true;
    }
    let separators = beginning.bytes().filter(|byte| *byte == separator).count();
    separators >= 4 && records.any(|record| record.get(0).is_some_and(|field| trim(field).is_empty()))
}

/// Reads a single CSV file.
pub(super) fn read(text: &str) -> Result<Workbook, FormProblems> {
    check_lines(text)?;
    // A sheet may go on further below, with headings of its own; its tables are gathered before they are read.
    let mut names: Vec<String> = Vec::new();
    let mut tables: BTreeMap<String, Vec<Vec<StringRecord>>> = BTreeMap::new();
    let mut current: Option<String> = None;
    let mut kept = 0_u64;
    for record in records(text, single_file_separator(text)) {
        let record = record.map_err(unreadable)?;
        if let Some(name) = record.get(0).map(trim).filter(|name| !name.is_empty()) {
            let key = name.to_lowercase();
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
                check_sheet_count(names.len())?;
                // pyxform begins anew where names differ in capitals only, and goes on where they are the same.
                tables.insert(key.clone(), Vec::new());
            }
            tables.entry(key.clone()).or_default().push(Vec::new());
            current = Some(key);
        }
        if !has_content(record.iter().skip(1)) {
            continue;
        }
        kept += 1;
        within(Phrase::new("the number of rows", "số hàng"), kept, MAX_CELLS).map_err(FormProblems::workbook)?;
        let line = record.position().map_or(1, csv::Position::line);
        let table = current.as_ref().and_then(|key| tables.get_mut(key)?.last_mut());
        table.ok_or_else(|| before_any_sheet(line))?.push(record);
    }
    let mut workbook = Workbook::default();
    let mut budget = Budget::default();
    for name in &names {
        let Some(tables) = tables
            .remove(&name.to_lowercase())
            .filter(|_| is_read(name, names.len()))
        else {
            continue;
        };
        let mut grid = Grid::new(name, Dialect::Text, &mut budget);
        put_tables(&mut grid, &tables)?;
        workbook.sheets.push(grid.finish());
    }
    workbook.sheet_names = names;
    Ok(workbook)
}

/// A row that stands before the name of any sheet.
pub(super) fn before_any_sheet(line: u64) -> FormProblems {
    const NO_SHEET: Phrase = Phrase::new(
        "the line stands before the name of any sheet, which belongs alone into the first column",
        "dòng này đứng trước tên trang tính; tên trang tính phải nằm ở cột đầu tiên",
    );
    in_text(line, ProblemKind::NotAWorkbook(NO_SHEET))
}

/// Puts the tables of a sheet below one another. A heading that an earlier table has too is the same column.
fn put_tables(grid: &mut Grid<'_>, tables: &[Vec<StringRecord>]) -> Result<(), FormProblems> {
    let mut known: BTreeMap<String, u32> = BTreeMap::new();
    let mut width = 0_u32;
    let mut row = 0_u32;
    for table in tables {
        let Some((headings, rows)) = table.split_first() else {
            continue;
        };
        let mut columns: Vec<u32> = Vec::new();
        let mut found: Vec<(String, u32)> = Vec::new();
        let first_new = width;
        for (heading, column) in headings.iter().skip(1).map(trim).zip(first_new..) {
            let column = known.get(heading).copied().unwrap_or(column);
            grid.put(0, column, heading)?;
            columns.push(column);
            found.push((heading.to_owned(), column));
            width = width.max(column + 1);
        }
        known.extend(found);
        for record in rows {
            row += 1;
            for (column, field) in columns.iter().zip(record.iter().skip(1)) {
                grid.put(row, *column, field)?;
            }
        }
    }
    Ok(())
}

/// The sheet that a file of its own holds: the file's name without folder and `.csv`.
pub(super) fn sheet_name(file_name: &str) -> Option<&str> {
    let file = file_name.rsplit(['/', '\\']).next()?;
    let (stem, ending) = file.rsplit_once('.')?;
    (ending.eq_ignore_ascii_case("csv") && !stem.is_empty()).then_some(stem)
}

/// Reads an archive of CSV files.
pub(super) fn read_archive(mut archive: Archive<'_>) -> Result<Workbook, FormProblems> {
    let mut names = archive.names();
    names.retain(|name| sheet_name(name).is_some());
    let mut files: Vec<(&str, Vec<u8>)> = Vec::new();
    for name in &names {
        let sheet = sheet_name(name).unwrap_or_default();
        if is_read(sheet, names.len()) {
            files.push((name, archive.bytes(name)?));
        } else {
            files.push((name, Vec::new()));
        }
    }
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    read_files(&files)
}

/// Reads CSV files with one sheet each, by rules of spreadsheets: every line of a file is a row.
pub(super) fn read_files(files: &[(&str, &[u8])]) -> Result<Workbook, FormProblems> {
    let sheets: Vec<(&str, &[u8])> = files
        .iter()
        .filter_map(|(name, bytes)| Some((sheet_name(name)?, *bytes)))
        .collect();
    check_sheet_count(sheets.len())?;
    let mut workbook = Workbook::default();
    let mut budget = Budget::default();
    for (name, bytes) in &sheets {
        workbook.sheet_names.push((*name).to_owned());
        if !is_read(name, sheets.len()) {
            continue;
        }
        let in_sheet = |FormProblems(problems): FormProblems| {
            let named = problems.into_iter().map(|problem| FormProblem {
                place: Place::new(name, problem.place.row, problem.place.column.as_deref()),
                ..problem
            });
            FormProblems(named.collect())
        };
        let size = within(
            Phrase::new("the file's size in bytes", "kích thước tệp (byte)"),
            bytes.len() as u64,
            MAX_FILE_BYTES,
        );
        size.map_err(|kind| in_sheet(FormProblems::workbook(kind)))?;
        let text = detection::text(bytes).map_err(in_sheet)?;
        check_lines(text).map_err(in_sheet)?;
        let mut grid = Grid::new(name, Dialect::Spreadsheet, &mut budget);
        for (row, record) in (0..).zip(records(text, separator(text, 1))) {
            let record = record.map_err(unreadable).map_err(in_sheet)?;
            for (column, field) in (0..).zip(record.iter()) {
                grid.put(row, column, field)?;
            }
        }
        workbook.sheets.push(grid.finish());
    }
    Ok(workbook)
}
