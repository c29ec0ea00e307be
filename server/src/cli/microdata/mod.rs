//! Microdata: the columns of a CSV or Parquet file.

mod column;
mod parquet_file;

use std::collections::BTreeMap;
use std::path::Path;

use survey_forms::model::nearest_name;

use super::{Failure, read_within, table_failure};
use crate::config::Config;
use crate::http::Text;
use crate::table::{FILE_BYTES, Faults, Table, TableError};
use parquet_file::ParquetTable;

/// Microdata: one row per sampled element.
#[derive(Debug)]
pub(super) struct Data {
    source: Source,
    /// The line of each row in the file. A Parquet file has none, so they are those of the same table as CSV.
    lines: Vec<u64>,
}

/// What the file was.
#[derive(Debug)]
enum Source {
    Csv(Table),
    Parquet(ParquetTable),
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

/// The file that `--data` names; none where it was left out, or names the folder of an installation.
pub(super) fn data_file(config: &Config) -> Option<&Path> {
    (config.data_named && !config.data.is_dir()).then_some(config.data.as_path())
}

/// The line of the first row below a header.
const FIRST_LINE: u64 = 2;

/// Whether a cell's text means that nothing is known.
fn is_missing(text: &str) -> bool {
    text.is_empty() || text == "NA"
}

impl Data {
    /// Reads a file, whose content says which of the two it is.
    ///
    /// # Errors
    /// A [`Failure`] with the file's name when it cannot be read, is too large, or is no table.
    pub(super) fn read(file: &Path) -> Result<Self, Failure> {
        let bytes = read_within(file, FILE_BYTES)?;
        Self::of(bytes).map_err(|error| table_failure(file, &error))
    }

    /// Takes a file's content.
    ///
    /// # Errors
    /// [`TableError`] when it is no table.
    pub(super) fn of(bytes: Vec<u8>) -> Result<Self, TableError> {
        if !parquet_file::is_parquet(&bytes) {
            let table = Table::read(&bytes, &[])?;
            let lines = table.rows().map(|(line, _)| line).collect();
            let source = Source::Csv(table);
            return Ok(Self { source, lines });
        }
        match parquet_file::read(bytes) {
            Ok(table) => Ok(Self {
                lines: (0..table.rows as u64).map(|row| row + FIRST_LINE).collect(),
                source: Source::Parquet(table),
            }),
            Err(problem) => Err(TableError::of(problem)),
        }
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
        match &self.source {
            Source::Csv(table) => table.columns(),
            Source::Parquet(table) => table.columns.iter().map(|(name, _)| name.as_str()).collect(),
        }
    }

    /// Whether there is such a column.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names().contains(&name)
    }

    /// What to say of a column that does not exist, or cannot be used.
    pub(super) fn unknown(&self, name: &str) -> Text {
        if let Source::Parquet(table) = &self.source
            && let Some((_, problem)) = table.unusable.iter().find(|(unusable, _)| unusable == name)
        {
            return problem.clone();
        }
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
    pub(super) fn texts<'a>(&'a self, name: &'a str) -> Box<dyn Iterator<Item = Option<&'a str>> + 'a> {
        match &self.source {
            Source::Csv(table) => {
                let cells = table.rows().map(move |(_, cells)| cells.text(name));
                Box::new(cells.map(|text| Some(text).filter(|text| !is_missing(text))))
            }
            Source::Parquet(table) => match table.columns.iter().find(|(known, _)| known == name) {
                Some((_, column)) => Box::new(column.texts()),
                None => Box::new(std::iter::repeat_n(None, table.rows)),
            },
        }
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
