//! temporary
use crate::model::FormProblems;
use std::collections::BTreeMap;
pub const SHEETS: [&str; 6] = ["survey", "choices", "settings", "external_choices", "entities", "osm"];
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workbook {
    pub sheets: Vec<Sheet>,
    pub sheet_names: Vec<String>,
}
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sheet {
    pub name: String,
    pub headings: BTreeMap<u32, String>,
    pub rows: Vec<Row>,
}
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    pub number: u32,
    pub cells: BTreeMap<u32, String>,
}
impl Sheet {
    pub fn empty(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }
}
impl Workbook {
    pub fn sheet(&self, name: &str) -> Option<&Sheet> {
        self.sheets.iter().find(|s| s.name.to_lowercase() == name)
    }
}
pub fn read(bytes: &[u8], _name: Option<&str>) -> Result<Workbook, FormProblems> {
    let text = String::from_utf8_lossy(bytes);
    let mut book = Workbook::default();
    let mut number = 0;
    for line in text.lines() {
        let line = line.trim();
        if !line.starts_with('|') {
            continue;
        }
        let inner = line.trim_start_matches('|');
        let inner = inner.strip_suffix('|').unwrap_or(inner);
        let masked = inner.replace("\\|", "\u{1}");
        let cells: Vec<String> = masked.split('|').map(|c| c.trim().replace('\u{1}', "|")).collect();
        let cells: Vec<String> = if line.starts_with("||") {
            std::iter::once(String::new()).chain(cells).collect()
        } else {
            cells
        };
        if cells.iter().all(|c| c.chars().all(|x| x == '-' || x == ':')) && cells.iter().any(|c| !c.is_empty()) {
            continue;
        }
        if !cells[0].is_empty() {
            book.sheet_names.push(cells[0].clone());
            book.sheets.push(Sheet::empty(&cells[0]));
            number = 0;
            continue;
        }
        let Some(sheet) = book.sheets.last_mut() else { continue };
        number += 1;
        let filled: BTreeMap<u32, String> = cells[1..]
            .iter()
            .enumerate()
            .filter(|(_, c)| !c.is_empty())
            .map(|(i, c)| (i as u32, c.clone()))
            .collect();
        if number == 1 {
            sheet.headings = filled;
        } else if !filled.is_empty() {
            sheet.rows.push(Row { number, cells: filled });
        }
    }
    Ok(book)
}
