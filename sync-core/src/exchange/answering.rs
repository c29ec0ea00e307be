//! The answering side of an exchange (a server, a hub), without I/O.
//!
//! An exchange goes through the types of this module in order. Each says what has to be looked up or written, and takes
//! what came of it:
//!
//! ```text
//! bytes ─► Arrived ──frame──► Sorted ──stored──► Planned ──written──► Written ──read──► SyncResponse
//!           │ units, cursor     │ responses        │ plan, attestations  │ query
//! ```
//!
//! Nothing is acknowledged before [`Planned::written`], which must be told only when the plan is durable. An exchange
//! that ends earlier, wherever it ends, is as if it had never come: the other side sends it again.

use std::collections::{BTreeMap, BTreeSet};

use automerge::ChangeHash;

use super::admission::{AdmissionError, Admitted, Verdict, admit, attested_hashes};
use super::cursor::Cursor;
use super::intake::{self, Frame, Group, HamletKey, Plan, Stored, Unit};
use super::message::{PROTOCOL_VERSION, Refusal, RefusalReason, ResponseChanges, SyncRequest, SyncResponse};
use super::wire::{self, Limits, WireError};
use crate::device::{AttestationSignature, DevicePublicKey};
use crate::identity::ResponseId;

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

/// An attestation with the hashes that it signs, which the wire leaves out. Whoever keeps it keeps both, or nobody can
/// verify it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAttestation {
    /// The signed hashes, in the order in which they were signed.
    pub hashes: Vec<ChangeHash>,
    /// The signature.
    pub signature: AttestationSignature,
}

/// A request that can be read and whose signatures hold.
#[derive(Debug)]
pub struct Arrived {
    peer: Peer,
    request: SyncRequest,
    verdicts: Vec<Verdict>,
}

impl Arrived {
    /// Reads a request's compressed bytes.
    ///
    /// # Errors
    /// [`ArrivalError`] when nothing of it can be believed.
    pub fn read(bytes: &[u8], peer: Peer, limits: &Limits) -> Result<Self, ArrivalError> {
        let request = wire::decode_request(bytes, limits)?;
        let verdicts = admit(&request, limits)?
            .into_iter()
            .map(|verdict| verdict.and_then(|admitted| own(admitted, &peer)))
            .collect();
        Ok(Self {
            peer,
            request,
            verdicts,
        })
    }

    /// The rounds and units whose state the next step needs.
    pub fn units(&self) -> BTreeSet<Unit> {
        let units = self.request.responses.iter();
        units.map(|group| (group.round, group.unit.clone())).collect()
    }

    /// The entries of the log to look for: whether all are there, with these marks, decides whether the reader has read
    /// this log. To be looked up before this exchange itself makes the log longer.
    pub fn cursors(&self) -> impl Iterator<Item = Cursor> {
        self.request.cursor.into_iter().chain(self.request.acknowledged)
    }

    /// How far the device's clock is ahead, in milliseconds, if the request took no time.
    pub fn clock_ahead(&self, now: i64) -> i64 {
        self.request.device_time.saturating_sub(now)
    }

    /// Goes on with what is known of the units, and of the cursors.
    pub fn sort(self, frame: &Frame, cursors: CursorState) -> Sorted {
        let attestations = kept_attestations(&self.request);
        let sent = self.verdicts.len();
        let (refused, groups) = intake::check_scope(self.verdicts, frame, &self.peer.scope);
        let query = match cursors {
            CursorState::Foreign => None,
            CursorState::Known => Some(LogQuery {
                after: self.request.cursor,
                without: match self.request.cursor {
                    Some(_) if !self.request.restoring => Some(self.peer.device),
                    _ => None,
                },
                scope: self.peer.scope,
            }),
        };
        Sorted {
            sent,
            refused,
            groups,
            attestations,
            query,
        }
    }
}

/// A device delivers what it wrote itself. Carrying other devices' changes is a hub's work.
fn own(admitted: Admitted, peer: &Peer) -> Verdict {
    if admitted.device == peer.device {
        Ok(admitted)
    } else {
        Err(RefusalReason::ForeignAuthor)
    }
}

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

/// A request whose changes are within the scope of whoever brings them, or refused.
#[derive(Debug)]
pub struct Sorted {
    sent: usize,
    refused: Vec<Refusal>,
    groups: BTreeMap<ResponseId, Group>,
    attestations: Vec<KeptAttestation>,
    query: Option<LogQuery>,
}

impl Sorted {
    /// The responses of which the next step needs what is stored.
    pub fn responses(&self) -> Vec<ResponseId> {
        self.groups.keys().copied().collect()
    }

    /// Goes on with what is stored of the responses that exist.
    pub fn plan(self, stored: &BTreeMap<ResponseId, Stored>) -> Planned {
        Planned {
            sent: self.sent,
            plan: intake::plan(self.refused, self.groups, stored),
            attestations: self.attestations,
            query: self.query,
        }
    }
}

/// A request of which it is known what is to be written.
#[derive(Debug)]
pub struct Planned {
    sent: usize,
    plan: Plan,
    attestations: Vec<KeptAttestation>,
    query: Option<LogQuery>,
}

impl Planned {
    /// What is to be written, in one transaction, and the attestations that its changes name by number.
    pub fn plan(&self) -> (&Plan, &[KeptAttestation]) {
        (&self.plan, &self.attestations)
    }

    /// Goes on when the plan is durable. `contradictions` are the numbers of changes that could not be logged, because
    /// another exchange has logged another change under their author's sequence number in the meantime.
    pub fn written(self, contradictions: &[u32]) -> Written {
        let mut refused = self.plan.refused;
        refused.extend(contradictions.iter().map(|change| Refusal {
            change: *change,
            reason: RefusalReason::Contradiction,
        }));
        let taken = u32::try_from(self.sent.saturating_sub(refused.len())).unwrap_or(u32::MAX);
        Written {
            accepted: taken.saturating_sub(u32::try_from(self.plan.waiting.len()).unwrap_or(u32::MAX)),
            waiting: self.plan.waiting,
            refused,
            query: self.query,
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

/// A request whose changes are durable.
#[derive(Debug)]
pub struct Written {
    accepted: u32,
    waiting: Vec<u32>,
    refused: Vec<Refusal>,
    query: Option<LogQuery>,
}

impl Written {
    /// What to read of the log; none for a reader of another log, who begins anew rather than miss anything.
    pub fn query(&self) -> Option<&LogQuery> {
        self.query.as_ref()
    }

    /// The answer. `read` is what the query gave; `now` is the answering side's clock, in milliseconds since
    /// 1970-01-01T00:00:00Z.
    pub fn answer(self, read: Read, now: i64) -> SyncResponse {
        let unknown_cursor = self.query.is_none();
        SyncResponse {
            version: PROTOCOL_VERSION,
            accepted: self.accepted,
            waiting: self.waiting,
            refused: self.refused,
            responses: read.responses,
            cursor: read.cursor,
            acknowledged: read.head.filter(|head| read.cursor != Some(*head)),
            unknown_cursor,
            more: read.more || unknown_cursor,
            server_time: now,
        }
    }
}
