//! The sheets of `.xlsx` (ECMA-376 part 1: SpreadsheetML), read as openpyxl reads them for pyxform.

use quick_xml::events::BytesStart;

use super::archive::Archive;
use super::grid::{Budget, Dialect, Grid, MAX_PARTS, check_sheet_count, check_string_count, column_letters};
use super::numbers::{self, Epoch, Format};
use super::xml::{Document, Node, local_name};
use super::{Sheet, Workbook, is_read};
use crate::Phrase;
use crate::model::{FormProblems, ProblemKind};

const FORMAT: &str = ".xlsx";

/// The most number formats and cell styles that are kept; Excel allows 65,490 styles.
const MAX_STYLES: usize = 70_000;

/// What the cells of all sheets refer to.
#[derive(Default)]
struct Shared {
    strings: Vec<String>,
    /// What each cell style makes of a number.
    formats: Vec<Format>,
    epoch: Epoch,
}

/// A sheet and the part of the archive that holds its cells.
struct SheetPart {
    name: String,
    relationship: String,
}

pub(super) fn read(mut archive: Archive<'_>) -> Result<Workbook, FormProblems> {
    archive.format = FORMAT;
    let main = main_part(&mut archive)?;
    let folder = main.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let text = archive.text(&main)?;
    let mut shared = Shared::default();
    let sheets = sheets_of(&text, &main, &mut shared)?;
    let relationships = match main.rsplit_once('/') {
        Some((folder, file)) => format!("{folder}/_rels/{file}.rels"),
        None => format!("_rels/{main}.rels"),
    };
    let relationships = relationships_of(&mut archive, &relationships)?;
    let part = |wanted: &dyn Fn(&Relationship) -> bool| {
        let found = relationships.iter().find(|relationship| wanted(relationship))?;
        Some(resolve(&folder, &found.target))
    };
    if let Some(part) = part(&|part| part.kind.ends_with("/sharedStrings")).filter(|part| archive.has(part)) {
        let text = archive.text(&part)?;
        shared.strings = shared_strings(&text, &part)?;
    }
    if let Some(part) = part(&|part| part.kind.ends_with("/styles")).filter(|part| archive.has(part)) {
        let text = archive.text(&part)?;
        shared.formats = cell_formats(&text, &part)?;
    }
    let mut workbook = Workbook::default();
    let mut budget = Budget::default();
    let worksheets = sheets.iter().filter_map(|sheet| {
        let is_worksheet = |part: &Relationship| part.id == sheet.relationship && !part.kind.ends_with("/chartsheet");
        let part = part(&is_worksheet).filter(|part| archive.has(part))?;
        Some((&sheet.name, part))
    });
    let worksheets: Vec<(&String, String)> = worksheets.collect();
    for (name, part) in &worksheets {
        workbook.sheet_names.push((*name).clone());
        if is_read(name, worksheets.len()) {
            let text = archive.text(part)?;
            let sheet = read_sheet(&text, part, name, &shared, &mut budget)?;
            workbook.sheets.push(sheet);
        }
    }
    Ok(workbook)
}

/// The part that names the sheets, by the relationships of the package.
fn main_part(archive: &mut Archive<'_>) -> Result<String, FormProblems> {
    const USUAL: &str = "xl/workbook.xml";
    let package = "_rels/.rels";
    if archive.has(package) {
        let found = relationships_of(archive, package)?;
        let main = found.iter().find(|part| part.kind.ends_with("/officeDocument"));
        if let Some(main) = main
            .map(|main| resolve("", &main.target))
            .filter(|main| archive.has(main))
        {
            if main.ends_with(".bin") {
                return Err(FormProblems::workbook(ProblemKind::UnsupportedWorkbook(Phrase::new(
                    "a binary Excel workbook (.xlsb); save it as .xlsx",
                    "sổ tính Excel nhị phân (.xlsb); hãy lưu thành .xlsx",
                ))));
            }
            return Ok(main);
        }
    }
    if archive.has(USUAL) {
        return Ok(USUAL.to_owned());
    }
    Err(FormProblems::workbook(ProblemKind::NotAWorkbook(Phrase::new(
        "the archive has no part xl/workbook.xml",
        "tệp nén không có phần xl/workbook.xml",
    ))))
}

