//! What must hold: while things happen, and in the end.

use std::collections::BTreeSet;

use rand::RngExt as _;
use survey_forms::answers::{AnswerMap, AnswerPath, Answers as _, Value};
use sync_core::ChangeHash;
use sync_core::response::{Reading, Response};

use super::{COUNTED, World};
use crate::simulation::bug::Bug;
use crate::simulation::history::{QUESTIONS, UNITS, hamlet_of, response_of, shown};
use crate::simulation::invariant::Invariant;
use crate::simulation::phone::known;
use crate::simulation::server::Transaction;

impl World {
    /// Adds what is new in the log to the figures, as the server's projection does.
    pub(super) fn count(&mut self) {
        let data = &self.server.data;
        let entries = data.log.iter().map(|entry| (entry.unit, entry.place));
        let tombstones = data.erased.iter().map(|(unit, place)| (*unit, *place));
        let new = entries
            .chain(tombstones)
            .filter(|(_, place)| *place > self.figures.seen);
        let changed: BTreeSet<usize> = new.map(|(unit, _)| unit).collect();
        self.figures.seen = data.head();
        for unit in changed {
            let counts = counts(&self.server.data.response(unit).read().answers);
            let before = self.figures.counted.insert(unit, counts).unwrap_or(false);
            self.figures.sum += i64::from(counts);
            if self.bug != Some(Bug::CountsTwice) {
                self.figures.sum -= i64::from(before);
            }
        }
    }

    pub(super) fn check_durable(&mut self, acknowledged: &[ChangeHash]) {
        for hash in acknowledged {
            let on_disk = self.server.disk.flushed().iter().any(|transaction| match transaction {
                Transaction::Logged { entries, .. } => entries.iter().any(|entry| entry.change.hash() == *hash),
                Transaction::Revoked(_) | Transaction::Erased(_) | Transaction::Succeeded { .. } => false,
            });
            if !on_disk {
                self.break_promise(Invariant::AcknowledgedIsDurable, format!("{hash}"));
            }
        }
    }

    pub(super) fn check_log(&mut self) {
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
            if !author.scope.contains(&hamlet_of(edit.unit)) || edit.unit != entry.unit {
                broken.push((
                    Invariant::NothingOutsideScope,
                    format!("{hash} of phone {}", edit.phone),
                ));
            }
            if self
                .revoked
                .get(&edit.phone)
                .is_some_and(|before| !before.contains(&hash))
            {
                broken.push((
                    Invariant::RevokedDevicesAddNothing,
                    format!("{hash} of phone {}", edit.phone),
                ));
            }
        }
        let data = &self.server.data;
        for entry in data.log.iter().chain(&data.waiting) {
            if data.erased.contains_key(&entry.unit) {
                let what = format!("{} of unit {}", entry.change.hash(), entry.unit);
                broken.push((Invariant::ErasedIsForgotten, what));
            }
        }
        for (invariant, what) in broken {
            self.break_promise(invariant, what);
        }
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
            let refused = !author.scope.contains(&hamlet_of(edit.unit));
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
                if self.is_out(phone)
                    || self.is_undiscovered(phone)
                    || !self.phones[phone].scope.contains(&hamlet_of(unit))
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

fn counts(answers: &AnswerMap) -> bool {
    answers.answer(&AnswerPath::top(QUESTIONS[1])) == Some(Value::Text(COUNTED.to_owned()))
}
