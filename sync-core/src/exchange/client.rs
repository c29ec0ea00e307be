//! The device's side of the exchange, without I/O.

mod rekeying;

use std::collections::{BTreeSet, HashSet, VecDeque};

use automerge::{ActorId, Change, ChangeHash};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::cursor::Cursor;
use super::erasure::ErasedResponse;
use super::message::{
    Attestation, PROTOCOL_VERSION, Refusal, RefusalReason, ResponseChanges, SyncRequest, SyncResponse,
};
use super::packing::Form;
use super::piece::PieceSize;
use super::reading::{Comparing, Reading};
use super::reconciliation;
use crate::device::DeviceKey;
use crate::identity::RoundId;
use crate::response::Response;

pub use rekeying::Rekeying;

/// A change that this device wrote and the server may not have yet.
#[derive(Debug, Clone)]
pub struct OutgoingChange {
    /// The round.
    pub round: RoundId,
    /// The surveyed unit's code.
    pub unit: String,
    /// The change.
    pub change: Change,
}

impl OutgoingChange {
    /// All that an author wrote of a unit's response, each change after those that it depends on: what a device
    /// [`offer`](Client::offer)s.
    pub fn written_by(
        author: &ActorId,
        round: RoundId,
        unit: &str,
        response: &Response,
    ) -> impl Iterator<Item = Self> + use<> {
        let unit = unit.to_owned();
        response.changes_of(author).into_iter().map(move |change| Self {
            round,
            unit: unit.clone(),
            change,
        })
    }
}

/// A change that the server did not take. It stays on the device.
#[derive(Debug, Clone)]
pub struct RefusedChange {
    /// The change.
    pub outgoing: OutgoingChange,
    /// Why.
    pub reason: RefusalReason,
    /// Whether the server keeps it until a person has decided about it.
    pub quarantined: bool,
}

/// What a device has for the server and how far it has read the server's log.
///
/// Life of an exchange: [`enqueue`](Self::enqueue) what was written; [`request`](Self::request) gives the next piece;
/// the caller carries it and either brings the answer to [`receive`](Self::receive) or tells by
/// [`disconnected`](Self::disconnected) that none came; while [`pending`](Self::pending), again. Sending a piece twice
/// is harmless, so a lost answer costs one piece's time and nothing else.
///
/// **What the caller keeps.** Before an answer to a question counts as saved, its change and that it is in the outbox are
/// durable. When an answer of the server came, what it brought is made durable first, then [`state`](Self::state)
/// together with the outbox. A device that stops in between finds the older state and asks again, which is harmless; the
/// other way round it would miss changes.
///
/// **Lost logs.** A device that begins, and one whose cursor the server does not know, reads the log from its start, or
/// where it has something already, [`reconcile`](Self::reconcile)s: then only what is missing travels. At the end
/// [`Received::whole_log`] is set, and the caller [`offer`](Self::offer)s all that the device wrote: what the log did not
/// have is sent again. So a server that was set back to a backup gets everything back that the devices have.
///
/// **A key that another phone writes with too.** After each answer the caller asks [`rekeying`](Self::rekeying) and does
/// what it says.
#[derive(Debug, Default)]
pub struct Client {
    cursor: Option<Cursor>,
    /// What was acknowledged is in the log up to here, where that is beyond the cursor.
    acknowledged: Option<Cursor>,
    reading: Reading,
    /// What the server keeps but has not logged: to be sent again when there is nothing else to do.
    held: VecDeque<OutgoingChange>,
    outbox: VecDeque<OutgoingChange>,
    in_flight: usize,
    piece_size: PieceSize,
    more: bool,
    /// Sign each change by itself, because the server could not check a signature under several.
    sign_each: bool,
    refused: Vec<RefusedChange>,
    /// What can come in only when it is written again.
    stranded: Vec<OutgoingChange>,
    /// The keys that the device had before, and whose changes it may bring.
    predecessors: Vec<DeviceKey>,
    /// The actors of those whose changes it may not bring.
    abandoned: BTreeSet<ActorId>,
    /// Who signed what is in flight.
    signer: Option<ActorId>,
}