struct Relationship {
    id: String,
    kind: String,
    target: String,
}

fn relationships_of(archive: &mut Archive<'_>, part: &str) -> Result<Vec<Relationship>, FormProblems> {
    const TOO_MANY: Phrase = Phrase::new("there are too many relationships", "có quá nhiều quan hệ");
    if !archive.has(part) {
        return Ok(Vec::new());
    }
    let text = archive.text(part)?;
    let mut document = Document::new(&text, FORMAT, part);
    let mut found = Vec::new();
    while let Some(node) = document.next()? {
        if let Node::Start(start) = node
            && local_name(&start) == "Relationship"
        {
            let attribute = |name| Ok(document.attribute(&start, name)?.unwrap_or_default());
            found.push(Relationship {
                id: attribute("Id")?,
                kind: attribute("Type")?,
                target: attribute("Target")?,
            });
            if found.len() as u64 > MAX_PARTS {
                return Err(document.problem(TOO_MANY));
            }
        }
    }
    Ok(found)
}

/// The name of a part that stands in a folder, or at the root where it begins with `/`.
fn resolve(folder: &str, target: &str) -> String {
    if let Some(absolute) = target.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut steps: Vec<&str> = folder.split('/').filter(|step| !step.is_empty()).collect();
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    steps.join("/")
}

fn sheets_of(text: &str, part: &str, shared: &mut Shared) -> Result<Vec<SheetPart>, FormProblems> {
    let mut document = Document::new(text, FORMAT, part);
    let mut sheets = Vec::new();
    while let Some(node) = document.next()? {
        let Node::Start(start) = node else { continue };
        match local_name(&start) {
            "workbookPr" => {
                let macintosh = document.attribute(&start, "date1904")?;
                if macintosh.is_some_and(|value| value == "1" || value == "true") {
                    shared.epoch = Epoch::Macintosh;
                }
            }
            "sheet" => {
                let name = document.attribute(&start, "name")?.unwrap_or_default();
                // The attribute `r:id` is the only one named `id` without its prefix.
                let relationship = document.attribute(&start, "id")?.unwrap_or_default();
                sheets.push(SheetPart { name, relationship });
                check_sheet_count(sheets.len())?;
            }
            _ => {}
        }
    }
    Ok(sheets)
}

/// Gathers the text of a string that may be formatted: that of its `t` elements, but not of phonetic guides.
#[derive(Default)]
struct StringText {
    text: String,
    in_text: bool,
    phonetic: usize,
}

impl StringText {
    fn start(&mut self, name: &str) {
        if self.phonetic > 0 || name == "rPh" {
            self.phonetic += 1;
        } else if name == "t" {
            self.in_text = true;
        }
    }

    fn end(&mut self) {
        self.phonetic = self.phonetic.saturating_sub(1);
        self.in_text = false;
    }

    fn text(&mut self, text: &str) {
        if self.in_text {
            self.text.push_str(text);
        }
    }
}

fn shared_strings(text: &str, part: &str) -> Result<Vec<String>, FormProblems> {
    let mut document = Document::new(text, FORMAT, part);
    let mut strings = Vec::new();
    let mut open: Option<StringText> = None;
    let mut depth = 0_usize;
    while let Some(node) = document.next()? {
        match node {
            Node::Start(start) => match &mut open {
                Some(string) => {
                    depth += 1;
                    string.start(local_name(&start));
                }
                None if local_name(&start) == "si" => {
                    open = Some(StringText::default());
                    depth = 0;
                }
                None => {}
            },
            Node::Text(text) => {
                if let Some(string) = &mut open {
                    string.text(&text);
                }
            }
            Node::End if depth > 0 => {
                depth -= 1;
                if let Some(string) = &mut open {
                    string.end();
                }
            }
            Node::End => {
                if let Some(string) = open.take() {
                    // The escape of an underscore, as openpyxl undoes it.
                    strings.push(string.text.replace("x005F_", ""));
                    check_string_count(strings.len())?;
                }
            }
        }
    }
    Ok(strings)
}

