//! REGISTRY.csv: what to estimate.

use std::collections::BTreeSet;

use indicators::decision::{Operator, Target};
use serde::Serialize;
use survey_forms::model::nearest_name;

use super::expression::{self, Expression};
use crate::cli::microdata::Data;
use crate::http::Text;
use crate::table::{Cells, Faults, Table, TableError};

/// One statistic to estimate.
#[derive(Debug)]
pub(super) struct Indicator {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) numerator: Expression,
    pub(super) denominator: Option<Expression>,
    /// The rows that it is about; all, if none is given.
    pub(super) domain: Option<Expression>,
    /// Of a quantile.
    pub(super) probability: f64,
    pub(super) target: Option<Target>,
}

/// What kind of statistic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Total,
    Mean,
    Ratio,
    Proportion,
    Quantile,
}

/// Columns of the registry; the first three must be there.
const COLUMNS: [&str; 9] = [
    "code",
    "kind",
    "numerator",
    "name",
    "denominator",
    "domain",
    "probability",
    "operator",
    "target_percent",
];
const KINDS: [&str; 5] = ["total", "mean", "ratio", "proportion", "quantile"];

/// Reads a registry over the columns of the data.
///
/// # Errors
/// [`TableError`] with every cell that is wrong.
pub(super) fn read(csv: &[u8], data: &Data) -> Result<Vec<Indicator>, TableError> {
    let table = Table::read(csv, &COLUMNS[..3])?;
    let mut faults = Faults::default();
    // Columns of the analyst's own are no fault, but one that is nearly ours is a slip.
    for name in table.columns().into_iter().filter(|name| !COLUMNS.contains(name)) {
        if let Some(nearest) = nearest_name(name, COLUMNS.into_iter()) {
            faults.table(Text::new(
                format!("cột {name:?}; có phải là {nearest:?}?"),
                format!("column {name:?}; did you mean {nearest:?}?"),
            ));
        }
    }
    let mut codes = BTreeSet::new();
    let mut registry = Vec::new();
    for (line, cells) in table.rows() {
        let code = cells.required("code", &mut faults);
        if !codes.insert(code.clone()) {
            faults.repeated(line, "code", ("mã", "code"), &code);
        }
        let kind = match cells.one_of("kind", &KINDS, &mut faults).as_str() {
            "total" => Kind::Total,
            "ratio" => Kind::Ratio,
            "proportion" => Kind::Proportion,
            "quantile" => Kind::Quantile,
            _ => Kind::Mean,
        };
        cells.required("numerator", &mut faults);
        let numerator = expression(line, &cells, "numerator", data, &mut faults);
        let denominator = expression(line, &cells, "denominator", data, &mut faults);
        let domain = expression(line, &cells, "domain", data, &mut faults);
        check_denominator(line, kind, &cells, &mut faults);
        let target = target(line, kind, &cells, &mut faults);
        let probability = probability(line, kind, &cells, &mut faults);
        if let Some(numerator) = numerator {
            registry.push(Indicator {
                code,
                name: cells.text("name").to_owned(),
                kind,
                numerator,
                denominator,
                domain,
                probability,
                target,
            });
        }
    }
    faults.or(registry)
}

fn expression(line: u64, cells: &Cells<'_>, column: &str, data: &Data, faults: &mut Faults) -> Option<Expression> {
    let text = cells.text(column);
    if text.is_empty() {
        return None;
    }
    match expression::parse(text, data) {
        Ok(expression) => Some(expression),
        Err(problem) => {
            faults.cell(line, column, problem);
            None
        }
    }
}

fn check_denominator(line: u64, kind: Kind, cells: &Cells<'_>, faults: &mut Faults) {
    let is_given = !cells.text("denominator").is_empty();
    match kind {
        Kind::Ratio => drop(cells.required("denominator", faults)),
        Kind::Total | Kind::Mean | Kind::Quantile if is_given => faults.cell(
            line,
            "denominator",
            Text::new(
                "chỉ ratio và proportion có mẫu số; hãy để trống",
                "only ratio and proportion have a denominator; leave it empty",
            ),
        ),
        _ => {}
    }
}

fn target(line: u64, kind: Kind, cells: &Cells<'_>, faults: &mut Faults) -> Option<Target> {
    if cells.text("operator").is_empty() && cells.text("target_percent").is_empty() {
        return None;
    }
    if matches!(kind, Kind::Total | Kind::Quantile) {
        let problem = Text::new(
            "chỉ mean, ratio và proportion có mục tiêu theo phần trăm; hãy để trống",
            "only mean, ratio and proportion have a target in percent; leave it empty",
        );
        faults.cell(line, "target_percent", problem);
        return None;
    }
    let operator = match cells.one_of("operator", &[">=", ">"], faults).as_str() {
        ">" => Operator::MoreThan,
        _ => Operator::AtLeast,
    };
    let percent: f64 = cells.parse("target_percent", faults, "một số phần trăm", "a percentage")?;
    match Target::new(operator, percent) {
        Ok(target) => Some(target),
        Err(error) => {
            faults.cell(line, "target_percent", Text::new(error.vietnamese(), error.to_string()));
            None
        }
    }
}

fn probability(line: u64, kind: Kind, cells: &Cells<'_>, faults: &mut Faults) -> f64 {
    let median = 0.5;
    if cells.text("probability").is_empty() {
        return median;
    }
    if kind != Kind::Quantile {
        let problem = Text::new(
            "chỉ quantile có probability; hãy để trống",
            "only quantile has a probability; leave it empty",
        );
        faults.cell(line, "probability", problem);
        return median;
    }
    let (vi, en) = ("một số lớn hơn 0 và nhỏ hơn 1", "a number above 0 and below 1");
    match cells.parse("probability", faults, vi, en) {
        Some(probability) if probability > 0.0 && probability < 1.0 => probability,
        Some(probability) => {
            let problem = Text::new(
                format!("{probability} không hợp lệ; cần {vi}"),
                format!("{probability} is not valid; {en} is needed"),
            );
            faults.cell(line, "probability", problem);
            median
        }
        None => median,
    }
}
