//! A hub and the installation above it: both bring each other what their devices wrote.
//!
//! A hub keeps a log of its own, which phones read and write as any server's. Now and then it reaches its upstream, and
//! [`ForwardingState`] says how far each of the two has come in the other's log:
//!
//! ```text
//! hub's log ──entries after `forwarded`──► ForwardRequest ──► upstream's log
//! hub's log ◄── ForwardResponse ◄──entries after `cursor`──── upstream's log
//! ```
//!
//! Neither brings back what it has from the other. What is brought is believed because its authors signed it, and both
//! take it in as they take everything ([`delivery`](super::delivery)); so an exchange that broke off, wherever it did, is
//! repeated and changes nothing twice. Settlements are changes like others, so those of both levels meet.
//!
//! **What the hub keeps.** What an answer brought and the state after it become durable together: with the changes
//! and without their cursor, the hub would not notice that its upstream lost them.
//!
//! **Lost logs.** An upstream that was set back to a backup does not know the hub's cursor any more: the hub brings its
//! whole log, what it once had from upstream among it, and reads upstream's from the start. A hub that was set back is
//! found out by upstream, which remembers how far the hub had brought its log: then the hub gets also back what it brought
//! itself, until it has come to the end.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::carried::CarriedChanges;
use super::cursor::Cursor;
use super::message::Refusal;
use super::wire::{self, Limits, Message, WireError};
use crate::identity::RoundId;

/// The version of these messages.
pub const FORWARDING_VERSION: u16 = 1;

/// What a hub brings and asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardRequest {
    /// [`FORWARDING_VERSION`].
    pub version: u16,
    /// The hub's clock, in milliseconds since 1970-01-01T00:00:00Z.
    pub device_time: i64,
    /// The hub's roster of devices in JSON, where upstream may not have it yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roster: Option<ByteBuf>,
    /// The SHA-256 of the roster that the hub has of upstream; none where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roster_known: Option<ByteBuf>,
    /// The last entry of the hub's log that it had brought before this request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forwarded: Option<Cursor>,
    /// The last entry of the hub's log that it has brought with this request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Cursor>,
    /// The changes among the entries between the two. Their flat order numbers them from 0.
    pub carried: CarriedChanges,
    /// The tombstones among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub erased: Vec<ForwardedErasure>,
    /// The last entry of upstream's log that the hub has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
    /// An entry of upstream's log behind the cursor: up to it upstream has what it told the hub to have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Cursor>,
    /// Whether the hub wants back also what it brought itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restoring: bool,
}

/// What upstream answers.
///
/// Every change of the request that is neither refused nor waiting is in upstream's log, and durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardResponse {
    /// [`FORWARDING_VERSION`].
    pub version: u16,
    /// Upstream's clock, in milliseconds since 1970-01-01T00:00:00Z.
    pub server_time: i64,
    /// The numbers of the request's changes that upstream keeps until what they depend on comes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<u32>,
    /// Changes that upstream does not take.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refusal>,
    /// Upstream's roster of the devices that write in the hub's scope, in JSON, where it is not the one that the hub has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roster: Option<ByteBuf>,
    /// What is new for the hub in its scope.
    pub carried: CarriedChanges,
    /// Responses in its scope that were erased.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub erased: Vec<ForwardedErasure>,
    /// The cursor to send next time; none where nothing was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
    /// The last entry of upstream's log, where the cursor is before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Cursor>,
    /// Whether one of the request's cursors is of another log.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unknown_cursor: bool,
    /// Whether upstream was brought more of the hub's log than the hub knows of, so that the hub was set back, or an
    /// answer was lost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub set_back: bool,
    /// Whether there is more to fetch at once.
    pub more: bool,
}

/// A response that was erased, as one installation tells another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardedErasure {
    /// The round.
    pub round: RoundId,
    /// The surveyed unit's code.
    pub unit: String,
    /// Why, as the official wrote it.
    pub reason: String,
}

/// They are written as they are, since every attestation stands beside its changes.
macro_rules! messages {
    ($($message:ty),+) => {
        $(impl Message for $message {
            fn to_cbor(&self) -> Result<Vec<u8>, WireError> {
                wire::to_cbor(self)
            }

            fn from_cbor(inflated: &[u8], _: &Limits) -> Result<Self, WireError> {
                wire::from_versioned_cbor(inflated, FORWARDING_VERSION)
            }
        })+
    };
}

messages!(ForwardRequest, ForwardResponse);

/// How far a hub and its upstream have come in each other's logs: what the hub keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardingState {
    /// The last entry of upstream's log that the hub has.
    pub cursor: Option<Cursor>,
    /// The entry of upstream's log behind the cursor up to which it has what it told the hub to have.
    pub acknowledged: Option<Cursor>,
    /// The last entry of the hub's own log that upstream was brought.
    pub forwarded: Option<Cursor>,
    /// Whether upstream lost its log, so that it is brought also what once came from it.
    pub everything: bool,
    /// Whether the hub was set back, so that it gets also what it once brought.
    pub restoring: bool,
}

/// A stretch of the hub's own log.
#[derive(Debug, Clone, Default)]
pub struct Piece {
    /// Its changes, and those that upstream has not taken before.
    pub carried: CarriedChanges,
    /// Its tombstones.
    pub erased: Vec<ForwardedErasure>,
    /// Its last entry; none where the log has no more than was brought already.
    pub until: Option<Cursor>,
    /// Whether the log goes on behind it.
    pub more: bool,
}

