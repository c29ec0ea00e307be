//! `GET /api/v1/indicator`: one indicator in one unit, in depth.

use axum::Json;
use axum::extract::{Query, State};
use indicators::decision::Decision;
use indicators::publication::PublicationRules;
use serde::{Deserialize, Serialize};

use super::live::LiveRound;
use super::modelled::{ModelView, ModelledView, NotModelled, model};
use super::overview::{Wanted, child_indicator, coverage, indicator_view, no_such_unit, page, unit_view};
use super::view::{ChildIndicatorView, Coverage, FieldState, IndicatorView, Page, UnitView};
use super::{LiveImportance, history};
use crate::app::App;
use crate::clock;
use crate::http::{Problem, Text};
use crate::official;
use crate::store::StoreError;
use crate::units::Level;

/// Milliseconds of a day.
const DAY: i64 = 24 * 3_600_000;

/// Everything about one indicator in one unit.
#[derive(Debug, Serialize, Deserialize)]
pub struct IndicatorPage {
    /// Where and when.
    #[serde(flatten)]
    pub page: Page,
    /// The indicator, its estimate, decision and official figures.
    pub indicator: IndicatorView,
    /// What is open about it and what to settle first; none without an estimate that may be shown.
    pub open: Option<OpenView>,
    /// What the estimate was a day and a week ago; none where the survey does not measure it.
    pub movements: Vec<MovementView>,
    /// The model of communes, where the unit is one or has some below it.
    pub model: Option<ModelView>,
    /// Why there is none of the communes.
    pub not_modelled: Option<NotModelled>,
    /// The model's figure for the unit itself.
    pub modelled: Option<ModelledView>,
    /// The units below, by code.
    pub children: Vec<ChildPage>,
}

/// What is open about an estimate: conflicts and suspected duplicates, by hamlet.
#[derive(Debug, Serialize, Deserialize)]
pub struct OpenView {
    /// Conflicted responses and groups of suspected duplicates, each of which is settled as one.
    pub matters: u64,
    /// The decision by the estimate alone, with everything as it is counted now.
    pub decision_as_counted: Decision,
    /// So many of them, the weightiest first, suffice: once they are settled as they are counted now, the decision is sure
    /// whatever the others turn out to be. None where the estimate alone does not decide.
    pub settle_first: Option<u64>,
    /// The hamlets to begin with, ten at most.
    pub hamlets: Vec<OpenHamlet>,
}

/// What is open in one hamlet.
#[derive(Debug, Serialize, Deserialize)]
pub struct OpenHamlet {
    unit: UnitView,
    /// The commune that it is in: hamlets of many communes have the same name.
    commune: UnitView,
    /// Matters there.
    matters: u64,
    /// How far one of them can move the estimate at most, as a share; none where it could leave no estimate.
    largest_move: Option<f64>,
}

/// What an estimate was at an earlier time, by what had come to the server then.
#[derive(Debug, Serialize, Deserialize)]
pub struct MovementView {
    /// The time: the beginning of an hour, a day or a week ago.
    pub at: String,
    /// How many days ago that was.
    pub days: i64,
    /// Responding households then; zero where nothing had come yet.
    pub households: u64,
    /// The estimate then; none where there was none, or where it may not be shown: of too few households, or beside the present
    /// one telling what the few said who came since.
    pub point: Option<f64>,
    /// The estimate now less that, as a share; none where either is missing.
    pub difference: Option<f64>,
}

/// One indicator in a unit below.
#[derive(Debug, Serialize, Deserialize)]
pub struct ChildPage {
    #[serde(flatten)]
    unit: UnitView,
    has_children: bool,
    coverage: Coverage,
    /// The survey's figure; none where nothing came from there.
    direct: Option<ChildIndicatorView>,
    /// The model's figure, of communes.
    modelled: Option<ModelledView>,
}

#[derive(Deserialize)]
pub(super) struct WantedIndicator {
    #[serde(flatten)]
    place: Wanted,
    code: String,
}

