//! What becomes of a request's changes: refused, logged, or kept waiting for what they depend on.

use std::collections::{BTreeMap, HashSet};

use sync_core::exchange::{Admitted, Refusal, RefusalReason, Verdict};
use sync_core::identity::{ResponseId, RoundId};
use sync_core::response::Response;
use sync_core::{Change, ChangeHash};

use super::log::{StoredResponse, SurveyedUnit};
use crate::devices::Authors;

/// The changes of one response in a request, each with its number in the request.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) round_key: i64,
    pub(super) unit: String,
    pub(super) hamlet_key: i64,
    pub(super) changes: Vec<(u32, Admitted)>,
}

/// What the server does with a request.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) refused: Vec<Refusal>,
    /// How many of the changes wait for others, those that waited already among them.
    pub(super) waiting: u32,
    pub(super) responses: Vec<PlannedResponse>,
}

/// What it does with the changes of one response.
#[derive(Debug)]
pub(super) struct PlannedResponse {
    pub(super) id: ResponseId,
    pub(super) round_key: i64,
    pub(super) unit: String,
    pub(super) hamlet_key: i64,
    /// To be logged, dependencies before dependents, each with its number in the request.
    pub(super) log: Vec<(u32, Admitted)>,
    /// To be kept until their dependencies come.
    pub(super) wait: Vec<(u32, Admitted)>,
}

/// Sorts a request's changes by response and refuses those of rounds, units or hamlets that their authors may not write.
pub(super) fn check_scope(
    verdicts: Vec<Verdict>,
    rounds: &BTreeMap<RoundId, (i64, bool)>,
    units: &BTreeMap<(RoundId, String), SurveyedUnit>,
    authors: &Authors,
) -> (Vec<Refusal>, BTreeMap<ResponseId, Group>) {
    let mut refused = Vec::new();
    let mut groups: BTreeMap<ResponseId, Group> = BTreeMap::new();
    for (number, verdict) in (0u32..).zip(verdicts) {
        let checked = verdict.and_then(|admitted| {
            let author = authors.find(&admitted.device)?;
            let (round_key, open) = *rounds.get(&admitted.round).ok_or(RefusalReason::UnknownRound)?;
            if !open {
                return Err(RefusalReason::RoundClosed);
            }
            let unit = units
                .get(&(admitted.round, admitted.unit.clone()))
                .ok_or(RefusalReason::UnknownUnit)?;
            if !author.hamlets.contains(&unit.hamlet_key) {
                return Err(RefusalReason::OutsideScope);
            }
            Ok((admitted, round_key, unit.hamlet_key))
        });
        match checked {
            Ok((admitted, round_key, hamlet_key)) => {
                let group = groups.entry(admitted.response).or_insert_with(|| Group {
                    round_key,
                    unit: admitted.unit.clone(),
                    hamlet_key,
                    changes: Vec::new(),
                });
                group.changes.push((number, admitted));
            }
            Err(reason) => refused.push(Refusal { change: number, reason }),
        }
    }
    (refused, groups)
}

/// Decides by each response's history what can be logged.
///
/// `stored` holds what the database has of the responses that exist already.
pub(super) fn plan(
    refused: Vec<Refusal>,
    groups: BTreeMap<ResponseId, Group>,
    stored: &BTreeMap<ResponseId, StoredResponse>,
) -> Plan {
    let mut plan = Plan {
        refused,
        waiting: 0,
        responses: Vec::new(),
    };
    for (id, group) in groups {
        let nothing = StoredResponse::default();
        let stored = stored.get(&id).unwrap_or(&nothing);
        plan_response(id, group, stored, &mut plan);
    }
    plan.refused.sort_by_key(|refusal| refusal.change);
    plan
}

fn plan_response(id: ResponseId, group: Group, stored: &StoredResponse, plan: &mut Plan) {
    let Group {
        round_key,
        unit,
        hamlet_key,
        changes,
    } = group;
    let logged: HashSet<ChangeHash> = stored.logged.iter().map(Change::hash).collect();
    let waiting: HashSet<ChangeHash> = stored.waiting.iter().map(Change::hash).collect();
    let refuse_all = |plan: &mut Plan, changes: Vec<(u32, Admitted)>| {
        let refusal = |(change, _)| Refusal {
            change,
            reason: RefusalReason::Contradiction,
        };
        plan.refused.extend(changes.into_iter().map(refusal));
    };
    let Ok(mut response) = Response::restored(id, stored.logged.iter().cloned()) else {
        // The stored history itself does not load. It stays as it is; new changes cannot be judged.
        tracing::error!(response = %id, "a stored response does not load");
        return refuse_all(plan, changes);
    };

    let mut fresh = Vec::new();
    for (number, admitted) in changes {
        let hash = admitted.change.hash();
        if logged.contains(&hash) {
            continue;
        }
        if waiting.contains(&hash) {
            plan.waiting += 1;
            continue;
        }
        fresh.push((number, admitted));
    }
    if fresh.is_empty() {
        return;
    }
    // What was there first has the first claim to a sequence number.
    let arrived = fresh.iter().map(|(_, admitted)| admitted.change.clone());
    if let Err(error) = response.apply(stored.waiting.iter().cloned().chain(arrived)) {
        tracing::warn!(response = %id, %error, "a change contradicts its response's history");
    }
    let (log, rest): (Vec<_>, Vec<_>) = fresh
        .into_iter()
        .partition(|(_, admitted)| response.has(&admitted.change.hash()));
    let (wait, contradictory): (Vec<_>, Vec<_>) = rest
        .into_iter()
        .partition(|(_, admitted)| response.awaits(&admitted.change.hash()));
    refuse_all(plan, contradictory);
    if log.is_empty() && wait.is_empty() {
        return;
    }
    plan.waiting += u32::try_from(wait.len()).unwrap_or(u32::MAX);
    plan.responses.push(PlannedResponse {
        id,
        round_key,
        unit,
        hamlet_key,
        log: in_dependency_order(log),
        wait,
    });
}

/// Changes in an order in which each comes after those of the list that it depends on.
fn in_dependency_order(mut left: Vec<(u32, Admitted)>) -> Vec<(u32, Admitted)> {
    let mut ordered = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let pending: HashSet<ChangeHash> = left.iter().map(|(_, admitted)| admitted.change.hash()).collect();
        let (ready, rest): (Vec<_>, Vec<_>) = left
            .into_iter()
            .partition(|(_, admitted)| admitted.change.deps().iter().all(|hash| !pending.contains(hash)));
        if ready.is_empty() {
            // Hashes cannot depend on one another in a circle.
            ordered.extend(rest);
            break;
        }
        ordered.extend(ready);
        left = rest;
    }
    ordered
}
