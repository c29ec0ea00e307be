//! The answering side of an exchange (a server, a hub), without I/O.
//!
//! ```text
//! bytes ─read─► Delivery ─(see delivery)─► Taken ─┐
//!          └──► Question ──cursors──► Query ──Found──► Question::answer ─► SyncResponse
//! ```
//!
//! The cursors are looked up before the delivery makes the log longer, and the log is read when it is durable.

use std::collections::{BTreeSet, HashSet};

use automerge::ChangeHash;
use serde_bytes::ByteBuf;

use super::admission::{AdmissionError, admit, attested_hashes};
use super::chunk;
use super::cursor::{Cursor, Narrowing};
use super::delivery::{Delivery, KeptAttestation, Taken};
use super::erasure::ErasedResponse;
use super::intake::HamletKey;
use super::message::{PROTOCOL_VERSION, Reconciliation, ResponseChanges, SyncRequest, SyncResponse};
use super::packing::Form;
use super::reconciliation::{self, ChangeSet};
use super::wire::{self, Coding, Limits, WireError};
use crate::device::DevicePublicKey;

/// Who is asking.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The device.
    pub device: DevicePublicKey,
    /// The hamlets that it may read: none for a device that was revoked, which may still hand in what it has.
    pub scope: BTreeSet<HamletKey>,
    /// What was withdrawn from it.
    pub narrowing: Narrowing,
}

/// Why an exchange ends before anything of it is looked at: the message was damaged or forged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArrivalError {
    /// The bytes are no message.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The signatures do not fit the changes.
    #[error(transparent)]
    Admission(#[from] AdmissionError),
}

/// Reads a request's bytes, compressed as its `Content-Encoding` says: what it brings, and what it asks for.
///
/// # Errors
/// [`ArrivalError`] when nothing of it can be believed.
pub fn read(bytes: &[u8], coding: Coding, peer: Peer, limits: &Limits) -> Result<(Delivery, Question), ArrivalError> {
    let request: SyncRequest = wire::decode_as(bytes, coding, limits)?;
    let verdicts = admit(&request, limits)?;
    let attestations = kept_attestations(&request);
    // Who reads from the start is told of everything, but for what he brings at the same time.
    let brought = match request.cursor.is_none() || request.restoring {
        true => chunk::hashes(&request.responses).collect(),
        false => Vec::new(),
    };
    let narrowed = |cursor: Option<Cursor>| cursor.map(|cursor| cursor.narrowed(peer.narrowing));
    let question = Question {
        brought,
        cursor: narrowed(request.cursor),
        acknowledged: narrowed(request.acknowledged),
        peer,
        restoring: request.restoring,
        device_time: request.device_time,
        reconciliation: request.reconciliation,
        answer_form: request.answer_form,
    };
    Ok((Delivery::new(verdicts, attestations), question))
}

/// Attestations with the hashes that the wire leaves out.
fn kept_attestations(request: &SyncRequest) -> Vec<KeptAttestation> {
    let signed = request.attestations.iter().zip(attested_hashes(request));
    signed
        .map(|(attestation, hashes)| KeptAttestation {
            hashes,
            signature: attestation.signature,
        })
        .collect()
}

/// Whether a reader's cursors are of this log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CursorState {
    /// The log has every entry, or the reader has read nothing yet.
    Known,
    /// The reader has read another log, or this one before it was set back to a backup.
    Foreign,
}

/// What a request asks for.
#[derive(Debug)]
pub struct Question {
    peer: Peer,
    /// The hashes of the changes that came with it, by their numbers.
    brought: Vec<Option<ChangeHash>>,
    cursor: Option<Cursor>,
    acknowledged: Option<Cursor>,
    restoring: bool,
    device_time: i64,
    reconciliation: Option<Reconciliation>,
    answer_form: Form,
}

impl Question {
    /// The entries of the log to look for: whether all are there, with these marks, decides whether the reader has read
    /// this log.
    pub fn cursors(&self) -> impl Iterator<Item = Cursor> {
        self.cursor.into_iter().chain(self.acknowledged)
    }

    /// How far the device's clock is ahead, in milliseconds, if the request took no time.
    pub fn clock_ahead(&self, now: i64) -> i64 {
        self.device_time.saturating_sub(now)
    }

    /// How the changes of the answer are to be written.
    pub fn answer_form(&self) -> Form {
        self.answer_form
    }

    /// What to look up in the log when the delivery is in it; nothing for a reader of another log, who begins anew rather
    /// than miss anything.
    pub fn query(&self, cursors: CursorState) -> Option<Query> {
        let scope = self.peer.scope.clone();
        match (&self.reconciliation, cursors) {
            (_, CursorState::Foreign) => None,
            (Some(Reconciliation::Compare(_)), _) => Some(Query::Set { scope }),
            (Some(Reconciliation::Fetch(hashes)), _) => Some(Query::Changes {
                hashes: hashes.iter().map(|hash| ChangeHash(**hash)).collect(),
                scope,
            }),
            (None, CursorState::Known) => Some(Query::Entries(LogQuery {
                after: self.cursor,
                without: (self.cursor.is_some() && !self.restoring).then_some(self.peer.device),
                scope,
            })),
        }
    }

