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
    /// Those of them that would be added in the field to a hamlet to which so many were added that it must be a mistake.
    pub crowded: BTreeSet<Unit>,
    /// Those of them whose responses were erased.
    pub erased: BTreeSet<Unit>,
    /// The changes of these units that a person discarded.
    pub discarded: BTreeSet<ChangeHash>,
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

/// A change that is refused for a reason that a person can decide about.
#[derive(Debug, Clone)]
pub struct SetAside {
    /// Its number in the delivery.
    pub number: u32,
    /// Why it is refused.
    pub reason: RefusalReason,
    /// The change.
    pub admitted: Admitted,
}

/// What is to be written for a delivery, in one transaction.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The changes that are not taken, those that are set aside among them.
    pub refused: Vec<Refusal>,
    /// Those of them that are to be kept in quarantine.
    pub set_aside: Vec<SetAside>,
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

/// Changes that were looked at one by one: within their authors' scopes, or not.
#[derive(Debug, Default)]
pub(super) struct Scoped {
    pub(super) refused: Vec<Refusal>,
    pub(super) groups: BTreeMap<ResponseId, Group>,
    /// Refused unless they are known already, by response.
    pub(super) set_aside: BTreeMap<ResponseId, Vec<SetAside>>,
}

/// Sorts changes by response and refuses those of rounds, units or hamlets that their authors may not write.
pub(super) fn check_scope(verdicts: Vec<Verdict>, frame: &Frame, authors: &Authors) -> Scoped {
    let mut scoped = Scoped::default();
    for (number, verdict) in (0u32..).zip(verdicts) {
        let admitted = match verdict {
            Ok(admitted) => admitted,
            Err(reason) => {
                scoped.refused.push(Refusal::new(number, reason));
                continue;
            }
        };
        let unit = (admitted.round, admitted.unit.clone());
        match hamlet(&admitted, &unit, frame, authors) {
            Ok(hamlet) => {
                let group = scoped.groups.entry(admitted.response).or_insert_with(|| Group {
                    unit,
                    hamlet,
                    changes: Vec::new(),
                });
                group.changes.push((number, admitted));
            }
            Err(reason) if reason.is_decidable() => {
                let set_aside = scoped.set_aside.entry(admitted.response).or_default();
                set_aside.push(SetAside {
                    number,
                    reason,
                    admitted,
                });
            }
            Err(reason) => scoped.refused.push(Refusal::new(number, reason)),
        }
    }
    scoped
}

/// The hamlet in which a change writes, if its author may write it. What nobody can decide about any more is looked at
/// first: of an erased response nothing is kept, whoever wrote it.
fn hamlet(admitted: &Admitted, unit: &Unit, frame: &Frame, authors: &Authors) -> Result<HamletKey, RefusalReason> {
    let author = authors.author(&admitted.device);
    if let Err(reason) = author
        && !reason.is_decidable()
    {
        return Err(reason);
    }
    let round = *frame.rounds.get(&admitted.round).ok_or(RefusalReason::UnknownRound)?;
    if frame.erased.contains(unit) {
        return Err(RefusalReason::Erased);
    }
    let hash = admitted.change.hash();
    if frame.discarded.contains(&hash) {
        return Err(RefusalReason::Discarded);
    }
    let hamlet = frame.units.get(unit).copied();
    if authors.releases(&hash) {
        return hamlet.ok_or(RefusalReason::UnknownUnit);
    }
    let author = author?;
    if round == RoundState::Closed {
        return Err(RefusalReason::RoundClosed);
    }
    let hamlet = hamlet.ok_or(RefusalReason::UnknownUnit)?;
    if !author.may_write(hamlet, &admitted.change) {
        return Err(RefusalReason::OutsideScope);
    }
    if frame.crowded.contains(unit) {
        return Err(RefusalReason::HamletFull);
    }
    Ok(hamlet)
}

/// Decides by each response's history what can be logged. `stored` holds what there is of the responses that exist.
pub(super) fn plan(scoped: Scoped, stored: &BTreeMap<ResponseId, Stored>) -> Plan {
    let mut plan = Plan {
        refused: scoped.refused,
        ..Plan::default()
    };
    let nothing = Stored::default();
    for (id, set_aside) in scoped.set_aside {
        plan_set_aside(set_aside, stored.get(&id).unwrap_or(&nothing), &mut plan);
    }
    for (id, group) in scoped.groups {
        plan_response(id, group, stored.get(&id).unwrap_or(&nothing), &mut plan);
    }
    plan.refused.sort_by_key(|refusal| refusal.change);
    plan.waiting.sort_unstable();
    plan
}

impl Plan {
    fn set_aside(&mut self, set_aside: SetAside) {
        self.refused.push(Refusal::new(set_aside.number, set_aside.reason));
        self.set_aside.push(set_aside);
    }
}

/// What came before its author lost the right to write it, and comes again, is known and not refused.
fn plan_set_aside(set_aside: Vec<SetAside>, stored: &Stored, plan: &mut Plan) {
    let known = |changes: &[Change], hash| changes.iter().any(|change| change.hash() == hash);
    for set_aside in set_aside {
        let hash = set_aside.admitted.change.hash();
        if known(&stored.waiting, hash) {
            plan.waiting.push(set_aside.number);
        } else if !known(&stored.logged, hash) {
            plan.set_aside(set_aside);
        }
    }
}

fn plan_response(id: ResponseId, group: Group, stored: &Stored, plan: &mut Plan) {
    let Group { unit, hamlet, changes } = group;
    let logged: HashSet<ChangeHash> = stored.logged.iter().map(Change::hash).collect();
    let waiting: HashSet<ChangeHash> = stored.waiting.iter().map(Change::hash).collect();
    let refuse_all = |plan: &mut Plan, changes: Vec<(u32, Admitted)>| {
        for (number, admitted) in changes {
            plan.set_aside(SetAside {
                number,
                reason: RefusalReason::Contradiction,
                admitted,
            });
        }
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

/// What becomes of waiting changes once something was logged.
#[derive(Debug, Clone, Default)]
pub struct Released {
    /// Those whose dependencies are all there now, dependencies before dependents: they are to be logged.
    pub log: Vec<Change>,
    /// Those whose number was taken by another change of their author while they waited: they can never be logged.
    pub contradictory: Vec<Change>,
}

/// The waiting changes of a response that wait no more. To be asked inside the transaction that logged something: two
/// requests that bring a change and its dependency at the same time must not miss each other, and neither may two that
/// bring two changes under one number.
///
/// # Errors
/// When the logged changes do not load.
pub fn released(id: ResponseId, stored: Stored) -> Result<Released, ResponseError> {
    let mut response = Response::restored(id, stored.logged)?;
    let waiting: HashSet<ChangeHash> = stored.waiting.iter().map(Change::hash).collect();
    // What contradicts is found by what is left over.
    let _ = response.apply(stored.waiting.iter().cloned());
    let mut log = response.changes();
    log.retain(|change| waiting.contains(&change.hash()));
    let contradictory = stored.waiting.into_iter().filter(|change| {
        let hash = change.hash();
        !response.has(&hash) && !response.awaits(&hash)
    });
    Ok(Released {
        log,
        contradictory: contradictory.collect(),
    })
}
