//! The sheets of `.xls` ([MS-XLS], and the same records of Excel 95), read as xlrd reads them for pyxform.

use std::collections::BTreeMap;

use super::archive::PROTECTED;
use super::binary_text::{Parts, TextProblem};
use super::compound::{CompoundFile, u16_at, u32_at};
use super::grid::{Budget, Dialect, Grid, check_sheet_count, check_string_count, damaged};
use super::numbers::{self, Epoch, Format};
use super::{Sheet, Workbook, is_read};
use crate::Phrase;
use crate::model::{FormProblems, ProblemKind};

/// The kinds of records that are read ([MS-XLS] §2.3).
mod record {
    pub(super) const FORMULA: [u16; 3] = [0x0006, 0x0206, 0x0406];
    pub(super) const END: u16 = 0x000a;
    pub(super) const DATE_1904: u16 = 0x0022;
    pub(super) const FILE_PASS: u16 = 0x002f;
    pub(super) const CONTINUE: u16 = 0x003c;
    pub(super) const CODE_PAGE: u16 = 0x0042;
    pub(super) const BOUND_SHEET: u16 = 0x0085;
    pub(super) const MULTIPLE_RK: u16 = 0x00bd;
    pub(super) const RICH_STRING: u16 = 0x00d6;
    pub(super) const EXTENDED_FORMAT: u16 = 0x00e0;
    pub(super) const SHARED_STRINGS: u16 = 0x00fc;
    pub(super) const SHARED_LABEL: u16 = 0x00fd;
    pub(super) const NUMBER: u16 = 0x0203;
    pub(super) const LABEL: u16 = 0x0204;
    pub(super) const BOOLEAN_OR_ERROR: u16 = 0x0205;
    pub(super) const STRING: u16 = 0x0207;
    pub(super) const RK: u16 = 0x027e;
    pub(super) const FORMAT: u16 = 0x041e;
    pub(super) const BEGINNING: u16 = 0x0809;
}

const CUT_OFF: Phrase = Phrase::new("a record is cut off", "một bản ghi bị cắt cụt");

fn problem(at: usize, what: Phrase) -> FormProblems {
    damaged(".xls", format!("byte {at} of the workbook"), what)
}

fn unsupported(what: Phrase) -> FormProblems {
    FormProblems::workbook(ProblemKind::UnsupportedWorkbook(what))
}

/// Reads the workbook of a compound file.
pub(super) fn read_compound(bytes: &[u8]) -> Result<Workbook, FormProblems> {
    let file = CompoundFile::open(bytes)?;
    if file.has("EncryptedPackage") {
        return Err(unsupported(PROTECTED));
    }
    for name in ["Workbook", "Book"] {
        if let Some(stream) = file.stream(name)? {
            return read_stream(&stream);
        }
    }
    Err(FormProblems::workbook(ProblemKind::NotAWorkbook(Phrase::new(
        "the compound file holds no workbook",
        "tệp phức hợp không chứa sổ tính",
    ))))
}

/// A record and where it begins.
#[derive(Clone, Copy)]
struct Record<'a> {
    at: usize,
    kind: u16,
    data: &'a [u8],
}

impl<'a> Record<'a> {
    fn cut_off(&self) -> FormProblems {
        problem(self.at, CUT_OFF)
    }

    fn word(&self, at: usize) -> Result<u16, FormProblems> {
        u16_at(self.data, at).ok_or_else(|| self.cut_off())
    }

    fn double_word(&self, at: usize) -> Result<u32, FormProblems> {
        u32_at(self.data, at).ok_or_else(|| self.cut_off())
    }

    fn bytes<const LENGTH: usize>(&self, at: usize) -> Result<[u8; LENGTH], FormProblems> {
        let found = self.data.get(at..).and_then(<[u8]>::first_chunk);
        found.copied().ok_or_else(|| self.cut_off())
    }

    fn byte(&self, at: usize) -> Result<u8, FormProblems> {
        Ok(self.bytes::<1>(at)?[0])
    }
}

