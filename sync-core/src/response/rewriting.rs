//! Writing again, as another actor, what can never come into a log.
//!
//! A phone that was restored from a backup, or cloned, writes a change under a sequence number that its key has used
//! already. The log keeps the first change of that number, and this one, with all that builds on it, stays outside for
//! ever. The device then takes a new key, and what the refused changes did is written again by the new actor on top of what
//! the log has:
//!
//! - each operation replaces exactly the values that the refused one replaced, under the name that they have in the log.
//!   What the log's side wrote there concurrently was not seen by the person, so it stays, and both values are a conflict;
//! - so does an equal value: it stands beside the other's, as wherever two people say the same, and that is no conflict. Were
//!   it left out, whoever replaces the other's value would replace this person's too, without having seen it;
//! - a repeat instance or visit that the log has under the same identity already is not made a second time (two maps at one
//!   key would hide one another): its keys go into the one that is there;
//! - one refused change becomes one change with its time, or none where nothing of it is left to write.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU64;
use std::sync::LazyLock;

use automerge::legacy::{Key, ObjectId, Op, OpId, OpType};
use automerge::{ActorId, Change, ChangeHash, ExpandedChange, ObjId, ReadDoc as _};

use super::{Misfit, Response, ResponseError};

/// The actors that one device has had.
#[derive(Debug, Clone, Copy)]
pub struct OwnActors<'a> {
    /// The one that it writes as.
    pub now: &'a ActorId,
    /// Those before, whose changes it may still bring: they stay as they are where the log can take them.
    pub before: &'a [ActorId],
    /// Those before, whose changes it can bring no more: whatever the log does not have of them is written again.
    pub abandoned: &'a [ActorId],
    /// What the log refused as contradicting. It is written again also where it fits all that the log has: what it
    /// contradicts may wait there for another change, where no device sees it.
    pub refused: &'a HashSet<ChangeHash>,
}

/// A response in which nothing of the device's own contradicts the log any more.
#[derive(Debug)]
pub struct Rewritten {
    /// The response.
    pub response: Response,
    /// What was dropped, and what was written in its place; dependencies before dependents. Whoever keeps changes drops and
    /// keeps all of them in one transaction, or a stop in between would lose an answer or say it twice.
    pub replaced: Vec<Replacement>,
}

/// A change that can never come into the log, and the one in its place.
#[derive(Debug, Clone)]
pub struct Replacement {
    /// The change that is dropped.
    pub dropped: ChangeHash,
    /// The change that says the same as the new actor; none where it only made what the log has already.
    pub written: Option<Change>,
}

impl Response {
    /// The response as the log has it, with everything that is not there yet and still fits, and what does not fit of the
    /// device's own written again by [`OwnActors::now`], as the module says.
    ///
    /// `logged` are the hashes of all changes that the log has of this response; the changes themselves were brought in by
    /// [`apply`](Self::apply), where those that contradict the response were set aside. What others wrote on top of a
    /// change that is dropped stays with them to write again: it waits here.
    ///
    /// # Errors
    /// [`ResponseError`] when the log contradicts itself, or a change of the device's own writes into something that only
    /// another's change made that can never come into the log.
    pub fn rewritten(&self, logged: &HashSet<ChangeHash>, own: OwnActors<'_>) -> Result<Rewritten, ResponseError> {
        let mut all = self.changes();
        all.extend(self.waiting.iter().chain(&self.contradicting).cloned());
        // Operations are numbered on from those that a change builds on: dependencies come before dependents.
        all.sort_by_key(|change| (change.start_op(), change.hash()));
        let is_logged = |change: &&Change| logged.contains(&change.hash());
        let mut base = Self::with_changes(self.id, all.iter().filter(is_logged).cloned())?;
        let rest = all.iter().filter(|change| !is_logged(change));
        let rest =
            rest.filter(|change| !own.abandoned.contains(change.actor_id()) && !own.refused.contains(&change.hash()));
        // What contradicts the log is what is looked for.
        let _ = base.apply(rest.cloned());
        all.retain(|change| !base.has(&change.hash()));
        let mut dropped: HashSet<ChangeHash> = HashSet::new();
        for change in &all {
            let author = change.actor_id();
            let builds_on_dropped = change.deps().iter().any(|dependency| dropped.contains(dependency));
            let waits = !self.has(&change.hash()) && base.awaits(&change.hash());
            let before = own.before.contains(author) || own.abandoned.contains(author);
            // What the new actor wrote before this has never been anywhere else if it builds on what is dropped.
            if (author == own.now && builds_on_dropped) || (before && (builds_on_dropped || !waits)) {
                dropped.insert(change.hash());
            }
        }
        base.waiting.retain(|change| !dropped.contains(&change.hash()));
        base.contradicting.retain(|change| !dropped.contains(&change.hash()));

        let mut writing = Writing::new(base, own.now, &all);
        let mut replaced = Vec::with_capacity(dropped.len());
        for change in all {
            if !dropped.contains(&change.hash()) {
                writing.pass_over(&change);
                continue;
            }
            replaced.push(Replacement {
                dropped: change.hash(),
                written: writing.write_again(&change)?,
            });
        }
        Ok(Rewritten {
            response: writing.base,
            replaced,
        })
    }
}

