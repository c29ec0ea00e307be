//! What must hold at each step.

use std::collections::{BTreeMap, BTreeSet};

use sync_core::ChangeHash;
use sync_core::device::DevicePublicKey;

use super::World;
use crate::simulation::history::milliseconds;
use crate::simulation::invariant::Invariant;
use crate::simulation::site::{Bringer, Entry, Transaction};

impl World {
    pub(super) fn check_durable(&mut self, site: usize, acknowledged: &[ChangeHash]) {
        if acknowledged.is_empty() {
            return;
        }
        let mut on_disk = BTreeSet::new();
        for transaction in self.sites[site].disk.flushed() {
            transaction.each(&mut |transaction| {
                if let Transaction::Logged { entries, .. } = transaction {
                    on_disk.extend(entries.iter().map(Entry::hash));
                }
            });
        }
        if let Some(hash) = acknowledged.iter().find(|hash| !on_disk.contains(hash)) {
            self.break_promise(
                Invariant::AcknowledgedIsDurable,
                format!("{hash} at installation {site}"),
            );
        }
    }

    /// What is said to be in quarantine is on the disk at that moment, unless it is in the log, somebody decided about it
    /// since, or its response was erased.
    pub(super) fn check_quarantined(&mut self, site: usize, quarantined: &[ChangeHash]) {
        let data = &self.sites[site].data;
        let erased = |hash| {
            let edit = self.history.find(hash);
            edit.is_some_and(|(_, edit)| data.erased.contains_key(&edit.unit))
        };
        let mut lost = quarantined.iter().filter(|hash| !data.keeps(hash) && !erased(hash));
        if let Some(hash) = lost.next().copied() {
            self.break_promise(Invariant::RefusedIsKept, format!("{hash} is not in quarantine"));
        }
    }

    /// Whether everything in the log of an installation may be there.
    pub(super) fn check_log(&mut self, site: usize) {
        let mut broken = self.beyond_authority(site);
        let data = &self.sites[site].data;
        let mut seen = BTreeSet::new();
        for entry in &data.log {
            let hash = entry.hash();
            if !seen.insert(hash) {
                broken.push((Invariant::LoggedOnce, format!("{hash} at installation {site}")));
            }
            if data.discarded.contains(&hash) {
                broken.push((Invariant::DiscardedStaysOut, format!("{hash} at installation {site}")));
            }
            if let Bringer::Hub(hub) = entry.bringer
                && !self.sites[hub].scope.contains(&entry.hamlet())
            {
                let what = format!("hub {hub} brought {hash} of a hamlet that it does not answer for");
                broken.push((Invariant::NothingOutsideScope, what));
            }
            let Some((_, edit)) = self.history.find(&hash) else {
                broken.push((Invariant::NobodyWritesForAnother, format!("nobody wrote {hash}")));
                continue;
            };
            let author = &self.phones[edit.phone];
            // What was written before a phone was copied is said again by either.
            let copies = self.phones.iter().filter(|phone| phone.is_copy_of(author));
            if !copies.into_iter().any(|phone| phone.keys.had(&entry.device())) {
                broken.push((
                    Invariant::NobodyWritesForAnother,
                    format!("{hash} is of phone {}", edit.phone),
                ));
            }
            if edit.unit != entry.unit {
                broken.push((Invariant::NothingOutsideScope, format!("{hash} in {}", entry.unit)));
            }
        }
        let quarantine = data.quarantine.iter().map(|(entry, _)| entry);
        for entry in data.log.iter().chain(&data.waiting).chain(quarantine) {
            if data.erased.contains_key(&entry.unit) {
                let what = format!("{} of unit {} at installation {site}", entry.hash(), entry.unit);
                broken.push((Invariant::ErasedIsForgotten, what));
            }
        }
        for (invariant, what) in broken {
            self.break_promise(invariant, what);
        }
    }

    /// In the order of the disk, what came into a log although its author might not write it there any more, or never
    /// might, and no official let it in. What comes from above was decided there.
    fn beyond_authority(&self, site: usize) -> Vec<(Invariant, String)> {
        let mut broken = Vec::new();
        let mut revoked: BTreeSet<DevicePublicKey> = BTreeSet::new();
        let mut withdrawn: BTreeMap<(DevicePublicKey, i64), i64> = BTreeMap::new();
        for transaction in self.sites[site].disk.flushed() {
            transaction.each(&mut |transaction| match transaction {
                Transaction::Revoked(device) => {
                    revoked.insert(*device);
                }
                Transaction::Withdrawn(device, hamlet, at) => {
                    withdrawn.entry((*device, *hamlet)).or_insert(*at);
                }
                Transaction::Logged { entries, .. } => {
                    let judged = entries.iter();
                    for entry in judged.filter(|entry| !entry.let_in && entry.bringer != Bringer::Upstream) {
                        let hash = entry.hash();
                        if revoked.contains(&entry.device()) {
                            broken.push((Invariant::RevokedDevicesAddNothing, format!("{hash}")));
                        }
                        let withdrawn_at = withdrawn.get(&(entry.device(), entry.hamlet()));
                        if self.is_beyond_scope(entry, withdrawn_at) {
                            broken.push((Invariant::NothingOutsideScope, format!("{hash} at {site}")));
                        }
                    }
                }
                _ => {}
            });
        }
        broken
    }

    /// Whether the disk of a phone was copied.
    pub(super) fn has_copies(&self, phone: usize) -> bool {
        let mut others = self.phones.iter().filter(|other| other.number != phone);
        others.any(|other| other.is_copy_of(&self.phones[phone]))
    }

    /// Whether the clock of a phone, or of a copy of it, was wrong ever.
    pub(super) fn clock_was_wrong(&self, phone: usize) -> bool {
        let mut copies = self.phones.iter();
        copies.any(|other| other.is_copy_of(&self.phones[phone]) && other.clock_was_wrong)
    }

    fn is_beyond_scope(&self, entry: &Entry, withdrawn_at: Option<&i64>) -> bool {
        let Some((_, edit)) = self.history.find(&entry.hash()) else {
            return false;
        };
        let author = &self.phones[edit.phone];
        // Where somebody set the clock in the meantime, or another brings what a wrong clock dated, a hub or a copy of the
        // phone, nobody knows when it was. A change tells its time to the second.
        let by_itself = entry.bringer == Bringer::Author && !self.has_copies(edit.phone);
        let knows_time = match by_itself {
            true => !author.clock_was_set,
            false => !self.clock_was_wrong(edit.phone),
        };
        let too_late = withdrawn_at.is_some_and(|at| knows_time && milliseconds(edit.written) > at + 1_000);
        !author.scope.contains(&entry.hamlet()) || too_late
    }
}
