//! What a hub and its upstream say to each other.

use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};

use crate::exchange::carried::CarriedChanges;
use crate::exchange::cursor::Cursor;
use crate::exchange::message::{Reconciliation, Refusal};
use crate::exchange::wire::{self, Limits, Message, WireError};
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
    /// The hashes of those among the changes that wait at the hub for others and are in no entry of its log. They are not the
    /// hub's own: it could lose them without the cursors showing it, so it is brought them like anybody else's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unlogged: Vec<ByteArray<32>>,
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
    /// A step of a [comparison](super::Comparison) in the place of what is new. Its changes are those of the hub's scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconciliation: Option<Reconciliation>,
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
    /// The answer to [`Reconciliation::Compare`], of the log up to the cursor; none where upstream does not compare what was
    /// asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconciliation: Option<ByteBuf>,
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

// They are written as they are, since every attestation stands beside its changes.

impl Message for ForwardRequest {
    fn to_cbor(&self) -> Result<Vec<u8>, WireError> {
        wire::to_cbor(self)
    }

    fn from_cbor(inflated: &[u8], limits: &Limits) -> Result<Self, WireError> {
        let request: Self = wire::from_versioned_cbor(inflated, FORWARDING_VERSION)?;
        if let Some(reconciliation) = &request.reconciliation {
            reconciliation.checked(limits)?;
        }
        Ok(request)
    }
}

impl Message for ForwardResponse {
    fn to_cbor(&self) -> Result<Vec<u8>, WireError> {
        wire::to_cbor(self)
    }

    fn from_cbor(inflated: &[u8], _: &Limits) -> Result<Self, WireError> {
        wire::from_versioned_cbor(inflated, FORWARDING_VERSION)
    }
}
