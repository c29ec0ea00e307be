//! Names of the things that are exchanged.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One survey campaign (đợt khảo sát).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RoundId(pub Uuid);

impl fmt::Display for RoundId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One unit's answers in one round: `UUIDv5(round, unit code)` (RFC 9562, section 5.5), so that every device finds the
/// same name without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResponseId(pub Uuid);

impl ResponseId {
    /// The response of the surveyed unit with the code `unit` in `round`.
    pub fn of(round: RoundId, unit: &str) -> Self {
        Self(Uuid::new_v5(&round.0, unit.as_bytes()))
    }
}

impl fmt::Display for ResponseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
