//! Tables that people bring as CSV: read whole, checked whole, every fault told at once with its line and column.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use csv::{ReaderBuilder, StringRecord};
use jiff::civil::Date;

use crate::http::Text;

/// Bytes of a file at most.
pub(crate) const FILE_BYTES: usize = 256 << 20;
/// Faults that are told at once; more than these rarely tell more.
const FAULTS: usize = 50;

/// A table with a header row.
#[derive(Debug)]
pub struct Table {
    columns: BTreeMap<String, usize>,
    rows: Vec<Row>,
}

/// One row of a table.
#[derive(Debug)]
struct Row {
    line: u64,
    cells: StringRecord,
}

/// Everything that is wrong with a table.
#[derive(Debug)]
pub struct TableError {
    /// What is wrong, in the table's order.
    pub faults: Vec<Fault>,
    /// How many more there are.
    pub untold: usize,
}

/// One fault of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line in the file, from 1; none where the whole table is at fault.
    pub line: Option<u64>,
    /// The column's name.
    pub column: Option<String>,
    /// What is wrong and what would be right.
    pub problem: Text,
}

impl std::error::Error for TableError {}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, "line", "column", "more faults", |problem| &problem.en)
    }
}

impl TableError {
    /// The error of a table that is wrong as a whole.
    pub(crate) fn of(problem: Text) -> Self {
        let told = Fault {
            line: None,
            column: None,
            problem,
        };
        Self {
            faults: vec![told],
            untold: 0,
        }
    }

    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        struct Vietnamese<'a>(&'a TableError);
        impl fmt::Display for Vietnamese<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.write(f, "dòng", "cột", "lỗi khác", |problem| &problem.vi)
            }
        }
        Vietnamese(self).to_string()
    }

    fn write(
        &self,
        f: &mut fmt::Formatter<'_>,
        line_word: &str,
        column_word: &str,
        more: &str,
        text: impl Fn(&Text) -> &String,
    ) -> fmt::Result {
        for (number, fault) in self.faults.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            if let Some(line) = fault.line {
                write!(f, "{line_word} {line}, ")?;
            }
            if let Some(column) = &fault.column {
                write!(f, "{column_word} {column}: ")?;
            }
            f.write_str(text(&fault.problem))?;
        }
        if self.untold > 0 {
            write!(f, "\n… {} {more}", self.untold)?;
        }
        Ok(())
    }
}

/// Collects faults while a table is checked.
#[derive(Debug, Default)]
pub struct Faults {
    told: Vec<Fault>,
    untold: usize,
}

impl Faults {
    /// Notes a fault of the whole table.
    pub fn table(&mut self, problem: Text) {
        self.push(Fault {
            line: None,
            column: None,
            problem,
        });
    }

    /// Notes a fault of one cell.
    pub fn cell(&mut self, line: u64, column: &str, problem: Text) {
        self.push(Fault {
            line: Some(line),
            column: Some(column.to_owned()),
            problem,
        });
    }

    /// Notes that what must be in one row only, such as a code, was in an earlier one too. `noun` says what it is, in
    /// Vietnamese and in English.
    pub fn repeated(&mut self, line: u64, column: &str, (vi, en): (&str, &str), text: &str) {
        let problem = Text::new(
            format!("{vi} {text} đã có ở một dòng trước"),
            format!("{en} {text} stands in an earlier row"),
        );
        self.cell(line, column, problem);
    }

    fn push(&mut self, fault: Fault) {
        if self.told.len() < FAULTS {
            self.told.push(fault)
        } else {
            self.untold += 1
        }
    }

    /// The outcome: the value if nothing was wrong.
    ///
    /// # Errors
    /// [`TableError`] with every fault noted.
    pub fn or<T>(self, value: T) -> Result<T, TableError> {
        if self.told.is_empty() {
            Ok(value)
        } else {
            Err(TableError {
                faults: self.told,
                untold: self.untold,
            })
        }
    }
}

