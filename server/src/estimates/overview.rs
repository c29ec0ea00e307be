//! `GET /api/v1/overview`: everything that a page about one unit shows.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use indicators::bounds::BoundedEstimate;
use indicators::decision::Decision;
use indicators::estimators::Absence;
use indicators::intervals::{Interval, IntervalMethod};
use indicators::publication::{self, PublicationRules};
use serde::{Deserialize, Serialize};

use super::events;
use super::live::LiveRound;
use crate::app::App;
use crate::clock;
use crate::http::{Problem, Text};
use crate::registry::{Indicator, operator_sign};
use crate::sync::log_head;
use crate::units::{Level, Node};

/// Everything about one unit.
#[derive(Debug, Serialize, Deserialize)]
pub struct Overview {
    /// The round.
    pub round: RoundView,
    generated_at: String,
    /// The unit.
    pub unit: UnitView,
    path: Vec<UnitView>,
    /// How far the survey has come.
    pub coverage: Coverage,
    /// How current the figures are.
    pub freshness: Freshness,
    /// Every indicator of the registry.
    pub indicators: Vec<IndicatorView>,
    children: Vec<ChildView>,
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
    unit_of_analysis: String,
    numerator_vi: String,
    denominator_vi: String,
    /// The plan's target.
    pub target: TargetView,
    /// The agency in the lead.
    pub lead_agency: String,
    /// The coordinating agencies.
    pub coordinating_agencies: String,
    source_kind: String,
    note: Text,
    /// The estimate; none where the survey does not measure it, nothing is known, or it is withheld.
    pub estimate: Option<EstimateView>,
    /// Why there is no estimate of what the survey measures, where nothing withholds it.
    pub reason: Option<Absence>,
    /// Why it may not be shown.
    pub withheld: Option<Withheld>,
    /// Whether the target is met; none without an estimate.
    pub decision: Option<Decision>,
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
}

#[derive(Debug, Serialize, Deserialize)]
struct ChildView {
    #[serde(flatten)]
    unit: UnitView,
    has_children: bool,
    coverage: Coverage,
    indicators: BTreeMap<String, ChildIndicatorView>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ChildIndicatorView {
    point: Option<f64>,
    interval: Option<IntervalView>,
    /// Why there is no point or no interval, where nothing withholds them.
    reason: Option<Absence>,
    bounds: Option<BoundsView>,
    decision: Option<Decision>,
    withheld: Option<Withheld>,
    households: u64,
}

/// The routes of this module.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/overview", get(get_overview))
        .route("/api/v1/events", get(events::stream))
}

#[derive(Deserialize)]
struct Wanted {
    round: Option<String>,
    unit: Option<String>,
}

async fn get_overview(State(app): State<App>, Query(wanted): Query<Wanted>) -> Result<Json<Overview>, Problem> {
    let rounds = app.live.read().await;
    let live = match &wanted.round {
        None => rounds.last(),
        Some(id) => rounds.iter().find(|live| live.round.id.to_string() == *id),
    };
    let live = live.ok_or_else(|| {
        Problem::not_found(Text::new(
            "Máy chủ chưa có đợt khảo sát này; hãy tạo bằng `khaosat round`.",
            "The server has no such round yet; make one with `khaosat round`.",
        ))
    })?;
    let unit = wanted.unit.as_deref().unwrap_or(&live.round.root_code);
    let node = live.tree.find(unit).ok_or_else(|| {
        Problem::not_found(Text::new(
            format!("Đợt khảo sát không có đơn vị mã {unit}."),
            format!("The round has no unit with the code {unit}."),
        ))
    })?;
    let (devices_enrolled, devices_heard): (i64, i64) = sqlx::query_as(
        "SELECT COUNT(*), COALESCE(SUM(CASE WHEN last_heard_at > $1 THEN 1 ELSE 0 END), 0) FROM device
         WHERE revoked_at IS NULL",
    )
    .bind(clock::now() - 24 * 3_600_000)
    .fetch_one(&app.store.readers)
    .await?;
    let log_head = log_head(&app.store.readers).await?;
    let state = FieldState {
        log_head,
        devices_enrolled,
        devices_heard,
    };
    overview(live, node, &app.publication, state)
        .map(Json)
        .ok_or_else(|| Problem::not_found(Text::new("Không có đơn vị này.", "There is no such unit.")))
}

