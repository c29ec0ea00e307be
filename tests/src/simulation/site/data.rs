//! What an installation keeps: its transactions, and what they add up to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sync_core::device::DevicePublicKey;
use sync_core::exchange::delivery::{Author, Authors};
use sync_core::exchange::forwarding::{ForwardingState, HubMemory};
use sync_core::exchange::intake::{Frame, HamletKey, RoundState, Stored};
use sync_core::exchange::{CarriedAttestation, Cursor, LogMark, RefusalReason, tombstone_hash};
use sync_core::response::Response;
use sync_core::{Change, ChangeHash};

use super::roster::Roster;
use crate::simulation::bug::Bug;
use crate::simulation::history::{ROUND, UNITS, code, hamlet_of, response_of};

/// Who brought a change: its author's device, the installation above, or the hub with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::simulation) enum Bringer {
    Author,
    Upstream,
    Hub(usize),
}

/// One change in the log, one that waits, or one in quarantine.
#[derive(Debug, Clone)]
pub(in crate::simulation) struct Entry {
    pub(in crate::simulation) unit: usize,
    pub(in crate::simulation) change: Arc<Change>,
    pub(in crate::simulation) bringer: Bringer,
    /// Whether an official let it in.
    pub(in crate::simulation) let_in: bool,
    /// Its number in the log, from 1; 0 while it is not there.
    pub(in crate::simulation) place: usize,
    pub(super) attestation: Arc<CarriedAttestation>,
}

impl Entry {
    pub(in crate::simulation) fn hash(&self) -> ChangeHash {
        self.change.hash()
    }

    /// Its author's key.
    pub(in crate::simulation) fn device(&self) -> DevicePublicKey {
        self.attestation.device
    }

    /// Where it writes.
    pub(in crate::simulation) fn hamlet(&self) -> i64 {
        hamlet_of(self.unit)
    }

    /// Whether this and another are two changes by which one author continues the same history of one response.
    pub(in crate::simulation) fn contradicts(&self, other: &Self) -> bool {
        self.unit == other.unit && contradicts(&self.change, &other.change)
    }
}

/// Whether one actor wrote the two under the same number.
pub(in crate::simulation) fn contradicts(one: &Change, other: &Change) -> bool {
    one.hash() != other.hash() && (one.actor_id(), one.seq()) == (other.actor_id(), other.seq())
}

/// One transaction of an installation's storage.
#[derive(Debug, Clone)]
pub(in crate::simulation) enum Transaction {
    Logged {
        entries: Vec<Entry>,
        waiting: Vec<Entry>,
        released: Vec<ChangeHash>,
        quarantined: Vec<(Entry, RefusalReason)>,
    },
    /// How far a device's clock was ahead when it was heard, in milliseconds.
    Heard(DevicePublicKey, i64),
    Revoked(DevicePublicKey),
    /// A hamlet was withdrawn from a device, when the installation's clock showed so many milliseconds.
    Withdrawn(DevicePublicKey, i64, i64),
    Erased(usize),
    /// An official does not take a change that is in quarantine.
    Discarded(ChangeHash),
    /// One key takes the place of another.
    Succeeded {
        predecessor: DevicePublicKey,
        successor: DevicePublicKey,
    },
    /// A key is enrolled that may write in these hamlets.
    Enrolled(DevicePublicKey, BTreeSet<i64>),
    /// A neighbour's roster was taken in.
    Imported(Roster),
    /// How far this installation and the one above have come in each other's logs, and what is settled and unsettled.
    Reached {
        state: ForwardingState,
        brought: Vec<ChangeHash>,
        unsettled: Vec<ChangeHash>,
    },
    /// What is remembered of a hub.
    Remembered(usize, HubMemory),
    /// All of these, or nothing.
    Together(Vec<Self>),
}