fn cell_formats(text: &str, part: &str) -> Result<Vec<Format>, FormProblems> {
    const TOO_MANY: Phrase = Phrase::new("there are too many styles", "có quá nhiều kiểu định dạng");
    let mut document = Document::new(text, FORMAT, part);
    let mut custom: std::collections::BTreeMap<u32, Format> = std::collections::BTreeMap::new();
    let mut formats = Vec::new();
    let mut in_cell_formats = false;
    while let Some(node) = document.next()? {
        let Node::Start(start) = node else { continue };
        let id = |document: &Document<'_>| -> Result<u32, FormProblems> {
            let id = document.attribute(&start, "numFmtId")?;
            Ok(id.and_then(|id| id.trim().parse().ok()).unwrap_or_default())
        };
        match local_name(&start) {
            "numFmt" => {
                let code = document.attribute(&start, "formatCode")?.unwrap_or_default();
                custom.insert(id(&document)?, numbers::office_open_format(&code));
            }
            "cellXfs" => in_cell_formats = true,
            "cellStyles" | "cellStyleXfs" | "dxfs" => in_cell_formats = false,
            "xf" if in_cell_formats => {
                let id = id(&document)?;
                let format = custom.get(&id).copied();
                formats.push(format.unwrap_or_else(|| numbers::built_in_office_open_format(id)));
            }
            _ => {}
        }
        if custom.len().max(formats.len()) > MAX_STYLES {
            return Err(document.problem(TOO_MANY));
        }
    }
    Ok(formats)
}

/// The cell being read.
struct Cell {
    row: u32,
    column: u32,
    /// The attribute `t`: how the value is to be understood.
    kind: String,
    style: usize,
    value: String,
    inline: StringText,
}

fn read_sheet(text: &str, part: &str, name: &str, shared: &Shared, budget: &mut Budget) -> Result<Sheet, FormProblems> {
    let mut document = Document::new(text, FORMAT, part);
    let mut grid = Grid::new(name, Dialect::Spreadsheet, budget);
    // The row read and the last one before it, and the column, from 1; a row that does not come later is skipped.
    let (mut row, mut previous, mut column) = (0_u32, 0_u32, 0_u32);
    let mut open: Vec<&'static str> = Vec::new();
    let mut cell: Option<Cell> = None;
    while let Some(node) = document.next()? {
        match node {
            Node::Start(start) => {
                let element = known_element(local_name(&start));
                match (element, open.last().copied()) {
                    ("row", _) => {
                        previous = previous.max(row);
                        row = row_number(&document, &start)?.unwrap_or_else(|| row.saturating_add(1));
                        column = 0;
                    }
                    ("c", Some("row")) if row > previous => {
                        let opened = open_cell(&document, &start, row, column)?;
                        column = opened.column + 1;
                        cell = Some(opened);
                    }
                    _ => {
                        if let Some(cell) = cell.as_mut().filter(|_| open.contains(&"is")) {
                            cell.inline.start(local_name(&start));
                        }
                    }
                }
                open.push(element);
            }
            Node::Text(text) => {
                if let Some(cell) = &mut cell {
                    if open.last() == Some(&"v") {
                        cell.value.push_str(&text);
                    }
                    cell.inline.text(&text);
                }
            }
            Node::End => match open.pop() {
                Some("c") => {
                    if let Some(cell) = cell.take() {
                        let text = cell_text(&document, &cell, shared)?;
                        grid.put(cell.row - 1, cell.column, &text)?;
                    }
                }
                _ => {
                    if let Some(cell) = &mut cell {
                        cell.inline.end();
                    }
                }
            },
        }
    }
    Ok(grid.finish())
}

fn known_element(name: &str) -> &'static str {
    match name {
        "row" => "row",
        "c" => "c",
        "v" => "v",
        "is" => "is",
        _ => "",
    }
}

