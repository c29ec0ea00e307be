//! Messages as bytes: CBOR (RFC 8949) compressed as a whole.
//!
//! The changes of a message are [packed](super::packing) into one byte string of it. The content type is
//! `application/cbor`, the content encoding that of a [`Coding`]. The format is described in `docs/protocol-packing.md`.

#[cfg(feature = "brotli")]
mod brotli;
mod cbor;
mod compression;
mod limits;

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::carried::CarriedChanges;
use super::cursor::Cursor;
use super::erasure::ErasedResponse;
use super::message::{Attestation, PROTOCOL_VERSION, Reconciliation, Refusal, SyncRequest, SyncResponse};
use super::packing::{Form, pack, unpack};
use crate::device::{AttestationSignature, DevicePublicKey};

#[cfg(feature = "brotli")]
pub(super) use brotli::{Effort, compress};
pub(super) use cbor::from_versioned_cbor;
pub(crate) use cbor::to_cbor;
use cbor::{check_items, from_cbor};
pub use compression::Coding;
use limits::malformed;
pub use limits::{Limits, WireError};

/// The content type of the messages.
pub const CONTENT_TYPE: &str = "application/cbor";
/// The content encoding of what [`encode`] and [`encode_answer`] write.
#[cfg(feature = "brotli")]
pub const CONTENT_ENCODING: &str = Coding::Brotli.name();

/// A message's bytes, compressed with brotli.
///
/// # Errors
/// [`WireError::Malformed`] when the message cannot be written as CBOR, in practice never.
#[cfg(feature = "brotli")]
pub fn encode<M: Message>(message: &M) -> Result<Vec<u8>, WireError> {
    encode_as(message, Coding::Brotli)
}

/// A message's compressed bytes.
///
/// # Errors
/// As [`encode`].
pub fn encode_as<M: Message>(message: &M, coding: Coding) -> Result<Vec<u8>, WireError> {
    coding.compress(&message.to_cbor()?).map_err(malformed)
}

/// An answer's bytes, compressed with brotli, its changes in the form that the request asked for.
///
/// # Errors
/// As [`encode`].
#[cfg(feature = "brotli")]
pub fn encode_answer(answer: &SyncResponse, form: Form) -> Result<Vec<u8>, WireError> {
    Coding::Brotli
        .compress(&answer_to_cbor(answer, form)?)
        .map_err(malformed)
}

/// The message in bytes that are compressed with brotli.
///
/// # Errors
/// Every [`WireError`]; that of an unsupported version for requests only.
#[cfg(feature = "brotli")]
pub fn decode<M: Message>(compressed: &[u8], limits: &Limits) -> Result<M, WireError> {
    decode_as(compressed, Coding::Brotli, limits)
}

/// The message in compressed bytes.
///
/// # Errors
/// As [`decode`].
pub fn decode_as<M: Message>(compressed: &[u8], coding: Coding, limits: &Limits) -> Result<M, WireError> {
    decode_inflated(&coding.inflate(compressed, limits)?, limits)
}

/// The message in bytes that the HTTP client has inflated already, as browsers do by the answer's `Content-Encoding`.
///
/// # Errors
/// As [`decode`].
pub fn decode_inflated<M: Message>(inflated: &[u8], limits: &Limits) -> Result<M, WireError> {
    if inflated.len() > limits.inflated_bytes {
        return Err(WireError::InflatedTooLarge {
            limit: limits.inflated_bytes,
        });
    }
    check_items(inflated, limits)?;
    M::from_cbor(inflated, limits)
}

/// The request in bytes that are compressed with brotli, with its version and sizes checked.
///
/// # Errors
/// Every [`WireError`].
#[cfg(feature = "brotli")]
pub fn decode_request(compressed: &[u8], limits: &Limits) -> Result<SyncRequest, WireError> {
    decode(compressed, limits)
}

/// The value in CBOR that is not compressed, if it has no more items than allowed.
pub(crate) fn from_limited_cbor<M: DeserializeOwned>(bytes: &[u8], limits: &Limits) -> Result<M, WireError> {
    check_items(bytes, limits)?;
    from_cbor(bytes)
}

/// What travels: a request, a response, or what somebody carries.
pub trait Message: Sized {
    /// The message before compression.
    ///
    /// # Errors
    /// [`WireError::Malformed`] when the message cannot be written as CBOR, in practice never.
    fn to_cbor(&self) -> Result<Vec<u8>, WireError>;

    /// Reads what [`to_cbor`](Self::to_cbor) wrote.
    ///
    /// # Errors
    /// [`WireError`] where the bytes are no such message, or one over the limits.
    fn from_cbor(inflated: &[u8], limits: &Limits) -> Result<Self, WireError>;
}

