//! What a phone's disk holds.

use std::collections::BTreeMap;

use sync_core::exchange::{ClientState, OutgoingChange};
use sync_core::{Change, ChangeHash};

use super::history::{ROUND, code};
use super::keys::{Keys, Secret};

/// One transaction of a phone's storage.
#[derive(Debug, Clone)]
pub(super) enum Record {
    /// The volunteer answered, or a change of the phone's own key came from another phone: it is to be sent.
    Wrote { unit: usize, change: Box<Change> },
    /// Others' changes came, from the server or from another phone.
    Heard { changes: Vec<(usize, Change)> },
    /// The responses of these units were erased.
    Erased { units: Vec<usize> },
    /// How far the server's log is read, and what need not be sent any more.
    Reached {
        state: ClientState,
        left_outbox: Vec<ChangeHash>,
    },
    /// An answer of the server as a whole, or another step that is kept as a whole.
    Exchanged(Vec<Record>),
    /// A new key was drawn.
    DrewKey(Secret),
    /// The new key is in use, be it that it took the place of the one before or that the phone enrolled anew.
    TookKey { rotated: bool },
    /// What can not come into the log is dropped.
    Dropped { unit: usize, changes: Vec<ChangeHash> },
}

impl Record {
    /// This record, or those that it is made of.
    pub(super) fn each<'a>(&'a self, then: &mut impl FnMut(&'a Self)) {
        match self {
            Self::Exchanged(records) => records.iter().for_each(|record| record.each(then)),
            record => then(record),
        }
    }

    pub(super) fn replay(&self, queued: &mut Vec<OutgoingChange>, reached: &mut ClientState, keys: &mut Keys) {
        self.each(&mut |record| match record {
            Self::Wrote { unit, change } => queued.push(OutgoingChange {
                round: ROUND,
                unit: code(*unit),
                change: Change::clone(change),
            }),
            Self::Heard { .. } | Self::Exchanged(_) => {}
            Self::Erased { units } => queued.retain(|outgoing| !units.iter().any(|unit| code(*unit) == outgoing.unit)),
            Self::Reached { state, left_outbox } => {
                *reached = *state;
                queued.retain(|outgoing| !left_outbox.contains(&outgoing.change.hash()));
            }
            Self::DrewKey(secret) => keys.drew(*secret),
            Self::TookKey { rotated } => {
                keys.took(*rotated);
                *reached = ClientState::default();
            }
            Self::Dropped { changes, .. } => queued.retain(|outgoing| !changes.contains(&outgoing.change.hash())),
        });
    }

    pub(super) fn changes(&self, of: &mut BTreeMap<usize, Vec<Change>>) {
        self.each(&mut |record| match record {
            Self::Wrote { unit, change } => of.entry(*unit).or_default().push(Change::clone(change)),
            Self::Heard { changes } => {
                for (unit, change) in changes {
                    of.entry(*unit).or_default().push(change.clone());
                }
            }
            Self::Erased { units } => {
                for unit in units {
                    of.remove(unit);
                }
            }
            Self::Dropped { unit, changes } => {
                let kept = of.entry(*unit).or_default();
                kept.retain(|change| !changes.contains(&change.hash()));
            }
            Self::Reached { .. } | Self::Exchanged(_) | Self::DrewKey(_) | Self::TookKey { .. } => {}
        });
    }
}