pub(super) async fn get_indicator(
    State(app): State<App>,
    Query(wanted): Query<WantedIndicator>,
) -> Result<Json<IndicatorPage>, Problem> {
    let readers = &app.store.readers;
    let rounds = app.live.read().await;
    let (live, node) = wanted.place.find(&rounds)?;
    let position = live.registry.iter().position(|indicator| indicator.code == wanted.code);
    let position = position.ok_or_else(|| {
        Problem::not_found(Text::new(
            format!("Bộ chỉ tiêu không có chỉ tiêu mã {}.", wanted.code),
            format!("The registry has no indicator with the code {}.", wanted.code),
        ))
    })?;
    let page = page(live, node, FieldState::load(readers).await?).ok_or_else(no_such_unit)?;
    let registered = live.registry.get(position).ok_or_else(no_such_unit)?;
    let measured = live.measured(position);
    let mut indicator = indicator_view(live, node, registered, measured, &app.publication);
    let figures = official::load(readers, Some(&page.unit.code)).await?;
    let of_indicator = figures
        .into_iter()
        .filter(|figure| figure.indicator_code == wanted.code);
    official::attach(std::slice::from_mut(&mut indicator), of_indicator.collect());

    let movements = match measured {
        Some(measured) => movements(&app, live, node, measured, &indicator).await?,
        None => Vec::new(),
    };
    let open = indicator
        .estimate
        .as_ref()
        .and(measured)
        .and_then(|measured| open_view(live, live.importance(node, measured)?));
    let below = live.tree.nodes().get(node).ok_or_else(no_such_unit)?;
    let communes = std::iter::once(node).chain(below.children.iter().copied());
    let concerns_communes = communes.filter_map(|node| live.tree.nodes().get(node)).any(is_commune);
    let modelled = measured
        .filter(|_| concerns_communes)
        .map(|measured| model(live, measured, &app.publication));
    let (modelled, not_modelled) = match modelled {
        None => (None, None),
        Some(Ok(modelled)) => (Some(modelled), None),
        Some(Err(reason)) => (None, Some(reason)),
    };
    let figure_of = |node: &usize| {
        modelled
            .as_ref()
            .and_then(|modelled| modelled.figures.get(node).copied())
    };
    let children = below.children.iter().filter_map(|child| {
        let unit = live.tree.nodes().get(*child)?;
        Some(ChildPage {
            unit: unit_view(unit),
            has_children: !unit.children.is_empty(),
            coverage: coverage(live, *child),
            direct: measured.and_then(|measured| child_indicator(live, *child, registered, measured, &app.publication)),
            modelled: figure_of(child),
        })
    });
    let children = children.collect();
    let own = figure_of(&node);
    Ok(Json(IndicatorPage {
        page,
        indicator,
        open,
        movements,
        modelled: own,
        children,
        not_modelled,
        model: modelled.map(|modelled| modelled.view),
    }))
}

fn is_commune(node: &crate::units::Node) -> bool {
    node.level == Level::Commune
}

/// How many hamlets are named.
const HAMLETS: usize = 10;

fn open_view(live: &LiveRound, importance: LiveImportance) -> Option<OpenView> {
    let mut hamlets: Vec<OpenHamlet> = Vec::new();
    for matter in &importance.matters {
        let Some(response) = matter.responses.first() else {
            continue;
        };
        if let Some(known) = hamlets.iter_mut().find(|hamlet| hamlet.unit.code == response.hamlet) {
            known.matters += 1;
            continue;
        }
        let nodes = live.tree.nodes();
        let node = nodes.get(live.tree.find(&response.hamlet)?)?;
        // What moves it furthest comes first.
        hamlets.push(OpenHamlet {
            unit: unit_view(node),
            commune: unit_view(nodes.get(node.parent?)?),
            matters: 1,
            largest_move: matter.reach,
        });
    }
    hamlets.truncate(HAMLETS);
    Some(OpenView {
        matters: importance.matters.len() as u64,
        decision_as_counted: importance.decision_as_counted,
        settle_first: importance.sufficient.map(|sufficient| sufficient as u64),
        hamlets,
    })
}

/// What the estimate was a day and a week ago.
async fn movements(
    app: &App,
    live: &LiveRound,
    node: usize,
    measured: usize,
    now: &IndicatorView,
) -> Result<Vec<MovementView>, StoreError> {
    let mut movements = Vec::new();
    for days in [1, 7] {
        let at = history::hour_of(clock::now() - days * DAY);
        let earlier = history::earlier(&app.store.readers, live.round.key, at).await?;
        let estimate = live.earlier_estimate(node, measured, &earlier);
        let households = estimate.as_ref().map_or(0, |estimate| estimate.households);
        let rules: &PublicationRules = &app.publication;
        let came = now
            .estimate
            .as_ref()
            .map_or(0, |now| now.households.abs_diff(households));
        let shown = estimate
            .filter(|estimate| rules.withheld(estimate).is_none() && (came == 0 || came >= rules.minimum_households));
        let point = shown.and_then(|estimate| estimate.point);
        let present = now.estimate.as_ref().map(|estimate| estimate.point);
        movements.push(MovementView {
            at: clock::rfc3339(at),
            days,
            households,
            point,
            difference: present.zip(point).map(|(present, then)| present - then),
        });
    }
    Ok(movements)
}
