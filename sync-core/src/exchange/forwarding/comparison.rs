//! A hub finds out with its upstream what one log has and the other lacks.

use automerge::ChangeHash;
use serde_bytes::{ByteArray, ByteBuf};

use super::message::{FORWARDING_VERSION, ForwardRequest, ForwardResponse};
use super::state::{ForwardingState, Piece};
use crate::exchange::cursor::Cursor;
use crate::exchange::message::Reconciliation;
use crate::exchange::reconciliation::{ChangeSet, Initiator, Limits, ReconciliationError, Salt, Step};

/// Changes that are brought and asked for in one request at most.
const AT_ONCE: usize = 2_000;

/// The hub's side of a comparison of its log with upstream's, instead of bringing the one and reading the other whole.
///
/// Life of a comparison: send the [`request`](Self::request) and give its answer to [`after`](Self::after), until that
/// gives the state to go on from. Nothing of it needs to be kept: whatever arrived on the way is missing no more when it is
/// begun anew after a power cut. After an error the hub goes on from the state that it has, and so brings everything.
#[derive(Debug)]
pub struct Comparison {
    stage: Stage,
    /// What is compared, in the order of the hub's log: dependencies are brought before what depends on them.
    changes: Vec<ChangeHash>,
    /// The last entry of the hub's log among what is compared.
    here: Option<Cursor>,
    /// The last entry of upstream's.
    there: Option<Cursor>,
    /// The last entry of upstream's log when it last answered: if upstream does not know it any more, it was set back, and may
    /// have lost again what it was brought.
    acknowledged: Option<Cursor>,
    /// Whether upstream no longer had something that it had compared, or does not know what it had answered: it was erased, or
    /// upstream was set back, and what it then gets again must not be taken for what the hub has read.
    has_changed: bool,
}

#[derive(Debug)]
enum Stage {
    Asking(Box<Initiator>),
    Exchanging {
        /// What upstream lacks, and the hub has yet to bring.
        bring: Vec<ChangeHash>,
        /// What the hub lacks, and has yet to get.
        fetch: Vec<ChangeHash>,
        /// Whether the hub's tombstones were brought, and that it has come so far.
        begun: bool,
    },
}

impl Comparison {
    /// Begins to compare these changes, all of the hub's log in its scope up to the entry `here` and in the log's order.
    /// `salt` is drawn anew each time.
    ///
    /// # Errors
    /// [`ReconciliationError::TooManyChanges`].
    pub fn new(
        changes: Vec<ChangeHash>,
        here: Option<Cursor>,
        salt: Salt,
        limits: Limits,
    ) -> Result<Self, ReconciliationError> {
        let set = changes.iter().copied().collect();
        Ok(Self {
            stage: Stage::Asking(Box::new(Initiator::new(set, salt, limits)?)),
            changes,
            here,
            there: None,
            acknowledged: None,
            has_changed: false,
        })
    }

    /// The last entry of the hub's log among what is compared.
    pub fn here(&self) -> Option<Cursor> {
        self.here
    }

    /// The changes that are to be brought next, or as many of them as fit into a message.
    pub fn to_bring(&self) -> &[ChangeHash] {
        match &self.stage {
            Stage::Asking(_) => &[],
            Stage::Exchanging { bring, .. } => first(bring),
        }
    }

    /// Whether the next request is to bring the hub's tombstones.
    pub fn brings_erasures(&self) -> bool {
        matches!(self.stage, Stage::Exchanging { begun: false, .. })
    }

    /// The next request, with a piece that has what is [to be brought](Self::to_bring) and all tombstones where
    /// [they are due](Self::brings_erasures). The same again where its answer was lost.
    pub fn request(
        &self,
        piece: Piece,
        roster: Option<Vec<u8>>,
        roster_known: Option<[u8; 32]>,
        device_time: i64,
    ) -> ForwardRequest {
        let (reconciliation, until) = match &self.stage {
            Stage::Asking(initiator) => (Some(Reconciliation::Compare(ByteBuf::from(initiator.request()))), None),
            Stage::Exchanging { fetch, .. } => {
                let wanted = first(fetch).iter().map(|hash| ByteArray::new(hash.0)).collect();
                (Some(Reconciliation::Fetch(wanted)), self.here)
            }
        };
        ForwardRequest {
            version: FORWARDING_VERSION,
            device_time,
            roster: roster.map(ByteBuf::from),
            roster_known: roster_known.map(ByteBuf::from),
            forwarded: None,
            until,
            carried: piece.carried,
            unlogged: Vec::new(),
            erased: piece.erased,
            cursor: None,
            acknowledged: self.acknowledged,
            // The hub knows that cursors mean nothing now, and asks for its own by hash where it lacks it.
            restoring: true,
            reconciliation,
        }
    }

    /// Takes an answer. `brought` are the changes that the request had, `more` says whether some that were to be brought did
    /// not fit into it. Gives the state to go on from where the comparison has ended, to be kept together with what this
    /// answer brought; where upstream's log was found to have changed in between, that is a state without cursors.
    ///
    /// # Errors
    /// [`ReconciliationError`] where upstream does not compare, or the two logs are too different; the comparison has ended.
    pub fn after(
        &mut self,
        brought: &ChangeSet,
        more: bool,
        answer: &ForwardResponse,
    ) -> Result<Option<ForwardingState>, ReconciliationError> {
        match &mut self.stage {
            Stage::Asking(initiator) => {
                let cells = answer.reconciliation.as_ref().ok_or(ReconciliationError::NotCompared)?;
                if let Step::Reconciled(difference) = initiator.receive(cells)? {
                    let lacking: ChangeSet = difference.missing_there.into_iter().collect();
                    let bring = self.changes.iter().filter(|hash| lacking.contains(hash));
                    self.there = answer.cursor;
                    self.acknowledged = answer.cursor;
                    self.stage = Stage::Exchanging {
                        bring: bring.copied().collect(),
                        fetch: difference.missing_here,
                        begun: false,
                    };
                }
                Ok(None)
            }
            Stage::Exchanging { bring, fetch, begun } => {
                *begun = true;
                self.acknowledged = answer.acknowledged;
                self.has_changed |= answer.unknown_cursor;
                settle(bring, brought, more);
                let came: ChangeSet = answer.carried.hashes().flatten().collect();
                let wanted = first(fetch);
                self.has_changed |= match answer.more {
                    true => wanted.iter().all(|hash| !came.contains(hash)),
                    false => wanted.iter().any(|hash| !came.contains(hash)),
                };
                settle(fetch, &came, answer.more);
                let ended = bring.is_empty() && fetch.is_empty();
                Ok(ended.then(|| match self.has_changed {
                    true => ForwardingState {
                        everything: true,
                        ..ForwardingState::default()
                    },
                    false => ForwardingState {
                        cursor: self.there,
                        acknowledged: self.acknowledged,
                        forwarded: self.here,
                        ..ForwardingState::default()
                    },
                }))
            }
        }
    }
}

/// Those of them that go into one request.
fn first(changes: &[ChangeHash]) -> &[ChangeHash] {
    changes.get(..AT_ONCE).unwrap_or(changes)
}

/// Takes from the list what travelled of its first ones: all of them, unless there is more to travel. What did not travel
/// then was erased in the meantime.
fn settle(changes: &mut Vec<ChangeHash>, travelled: &ChangeSet, more: bool) {
    let at_once = first(changes).len();
    let before = changes.len();
    if more {
        changes.retain(|hash| !travelled.contains(hash));
    }
    // Where something is said to follow and nothing came, it would go on for ever.
    if changes.len() == before {
        changes.drain(..at_once);
    }
}
