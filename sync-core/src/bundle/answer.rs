//! What whoever takes bundles in says of them: the answer to `POST /api/v1/bundles`, JSON.

use automerge::ChangeHash;
use serde::{Deserialize, Serialize};

use crate::exchange::{ErasedResponse, RefusalReason};

/// What became of the changes of the bundles. All that is not refused is durable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleAnswer {
    /// Changes in the sections that could be read.
    pub changes: u64,
    /// Of them, those that were not in the log before.
    pub new: u64,
    /// Those that were.
    pub known: u64,
    /// Those that are kept until what they depend on comes.
    pub waiting: u64,
    /// Those that were not taken.
    pub refused: Vec<CarriedRefusal>,
    /// The responses that were erased, of those that changes were refused for: whoever has some of them deletes it.
    pub erased: Vec<ErasedResponse>,
    /// Sections that could not be read.
    pub failed_sections: Vec<FailedSection>,
}

/// A carried change that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarriedRefusal {
    /// Its hash in hexadecimal digits; none where its bytes are damaged.
    pub hash: Option<String>,
    /// Why.
    pub reason: RefusalReason,
    /// Whether it is kept for a person to decide about.
    pub quarantined: bool,
}

impl CarriedRefusal {
    /// Whether the change may be taken some other time, and is kept nowhere until then: whoever carries it goes on.
    pub fn is_undecided(&self) -> bool {
        match self.reason {
            RefusalReason::UnknownDevice | RefusalReason::UnknownRound => true,
            reason => reason.is_decidable() && !self.quarantined,
        }
    }

    /// Whether it is this change.
    pub fn is_of(&self, hash: &ChangeHash) -> bool {
        self.hash.as_ref().is_some_and(|told| *told == hash.to_string())
    }
}

/// A section that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedSection {
    /// The number of its bundle in the request, from 0.
    pub bundle: usize,
    /// Its number in the bundle, from 0.
    pub section: usize,
    /// Why, in the language of the request.
    pub detail: String,
}
