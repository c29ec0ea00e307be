//! What a page about one unit shows, as JSON.

use std::collections::BTreeMap;

use indicators::decision::{Decision, MoreInterviews};
use indicators::estimators::Absence;
use indicators::intervals::IntervalMethod;
use serde::{Deserialize, Serialize};

use crate::http::Text;
use crate::official::OfficialFigureView;

/// Where and when: what every page about a unit begins with.
#[derive(Debug, Serialize, Deserialize)]
pub struct Page {
    /// The round.
    pub round: RoundView,
    pub(super) generated_at: String,
    /// The unit.
    pub unit: UnitView,
    pub(super) path: Vec<UnitView>,
    /// How far the survey has come.
    pub coverage: Coverage,
    /// How current the figures are.
    pub freshness: Freshness,
}

/// Everything about one unit.
#[derive(Debug, Serialize, Deserialize)]
pub struct Overview {
    /// Where and when.
    #[serde(flatten)]
    pub page: Page,
    /// Every indicator of the registry.
    pub indicators: Vec<IndicatorView>,
    pub(super) children: Vec<ChildView>,
}

#[derive(Debug, Serialize, Deserialize)]
/// The round of an overview.
pub struct RoundView {
    /// Its identity.
    pub id: String,
    /// Its name.
    pub name: Text,
    /// Whether its answers are simulated.
    pub simulated: bool,
    /// The date for which it asks.
    pub reference_date: String,
}

/// A unit's name.
#[derive(Debug, Serialize, Deserialize)]
pub struct UnitView {
    /// Official code.
    pub code: String,
    /// Name without the kind.
    pub name: String,
    /// Kind.
    pub kind: String,
    /// Level.
    pub level: String,
}

/// How far the survey has come in a unit. Numbers of households unless named otherwise.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Coverage {
    /// Hamlets of the frame.
    pub frame_hamlets: u64,
    /// Hamlets with households to be surveyed.
    pub sampled_hamlets: u64,
    /// Hamlets from which somebody responded.
    pub responding_hamlets: u64,
    /// Households of the frame.
    pub frame_households: u64,
    /// Households to be surveyed.
    pub expected: u64,
    /// Households about which something came in, whatever the outcome.
    pub received: u64,
    /// Households that answered.
    pub responded: u64,
    /// Questions with differing answers.
    pub open_conflicts: u64,
    /// Responses with such questions.
    pub responses_with_conflicts: u64,
    /// Open pairs of responses that may be about one household.
    #[serde(default)]
    pub suspected_duplicates: u64,
    /// Households that were not on the list, were added in the field, and count: they are in the figures above.
    #[serde(default)]
    pub added: u64,
    /// Households that were added in the field where households had been drawn: no figure above and no estimate has them.
    #[serde(default)]
    pub added_uncounted: u64,
}

#[derive(Debug, Serialize, Deserialize)]
/// How current the figures are.
pub struct Freshness {
    /// When the last change came, RFC 3339.
    pub last_received_at: Option<String>,
    /// Up to where in the log the figures go.
    pub sequence: i64,
    /// Where the log ends.
    pub log_head: i64,
    /// Devices that are enrolled.
    pub devices_enrolled: i64,
    /// Devices that were heard from in the last 24 hours.
    pub devices_heard_24_hours: i64,
}

/// What the database knows of the field.
#[derive(Debug, Clone, Copy, Default)]
pub struct FieldState {
    /// Where the log ends.
    pub log_head: i64,
    /// Devices that are enrolled.
    pub devices_enrolled: i64,
    /// Devices that were heard from in the last 24 hours.
    pub devices_heard: i64,
}

/// One indicator for one unit.
#[derive(Debug, Serialize, Deserialize)]
pub struct IndicatorView {
    /// The plan's code.
    pub code: String,
    /// `economy` or `society`.
    pub group: String,
    /// Its name.
    pub name: Text,
    pub(super) unit_of_analysis: String,
    pub(super) numerator_vi: String,
    pub(super) denominator_vi: String,
    /// The plan's target.
    pub target: TargetView,
    /// The agency in the lead.
    pub lead_agency: String,
    /// The coordinating agencies.
    pub coordinating_agencies: String,
    pub(super) source_kind: String,
    pub(super) note: Text,
    /// The estimate; none where the survey does not measure it, nothing is known, or it is withheld.
    pub estimate: Option<EstimateView>,
    /// Why there is no estimate of what the survey measures, where nothing withholds it.
    pub reason: Option<Absence>,
    /// Why it may not be shown.
    pub withheld: Option<Withheld>,
    /// Whether the target is met; none without an estimate.
    pub decision: Option<Decision>,
    /// How many more interviews would decide, with the chance [`DECISION_ASSURANCE`](super::DECISION_ASSURANCE), where open
    /// conflicts are not what keeps it undecided; none without an estimate.
    pub more_interviews: Option<MoreInterviews>,
    /// Official figures of the unit, the newest first.
    #[serde(default)]
    pub official: Vec<OfficialFigureView>,
    /// Responses with open conflicts that touch it.
    pub open_conflicts: u64,
}

/// A plan's target.
#[derive(Debug, Serialize, Deserialize)]
pub struct TargetView {
    /// `>=` or `>`.
    pub operator: String,
    /// In percent.
    pub percent: f64,
    /// The year.
    pub year: i64,
}

/// An estimate. Shares are from 0 to 1.
#[derive(Debug, Serialize, Deserialize)]
pub struct EstimateView {
    /// The point estimate.
    pub point: f64,
    /// Its standard error.
    pub standard_error: Option<f64>,
    /// Its confidence interval.
    pub interval: Option<IntervalView>,
    /// The smallest and largest point estimate over all ways to settle open conflicts.
    pub bounds: Option<BoundsView>,
    /// Whether the bounds are exact.
    pub bounds_exact: bool,
    /// Design effect.
    pub design_effect: Option<f64>,
    /// Degrees of freedom.
    pub degrees_of_freedom: u64,
    /// Responding households.
    pub households: u64,
    /// What the denominator counts, unweighted: persons or households.
    pub denominator_count: f64,
    /// Why there is no standard error or interval.
    pub reason: Option<Absence>,
}

/// A confidence interval.
#[derive(Debug, Serialize, Deserialize)]
pub struct IntervalView {
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Confidence level, as a share.
    pub level: f64,
    /// How it was computed.
    pub method: IntervalMethod,
}

/// The bounds that open conflicts leave.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct BoundsView {
    /// The smallest value.
    pub lower: f64,
    /// The largest value.
    pub upper: f64,
}

/// Why a figure may not be shown.
#[derive(Debug, Serialize, Deserialize)]
pub struct Withheld {
    /// The rule's name.
    pub rule: String,
    /// The number that the rule asks for.
    pub minimum: u64,
    /// The number that there is.
    pub households: u64,
    /// The coefficient of variation, where that is why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coefficient_of_variation: Option<f64>,
    /// The largest that may be shown, where that is why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_coefficient_of_variation: Option<f64>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ChildView {
    #[serde(flatten)]
    pub(super) unit: UnitView,
    pub(super) has_children: bool,
    pub(super) coverage: Coverage,
    pub(super) indicators: BTreeMap<String, ChildIndicatorView>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ChildIndicatorView {
    pub(super) point: Option<f64>,
    pub(super) interval: Option<IntervalView>,
    /// Why there is no point or no interval, where nothing withholds them.
    pub(super) reason: Option<Absence>,
    pub(super) bounds: Option<BoundsView>,
    pub(super) decision: Option<Decision>,
    pub(super) withheld: Option<Withheld>,
    pub(super) households: u64,
}
