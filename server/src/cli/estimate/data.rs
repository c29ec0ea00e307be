//! The columns of a CSV file of microdata.

use std::collections::BTreeMap;

use survey_forms::model::nearest_name;

use crate::http::Text;
use crate::table::{Faults, Table, TableError};

/// Microdata: one row per sampled element.
#[derive(Debug)]
pub(super) struct Data {
    table: Table,
    /// The line of each row in the file.
    lines: Vec<u64>,
}

/// A column of codes: each distinct text has a number, in ascending order of the texts (of the numbers that they are, if
/// all are numbers).
#[derive(Debug)]
pub(super) struct Codes {
    /// The texts.
    pub(super) labels: Vec<String>,
    /// The number of each row's text; `None` where the cell is missing.
    pub(super) codes: Vec<Option<u32>>,
}

/// Whether a cell's text means that nothing is known.
fn is_missing(text: &str) -> bool {
    text.is_empty() || text == "NA"
}

impl Data {
    /// Reads a file.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub(super) fn read(bytes: &[u8]) -> Result<Self, TableError> {
        let table = Table::read(bytes, &[])?;
        let lines = table.rows().map(|(line, _)| line).collect();
        Ok(Self { table, lines })
    }

    /// Number of rows.
    pub(super) fn rows(&self) -> usize {
        self.lines.len()
    }

    /// The line of a row in the file.
    pub(super) fn line(&self, row: usize) -> u64 {
        self.lines.get(row).copied().unwrap_or(0)
    }

    /// The names of the columns, in the file's order.
    pub(super) fn names(&self) -> Vec<&str> {
        self.table.columns()
    }

    /// Whether there is such a column.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names().contains(&name)
    }

    /// What to say of a column that does not exist.
    pub(super) fn unknown(&self, name: &str) -> Text {
        let names = self.names();
        match nearest_name(name, names.iter().copied()) {
            Some(nearest) => Text::new(
                format!("dữ liệu không có cột {name:?}; có phải là {nearest:?}?"),
                format!("the data have no column {name:?}; did you mean {nearest:?}?"),
            ),
            None => {
                let names = names.join(", ");
                Text::new(
                    format!("dữ liệu không có cột {name:?}; có các cột: {names}"),
                    format!("the data have no column {name:?}; there are: {names}"),
                )
            }
        }
    }

    /// The texts of a column; `None` where a cell is empty or NA.
    pub(super) fn texts<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Option<&'a str>> {
        self.table
            .rows()
            .map(move |(_, cells)| Some(cells.text(name)).filter(|text| !is_missing(text)))
    }

    /// The numbers of a column; `None` where a cell is missing.
    pub(super) fn numbers(&self, name: &str, faults: &mut Faults) -> Vec<Option<f64>> {
        let cells = self.texts(name).zip(&self.lines);
        cells.map(|(text, line)| number(*line, name, text?, faults)).collect()
    }

    /// The numbers of a column in which none may be missing; 0 where a fault was noted.
    pub(super) fn required_numbers(&self, name: &str, faults: &mut Faults) -> Vec<f64> {
        let cells = self.texts(name).zip(&self.lines);
        let numbers = cells.map(|(text, line)| match text {
            Some(text) => number(*line, name, text, faults).unwrap_or(0.0),
            None => {
                faults.cell(*line, name, needed());
                0.0
            }
        });
        numbers.collect()
    }

    /// The codes of a column.
    pub(super) fn codes(&self, name: &str) -> Codes {
        let mut numbers: BTreeMap<&str, u32> = self.texts(name).flatten().map(|text| (text, 0)).collect();
        let mut labels: Vec<&str> = numbers.keys().copied().collect();
        let as_number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
        if labels.iter().all(|label| as_number(label).is_some()) {
            let key = |label: &str| as_number(label).unwrap_or(0.0);
            labels.sort_by(|one, other| key(one).total_cmp(&key(other)));
        }
        for (number, label) in labels.iter().enumerate() {
            numbers.insert(label, number as u32);
        }
        Codes {
            codes: self
                .texts(name)
                .map(|text| text.and_then(|text| numbers.get(text).copied()))
                .collect(),
            labels: labels.into_iter().map(str::to_owned).collect(),
        }
    }

    /// The codes of a column in which none may be missing.
    pub(super) fn required_codes(&self, name: &str, faults: &mut Faults) -> (Vec<String>, Vec<u32>) {
        let Codes { labels, codes } = self.codes(name);
        let codes = codes.into_iter().zip(&self.lines).map(|(code, line)| {
            if code.is_none() {
                faults.cell(*line, name, needed());
            }
            code.unwrap_or(0)
        });
        (labels, codes.collect())
    }
}

/// A cell's number, or a fault.
fn number(line: u64, column: &str, text: &str, faults: &mut Faults) -> Option<f64> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite());
    if number.is_none() {
        let problem = Text::new(
            format!("{text:?} không phải là số; cần một số, ví dụ 12.5, hoặc để trống nếu thiếu"),
            format!("{text:?} is not a number; write a number such as 12.5, or leave the cell empty"),
        );
        faults.cell(line, column, problem);
    }
    number
}

fn needed() -> Text {
    Text::new(
        "ô trống; thiết kế cần có giá trị ở mọi dòng",
        "the cell is empty; the design needs a value in every row",
    )
}
