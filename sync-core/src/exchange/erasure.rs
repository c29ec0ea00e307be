//! Erasure of a response: what a household may demand, on the server and on every device.
//!
//! The keeper of a log deletes the response's changes and puts a tombstone into the log. Readers come to it as to any
//! entry and delete their copies. What comes later for the response is refused as
//! [`RefusalReason::Erased`](super::RefusalReason::Erased), so no phone or bundle from before brings it back.

use automerge::ChangeHash;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::identity::{ResponseId, RoundId};

/// Starts what a tombstone's hash is computed from, so that it is the hash of no change.
const DOMAIN: &[u8] = b"khaosat/tombstone/1";

/// A response that is no more: to be deleted wherever there is a copy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ErasedResponse {
    /// The round.
    pub round: RoundId,
    /// The surveyed unit's code.
    pub unit: String,
}

/// What stands in a log in place of a change's hash where a response was erased, for the log's
/// [marks](super::LogMark): SHA-256 of the domain and the response's 16 bytes.
pub fn tombstone_hash(response: ResponseId) -> ChangeHash {
    let digest = Sha256::new().chain_update(DOMAIN).chain_update(response.0.as_bytes());
    ChangeHash(digest.finalize().into())
}