impl Table {
    /// Reads a table from CSV (RFC 4180, UTF-8, with or without byte order mark), which must have these columns.
    ///
    /// # Errors
    /// [`TableError`] when the file is too large, is no CSV, lacks a column, or has no rows.
    pub fn read(bytes: &[u8], required: &[&str]) -> Result<Self, TableError> {
        let mut faults = Faults::default();
        if bytes.len() > FILE_BYTES {
            faults.table(Text::new(
                format!("tệp lớn hơn {FILE_BYTES} byte"),
                format!("the file has more than {FILE_BYTES} bytes"),
            ));
            return faults.or(Self {
                columns: BTreeMap::new(),
                rows: Vec::new(),
            });
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let bytes = unix_lines(bytes);
        let mut reader = ReaderBuilder::new()
            .flexible(false)
            .trim(csv::Trim::All)
            .from_reader(bytes.as_slice());
        let mut columns = BTreeMap::new();
        match reader.headers() {
            Ok(header) => {
                for (place, name) in header.iter().enumerate() {
                    if columns.insert(name.to_owned(), place).is_some() && !name.is_empty() {
                        faults.cell(
                            1,
                            name,
                            Text::new("có hai cột cùng tên này", "two columns have this name"),
                        );
                    }
                }
            }
            Err(error) => faults.table(unreadable(&error)),
        }
        for name in required.iter().filter(|name| !columns.contains_key(**name)) {
            let found = columns.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            faults.table(Text::new(
                format!("thiếu cột {name}; tệp có các cột: {found}"),
                format!("column {name} is missing; the file has the columns: {found}"),
            ));
        }
        let mut rows = Vec::new();
        for record in reader.into_records() {
            match record {
                Ok(cells) => rows.push(Row {
                    line: cells.position().map_or(0, csv::Position::line),
                    cells,
                }),
                Err(error) => {
                    let line = error.position().map_or(0, csv::Position::line);
                    faults.push(Fault {
                        line: Some(line),
                        column: None,
                        problem: unreadable(&error),
                    });
                }
            }
        }
        if rows.is_empty() && faults.told.is_empty() {
            faults.table(Text::new(
                "bảng không có dòng dữ liệu nào dưới dòng tiêu đề",
                "the table has no rows below its header",
            ));
        }
        faults.or(Self { columns, rows })
    }

    /// Whether there is such a column.
    pub fn has_column(&self, column: &str) -> bool {
        self.columns.contains_key(column)
    }

    /// The names of the columns, in the file's order.
    pub fn columns(&self) -> Vec<&str> {
        let mut columns: Vec<_> = self.columns.iter().collect();
        columns.sort_by_key(|(_, place)| **place);
        columns.into_iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The rows: each with its line in the file and a reader of its cells.
    pub fn rows(&self) -> impl Iterator<Item = (u64, Cells<'_>)> {
        self.rows.iter().map(|row| (row.line, Cells { table: self, row }))
    }
}

/// With one of these, a spreadsheet begins a formula (OWASP, CSV injection).
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A text for a cell of CSV that no spreadsheet takes for a formula: an apostrophe stands before what would be one.
pub(crate) fn guard_formula(text: &str) -> Cow<'_, str> {
    // Before an apostrophe as well, so that taking one away gives the text again.
    match text.starts_with(FORMULA) || text.starts_with('\'') {
        true => format!("'{text}").into(),
        false => text.into(),
    }
}

/// The text that [`guard_formula`] was given. One that is not guarded stays as it is.
pub(crate) fn unguard_formula(text: &str) -> &str {
    let guarded = text.strip_prefix('\'');
    guarded
        .filter(|rest| rest.starts_with(FORMULA) || rest.starts_with('\''))
        .unwrap_or(text)
}

/// The text with line feeds alone: between a carriage return and a line feed, the reader counts a line too few.
fn unix_lines(bytes: &[u8]) -> Vec<u8> {
    let followed = bytes.iter().skip(1).map(Some).chain([None]);
    let kept = |(byte, next): &(&u8, Option<&u8>)| !(**byte == b'\r' && *next == Some(&b'\n'));
    bytes.iter().zip(followed).filter(kept).map(|(byte, _)| *byte).collect()
}

fn unreadable(error: &csv::Error) -> Text {
    let reason = match error.kind() {
        csv::ErrorKind::Utf8 { err, .. } => {
            return Text::new(
                format!(
                    "ô thứ {} không phải UTF-8; hãy lưu tệp dạng «CSV UTF-8»",
                    err.field() + 1
                ),
                format!("cell {} is not UTF-8; save the file as «CSV UTF-8»", err.field() + 1),
            );
        }
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            return Text::new(
                format!("dòng có {len} ô, cần {expected_len} ô như dòng tiêu đề"),
                format!("the row has {len} cells; the header has {expected_len}"),
            );
        }
        _ => error.to_string(),
    };
    Text::new(
        format!("không đọc được CSV: {reason}"),
        format!("this is no CSV: {reason}"),
    )
}