/// The records of a stream from a place on.
struct Records<'a> {
    stream: &'a [u8],
    at: usize,
}

impl<'a> Records<'a> {
    /// The next record; none at the end of the stream.
    fn next(&mut self) -> Result<Option<Record<'a>>, FormProblems> {
        let at = self.at;
        let (Some(kind), Some(length)) = (u16_at(self.stream, at), u16_at(self.stream, at + 2)) else {
            return Ok(None);
        };
        let end = at + 4 + usize::from(length);
        let data = self.stream.get(at + 4..end).ok_or_else(|| problem(at, CUT_OFF))?;
        self.at = end;
        Ok(Some(Record { at, kind, data }))
    }

    /// A record's data and that of the continuations after it.
    fn with_continuations(&mut self, record: Record<'a>, skipped: usize) -> Result<Parts<'a>, FormProblems> {
        let mut parts = vec![record.data.get(skipped..).ok_or_else(|| record.cut_off())?];
        while u16_at(self.stream, self.at) == Some(record::CONTINUE) {
            parts.extend(self.next()?.map(|record| record.data));
        }
        Ok(Parts::new(parts))
    }
}

/// What the records before the sheets say.
#[derive(Default)]
struct Globals {
    /// Whether the workbook is of Excel 95, with its strings in a code page.
    excel_95: bool,
    code_page: u16,
    epoch: Epoch,
    strings: Vec<String>,
    /// The number formats by number.
    number_formats: BTreeMap<u16, Format>,
    /// What each cell format makes of a number.
    formats: Vec<Format>,
    /// The names of the worksheets and where in the stream they begin.
    sheets: Vec<(String, usize)>,
}

/// Reads a stream of records.
pub(super) fn read_stream(stream: &[u8]) -> Result<Workbook, FormProblems> {
    let globals = read_globals(stream)?;
    let mut workbook = Workbook::default();
    let mut budget = Budget::default();
    for (name, at) in &globals.sheets {
        workbook.sheet_names.push(name.clone());
        if is_read(name, globals.sheets.len()) {
            let sheet = read_sheet(stream, *at, name, &globals, &mut budget)?;
            workbook.sheets.push(sheet);
        }
    }
    Ok(workbook)
}

fn read_globals(stream: &[u8]) -> Result<Globals, FormProblems> {
    const NO_BEGINNING: Phrase = Phrase::new(
        "the stream does not begin as a workbook",
        "luồng không bắt đầu như sổ tính",
    );
    let mut records = Records { stream, at: 0 };
    let beginning = records.next()?.ok_or_else(|| problem(0, NO_BEGINNING))?;
    let mut globals = Globals {
        excel_95: match (beginning.kind, u16_at(beginning.data, 0)) {
            (record::BEGINNING, Some(0x0600)) => false,
            (record::BEGINNING, Some(0x0500)) => true,
            (record::BEGINNING | 0x0409 | 0x0209 | 0x0009, _) => {
                return Err(unsupported(Phrase::new(
                    "a workbook of Excel 4 or older; save it as .xlsx",
                    "sổ tính của Excel 4 trở về trước; hãy lưu thành .xlsx",
                )));
            }
            _ => return Err(problem(0, NO_BEGINNING)),
        },
        code_page: 1252,
        ..Globals::default()
    };
    while let Some(record) = records.next()? {
        match record.kind {
            record::END => break,
            record::FILE_PASS => return Err(unsupported(PROTECTED)),
            record::CODE_PAGE => globals.code_page = record.word(0)?,
            record::DATE_1904 if record.word(0)? == 1 => globals.epoch = Epoch::Macintosh,
            record::BOUND_SHEET => {
                let at = record.double_word(0)? as usize;
                let worksheet = record.byte(5)? == 0;
                let name = text(&mut records, record, 6, 1, &globals)?;
                if worksheet {
                    globals.sheets.push((name, at));
                    check_sheet_count(globals.sheets.len())?;
                }
            }
            record::FORMAT => {
                let id = record.word(0)?;
                let length_bytes = if globals.excel_95 { 1 } else { 2 };
                let code = text(&mut records, record, 2, length_bytes, &globals)?;
                globals.number_formats.insert(id, numbers::binary_format(&code));
            }
            record::EXTENDED_FORMAT => {
                let id = record.word(2)?;
                let format = globals.number_formats.get(&id).copied();
                globals
                    .formats
                    .push(format.unwrap_or_else(|| numbers::built_in_binary_format(id)));
            }
            record::SHARED_STRINGS => {
                let mut parts = records.with_continuations(record, 8)?;
                while !parts.is_empty() {
                    let string = parts.unicode(2);
                    globals
                        .strings
                        .push(string.map_err(|error| problem(record.at, error.phrase()))?);
                    check_string_count(globals.strings.len())?;
                }
            }
            _ => {}
        }
    }
    Ok(globals)
}

