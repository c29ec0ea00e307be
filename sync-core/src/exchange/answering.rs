//! The answering side of an exchange (a server, a hub), without I/O.
//!
//! ```text
//! bytes ─read─► Delivery ─(see delivery)─► Taken ─┐
//!          └──► Question ──cursors──► LogQuery ──read──► Question::answer ─► SyncResponse
//! ```
//!
//! The cursors are looked up before the delivery makes the log longer, and the log is read when it is durable.

use std::collections::BTreeSet;

use super::admission::{AdmissionError, admit, attested_hashes};
use super::cursor::Cursor;
use super::delivery::{Authors, Delivery, KeptAttestation, Taken};
use super::intake::HamletKey;
use super::message::{PROTOCOL_VERSION, ResponseChanges, SyncRequest, SyncResponse};
use super::wire::{self, Limits, WireError};
use crate::device::DevicePublicKey;

/// Who is asking.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The device.
    pub device: DevicePublicKey,
    /// The hamlets that it may read and write.
    pub scope: BTreeSet<HamletKey>,
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

/// Reads a request's compressed bytes: what it brings, and what it asks for.
///
/// # Errors
/// [`ArrivalError`] when nothing of it can be believed.
pub fn read(bytes: &[u8], peer: Peer, limits: &Limits) -> Result<(Delivery, Question), ArrivalError> {
    let request = wire::decode_request(bytes, limits)?;
    let verdicts = admit(&request, limits)?;
    let attestations = kept_attestations(&request);
    let authors = Authors::only(peer.device, peer.scope.clone());
    let question = Question {
        peer,
        cursor: request.cursor,
        acknowledged: request.acknowledged,
        restoring: request.restoring,
        device_time: request.device_time,
    };
    Ok((Delivery::new(verdicts, attestations, authors), question))
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
    cursor: Option<Cursor>,
    acknowledged: Option<Cursor>,
    restoring: bool,
    device_time: i64,
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

    /// What to read of the log; none for a reader of another log, who begins anew rather than miss anything.
    pub fn query(&self, cursors: CursorState) -> Option<LogQuery> {
        (cursors == CursorState::Known).then(|| LogQuery {
            after: self.cursor,
            without: (self.cursor.is_some() && !self.restoring).then_some(self.peer.device),
            scope: self.peer.scope.clone(),
        })
    }

    /// The answer. `read` is what the query gave, if there was one; `now` is the answering side's clock, in milliseconds
    /// since 1970-01-01T00:00:00Z.
    pub fn answer(self, taken: Taken, read: Option<Read>, now: i64) -> SyncResponse {
        let unknown_cursor = read.is_none();
        let read = read.unwrap_or_default();
        SyncResponse {
            version: PROTOCOL_VERSION,
            accepted: taken.accepted,
            waiting: taken.waiting,
            refused: taken.refused,
            responses: read.responses,
            cursor: read.cursor,
            acknowledged: read.head.filter(|head| read.cursor != Some(*head)),
            unknown_cursor,
            more: read.more || unknown_cursor,
            server_time: now,
        }
    }
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
    /// The last entry that was looked at; none where the log is empty.
    pub cursor: Option<Cursor>,
    /// The log's last entry.
    pub head: Option<Cursor>,
    /// Whether there is more.
    pub more: bool,
}
