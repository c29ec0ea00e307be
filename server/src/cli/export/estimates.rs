//! Every estimate of every unit.

use std::io::Write;

use indicators::publication::PublicationRules;
use serde::Serialize;

use super::{ExportFormat, Failure};
use crate::estimates::{FieldState, IndicatorView, LiveRound, UnitView, overview};
use crate::table::guard_formula;

/// One unit's figure for one indicator. Shares are from 0 to 1.
#[derive(Debug, Serialize)]
struct Row<'a> {
    simulated: bool,
    round: String,
    reference_date: &'a str,
    unit_code: &'a str,
    unit_level: &'a str,
    unit_kind: &'a str,
    unit_name: String,
    indicator: &'a str,
    point: Option<f64>,
    standard_error: Option<f64>,
    interval_lower: Option<f64>,
    interval_upper: Option<f64>,
    interval_level: Option<f64>,
    interval_method: Option<String>,
    bound_lower: Option<f64>,
    bound_upper: Option<f64>,
    design_effect: Option<f64>,
    degrees_of_freedom: Option<u64>,
    households: Option<u64>,
    denominator_count: Option<f64>,
    open_conflicts: u64,
    target_operator: &'a str,
    target_percent: f64,
    target_year: i64,
    decision: Option<String>,
    withheld: Option<String>,
}

/// Writes one row for each unit and indicator.
pub(super) fn write(
    live: &LiveRound,
    rules: &PublicationRules,
    format: ExportFormat,
    mut output: impl Write,
) -> Result<(), Failure> {
    match format {
        ExportFormat::Csv => {
            let mut csv = csv::Writer::from_writer(output);
            each_row(live, rules, |row| {
                Ok(csv.serialize(row).map_err(std::io::Error::from)?)
            })?;
            csv.flush()?;
        }
        ExportFormat::Jsonl => {
            each_row(live, rules, |row| {
                serde_json::to_writer(&mut output, row).map_err(std::io::Error::from)?;
                Ok(output.write_all(b"\n")?)
            })?;
            output.flush()?;
        }
    }
    Ok(())
}

/// Every figure of every unit from which something came in, in the tree's order.
fn each_row(
    live: &LiveRound,
    rules: &PublicationRules,
    mut write: impl FnMut(&Row<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for node in 0..live.tree.nodes().len() {
        let Some(view) = overview(live, node, rules, FieldState::default()) else {
            continue;
        };
        if view.page.coverage.received == 0 {
            continue;
        }
        for indicator in view
            .indicators
            .iter()
            .filter(|view| view.estimate.is_some() || view.withheld.is_some())
        {
            write(&row(live, &view.page.unit, indicator))?;
        }
    }
    Ok(())
}

fn row<'a>(live: &'a LiveRound, unit: &'a UnitView, indicator: &'a IndicatorView) -> Row<'a> {
    let estimate = indicator.estimate.as_ref();
    let interval = estimate.and_then(|estimate| estimate.interval.as_ref());
    let bounds = estimate.and_then(|estimate| estimate.bounds);
    Row {
        simulated: live.round.simulated,
        round: live.round.id.to_string(),
        reference_date: &live.round.reference_date,
        unit_code: &unit.code,
        unit_level: &unit.level,
        unit_kind: &unit.kind,
        unit_name: guard_formula(&unit.name).into_owned(),
        indicator: &indicator.code,
        point: estimate.map(|estimate| estimate.point),
        standard_error: estimate.and_then(|estimate| estimate.standard_error),
        interval_lower: interval.map(|interval| interval.lower),
        interval_upper: interval.map(|interval| interval.upper),
        interval_level: interval.map(|interval| interval.level),
        interval_method: interval.and_then(|interval| word(&interval.method)),
        bound_lower: bounds.map(|bounds| bounds.lower),
        bound_upper: bounds.map(|bounds| bounds.upper),
        design_effect: estimate.and_then(|estimate| estimate.design_effect),
        degrees_of_freedom: estimate.map(|estimate| estimate.degrees_of_freedom),
        households: estimate.map(|estimate| estimate.households),
        denominator_count: estimate.map(|estimate| estimate.denominator_count),
        open_conflicts: indicator.open_conflicts,
        target_operator: &indicator.target.operator,
        target_percent: indicator.target.percent,
        target_year: indicator.target.year,
        decision: indicator.decision.as_ref().and_then(word),
        withheld: indicator.withheld.as_ref().map(|withheld| withheld.rule.clone()),
    }
}

/// The word that a value has in the API's JSON.
fn word<T: Serialize>(value: &T) -> Option<String> {
    serde_json::to_value(value).ok()?.as_str().map(str::to_owned)
}