/// A request as its CBOR has it.
#[derive(Serialize, Deserialize)]
struct RequestOnWire {
    version: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cursor: Option<Cursor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acknowledged: Option<Cursor>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    restoring: bool,
    device_time: i64,
    changes: ByteBuf,
    /// The devices that attest, each once.
    devices: Vec<DevicePublicKey>,
    /// The device's place, the first change, how many changes, the signature.
    attestations: Vec<(u32, u32, u32, AttestationSignature)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reconciliation: Option<Reconciliation>,
    /// Whether the answer's changes are to travel as they are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    plain: bool,
}

impl Message for SyncRequest {
    fn to_cbor(&self) -> Result<Vec<u8>, WireError> {
        let mut devices: Vec<DevicePublicKey> = Vec::new();
        let mut places = HashMap::new();
        let attestations = self
            .attestations
            .iter()
            .map(|attestation| {
                let place = *places.entry(attestation.device).or_insert_with(|| {
                    devices.push(attestation.device);
                    devices.len() as u32 - 1
                });
                (place, attestation.first, attestation.count, attestation.signature)
            })
            .collect();
        to_cbor(&RequestOnWire {
            version: self.version,
            cursor: self.cursor,
            acknowledged: self.acknowledged,
            restoring: self.restoring,
            device_time: self.device_time,
            changes: ByteBuf::from(pack(&self.responses, Form::Packed)),
            devices,
            attestations,
            reconciliation: self.reconciliation.clone(),
            plain: self.answer_form == Form::Plain,
        })
    }

    fn from_cbor(inflated: &[u8], limits: &Limits) -> Result<Self, WireError> {
        let request: RequestOnWire = from_versioned_cbor(inflated, PROTOCOL_VERSION)?;
        if request.attestations.len() > limits.changes {
            return Err(WireError::TooMany {
                what: "attestations",
                limit: limits.changes,
            });
        }
        if let Some(reconciliation) = &request.reconciliation {
            reconciliation.checked(limits)?;
        }
        let attestations = request
            .attestations
            .into_iter()
            .map(|(device, first, count, signature)| {
                let listed = request.devices.get(device as usize);
                let device = *listed.ok_or_else(|| malformed("an attestation's device is not listed"))?;
                Ok(Attestation {
                    device,
                    first,
                    count,
                    signature,
                })
            })
            .collect::<Result<_, WireError>>()?;
        Ok(Self {
            version: request.version,
            cursor: request.cursor,
            acknowledged: request.acknowledged,
            restoring: request.restoring,
            device_time: request.device_time,
            responses: unpack(&request.changes, limits)?,
            attestations,
            reconciliation: request.reconciliation,
            answer_form: if request.plain { Form::Plain } else { Form::Packed },
        })
    }
}

/// A response as its CBOR has it.
#[derive(Serialize, Deserialize)]
struct ResponseOnWire {
    version: u16,
    accepted: u32,
    waiting: Vec<u32>,
    refused: Vec<Refusal>,
    changes: ByteBuf,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cursor: Option<Cursor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acknowledged: Option<Cursor>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unknown_cursor: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    erased: Vec<ErasedResponse>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reconciliation: Option<ByteBuf>,
    more: bool,
    server_time: i64,
}

impl Message for SyncResponse {
    fn to_cbor(&self) -> Result<Vec<u8>, WireError> {
        answer_to_cbor(self, Form::Packed)
    }

    fn from_cbor(inflated: &[u8], limits: &Limits) -> Result<Self, WireError> {
        let response: ResponseOnWire = from_cbor(inflated)?;
        Ok(Self {
            version: response.version,
            accepted: response.accepted,
            waiting: response.waiting,
            refused: response.refused,
            responses: unpack(&response.changes, limits)?,
            cursor: response.cursor,
            acknowledged: response.acknowledged,
            unknown_cursor: response.unknown_cursor,
            erased: response.erased,
            reconciliation: response.reconciliation,
            more: response.more,
            server_time: response.server_time,
        })
    }
}

fn answer_to_cbor(answer: &SyncResponse, form: Form) -> Result<Vec<u8>, WireError> {
    to_cbor(&ResponseOnWire {
        version: answer.version,
        accepted: answer.accepted,
        waiting: answer.waiting.clone(),
        refused: answer.refused.clone(),
        changes: ByteBuf::from(pack(&answer.responses, form)),
        cursor: answer.cursor,
        acknowledged: answer.acknowledged,
        unknown_cursor: answer.unknown_cursor,
        erased: answer.erased.clone(),
        reconciliation: answer.reconciliation.clone(),
        more: answer.more,
        server_time: answer.server_time,
    })
}

/// Carried changes have their attestations beside them one by one, so they are written as they are.
impl Message for CarriedChanges {
    fn to_cbor(&self) -> Result<Vec<u8>, WireError> {
        to_cbor(self)
    }

    fn from_cbor(inflated: &[u8], _: &Limits) -> Result<Self, WireError> {
        from_cbor(inflated)
    }
}

#[cfg(test)]
mod tests;
