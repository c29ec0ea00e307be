//! The test forms as tables of cells, read without the library: what the reference table says of a form must not depend
//! on how well the library reads it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A form of `tests/forms` in pyxform's Markdown dialect: a table whose first column names the sheet.
pub(crate) struct FormFile {
    /// The file's name without its ending, which is also the form's id where its settings name none.
    pub(crate) name: String,
    /// The heading above the table.
    pub(crate) title: String,
    /// Where the file is.
    pub(crate) path: PathBuf,
    /// The sheets by name in lower case.
    pub(crate) sheets: BTreeMap<String, Sheet>,
}

/// A sheet: its headings and the rows below them, each cell trimmed, an empty cell as an empty text.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Sheet {
    pub(crate) headings: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Sheet {
    /// The cells that are not empty in columns whose heading is accepted, each with its row.
    pub(crate) fn cells<'a>(
        &'a self,
        accepts: impl Fn(&str) -> bool + 'a,
    ) -> impl Iterator<Item = (&'a [String], &'a str)> {
        self.rows.iter().flat_map(move |row| {
            let named = self.headings.iter().zip(row);
            let kept: Vec<(&[String], &str)> = named
                .filter(|(heading, cell)| !cell.is_empty() && accepts(&heading.to_lowercase()))
                .map(|(_, cell)| (row.as_slice(), cell.as_str()))
                .collect();
            kept
        })
    }

    /// The cell of `row` under the first heading that is accepted; empty where there is none.
    pub(crate) fn cell<'a>(&self, row: &'a [String], accepts: impl Fn(&str) -> bool) -> &'a str {
        let position = self
            .headings
            .iter()
            .position(|heading| accepts(&heading.to_lowercase()));
        position
            .and_then(|position| row.get(position))
            .map_or("", String::as_str)
    }
}

/// The folder of the test forms.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/forms")
}

/// The forms of a folder in the order of their names.
pub(crate) fn read_folder(folder: &Path) -> Vec<FormFile> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    paths.sort();
    paths.into_iter().map(read_file).collect()
}

fn read_file(path: PathBuf) -> FormFile {
    let text = std::fs::read_to_string(&path).unwrap();
    FormFile {
        name: path.file_stem().unwrap().to_string_lossy().into_owned(),
        title: text.lines().next().unwrap_or("").trim_start_matches("# ").to_owned(),
        sheets: read_sheets(&text),
        path,
    }
}

/// The sheets of a Markdown table. Lines that are no table row are prose.
fn read_sheets(text: &str) -> BTreeMap<String, Sheet> {
    let mut sheets: BTreeMap<String, Sheet> = BTreeMap::new();
    let mut open = String::new();
    for line in text.lines().filter(|line| line.trim_start().starts_with('|')) {
        let mut cells = split_row(line);
        let sheet = cells.remove(0);
        if !sheet.is_empty() {
            open = sheet.to_lowercase();
            sheets.entry(open.clone()).or_default();
        }
        if cells.iter().all(String::is_empty) {
            continue;
        }
        let sheet = sheets.get_mut(&open).expect("a table names its sheet first");
        if sheet.headings.is_empty() {
            sheet.headings = cells;
        } else {
            sheet.rows.push(cells);
        }
    }
    sheets
}

/// The cells between the pipes of a line; `\|` is a pipe inside a cell.
fn split_row(line: &str) -> Vec<String> {
    const PIPE: char = '\u{1}';
    let protected = line.trim().replace("\\|", &PIPE.to_string());
    let inner = protected.trim_start_matches('|');
    let inner = inner.strip_suffix('|').unwrap_or(inner);
    inner.split('|').map(|cell| cell.trim().replace(PIPE, "|")).collect()
}

#[test]
fn a_table_is_read_as_sheets_of_cells() {
    let sheets = read_sheets(
        "# Tên\n\nlời | dẫn\n| survey |\n| | type | name |\n| | text | a\\|b |\n| | | c |\n\n| Choices |\n|  | name |\n",
    );
    let survey = &sheets["survey"];
    assert_eq!(survey.headings, ["type", "name"]);
    assert_eq!(survey.rows, [["text", "a|b"], ["", "c"]]);
    assert_eq!(sheets["choices"].headings, ["name"]);
    assert_eq!(survey.cells(|heading| heading == "name").count(), 2);
    assert_eq!(survey.cell(&survey.rows[0], |heading| heading == "type"), "text");
}
