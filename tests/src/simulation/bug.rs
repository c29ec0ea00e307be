//! Mistakes to plant.

/// A mistake of the kind that somebody could make in a phone, a server or their storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// The server answers before what it acknowledges is on disk.
    AcknowledgesBeforeFlush,
    /// The phone sends an answer before it is on the phone's own disk.
    SendsBeforeFlush,
    /// The phone keeps how far it has read, and only then what it read.
    KeepsCursorBeforeChanges,
    /// The phone drops what it had sent when the connection breaks.
    ForgetsOutbox,
    /// The phone does not offer again what a log that was set back has lost.
    NeverOffersAgain,
    /// The server believes every cursor that is within its log.
    IgnoresMarks,
    /// The server compares an older state of its log than that of the cursor that it gives.
    ComparesOldSet,
    /// The server writes a change into a response that was erased after the change came.
    BringsBackErased,
    /// The phone keeps its copy of an erased response.
    KeepsErased,
    /// The server takes changes of every hamlet from everybody.
    IgnoresScope,
    /// The server takes changes without looking at who signed them.
    IgnoresSignatures,
    /// The server goes on taking what devices write that were revoked.
    IgnoresRevocation,
    /// The server takes what is written in a hamlet that was withdrawn from its author.
    IgnoresWithdrawal,
    /// The server writes what it planned although the author was revoked, or the hamlet withdrawn, since.
    PlansOnOldAuthority,
    /// The server tells that a change is in quarantine, and does not keep it.
    ForgetsQuarantine,
    /// The server acknowledges changes that wait for others, and drops them.
    DropsWaiting,
    /// Reading shows the winning answer and nothing of the others.
    HidesConflicts,
    /// Where several answers are open, a phone shows its own.
    PrefersOwnAnswer,
    /// The server adds a household's new figures without taking away the old ones.
    CountsTwice,
    /// The server writes what it planned without looking at what was written in the meantime.
    LogsTwice,
    /// The server goes on talking to a key that another has taken the place of.
    IgnoresSuccession,
    /// The phone takes a change that contradicts the log for one that was refused like any other.
    ForgetsContradiction,
    /// A phone with a new key writes its answers over those that it finds in the log.
    RekeyingOverwrites,
    /// A phone with a new key writes again what was refused, and not what it had built on that.
    RekeyingForgetsDependents,
    /// A phone with a new key drops the old changes, and only then keeps those in their place.
    DropsBeforeRewriting,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 25] = [
        Self::AcknowledgesBeforeFlush,
        Self::SendsBeforeFlush,
        Self::KeepsCursorBeforeChanges,
        Self::ForgetsOutbox,
        Self::NeverOffersAgain,
        Self::IgnoresMarks,
        Self::ComparesOldSet,
        Self::BringsBackErased,
        Self::KeepsErased,
        Self::IgnoresScope,
        Self::IgnoresSignatures,
        Self::IgnoresRevocation,
        Self::IgnoresWithdrawal,
        Self::PlansOnOldAuthority,
        Self::ForgetsQuarantine,
        Self::DropsWaiting,
        Self::HidesConflicts,
        Self::PrefersOwnAnswer,
        Self::CountsTwice,
        Self::LogsTwice,
        Self::IgnoresSuccession,
        Self::ForgetsContradiction,
        Self::RekeyingOverwrites,
        Self::RekeyingForgetsDependents,
        Self::DropsBeforeRewriting,
    ];
}
