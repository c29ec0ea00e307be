//! Whether a change follows from the changes that it builds on.
//!
//! Automerge believes a change what it says of its own past, and stops the program where it names objects, authors or
//! sequence numbers that are not there. Whoever signs a change may write anything into it, so each is checked before
//! Automerge sees it. What is asked for is what Automerge itself writes: an author's changes are numbered without gaps,
//! operations are numbered on from the highest number in the change's past (a Lamport clock), and objects and authors
//! that a change names are part of its past.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use automerge::legacy::{ObjectId, OpId, OpType};
use automerge::{ActorId, Automerge, Change, ChangeHash, ObjId, ReadDoc};

/// Why a change does not follow from the changes that it builds on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// It builds on nothing, not even the genesis.
    NoPast,
    /// Its author's number for it is not the next one.
    SequenceNumber {
        /// The number that it has.
        found: u64,
        /// The number that would follow.
        expected: u64,
    },
    /// The number of its first operation is not the next one.
    OperationNumber {
        /// The number that it has.
        found: u64,
        /// The number that would follow.
        expected: u64,
    },
    /// It names an author who wrote nothing that it builds on.
    UnknownAuthor(ActorId),
    /// It refers to an operation that is not in its past, or writes into one that made no object.
    UnknownOperation {
        /// The operation's number.
        operation: u64,
        /// Its author.
        author: ActorId,
    },
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPast => write!(f, "it builds on nothing; a response starts from its genesis"),
            Self::SequenceNumber { found, expected } => {
                write!(f, "it has sequence number {found}; its author's next is {expected}")
            }
            Self::OperationNumber { found, expected } => {
                write!(f, "its operations start at {found}; the next is {expected}")
            }
            Self::UnknownAuthor(author) => write!(f, "it names author {author}, of whom it has seen nothing"),
            Self::UnknownOperation { operation, author } => {
                write!(
                    f,
                    "it refers to operation {operation}@{author}, which it cannot have seen"
                )
            }
        }
    }
}

impl Misfit {
    /// The reason in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::NoPast => "thay đổi không dựa trên gì cả; phiếu phải bắt đầu từ thay đổi gốc".to_owned(),
            Self::SequenceNumber { found, expected } => {
                format!("thay đổi có số thứ tự {found}; số tiếp theo của người ghi là {expected}")
            }
            Self::OperationNumber { found, expected } => {
                format!("thao tác bắt đầu từ số {found}; số tiếp theo là {expected}")
            }
            Self::UnknownAuthor(author) => format!("thay đổi nêu người ghi {author} mà nó chưa thấy gì"),
            Self::UnknownOperation { operation, author } => {
                format!("thay đổi dựa trên thao tác {operation}@{author} mà nó không thể đã thấy")
            }
        }
    }
}

/// An author's last change in somebody's past.
#[derive(Debug, Clone, Copy, Default)]
struct Last {
    sequence: u64,
    operation: u64,
}

/// What a change has seen when it is written, itself included.
type Clock = BTreeMap<ActorId, Last>;

/// The clocks of a document's changes, as far as somebody asked for them.
#[derive(Debug, Clone, Default)]
pub(super) struct Clocks(HashMap<ChangeHash, Clock>);

impl Clocks {
    /// Checks a change whose dependencies are all in the document, and remembers its clock if it fits.
    pub(super) fn check(&mut self, document: &Automerge, change: &Change) -> Result<(), Misfit> {
        let mut clock = self.past(document, change.deps());
        let Some(expected) = clock.values().map(|last| last.operation + 1).max() else {
            return Err(Misfit::NoPast);
        };
        let found = change.start_op().get();
        if found != expected {
            return Err(Misfit::OperationNumber { found, expected });
        }
        let own = clock.get(change.actor_id()).copied().unwrap_or_default();
        let (found, expected) = (change.seq(), own.sequence + 1);
        if found != expected {
            return Err(Misfit::SequenceNumber { found, expected });
        }
        if let Some(unknown) = change
            .other_actor_ids()
            .iter()
            .find(|actor| !clock.contains_key(*actor))
        {
            return Err(Misfit::UnknownAuthor(unknown.clone()));
        }
        check_operations(document, change, &clock)?;
        let last = Last {
            sequence: change.seq(),
            operation: change.max_op(),
        };
        clock.insert(change.actor_id().clone(), last);
        self.0.insert(change.hash(), clock);
        Ok(())
    }

    /// What somebody has seen who has seen these changes of the document.
    fn past(&mut self, document: &Automerge, changes: &[ChangeHash]) -> Clock {
        let mut open = changes.to_vec();
        while let Some(hash) = open.last().copied() {
            if self.0.contains_key(&hash) {
                open.pop();
                continue;
            }
            let Some(meta) = document.get_change_meta_by_hash(&hash) else {
                open.pop();
                continue;
            };
            let before = open.len();
            open.extend(meta.deps.iter().filter(|dependency| !self.0.contains_key(*dependency)));
            if open.len() > before {
                continue;
            }
            let mut clock = self.union(&meta.deps);
            let last = Last {
                sequence: meta.seq,
                operation: meta.max_op,
            };
            clock.insert(meta.actor.into_owned(), last);
            self.0.insert(hash, clock);
            open.pop();
        }
        self.union(changes)
    }

    fn union(&self, changes: &[ChangeHash]) -> Clock {
        let mut union = Clock::new();
        for (actor, last) in changes.iter().filter_map(|hash| self.0.get(hash)).flatten() {
            let latest = union.entry(actor.clone()).or_default();
            latest.sequence = latest.sequence.max(last.sequence);
            latest.operation = latest.operation.max(last.operation);
        }
        union
    }
}

/// Checks what the operations refer to: the objects that they write into and the values that they replace.
fn check_operations(document: &Automerge, change: &Change, past: &Clock) -> Result<(), Misfit> {
    let operations = change.decode().operations;
    let start = change.start_op().get();
    for (number, operation) in operations.iter().enumerate() {
        let earlier = operations.get(..number).unwrap_or_default();
        // One of this change's own operations, or none where the reference is to another change.
        let own = |reference: &OpId| {
            let by_this = reference.1 == *change.actor_id() && reference.0 >= start;
            by_this.then(|| {
                usize::try_from(reference.0 - start)
                    .ok()
                    .and_then(|place| earlier.get(place))
            })
        };
        let seen = |reference: &OpId| past.get(&reference.1).is_some_and(|last| reference.0 <= last.operation);
        let is_object = |reference: &OpId| match own(reference) {
            Some(maker) => maker.is_some_and(|maker| matches!(maker.action, OpType::Make(_))),
            // The last part of an Automerge object's name is only a hint where to look the actor up.
            None => {
                let object = ObjId::Id(reference.0, reference.1.clone(), 0);
                seen(reference) && document.object_type(object).is_ok()
            }
        };
        let is_operation = |reference: &OpId| match own(reference) {
            Some(earlier) => earlier.is_some(),
            None => seen(reference),
        };
        let object = match &operation.obj {
            ObjectId::Id(object) if !is_object(object) => Some(object),
            _ => None,
        };
        let unknown = object.or_else(|| operation.pred.iter().find(|replaced| !is_operation(replaced)));
        if let Some(unknown) = unknown {
            return Err(Misfit::UnknownOperation {
                operation: unknown.0,
                author: unknown.1.clone(),
            });
        }
    }
    Ok(())
}
