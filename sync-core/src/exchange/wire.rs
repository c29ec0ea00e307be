//! Messages as bytes: CBOR (RFC 8949) compressed as a whole with brotli (RFC 7932).
//!
//! Many small changes resemble one another, so compressing the batch costs a third of compressing each. The content type
//! is `application/cbor`, the content encoding `br`.

use std::io::{Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::message::{PROTOCOL_VERSION, SyncRequest};

/// The content type of the messages.
pub const CONTENT_TYPE: &str = "application/cbor";
/// The content encoding of the messages.
pub const CONTENT_ENCODING: &str = "br";

/// Brotli's quality (0–11) for messages: the highest that a cheap phone affords, and close to the best in size.
const QUALITY: u32 = 5;
/// Brotli's window, as the base-2 logarithm of its bytes.
const WINDOW: u32 = 22;
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
    #[error("the message has protocol version {version}; this server speaks version {PROTOCOL_VERSION}")]
    UnsupportedVersion {
        /// The message's version.
        version: u16,
    },
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
            Self::UnsupportedVersion { version } => {
                format!("gói tin theo giao thức phiên bản {version}; máy chủ này dùng phiên bản {PROTOCOL_VERSION}")
            }
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
pub fn encode<M: Serialize>(message: &M) -> Result<Vec<u8>, WireError> {
    compress(&to_cbor(message)?).map_err(malformed)
}

/// A value's CBOR, not compressed.
pub(crate) fn to_cbor<M: Serialize>(value: &M) -> Result<Vec<u8>, WireError> {
    let mut written = Vec::new();
    ciborium::into_writer(value, &mut written).map_err(malformed)?;
    Ok(written)
}

/// The message in compressed bytes.
///
/// # Errors
/// Every [`WireError`] but those about the version and the number of changes.
pub fn decode<M: DeserializeOwned>(compressed: &[u8], limits: &Limits) -> Result<M, WireError> {
    from_limited_cbor(&inflate(compressed, limits)?, limits)
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
    let inflated = inflate(compressed, limits)?;
    check_items(&inflated, limits)?;
    // A message of a later version may have another shape, so the version is read first and by itself.
    let Version { version } = from_cbor(&inflated)?;
    if version != PROTOCOL_VERSION {
        return Err(WireError::UnsupportedVersion { version });
    }
    let request: SyncRequest = from_cbor(&inflated)?;
    if request.change_count() > limits.changes {
        return Err(WireError::TooMany {
            what: "changes",
            limit: limits.changes,
        });
    }
    if request.attestations.len() > limits.changes {
        return Err(WireError::TooMany {
            what: "attestations",
            limit: limits.changes,
        });
    }
    if request.responses.len() > limits.changes {
        return Err(WireError::TooMany {
            what: "responses",
            limit: limits.changes,
        });
    }
    Ok(request)
}

/// The part of a request that every version has.
#[derive(serde::Deserialize)]
struct Version {
    version: u16,
}

fn compress(inflated: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut writer = brotli::CompressorWriter::new(Vec::new(), BUFFER, QUALITY, WINDOW);
    writer.write_all(inflated)?;
    writer.flush()?;
    Ok(writer.into_inner())
}

fn inflate(compressed: &[u8], limits: &Limits) -> Result<Vec<u8>, WireError> {
    if compressed.len() > limits.compressed_bytes {
        return Err(WireError::CompressedTooLarge {
            limit: limits.compressed_bytes,
        });
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
    use crate::exchange::{Cursor, LogMark};

    fn request(version: u16) -> SyncRequest {
        SyncRequest {
            version,
            cursor: Some(Cursor(7, LogMark([7; 8]))),
            acknowledged: None,
            restoring: false,
            device_time: -1,
            responses: Vec::new(),
            attestations: Vec::new(),
        }
    }

    #[test]
    fn a_request_survives_the_wire() {
        let sent = request(PROTOCOL_VERSION);
        assert_eq!(decode_request(&encode(&sent).unwrap(), &Limits::default()), Ok(sent));
    }

    #[test]
    fn a_later_version_is_named_even_where_its_shape_is_unknown() {
        #[derive(Serialize)]
        struct Later {
            version: u16,
            frobnications: Vec<u8>,
        }
        let bytes = encode(&Later {
            version: 9,
            frobnications: vec![1],
        })
        .unwrap();
        assert_eq!(
            decode_request(&bytes, &Limits::default()),
            Err(WireError::UnsupportedVersion { version: 9 })
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
    fn rubbish_is_refused_with_its_place() {
        let limits = Limits::default();
        assert_eq!(
            decode_request(b"\xff\xff\xff rubbish", &limits),
            Err(WireError::NotBrotli)
        );

        let mut cut = Vec::new();
        ciborium::into_writer(&request(1), &mut cut).unwrap();
        let whole = cut.len();
        cut.truncate(whole - 1);
        let place = match decode_request(&compress(&cut).unwrap(), &limits) {
            Err(WireError::Malformed { byte, .. }) => byte,
            other => panic!("{other:?}"),
        };
        assert_eq!(place, whole - 1);

        cut.clear();
        ciborium::into_writer(&request(1), &mut cut).unwrap();
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
