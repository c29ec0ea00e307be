//! Workbooks made from Markdown tables: the first cell of a row names the sheet that begins there, and the row's other
//! cells are its headings.

use std::path::{Path, PathBuf};

use rust_xlsxwriter::{Formula, Workbook, Worksheet};

/// Writes the workbook of a Markdown text into `folder`.
pub(crate) fn write(folder: &Path, name: &str, markdown: &str) -> PathBuf {
    let mut workbook = Workbook::new();
    let mut sheet: Option<(Worksheet, u32)> = None;
    for line in markdown.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        if !cells[0].is_empty() {
            let mut next = Worksheet::new();
            next.set_name(cells[0]).unwrap();
            if let Some((finished, _)) = sheet.replace((next, 0)) {
                workbook.push_worksheet(finished);
            }
        }
        let (sheet, row) = sheet.as_mut().unwrap();
        for (column, cell) in (0..).zip(&cells[1..]) {
            if cell.starts_with('#') {
                // A formula whose result is an error, as a spreadsheet program saves it.
                sheet
                    .write_formula(*row, column, Formula::new("=1/0").set_result(*cell))
                    .unwrap();
            } else if !cell.is_empty() {
                sheet.write_string(*row, column, *cell).unwrap();
            }
        }
        *row += 1;
    }
    workbook.push_worksheet(sheet.unwrap().0);
    let path = folder.join(name);
    workbook.save(&path).unwrap();
    path
}
