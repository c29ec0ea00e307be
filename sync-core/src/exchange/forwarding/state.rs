//! How far a hub and its upstream have come in each other's logs.

use automerge::ChangeHash;
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};

use super::message::{FORWARDING_VERSION, ForwardRequest, ForwardResponse, ForwardedErasure};
use crate::exchange::carried::CarriedChanges;
use crate::exchange::cursor::Cursor;
use crate::exchange::message::Reconciliation;

/// How far a hub and its upstream have come in each other's logs: what the hub keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardingState {
    /// The last entry of upstream's log that the hub has.
    pub cursor: Option<Cursor>,
    /// The entry of upstream's log behind the cursor up to which it has what it told the hub to have.
    pub acknowledged: Option<Cursor>,
    /// The last entry of the hub's own log that upstream was brought.
    pub forwarded: Option<Cursor>,
    /// Whether upstream may have another log than the one that was exchanged with, so that it is brought also what once came
    /// from there: time for a [`Comparison`](super::Comparison) where the hub has something to compare.
    pub everything: bool,
    /// Whether the hub was set back, so that it gets also what it once brought.
    pub restoring: bool,
}

/// A stretch of the hub's own log.
#[derive(Debug, Clone, Default)]
pub struct Piece {
    /// Its changes, and those that upstream has not taken before.
    pub carried: CarriedChanges,
    /// Those of the changes that wait, and are not in the log.
    pub unlogged: Vec<ChangeHash>,
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
            unlogged: piece.unlogged.iter().map(|hash| ByteArray::new(hash.0)).collect(),
            erased: piece.erased,
            cursor: self.cursor,
            acknowledged: self.acknowledged,
            restoring: self.restoring,
            reconciliation: None,
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
    /// The `until` of the last request by which the hub brought its log.
    pub until: Option<Cursor>,
    /// Whether the hub was found to have been set back, and does not know it yet, as far as can be told.
    pub set_back: bool,
}

impl HubMemory {
    /// The memory after a request. The hub gets also what it brought itself where it was [`set_back`](Self::set_back), or
    /// asks for it.
    #[must_use]
    pub fn after(&self, request: &ForwardRequest) -> Self {
        let until = match request.reconciliation {
            // It asks only, and the hub may be set back before it brings anything again.
            Some(Reconciliation::Compare(_)) => self.until,
            Some(Reconciliation::Fetch(_)) | None => request.until,
        };
        Self {
            until,
            // The answer that tells it may be lost, so it counts until the hub says that it knows.
            set_back: !request.restoring && (self.set_back || request.forwarded != self.until),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::LogMark;
    use crate::exchange::wire::{self, Limits, WireError};

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
            reconciliation: None,
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
    fn what_a_hub_has_brought_is_remembered_while_it_compares() {
        let memory = HubMemory {
            until: entry(3),
            set_back: false,
        };
        let comparing = ForwardRequest {
            restoring: true,
            reconciliation: Some(Reconciliation::Compare(ByteBuf::new())),
            ..ForwardingState::default().request(Piece::default(), None, None, 0)
        };
        let memory = memory.after(&comparing);
        assert_eq!(memory.until, entry(3));
        // Set back to the beginning, it has brought nothing as far as it knows.
        let anew = ForwardingState::default().request(Piece::default(), None, None, 0);
        assert!(memory.after(&anew).set_back);
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
