//! How much a change unfolds into, told without unfolding it.
//!
//! A change's columns are run-length encoded, so that a hundred bytes can claim more operations than a computer holds.
//! What follows reads the lengths of the runs and nothing else, and is the first that happens to a change's inside.
//!
//! Source: Automerge binary document format, sections "chunk container", "change chunks" and "column storage".

use automerge::ChangeHash;
use sha2::{Digest, Sha256};

use super::message::RefusalReason;

/// Operations of a change at most, and references to earlier operations.
const OPERATIONS: u64 = 10_000;
/// Bytes of a map's key at most.
pub(super) const KEY_BYTES: usize = 256;

/// The first bytes of every chunk.
const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
/// The type of an uncompressed change chunk.
const CHANGE: u8 = 1;
/// Where the checksum starts, and the hashed part of the chunk.
const CHECKSUM: usize = 4;
const HASHED: usize = 8;

/// The specifications of columns (their number, shifted by four bits, and type) whose runs multiply.
const OBJECT_ACTOR: u64 = 0x01;
const KEY_ACTOR: u64 = 0x11;
const KEY_TEXT: u64 = 0x15;
const ACTION: u64 = 0x42;
const PREDECESSOR_COUNT: u64 = 0x70;
const PREDECESSOR_ACTOR: u64 = 0x71;
/// The first column of marks in texts, which responses do not have.
const EXPAND: u64 = 0x94;

/// The hash of an uncompressed change chunk. The inside may still be anything.
///
/// # Errors
/// [`RefusalReason::Malformed`] when the bytes are no such chunk or their checksum is wrong.
pub(super) fn hash(chunk: &[u8]) -> Result<ChangeHash, RefusalReason> {
    let (Some(magic), Some(checksum), Some(hashed)) =
        (chunk.get(..CHECKSUM), chunk.get(CHECKSUM..HASHED), chunk.get(HASHED..))
    else {
        return Err(RefusalReason::Malformed);
    };
    let hash: [u8; 32] = Sha256::digest(hashed).into();
    if magic != MAGIC || hashed.first() != Some(&CHANGE) || checksum != &hash[..4] {
        return Err(RefusalReason::Malformed);
    }
    Ok(ChangeHash(hash))
}

/// Checks that the change in a chunk unfolds into something of bearable size and refers to actors that it lists.
///
/// # Errors
/// [`RefusalReason::TooLarge`] for too many operations, [`RefusalReason::ForeignStructure`] for what no response holds,
/// [`RefusalReason::Malformed`] where the bytes end too early or actors are missing.
pub(super) fn check(chunk: &[u8]) -> Result<(), RefusalReason> {
    let mut rest = Reader(chunk.get(HASHED + 1..).unwrap_or_default());
    let _length = rest.unsigned()?;
    let dependencies = rest.unsigned()?;
    rest.take(dependencies.checked_mul(32).ok_or(RefusalReason::Malformed)?)?;
    rest.prefixed()?;
    let (_sequence, _start, _time) = (rest.unsigned()?, rest.unsigned()?, rest.signed()?);
    let _message = rest.prefixed()?;
    let others = rest.unsigned()?;
    for _ in 0..others {
        rest.prefixed()?;
    }
    let actors = others.saturating_add(1);
    let count = rest.unsigned()?;
    let mut columns = Vec::new();
    for _ in 0..count {
        columns.push((rest.unsigned()?, rest.unsigned()?));
    }
    for (specification, length) in columns {
        check_column(specification, Reader(rest.take(length)?), actors)?;
    }
    Ok(())
}

fn check_column(specification: u64, mut column: Reader<'_>, actors: u64) -> Result<(), RefusalReason> {
    let mut total: u64 = 0;
    while !column.0.is_empty() {
        // Positive: one value that many times. Negative: that many values. Zero: a number of absent values.
        let run = match specification {
            EXPAND.. => return Err(RefusalReason::ForeignStructure),
            OBJECT_ACTOR | KEY_ACTOR | KEY_TEXT | ACTION | PREDECESSOR_COUNT | PREDECESSOR_ACTOR => column.signed()?,
            _ => return Ok(()),
        };
        let (values, times) = match run {
            0 => (0, column.unsigned()?),
            1.. => (1, run.unsigned_abs()),
            _ => (run.unsigned_abs(), 1),
        };
        if specification == ACTION {
            total = total.saturating_add(values.max(1).saturating_mul(times));
        }
        for _ in 0..values {
            if specification == KEY_TEXT {
                if column.prefixed()?.len() > KEY_BYTES {
                    return Err(RefusalReason::ForeignStructure);
                }
                continue;
            }
            let value = column.unsigned()?;
            match specification {
                PREDECESSOR_COUNT => total = total.saturating_add(value.saturating_mul(times)),
                OBJECT_ACTOR | KEY_ACTOR | PREDECESSOR_ACTOR if value >= actors => {
                    return Err(RefusalReason::Malformed);
                }
                _ => {}
            }
        }
        if total > OPERATIONS {
            return Err(RefusalReason::TooLarge);
        }
    }
    Ok(())
}

/// Reads numbers in LEB128 and lengths, never beyond the end.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: u64) -> Result<&'a [u8], RefusalReason> {
        let length = usize::try_from(length).map_err(|_| RefusalReason::Malformed)?;
        let (taken, rest) = self.0.split_at_checked(length).ok_or(RefusalReason::Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn prefixed(&mut self) -> Result<&'a [u8], RefusalReason> {
        let length = self.unsigned()?;
        self.take(length)
    }

    /// The seven-bit groups of a number of up to 64 bits, how many bits they are, and whether the last is negative.
    fn groups(&mut self) -> Result<(u64, u32, bool), RefusalReason> {
        let (mut value, mut bits) = (0u64, 0);
        loop {
            let (first, rest) = self.0.split_first().ok_or(RefusalReason::Malformed)?;
            self.0 = rest;
            if bits >= u64::BITS {
                return Err(RefusalReason::Malformed);
            }
            value |= u64::from(first & 0x7f) << bits;
            bits += 7;
            if first & 0x80 == 0 {
                return Ok((value, bits, first & 0x40 != 0));
            }
        }
    }

    fn unsigned(&mut self) -> Result<u64, RefusalReason> {
        Ok(self.groups()?.0)
    }

    fn signed(&mut self) -> Result<i64, RefusalReason> {
        let (value, bits, negative) = self.groups()?;
        let sign = if negative && bits < u64::BITS {
            u64::MAX << bits
        } else {
            0
        };
        Ok((value | sign) as i64)
    }
}
