//! The bytes of an Automerge change: its container, its fields, and the numbers in which both are written.
//!
//! Source: Automerge binary document format, sections "chunk container", "change chunks" and "column storage".

use automerge::ChangeHash;
use sha2::{Digest, Sha256};

use super::message::ResponseChanges;

/// The first bytes of every chunk.
const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
/// The type of an uncompressed change chunk.
const CHANGE: u8 = 1;
/// Where the checksum starts, and the hashed part of the chunk.
const CHECKSUM: usize = 4;
const HASHED: usize = 8;
/// Bytes of a hash.
pub(super) const HASH_BYTES: u64 = 32;

/// The columns of a change that a response document has: their number, shifted by four bits, and type.
pub(super) mod column {
    pub(in crate::exchange) const OBJECT_ACTOR: u64 = 0x01;
    pub(in crate::exchange) const OBJECT_COUNTER: u64 = 0x02;
    pub(in crate::exchange) const KEY_ACTOR: u64 = 0x11;
    pub(in crate::exchange) const KEY_TEXT: u64 = 0x15;
    pub(in crate::exchange) const INSERT: u64 = 0x34;
    pub(in crate::exchange) const ACTION: u64 = 0x42;
    pub(in crate::exchange) const VALUE_META: u64 = 0x56;
    pub(in crate::exchange) const VALUE: u64 = 0x57;
    pub(in crate::exchange) const PREDECESSOR_COUNT: u64 = 0x70;
    pub(in crate::exchange) const PREDECESSOR_ACTOR: u64 = 0x71;
    pub(in crate::exchange) const PREDECESSOR_COUNTER: u64 = 0x73;
    /// The first column of marks in texts, which responses do not have.
    pub(in crate::exchange) const EXPAND: u64 = 0x94;
}

/// Bytes that end too early, or a number of more than 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// The fields of a change chunk, as they stand in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChangeFields<'a> {
    /// Hashes of 32 bytes, one after the other.
    pub(super) dependencies: &'a [u8],
    pub(super) author: &'a [u8],
    pub(super) sequence: u64,
    pub(super) start: u64,
    pub(super) time: i64,
    pub(super) message: &'a [u8],
    pub(super) others: Vec<&'a [u8]>,
    /// Specification and data.
    pub(super) columns: Vec<(u64, &'a [u8])>,
    /// What follows the columns.
    pub(super) extra: &'a [u8],
}

impl<'a> ChangeFields<'a> {
    /// Reads the fields of a chunk whose container is known to be right by [`hash`].
    ///
    /// # Errors
    /// [`Malformed`] where the bytes end too early.
    pub(super) fn read(chunk: &'a [u8]) -> Result<Self, Malformed> {
        let mut rest = Reader(chunk.get(HASHED + 1..).unwrap_or_default());
        let _length = rest.unsigned()?;
        let dependencies = rest.unsigned()?.checked_mul(HASH_BYTES).ok_or(Malformed)?;
        let dependencies = rest.take(dependencies)?;
        let author = rest.prefixed()?;
        let (sequence, start, time) = (rest.unsigned()?, rest.unsigned()?, rest.signed()?);
        let message = rest.prefixed()?;
        let mut others = Vec::new();
        for _ in 0..rest.unsigned()? {
            others.push(rest.prefixed()?);
        }
        let mut lengths = Vec::new();
        for _ in 0..rest.unsigned()? {
            lengths.push((rest.unsigned()?, rest.unsigned()?));
        }
        let mut columns = Vec::with_capacity(lengths.len());
        for (specification, length) in lengths {
            columns.push((specification, rest.take(length)?));
        }
        Ok(Self {
            dependencies,
            author,
            sequence,
            start,
            time,
            message,
            others,
            columns,
            extra: rest.0,
        })
    }
}

/// The hash of an uncompressed change chunk. The inside may still be anything.
///
/// # Errors
/// [`Malformed`] when the bytes are no such chunk or their checksum is wrong.
pub(super) fn hash(chunk: &[u8]) -> Result<ChangeHash, Malformed> {
    let (Some(magic), Some(checksum), Some(hashed)) =
        (chunk.get(..CHECKSUM), chunk.get(CHECKSUM..HASHED), chunk.get(HASHED..))
    else {
        return Err(Malformed);
    };
    let hash: [u8; 32] = Sha256::digest(hashed).into();
    if magic != MAGIC || hashed.first() != Some(&CHANGE) || checksum != &hash[..4] {
        return Err(Malformed);
    }
    Ok(ChangeHash(hash))
}

/// The chunk around the contents of a change, and its hash.
pub(super) fn container(contents: &[u8]) -> (Vec<u8>, ChangeHash) {
    let mut chunk = Vec::with_capacity(HASHED + 11 + contents.len());
    chunk.extend_from_slice(&MAGIC);
    chunk.extend_from_slice(&[0; HASHED - CHECKSUM]);
    chunk.push(CHANGE);
    write_unsigned(contents.len() as u64, &mut chunk);
    chunk.extend_from_slice(contents);
    let hash: [u8; 32] = Sha256::digest(&chunk[HASHED..]).into();
    chunk[CHECKSUM..HASHED].copy_from_slice(&hash[..HASHED - CHECKSUM]);
    (chunk, ChangeHash(hash))
}

/// Reads numbers in LEB128 and lengths, never beyond the end.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, length: u64) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(length).map_err(|_| Malformed)?;
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn prefixed(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.unsigned()?;
        self.take(length)
    }

    /// The seven-bit groups of a number of up to 64 bits, how many bits they are, and whether the last is negative.
    fn groups(&mut self) -> Result<(u64, u32, bool), Malformed> {
        let (mut value, mut bits) = (0u64, 0);
        loop {
            let (first, rest) = self.0.split_first().ok_or(Malformed)?;
            self.0 = rest;
            if bits >= u64::BITS {
                return Err(Malformed);
            }
            value |= u64::from(first & 0x7f) << bits;
            bits += 7;
            if first & 0x80 == 0 {
                return Ok((value, bits, first & 0x40 != 0));
            }
        }
    }

    pub(super) fn unsigned(&mut self) -> Result<u64, Malformed> {
        Ok(self.groups()?.0)
    }

    pub(super) fn signed(&mut self) -> Result<i64, Malformed> {
        let (value, bits, negative) = self.groups()?;
        let sign = if negative && bits < u64::BITS {
            u64::MAX << bits
        } else {
            0
        };
        Ok((value | sign) as i64)
    }
}

/// Appends a number in unsigned LEB128, as short as it gets.
pub(super) fn write_unsigned(mut value: u64, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Appends a number in signed LEB128, as short as it gets.
pub(super) fn write_signed(mut value: i64, bytes: &mut Vec<u8>) {
    while !(-0x40..0x40).contains(&value) {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8 & 0x7f);
}
/// The hash of each change of these responses, in their flat order; none where the bytes are damaged.
pub(super) fn hashes(responses: &[ResponseChanges]) -> impl Iterator<Item = Option<ChangeHash>> {
    let changes = responses.iter().flat_map(|response| &response.changes);
    changes.map(|bytes| hash(bytes).ok())
}
