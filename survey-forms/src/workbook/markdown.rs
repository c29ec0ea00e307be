//! Markdown tables as pyxform reads them, and writes of them.
//!
//! ```text
//! | survey |
//! |        | type | name | label   |
//! |        | note | n    | a \| b  |
//! ```
//!
//! Every line between two `|` is a row; its first cell names a sheet that begins here, the next row beside or below it
//! holds the headings. `\|` is a `|` within a cell. Lines that begin with `#`, what follows the last `#` of a line after
//! its last `|`, rules such as `|---|---|`, and lines without a table's row are not read. Rows without content are not
//! counted.

use std::collections::BTreeMap;

use super::grid::{Budget, Dialect, Grid, MAX_CELLS, check_sheet_count, is_white_space, trim, within};
use super::{Sheet, Workbook, delimited, is_read};
use crate::Phrase;
use crate::model::{FormProblem, FormProblems, Place, ProblemKind};

/// Whether a text has a row of a table at its beginning, of which the last line may be cut off.
pub(super) fn looks_like_table(beginning: &str, cut_off: bool) -> bool {
    let mut lines = beginning.split('\n').peekable();
    while let Some(line) = lines.next() {
        let last = lines.peek().is_none();
        if row(line).is_some() || (last && cut_off && line.trim_start().starts_with('|')) {
            return true;
        }
    }
    false
}

/// What stands between the first and the last `|` of a line, if the line is a row of a table.
fn row(line: &str) -> Option<&str> {
    let line = line.trim_start_matches(is_white_space);
    if line.starts_with('#') {
        return None;
    }
    // A comment follows the last `|`, or is no comment.
    let inside = line.strip_prefix('|')?;
    let (inside, _) = inside.rsplit_once('|')?;
    let is_rule = !inside.is_empty() && inside.bytes().all(|byte| matches!(byte, b'|' | b'-'));
    (!is_rule).then_some(inside)
}

/// The cells of a row: a `|` after `\` does not end a cell.
fn cells(inside: &str) -> impl Iterator<Item = &str> {
    let mut left = Some(inside);
    std::iter::from_fn(move || {
        let text = left?;
        let ends = |(at, _): &(usize, &str)| !text[..*at].ends_with('\\');
        match text.match_indices('|').find(ends) {
            Some((at, _)) => {
                left = text.get(at + 1..);
                text.get(..at)
            }
            None => left.take(),
        }
    })
}

/// Reads the tables of a text.
pub(super) fn read(text: &str) -> Result<Workbook, FormProblems> {
    // Where each sheet begins, in lines from 0; the last one of a name counts.
    let mut names: Vec<String> = Vec::new();
    let mut begins: BTreeMap<String, usize> = BTreeMap::new();
    for (line, inside) in text.split('\n').enumerate() {
        let Some(name) = row(inside).map(first_cell) else {
            continue;
        };
        if let Some(name) = name {
            if begins.insert(name.clone(), line).is_none() {
                names.push(name);
                check_sheet_count(names.len())?;
            }
        } else if names.is_empty() {
            return Err(delimited::before_any_sheet(line as u64 + 1));
        }
    }
    let mut workbook = Workbook::default();
    let mut budget = Budget::default();
    for name in &names {
        let begin = begins.get(name).copied().unwrap_or_default();
        if is_read(name, names.len()) {
            let sheet = read_sheet(text.split('\n').skip(begin), name, &mut budget)?;
            workbook.sheets.push(sheet);
        }
    }
    workbook.sheet_names = names;
    Ok(workbook)
}

fn first_cell(inside: &str) -> Option<String> {
    let name = cells(inside).next().map(cell_text)?;
    (!name.is_empty()).then_some(name)
}

fn cell_text(cell: &str) -> String {
    trim(cell).replace("\\|", "|")
}

/// Reads a sheet from the line that names it to the next name.
fn read_sheet<'a>(
    lines: impl Iterator<Item = &'a str>,
    name: &str,
    budget: &mut Budget,
) -> Result<Sheet, FormProblems> {
    let mut grid = Grid::new(name, Dialect::Text, budget);
    let mut number = 0_u32;
    for (line, inside) in lines.enumerate() {
        let Some(inside) = row(inside) else { continue };
        if line > 0 && first_cell(inside).is_some() {
            break;
        }
        let mut filled = false;
        for (column, cell) in (0..).zip(cells(inside).skip(1)) {
            let text = cell_text(cell);
            filled |= !text.is_empty();
            grid.put(number, column, &text)?;
        }
        number += u32::from(filled);
    }
    Ok(grid.finish())
}

