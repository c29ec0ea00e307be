//! What a server keeps: its transactions, and what they add up to.

use std::collections::{BTreeMap, BTreeSet};

use sync_core::device::DevicePublicKey;
use sync_core::exchange::delivery::{Author, Authors};
use sync_core::exchange::intake::{Frame, HamletKey, RoundState, Stored};
use sync_core::exchange::{LogMark, RefusalReason, tombstone_hash};
use sync_core::response::Response;
use sync_core::{Change, ChangeHash};

use crate::simulation::bug::Bug;
use crate::simulation::history::{ROUND, UNITS, code, hamlet_of, response_of};

/// One change in the log, or one that waits.
#[derive(Debug, Clone)]
pub(in crate::simulation) struct Entry {
    pub(in crate::simulation) unit: usize,
    pub(in crate::simulation) device: DevicePublicKey,
    pub(in crate::simulation) change: Change,
    /// Its number in the log, from 1; 0 while it is not there.
    pub(in crate::simulation) place: usize,
}

/// One transaction of the server's storage.
#[derive(Debug, Clone)]
pub(in crate::simulation) enum Transaction {
    Logged {
        entries: Vec<Entry>,
        waiting: Vec<Entry>,
        released: Vec<ChangeHash>,
        quarantined: Vec<Entry>,
    },
    Revoked(DevicePublicKey),
    /// A hamlet was withdrawn from a device, when the server's clock showed so many milliseconds.
    Withdrawn(DevicePublicKey, i64, i64),
    Erased(usize),
    /// One key takes the place of another.
    Succeeded {
        predecessor: DevicePublicKey,
        successor: DevicePublicKey,
    },
}

/// What the transactions add up to.
#[derive(Debug, Clone, Default)]
pub(in crate::simulation) struct Data {
    /// The entries whose responses are not erased.
    pub(in crate::simulation) log: Vec<Entry>,
    /// The marks of all entries, tombstones and erased ones among them.
    pub(super) marks: Vec<LogMark>,
    /// The erased units, and where each tombstone is.
    pub(in crate::simulation) erased: BTreeMap<usize, usize>,
    pub(in crate::simulation) waiting: Vec<Entry>,
    pub(in crate::simulation) quarantine: Vec<Entry>,
    pub(in crate::simulation) revoked: BTreeSet<DevicePublicKey>,
    /// The hamlets that were withdrawn, and when.
    pub(in crate::simulation) withdrawn: BTreeMap<(DevicePublicKey, i64), i64>,
    /// The keys that others took the place of, with these.
    pub(in crate::simulation) successors: BTreeMap<DevicePublicKey, DevicePublicKey>,
}

impl Data {
    pub(super) fn apply(&mut self, transaction: &Transaction) {
        match transaction {
            Transaction::Logged {
                entries,
                waiting,
                released,
                quarantined,
            } => {
                for entry in entries {
                    self.mark(&entry.change.hash());
                    self.log.push(Entry {
                        place: self.marks.len(),
                        ..entry.clone()
                    });
                }
                self.waiting.extend(waiting.iter().cloned());
                self.waiting.retain(|entry| !released.contains(&entry.change.hash()));
                let taken: BTreeSet<ChangeHash> =
                    entries.iter().chain(waiting).map(|entry| entry.change.hash()).collect();
                self.quarantine.retain(|entry| !taken.contains(&entry.change.hash()));
                self.quarantine.extend(quarantined.iter().cloned());
            }
            Transaction::Revoked(device) => {
                self.revoked.insert(*device);
                let (aside, waiting) = std::mem::take(&mut self.waiting)
                    .into_iter()
                    .partition(|entry| entry.device == *device);
                self.waiting = waiting;
                self.quarantine.extend::<Vec<Entry>>(aside);
            }
            Transaction::Withdrawn(device, hamlet, at) => {
                self.withdrawn.entry((*device, *hamlet)).or_insert(*at);
            }
            Transaction::Succeeded { predecessor, successor } => {
                self.successors.insert(*predecessor, *successor);
                for hamlet in 0..=1 {
                    if let Some(at) = self.withdrawn.get(&(*predecessor, hamlet)).copied() {
                        self.withdrawn.entry((*successor, hamlet)).or_insert(at);
                    }
                }
            }
            Transaction::Erased(unit) => {
                self.log.retain(|entry| entry.unit != *unit);
                self.waiting.retain(|entry| entry.unit != *unit);
                self.quarantine.retain(|entry| entry.unit != *unit);
                self.mark(&tombstone_hash(response_of(*unit)));
                self.erased.insert(*unit, self.marks.len());
            }
        }
    }