/// The cells of one row.
#[derive(Debug, Clone, Copy)]
pub struct Cells<'a> {
    table: &'a Table,
    row: &'a Row,
}

impl<'a> Cells<'a> {
    /// The cell in this column; empty where the table has no such column.
    pub fn text(&self, column: &str) -> &'a str {
        self.table
            .columns
            .get(column)
            .and_then(|place| self.row.cells.get(*place))
            .unwrap_or_default()
    }

    /// The cell in this column, which must not be empty.
    pub fn required(&self, column: &str, faults: &mut Faults) -> String {
        let text = self.text(column);
        if text.is_empty() {
            faults.cell(
                self.row.line,
                column,
                Text::new("ô trống; cần có giá trị", "the cell is empty; a value is needed"),
            );
        }
        text.to_owned()
    }

    /// The cell as one of several words.
    pub fn one_of(&self, column: &str, words: &[&str], faults: &mut Faults) -> String {
        let text = self.text(column);
        if !words.contains(&text) {
            let words = words.join(", ");
            faults.cell(
                self.row.line,
                column,
                Text::new(
                    format!("{text:?} không hợp lệ; dùng một trong: {words}"),
                    format!("{text:?} is not valid; use one of: {words}"),
                ),
            );
        }
        text.to_owned()
    }

    /// The cell as a date.
    pub fn date(&self, column: &str, faults: &mut Faults) -> Date {
        self.parse(
            column,
            faults,
            "một ngày, ví dụ 2025-07-01",
            "a date such as 2025-07-01",
        )
        .unwrap_or(Date::MIN)
    }

    /// The cell as a date, or none where it is empty.
    pub fn optional_date(&self, column: &str, faults: &mut Faults) -> Option<Date> {
        if self.text(column).is_empty() {
            None
        } else {
            Some(self.date(column, faults))
        }
    }

    /// The cell as whatever `T` reads; `vi` and `en` say what would be right.
    pub fn parse<T: std::str::FromStr>(&self, column: &str, faults: &mut Faults, vi: &str, en: &str) -> Option<T> {
        let text = self.text(column);
        let parsed = text.parse().ok();
        if parsed.is_none() {
            faults.cell(
                self.row.line,
                column,
                Text::new(
                    format!("{text:?} không hợp lệ; cần {vi}"),
                    format!("{text:?} is not valid; {en} is needed"),
                ),
            );
        }
        parsed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(csv: &[u8], required: &[&str]) -> Vec<Fault> {
        Table::read(csv, required).unwrap_err().faults
    }

    #[test]
    fn a_missing_column_is_named() {
        let faults = faults(b"code,name\n1,a\n", &["code", "kind"]);
        assert_eq!(faults.len(), 1);
        assert!(faults[0].problem.en.starts_with("column kind is missing"));
    }

    #[test]
    fn a_short_row_and_a_foreign_encoding_are_named_by_line() {
        let faults = faults(b"code,name\n1\n2,b\n3,\xff\n", &["code"]);
        assert_eq!(
            faults.iter().map(|fault| fault.line).collect::<Vec<_>>(),
            [Some(2), Some(4)]
        );
        assert!(faults[1].problem.en.contains("UTF-8"));
    }

    #[test]
    fn a_byte_order_mark_and_windows_lines_do_no_harm() {
        let table = Table::read(
            b"\xef\xbb\xbfcode,name\r\n82,Ti\xe1\xbb\x81n Giang\r\n",
            &["code", "name"],
        )
        .unwrap();
        let names: Vec<_> = table.rows().map(|(line, cells)| (line, cells.text("name"))).collect();
        assert_eq!(names, [(2, "Tiền Giang")]);
    }
}