/// Changes being written again.
struct Writing<'a> {
    base: Response,
    actor: &'a ActorId,
    sequence: u64,
    /// The last operation's number.
    operation: u64,
    /// The operations that stand for one of a change that is left out: the one that was written in its place, or, where
    /// none was, those that it had replaced itself.
    stand_ins: StandIns<Vec<OpId>>,
    /// The maps that stand for those of changes that are left out.
    objects: StandIns<OpId>,
    /// For each change that is left out, those of them that it builds on, itself among them.
    past: HashMap<ChangeHash, HashSet<ChangeHash>>,
}

/// What stands for an operation of a change that is left out. Copies of one phone give several operations one name, so it
/// counts only for what builds on that change.
#[derive(Debug)]
struct StandIns<T>(HashMap<OpId, Vec<(ChangeHash, T)>>);

impl<T> StandIns<T> {
    fn insert(&mut self, operation: OpId, of: ChangeHash, stand_in: T) {
        self.0.entry(operation).or_default().push((of, stand_in));
    }

    /// For a change with this past.
    fn get(&self, operation: &OpId, past: &HashSet<ChangeHash>) -> Option<&T> {
        let mut all = self.0.get(operation)?.iter();
        all.find(|(of, _)| past.contains(of)).map(|(_, stand_in)| stand_in)
    }
}

impl<'a> Writing<'a> {
    /// `left_out` are the changes that are not in `base`, dependencies before dependents.
    fn new(base: Response, actor: &'a ActorId, left_out: &[Change]) -> Self {
        let mut past: HashMap<ChangeHash, HashSet<ChangeHash>> = HashMap::with_capacity(left_out.len());
        for change in left_out {
            let before = change.deps().iter().filter_map(|dependency| past.get(dependency));
            let mut of_this: HashSet<ChangeHash> = before.flatten().copied().collect();
            of_this.insert(change.hash());
            past.insert(change.hash(), of_this);
        }
        let changes = base.document.get_changes(&[]);
        let own = changes.iter().filter(|change| change.actor_id() == actor);
        Self {
            actor,
            sequence: own.map(Change::seq).max().unwrap_or(0),
            operation: changes.iter().map(Change::max_op).max().unwrap_or(0),
            base,
            stand_ins: StandIns(HashMap::new()),
            objects: StandIns(HashMap::new()),
            past,
        }
    }

    /// Leaves a change out that its own author has to write again.
    fn pass_over(&mut self, change: &Change) {
        for (old, operation) in numbered(change) {
            let replaced = self.replaced(change, &operation);
            self.stand_ins.insert(old, change.hash(), replaced);
        }
    }

