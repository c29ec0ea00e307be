//! Changes that nothing is added to any more, packed together for keeping.
//!
//! When a round is closed its changes are read seldom and kept for years. A segment holds those of many responses in the
//! form in which [messages](super::packing) carry them, compressed harder: every change comes back from it byte for byte, so
//! hashes, signatures and merging stay what they were.

use std::collections::BTreeMap;

use automerge::ChangeHash;
use serde_bytes::ByteBuf;

use super::chunk;
use super::message::ResponseChanges;
use super::packing::{Form, pack, unpack};
use super::wire::{Coding, Effort, Limits, WireError, compress};

/// Bytes of changes in one segment, before packing: reading one change unpacks its segment. Much below the limits of what
/// [`changes`] reads.
const SEGMENT_BYTES: usize = 512 << 10;

/// Some changes, packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The bytes to keep.
    pub packed: Vec<u8>,
    /// The changes in it.
    pub hashes: Vec<ChangeHash>,
}

/// Why a segment does not give its changes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// The segment is damaged, or was never one.
    #[error("the segment of the archive is damaged: {0}")]
    Segment(#[from] WireError),
    /// Something in it is no change.
    #[error("the segment of the archive has bytes that are no change")]
    NoChange,
}

/// Changes as segments of a size that is quickly read. Each segment is read again and compared; changes that would not come
/// back byte for byte are in none and have to stay where they are.
pub fn segments(responses: &[ResponseChanges]) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut gathered: Vec<ResponseChanges> = Vec::new();
    let mut bytes = 0;
    for response in responses {
        let mut of_this = None;
        for change in &response.changes {
            if bytes + change.len() > SEGMENT_BYTES && bytes > 0 {
                segments.extend(segment(&std::mem::take(&mut gathered)));
                (bytes, of_this) = (0, None);
            }
            bytes += change.len();
            let place = *of_this.get_or_insert_with(|| {
                gathered.push(ResponseChanges {
                    round: response.round,
                    unit: response.unit.clone(),
                    changes: Vec::new(),
                });
                gathered.len() - 1
            });
            if let Some(group) = gathered.get_mut(place) {
                group.changes.push(change.clone());
            }
        }
    }
    segments.extend(segment(&gathered));
    segments
}

/// The segment of these changes; none where there are none, or one would not come back.
fn segment(responses: &[ResponseChanges]) -> Option<Segment> {
    let hashes: Vec<ChangeHash> = chunk::hashes(responses).collect::<Option<_>>()?;
    if hashes.is_empty() {
        return None;
    }
    let packed = compress(&pack(responses, Form::Packed), Effort::Archive).ok()?;
    let restored = changes(&packed).ok()?;
    let originals = responses.iter().flat_map(|response| &response.changes);
    let comes_back = originals
        .zip(&hashes)
        .all(|(change, hash)| restored.get(hash) == Some(change));
    comes_back.then_some(Segment { packed, hashes })
}

/// The changes of a segment.
///
/// # Errors
/// [`ArchiveError`] when the bytes are not those of a segment.
pub fn changes(packed: &[u8]) -> Result<BTreeMap<ChangeHash, ByteBuf>, ArchiveError> {
    let limits = Limits::default();
    let responses = unpack(&Coding::Brotli.inflate(packed, &limits)?, &limits).map_err(WireError::from)?;
    let changes = responses.into_iter().flat_map(|response| response.changes);
    changes
        .map(|change| Ok((chunk::hash(&change).map_err(|_| ArchiveError::NoChange)?, change)))
        .collect()
}