impl Transaction {
    /// This transaction, or those that it is made of.
    pub(in crate::simulation) fn each<'a>(&'a self, then: &mut impl FnMut(&'a Self)) {
        match self {
            Self::Together(transactions) => transactions.iter().for_each(|transaction| transaction.each(then)),
            transaction => then(transaction),
        }
    }
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
    /// What was refused, and why.
    pub(in crate::simulation) quarantine: Vec<(Entry, RefusalReason)>,
    pub(in crate::simulation) discarded: BTreeSet<ChangeHash>,
    /// The devices that are known, and the hamlets in which each may write.
    pub(super) known: BTreeMap<DevicePublicKey, BTreeSet<i64>>,
    pub(in crate::simulation) revoked: BTreeSet<DevicePublicKey>,
    /// The hamlets that were withdrawn, and when.
    pub(in crate::simulation) withdrawn: BTreeMap<(DevicePublicKey, i64), i64>,
    /// The keys that others took the place of, with these.
    pub(in crate::simulation) successors: BTreeMap<DevicePublicKey, DevicePublicKey>,
    clocks: BTreeMap<DevicePublicKey, i64>,
    pub(in crate::simulation) state: ForwardingState,
    pub(super) unsettled: BTreeSet<ChangeHash>,
    pub(in crate::simulation) hubs: BTreeMap<usize, HubMemory>,
}

impl Data {
    pub(super) fn new(enrolled: &BTreeMap<DevicePublicKey, BTreeSet<i64>>) -> Self {
        Self {
            known: enrolled.clone(),
            ..Self::default()
        }
    }

    pub(super) fn of(enrolled: &BTreeMap<DevicePublicKey, BTreeSet<i64>>, transactions: &[Transaction]) -> Self {
        let mut data = Self::new(enrolled);
        transactions.iter().for_each(|transaction| data.apply(transaction));
        data
    }

    pub(super) fn apply(&mut self, transaction: &Transaction) {
        match transaction {
            Transaction::Logged {
                entries,
                waiting,
                released,
                quarantined,
            } => {
                for entry in entries {
                    self.mark(&entry.hash());
                    self.log.push(Entry {
                        place: self.marks.len(),
                        ..entry.clone()
                    });
                }
                self.waiting.extend(waiting.iter().cloned());
                self.waiting.retain(|entry| !released.contains(&entry.hash()));
                let taken: BTreeSet<ChangeHash> = entries.iter().chain(waiting).map(Entry::hash).collect();
                self.quarantine.retain(|(entry, _)| !taken.contains(&entry.hash()));
                self.quarantine.extend(quarantined.iter().cloned());
            }
            Transaction::Heard(device, clock_ahead) => {
                self.clocks.insert(*device, *clock_ahead);
            }
            Transaction::Revoked(device) => self.revoke(*device),
            Transaction::Withdrawn(device, hamlet, at) => {
                self.withdrawn.entry((*device, *hamlet)).or_insert(*at);
            }
            Transaction::Succeeded { predecessor, successor } => self.succeed(*predecessor, *successor),
            Transaction::Enrolled(device, scope) => {
                self.known.insert(*device, scope.clone());
            }
            Transaction::Imported(roster) => roster.import(self),
            Transaction::Discarded(hash) => {
                self.quarantine.retain(|(entry, _)| entry.hash() != *hash);
                self.discarded.insert(*hash);
            }
            Transaction::Erased(unit) => {
                self.log.retain(|entry| entry.unit != *unit);
                self.waiting.retain(|entry| entry.unit != *unit);
                self.quarantine.retain(|(entry, _)| entry.unit != *unit);
                self.mark(&tombstone_hash(response_of(*unit)));
                self.erased.insert(*unit, self.marks.len());
            }
            Transaction::Reached {
                state,
                brought,
                unsettled,
            } => {
                self.state = state.clone();
                for hash in brought {
                    self.unsettled.remove(hash);
                }
                self.unsettled.extend(unsettled);
            }
            Transaction::Remembered(hub, memory) => {
                self.hubs.insert(*hub, *memory);
            }
            Transaction::Together(transactions) => transactions.iter().for_each(|transaction| self.apply(transaction)),
        }
    }

