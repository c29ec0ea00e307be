//! How a device comes to have what a server's log has.

use std::collections::HashSet;

use automerge::ChangeHash;
use serde_bytes::{ByteArray, ByteBuf};

use super::chunk;
use super::cursor::Cursor;
use super::message::{Reconciliation, SyncResponse};
use super::reconciliation::{Difference, Initiator, Step};

/// Changes that a device asks for by hash at once.
const FETCHED_AT_ONCE: usize = 4_096;

/// How a device reads the server's log.
#[derive(Debug)]
pub(super) enum Reading {
    /// From its start. What it was seen to have is remembered.
    FromStart { seen: HashSet<ChangeHash> },
    /// Not at all yet: what it has is compared with what the device has.
    Comparing(Box<Comparing>),
    /// What the comparison found missing is asked for by hash.
    Fetching(Box<Fetching>),
    /// It is known what the log has, up to the cursor: time to offer what it does not have.
    Known { there: HashSet<ChangeHash> },
    /// What the log was found not to have is being sent again.
    Offering { left: HashSet<ChangeHash> },
    /// From where it stopped last time.
    Onward,
}

impl Default for Reading {
    fn default() -> Self {
        Self::FromStart { seen: HashSet::new() }
    }
}

/// A comparison under way.
#[derive(Debug)]
pub(super) struct Comparing {
    pub(super) initiator: Initiator,
    /// The changes that the device had when it began.
    pub(super) here: HashSet<ChangeHash>,
}

/// A comparison that has ended.
#[derive(Debug)]
pub(super) struct Fetching {
    missing: Vec<ChangeHash>,
    /// The entry up to which the log was compared.
    cursor: Option<Cursor>,
    there: HashSet<ChangeHash>,
}

impl Reading {
    /// What to ask for instead of the entries after the cursor.
    pub(super) fn reconciliation(&self) -> Option<Reconciliation> {
        match self {
            Self::Comparing(comparing) => Some(Reconciliation::Compare(ByteBuf::from(comparing.initiator.request()))),
            Self::Fetching(fetching) => {
                let missing = fetching.missing.iter().take(FETCHED_AT_ONCE);
                Some(Reconciliation::Fetch(
                    missing.map(|hash| ByteArray::new(hash.0)).collect(),
                ))
            }
            _ => None,
        }
    }

    /// Whether it takes another answer to know what the whole log has. A log may be empty, so a cursor does not tell.
    pub(super) fn is_under_way(&self) -> bool {
        matches!(self, Self::FromStart { .. } | Self::Comparing(_) | Self::Fetching(_))
    }

    /// These were acknowledged by the answer that is about to be read: the log has them, and the answer does not repeat them.
    pub(super) fn acknowledged(&mut self, changes: &[ChangeHash]) {
        if let Self::FromStart { seen } = self {
            seen.extend(changes);
        }
    }

    /// Goes on after an answer, and gives the cursor to read on from.
    pub(super) fn received(self, response: &SyncResponse, cursor: Option<Cursor>) -> (Self, Option<Cursor>) {
        if response.unknown_cursor {
            return (Self::default(), None);
        }
        match self {
            Self::FromStart { mut seen } => {
                seen.extend(hashes(response));
                let reading = match response.more {
                    true => Self::FromStart { seen },
                    false => Self::Known { there: seen },
                };
                (reading, response.cursor.or(cursor))
            }
            Self::Comparing(comparing) => comparing.received(response),
            Self::Fetching(fetching) => fetching.received(response),
            onward => (onward, response.cursor.or(cursor)),
        }
    }
}

impl Comparing {
    fn received(mut self: Box<Self>, response: &SyncResponse) -> (Reading, Option<Cursor>) {
        let answer = response.reconciliation.as_ref();
        let step = answer.map(|answer| self.initiator.receive(answer));
        match step {
            Some(Ok(Step::Ask)) => (Reading::Comparing(self), None),
            Some(Ok(Step::Reconciled(difference))) => self.reconciled(difference, response.cursor),
            // Too different, or the server does not compare: everything is exchanged.
            Some(Err(_)) | None => (Reading::default(), None),
        }
    }

    fn reconciled(self, difference: Difference, cursor: Option<Cursor>) -> (Reading, Option<Cursor>) {
        let mut there = self.here;
        for hash in &difference.missing_there {
            there.remove(hash);
        }
        there.extend(&difference.missing_here);
        if difference.missing_here.is_empty() {
            return (Reading::Known { there }, cursor);
        }
        let fetching = Fetching {
            missing: difference.missing_here,
            cursor,
            there,
        };
        (Reading::Fetching(Box::new(fetching)), None)
    }
}

impl Fetching {
    fn received(mut self: Box<Self>, response: &SyncResponse) -> (Reading, Option<Cursor>) {
        let came: HashSet<ChangeHash> = hashes(response).collect();
        let asked = self.missing.len().min(FETCHED_AT_ONCE);
        let before = self.missing.len();
        self.missing.retain(|hash| !came.contains(hash));
        let left = asked.saturating_sub(before - self.missing.len());
        if self.missing.is_empty() {
            return (Reading::Known { there: self.there }, self.cursor);
        }
        if came.is_empty() || (!response.more && left > 0) {
            // The log does not have any more what it was found to have, so it is another log.
            return (Reading::default(), None);
        }
        (Reading::Fetching(self), None)
    }
}

fn hashes(response: &SyncResponse) -> impl Iterator<Item = ChangeHash> {
    chunk::hashes(&response.responses).flatten()
}
