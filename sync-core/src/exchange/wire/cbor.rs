//! CBOR (RFC 8949), read with its depth and its number of items bounded.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::limits::malformed;
use super::{Limits, WireError};

/// How deep CBOR items may be nested; the messages need five levels.
const CBOR_DEPTH: usize = 16;

/// A value's CBOR, not compressed.
pub(crate) fn to_cbor<V: Serialize>(value: &V) -> Result<Vec<u8>, WireError> {
    let mut written = Vec::new();
    ciborium::into_writer(value, &mut written).map_err(malformed)?;
    Ok(written)
}

/// The value in CBOR, if it is of the version that is spoken.
pub(in crate::exchange) fn from_versioned_cbor<M: DeserializeOwned>(
    inflated: &[u8],
    spoken: u16,
) -> Result<M, WireError> {
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

/// Counts the items of a message by their heads (RFC 8949, section 3). Whether the message is well-formed is found when
/// it is read.
pub(super) fn check_items(inflated: &[u8], limits: &Limits) -> Result<(), WireError> {
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

pub(super) fn from_cbor<M: DeserializeOwned>(inflated: &[u8]) -> Result<M, WireError> {
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
