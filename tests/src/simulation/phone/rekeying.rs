//! What a phone does about a key that another phone has too.

use std::collections::BTreeSet;

use survey_forms::answers::{AnswerPath, Answers as _};
use sync_core::device::DevicePublicKey;
use sync_core::response::{Replacement, Response, ResponseError, Rewritten};
use sync_core::{ActorId, ChangeHash};

use super::{Memory, Phone};
use crate::simulation::bug::Bug;
use crate::simulation::history::{History, QUESTIONS};
use crate::simulation::record::Record;
use crate::simulation::site::Rotation;

impl Phone {
    /// A new key is on the disk before anybody hears of it.
    pub(super) fn draw_key(&mut self, history: &mut History) {
        if self.bug == Some(Bug::KeepsKeyAfterMeeting) && self.has_met {
            return;
        }
        let secret = self.keys.draw(self.number);
        if self.keys.drawn().is_none() && self.disk.write(Record::DrewKey(secret)).is_ok() {
            self.flush(history);
            self.keys.drew(secret);
        }
    }

    /// The server says that another key has taken the place of this phone's: its own new one, of which it has not heard
    /// yet, or that of a copy.
    pub(in crate::simulation) fn is_replaced(&mut self, connection: u64, history: &mut History) {
        let is_awaited = |memory: &&Memory| memory.connection == Some(connection);
        if self.memory.as_ref().filter(is_awaited).is_some() {
            self.disconnected(connection);
            self.draw_key(history);
        }
    }

    /// The server has answered whether a new key is in the place of the old one. Says whether the phone has to enrol anew.
    pub(in crate::simulation) fn rotated(
        &mut self,
        key: DevicePublicKey,
        rotation: Rotation,
        history: &mut History,
    ) -> bool {
        let is_awaited = self.keys.drawn().is_some_and(|drawn| drawn.public() == key);
        if !is_awaited || self.memory.is_none() {
            return false;
        }
        if rotation == Rotation::Done {
            self.take_key(true, history);
        }
        rotation == Rotation::Enrol
    }

    /// An official has enrolled the phone with this key.
    pub(in crate::simulation) fn enrolled(&mut self, key: DevicePublicKey, history: &mut History) {
        let is_awaited = self.keys.drawn().is_some_and(|drawn| drawn.public() == key);
        if is_awaited && self.memory.is_some() {
            self.take_key(false, history);
        }
    }

    fn take_key(&mut self, rotated: bool, history: &mut History) {
        if self.disk.write(Record::TookKey { rotated }).is_ok() {
            self.flush(history);
            self.restart_app();
        }
    }

    /// Writes again what earlier keys wrote and the log can not take. Says whether that is on the disk.
    pub(super) fn rewrite(&mut self, history: &mut History) -> bool {
        self.flush(history);
        let key = self.keys.now();
        let Some(memory) = &mut self.memory else { return false };
        let (mut records, mut dropped, mut again, mut responses) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (unit, response) in &memory.responses {
            let Some(mut rewritten) = memory.client.rewrite(response, &key).unwrap() else {
                return false;
            };
            match self.bug {
                Some(Bug::RekeyingOverwrites) => overwrite(&mut rewritten, response, &key.actor()),
                Some(Bug::RekeyingForgetsDependents) => forget_dependents(&mut rewritten),
                _ => {}
            }
            let hashes: Vec<ChangeHash> = rewritten
                .replaced
                .iter()
                .map(|replacement| replacement.dropped)
                .collect();
            records.push(Record::Dropped {
                unit: *unit,
                changes: hashes.clone(),
            });
            dropped.extend(hashes);
            for replacement in rewritten.replaced {
                let Some(change) = replacement.written else { continue };
                again.push((replacement.dropped, change.clone()));
                records.push(Record::Wrote {
                    unit: *unit,
                    change: Box::new(change),
                });
            }
            responses.push((*unit, rewritten.response));
        }
        records.push(Record::Reached {
            state: memory.client.state(),
            left_outbox: memory.client.found_in_log(),
        });
        if self.bug == Some(Bug::DropsBeforeRewriting) {
            records.retain(|record| matches!(record, Record::Dropped { .. }));
            if self.disk.write(Record::Exchanged(records)).is_err() {
                return false;
            }
            self.disk.flush();
            // The battery is empty.
            self.memory = None;
            return true;
        }
        if self.disk.write(Record::Exchanged(records)).is_err() {
            return false;
        }
        self.disk.flush();
        history.wrote_again(&again);
        memory.responses.extend(responses);
        memory.client.rewrote(dropped);
        true
    }
}

/// The planted mistake of a phone that puts its answers as if nobody else had answered.
fn overwrite(rewritten: &mut Rewritten, before: &Response, actor: &ActorId) {
    let (answers, mut response) = (before.read().answers, rewritten.response.clone());
    let ((), change) = response
        .edit::<_, ResponseError>(actor, 0, |edit| {
            let paths = QUESTIONS.map(AnswerPath::top);
            let own = paths.iter().filter_map(|path| Some((path, answers.answer(path)?)));
            own.into_iter()
                .try_for_each(|(path, value)| edit.settle(path, Some(&value)))
        })
        .unwrap();
    if let (Some(last), Some(change)) = (rewritten.replaced.last_mut(), change) {
        // The last change is found where it was, and the overwriting one with it.
        let dropped = last.dropped;
        rewritten.replaced.push(Replacement {
            dropped,
            written: Some(change),
        });
        rewritten.response = response;
    }
}

/// The planted mistake of a phone that writes again only what was refused by itself.
fn forget_dependents(rewritten: &mut Rewritten) {
    let dependents = rewritten.replaced.iter_mut().skip(1);
    let forgotten: BTreeSet<ChangeHash> = dependents
        .filter_map(|replacement| Some(replacement.written.take()?.hash()))
        .collect();
    let mut kept = rewritten.response.changes();
    kept.retain(|change| !forgotten.contains(&change.hash()));
    rewritten.response = Response::with_changes(rewritten.response.id(), kept).unwrap();
}
