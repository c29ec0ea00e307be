//! Official figures as a CSV file, which spreadsheets can write.

use std::collections::BTreeSet;

use super::{OfficialFigure, YEARS};
use crate::http::Text;
use crate::table::{Cells, Faults, Table, TableError, guard_formula, unguard_formula};

/// The columns, all of which must be there.
const COLUMNS: [&str; 7] = ["unit", "indicator", "year", "source", "sector", "percent", "note"];

/// Reads figures of these units and indicators.
///
/// # Errors
/// [`TableError`] with every cell that is wrong, and every figure that stands there twice.
pub(super) fn read(
    csv: &[u8],
    units: &BTreeSet<String>,
    indicators: &BTreeSet<String>,
) -> Result<Vec<OfficialFigure>, TableError> {
    let table = Table::read(csv, &COLUMNS)?;
    let mut faults = Faults::default();
    let mut keys = BTreeSet::new();
    let mut figures = Vec::new();
    for (line, cells) in table.rows() {
        let figure = figure(line, &cells, units, indicators, &mut faults);
        let key = (
            figure.unit_code.clone(),
            figure.indicator_code.clone(),
            figure.year,
            figure.source.clone(),
            figure.part.clone(),
        );
        if !keys.insert(key) {
            let what = format!("{} {}", figure.indicator_code, figure.year);
            faults.repeated(line, "indicator", ("số liệu", "the figure"), &what);
        }
        figures.push(figure);
    }
    faults.or(figures)
}

fn figure(
    line: u64,
    cells: &Cells<'_>,
    units: &BTreeSet<String>,
    indicators: &BTreeSet<String>,
    faults: &mut Faults,
) -> OfficialFigure {
    let text = |column: &str| unguard_formula(cells.text(column)).to_owned();
    let figure = OfficialFigure {
        unit_code: text("unit"),
        indicator_code: text("indicator"),
        year: cells
            .parse("year", faults, "một năm, ví dụ 2024", "a year such as 2024")
            .unwrap_or(*YEARS.start()),
        source: text("source"),
        part: text("sector"),
        percent: cells
            .parse(
                "percent",
                faults,
                "một số phần trăm, ví dụ 14.1",
                "a percentage such as 14.1",
            )
            .unwrap_or(0.0),
        note: text("note"),
    };
    if !units.contains(&figure.unit_code) {
        let code = &figure.unit_code;
        let problem = Text::new(
            format!("không có đơn vị hành chính mã {code:?}"),
            format!("there is no administrative unit with the code {code:?}"),
        );
        faults.cell(line, "unit", problem);
    }
    if !indicators.contains(&figure.indicator_code) {
        let code = &figure.indicator_code;
        let problem = Text::new(
            format!("bộ chỉ tiêu không có chỉ tiêu mã {code:?}"),
            format!("the registry has no indicator {code:?}"),
        );
        faults.cell(line, "indicator", problem);
    }
    for (column, error) in figure.faults() {
        faults.cell(line, column, Text::new(error.vietnamese(), error.to_string()));
    }
    figure
}

/// Writes figures so that [`read`] gives them again.
///
/// # Errors
/// [`csv::Error`] when they cannot be written.
pub fn write(figures: &[OfficialFigure], to: impl std::io::Write) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(to);
    writer.write_record(COLUMNS)?;
    for figure in figures {
        let (year, percent) = (figure.year.to_string(), figure.percent.to_string());
        writer.write_record([
            guard_formula(&figure.unit_code).as_ref(),
            guard_formula(&figure.indicator_code).as_ref(),
            &year,
            guard_formula(&figure.source).as_ref(),
            guard_formula(&figure.part).as_ref(),
            &percent,
            guard_formula(&figure.note).as_ref(),
        ])?;
    }
    Ok(writer.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let texts = [
            "Cục Thống kê",
            "=SUM(A1)",
            "'=x",
            "'quoted",
            "''",
            "+1",
            "-",
            "@x",
            "a,\"b\"\nc",
            "",
        ];
        let figures: Vec<OfficialFigure> = texts
            .iter()
            .enumerate()
            .map(|(place, text)| OfficialFigure {
                unit_code: "82".to_owned(),
                indicator_code: "KTS-01".to_owned(),
                year: 2000 + place as i64,
                source: format!("{text} S").trim().to_owned(),
                part: (*text).to_owned(),
                percent: -0.1 * place as f64,
                note: (*text).to_owned(),
            })
            .collect();
        let mut csv = Vec::new();
        write(&figures, &mut csv).unwrap();
        let codes = |code: &str| BTreeSet::from([code.to_owned()]);
        assert_eq!(read(&csv, &codes("82"), &codes("KTS-01")).unwrap(), figures);
        // No cell of text begins as a formula does.
        let table = Table::read(&csv, &COLUMNS).unwrap();
        for (_, cells) in table.rows() {
            for column in ["source", "sector", "note"] {
                assert!(
                    !cells.text(column).starts_with(['=', '+', '-', '@']),
                    "{}",
                    cells.text(column)
                );
            }
        }
    }
}
