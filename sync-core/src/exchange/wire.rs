//! Messages as bytes: CBOR (RFC 8949) compressed as a whole with brotli (RFC 7932).
//!
//! The changes of a message are [packed](super::packing) into one byte string of it. The content type is
//! `application/cbor`, the content encoding `br`. The format is described in `docs/protocol-packing.md`.

use std::collections::HashMap;
use std::io::{Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::carried::CarriedChanges;
use super::cursor::Cursor;
use super::erasure::ErasedResponse;
use super::message::{Attestation, PROTOCOL_VERSION, Reconciliation, Refusal, SyncRequest, SyncResponse};
use super::packing::{Form, PackingError, pack, unpack};
use crate::device::{AttestationSignature, DevicePublicKey};

/// The content type of the messages.
pub const CONTENT_TYPE: &str = "application/cbor";
/// The content encoding of the messages.
pub const CONTENT_ENCODING: &str = "br";

/// Brotli's quality (0–11) for messages: the highest that a cheap phone affords, and close to the best in size.
const QUALITY: u32 = 5;
/// Brotli's smallest and largest window here, as base-2 logarithms of their bytes: see [`window`].
const WINDOWS: (u32, u32) = (18, 22);
/// Bytes of its window that brotli does not reach back to.
const WINDOW_GAP: usize = 16;
/// The first seven bits of a stream with a window of more than 16 MiB.
const LARGE_WINDOW: u8 = 0x11;
/// Bytes of the buffers between brotli and memory.
const BUFFER: usize = 16 * 1024;
/// How deep CBOR items may be nested; the messages need five levels.
const CBOR_DEPTH: usize = 16;

/// What is refused before memory is spent on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a compressed message.
    pub compressed_bytes: usize,
    /// Bytes of an inflated message.
    pub inflated_bytes: usize,
    /// Changes in a message.
    pub changes: usize,
    /// Bytes of one change.
    pub change_bytes: usize,
    /// Bytes of a unit's code.
    pub unit_bytes: usize,
    /// Operations of packed changes in a message.
    pub operations: usize,
    /// CBOR items in a message, nested ones among them. An item of one byte on the wire takes dozens in memory.
    pub items: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            compressed_bytes: 4 << 20,
            inflated_bytes: 32 << 20,
            changes: 20_000,
            change_bytes: 256 << 10,
            unit_bytes: 64,
            operations: 1 << 20,
            items: 400_000,
        }
    }
}

/// Bytes that are no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The compressed message is over the limit.
    #[error("the message has more than {limit} bytes; send it in smaller pieces")]
    CompressedTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The message inflates over the limit.
    #[error("the message inflates to more than {limit} bytes; send it in smaller pieces")]
    InflatedTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The bytes are no brotli stream.
    #[error("the body is not a brotli stream (content encoding br)")]
    NotBrotli,
    /// The inflated bytes are no CBOR of the message's shape.
    #[error("the message is malformed at byte {byte}: {reason}")]
    Malformed {
        /// Where in the inflated message.
        byte: usize,
        /// What is wrong there.
        reason: String,
    },
    /// The message is of a version that this server does not speak.
    #[error("the message has protocol version {version}; this server speaks version {spoken}")]
    UnsupportedVersion {
        /// The message's version.
        version: u16,
        /// The one that is spoken here.
        spoken: u16,
    },
    /// The changes in the message are not packed as they should be, or are too many.
    #[error(transparent)]
    Packing(#[from] PackingError),
    /// A list in the message is too long.
    #[error("the message has more than {limit} {what}; send it in smaller pieces")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The most that is allowed.
        limit: usize,
    },
}

impl WireError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::CompressedTooLarge { limit } => format!("gói tin lớn hơn {limit} byte; hãy gửi thành nhiều phần nhỏ"),
            Self::InflatedTooLarge { limit } => {
                format!("gói tin giải nén lớn hơn {limit} byte; hãy gửi thành nhiều phần nhỏ")
            }
            Self::NotBrotli => "nội dung không phải là luồng brotli (content encoding br)".to_owned(),
            Self::Malformed { byte, reason } => format!("gói tin sai cấu trúc tại byte {byte}: {reason}"),
            Self::UnsupportedVersion { version, spoken } => {
                format!("gói tin theo giao thức phiên bản {version}; máy chủ này dùng phiên bản {spoken}")
            }
            Self::Packing(error) => error.vietnamese(),
            Self::TooMany { what, limit } => {
                format!("gói tin có nhiều hơn {limit} mục ({what}); hãy gửi thành nhiều phần nhỏ")
            }
        }
    }
}

/// A message's compressed bytes.
///
/// # Errors
/// [`WireError::Malformed`] when the message cannot be written as CBOR, in practice never.
pub fn encode<M: Message>(message: &M) -> Result<Vec<u8>, WireError> {
    compress(&message.to_cbor()?).map_err(malformed)
}

