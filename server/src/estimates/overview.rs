//! `GET /api/v1/overview`: everything that a page about one unit shows.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use indicators::bounds::BoundedEstimate;
use indicators::decision::{Decision, MoreInterviews, more_interviews};
use indicators::intervals::Interval;
use indicators::publication::{self, PublicationRules};
use serde::Deserialize;
use sqlx::SqlitePool;

use super::live::LiveRound;
use super::view::{
    BoundsView, ChildIndicatorView, ChildView, Coverage, EstimateView, FieldState, Freshness, IndicatorView,
    IntervalView, Overview, Page, RoundView, TargetView, UnitView, Withheld,
};
use super::{events, indicator};
use crate::app::App;
use crate::clock;
use crate::http::{Problem, Text};
use crate::official;
use crate::registry::{Indicator, operator_sign};
use crate::store::StoreError;
use crate::sync::log_head;
use crate::units::Node;

/// The chance with which as many more interviews as are told shall decide about a target, if the estimate is the truth.
pub const DECISION_ASSURANCE: f64 = 0.8;

/// The routes of this module.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/overview", get(get_overview))
        .route("/api/v1/indicator", get(indicator::get_indicator))
        .route("/api/v1/events", get(events::stream))
}

/// The round and unit that a request asks about.
#[derive(Deserialize)]
pub(super) struct Wanted {
    round: Option<String>,
    unit: Option<String>,
}

impl Wanted {
    /// The round, the last one where none is named, and the unit's node, the root where none is named.
    ///
    /// # Errors
    /// [`Problem`] where there is no such round or unit.
    pub(super) fn find<'a>(&self, rounds: &'a [LiveRound]) -> Result<(&'a LiveRound, usize), Problem> {
        let live = match &self.round {
            None => rounds.last(),
            Some(id) => rounds.iter().find(|live| live.round.id.to_string() == *id),
        };
        let live = live.ok_or_else(|| {
            Problem::not_found(Text::new(
                "Máy chủ chưa có đợt khảo sát này; hãy tạo bằng `khaosat round`.",
                "The server has no such round yet; make one with `khaosat round`.",
            ))
        })?;
        let unit = self.unit.as_deref().unwrap_or(&live.round.root_code);
        let node = live.tree.find(unit).ok_or_else(|| {
            Problem::not_found(Text::new(
                format!("Đợt khảo sát không có đơn vị mã {unit}."),
                format!("The round has no unit with the code {unit}."),
            ))
        })?;
        Ok((live, node))
    }
}

impl FieldState {
    /// What the database knows of the field now.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub(super) async fn load(readers: &SqlitePool) -> Result<Self, StoreError> {
        let (devices_enrolled, devices_heard): (i64, i64) = sqlx::query_as(
            "SELECT COUNT(*), COALESCE(SUM(CASE WHEN last_heard_at > $1 THEN 1 ELSE 0 END), 0) FROM device
             WHERE revoked_at IS NULL AND successor_key IS NULL",
        )
        .bind(clock::now() - 24 * 3_600_000)
        .fetch_one(readers)
        .await?;
        Ok(Self {
            log_head: log_head(readers).await?,
            devices_enrolled,
            devices_heard,
        })
    }
}

async fn get_overview(State(app): State<App>, Query(wanted): Query<Wanted>) -> Result<Json<Overview>, Problem> {
    let rounds = app.live.read().await;
    let (live, node) = wanted.find(&rounds)?;
    let state = FieldState::load(&app.store.readers).await?;
    let mut view = overview(live, node, &app.publication, state).ok_or_else(no_such_unit)?;
    let figures = official::load(&app.store.readers, Some(&view.page.unit.code)).await?;
    official::attach(&mut view.indicators, figures);
    Ok(Json(view))
}

pub(super) fn no_such_unit() -> Problem {
    Problem::not_found(Text::new("Không có đơn vị này.", "There is no such unit."))
}

/// The overview of a node.
pub fn overview(live: &LiveRound, node: usize, rules: &PublicationRules, state: FieldState) -> Option<Overview> {
    let page = page(live, node, state)?;
    let registry = live.registry.iter().enumerate();
    let indicators = registry
        .map(|(position, indicator)| indicator_view(live, node, indicator, live.measured(position), rules))
        .collect();
    let children = live.tree.nodes().get(node)?.children.iter();
    let children = children
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
        page,
        indicators,
        children,
    })
}

/// What every page about a node begins with.
pub(super) fn page(live: &LiveRound, node: usize, state: FieldState) -> Option<Page> {
    let unit = live.tree.nodes().get(node)?;
    Some(Page {
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
    })
}

pub(super) fn unit_view(node: &Node) -> UnitView {
    // Wards and hamlets are called by their number: «phường 5» has the name «5».
    UnitView {
        code: node.code.clone(),
        name: node.name.clone(),
        kind: node.kind.clone(),
        level: node.level.word().to_owned(),
    }
}

