//! The set of changes that a replica has.

use automerge::ChangeHash;
use sha2::{Digest as _, Sha256};

/// Starts what the digest of a set is computed from, so that it can be taken for no other digest.
const SET_DOMAIN: &[u8] = b"khaosat/reconciliation/set/1";

/// What makes the cells of one session unlike those of every other: 16 bytes that the caller draws from a secure random
/// source, anew for each session. Whoever writes changes cannot know it beforehand, and so cannot choose changes that no
/// cell would tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Salt(pub [u8; 16]);

/// SHA-256 over a salted set; equal for equal sets and for nothing else.
pub(super) type SetDigest = [u8; 32];

/// The hashes of the changes that a replica has of what is being compared, sorted, each once.
///
/// Collected from any iterator of hashes; 32 bytes of memory a change. Hashes that come sorted are not sorted again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeSet(Vec<ChangeHash>);

impl ChangeSet {
    /// How many changes it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it has this change.
    pub fn contains(&self, hash: &ChangeHash) -> bool {
        self.0.binary_search(hash).is_ok()
    }

    /// The hashes in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = &ChangeHash> {
        self.0.iter()
    }

    /// The digest: SHA-256 of the domain, the salt, the number of changes as 64 bits (most significant byte first) and
    /// the hashes in ascending order.
    pub(super) fn digest(&self, salt: &Salt) -> SetDigest {
        let mut digest = Sha256::new();
        digest.update(SET_DOMAIN);
        digest.update(salt.0);
        digest.update((self.0.len() as u64).to_be_bytes());
        for hash in &self.0 {
            digest.update(hash.0);
        }
        digest.finalize().into()
    }

    /// This set without the changes `less` and with the changes `more`, both sorted.
    pub(super) fn changed(&self, less: &[ChangeHash], more: &[ChangeHash]) -> Self {
        let kept = self.0.iter().filter(|hash| less.binary_search(hash).is_err());
        kept.chain(more).copied().collect()
    }
}

impl FromIterator<ChangeHash> for ChangeSet {
    fn from_iter<I: IntoIterator<Item = ChangeHash>>(hashes: I) -> Self {
        let mut hashes: Vec<ChangeHash> = hashes.into_iter().collect();
        // The stable sort takes linear time where two sorted runs follow one another.
        hashes.sort();
        hashes.dedup();
        Self(hashes)
    }
}