/// The string that stands in a record after some bytes.
fn text<'a>(
    records: &mut Records<'a>,
    record: Record<'a>,
    skipped: usize,
    length_bytes: usize,
    globals: &Globals,
) -> Result<String, FormProblems> {
    let mut parts = records.with_continuations(record, skipped)?;
    let text = if globals.excel_95 {
        parts.code_page(length_bytes, globals.code_page)
    } else {
        parts.unicode(length_bytes)
    };
    text.map_err(|error| match error {
        TextProblem::CutOff => problem(record.at, error.phrase()),
        TextProblem::CodePage => unsupported(Phrase::new(
            "a workbook of Excel 95 in a code page that is not supported; save it as .xlsx",
            "sổ tính Excel 95 với bảng mã không được hỗ trợ; hãy lưu thành .xlsx",
        )),
    })
}

fn read_sheet(
    stream: &[u8],
    at: usize,
    name: &str,
    globals: &Globals,
    budget: &mut Budget,
) -> Result<Sheet, FormProblems> {
    const NO_SHEET: Phrase = Phrase::new(
        "there is no sheet where one should begin",
        "không có trang tính tại đây",
    );
    let mut records = Records { stream, at };
    let beginning = records.next()?.filter(|record| record.kind == record::BEGINNING);
    beginning.ok_or_else(|| problem(at, NO_SHEET))?;
    let mut grid = Grid::new(name, Dialect::Spreadsheet, budget);
    // Charts are streams of records within the sheet's.
    let mut depth = 0_usize;
    // The cell whose formula gives a text, which a later record holds.
    let mut waiting: Option<(u32, u32)> = None;
    while let Some(record) = records.next()? {
        match record.kind {
            record::BEGINNING => depth += 1,
            record::END if depth == 0 => break,
            record::END => depth -= 1,
            _ if depth > 0 => {}
            record::STRING => {
                let string = text(&mut records, record, 0, 2, globals)?;
                if let Some((row, column)) = waiting.take() {
                    grid.put(row, column, &string)?;
                }
            }
            record::MULTIPLE_RK => read_multiple(record, &mut grid, globals)?,
            kind if is_cell(kind) => {
                let (row, column) = (record.word(0)?.into(), record.word(2)?.into());
                match cell_text(&mut records, record, globals)? {
                    Some(text) => grid.put(row, column, &text)?,
                    None => waiting = Some((row, column)),
                }
            }
            _ => {}
        }
    }
    Ok(grid.finish())
}

fn is_cell(kind: u16) -> bool {
    matches!(
        kind,
        record::NUMBER
            | record::LABEL
            | record::RICH_STRING
            | record::SHARED_LABEL
            | record::RK
            | record::BOOLEAN_OR_ERROR
    ) || record::FORMULA.contains(&kind)
}

