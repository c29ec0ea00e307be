//! `khaosat tabulate`: a two-way table of counts that may be published.

use clap::{Args, ValueEnum};
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement};
use indicators::publication::{
    Cell, CellStatus, CountTable, PublicationError, SuppressionRules, protect, round_at_random, round_to_base,
};
use indicators::sampling::SampleGenerator;
use serde::Serialize;

use super::microdata::{Codes, Data, data_file};
use super::{Failure, print_json, table_failure};
use crate::config::{Config, MessageLanguage};
use crate::http::Text;
use crate::table::Faults;

/// Print a two-way table of counts in which small counts are hidden and cannot be worked out.
///
/// --data is a CSV or Parquet file with one row per person, household or whatever is counted. Zeros are shown. What is
/// assumed of those who read the table is in docs/statistics.md, «Publication».
#[derive(Debug, Args)]
pub(super) struct TabulateArguments {
    /// Column whose values are the table's rows
    #[arg(long, value_name = "COLUMN")]
    rows: String,
    /// Column whose values are the table's columns
    #[arg(long, value_name = "COLUMN")]
    columns: String,
    /// Column of weights, for weighted counts beside the others
    #[arg(long, value_name = "COLUMN")]
    weights: Option<String>,
    /// Smallest count that may be shown, and how far off a hidden one must remain possible
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    minimum: u64,
    /// Round what is shown to multiples of this
    #[arg(long, value_name = "BASE", value_parser = clap::value_parser!(u64).range(1..))]
    round_to: Option<u64>,
    /// Round at random, up or down without bias, by this seed, which must stay secret
    #[arg(long, value_name = "SEED", requires = "round_to")]
    seed: Option<u64>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: TabulateFormat,
}

/// How to print a table of counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TabulateFormat {
    /// A table for people
    Table,
    /// One JSON document
    Json,
    /// One line per cell
    Csv,
}

/// A table with what may be shown of it.
#[derive(Debug, Serialize)]
struct Published {
    rows: Axis,
    columns: Axis,
    minimum: u64,
    round_to: Option<u64>,
    rounding: Option<Rounding>,
    /// Rows of the data that lack one of the values.
    left_out: usize,
    /// Row by row; the last row and column are totals.
    cells: Vec<Vec<PublishedCell>>,
}

/// How counts were rounded.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Rounding {
    Nearest,
    Random,
}

#[derive(Debug, Serialize)]
struct Axis {
    column: String,
    labels: Vec<String>,
}

#[derive(Debug, Serialize)]
struct PublishedCell {
    status: CellStatus,
    /// Absent where the cell is hidden.
    count: Option<u64>,
    /// Absent where the cell is hidden, or no weights were named.
    weighted_count: Option<f64>,
}

pub(super) fn run(arguments: &TabulateArguments, config: &Config) -> Result<(), Failure> {
    let file = data_file(config).ok_or_else(|| {
        Failure::new(
            "--data phải là tệp CSV hoặc Parquet có các dòng cần đếm",
            "--data must be the CSV or Parquet file whose rows are to be counted",
        )
    })?;
    let data = Data::read(file)?;
    let weights = match &arguments.weights {
        None => None,
        Some(column) => {
            check_column(&data, "--weights", column)?;
            let mut faults = Faults::default();
            let weights = data.required_numbers(column, &mut faults);
            for (row, weight) in weights.iter().enumerate().filter(|(_, weight)| **weight < 0.0) {
                let problem = Text::new(
                    format!("trọng số {weight} không được âm"),
                    format!("the weight {weight} must not be negative"),
                );
                faults.cell(data.line(row), column, problem);
            }
            faults.or(()).map_err(|error| table_failure(file, &error))?;
            Some(weights)
        }
    };
    let published = publish(arguments, &data, weights.as_deref())?;
    match arguments.format {
        TabulateFormat::Json => print_json(&published),
        TabulateFormat::Csv => print_csv(&published),
        TabulateFormat::Table => {
            println!("{}", table(&published, config.language == MessageLanguage::Vi));
            Ok(())
        }
    }
}