    /// The answer. `found` is what the query gave, if there was one; `now` is the answering side's clock, in milliseconds
    /// since 1970-01-01T00:00:00Z. Takes time in proportion to the set where sets are compared.
    pub fn answer(self, taken: Taken, found: Option<Found>, now: i64) -> SyncResponse {
        let unknown_cursor = found.is_none();
        let narrowed = |cursor: Option<Cursor>| cursor.map(|cursor| cursor.narrowed(self.peer.narrowing));
        // A change that is refused may be in the log all the same, brought by a copy of the device: then it wants to know.
        let refused = taken.refused.iter().map(|refusal| refusal.change);
        let left: HashSet<u32> = taken.waiting.iter().copied().chain(refused).collect();
        let brought = (0..).zip(&self.brought).filter(|(number, _)| !left.contains(number));
        let acknowledged: HashSet<ChangeHash> = brought.filter_map(|(_, hash)| *hash).collect();
        let mut reconciliation = None;
        let read = match (found, self.reconciliation) {
            (Some(Found::Entries(mut read)), _) => {
                leave_out(&mut read.responses, &acknowledged);
                read
            }
            (Some(Found::Set { changes, erased, head }), Some(Reconciliation::Compare(request))) => {
                let answer = reconciliation::answer(&changes, &request, &reconciliation::Limits::default());
                reconciliation = answer.ok().map(ByteBuf::from);
                Read {
                    erased,
                    cursor: head,
                    head,
                    more: true,
                    ..Read::default()
                }
            }
            (Some(Found::Changes { responses, head, more }), _) => Read {
                responses,
                head,
                more,
                ..Read::default()
            },
            (Some(Found::Set { .. }) | None, _) => Read::default(),
        };
        SyncResponse {
            version: PROTOCOL_VERSION,
            accepted: taken.accepted,
            waiting: taken.waiting,
            refused: taken.refused,
            responses: read.responses,
            erased: read.erased,
            cursor: narrowed(read.cursor),
            acknowledged: narrowed(read.head.filter(|head| read.cursor != Some(*head))),
            unknown_cursor,
            reconciliation,
            more: read.more || unknown_cursor,
            server_time: now,
        }
    }
}

/// Takes these changes out.
fn leave_out(responses: &mut Vec<ResponseChanges>, hashes: &HashSet<ChangeHash>) {
    if hashes.is_empty() {
        return;
    }
    for response in responses.iter_mut() {
        let is_other = |bytes: &ByteBuf| chunk::hash(bytes).is_ok_and(|hash| !hashes.contains(&hash));
        response.changes.retain(is_other);
    }
    responses.retain(|response| !response.changes.is_empty());
}

/// What is to be looked up in the log for a reader.
#[derive(Debug, Clone)]
pub enum Query {
    /// Entries after a cursor.
    Entries(LogQuery),
    /// The hashes of all changes in these hamlets.
    Set {
        /// The hamlets.
        scope: BTreeSet<HamletKey>,
    },
    /// Changes by hash, as far as they are in these hamlets.
    Changes {
        /// The hashes.
        hashes: Vec<ChangeHash>,
        /// The hamlets.
        scope: BTreeSet<HamletKey>,
    },
}

/// What was found for a [`Query`].
#[derive(Debug, Clone)]
pub enum Found {
    /// For [`Query::Entries`].
    Entries(Read),
    /// For [`Query::Set`]: what the log has up to its last entry.
    Set {
        /// The hashes.
        changes: ChangeSet,
        /// All responses that were erased.
        erased: Vec<ErasedResponse>,
        /// The last entry.
        head: Option<Cursor>,
    },
    /// For [`Query::Changes`].
    Changes {
        /// The changes, grouped by response, in the order of the log.
        responses: Vec<ResponseChanges>,
        /// The log's last entry.
        head: Option<Cursor>,
        /// Whether there are more of them than fit in one answer.
        more: bool,
    },
}

/// What a reader gets of the log: the entries after its cursor in the hamlets of its scope.
#[derive(Debug, Clone)]
pub struct LogQuery {
    /// The last entry that the reader has; none for a reader that begins.
    pub after: Option<Cursor>,
    /// The device whose changes are left out, because it has them.
    pub without: Option<DevicePublicKey>,
    /// The hamlets.
    pub scope: BTreeSet<HamletKey>,
}

/// What the log has for a reader.
#[derive(Debug, Clone, Default)]
pub struct Read {
    /// The changes, grouped by response, in the order of the log.
    pub responses: Vec<ResponseChanges>,
    /// The responses whose tombstones are among the entries.
    pub erased: Vec<ErasedResponse>,
    /// The last entry that was looked at; none where the log is empty.
    pub cursor: Option<Cursor>,
    /// The log's last entry.
    pub head: Option<Cursor>,
    /// Whether there is more.
    pub more: bool,
}
