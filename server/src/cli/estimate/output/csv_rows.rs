//! Estimates as CSV.

use std::collections::BTreeSet;

use indicators::survey::Undefined;

use super::super::report::{EstimateView, ModelledView, Report};
use super::word;
use crate::cli::Failure;

/// What a model says of an area; before each stands `modelled_`.
const MODELLED: [&str; 9] = [
    "source",
    "estimate",
    "root_mean_squared_error",
    "lower",
    "upper",
    "direct_weight",
    "synthetic",
    "before_benchmark",
    "sampling_variance",
];

/// Prints one line for each estimate.
///
/// # Errors
/// A [`Failure`] if it cannot be written.
pub(super) fn print(report: &Report) -> Result<(), Failure> {
    let domains: BTreeSet<&String> = report.estimates.iter().flat_map(|view| view.domain.keys()).collect();
    let mut writer = csv::Writer::from_writer(std::io::stdout().lock());
    let mut header = vec!["code".to_owned(), "name".to_owned(), "kind".to_owned()];
    header.extend(domains.iter().map(|column| format!("by_{column}")));
    let figures = [
        "point",
        "standard_error",
        "lower",
        "upper",
        "confidence",
        "interval_method",
        "interval_reason",
        "design_effect",
        "design_effect_with_replacement",
        "degrees_of_freedom",
        "rows",
        "population",
        "missing_rows",
        "missing_share",
        "missing_weighted_share",
        "operator",
        "target_percent",
        "decision",
        "point_absent",
        "standard_error_absent",
        "interval_absent",
        "design_effect_absent",
    ];
    header.extend(figures.map(str::to_owned));
    // Columns that only some designs ask for.
    let is_modelled = !report.models.is_empty();
    let is_withheld = report.estimates.iter().any(|view| view.withheld.is_some());
    if is_modelled {
        header.extend(MODELLED.map(|name| format!("modelled_{name}")));
    }
    if is_withheld {
        header.push("withheld".to_owned());
    }
    let written = |error: csv::Error| Failure::from(std::io::Error::from(error));
    writer.write_record(&header).map_err(written)?;
    for view in &report.estimates {
        let mut row = csv_row(view, &domains);
        if is_modelled {
            row.extend(modelled_cells(view.modelled.as_ref()));
        }
        if is_withheld {
            row.push(view.withheld.as_ref().map(word).unwrap_or_default());
        }
        writer.write_record(row).map_err(written)?;
    }
    Ok(writer.flush()?)
}

fn number(number: Option<f64>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

fn modelled_cells(modelled: Option<&ModelledView>) -> [String; MODELLED.len()] {
    let of = |part: fn(&ModelledView) -> Option<f64>| number(modelled.and_then(part));
    [
        modelled.map(|modelled| word(&modelled.source)).unwrap_or_default(),
        of(|modelled| Some(modelled.estimate)),
        of(|modelled| Some(modelled.root_mean_squared_error)),
        of(|modelled| Some(modelled.lower)),
        of(|modelled| Some(modelled.upper)),
        of(|modelled| modelled.direct_weight),
        of(|modelled| modelled.synthetic),
        of(|modelled| modelled.before_benchmark),
        of(|modelled| modelled.sampling_variance),
    ]
}

fn csv_row(view: &EstimateView, domains: &BTreeSet<&String>) -> Vec<String> {
    let absent = |reason: Option<Undefined>| reason.as_ref().map(word).unwrap_or_default();
    let estimate = &view.estimate;
    let interval = estimate.interval;
    let mut row = vec![view.code.clone(), view.name.clone(), word(&view.kind)];
    row.extend(
        domains
            .iter()
            .map(|column| view.domain.get(*column).cloned().unwrap_or_default()),
    );
    row.extend([
        number(estimate.point),
        number(estimate.standard_error),
        number(interval.map(|interval| interval.lower)),
        number(interval.map(|interval| interval.upper)),
        number(interval.map(|interval| interval.level.fraction())),
        interval.map(|interval| word(&interval.method)).unwrap_or_default(),
        estimate.choice.map(|choice| word(&choice.reason)).unwrap_or_default(),
        number(estimate.design_effect),
        number(estimate.design_effect_with_replacement),
        estimate.degrees_of_freedom.to_string(),
        estimate.rows.to_string(),
        number(Some(estimate.population)),
        view.missing.rows.to_string(),
        number(Some(view.missing.share)),
        number(Some(view.missing.weighted_share)),
        view.target.map(|target| target.operator.to_owned()).unwrap_or_default(),
        number(view.target.map(|target| target.percent)),
        view.target.map(|target| word(&target.decision)).unwrap_or_default(),
        absent(estimate.absences.point),
        absent(estimate.absences.standard_error),
        absent(estimate.absences.interval),
        absent(estimate.absences.design_effect),
    ]);
    row
}