    pub(super) fn revoke(&mut self, device: DevicePublicKey) {
        self.revoked.insert(device);
        let of_device = |entry: &Entry| entry.device() == device;
        let (aside, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(of_device);
        self.waiting = waiting;
        let aside: Vec<Entry> = aside;
        let aside = aside.into_iter().map(|entry| (entry, RefusalReason::RevokedDevice));
        self.quarantine.extend(aside);
    }

    fn succeed(&mut self, predecessor: DevicePublicKey, successor: DevicePublicKey) {
        self.successors.entry(predecessor).or_insert(successor);
        let scope = self.known.get(&predecessor).cloned().unwrap_or_default();
        self.known.entry(successor).or_insert(scope);
        for hamlet in 0..=1 {
            if let Some(at) = self.withdrawn.get(&(predecessor, hamlet)).copied() {
                self.withdrawn.entry((successor, hamlet)).or_insert(at);
            }
        }
    }

    /// The keys that the device with this key had before, as far as they were not revoked.
    pub(super) fn predecessors(&self, device: DevicePublicKey) -> BTreeSet<DevicePublicKey> {
        let mut before = BTreeSet::new();
        let mut last = device;
        while let Some((predecessor, _)) = self.successors.iter().find(|(_, successor)| **successor == last) {
            before.insert(*predecessor);
            last = *predecessor;
        }
        before.retain(|device| !self.revoked.contains(device));
        before
    }

    /// The last entry's number in the log.
    pub(in crate::simulation) fn head(&self) -> usize {
        self.marks.len()
    }

    fn mark(&mut self, hash: &ChangeHash) {
        let last = self.marks.last().copied().unwrap_or_default();
        self.marks.push(last.then(hash));
    }

    /// The entry at a place counted from 1.
    pub(super) fn entry(&self, place: usize) -> Option<Cursor> {
        let mark = self.marks.get(place.wrapping_sub(1))?;
        Some(Cursor(place as u64, *mark))
    }

    pub(super) fn stored(&self, unit: usize) -> Stored {
        let of = |entries: &[Entry]| -> Vec<Change> {
            let entries = entries.iter().filter(|entry| entry.unit == unit);
            entries.map(|entry| Change::clone(&entry.change)).collect()
        };
        Stored {
            logged: of(&self.log),
            waiting: of(&self.waiting),
        }
    }

    /// What a device may bring, by any key that it had.
    pub(super) fn authors(&self, device: DevicePublicKey, clock_ahead: i64, bug: Option<Bug>) -> Authors {
        let author = self.author(&device, clock_ahead, bug);
        Authors::one(device, &self.predecessors(device), author)
    }

    /// What all devices may write whose changes somebody else carries.
    pub(super) fn all_authors(&self, bug: Option<Bug>) -> Authors {
        let clock = |device| self.clocks.get(device).copied().unwrap_or(0);
        let known = self.known.keys();
        Authors::enrolled(
            known
                .map(|device| (*device, self.author(device, clock(device), bug)))
                .collect(),
        )
    }

    /// For what the installation above has logged, which was its decision: an author must only be known.
    pub(super) fn everybody(&self) -> Authors {
        let everywhere = Author {
            hamlets: [(HamletKey(0), None), (HamletKey(1), None)].into(),
            clock_ahead: 0,
        };
        let known = self.known.keys();
        Authors::enrolled(known.map(|device| (*device, Ok(everywhere.clone()))).collect())
    }

    /// What a device may write.
    pub(super) fn author(
        &self,
        device: &DevicePublicKey,
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
            Some(Bug::IgnoresScope) => BTreeSet::from([0, 1]),
            _ => self.known.get(device).cloned().unwrap_or_default(),
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
        self.log.iter().any(|entry| entry.hash() == *hash)
    }

    /// Whether a change is in the log, waits, is in quarantine, or was decided about.
    pub(in crate::simulation) fn keeps(&self, hash: &ChangeHash) -> bool {
        let is_it = |entry: &Entry| entry.hash() == *hash;
        self.has(hash)
            || self.waiting.iter().any(is_it)
            || self.quarantine.iter().any(|(entry, _)| is_it(entry))
            || self.discarded.contains(hash)
    }

    /// Whether a change was refused, and nobody let it in since.
    pub(in crate::simulation) fn refuses(&self, hash: &ChangeHash) -> bool {
        self.discarded.contains(hash) || self.quarantine.iter().any(|(entry, _)| entry.hash() == *hash)
    }

    /// A unit's response as the log has it.
    pub(in crate::simulation) fn response(&self, unit: usize) -> Response {
        Response::restored(response_of(unit), self.stored(unit).logged).unwrap()
    }

    /// What is known of the rounds and units.
    pub(super) fn frame(&self) -> Frame {
        Frame {
            crowded: BTreeSet::new(),
            erased: self.erased.keys().map(|unit| (ROUND, code(*unit))).collect(),
            discarded: self.discarded.clone(),
            rounds: [(ROUND, RoundState::Open)].into(),
            units: (0..UNITS)
                .map(|unit| ((ROUND, code(unit)), HamletKey(hamlet_of(unit))))
                .collect(),
        }
    }
}
