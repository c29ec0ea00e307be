//! The sheets of `.ods` (OpenDocument 1.3, part 3). pyxform does not read it; cells are handed on as those of `.xlsx`.

use quick_xml::events::BytesStart;

use super::archive::Archive;
use super::grid::{
    Budget, Dialect, Grid, MAX_COLUMNS, MAX_ROWS, MAX_TEXT_BYTES, check_sheet_count, is_white_space, within,
};
use super::xml::{Document, Node, local_name};
use super::{Workbook, is_read, numbers};
use crate::Phrase;
use crate::model::FormProblems;

const FORMAT: &str = ".ods";
const CONTENT: &str = "content.xml";
/// The most spaces that one element may stand for.
const MAX_SPACES: u32 = 1000;

/// Whether an archive is a spreadsheet of OpenDocument: its first part names the media type.
pub(super) fn is_open_document(archive: &Archive<'_>) -> bool {
    archive.has(CONTENT) && (archive.has("mimetype") || archive.has("META-INF/manifest.xml"))
}

pub(super) fn read(mut archive: Archive<'_>) -> Result<Workbook, FormProblems> {
    archive.format = FORMAT;
    let text = archive.text(CONTENT)?;
    let names = table_names(&text)?;
    check_sheet_count(names.len())?;
    let mut workbook = Workbook::default();
    let mut budget = Budget::default();
    let mut document = Document::new(&text, FORMAT, CONTENT);
    while let Some(node) = document.next()? {
        let Node::Start(start) = node else { continue };
        if local_name(&start) != "table" {
            continue;
        }
        let name = document.attribute(&start, "name")?.unwrap_or_default();
        let mut grid = Grid::new(&name, Dialect::Spreadsheet, &mut budget);
        let read = is_read(&name, names.len());
        read_table(&mut document, read.then_some(&mut grid))?;
        if read {
            workbook.sheets.push(grid.finish());
        }
        workbook.sheet_names.push(name);
    }
    Ok(workbook)
}

/// The names of the outermost tables.
fn table_names(text: &str) -> Result<Vec<String>, FormProblems> {
    let mut document = Document::new(text, FORMAT, CONTENT);
    let mut names = Vec::new();
    while let Some(node) = document.next()? {
        if let Node::Start(start) = node
            && local_name(&start) == "table"
        {
            names.push(document.attribute(&start, "name")?.unwrap_or_default());
            read_table(&mut document, None)?;
        }
    }
    Ok(names)
}

/// A cell while it is read.
struct Cell {
    /// How many elements deep the cell stands.
    depth: usize,
    /// How many columns it fills.
    repeated: u32,
    /// The text of a value that is written in an attribute.
    value: Option<String>,
    text: Paragraphs,
}