pub(super) fn coverage(live: &LiveRound, node: usize) -> Coverage {
    // A pair may lie in two hamlets, so pairs are not summed up by hamlet.
    let suspected_duplicates = live.suspected_duplicates(node);
    live.hamlets(node)
        .fold(Coverage::default(), |mut coverage, (hamlet, responded)| {
            coverage.suspected_duplicates = suspected_duplicates;
            coverage.frame_hamlets += 1;
            coverage.sampled_hamlets += u64::from(hamlet.expected > 0);
            coverage.responding_hamlets += u64::from(responded > 0);
            coverage.frame_households += hamlet.households;
            coverage.expected += hamlet.expected;
            coverage.received += hamlet.received;
            coverage.added += hamlet.added;
            coverage.added_uncounted += hamlet.added_uncounted;
            coverage.responded += responded;
            coverage.open_conflicts += hamlet.open_conflicts;
            coverage.responses_with_conflicts += hamlet.conflicted_responses;
            coverage
        })
}

pub(super) fn indicator_view(
    live: &LiveRound,
    node: usize,
    indicator: &Indicator,
    measured: Option<usize>,
    rules: &PublicationRules,
) -> IndicatorView {
    let bounded = measured.and_then(|measured| live.estimate(node, measured));
    let shown = bounded.as_ref().map(|bounded| publish(bounded, indicator, rules));
    let (estimate, withheld, reason, decision, more_interviews) = match shown {
        None => (None, None, None, None, None),
        Some(Published::Withheld(withheld)) => (None, Some(withheld), None, None, None),
        Some(Published::Shown {
            decision,
            more_interviews,
        }) => {
            let estimate = bounded
                .as_ref()
                .and_then(|bounded| estimate_view(bounded, live.bounds_exact(node)));
            let reason = bounded.as_ref().and_then(|bounded| bounded.estimate.absences.point);
            (estimate, None, reason, decision, more_interviews)
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
        more_interviews,
        official: Vec::new(),
        open_conflicts: bounded.map_or(0, |bounded| bounded.conflicted_households),
    }
}

fn child_indicators(live: &LiveRound, node: usize, rules: &PublicationRules) -> BTreeMap<String, ChildIndicatorView> {
    let registry = live.registry.iter().enumerate();
    registry
        .filter_map(|(position, indicator)| {
            let view = child_indicator(live, node, indicator, live.measured(position)?, rules)?;
            Some((indicator.code.clone(), view))
        })
        .collect()
}

/// One indicator of a unit below, in short; none where nothing came from there.
pub(super) fn child_indicator(
    live: &LiveRound,
    node: usize,
    indicator: &Indicator,
    measured: usize,
    rules: &PublicationRules,
) -> Option<ChildIndicatorView> {
    // Units from which nothing came have nothing to show, and there are many of them.
    if live.hamlets(node).all(|(hamlet, _)| hamlet.received == 0) {
        return None;
    }
    let bounded = live.estimate(node, measured)?;
    let households = bounded.estimate.households;
    Some(match publish(&bounded, indicator, rules) {
        Published::Withheld(withheld) => ChildIndicatorView {
            point: None,
            interval: None,
            reason: None,
            bounds: None,
            decision: None,
            withheld: Some(withheld),
            households,
        },
        Published::Shown { decision, .. } => ChildIndicatorView {
            point: bounded.estimate.point,
            interval: bounded.estimate.interval.as_ref().map(interval_view),
            reason: bounded.estimate.absences.point.or(bounded.estimate.absences.interval),
            bounds: bounds_view(&bounded),
            decision,
            withheld: None,
            households,
        },
    })
}

enum Published {
    Withheld(Withheld),
    Shown {
        decision: Option<Decision>,
        more_interviews: Option<MoreInterviews>,
    },
}

fn publish(bounded: &BoundedEstimate, indicator: &Indicator, rules: &PublicationRules) -> Published {
    match rules.withheld(&bounded.estimate) {
        Some(publication::Withheld::TooFewHouseholds { households, minimum }) => Published::Withheld(Withheld {
            rule: "minimum_households".to_owned(),
            minimum,
            households,
            coefficient_of_variation: None,
            maximum_coefficient_of_variation: None,
        }),
        Some(publication::Withheld::TooImprecise {
            coefficient_of_variation,
            maximum,
        }) => Published::Withheld(Withheld {
            rule: "maximum_coefficient_of_variation".to_owned(),
            minimum: rules.minimum_households,
            households: bounded.estimate.households,
            coefficient_of_variation: Some(coefficient_of_variation),
            maximum_coefficient_of_variation: Some(maximum),
        }),
        Some(_) => Published::Withheld(Withheld {
            rule: "other".to_owned(),
            minimum: 0,
            households: bounded.estimate.households,
            coefficient_of_variation: None,
            maximum_coefficient_of_variation: None,
        }),
        // Without an estimate there is nothing to decide on.
        None => Published::Shown {
            decision: bounded.estimate.point.map(|_| bounded.decide(&indicator.target)),
            more_interviews: bounded
                .estimate
                .point
                .map(|_| more_interviews(&indicator.target, &bounded.estimate, DECISION_ASSURANCE)),
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