/// How far a device has read the server's log: what it keeps from one start to the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientState {
    /// The last entry that the device has.
    pub cursor: Option<Cursor>,
    /// The entry up to which the log has what was acknowledged, where that is beyond the cursor.
    pub acknowledged: Option<Cursor>,
    /// Whether the device has read the log to its end since it last began at its start, and the log has all that the
    /// device offered then. What is offered is remembered nowhere else: a device that stops before begins again.
    pub caught_up: bool,
}

/// What an answer brought.
#[derive(Debug, Clone, Default)]
pub struct Received {
    /// How many of the device's own changes are now durable at the server.
    pub acknowledged: usize,
    /// The changes that need not be sent any more: the acknowledged ones, and those of which nothing can come. What a person
    /// may still decide about stays in the outbox that the caller keeps, so that a device that starts anew brings it again
    /// and hears what became of it.
    pub left_outbox: Vec<ChangeHash>,
    /// Other devices' changes.
    pub responses: Vec<ResponseChanges>,
    /// Responses that were erased: the caller deletes every byte that it has of them, before it keeps the new state.
    pub erased: Vec<ErasedResponse>,
    /// Whether the cursor was of another log than the server's: time to [`reconcile`](Client::reconcile).
    pub unknown_cursor: bool,
    /// Whether it is known now what the whole log has: time to [`offer`](Client::offer).
    pub whole_log: bool,
    /// How far the device's clock is ahead of the server's, in milliseconds, give or take the time of the exchange.
    pub clock_ahead: i64,
}

impl Client {
    /// A device that has read as far as `state` says; the default for one that begins.
    pub fn new(state: ClientState) -> Self {
        // Of a log that was read in part nobody remembers what was seen, so reading begins again.
        if !state.caught_up {
            return Self::default();
        }
        Self {
            cursor: state.cursor,
            acknowledged: state.acknowledged,
            reading: Reading::Onward,
            ..Self::default()
        }
    }

    /// How far the device has read.
    pub fn state(&self) -> ClientState {
        ClientState {
            cursor: self.cursor,
            acknowledged: self.acknowledged,
            caught_up: matches!(self.reading, Reading::Onward),
        }
    }

    /// Keeps a change for the server.
    pub fn enqueue(&mut self, change: OutgoingChange) {
        self.outbox.push_back(change);
    }

    /// How many changes are not in the server's log, as far as the device knows.
    pub fn unacknowledged(&self) -> usize {
        self.outbox.len() + self.held.len() + self.stranded.len()
    }

    /// The changes that the server did not take, with its reasons. They stay on the device.
    pub fn refused(&self) -> &[RefusedChange] {
        &self.refused
    }

    /// Sends again the refused changes about which a person may have decided in the meantime, be they in the server's
    /// quarantine or not: each is then in the log, refused as discarded, or refused as before.
    pub fn ask_again(&mut self) {
        let refused = std::mem::take(&mut self.refused).into_iter();
        let (decidable, others): (Vec<_>, Vec<_>) = refused.partition(|refused| refused.reason.is_decidable());
        self.refused = others;
        self.outbox
            .extend(decidable.into_iter().map(|refused| refused.outgoing));
    }

    /// Whether there is something to send or the server said that it has more.
    pub fn pending(&self) -> bool {
        self.more || !self.outbox.is_empty()
    }

    /// How large the next piece should be, by what became of those before.
    pub fn piece_size(&self) -> PieceSize {
        self.piece_size
    }

