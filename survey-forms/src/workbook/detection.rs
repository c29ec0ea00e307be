//! Finds out what a file is by what it holds.

use super::archive::Archive;
use super::grid::{MAX_FILE_BYTES, within};
use super::{Workbook, binary, compound, delimited, markdown, office_open, open_document};
use crate::Phrase;
use crate::model::{FormProblems, ProblemKind};

/// How much of a text is looked at to tell Markdown from CSV, as much as pyxform looks at.
const LOOKED_AT: usize = 5000;

/// Reads the sheets of a file. Its name, where it is known, only decides whether a text is Markdown or CSV if it could be
/// either.
///
/// # Errors
/// With the place in the file and a way out: for bytes that are no workbook, damaged ones, kinds that are not read, and
/// what exceeds a limit. No input makes it panic, and its memory stays below a fixed multiple of the limits.
pub fn read(bytes: &[u8], file_name: Option<&str>) -> Result<Workbook, FormProblems> {
    within(
        Phrase::new("the file's size in bytes", "kích thước tệp (byte)"),
        bytes.len() as u64,
        MAX_FILE_BYTES,
    )
    .map_err(FormProblems::workbook)?;
    match bytes {
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => read_archive(bytes),
        _ if bytes.starts_with(&compound::SIGNATURE) => binary::read_compound(bytes),
        // The records of Excel 5 and older may stand in a file as they are.
        [9, 0 | 2 | 4 | 8, 4..=20, 0, ..] => binary::read_stream(bytes),
        _ => read_text(text(bytes)?, file_name),
    }
}

fn read_archive(bytes: &[u8]) -> Result<Workbook, FormProblems> {
    let archive = Archive::open(bytes)?;
    if open_document::is_open_document(&archive) {
        return open_document::read(archive);
    }
    let is_spreadsheet = |name: &String| name.starts_with("xl/") || name == "[Content_Types].xml";
    let names = archive.names();
    if !names.iter().any(is_spreadsheet) && names.iter().any(|name| delimited::sheet_name(name).is_some()) {
        return delimited::read_archive(archive);
    }
    office_open::read(archive)
}

/// The text of a file that is no archive, without the mark at its beginning.
pub(super) fn text(bytes: &[u8]) -> Result<&str, FormProblems> {
    let no_text = |at: usize| {
        let before = bytes.get(..at).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        FormProblems::workbook(ProblemKind::NotText { line, byte: at as u64 })
    };
    // Text in UTF-16 is full of NUL; XForms cannot hold it.
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        let valid = bytes.get(..at).map_or(0, |before| {
            before.utf8_chunks().next().map_or(0, |chunk| chunk.valid().len())
        });
        return Err(no_text(valid));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| no_text(error.valid_up_to()))?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn read_text(text: &str, file_name: Option<&str>) -> Result<Workbook, FormProblems> {
    let beginning = text.char_indices().nth(LOOKED_AT).map_or(text, |(end, _)| &text[..end]);
    let named = |ending: &str| {
        let ends = |name: &str| name.to_lowercase().ends_with(ending);
        file_name.is_some_and(ends)
    };
    let looks_like_markdown = markdown::looks_like_table(beginning, text.len() > beginning.len());
    let looks_like_csv = delimited::looks_like_sheets(beginning);
    if looks_like_markdown && !(named(".csv") && looks_like_csv) {
        return markdown::read(text);
    }
    if looks_like_csv || named(".csv") {
        return delimited::read(text);
    }
    if named(".md") {
        return markdown::read(text);
    }
    Err(FormProblems::workbook(ProblemKind::NotAWorkbook(Phrase::new(
        "it is neither a spreadsheet nor CSV or Markdown that begins with the name of a sheet",
        "đây không phải bảng tính, cũng không phải CSV hay Markdown bắt đầu bằng tên trang tính",
    ))))
}
