//! The side that answers.

use super::cell::cells_of;
use super::error::{Fault, ReconciliationError};
use super::limits::Limits;
use super::message::{Answer, Request, claim};
use super::set::ChangeSet;

/// The answer to one request of an [`Initiator`](super::Initiator), from the set of the changes that it may know of.
///
/// The answer follows from the set and the request alone, so nothing need be remembered between requests. If the set
/// grows meanwhile, the initiator notices and begins again; a caller who keeps the set still for a session (say, up to
/// one sequence number of the log) spares it that. Takes time in proportion to the set: one SHA-256 and some ten sums a
/// change.
///
/// # Errors
/// [`ReconciliationError`] when the request is malformed, asks for cells past the limits, or when the set is over the
/// limit.
pub fn answer(set: &ChangeSet, request: &[u8], limits: &Limits) -> Result<Vec<u8>, ReconciliationError> {
    let request = Request::decode(request)?;
    let changes = limits.checked(set)?;
    let digest = set.digest(&request.salt);
    let equal = claim(&digest) == request.claim;
    let left = limits.cells.saturating_sub(request.first);
    let count = request.count.min(limits.answer_cells).min(left);
    if count == 0 && !equal {
        return Err(ReconciliationError::Malformed {
            byte: Request::CELLS_AT,
            fault: Fault::WrongCells,
        });
    }
    let cells = if equal {
        Vec::new()
    } else {
        cells_of(set, &request.salt, request.first, count)
    };
    let answer = Answer {
        digest,
        changes,
        first: request.first,
        cells,
    };
    Ok(answer.encode())
}