    /// The next piece: as many changes as fit in `piece_bytes` (uncompressed; at least one), signed by `key`.
    ///
    /// `device_time` is the device's clock in milliseconds since 1970-01-01T00:00:00Z.
    pub fn request(&mut self, key: &DeviceKey, device_time: i64, piece_bytes: usize) -> SyncRequest {
        if !self.pending() {
            // A new occasion: perhaps what they wait for has come in the meantime.
            self.outbox.append(&mut self.held);
        }
        let mut bytes = 0;
        self.in_flight = self
            .outbox
            .iter()
            .take_while(|outgoing| {
                let first = bytes == 0;
                bytes += outgoing.change.raw_bytes().len();
                first || bytes <= piece_bytes
            })
            .count();

        let mut responses: Vec<ResponseChanges> = Vec::new();
        for outgoing in self.outbox.iter().take(self.in_flight) {
            let bytes = ByteBuf::from(outgoing.change.raw_bytes());
            match responses.last_mut() {
                Some(group) if group.round == outgoing.round && group.unit == outgoing.unit => {
                    group.changes.push(bytes);
                }
                _ => responses.push(ResponseChanges {
                    round: outgoing.round,
                    unit: outgoing.unit.clone(),
                    changes: vec![bytes],
                }),
            }
        }
        self.signer = Some(key.actor());
        let attestations = self.attestations(key);
        SyncRequest {
            version: PROTOCOL_VERSION,
            cursor: self.cursor,
            acknowledged: self.acknowledged,
            restoring: matches!(self.reading, Reading::FromStart { .. }),
            device_time,
            responses,
            attestations,
            reconciliation: self.reading.reconciliation(),
            answer_form: Form::Packed,
        }
    }

    /// Signs what is in flight, each run of changes by the key that wrote it.
    fn attestations(&self, key: &DeviceKey) -> Vec<Attestation> {
        let mut attestations = Vec::new();
        let mut run = Vec::new();
        let mut changes = (0u32..).zip(self.outbox.iter().take(self.in_flight)).peekable();
        while let Some((number, outgoing)) = changes.next() {
            let author = outgoing.change.actor_id();
            run.push(outgoing.change.hash());
            let goes_on = changes.peek().is_some_and(|(_, next)| next.change.actor_id() == author);
            if goes_on && !self.sign_each {
                continue;
            }
            // What nobody here can sign for is refused, and then written again.
            let signer = self
                .predecessors
                .iter()
                .find(|key| key.actor() == *author)
                .unwrap_or(key);
            let count = u32::try_from(run.len()).unwrap_or(u32::MAX);
            attestations.push(Attestation {
                device: signer.public(),
                first: (number + 1).saturating_sub(count),
                count,
                signature: signer.attest(&run),
            });
            run.clear();
        }
        attestations
    }

