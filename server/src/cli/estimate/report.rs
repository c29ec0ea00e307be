//! What the command prints, whatever the format; JSON has it as it is here.

use std::collections::BTreeMap;

use indicators::decision::Decision;
use indicators::survey::SurveyEstimate;
use serde::Serialize;

use super::registry::Kind;

/// Everything that the command prints.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) sample: SampleView,
    pub(super) estimates: Vec<EstimateView>,
}

/// What the estimates rest on.
#[derive(Debug, Serialize)]
pub(super) struct SampleView {
    pub(super) rows: usize,
    pub(super) first_stage_units: usize,
    pub(super) first_stage_strata: usize,
    pub(super) confidence: f64,
    pub(super) weights: Option<WeightsView>,
    pub(super) calibration: Option<CalibrationView>,
    pub(super) replicates: Option<ReplicatesView>,
}

/// The weights in force.
#[derive(Debug, Serialize)]
pub(super) struct WeightsView {
    pub(super) sum: f64,
    pub(super) smallest: f64,
    pub(super) largest: f64,
    /// Kish's design effect of weighting.
    pub(super) design_effect: f64,
}

/// What calibration did.
#[derive(Debug, Serialize)]
pub(super) struct CalibrationView {
    pub(super) iterations: usize,
    /// Smallest and largest ratio of new to old weight.
    pub(super) smallest_adjustment: f64,
    pub(super) largest_adjustment: f64,
    /// How far the worst total is missed, relative to it.
    pub(super) largest_deviation: f64,
}

/// The replicates that variances come from.
#[derive(Debug, Serialize)]
pub(super) struct ReplicatesView {
    pub(super) count: usize,
    pub(super) degrees_of_freedom: usize,
}

/// One indicator in one domain.
#[derive(Debug, Serialize)]
pub(super) struct EstimateView {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Values of the `--by` columns; empty for everybody.
    pub(super) domain: BTreeMap<String, String>,
    #[serde(flatten)]
    pub(super) estimate: SurveyEstimate,
    pub(super) missing: MissingView,
    pub(super) target: Option<TargetView>,
}

/// Rows of the domain that were left out because a value is missing.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct MissingView {
    pub(super) rows: u64,
    /// Of all rows of positive weight in the domain.
    pub(super) share: f64,
    /// The same in weights.
    pub(super) weighted_share: f64,
}

/// A target with what the interval says of it.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct TargetView {
    pub(super) operator: &'static str,
    pub(super) percent: f64,
    pub(super) decision: Decision,
}
