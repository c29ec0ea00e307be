//! What stands before the sections, readable to everybody.

use serde::{Deserialize, Serialize};

use super::sealing::RecipientId;
use super::{BundleError, BundleLimits};
use crate::device::{DeviceKey, DevicePublicKey};
use crate::exchange::wire::{self, Limits, WireError};
use crate::identity::RoundId;

/// The first bytes of every bundle. As in PNG (RFC 2083, section 3.1), one that is no ASCII and both kinds of line end
/// show whether a program on the way took the file for text.
pub(super) const MAGIC: [u8; 8] = *b"\xc4KST\r\n\x1a\n";
/// The version of the format that this code reads and writes.
pub(super) const VERSION: u16 = 2;
/// Bytes of a carrier's signature (RFC 8032).
const SIGNATURE_BYTES: usize = 64;
/// Where the header's length stands, and where the header starts.
const LENGTH: usize = MAGIC.len() + 2;
const HEADER: usize = LENGTH + 4;

/// Who carries what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleHeader {
    /// The device or installation that wrote the bundle and signed this header. It need not have written the changes.
    pub carrier: DevicePublicKey,
    /// When, by the carrier's clock, in milliseconds since 1970-01-01T00:00:00Z. Evidence, never an order.
    pub created_at: i64,
    /// To whom the sections are sealed; none where everybody may read them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<RecipientId>,
    /// What the sections hold, as the carrier counts it; none where they are sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contents: Option<Contents>,
    /// The sections in the order in which they follow the header.
    pub sections: Vec<SectionEntry>,
}

/// What a bundle holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// The rounds, in ascending order.
    pub rounds: Vec<RoundId>,
    /// How many responses.
    pub responses: u64,
    /// How many changes.
    pub changes: u64,
    /// How many devices wrote them.
    pub authors: u64,
}

/// One section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionEntry {
    /// Its bytes in the file.
    pub bytes: u64,
    /// The SHA-256 of these bytes.
    #[serde(with = "serde_bytes")]
    pub sha256: [u8; 32],
}

impl BundleHeader {
    /// Everything that stands before the sections.
    pub(super) fn write(&self, carrier: &DeviceKey, limits: &BundleLimits) -> Result<Vec<u8>, BundleError> {
        let header = wire::to_cbor(self)?;
        self.check(header.len(), header.len() as u64, limits)?;
        let length = u32::try_from(header.len()).unwrap_or(u32::MAX);
        let mut written = Vec::with_capacity(HEADER + header.len() + SIGNATURE_BYTES);
        written.extend_from_slice(&MAGIC);
        written.extend_from_slice(&VERSION.to_be_bytes());
        written.extend_from_slice(&length.to_be_bytes());
        written.extend_from_slice(&header);
        written.extend_from_slice(&carrier.sign_bundle(&header));
        Ok(written)
    }

    /// Reads and verifies what stands before the sections, and says where the first one starts.
    pub(super) fn read(file: &[u8], limits: &BundleLimits) -> Result<(Self, usize), BundleError> {
        if let Some(byte) = file.iter().zip(MAGIC).position(|(found, wanted)| *found != wanted) {
            return Err(BundleError::NotABundle { byte });
        }
        let truncated = |end| BundleError::Truncated { byte: file.len(), end };
        let number = |from: usize, to: usize| {
            let bytes = file.get(from..to).ok_or(truncated(to))?;
            Ok::<_, BundleError>(bytes.iter().fold(0u32, |number, byte| number << 8 | u32::from(*byte)))
        };
        let version = u16::try_from(number(MAGIC.len(), LENGTH)?).unwrap_or(u16::MAX);
        if version != VERSION {
            return Err(BundleError::UnsupportedVersion { version });
        }
        let length = number(LENGTH, HEADER)?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > limits.header_bytes {
            return Err(header_too_large(length, limits));
        }
        let (end, start) = (HEADER + length, HEADER + length + SIGNATURE_BYTES);
        let (Some(bytes), Some(signature)) = (file.get(HEADER..end), file.get(end..start)) else {
            return Err(truncated(start));
        };
        let shape = Limits {
            // An entry of a section is a map of two pairs; a round is one item.
            items: limits.sections.saturating_mul(6),
            ..limits.section
        };
        let header: Self = wire::from_limited_cbor(bytes, &shape).map_err(|error| match error {
            WireError::Malformed { byte, reason } => BundleError::MalformedHeader {
                byte: HEADER + byte,
                reason,
            },
            error => error.into(),
        })?;
        let signature = signature.try_into().map_err(|_| truncated(start))?;
        header.carrier.verify_bundle(bytes, signature)?;
        header.check(length, start as u64, limits)?;
        Ok((header, start))
    }

    /// Whether a bundle with this header, whose sections start at this byte, stays within the limits.
    fn check(&self, header_bytes: usize, start: u64, limits: &BundleLimits) -> Result<(), BundleError> {
        if header_bytes > limits.header_bytes {
            return Err(header_too_large(header_bytes, limits));
        }
        if self.sections.len() > limits.sections {
            return Err(BundleError::TooLarge {
                what: "sections",
                what_vi: "phần",
                found: self.sections.len() as u64,
                limit: limits.sections as u64,
            });
        }
        let bytes = self
            .sections
            .iter()
            .fold(start, |bytes, section| bytes.saturating_add(section.bytes));
        if bytes > limits.file_bytes {
            return Err(BundleError::TooLarge {
                what: "bytes",
                what_vi: "byte",
                found: bytes,
                limit: limits.file_bytes,
            });
        }
        Ok(())
    }
}

fn header_too_large(bytes: usize, limits: &BundleLimits) -> BundleError {
    BundleError::TooLarge {
        what: "bytes of header",
        what_vi: "byte phần đầu",
        found: bytes as u64,
        limit: limits.header_bytes as u64,
    }
}
