//! Whether a world keeps its promises: at each step what can be seen then, and in the end everything.

use std::collections::BTreeSet;

use rand::RngExt as _;
use sync_core::ChangeHash;
use sync_core::response::{Reading, Response};

use super::super::bug::Bug;
use super::super::history::{UNITS, hamlet_of, milliseconds, response_of, shown};
use super::super::invariant::Invariant;
use super::super::phone::known;
use super::super::server::Transaction;
use super::{PATIENCE, World, counts};

impl World {
    pub(super) fn check_durable(&mut self, acknowledged: &[ChangeHash]) {
        for hash in acknowledged {
            let on_disk = self.server.disk.flushed().iter().any(|transaction| match transaction {
                Transaction::Logged { entries, .. } => entries.iter().any(|entry| entry.change.hash() == *hash),
                Transaction::Revoked(_)
                | Transaction::Withdrawn(..)
                | Transaction::Erased(_)
                | Transaction::Succeeded { .. } => false,
            });
            if !on_disk {
                self.break_promise(Invariant::AcknowledgedIsDurable, format!("{hash}"));
            }
        }
    }

    /// What is said to be in quarantine is on the disk at that moment, unless it is in the log or its response was erased.
    pub(super) fn check_quarantined(&mut self, quarantined: &[ChangeHash]) {
        let data = &self.server.data;
        let kept = data.quarantine.iter().chain(&data.log).chain(&data.waiting);
        let kept: BTreeSet<ChangeHash> = kept.map(|entry| entry.change.hash()).collect();
        let erased = |hash| {
            self.history
                .find(hash)
                .is_some_and(|(_, edit)| data.erased.contains_key(&edit.unit))
        };
        let lost = quarantined
            .iter()
            .find(|hash| !kept.contains(hash) && !erased(hash))
            .copied();
        if let Some(hash) = lost {
            self.break_promise(Invariant::RefusedIsKept, format!("{hash} is not in quarantine"));
        }
    }

    /// In the order of the disk, nothing of a device comes after its revocation.
    fn check_revoked(&mut self) {
        let mut revoked = BTreeSet::new();
        let mut broken = None;
        for transaction in self.server.disk.flushed() {
            match transaction {
                Transaction::Revoked(device) => {
                    revoked.insert(*device);
                }
                Transaction::Logged { entries, .. } => {
                    let of_revoked = entries.iter().find(|entry| revoked.contains(&entry.device));
                    broken = broken.or(of_revoked.map(|entry| entry.change.hash()));
                }
                Transaction::Withdrawn(..) | Transaction::Erased(_) | Transaction::Succeeded { .. } => {}
            }
        }
        if let Some(hash) = broken {
            self.break_promise(Invariant::RevokedDevicesAddNothing, format!("{hash}"));
        }
    }

    pub(super) fn check_log(&mut self) {
        self.check_revoked();
        let mut broken = Vec::new();
        let mut seen = BTreeSet::new();
        for entry in &self.server.data.log {
            let hash = entry.change.hash();
            if !seen.insert(hash) {
                broken.push((Invariant::LoggedOnce, format!("{hash}")));
            }
            let Some((_, edit)) = self.history.find(&hash) else {
                broken.push((Invariant::NobodyWritesForAnother, format!("nobody wrote {hash}")));
                continue;
            };
            let author = &self.phones[edit.phone];
            // What was written before a phone was copied is said again by either.
            let copies = self.phones.iter().filter(|phone| phone.is_copy_of(author));
            if !copies.into_iter().any(|phone| phone.keys.had(&entry.device)) {
                broken.push((
                    Invariant::NobodyWritesForAnother,
                    format!("{hash} is of phone {}", edit.phone),
                ));
            }
            let hamlet = hamlet_of(edit.unit);
            let withdrawn_at = self.server.data.withdrawn.get(&(entry.device, hamlet));
            // Where somebody set the clock in the meantime, nobody knows when it was. A change tells its time to the second.
            let too_late = withdrawn_at
                .is_some_and(|withdrawn_at| !author.clock_was_set && milliseconds(edit.written) > withdrawn_at + 1_000);
            if !author.scope.contains(&hamlet) || too_late || edit.unit != entry.unit {
                broken.push((
                    Invariant::NothingOutsideScope,
                    format!("{hash} of phone {}", edit.phone),
                ));
            }
        }
        let data = &self.server.data;
        for entry in data.log.iter().chain(&data.waiting).chain(&data.quarantine) {
            if data.erased.contains_key(&entry.unit) {
                let what = format!("{} of unit {}", entry.change.hash(), entry.unit);
                broken.push((Invariant::ErasedIsForgotten, what));
            }
        }
        for (invariant, what) in broken {
            self.break_promise(invariant, what);
        }
    }

    /// What was in quarantine and is neither there nor decided about. A server that was set back to a backup has what its
    /// backup had; the phone has the rest.
    fn lost_of_quarantine(&self) -> Vec<(Invariant, String)> {
        let data = &self.server.data;
        let kept = data.quarantine.iter().chain(&data.log).chain(&data.waiting);
        let kept: BTreeSet<ChangeHash> = kept.map(|entry| entry.change.hash()).collect();
        let mut lost = Vec::new();
        for phone in &self.phones {
            for hash in phone.quarantined.difference(&kept) {
                let Some((_, edit)) = self.history.find(hash) else {
                    continue;
                };
                let with_phone = phone.response(edit.unit).is_some_and(|response| response.has(hash));
                if !data.erased.contains_key(&edit.unit) && (self.statistics.restored == 0 || !with_phone) {
                    lost.push((Invariant::RefusedIsKept, format!("{hash} of phone {}", phone.number)));
                }
            }
        }
        lost
    }