fn check_column(data: &Data, option: &str, column: &str) -> Result<(), Failure> {
    if data.has(column) {
        return Ok(());
    }
    let Text { vi, en } = data.unknown(column);
    Err(Failure::new(format!("{option}: {vi}"), format!("{option}: {en}")))
}

fn publish(arguments: &TabulateArguments, data: &Data, weights: Option<&[f64]>) -> Result<Published, Failure> {
    check_column(data, "--rows", &arguments.rows)?;
    check_column(data, "--columns", &arguments.columns)?;
    let (rows, columns) = (data.codes(&arguments.rows), data.codes(&arguments.columns));
    let (height, width) = (rows.labels.len(), columns.labels.len());
    // Before there is room for its cells.
    let shape = CountTable::new(height, width, &vec![0; height.saturating_mul(width).min(MOST_CELLS)]);
    shape.map_err(|error| told(error, &rows, &columns))?;
    let mut counts = vec![0_u64; height * width];
    // With the totals, as the protected table has them.
    let mut weighted = vec![0.0; (height + 1) * (width + 1)];
    let mut left_out = 0;
    for row in 0..data.rows() {
        let (Some(place), Some(column)) = (rows.codes[row], columns.codes[row]) else {
            left_out += 1;
            continue;
        };
        let (place, column) = (place as usize, column as usize);
        counts[place * width + column] += 1;
        let weight = weights.map_or(0.0, |weights| weights[row]);
        for (to_row, to_column) in [(place, column), (place, width), (height, column), (height, width)] {
            weighted[to_row * (width + 1) + to_column] += weight;
        }
    }
    let table = CountTable::new(height, width, &counts).map_err(|error| told(error, &rows, &columns))?;
    let rules = SuppressionRules {
        smallest_shown: arguments.minimum,
        protection_below: arguments.minimum,
        protection_above: arguments.minimum,
    };
    let protected = protect(&table, &rules).map_err(|error| told(error, &rows, &columns))?;
    let mut generator = arguments.seed.map(|seed| SampleGenerator::new(seed, 0));
    let mut round = |count: u64| match (arguments.round_to, &mut generator) {
        (None, _) => Ok(count),
        (Some(base), None) => round_to_base(count, base),
        (Some(base), Some(generator)) => round_at_random(count, base, generator),
    };
    let mut cells = Vec::with_capacity(height + 1);
    for row in 0..=height {
        let mut line = Vec::with_capacity(width + 1);
        for column in 0..=width {
            let place = row * (width + 1) + column;
            let status = protected.statuses[place];
            let is_shown = status == CellStatus::Shown;
            let failed = |error| told(error, &rows, &columns);
            let count = is_shown
                .then(|| round(table.count(Cell { row, column })))
                .transpose()
                .map_err(failed)?;
            let weighted_count = (is_shown && weights.is_some()).then(|| match arguments.round_to {
                None => Ok(weighted[place]),
                Some(_) => round(weighted[place].round() as u64).map(|rounded| rounded as f64),
            });
            line.push(PublishedCell {
                status,
                count,
                weighted_count: weighted_count.transpose().map_err(failed)?,
            });
        }
        cells.push(line);
    }
    let axis = |column: &str, codes: Codes| Axis {
        column: column.to_owned(),
        labels: codes.labels,
    };
    Ok(Published {
        rows: axis(&arguments.rows, rows),
        columns: axis(&arguments.columns, columns),
        minimum: arguments.minimum,
        round_to: arguments.round_to,
        rounding: arguments.round_to.map(|_| match arguments.seed {
            None => Rounding::Nearest,
            Some(_) => Rounding::Random,
        }),
        left_out,
        cells,
    })
}

/// Cells that a list is made for before the table's size is known to be allowed; more than are.
const MOST_CELLS: usize = 1 << 16;