fn row_number(document: &Document<'_>, start: &BytesStart<'_>) -> Result<Option<u32>, FormProblems> {
    const NO_ROW: Phrase = Phrase::new("the number of a row is none", "số hàng không hợp lệ");
    let Some(written) = document.attribute(start, "r")? else {
        return Ok(None);
    };
    match written.trim().parse() {
        Ok(row) if row > 0 => Ok(Some(row)),
        _ => Err(document.problem(NO_ROW)),
    }
}

/// The cell that an element begins; one without an address follows the one before it.
fn open_cell(document: &Document<'_>, start: &BytesStart<'_>, row: u32, next: u32) -> Result<Cell, FormProblems> {
    const NO_ADDRESS: Phrase = Phrase::new("the address of a cell is none", "địa chỉ ô không hợp lệ");
    let address = document.attribute(start, "r")?;
    let (column, row) = match address {
        None => (next, row),
        Some(address) => parse_address(address.trim()).ok_or_else(|| document.problem(NO_ADDRESS))?,
    };
    let style = document.attribute(start, "s")?;
    Ok(Cell {
        row,
        column,
        kind: document.attribute(start, "t")?.unwrap_or_else(|| "n".to_owned()),
        style: style.and_then(|style| style.trim().parse().ok()).unwrap_or_default(),
        value: String::new(),
        inline: StringText::default(),
    })
}

/// Reads `AB12` as the column from 0 and the row from 1.
fn parse_address(address: &str) -> Option<(u32, u32)> {
    let letters = address.bytes().take_while(u8::is_ascii_alphabetic).count();
    if !(1..=4).contains(&letters) {
        return None;
    }
    let column = address.bytes().take(letters).fold(0, |column, letter| {
        column * 26 + u32::from(letter.to_ascii_uppercase() - b'A') + 1
    });
    let row = address.get(letters..)?.parse().ok().filter(|row| *row > 0)?;
    Some((column - 1, row))
}

fn cell_text(document: &Document<'_>, cell: &Cell, shared: &Shared) -> Result<String, FormProblems> {
    const NO_STRING: Phrase = Phrase::new(
        "a cell refers to a shared string that there is not",
        "một ô trỏ đến chuỗi dùng chung không tồn tại",
    );
    const NO_NUMBER: Phrase = Phrase::new("the value of a cell is no number", "giá trị của một ô không phải là số");
    let no_number = || {
        let place = format!("{}{}", column_letters(cell.column), cell.row);
        let mut problem = document.problem(NO_NUMBER);
        for problem in &mut problem.0 {
            if let ProblemKind::Damaged { place: at, .. } = &mut problem.kind {
                *at = format!("{at} ({place})");
            }
        }
        problem
    };
    let value = cell.value.as_str();
    Ok(match cell.kind.as_str() {
        "inlineStr" => cell.inline.text.clone(),
        _ if value.is_empty() => String::new(),
        "s" => {
            let string = value
                .trim()
                .parse()
                .ok()
                .and_then(|index: usize| shared.strings.get(index));
            string.ok_or_else(|| document.problem(NO_STRING))?.clone()
        }
        "b" => match value.trim() {
            "0" | "false" => "FALSE".to_owned(),
            _ => "TRUE".to_owned(),
        },
        // A day and a time are written with `T` between them; pyxform puts a space.
        "d" => value.trim().trim_end_matches('Z').replace('T', " "),
        "n" => match shared.formats.get(cell.style).copied().unwrap_or(Format::Number) {
            Format::Number => numbers::written_number_text(value).ok_or_else(no_number)?,
            format => {
                let serial: f64 = value.trim().parse().map_err(|_| no_number())?;
                let text = match format {
                    Format::Duration => numbers::duration_text(serial),
                    _ => numbers::serial_date_text(serial, shared.epoch),
                };
                text.unwrap_or_else(|| "#VALUE!".to_owned())
            }
        },
        // Results of formulas and errors stand as they are.
        _ => value.to_owned(),
    })
}