/// An answer's compressed bytes, its changes in the form that the request asked for.
///
/// # Errors
/// As [`encode`].
pub fn encode_answer(answer: &SyncResponse, form: Form) -> Result<Vec<u8>, WireError> {
    compress(&answer_to_cbor(answer, form)?).map_err(malformed)
}

/// The message in compressed bytes.
///
/// # Errors
/// Every [`WireError`]; that of an unsupported version for requests only.
pub fn decode<M: Message>(compressed: &[u8], limits: &Limits) -> Result<M, WireError> {
    let inflated = inflate(compressed, limits)?;
    check_items(&inflated, limits)?;
    M::from_cbor(&inflated, limits)
}

/// The value in CBOR that is not compressed, if it has no more items than allowed.
pub(crate) fn from_limited_cbor<M: DeserializeOwned>(bytes: &[u8], limits: &Limits) -> Result<M, WireError> {
    check_items(bytes, limits)?;
    from_cbor(bytes)
}

/// The request in compressed bytes, with its version and sizes checked.
///
/// # Errors
/// Every [`WireError`].
pub fn decode_request(compressed: &[u8], limits: &Limits) -> Result<SyncRequest, WireError> {
    decode(compressed, limits)
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
        if let Some(Reconciliation::Fetch(hashes)) = &request.reconciliation
            && hashes.len() > limits.changes
        {
            return Err(WireError::TooMany {
                what: "hashes",
                limit: limits.changes,
            });
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

/// A value's CBOR, not compressed.
pub(crate) fn to_cbor<V: Serialize>(value: &V) -> Result<Vec<u8>, WireError> {
    let mut written = Vec::new();
    ciborium::into_writer(value, &mut written).map_err(malformed)?;
    Ok(written)
}

/// The value in CBOR, if it is of the version that is spoken.
pub(super) fn from_versioned_cbor<M: DeserializeOwned>(inflated: &[u8], spoken: u16) -> Result<M, WireError> {
    // A message of a later version may have another shape, so the version is read first and by itself.
    let Version { version } = from_cbor(inflated)?;
    if version != spoken {
        return Err(WireError::UnsupportedVersion { version, spoken });
    }
    from_cbor(inflated)
}

/// The part of a request that every version has.
#[derive(serde::Deserialize)]
struct Version {
    version: u16,
}

fn compress(inflated: &[u8]) -> std::io::Result<Vec<u8>> {
    let window = window(inflated.len());
    let mut writer = brotli::CompressorWriter::new(Vec::new(), BUFFER, QUALITY, window);
    writer.write_all(inflated)?;
    Ok(writer.into_inner())
}

/// The smallest window in which a message of this many bytes can reach back to its start, as a base-2 logarithm.
///
/// A larger one brings nothing, but the compressor makes a buffer of twice its size for it, and whoever inflates may make
/// one too: a megabyte or several for a message of some hundred kilobytes. Below 17 the crate brotli falls back to a table
/// of 32 MiB, which costs more than any window and twenty times the time; 17 itself is told in three bits more than 18.
fn window(length: usize) -> u32 {
    let (smallest, largest) = WINDOWS;
    let enough = |bits: &u32| length.saturating_add(WINDOW_GAP) <= 1 << bits;
    (smallest..largest).find(enough).unwrap_or(largest)
}

fn inflate(compressed: &[u8], limits: &Limits) -> Result<Vec<u8>, WireError> {
    if compressed.len() > limits.compressed_bytes {
        return Err(WireError::CompressedTooLarge {
            limit: limits.compressed_bytes,
        });
    }
    // RFC 7932 ends at windows of 16 MiB. The crate brotli also reads an extension of it, with windows of up to 1 GiB.
    if compressed.first().is_some_and(|first| first & 0x7f == LARGE_WINDOW) {
        return Err(WireError::NotBrotli);
    }
    let mut inflated = Vec::new();
    brotli::Decompressor::new(compressed, BUFFER)
        .take(limits.inflated_bytes as u64 + 1)
        .read_to_end(&mut inflated)
        .map_err(|_| WireError::NotBrotli)?;
    if inflated.len() > limits.inflated_bytes {
        return Err(WireError::InflatedTooLarge {
            limit: limits.inflated_bytes,
        });
    }
    Ok(inflated)
}

/// Counts the items of a message by their heads (RFC 8949, section 3). Whether the message is well-formed is found when
/// it is read.
fn check_items(inflated: &[u8], limits: &Limits) -> Result<(), WireError> {
    let mut rest = inflated;
    let mut items = 0;
    while let Some((head, after)) = rest.split_first() {
        items += 1;
        if items > limits.items {
            return Err(WireError::TooMany {
                what: "items",
                limit: limits.items,
            });
        }
        let width = match head & 0x1f {
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            _ => 0,
        };
        let Some((argument, after)) = after.split_at_checked(width) else {
            return Ok(());
        };
        let value = argument.iter().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
        let length = match (head >> 5, width) {
            (2 | 3, 0) => usize::from(head & 0x1f) % 31,
            (2 | 3, _) => usize::try_from(value).unwrap_or(usize::MAX),
            _ => 0,
        };
        rest = after.get(length..).unwrap_or_default();
    }
    Ok(())
}

fn from_cbor<M: DeserializeOwned>(inflated: &[u8]) -> Result<M, WireError> {
    let mut rest = inflated;
    let message = ciborium::de::from_reader_with_recursion_limit(&mut rest, CBOR_DEPTH).map_err(|error| {
        use ciborium::de::Error;
        let (byte, reason) = match error {
            Error::Io(_) => (inflated.len(), "the message ends too early".to_owned()),
            Error::Syntax(byte) => (byte, "this is no CBOR item".to_owned()),
            Error::Semantic(byte, reason) => (byte.unwrap_or(0), reason),
            Error::RecursionLimitExceeded => (0, format!("items are nested deeper than {CBOR_DEPTH} levels")),
        };
        WireError::Malformed { byte, reason }
    })?;
    if !rest.is_empty() {
        let byte = inflated.len() - rest.len();
        return Err(WireError::Malformed {
            byte,
            reason: "bytes follow the end of the message".to_owned(),
        });
    }
    Ok(message)
}

fn malformed(error: impl std::fmt::Display) -> WireError {
    WireError::Malformed {
        byte: 0,
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::ResponseChanges;
    use crate::exchange::{Cursor, LogMark, RefusalReason};
    use crate::identity::RoundId;
    use crate::response::genesis;
    use serde_bytes::ByteArray;

    fn request(version: u16) -> SyncRequest {
        SyncRequest {
            version,
            cursor: Some(Cursor(7, LogMark([7; 8]))),
            acknowledged: None,
            restoring: false,
            reconciliation: None,
            answer_form: Form::Packed,
            device_time: -1,
            responses: Vec::new(),
            attestations: Vec::new(),
        }
    }

    fn nothing() -> SyncResponse {
        SyncResponse {
            version: PROTOCOL_VERSION,
            accepted: 0,
            waiting: Vec::new(),
            refused: Vec::new(),
            responses: Vec::new(),
            cursor: None,
            acknowledged: None,
            unknown_cursor: false,
            erased: Vec::new(),
            reconciliation: None,
            more: false,
            server_time: 7,
        }
    }

    #[test]
    fn a_request_survives_the_wire() {
        let sent = request(PROTOCOL_VERSION);
        let more = SyncRequest {
            acknowledged: Some(Cursor(u64::MAX, LogMark([9; 8]))),
            restoring: true,
            ..sent.clone()
        };
        let comparing = SyncRequest {
            reconciliation: Some(Reconciliation::Compare(ByteBuf::from([1, 2]))),
            ..sent.clone()
        };
        let fetching = SyncRequest {
            reconciliation: Some(Reconciliation::Fetch(vec![ByteArray::new([5; 32])])),
            ..sent.clone()
        };
        let plain = SyncRequest {
            answer_form: Form::Plain,
            ..sent.clone()
        };
        for sent in [sent, more, comparing, fetching, plain] {
            assert_eq!(decode_request(&encode(&sent).unwrap(), &Limits::default()), Ok(sent));
        }
    }

    #[test]
    fn a_response_survives_the_wire() {
        let much = SyncResponse {
            accepted: 3,
            waiting: vec![1, 300],
            refused: vec![Refusal {
                change: 2,
                reason: RefusalReason::RoundClosed,
                quarantined: true,
            }],
            cursor: Some(Cursor(8, LogMark([8; 8]))),
            acknowledged: Some(Cursor(9, LogMark([9; 8]))),
            unknown_cursor: true,
            erased: vec![ErasedResponse {
                round: RoundId(uuid::Uuid::from_u128(3)),
                unit: "28249-01-0007".to_owned(),
            }],
            reconciliation: Some(ByteBuf::from([1, 2])),
            more: true,
            ..nothing()
        };
        for sent in [nothing(), much] {
            assert_eq!(decode(&encode(&sent).unwrap(), &Limits::default()), Ok(sent));
        }
    }

    #[test]
    fn an_answer_is_read_whatever_the_form_of_its_changes() {
        let id = crate::identity::ResponseId::of(RoundId(uuid::Uuid::nil()), "A1");
        let change = genesis::document(id).unwrap().get_changes(&[]).remove(0);
        let sent = SyncResponse {
            responses: vec![ResponseChanges {
                round: RoundId(uuid::Uuid::nil()),
                unit: "A1".to_owned(),
                changes: vec![ByteBuf::from(change.raw_bytes())],
            }],
            ..nothing()
        };
        let holds_the_change = |form| {
            let inflated = answer_to_cbor(&sent, form).unwrap();
            let whole = change.raw_bytes();
            inflated.windows(whole.len()).any(|window| window == whole)
        };
        assert!(holds_the_change(Form::Plain) && !holds_the_change(Form::Packed));
        for form in [Form::Packed, Form::Plain] {
            let bytes = encode_answer(&sent, form).unwrap();
            assert_eq!(decode(&bytes, &Limits::default()).as_ref(), Ok(&sent));
        }
    }

    #[test]
    fn what_is_not_there_is_left_out() {
        let sent = SyncRequest {
            cursor: None,
            ..request(PROTOCOL_VERSION)
        };
        let inflated = sent.to_cbor().unwrap();
        for name in ["cursor", "acknowledged", "restoring", "reconciliation", "plain"] {
            let found = inflated.windows(name.len()).any(|window| window == name.as_bytes());
            assert!(!found, "{name}");
        }
    }

    #[test]
    fn a_later_version_is_named_even_where_its_shape_is_unknown() {
        #[derive(Serialize)]
        struct Later {
            version: u16,
            frobnications: Vec<u8>,
        }
        let later = Later {
            version: 9,
            frobnications: vec![1],
        };
        let bytes = compress(&to_cbor(&later).unwrap()).unwrap();
        assert_eq!(
            decode_request(&bytes, &Limits::default()),
            Err(WireError::UnsupportedVersion {
                version: 9,
                spoken: PROTOCOL_VERSION
            })
        );
    }

    #[test]
    fn a_decompression_bomb_is_refused() {
        let bomb = compress(&vec![0; 40 << 20]).unwrap();
        assert!(bomb.len() < 4 << 10);
        let limits = Limits::default();
        let refused = Err(WireError::InflatedTooLarge {
            limit: limits.inflated_bytes,
        });
        assert_eq!(decode_request(&bomb, &limits), refused);
    }

    #[test]
    fn the_window_holds_the_message() {
        for (length, bits) in [
            (0, 18),
            ((1 << 18) - 16, 18),
            ((1 << 18) - 15, 19),
            (3 << 20, 22),
            (usize::MAX, 22),
        ] {
            assert_eq!(window(length), bits, "{length} bytes");
        }
        // What comes again at the far end of a message is found there, however long the message is.
        let noise: Vec<u8> = (0u32..150_000)
            .flat_map(|number| number.wrapping_mul(number ^ 0x9e37_79b9).to_be_bytes())
            .collect();
        let once = compress(&noise).unwrap().len();
        let twice = compress(&noise.repeat(2)).unwrap().len();
        assert!(twice < once + once / 100, "{twice} after {once}");
    }

    #[test]
    fn windows_beyond_those_of_brotli_are_refused() {
        let params = brotli::enc::BrotliEncoderParams {
            quality: 5,
            lgwin: 30,
            large_window: true,
            ..Default::default()
        };
        let mut writer = brotli::CompressorWriter::with_params(Vec::new(), BUFFER, &params);
        writer.write_all(&request(PROTOCOL_VERSION).to_cbor().unwrap()).unwrap();
        let refused = decode_request(&writer.into_inner(), &Limits::default());
        assert_eq!(refused, Err(WireError::NotBrotli));
    }

    #[test]
    fn rubbish_is_refused_with_its_place() {
        let limits = Limits::default();
        assert_eq!(
            decode_request(b"\xff\xff\xff rubbish", &limits),
            Err(WireError::NotBrotli)
        );

        let mut cut = request(PROTOCOL_VERSION).to_cbor().unwrap();
        let whole = cut.len();
        cut.truncate(whole - 1);
        let place = match decode_request(&compress(&cut).unwrap(), &limits) {
            Err(WireError::Malformed { byte, .. }) => byte,
            other => panic!("{other:?}"),
        };
        assert_eq!(place, whole - 1);

        cut = request(PROTOCOL_VERSION).to_cbor().unwrap();
        cut.push(0);
        let trailing = decode_request(&compress(&cut).unwrap(), &limits);
        assert!(matches!(trailing, Err(WireError::Malformed { byte, .. }) if byte == whole));
    }

    #[test]
    fn deep_nesting_and_false_lengths_cost_nothing() {
        let limits = Limits::default();
        let nested = vec![0x81; 1 << 17];
        assert!(matches!(
            decode_request(&compress(&nested).unwrap(), &limits),
            Err(WireError::Malformed { .. })
        ));
        // An array that claims 2^63 items.
        let endless = [0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        assert!(matches!(
            decode_request(&compress(&endless).unwrap(), &limits),
            Err(WireError::Malformed { .. })
        ));
    }
}