/// What to say of an error, with the table's own labels.
fn told(error: PublicationError, rows: &Codes, columns: &Codes) -> Failure {
    match error {
        PublicationError::Shape { rows, columns, .. } => Failure::new(
            format!("bảng có {rows} hàng và {columns} cột; cần ít nhất hai giá trị ở mỗi chiều"),
            format!("the table has {rows} rows and {columns} columns; there must be at least two values each way"),
        ),
        PublicationError::Unprotectable { row, column } => {
            let label = |codes: &Codes, place: usize| codes.labels.get(place).cloned();
            let name = |place: Option<String>, total: &str| place.unwrap_or_else(|| total.to_owned());
            let (row, column) = (label(rows, row), label(columns, column));
            Failure::new(
                format!(
                    "không thể bảo vệ ô ({}; {}) bằng cách ẩn các ô khác: đừng công bố bảng này, hoặc gộp hàng hay cột",
                    name(row.clone(), "tổng"),
                    name(column.clone(), "tổng")
                ),
                format!(
                    "the cell ({}; {}) cannot be protected by hiding others: do not publish this table, or join rows or \
                     columns",
                    name(row, "total"),
                    name(column, "total")
                ),
            )
        }
        other => Failure::new(other.vietnamese(), other.to_string()),
    }
}

/// One line per cell. A total has an empty cell where the label would be.
fn print_csv(published: &Published) -> Result<(), Failure> {
    let mut writer = csv::Writer::from_writer(std::io::stdout().lock());
    let written = |error: csv::Error| Failure::from(std::io::Error::from(error));
    let (rows, columns) = (&published.rows, &published.columns);
    writer
        .write_record([
            rows.column.as_str(),
            &columns.column,
            "count",
            "weighted_count",
            "status",
        ])
        .map_err(written)?;
    let number = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
    for (row, line) in published.cells.iter().enumerate() {
        for (column, cell) in line.iter().enumerate() {
            let label = |axis: &Axis, place: usize| axis.labels.get(place).cloned().unwrap_or_default();
            let status = match cell.status {
                CellStatus::Shown => "shown",
                CellStatus::Primary => "primary",
                CellStatus::Complementary => "complementary",
            };
            let count = cell.count.map(|count| count.to_string()).unwrap_or_default();
            let cells = [
                label(rows, row),
                label(columns, column),
                count,
                number(cell.weighted_count),
                status.to_owned(),
            ];
            writer.write_record(cells).map_err(written)?;
        }
    }
    Ok(writer.flush()?)
}

fn table(published: &Published, vietnamese: bool) -> String {
    let total = if vietnamese { "Tổng" } else { "Total" };
    let labels = |axis: &Axis| {
        axis.labels
            .iter()
            .cloned()
            .chain([total.to_owned()])
            .collect::<Vec<_>>()
    };
    let mut table = comfy_table::Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic);
    let corner = format!("{} \\ {}", published.rows.column, published.columns.column);
    table.set_header([corner].into_iter().chain(labels(&published.columns)));
    for (label, line) in labels(&published.rows).into_iter().zip(&published.cells) {
        table.add_row(
            [label]
                .into_iter()
                .chain(line.iter().map(|cell| text_of(cell, vietnamese))),
        );
    }
    for column in 1..=published.columns.labels.len() + 1 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let minimum = published.minimum;
    let mut text = match vietnamese {
        true => format!(
            "{table}\n×: số đếm từ 1 đến {}, hoặc ẩn để không tính ra được số đó.",
            minimum - 1
        ),
        false => format!(
            "{table}\n×: a count from 1 to {}, or hidden so that one cannot be worked out.",
            minimum - 1
        ),
    };
    if let Some(base) = published.round_to {
        text.push_str(&match vietnamese {
            true => format!(" Số đếm đã làm tròn đến bội số của {base}."),
            false => format!(" Counts are rounded to multiples of {base}."),
        });
    }
    if published.left_out > 0 {
        let left_out = published.left_out;
        text.push_str(&match vietnamese {
            true => format!(" Bỏ qua {left_out} dòng thiếu giá trị."),
            false => format!(" {left_out} rows without a value are left out."),
        });
    }
    text
}

fn text_of(cell: &PublishedCell, vietnamese: bool) -> String {
    match (cell.count, cell.weighted_count) {
        (None, _) => "×".to_owned(),
        (Some(count), None) => count.to_string(),
        (Some(count), Some(weighted)) => {
            let weighted = format!("{weighted:.1}");
            let weighted = if vietnamese {
                weighted.replace('.', ",")
            } else {
                weighted
            };
            format!("{count} ({weighted})")
        }
    }
}