    /// The keys that the device with this key had before.
    pub(super) fn predecessors(&self, device: DevicePublicKey) -> BTreeSet<DevicePublicKey> {
        let mut before = BTreeSet::new();
        let mut last = device;
        while let Some((predecessor, _)) = self.successors.iter().find(|(_, successor)| **successor == last) {
            before.insert(*predecessor);
            last = *predecessor;
        }
        before
    }

    /// The last entry's number in the log.
    pub(in crate::simulation) fn head(&self) -> usize {
        self.marks.len()
    }

    pub(super) fn mark(&mut self, hash: &ChangeHash) {
        let last = self.marks.last().copied().unwrap_or_default();
        self.marks.push(last.then(hash));
    }

    pub(super) fn of(transactions: &[Transaction]) -> Self {
        let mut data = Self::default();
        transactions.iter().for_each(|transaction| data.apply(transaction));
        data
    }

    pub(super) fn stored(&self, unit: usize) -> Stored {
        let of = |entries: &[Entry]| -> Vec<Change> {
            let entries = entries.iter().filter(|entry| entry.unit == unit);
            entries.map(|entry| entry.change.clone()).collect()
        };
        Stored {
            logged: of(&self.log),
            waiting: of(&self.waiting),
        }
    }

    /// What a device may write, by any key that it had, whose scope was this in the beginning.
    pub(super) fn authors(
        &self,
        device: DevicePublicKey,
        scope: &BTreeSet<i64>,
        clock_ahead: i64,
        bug: Option<Bug>,
    ) -> Authors {
        let author = self.author(&device, scope, clock_ahead, bug);
        Authors::one(device, &self.predecessors(device), author)
    }

    /// What a device may write whose scope was this in the beginning.
    pub(super) fn author(
        &self,
        device: &DevicePublicKey,
        scope: &BTreeSet<i64>,
        clock_ahead: i64,
        bug: Option<Bug>,
    ) -> Result<Author, RefusalReason> {
        if self.revoked.contains(device) && bug != Some(Bug::IgnoresRevocation) {
            return Err(RefusalReason::RevokedDevice);
        }
        let withdrawn_at = |hamlet: i64| match bug {
            Some(Bug::IgnoresWithdrawal | Bug::IgnoresScope) => None,
            _ => self.withdrawn.get(&(*device, hamlet)).copied(),
        };
        let hamlets = match bug {
            Some(Bug::IgnoresScope) => vec![0, 1],
            _ => scope.iter().copied().collect(),
        };
        let hamlets = hamlets.into_iter();
        Ok(Author {
            hamlets: hamlets
                .map(|hamlet| (HamletKey(hamlet), withdrawn_at(hamlet)))
                .collect(),
            clock_ahead,
        })
    }

    pub(in crate::simulation) fn has(&self, hash: &ChangeHash) -> bool {
        self.log.iter().any(|entry| entry.change.hash() == *hash)
    }

    /// A unit's response as the log has it.
    pub(in crate::simulation) fn response(&self, unit: usize) -> Response {
        Response::restored(response_of(unit), self.stored(unit).logged).unwrap()
    }
}

/// What is known of the rounds and units.
pub(super) fn frame(data: &Data) -> Frame {
    Frame {
        erased: data.erased.keys().map(|unit| (ROUND, code(*unit))).collect(),
        discarded: BTreeSet::new(),
        rounds: [(ROUND, RoundState::Open)].into(),
        units: (0..UNITS)
            .map(|unit| ((ROUND, code(unit)), HamletKey(hamlet_of(unit))))
            .collect(),
    }
}