/// The text of the cell that a record holds; none where it is a formula whose text follows.
fn cell_text<'a>(
    records: &mut Records<'a>,
    record: Record<'a>,
    globals: &Globals,
) -> Result<Option<String>, FormProblems> {
    const NO_STRING: Phrase = Phrase::new(
        "a cell refers to a shared string that there is not",
        "một ô trỏ đến chuỗi dùng chung không tồn tại",
    );
    let format = record.word(4)?;
    let text = match record.kind {
        record::NUMBER => number_text(f64::from_le_bytes(record.bytes(6)?), format, globals),
        record::RK => number_text(rk_number(record.double_word(6)?), format, globals),
        record::SHARED_LABEL => {
            let string = globals.strings.get(record.double_word(6)? as usize);
            string.ok_or_else(|| problem(record.at, NO_STRING))?.clone()
        }
        record::LABEL | record::RICH_STRING => text(records, record, 6, 2, globals)?,
        record::BOOLEAN_OR_ERROR => {
            let value = record.byte(6)?;
            match record.byte(7)? {
                0 => boolean_text(value),
                _ => error_text(value),
            }
        }
        _ => {
            let result: [u8; 8] = record.bytes(6)?;
            match result {
                [0, .., 0xff, 0xff] => return Ok(None),
                [1, _, value, .., 0xff, 0xff] => boolean_text(value),
                [2, _, value, .., 0xff, 0xff] => error_text(value),
                [.., 0xff, 0xff] => String::new(),
                number => number_text(f64::from_le_bytes(number), format, globals),
            }
        }
    };
    Ok(Some(text))
}

/// Several numbers beside one another: row, first column, then each number after its format, then the last column.
fn read_multiple(record: Record<'_>, grid: &mut Grid<'_>, globals: &Globals) -> Result<(), FormProblems> {
    let (row, first) = (record.word(0)?, record.word(2)?);
    let numbers = record.data.get(4..).unwrap_or_default().as_chunks::<6>().0;
    for (offset, number) in (0..).zip(numbers) {
        let [format @ .., a, b, c, d] = *number;
        let text = number_text(
            rk_number(u32::from_le_bytes([a, b, c, d])),
            u16::from_le_bytes(format),
            globals,
        );
        grid.put(row.into(), u32::from(first) + offset, &text)?;
    }
    Ok(())
}

/// A number in four bytes ([MS-XLS] §2.5.217): an integer or the upper half of a double, perhaps times a hundred.
fn rk_number(coded: u32) -> f64 {
    const IN_HUNDREDTHS: u32 = 1;
    const INTEGER: u32 = 2;
    let number = if coded & INTEGER != 0 {
        f64::from(coded.cast_signed() >> 2)
    } else {
        f64::from_bits(u64::from(coded & !3) << 32)
    };
    if coded & IN_HUNDREDTHS != 0 {
        number / 100.0
    } else {
        number
    }
}

fn number_text(number: f64, format: u16, globals: &Globals) -> String {
    match globals.formats.get(usize::from(format)) {
        Some(Format::Date | Format::Duration) => {
            numbers::binary_date_text(number, globals.epoch).unwrap_or_else(|| "#VALUE!".to_owned())
        }
        _ => numbers::number_text(number),
    }
}

fn boolean_text(value: u8) -> String {
    if value == 0 { "FALSE" } else { "TRUE" }.to_owned()
}

/// The text of an error's code ([MS-XLS] §2.5.10).
fn error_text(code: u8) -> String {
    match code {
        0x00 => "#NULL!",
        0x07 => "#DIV/0!",
        0x0f => "#VALUE!",
        0x17 => "#REF!",
        0x1d => "#NAME?",
        0x24 => "#NUM!",
        0x2b => "#GETTING_DATA",
        _ => "#N/A",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_numbers_are_integers_or_halves_of_doubles() {
        assert_eq!(rk_number(5 << 2 | 2), 5.0);
        assert_eq!(rk_number((-5_i32 << 2).cast_unsigned() | 2), -5.0);
        assert_eq!(rk_number(1234 << 2 | 3), 12.34);
        assert_eq!(rk_number((1.5_f64.to_bits() >> 32) as u32), 1.5);
    }
}
