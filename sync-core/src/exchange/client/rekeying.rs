//! What a device does whose key another phone writes with too, or whose key was replaced.
//!
//! ```text
//! a change of this key ──► NewKey ──► new key on disk ──► rotate ──► token on disk ──┐
//! contradicts the log                                                               │
//! one of an earlier key ─► BeginAgain ◄─────────────────────────────────────────────┘
//! contradicts it, or may       │
//! not be brought               └──► the log is read ──► Rewrite ──► on disk ──► offer
//! ```
//!
//! Nothing is dropped before what takes its place is on the device's disk, and a device that stops anywhere in between finds
//! itself in front of the same step when it sends what it has again.

use std::collections::HashSet;

use automerge::{ActorId, ChangeHash};

use super::{Client, OutgoingChange};
use crate::device::DeviceKey;
use crate::exchange::reading::Reading;
use crate::response::{OwnActors, Response, ResponseError, Rewritten};

/// What the caller has to do before everything that the device wrote can come into the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rekeying {
    /// Another phone wrote with this device's key, or this one was set back to a backup: the key must not be used any more.
    /// The caller
    ///
    /// 1. draws a new key and makes it durable, beside the old one;
    /// 2. has the server put it in the old one's place (`POST /api/v1/devices/rotate`), again and again with the same new
    ///    key until an answer comes. Where the server says that the old key has another successor already, that is the other
    ///    phone's: this one enrols with an invitation, by the new key;
    /// 3. makes the new token durable, and with it that the new key is the one in use and that the log is to be read from
    ///    its start; writes no answer with the old key from then on;
    /// 4. calls [`Client::succeed`] where the old key has been rotated, [`Client::begin_again`] where the device has
    ///    enrolled anew.
    NewKey,
    /// What an earlier key wrote can not come in: the caller calls [`Client::begin_again`].
    BeginAgain,
    /// It is known what the log has: the caller gives each of its responses to [`Client::rewrite`], makes durable in one
    /// transaction what is dropped, what was written and what was [`found_in_log`](Client::found_in_log), tells [`Client::rewrote`], and goes on with
    /// [`offer`](Client::offer).
    Rewrite,
}

impl Client {
    /// What has to be done, if anything: to be asked after each answer, and at [`Received::whole_log`](super::Received)
    /// before anything is [`offered`](Self::offer). `key` is the one in use.
    pub fn rekeying(&self, key: &DeviceKey) -> Option<Rekeying> {
        let actor = key.actor();
        if self.stranded.is_empty() {
            return None;
        }
        if self
            .stranded
            .iter()
            .any(|outgoing| *outgoing.change.actor_id() == actor)
        {
            return Some(Rekeying::NewKey);
        }
        match self.reading {
            Reading::Onward | Reading::Offering { .. } => Some(Rekeying::BeginAgain),
            Reading::Known { .. } => Some(Rekeying::Rewrite),
            Reading::FromStart { .. } | Reading::Comparing(_) | Reading::Fetching(_) => None,
        }
    }

    /// The changes that can come in only when they are written again. They count as
    /// [`unacknowledged`](Self::unacknowledged), and stay in the outbox that the caller keeps.
    pub fn stranded(&self) -> &[OutgoingChange] {
        &self.stranded
    }

    /// A key that the device had before, and that the server knows the key in use to have succeeded: what it wrote is signed
    /// by it and brought. To be told at each start.
    pub fn keep_predecessor(&mut self, key: DeviceKey) {
        self.predecessors.push(key);
    }

    /// The server has put another key in the place of this one.
    pub fn succeed(&mut self, predecessor: DeviceKey) {
        self.keep_predecessor(predecessor);
        self.begin_again();
    }

    /// Reads the log from its start, with what the device's own keys wrote, or [`reconcile`](Self::reconcile)s after this.
    pub fn begin_again(&mut self) {
        self.cursor = None;
        self.acknowledged = None;
        self.reading = Reading::default();
        self.more = true;
    }

    /// The response with what can not come in of the device's own written again by `key`, as
    /// [`Response::rewritten`] says; none while it is not known what the log has.
    ///
    /// # Errors
    /// As [`Response::rewritten`].
    pub fn rewrite(&self, response: &Response, key: &DeviceKey) -> Result<Option<Rewritten>, ResponseError> {
        let Reading::Known { there } = &self.reading else {
            return Ok(None);
        };
        let before: Vec<ActorId> = self.predecessors.iter().map(DeviceKey::actor).collect();
        let abandoned: Vec<ActorId> = self.abandoned.iter().cloned().collect();
        let refused = self.stranded.iter().map(|outgoing| outgoing.change.hash()).collect();
        let own = OwnActors {
            now: &key.actor(),
            before: &before,
            abandoned: &abandoned,
            refused: &refused,
        };
        response.rewritten(there, own).map(Some)
    }

    /// The changes that need not be sent any more because the log has them, as another phone with the same key brought them:
    /// they leave the outbox that the caller keeps together with what is dropped.
    pub fn found_in_log(&self) -> Vec<ChangeHash> {
        let Reading::Known { there } = &self.reading else {
            return Vec::new();
        };
        let queued = self.outbox.iter().chain(&self.held).chain(&self.stranded);
        let hashes = queued.map(|outgoing| outgoing.change.hash());
        hashes.filter(|hash| there.contains(hash)).collect()
    }

    /// What was written in the place of these changes is durable, and that those [found in the log](Self::found_in_log) need
    /// not be sent. Where something is left that was refused and has nothing in its place, because the log has changed since,
    /// it is sent again on the next occasion.
    pub fn rewrote(&mut self, dropped: impl IntoIterator<Item = ChangeHash>) {
        let dropped: HashSet<ChangeHash> = dropped.into_iter().chain(self.found_in_log()).collect();
        let is_left = |outgoing: &OutgoingChange| !dropped.contains(&outgoing.change.hash());
        self.outbox.retain(is_left);
        self.held.retain(is_left);
        let stranded = std::mem::take(&mut self.stranded);
        self.held.extend(stranded.into_iter().filter(is_left));
    }
}
