//! What a reconciliation may cost.

use super::error::ReconciliationError;
use super::message::{ANSWER_HEAD_BYTES, CELL_BYTES_MOST};
use super::set::ChangeSet;

/// What is refused, or given up, before bytes, time or memory are spent on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Cells that the initiator first asks for. They solve some twenty differences and estimate larger ones to a fourth.
    pub first_cells: u16,
    /// Cells in one answer at most: more come in pieces, each of which is kept when the next is lost.
    pub answer_cells: u16,
    /// Cells in a session at most; the format has numbers for no more than a `u16` holds.
    pub cells: u16,
    /// Answers that the initiator reads in a session at most.
    pub answers: u16,
    /// Changes in a set at most, on either side.
    pub changes: u32,
    /// Bytes that it costs to exchange one change which both have already. Where finding the difference is estimated to
    /// cost more than exchanging all of these, the initiator gives up; with none it does not look at the cost.
    pub change_bytes: Option<u32>,
}

impl Limits {
    /// Bytes of an answer at most.
    pub fn answer_bytes(&self) -> usize {
        ANSWER_HEAD_BYTES + usize::from(self.answer_cells) * CELL_BYTES_MOST
    }

    /// The number of changes in a set that is within the limit.
    ///
    /// # Errors
    /// [`ReconciliationError::TooManyChanges`].
    pub(super) fn checked(&self, set: &ChangeSet) -> Result<u32, ReconciliationError> {
        let fits = u32::try_from(set.len()).ok().filter(|changes| *changes <= self.changes);
        fits.ok_or(ReconciliationError::TooManyChanges {
            changes: set.len() as u64,
            limit: self.changes,
        })
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first_cells: 32,
            answer_cells: 8_192,
            cells: 32_768,
            answers: 12,
            changes: 4_000_000,
            change_bytes: Some(100),
        }
    }
}
