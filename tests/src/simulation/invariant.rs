//! What must hold in every world.

use std::fmt;

/// A promise of the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// Replicas that have heard everything say the same, heads and all.
    ReplicasConverge,
    /// What an installation acknowledges to a phone or hub is on its disk at that moment.
    AcknowledgedIsDurable,
    /// Every answer that was saved on a phone that still works reaches the province once links heal, be it by way of a hub.
    SavedAnswersArrive,
    /// No change of a hamlet outside its author's scope is stored as accepted, and none that was written after the hamlet was
    /// withdrawn from its author.
    NothingOutsideScope,
    /// Every stored change was written by the device that it names, with a key that the device had.
    NobodyWritesForAnother,
    /// Nothing of a revoked device enters the log after its revocation.
    RevokedDevicesAddNothing,
    /// What is refused for a reason that a person can decide about is in quarantine when the phone is told so, and stays there
    /// or with the phone until somebody decides.
    RefusedIsKept,
    /// A phone of whose disk there is no copy keeps its key: nothing that it wrote contradicts the log.
    OnlyCopiesTakeNewKeys,
    /// A key that another has taken the place of is not talked to any more.
    ReplacedKeysAreRefused,
    /// An erased response is nowhere any more: in no log, in no buffer, and on no phone that may read its hamlet.
    ErasedIsForgotten,
    /// A question shows exactly the answers that nobody has replaced with knowledge of them.
    NoConflictVanishes,
    /// Figures from the server equal those of one replica that heard every change in another order.
    FiguresEqualOneReplica,
    /// A change is in the log once.
    LoggedOnce,
    /// A hub and the installation above it have the same of the hub's hamlets, but for what one of them refused.
    NeighboursAgree,
    /// What an official let in is at every hub below in whose hamlets it is.
    ReleasedReachesEverybody,
    /// What an official discarded is not in that installation's log, whoever else decided at the same time.
    DiscardedStaysOut,
}

impl Invariant {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::ReplicasConverge,
        Self::AcknowledgedIsDurable,
        Self::SavedAnswersArrive,
        Self::NothingOutsideScope,
        Self::NobodyWritesForAnother,
        Self::RevokedDevicesAddNothing,
        Self::RefusedIsKept,
        Self::OnlyCopiesTakeNewKeys,
        Self::ReplacedKeysAreRefused,
        Self::ErasedIsForgotten,
        Self::NoConflictVanishes,
        Self::FiguresEqualOneReplica,
        Self::LoggedOnce,
        Self::NeighboursAgree,
        Self::ReleasedReachesEverybody,
        Self::DiscardedStaysOut,
    ];
}

/// A promise that was broken.
#[derive(Debug, Clone)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// What was seen.
    pub what: String,
}

impl Violation {
    pub(super) fn new(invariant: Invariant, what: impl Into<String>) -> Self {
        Self {
            invariant,
            what: what.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.invariant, self.what)
    }
}