/// The overview of a node.
pub fn overview(live: &LiveRound, node: usize, rules: &PublicationRules, state: FieldState) -> Option<Overview> {
    let unit = live.tree.nodes().get(node)?;
    let measured = |position| {
        live.measures
            .registry_positions
            .iter()
            .position(|measured| *measured == position)
    };
    let indicators = live
        .registry
        .iter()
        .enumerate()
        .map(|(position, indicator)| indicator_view(live, node, indicator, measured(position), rules))
        .collect();
    let children = unit
        .children
        .iter()
        .filter_map(|child| {
            let view = live.tree.nodes().get(*child)?;
            Some(ChildView {
                unit: unit_view(view),
                has_children: !view.children.is_empty(),
                coverage: coverage(live, *child),
                indicators: child_indicators(live, *child, rules),
            })
        })
        .collect();
    Some(Overview {
        round: RoundView {
            id: live.round.id.to_string(),
            name: live.round.name.clone(),
            simulated: live.round.simulated,
            reference_date: live.round.reference_date.clone(),
        },
        generated_at: clock::rfc3339(clock::now()),
        unit: unit_view(unit),
        path: live
            .tree
            .path(node)
            .into_iter()
            .filter_map(|above| live.tree.nodes().get(above).map(unit_view))
            .collect(),
        coverage: coverage(live, node),
        freshness: Freshness {
            last_received_at: live.last_received_at.map(clock::rfc3339),
            sequence: live.sequence,
            log_head: state.log_head,
            devices_enrolled: state.devices_enrolled,
            devices_heard_24_hours: state.devices_heard,
        },
        indicators,
        children,
    })
}

fn unit_view(node: &Node) -> UnitView {
    // Wards and hamlets are called by their number: «phường 5» has the name «5».
    UnitView {
        code: node.code.clone(),
        name: node.name.clone(),
        kind: node.kind.clone(),
        level: node.level.word().to_owned(),
    }
}

fn coverage(live: &LiveRound, node: usize) -> Coverage {
    live.hamlets(node)
        .fold(Coverage::default(), |mut coverage, (hamlet, responded)| {
            coverage.frame_hamlets += 1;
            coverage.sampled_hamlets += u64::from(hamlet.expected > 0);
            coverage.responding_hamlets += u64::from(responded > 0);
            coverage.frame_households += hamlet.households;
            coverage.expected += hamlet.expected;
            coverage.received += hamlet.received;
            coverage.responded += responded;
            coverage.open_conflicts += hamlet.open_conflicts;
            coverage.responses_with_conflicts += hamlet.conflicted_responses;
            coverage
        })
}

fn indicator_view(
    live: &LiveRound,
    node: usize,
    indicator: &Indicator,
    measured: Option<usize>,
    rules: &PublicationRules,
) -> IndicatorView {
    let bounded = measured.and_then(|measured| live.estimate(node, measured));
    let shown = bounded.as_ref().map(|bounded| publish(bounded, indicator, rules));
    let (estimate, withheld, reason, decision) = match shown {
        None => (None, None, None, None),
        Some(Published::Withheld(withheld)) => (None, Some(withheld), None, None),
        Some(Published::Shown { decision }) => {
            let estimate = bounded
                .as_ref()
                .and_then(|bounded| estimate_view(bounded, live.bounds_exact(node)));
            let reason = bounded.as_ref().and_then(|bounded| bounded.estimate.absences.point);
            (estimate, None, reason, decision)
        }
    };
    IndicatorView {
        code: indicator.code.clone(),
        group: indicator.group.clone(),
        name: indicator.name.clone(),
        unit_of_analysis: indicator.unit_of_analysis.clone(),
        numerator_vi: indicator.numerator_vi.clone(),
        denominator_vi: indicator.denominator_vi.clone(),
        target: TargetView {
            operator: operator_sign(indicator.target.operator()).to_owned(),
            percent: indicator.target.percent(),
            year: indicator.target_year,
        },
        lead_agency: indicator.lead_agency.clone(),
        coordinating_agencies: indicator.coordinating_agencies.clone(),
        source_kind: indicator.source_kind.clone(),
        note: indicator.note.clone(),
        estimate,
        reason,
        withheld,
        decision,
        open_conflicts: bounded.map_or(0, |bounded| bounded.conflicted_households),
    }
}

