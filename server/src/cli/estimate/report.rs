//! What the command prints, whatever the format; JSON has it as it is here.

use std::collections::BTreeMap;

use indicators::decision::Decision;
use indicators::publication::Withheld;
use indicators::small_areas::{Benchmark, Diagnostics, Source, VarianceMethod};
use indicators::survey::SurveyEstimate;
use serde::Serialize;

use super::registry::Kind;
use crate::http::Text;

/// Everything that the command prints.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) sample: SampleView,
    pub(super) estimates: Vec<EstimateView>,
    /// Models of small areas, one per indicator that is modelled.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) models: Vec<ModelView>,
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
    /// Respondents with all values, where the design says who they are; or such rows.
    #[serde(skip)]
    pub(super) respondents: u64,
    pub(super) missing: MissingView,
    /// Where gaps were filled by a hot deck.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) imputation: Option<ImputationView>,
    pub(super) target: Option<TargetView>,
    /// Of an area of the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) modelled: Option<ModelledView>,
    /// Why the figures may not be shown; they are absent then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) withheld: Option<WithheldView>,
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

/// What filling gaps several times adds to the uncertainty.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct ImputationView {
    pub(super) imputations: usize,
    /// The mean of the imputations' variances.
    pub(super) within: f64,
    /// The variance of their points.
    pub(super) between: f64,
    /// None where they are infinite.
    pub(super) degrees_of_freedom: Option<f64>,
    /// The estimated share of the information that is missing.
    pub(super) missing_information: f64,
}

/// Which rule withholds an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub(super) enum WithheldView {
    TooFewRespondents {
        respondents: u64,
        minimum: u64,
    },
    TooImprecise {
        coefficient_of_variation: f64,
        maximum: f64,
    },
    OtherRule,
}

impl From<Withheld> for WithheldView {
    fn from(withheld: Withheld) -> Self {
        match withheld {
            Withheld::TooFewHouseholds { households, minimum } => Self::TooFewRespondents {
                respondents: households,
                minimum,
            },
            Withheld::TooImprecise {
                coefficient_of_variation,
                maximum,
            } => Self::TooImprecise {
                coefficient_of_variation,
                maximum,
            },
            _ => Self::OtherRule,
        }
    }
}

/// A modelled estimate, which is not a measurement.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ModelledView {
    pub(super) source: Source,
    pub(super) estimate: f64,
    pub(super) root_mean_squared_error: f64,
    /// The estimate less and plus so many root mean squared errors as a normal distribution has at the level of confidence.
    pub(super) lower: f64,
    pub(super) upper: f64,
    /// The weight of the direct estimate in it. Absent, as are the others, where the direct estimate is withheld.
    pub(super) direct_weight: Option<f64>,
    /// What the covariates say alone.
    pub(super) synthetic: Option<f64>,
    /// The estimate before the areas were made to agree with the whole.
    pub(super) before_benchmark: Option<f64>,
    /// The sampling variance that the model took for the direct estimate.
    pub(super) sampling_variance: Option<f64>,
    pub(super) is_variance_smoothed: bool,
    pub(super) standardised_residual: Option<f64>,
}

/// A model of small areas of one indicator.
#[derive(Debug, Serialize)]
pub(super) struct ModelView {
    pub(super) code: String,
    pub(super) column: String,
    #[serde(flatten)]
    pub(super) fit: Option<FitView>,
    /// Why there is none.
    pub(super) absent: Option<Text>,
}

/// A fitted model.
#[derive(Debug, Serialize)]
pub(super) struct FitView {
    pub(super) method: VarianceMethod,
    pub(super) between_area_variance: f64,
    pub(super) between_area_variance_error: f64,
    pub(super) coefficients: Vec<CoefficientView>,
    /// The design effect that smoothed the sampling variances.
    pub(super) smoothing_design_effect: Option<f64>,
    pub(super) benchmark: Option<Benchmark>,
    pub(super) diagnostics: Diagnostics,
}

/// A coefficient of a model.
#[derive(Debug, Serialize)]
pub(super) struct CoefficientView {
    pub(super) term: String,
    pub(super) value: f64,
    pub(super) standard_error: f64,
}
