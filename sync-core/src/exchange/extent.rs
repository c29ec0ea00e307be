//! How much a change unfolds into, told without unfolding it.
//!
//! A change's columns are run-length encoded, so that a hundred bytes can claim more operations than a computer holds.
//! What follows reads the lengths of the runs and nothing else, and is the first that happens to a change's inside.
//!
//! Source: Automerge binary document format, sections "chunk container", "change chunks" and "column storage".

use super::chunk::column::{ACTION, EXPAND, KEY_ACTOR, KEY_TEXT, OBJECT_ACTOR, PREDECESSOR_ACTOR, PREDECESSOR_COUNT};
use super::chunk::{ChangeFields, Malformed, Reader};
use super::message::RefusalReason;

/// Operations of a change at most, and references to earlier operations.
pub(super) const OPERATIONS: u64 = 10_000;
/// Bytes of a map's key at most.
pub(super) const KEY_BYTES: usize = 256;

/// Checks that the change in a chunk unfolds into something of bearable size and refers to actors that it lists.
///
/// # Errors
/// [`RefusalReason::TooLarge`] for too many operations, [`RefusalReason::ForeignStructure`] for what no response holds,
/// [`RefusalReason::Malformed`] where the bytes end too early or actors are missing.
pub(super) fn check(chunk: &[u8]) -> Result<(), RefusalReason> {
    let fields = ChangeFields::read(chunk)?;
    let actors = fields.others.len() as u64 + 1;
    for (specification, data) in fields.columns {
        check_column(specification, Reader(data), actors)?;
    }
    Ok(())
}

impl From<Malformed> for RefusalReason {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
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