impl ForwardingState {
    /// The request that brings a piece of the hub's log. `device_time` is the hub's clock, in milliseconds since
    /// 1970-01-01T00:00:00Z; `roster_known` the SHA-256 of the roster that it has of upstream.
    pub fn request(
        &self,
        piece: Piece,
        roster: Option<Vec<u8>>,
        roster_known: Option<[u8; 32]>,
        device_time: i64,
    ) -> ForwardRequest {
        ForwardRequest {
            version: FORWARDING_VERSION,
            device_time,
            roster: roster.map(ByteBuf::from),
            roster_known: roster_known.map(ByteBuf::from),
            forwarded: self.forwarded,
            until: piece.until.or(self.forwarded),
            carried: piece.carried,
            erased: piece.erased,
            cursor: self.cursor,
            acknowledged: self.acknowledged,
            restoring: self.restoring,
        }
    }

    /// The state after an answer, and whether there is more to exchange at once. `until` and `more` are those of the
    /// piece that was brought.
    #[must_use]
    pub fn after(&self, until: Option<Cursor>, more: bool, answer: &ForwardResponse) -> (Self, bool) {
        if answer.unknown_cursor {
            let anew = Self {
                everything: true,
                ..Self::default()
            };
            return (anew, true);
        }
        let state = Self {
            cursor: answer.cursor.or(self.cursor),
            acknowledged: answer.acknowledged,
            forwarded: until.or(self.forwarded),
            everything: self.everything && more,
            restoring: answer.set_back || (self.restoring && answer.more),
        };
        // A hub that was told that it was set back says that it knows.
        (state, more || answer.more || answer.set_back)
    }
}

/// What upstream remembers of a hub. It is durable before the answer is given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubMemory {
    /// The `until` of the hub's last request.
    pub until: Option<Cursor>,
    /// Whether the hub was found to have been set back, and does not know it yet, as far as can be told.
    pub set_back: bool,
}

impl HubMemory {
    /// The memory after a request. The hub gets also what it brought itself where it was [`set_back`](Self::set_back), or
    /// asks for it.
    #[must_use]
    pub fn after(&self, request: &ForwardRequest) -> Self {
        Self {
            until: request.until,
            // The answer that tells it may be lost, so it counts until the hub says that it knows.
            set_back: !request.restoring && (self.set_back || request.forwarded != self.until),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::LogMark;

    fn answer(cursor: Option<Cursor>, more: bool) -> ForwardResponse {
        ForwardResponse {
            version: FORWARDING_VERSION,
            server_time: 0,
            waiting: Vec::new(),
            refused: Vec::new(),
            roster: None,
            carried: CarriedChanges::default(),
            erased: Vec::new(),
            cursor,
            acknowledged: None,
            unknown_cursor: false,
            set_back: false,
            more,
        }
    }

    fn entry(sequence: u64) -> Option<Cursor> {
        Some(Cursor(sequence, LogMark([7; 8])))
    }

    #[test]
    fn both_logs_are_followed_piece_by_piece() {
        let begin = ForwardingState::default();
        let (state, more) = begin.after(entry(5), true, &answer(entry(2), false));
        assert!(more && state.forwarded == entry(5) && state.cursor == entry(2));
        let (state, more) = state.after(None, false, &answer(None, true));
        assert!(more && state.forwarded == entry(5) && state.cursor == entry(2));
    }

    #[test]
    fn an_upstream_that_lost_its_log_is_brought_everything_until_the_end() {
        let state = ForwardingState {
            cursor: entry(9),
            forwarded: entry(9),
            ..ForwardingState::default()
        };
        let lost = ForwardResponse {
            unknown_cursor: true,
            ..answer(None, false)
        };
        let (state, more) = state.after(entry(9), false, &lost);
        assert!(more && state.everything && state.forwarded.is_none() && state.cursor.is_none());
        let (state, _) = state.after(entry(5), true, &answer(entry(1), false));
        assert!(state.everything);
        let (state, more) = state.after(entry(9), false, &answer(entry(1), false));
        assert!(!state.everything && !more);
    }

    #[test]
    fn a_hub_that_was_set_back_gets_its_own_until_the_end() {
        let state = ForwardingState {
            forwarded: entry(3),
            cursor: entry(4),
            ..ForwardingState::default()
        };
        let memory = HubMemory {
            until: entry(8),
            set_back: false,
        };
        let request = state.request(Piece::default(), None, None, 0);
        let memory = memory.after(&request);
        assert!(memory.set_back);
        // The answer is lost, and the hub asks as before.
        let memory = memory.after(&request);
        assert!(memory.set_back);
        let told = ForwardResponse {
            set_back: true,
            ..answer(entry(6), false)
        };
        let (state, more) = state.after(None, false, &told);
        assert!(more && state.restoring);
        let request = state.request(Piece::default(), None, None, 0);
        let memory = memory.after(&request);
        assert!(request.restoring && !memory.set_back);
        let (state, more) = state.after(None, false, &answer(entry(9), false));
        assert!(!state.restoring && !more);
        let request = state.request(Piece::default(), None, None, 0);
        assert!(!memory.after(&request).set_back);
    }

    #[test]
    fn a_message_of_another_version_is_refused() {
        let mut request = ForwardingState::default().request(Piece::default(), None, None, 0);
        let limits = Limits::default();
        let bytes = wire::encode(&request).unwrap();
        assert_eq!(wire::decode::<ForwardRequest>(&bytes, &limits).unwrap(), request);
        request.version = 7;
        let bytes = wire::encode(&request).unwrap();
        assert!(matches!(
            wire::decode::<ForwardRequest>(&bytes, &limits),
            Err(WireError::UnsupportedVersion { version: 7, .. })
        ));
    }
}