    fn read(&self, response: &Response, reader: Option<usize>) -> Reading {
        let mut reading = response.read();
        if self.bug == Some(Bug::HidesConflicts) {
            reading.conflicts.clear();
        }
        if let (Some(Bug::PrefersOwnAnswer), Some(reader)) = (self.bug, reader) {
            use survey_forms::answers::AnswersMut as _;
            let actor = self.phones[reader].keys.now().actor();
            for conflict in &reading.conflicts {
                let own = conflict.claims.iter().find(|claim| claim.actor == actor);
                if let Some(value) = own.and_then(|claim| claim.value.as_ref()) {
                    let Ok(()) = reading.answers.put_answer(&conflict.path, value);
                }
            }
        }
        reading
    }

    /// Whether another phone has the same key still. Neither hears then what the other writes, until both write into one
    /// response.
    fn is_undiscovered(&self, phone: usize) -> bool {
        let key = self.phones[phone].keys.now().public();
        let others = self.phones.iter().filter(|other| other.number != phone);
        others.into_iter().any(|other| other.keys.now().public() == key)
    }

    /// Whether what there is in the end is what there must be.
    pub(super) fn judge(&mut self) {
        self.check_log();
        let mut broken = Vec::new();
        let first = |hash: &ChangeHash| self.history.find(hash).map(|(number, _)| self.history.first(number));
        let arrived: BTreeSet<usize> = (self.server.data.log.iter())
            .filter_map(|entry| first(&entry.change.hash()))
            .collect();
        for (number, edit) in self.history.all_saved() {
            let author = &self.phones[edit.phone];
            let hamlet = hamlet_of(edit.unit);
            // A message takes some time, so what was written right before a withdrawal may seem to be written after it.
            let withdrawn_at = self.server.data.withdrawn.get(&(author.keys.now().public(), hamlet));
            let late = withdrawn_at.is_some_and(|withdrawn_at| {
                author.clock_was_set || milliseconds(edit.written + PATIENCE) > *withdrawn_at
            });
            let refused = !author.scope.contains(&hamlet) || late;
            if refused || self.is_out(edit.phone) || self.server.data.erased.contains_key(&edit.unit) {
                continue;
            }
            let number = self.history.first(number);
            if !arrived.contains(&number) {
                let is_edit = |hash: &ChangeHash| first(hash) == Some(number);
                let refused = author.refused.iter().find(|(hash, _)| is_edit(hash));
                let waiting = &self.server.data.waiting;
                let waits = waiting.iter().any(|entry| is_edit(&entry.change.hash()));
                let what = format!("{edit:?}, waiting: {waits}, refused: {refused:?}");
                broken.push((Invariant::SavedAnswersArrive, what));
            }
        }
        broken.extend(self.lost_of_quarantine());
        let mut sum = 0;
        for unit in 0..UNITS {
            let response = self.server.data.response(unit);
            let has = known(&response, &self.history);
            let reading = self.read(&response, None);
            let (expected, found) = (self.history.open_answers(unit, &has), shown(&reading));
            if expected != found {
                let what = format!("unit {unit} shows {found:?} and not {expected:?}");
                broken.push((Invariant::NoConflictVanishes, what));
            }

            let mut changes = response.changes();
            let count = changes.len();
            for place in (1..count).rev() {
                changes.swap(place, self.luck.random_range(0..=place));
            }
            let mut replica = Response::new(response_of(unit)).unwrap();
            replica.apply(changes).unwrap();
            sum += i64::from(counts(&replica.read().answers));
            if replica.heads() != response.heads() {
                broken.push((Invariant::ReplicasConverge, format!("unit {unit} in another order")));
            }

            for phone in 0..self.phones.len() {
                let (key, hamlet) = (self.phones[phone].keys.now().public(), hamlet_of(unit));
                let withdrawn = self.server.data.withdrawn.contains_key(&(key, hamlet));
                if self.is_out(phone)
                    || self.is_undiscovered(phone)
                    || withdrawn
                    || !self.phones[phone].scope.contains(&hamlet)
                {
                    continue;
                }
                let empty = Response::new(response_of(unit)).unwrap();
                let replica = self.phones[phone].response(unit).unwrap_or(&empty);
                if self.server.data.erased.contains_key(&unit) && !replica.changes().is_empty() {
                    broken.push((Invariant::ErasedIsForgotten, format!("unit {unit} on phone {phone}")));
                }
                let same = self.read(replica, Some(phone)).answers == reading.answers;
                if replica.heads() != response.heads() || !same {
                    broken.push((Invariant::ReplicasConverge, format!("unit {unit} on phone {phone}")));
                }
            }
        }
        self.count();
        if self.figures.sum != sum {
            let what = format!("{} households instead of {sum}", self.figures.sum);
            broken.push((Invariant::FiguresEqualOneReplica, what));
        }
        for (invariant, what) in broken {
            self.break_promise(invariant, what);
        }
    }
}