    /// Takes the server's answer to the last request, which was sent when the device's clock showed `device_time`.
    pub fn receive(&mut self, response: SyncResponse, device_time: i64) -> Received {
        self.piece_size = self.piece_size.answered();
        let sent = std::mem::take(&mut self.in_flight);
        let mut acknowledged = Vec::with_capacity(sent);
        let mut left_outbox = Vec::with_capacity(sent);
        let mut undecided = Vec::new();
        let mut erased = response.erased.clone();
        let mut again = Vec::new();
        // What was refused before and was sent again is judged anew.
        let judged: HashSet<ChangeHash> = self
            .outbox
            .iter()
            .take(sent)
            .map(|outgoing| outgoing.change.hash())
            .collect();
        self.refused
            .retain(|refused| !judged.contains(&refused.outgoing.change.hash()));
        for (number, outgoing) in self.outbox.drain(..sent).enumerate() {
            let refusal = refusal(&response.refused, number);
            match refusal.map(|refusal| refusal.reason) {
                Some(RefusalReason::Unverifiable) => again.push(outgoing),
                // Somebody answered here after the response was erased, and the tombstone was read long ago.
                Some(RefusalReason::Erased) => {
                    left_outbox.push(outgoing.change.hash());
                    erased.push(ErasedResponse {
                        round: outgoing.round,
                        unit: outgoing.unit,
                    });
                }
                // These stay in the outbox that the caller keeps until something else is written in their place.
                Some(RefusalReason::Contradiction) => self.stranded.push(outgoing),
                Some(RefusalReason::ForeignAuthor) if self.signer.as_ref() != Some(outgoing.change.actor_id()) => {
                    self.abandoned.insert(outgoing.change.actor_id().clone());
                    self.stranded.push(outgoing);
                }
                Some(reason) => {
                    match reason.is_decidable() {
                        true => undecided.push(outgoing.change.hash()),
                        false => left_outbox.push(outgoing.change.hash()),
                    }
                    self.refused.push(RefusedChange {
                        outgoing,
                        reason,
                        quarantined: refusal.is_some_and(|refusal| refusal.quarantined),
                    });
                }
                None if response.waiting.contains(&(number as u32)) => self.held.push_back(outgoing),
                None => {
                    left_outbox.push(outgoing.change.hash());
                    acknowledged.push(outgoing.change.hash());
                }
            }
        }
        // One damaged change must not hold up those that were signed together with it.
        self.sign_each = !again.is_empty() || (self.sign_each && !self.outbox.is_empty());
        for outgoing in again.into_iter().rev() {
            self.outbox.push_front(outgoing);
        }
        erased.sort_unstable();
        erased.dedup();
        left_outbox.extend(self.erase(&erased));
        self.acknowledged = response.acknowledged;
        self.reading.acknowledged(&acknowledged);
        (self.reading, self.cursor) = std::mem::take(&mut self.reading).received(&response, self.cursor);
        let whole_log = matches!(self.reading, Reading::Known { .. });
        self.more = response.more || self.reading.is_under_way();
        if let Reading::Offering { left } = &mut self.reading {
            for hash in left_outbox.iter().chain(&undecided) {
                left.remove(hash);
            }
            if left.is_empty() {
                self.reading = Reading::Onward;
            }
        }
        Received {
            acknowledged: acknowledged.len(),
            left_outbox,
            responses: response.responses,
            erased,
            unknown_cursor: response.unknown_cursor,
            whole_log,
            clock_ahead: device_time.saturating_sub(response.server_time),
        }
    }

    /// Compares all changes that the device has of its scope with the server's log, instead of reading that from its start.
    /// Does nothing unless the device is about to begin there, and has something to compare. `salt` is drawn anew each time.
    ///
    /// Where the two turn out to be too different for `limits`, or the server does not compare, the log is read from its
    /// start after all.
    pub fn reconcile(
        &mut self,
        here: impl IntoIterator<Item = ChangeHash>,
        salt: reconciliation::Salt,
        limits: reconciliation::Limits,
    ) {
        if self.cursor.is_some() || !matches!(&self.reading, Reading::FromStart { seen } if seen.is_empty()) {
            return;
        }
        let here: HashSet<ChangeHash> = here.into_iter().collect();
        if here.is_empty() {
            return;
        }
        if let Ok(initiator) = reconciliation::Initiator::new(here.iter().copied().collect(), salt, limits) {
            self.more = true;
            self.reading = Reading::Comparing(Box::new(Comparing { initiator, here }));
        }
    }

    /// Takes all that the device ever wrote, each change after those that it depends on, when it is known what the whole
    /// log has: what it does not have is enqueued again. At any other time it does nothing.
    pub fn offer(&mut self, written: impl IntoIterator<Item = OutgoingChange>) {
        let Reading::Known { there } = &mut self.reading else {
            return;
        };
        let there = std::mem::take(there);
        let queued = self.outbox.iter().chain(&self.held).chain(&self.stranded);
        let queued: HashSet<ChangeHash> = queued.map(|outgoing| outgoing.change.hash()).collect();
        let mut left = HashSet::new();
        for outgoing in written {
            let hash = outgoing.change.hash();
            if !there.contains(&hash) && !queued.contains(&hash) && left.insert(hash) {
                self.outbox.push_back(outgoing);
            }
        }
        self.reading = if left.is_empty() {
            Reading::Onward
        } else {
            Reading::Offering { left }
        };
    }