    fn write_again(&mut self, change: &Change) -> Result<Option<Change>, ResponseError> {
        let mut operations = Vec::new();
        for (old, operation) in numbered(change) {
            let new = OpId(self.operation + 1 + operations.len() as u64, self.actor.clone());
            let object = self.object(change, &operation)?;
            let replaced = self.replaced(change, &operation);
            if let OpType::Make(_) = operation.action {
                let there = map_at(&self.base, &object, &operation.key);
                let stand_in = there.clone().unwrap_or_else(|| new.clone());
                self.objects.insert(old.clone(), change.hash(), stand_in);
                if there.is_some() {
                    continue;
                }
            }
            self.stand_ins.insert(old, change.hash(), vec![new]);
            operations.push(Op {
                obj: object,
                pred: replaced.into(),
                ..operation
            });
        }
        let (Some(start), false) = (NonZeroU64::new(self.operation + 1), operations.is_empty()) else {
            return Ok(None);
        };
        let mut deps = self.base.heads();
        deps.sort_unstable();
        let count = operations.len() as u64;
        let written = Change::from(ExpandedChange {
            operations,
            actor_id: self.actor.clone(),
            hash: None,
            seq: self.sequence + 1,
            start_op: start,
            deps,
            ..change.decode()
        });
        self.base.apply_ready(written.clone())?;
        self.sequence += 1;
        self.operation += count;
        Ok(Some(written))
    }

    fn past_of(&self, change: &Change) -> &HashSet<ChangeHash> {
        static NOTHING: LazyLock<HashSet<ChangeHash>> = LazyLock::new(HashSet::new);
        self.past.get(&change.hash()).unwrap_or(&NOTHING)
    }

    /// The values that an operation of a change replaces, as they are named now.
    fn replaced(&self, change: &Change, operation: &Op) -> Vec<OpId> {
        let mut replaced: Vec<OpId> = Vec::with_capacity(operation.pred.len());
        for old in operation.pred.iter() {
            let stand_ins = self.stand_ins.get(old, self.past_of(change));
            let now = stand_ins.map_or(std::slice::from_ref(old), Vec::as_slice);
            replaced.extend(now.iter().cloned());
        }
        replaced.sort_unstable();
        replaced.dedup();
        replaced
    }

    /// The map that an operation writes into, as it is named now.
    fn object(&self, change: &Change, operation: &Op) -> Result<ObjectId, ResponseError> {
        let ObjectId::Id(old) = &operation.obj else {
            return Ok(ObjectId::Root);
        };
        let past = self.past_of(change);
        if let Some(now) = self.objects.get(old, past) {
            return Ok(ObjectId::Id(now.clone()));
        }
        if self.base.document.object_type(object_id(old)).is_err() || self.stand_ins.get(old, past).is_some() {
            return Err(ResponseError::Misfit {
                response: self.base.id,
                change: change.hash(),
                misfit: Misfit::UnknownOperation {
                    operation: old.0,
                    author: old.1.clone(),
                },
            });
        }
        Ok(operation.obj.clone())
    }
}

/// A change's operations with their names.
fn numbered(change: &Change) -> impl Iterator<Item = (OpId, Op)> + use<> {
    let (start, actor) = (change.start_op().get(), change.actor_id().clone());
    let operations = change.decode().operations.into_iter();
    (start..)
        .zip(operations)
        .map(move |(number, operation)| (OpId(number, actor.clone()), operation))
}

fn object_id(operation: &OpId) -> ObjId {
    // The last part of an Automerge object's name is only a hint where to look the actor up.
    ObjId::Id(operation.0, operation.1.clone(), 0)
}

/// The map that is shown at a key.
fn map_at(response: &Response, object: &ObjectId, key: &Key) -> Option<OpId> {
    let (ObjectId::Id(object), Key::Map(key)) = (object, key) else {
        return None;
    };
    let (value, operation) = response.document.get(object_id(object), key.as_str()).ok()??;
    match operation {
        ObjId::Id(number, actor, _) if value.is_object() => Some(OpId(number, actor)),
        _ => None,
    }
}
