//! Mistakes to plant.

/// Defines the mistakes and the list of all.
macro_rules! bugs {
    ($($(#[$what:meta])+ $bug:ident,)+) => {
        /// A mistake of the kind that somebody could make in a phone, a server, a hub or their storage.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Bug {
            $($(#[$what])+ $bug,)+
        }

        impl Bug {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$bug),+];
        }
    };
}

bugs! {
    /// The province answers a phone before what it acknowledges is on disk.
    AcknowledgesBeforeFlush,
    /// A hub answers a phone before what it acknowledges is on disk.
    HubAcknowledgesBeforeFlush,
    /// An installation answers a hub before what it acknowledges is on disk.
    UpstreamAcknowledgesBeforeFlush,
    /// The phone sends an answer before it is on the phone's own disk.
    SendsBeforeFlush,
    /// The phone keeps how far it has read, and only then what it read.
    KeepsCursorBeforeChanges,
    /// The phone drops what it had sent when the connection breaks.
    ForgetsOutbox,
    /// The phone does not offer again what a log that was set back has lost.
    NeverOffersAgain,
    /// The phone keeps its cursor when the installation that it has come to does not know it.
    KeepsForeignCursor,
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
    /// The server releases what another official has discarded since.
    ReleasesDiscarded,
    /// An installation does not bring its hubs what an official released.
    KeepsReleasedToItself,
    /// The server tells that a change is in quarantine, and does not keep it.
    ForgetsQuarantine,
    /// The server acknowledges changes that wait for others, and drops them.
    DropsWaiting,
    /// The server lets a change wait whose number another one has taken in the meantime.
    LetsContradictionsWait,
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
    /// A phone that was copied, and has met another phone, keeps its key.
    KeepsKeyAfterMeeting,
    /// A phone with a new key writes its answers over those that it finds in the log.
    RekeyingOverwrites,
    /// A phone with a new key writes again what was refused, and not what it had built on that.
    RekeyingForgetsDependents,
    /// A phone with a new key drops the old changes, and only then keeps those in their place.
    DropsBeforeRewriting,
    /// The hub keeps how far it has read before it keeps what it read.
    KeepsStateBeforeChanges,
    /// The hub keeps what it read before it keeps how far it has read.
    KeepsChangesBeforeState,
    /// Upstream takes from a hub what is outside the hub's scope.
    IgnoresHubScope,
    /// The hub does not bring again what an upstream that was set back has lost.
    NeverBringsAgain,
    /// Upstream does not notice that a hub was set back.
    OverlooksSetBack,
    /// Upstream tells a hub once that it was set back, whether the answer arrives or not.
    TellsSetBackOnce,
    /// Upstream takes for a hub's own what waited at the hub, or was brought by it and then waited at upstream.
    TakesUnloggedForOwn,
    /// The hub counts as brought what came into its log while the request was under way.
    SkipsWhatCameMeanwhile,
}
