//! Worlds of hubs: a province, hubs below it and below each other, and devices that bring them what they write. What
//! phones do is simulated in [`world`](super::world); here it is what installations do with each other.
//!
//! | room | subject |
//! | --- | --- |
//! | `site` | one installation: its log, its disk, both sides of forwarding |
//! | `world` | who does what when, what fails, and what must hold in the end |

mod site;
mod world;

pub use world::{HubOutcome, HubStatistics, play};

/// A mistake of the kind that somebody could make in a hub or above one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HubBug {
    /// The hub keeps how far it has read before it keeps what it read.
    KeepsStateBeforeChanges,
    /// The hub keeps what it read before it keeps how far it has read.
    KeepsChangesBeforeState,
    /// Upstream answers before what it acknowledges is on disk.
    AcknowledgesBeforeFlush,
    /// Upstream takes from a hub what is outside the hub's scope.
    IgnoresHubScope,
    /// The hub does not bring again what an upstream that was set back has lost.
    NeverBringsAgain,
    /// Upstream does not notice that a hub was set back.
    OverlooksSetBack,
    /// Upstream tells a hub once that it was set back, whether the answer arrives or not.
    TellsSetBackOnce,
    /// The hub counts as brought what came into its log while the request was under way.
    SkipsWhatCameMeanwhile,
    /// An installation logs what it has already.
    LogsTwice,
}

impl HubBug {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::KeepsStateBeforeChanges,
        Self::KeepsChangesBeforeState,
        Self::AcknowledgesBeforeFlush,
        Self::IgnoresHubScope,
        Self::NeverBringsAgain,
        Self::OverlooksSetBack,
        Self::TellsSetBackOnce,
        Self::SkipsWhatCameMeanwhile,
        Self::LogsTwice,
    ];
}
