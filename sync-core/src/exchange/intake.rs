//! What becomes of the changes that somebody brings: refused, logged, or kept waiting for what they depend on.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use automerge::{Change, ChangeHash};

use super::admission::{Admitted, Verdict};
use super::delivery::Authors;
use super::message::{Refusal, RefusalReason};
use crate::identity::{ResponseId, RoundId};
use crate::response::{Response, ResponseError};

/// The number by which whoever keeps a log knows a hamlet. It means nothing to anybody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HamletKey(pub i64);

/// A survey unit: its round and its code.
pub type Unit = (RoundId, String);

/// What the keeper of the log knows of the rounds and units that a request names.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// The rounds, and whether each takes changes.
    pub rounds: BTreeMap<RoundId, RoundState>,
    /// The units that are surveyed, and the hamlet of each.
    pub units: BTreeMap<Unit, HamletKey>,
    /// Those of them whose responses were erased.
    pub erased: BTreeSet<Unit>,
}

/// Whether a round takes changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoundState {
    /// It is in the field.
    Open,
    /// It is over.
    Closed,
}

/// What the keeper of the log has of one response.
#[derive(Debug, Clone, Default)]
pub struct Stored {
    /// The changes in the log, in its order.
    pub logged: Vec<Change>,
    /// The changes that wait for others.
    pub waiting: Vec<Change>,
}

/// The changes of one response in a delivery, each with its number there.
#[derive(Debug)]
pub(super) struct Group {
    unit: Unit,
    hamlet: HamletKey,
    changes: Vec<(u32, Admitted)>,
}

/// What is to be written for a delivery, in one transaction.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The changes that are not taken.
    pub refused: Vec<Refusal>,
    /// The numbers of the changes that wait for others, those that waited already among them.
    pub waiting: Vec<u32>,
    /// The responses that change.
    pub responses: Vec<PlannedResponse>,
}

/// What is to be written of one response.
#[derive(Debug, Clone)]
pub struct PlannedResponse {
    /// The response.
    pub id: ResponseId,
    /// Its round and unit.
    pub unit: Unit,
    /// The unit's hamlet.
    pub hamlet: HamletKey,
    /// To be logged, dependencies before dependents, each with its number in the delivery.
    pub log: Vec<(u32, Admitted)>,
    /// To be kept until their dependencies come.
    pub wait: Vec<(u32, Admitted)>,
}

/// Sorts changes by response and refuses those of rounds, units or hamlets that their authors may not write.
pub(super) fn check_scope(
    verdicts: Vec<Verdict>,
    frame: &Frame,
    authors: &Authors,
) -> (Vec<Refusal>, BTreeMap<ResponseId, Group>) {
    let mut refused = Vec::new();
    let mut groups: BTreeMap<ResponseId, Group> = BTreeMap::new();
    for (number, verdict) in (0u32..).zip(verdicts) {
        let checked = verdict.and_then(|admitted| {
            let scope = authors.scope(&admitted.device)?;
            match frame.rounds.get(&admitted.round) {
                None => return Err(RefusalReason::UnknownRound),
                Some(RoundState::Closed) => return Err(RefusalReason::RoundClosed),
                Some(RoundState::Open) => {}
            }
            let unit = (admitted.round, admitted.unit.clone());
            let hamlet = *frame.units.get(&unit).ok_or(RefusalReason::UnknownUnit)?;
            if !scope.contains(&hamlet) {
                return Err(RefusalReason::OutsideScope);
            }
            if frame.erased.contains(&unit) {
                return Err(RefusalReason::Erased);
            }
            Ok((admitted, unit, hamlet))
        });
        match checked {
            Ok((admitted, unit, hamlet)) => {
                let group = groups.entry(admitted.response).or_insert_with(|| Group {
                    unit,
                    hamlet,
                    changes: Vec::new(),
                });
                group.changes.push((number, admitted));
            }
            Err(reason) => refused.push(Refusal { change: number, reason }),
        }
    }
    (refused, groups)
}

/// Decides by each response's history what can be logged. `stored` holds what there is of the responses that exist.
pub(super) fn plan(
    refused: Vec<Refusal>,
    groups: BTreeMap<ResponseId, Group>,
    stored: &BTreeMap<ResponseId, Stored>,
) -> Plan {
    let mut plan = Plan {
        refused,
        waiting: Vec::new(),
        responses: Vec::new(),
    };
    for (id, group) in groups {
        let nothing = Stored::default();
        let stored = stored.get(&id).unwrap_or(&nothing);
        plan_response(id, group, stored, &mut plan);
    }
    plan.refused.sort_by_key(|refusal| refusal.change);
    plan.waiting.sort_unstable();
    plan
}

fn plan_response(id: ResponseId, group: Group, stored: &Stored, plan: &mut Plan) {
    let Group { unit, hamlet, changes } = group;
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
        return refuse_all(plan, changes);
    };

    let mut fresh = Vec::new();
    for (number, admitted) in changes {
        let hash = admitted.change.hash();
        if logged.contains(&hash) {
            continue;
        }
        if waiting.contains(&hash) {
            plan.waiting.push(number);
            continue;
        }
        fresh.push((number, admitted));
    }
    if fresh.is_empty() {
        return;
    }
    // What was there first has the first claim to a sequence number. What contradicts is found by what is left over.
    let arrived = fresh.iter().map(|(_, admitted)| admitted.change.clone());
    let _ = response.apply(stored.waiting.iter().cloned().chain(arrived));
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
    plan.waiting.extend(wait.iter().map(|(number, _)| *number));
    plan.responses.push(PlannedResponse {
        id,
        unit,
        hamlet,
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

/// The waiting changes of a response whose dependencies are all there now, dependencies before dependents. To be asked
/// inside the transaction that logged something: two requests that bring a change and its dependency at the same time
/// must not miss each other.
///
/// # Errors
/// When the logged changes do not load.
pub fn released(id: ResponseId, stored: Stored) -> Result<Vec<Change>, ResponseError> {
    let mut response = Response::restored(id, stored.logged)?;
    let waiting: HashSet<ChangeHash> = stored.waiting.iter().map(Change::hash).collect();
    // A waiting change that cannot be is never released.
    let _ = response.apply(stored.waiting);
    let mut changes = response.changes();
    changes.retain(|change| waiting.contains(&change.hash()));
    Ok(changes)
}