/// Writes the sheets of a workbook as Markdown tables, so that [`super::read`] of the text gives the same sheets. Rows are
/// numbered anew, without gaps; cells below no heading are left out.
///
/// # Errors
/// With the sheet, row and heading of a text that a table cannot hold: line breaks, white space at its ends, or nothing;
/// and with the sheet that has no name of its own or no heading.
pub fn write(workbook: &Workbook) -> Result<String, FormProblems> {
    let mut written = String::new();
    let mut problems = Vec::new();
    let mut cells = 0_u64;
    for (position, sheet) in workbook.sheets.iter().enumerate() {
        let mut report = |row: u32, column: Option<&str>, what: Phrase| {
            problems.push(FormProblem {
                place: Place::new(&sheet.name, Some(row), column),
                kind: ProblemKind::NotInMarkdown(what),
            });
        };
        let earlier = workbook.sheets.iter().take(position);
        if earlier.into_iter().any(|other| other.name == sheet.name) {
            report(
                0,
                None,
                Phrase::new("two sheets of the same name", "hai trang tính cùng tên"),
            );
        }
        if let Some(what) = obstacle(&sheet.name) {
            report(0, None, what);
        }
        let Some(last) = sheet.headings.keys().next_back().copied() else {
            report(
                0,
                None,
                Phrase::new("a sheet without headings", "trang tính không có tiêu đề cột"),
            );
            continue;
        };
        // A column far to the right costs a cell for each before it, in every row.
        cells = cells.saturating_add((u64::from(last) + 1).saturating_mul(sheet.rows.len() as u64 + 1));
        within(
            Phrase::new("the number of cells", "số ô"),
            cells,
            MAX_CELLS.saturating_mul(10),
        )
        .map_err(FormProblems::workbook)?;
        write_row(&mut written, Some(&sheet.name), []);
        for (column, heading) in &sheet.headings {
            if let Some(what) = obstacle(heading) {
                report(1, Some(&super::grid::column_letters(*column)), what);
            }
        }
        let headings = (0..=last).map(|column| sheet.headings.get(&column));
        write_row(&mut written, None, headings);
        for row in &sheet.rows {
            for (column, text) in &row.cells {
                if let Some(what) = obstacle(text) {
                    report(row.number, sheet.headings.get(column).map(String::as_str), what);
                }
            }
            if row.cells.keys().any(|column| sheet.headings.contains_key(column)) {
                let cell = |column| row.cells.get(&column).filter(|_| sheet.headings.contains_key(&column));
                write_row(&mut written, None, (0..=last).map(cell));
            }
        }
    }
    if problems.is_empty() {
        Ok(written)
    } else {
        Err(FormProblems(problems))
    }
}

/// Why a table cannot hold a text.
fn obstacle(text: &str) -> Option<Phrase> {
    if text.is_empty() {
        return Some(Phrase::new("an empty text", "chuỗi rỗng"));
    }
    if text.contains('\n') {
        return Some(Phrase::new("a line break within a cell", "dấu xuống dòng trong ô"));
    }
    if text.contains('\0') {
        return Some(Phrase::new("a NUL character", "ký tự NUL"));
    }
    (trim(text).len() < text.len()).then_some(Phrase::new(
        "a text with spaces at its ends",
        "chuỗi có khoảng trắng ở đầu hoặc cuối",
    ))
}

fn write_row<'a>(written: &mut String, name: Option<&str>, cells: impl IntoIterator<Item = Option<&'a String>>) {
    let mut write = |text: &str| {
        written.push_str("| ");
        written.push_str(&text.replace('|', "\\|"));
        if !text.is_empty() {
            written.push(' ');
        }
    };
    write(name.unwrap_or_default());
    for cell in cells {
        write(cell.map_or("", String::as_str));
    }
    written.push_str("|\n");
}