    /// Drops what is queued or was refused of responses that were erased, and gives the hashes of what was queued.
    fn erase(&mut self, erased: &[ErasedResponse]) -> Vec<ChangeHash> {
        let is_erased = |outgoing: &OutgoingChange| {
            let mut erased = erased.iter();
            erased.any(|erased| erased.round == outgoing.round && erased.unit == outgoing.unit)
        };
        if erased.is_empty() {
            return Vec::new();
        }
        let queued = self.outbox.iter().chain(&self.held).chain(&self.stranded);
        let dropped = queued.filter(|outgoing| is_erased(outgoing));
        let dropped = dropped.map(|outgoing| outgoing.change.hash()).collect();
        self.outbox.retain(|outgoing| !is_erased(outgoing));
        self.held.retain(|outgoing| !is_erased(outgoing));
        self.stranded.retain(|outgoing| !is_erased(outgoing));
        self.refused.retain(|refused| !is_erased(&refused.outgoing));
        dropped
    }

    /// No answer came: what was in flight stays in the outbox.
    pub fn disconnected(&mut self) {
        self.piece_size = self.piece_size.broken();
        self.in_flight = 0;
    }
}

fn refusal(refused: &[Refusal], number: usize) -> Option<&Refusal> {
    refused.iter().find(|refusal| refusal.change as usize == number)
}

#[cfg(test)]
mod tests {
    use survey_forms::answers::{AnswerPath, AnswersMut as _};
    use uuid::Uuid;

    use super::*;
    use crate::exchange::{Limits, admit};
    use crate::identity::ResponseId;
    use crate::response::{Response, ResponseError};

    fn refuse(sent: &SyncRequest, refused: Vec<Refusal>) -> SyncResponse {
        let accepted = u32::try_from(sent.change_count() - refused.len()).unwrap();
        let version = PROTOCOL_VERSION;
        SyncResponse {
            version,
            accepted,
            waiting: vec![],
            refused,
            responses: vec![],
            erased: vec![],
            cursor: None,
            acknowledged: None,
            unknown_cursor: false,
            reconciliation: None,
            more: false,
            server_time: 0,
        }
    }

    #[test]
    fn one_damaged_change_does_not_hold_up_the_others() {
        let round = RoundId(Uuid::nil());
        let key = DeviceKey::from_secret(&[5; 32]);
        let mut client = Client::default();
        for unit in ["a", "b", "c"] {
            let mut response = Response::new(ResponseId::of(round, unit)).unwrap();
            let ((), change) = response
                .edit::<_, ResponseError>(&key.actor(), 1, |edit| {
                    edit.put_answer(&AnswerPath::top("phone"), &1.into())
                })
                .unwrap();
            client.enqueue(OutgoingChange {
                round,
                unit: unit.to_owned(),
                change: change.unwrap(),
            });
        }

        let mut request = client.request(&key, 0, 1 << 20);
        assert_eq!(request.attestations.len(), 1);
        // The second change is damaged on its way.
        request.responses[1].changes[0][10] ^= 1;
        let verdicts = admit(&request, &Limits::default()).unwrap();
        let reasons: Vec<_> = verdicts.iter().map(|verdict| verdict.as_ref().err().copied()).collect();
        let unverifiable = Some(RefusalReason::Unverifiable);
        assert_eq!(reasons, [unverifiable, Some(RefusalReason::Malformed), unverifiable]);

        let refused = (0..)
            .zip(reasons)
            .map(|(change, reason)| Refusal::new(change, reason.unwrap()))
            .collect();
        client.receive(refuse(&request, refused), 0);
        assert_eq!(client.unacknowledged(), 2);
        assert_eq!(client.refused().len(), 1);

        let request = client.request(&key, 0, 1 << 20);
        assert_eq!(request.attestations.len(), 2);
        assert!(admit(&request, &Limits::default()).unwrap().iter().all(Result::is_ok));
        let received = client.receive(refuse(&request, vec![]), 0);
        assert_eq!((received.acknowledged, client.unacknowledged()), (2, 0));
    }
}