/// Reads to the end of a table, into a grid if its cells count.
fn read_table(document: &mut Document<'_>, mut grid: Option<&mut Grid<'_>>) -> Result<(), FormProblems> {
    let (mut row, mut rows_repeated) = (0_u32, 1_u32);
    let mut column = 0_u32;
    // The filled cells of the row being read, each with the columns that it fills.
    let mut filled: Vec<(u32, u32, String)> = Vec::new();
    let mut open: Vec<Element> = vec![Element::Other];
    let mut cell: Option<Cell> = None;
    while let Some(node) = document.next()? {
        match node {
            Node::Start(start) => {
                let element = Element::of(local_name(&start));
                match (&mut cell, element) {
                    (Some(cell), element) => cell.text.start(element, spaces(document, &start, element)?),
                    (None, Element::Row) => {
                        rows_repeated = repeated(document, &start, "number-rows-repeated")?;
                        column = 0;
                        filled.clear();
                    }
                    (None, Element::Cell) => {
                        cell = Some(Cell {
                            depth: open.len(),
                            repeated: repeated(document, &start, "number-columns-repeated")?,
                            value: value_text(document, &start)?,
                            text: Paragraphs::default(),
                        });
                    }
                    (None, Element::Covered) => {
                        column = column.saturating_add(repeated(document, &start, "number-columns-repeated")?);
                    }
                    _ => {}
                }
                open.push(element);
                if let Some(cell) = &cell {
                    check_text(&cell.text.text)?;
                }
            }
            Node::Text(text) => {
                if let Some(cell) = &mut cell {
                    cell.text.text(&text);
                }
            }
            Node::End => {
                let ended = open.pop();
                if let Some(done) = cell.take_if(|cell| cell.depth == open.len()) {
                    let text = done.value.unwrap_or(done.text.text);
                    // A row with more cells than that is refused when it is put into the grid.
                    if !text.chars().all(is_white_space) && filled.len() <= MAX_COLUMNS as usize {
                        filled.push((column, done.repeated, text));
                    }
                    column = column.saturating_add(done.repeated);
                } else if let Some(cell) = &mut cell {
                    cell.text.end(ended.unwrap_or(Element::Other));
                } else if ended == Some(Element::Row) {
                    if let Some(grid) = grid.as_deref_mut() {
                        put_row(grid, row, rows_repeated, &filled)?;
                    }
                    row = row.saturating_add(rows_repeated);
                }
                if open.is_empty() {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// Puts a row as often as it is repeated. Repeated cells are looked at one by one, so that what is beyond a limit is
/// refused before it costs memory.
fn put_row(grid: &mut Grid<'_>, row: u32, repeated: u32, cells: &[(u32, u32, String)]) -> Result<(), FormProblems> {
    if cells.is_empty() {
        return Ok(());
    }
    for row in row..row.saturating_add(repeated.min(MAX_ROWS + 1)) {
        for (first, repeated, text) in cells {
            for column in *first..first.saturating_add((*repeated).min(MAX_COLUMNS + 1)) {
                grid.put(row, column, text)?;
            }
        }
    }
    Ok(())
}

/// Refuses a text that grows by the spaces that elements stand for.
fn check_text(text: &str) -> Result<(), FormProblems> {
    let what = Phrase::new("the text of a cell in bytes", "lượng chữ trong một ô (byte)");
    within(what, text.len() as u64, MAX_TEXT_BYTES).map_err(FormProblems::workbook)
}

fn repeated(document: &Document<'_>, start: &BytesStart<'_>, name: &str) -> Result<u32, FormProblems> {
    const NO_COUNT: Phrase = Phrase::new("a count of repetitions is none", "số lần lặp không hợp lệ");
    match document.attribute(start, name)? {
        None => Ok(1),
        Some(count) => count.trim().parse().map_err(|_| document.problem(NO_COUNT)),
    }
}

/// How many spaces an element stands for.
fn spaces(document: &Document<'_>, start: &BytesStart<'_>, element: Element) -> Result<u32, FormProblems> {
    const TOO_MANY: Phrase = Phrase::new(
        "an element stands for too many spaces",
        "một phần tử chứa quá nhiều dấu cách",
    );
    if element != Element::Space {
        return Ok(0);
    }
    let count = repeated(document, start, "c")?;
    if count > MAX_SPACES {
        return Err(document.problem(TOO_MANY));
    }
    Ok(count)
}

/// The text of a value that is written in an attribute; none where the paragraphs of the cell are its text.
fn value_text(document: &Document<'_>, start: &BytesStart<'_>) -> Result<Option<String>, FormProblems> {
    let kind = document.attribute(start, "value-type")?.unwrap_or_default();
    let attribute = |name| document.attribute(start, name);
    Ok(match kind.as_str() {
        "float" | "percentage" | "currency" => {
            attribute("value")?.map(|value| numbers::written_number_text(&value).unwrap_or(value))
        }
        "boolean" => attribute("boolean-value")?.map(|value| value.to_uppercase()),
        "date" => attribute("date-value")?.map(|value| match value.split_once('T') {
            Some((day, time)) => format!("{day} {time}"),
            None => format!("{value} 00:00:00"),
        }),
        "time" => attribute("time-value")?.map(|value| clock_text(&value).unwrap_or(value)),
        "string" => attribute("string-value")?,
        _ => None,
    })
}

/// Turns `PT09H30M00S` into `09:30:00`.
fn clock_text(duration: &str) -> Option<String> {
    let (hours, rest) = duration.strip_prefix("PT")?.split_once('H')?;
    let (minutes, rest) = rest.split_once('M')?;
    let seconds = rest.strip_suffix('S')?;
    Some(format!("{hours:0>2}:{minutes:0>2}:{seconds:0>2}"))
}

/// The elements that matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Row,
    Cell,
    /// A cell that a merged one hides.
    Covered,
    Paragraph,
    Space,
    Tab,
    LineBreak,
    /// A comment, or a ruby text above the line.
    Aside,
    Other,
}

impl Element {
    fn of(name: &str) -> Self {
        match name {
            "table-row" => Self::Row,
            "table-cell" => Self::Cell,
            "covered-table-cell" => Self::Covered,
            "p" | "h" => Self::Paragraph,
            "s" => Self::Space,
            "tab" => Self::Tab,
            "line-break" => Self::LineBreak,
            "annotation" | "ruby-text" => Self::Aside,
            _ => Self::Other,
        }
    }
}

/// Gathers the paragraphs of a cell, a line each; white space in them is collapsed (OpenDocument part 3 §6.1.2).
#[derive(Default)]
struct Paragraphs {
    text: String,
    any: bool,
    /// How many paragraphs and asides are open.
    in_paragraph: usize,
    aside: usize,
    /// Whether a space now would follow white space or begin a paragraph.
    after_space: bool,
}

impl Paragraphs {
    fn start(&mut self, element: Element, spaces: u32) {
        match element {
            Element::Aside => self.aside += 1,
            _ if self.aside > 0 => {}
            Element::Paragraph => {
                if self.any {
                    self.text.push('\n');
                }
                self.any = true;
                self.in_paragraph += 1;
                self.after_space = true;
            }
            Element::Space => {
                self.text.extend(std::iter::repeat_n(' ', spaces as usize));
                self.after_space = false;
            }
            Element::Tab => self.text.push('\t'),
            Element::LineBreak => self.text.push('\n'),
            _ => {}
        }
    }

    fn end(&mut self, element: Element) {
        match element {
            Element::Aside => self.aside = self.aside.saturating_sub(1),
            Element::Paragraph if self.aside == 0 => self.in_paragraph = self.in_paragraph.saturating_sub(1),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.aside > 0 || self.in_paragraph == 0 {
            return;
        }
        for character in text.chars() {
            if matches!(character, ' ' | '\t' | '\r' | '\n') {
                if !self.after_space {
                    self.text.push(' ');
                }
                self.after_space = true;
            } else {
                self.text.push(character);
                self.after_space = false;
            }
        }
    }
}