fn child_indicators(live: &LiveRound, node: usize, rules: &PublicationRules) -> BTreeMap<String, ChildIndicatorView> {
    // Hamlets without any response have nothing to show, and there are many of them.
    let hamlet = live
        .tree
        .nodes()
        .get(node)
        .is_some_and(|node| node.level == Level::Hamlet);
    if live.hamlets(node).all(|(hamlet, _)| hamlet.received == 0) && (hamlet || live.hamlets(node).count() > 0) {
        return BTreeMap::new();
    }
    live.measures
        .registry_positions
        .iter()
        .enumerate()
        .filter_map(|(measured, position)| {
            let indicator = live.registry.get(*position)?;
            let bounded = live.estimate(node, measured)?;
            let households = bounded.estimate.households;
            let view = match publish(&bounded, indicator, rules) {
                Published::Withheld(withheld) => ChildIndicatorView {
                    point: None,
                    interval: None,
                    reason: None,
                    bounds: None,
                    decision: None,
                    withheld: Some(withheld),
                    households,
                },
                Published::Shown { decision } => ChildIndicatorView {
                    point: bounded.estimate.point,
                    interval: bounded.estimate.interval.as_ref().map(interval_view),
                    reason: bounded.estimate.absences.point.or(bounded.estimate.absences.interval),
                    bounds: bounds_view(&bounded),
                    decision,
                    withheld: None,
                    households,
                },
            };
            Some((indicator.code.clone(), view))
        })
        .collect()
}

enum Published {
    Withheld(Withheld),
    Shown { decision: Option<Decision> },
}

fn publish(bounded: &BoundedEstimate, indicator: &Indicator, rules: &PublicationRules) -> Published {
    match rules.withheld(&bounded.estimate) {
        Some(publication::Withheld::TooFewHouseholds { households, minimum }) => Published::Withheld(Withheld {
            rule: "minimum_households".to_owned(),
            minimum,
            households,
        }),
        Some(_) => Published::Withheld(Withheld {
            rule: "other".to_owned(),
            minimum: 0,
            households: bounded.estimate.households,
        }),
        None => Published::Shown {
            // Without an estimate there is nothing to decide on.
            decision: bounded.estimate.point.map(|_| bounded.decide(&indicator.target)),
        },
    }
}

fn estimate_view(bounded: &BoundedEstimate, bounds_exact: bool) -> Option<EstimateView> {
    let estimate = &bounded.estimate;
    let absences = estimate.absences;
    Some(EstimateView {
        point: estimate.point?,
        standard_error: estimate.standard_error,
        interval: estimate.interval.as_ref().map(interval_view),
        bounds: bounds_view(bounded),
        bounds_exact,
        design_effect: estimate.design_effect,
        degrees_of_freedom: estimate.degrees_of_freedom,
        households: estimate.households,
        denominator_count: estimate.denominator_observed,
        reason: absences.standard_error.or(absences.interval),
    })
}

fn interval_view(interval: &Interval) -> IntervalView {
    IntervalView {
        lower: interval.lower,
        upper: interval.upper,
        level: interval.level.fraction(),
        method: interval.method,
    }
}

fn bounds_view(bounded: &BoundedEstimate) -> Option<BoundsView> {
    Some(BoundsView {
        lower: bounded.lower.as_ref()?.point?,
        upper: bounded.upper.as_ref()?.point?,
    })
}
