//! Reads CSV text into columns and rows (RFC 4180).

use super::secondary_error::SecondaryInstanceErrorKind as ErrorKind;

/// A table with named columns.
pub(super) struct Table {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

/// Reads a table; blank lines are skipped.
pub(super) fn read(text: &str) -> Result<Table, ErrorKind> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let separator = separator(text);
    let mut reader = CsvReader {
        rest: text,
        separator,
        row: 0,
    };
    let columns = reader.next_row()?.ok_or(ErrorKind::NoColumns)?;
    let columns: Vec<String> = columns.iter().map(|name| name.trim().to_owned()).collect();
    for (position, column) in columns.iter().enumerate() {
        if columns.iter().take(position).any(|earlier| earlier == column) {
            return Err(ErrorKind::RepeatedColumn(column.clone()));
        }
    }
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row()? {
        if row.len() > columns.len() {
            return Err(ErrorKind::LongRow {
                row: reader.row,
                found: row.len(),
                expected: columns.len(),
            });
        }
        rows.push(row);
    }
    Ok(Table { columns, rows })
}

/// Spreadsheets of many languages, Vietnamese among them, write semicolons, for the comma is their decimal point.
fn separator(text: &str) -> char {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    [';', '\t']
        .into_iter()
        .find(|separator| first.contains(*separator) && !first.contains(','))
        .unwrap_or(',')
}

struct CsvReader<'t> {
    rest: &'t str,
    separator: char,
    /// The row read last, from 1.
    row: usize,
}

impl CsvReader<'_> {
    /// The cells of the next row that is not blank.
    fn next_row(&mut self) -> Result<Option<Vec<String>>, ErrorKind> {
        while !self.rest.is_empty() {
            self.row += 1;
            let mut cells = Vec::new();
            while let Some(cell) = self.cell(cells.len() + 1)? {
                cells.push(cell);
                if self.at_line_end() {
                    break;
                }
            }
            if cells.iter().any(|cell| !cell.is_empty()) {
                return Ok(Some(cells));
            }
        }
        Ok(None)
    }

    /// Skips a line end, or tells that the row goes on.
    fn at_line_end(&mut self) -> bool {
        for end in ["\r\n", "\n", "\r"] {
            if let Some(rest) = self.rest.strip_prefix(end) {
                self.rest = rest;
                return true;
            }
        }
        match self.rest.strip_prefix(self.separator) {
            Some(rest) => {
                self.rest = rest;
                false
            }
            None => true,
        }
    }

    fn cell(&mut self, column: usize) -> Result<Option<String>, ErrorKind> {
        let mut cell = String::new();
        let Some(mut inside) = self.rest.strip_prefix('"') else {
            let separator = self.separator;
            let is_end = |character: char| character == separator || character == '\n' || character == '\r';
            let (text, rest) = self.rest.split_at(self.rest.find(is_end).unwrap_or(self.rest.len()));
            self.rest = rest;
            return Ok(Some(text.to_owned()));
        };
        loop {
            let Some((text, after)) = inside.split_once('"') else {
                return Err(ErrorKind::OpenQuote { row: self.row, column });
            };
            cell += text;
            match after.strip_prefix('"') {
                // A doubled quote is a quote.
                Some(rest) => {
                    cell.push('"');
                    inside = rest;
                }
                None => {
                    inside = after;
                    break;
                }
            }
        }
        // What stands between a closing quote and the separator belongs to the cell, as spreadsheets read it.
        self.rest = inside;
        let separator = self.separator;
        let is_end = |character: char| character == separator || character == '\n' || character == '\r';
        let (text, rest) = self.rest.split_at(self.rest.find(is_end).unwrap_or(self.rest.len()));
        self.rest = rest;
        cell += text;
        Ok(Some(cell))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_line_ends_and_separators_are_read() {
        let table = read("\u{feff}name,label\r\nx1,\"Xã \"\"Một\"\", cũ\"\n\nx2\nx3,\"hai\ndòng\"").unwrap();
        assert_eq!(table.columns, ["name", "label"]);
        assert_eq!(
            table.rows,
            [vec!["x1", "Xã \"Một\", cũ"], vec!["x2"], vec!["x3", "hai\ndòng"]]
        );
        let table = read("a;b\n1,5;2").unwrap();
        assert_eq!(table.rows, [vec!["1,5", "2"]]);
    }

    #[test]
    fn what_is_no_table_is_refused_with_its_place() {
        assert!(matches!(read(""), Err(ErrorKind::NoColumns)));
        assert!(matches!(read("a,a\n"), Err(ErrorKind::RepeatedColumn(_))));
        assert!(matches!(
            read("a,b\n1,2\n1,\"2"),
            Err(ErrorKind::OpenQuote { row: 3, column: 2 })
        ));
        assert!(matches!(
            read("a,b\n1,2,3"),
            Err(ErrorKind::LongRow {
                row: 2,
                found: 3,
                expected: 2
            })
        ));
    }
}
