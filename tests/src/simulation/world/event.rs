//! What happens in a world, and when.

use std::collections::BTreeMap;

use sync_core::ChangeHash;
use sync_core::device::DevicePublicKey;

use crate::simulation::site::Rotation;

/// Something that happens. Phones and installations are named by their numbers, connections too.
#[derive(Debug, Clone)]
pub(super) enum Event {
    Answer(usize),
    Exchange(usize),
    GiveUp(usize, u64),
    PhoneFlush(usize),
    PhoneCrash(usize),
    PhoneRestart(usize),
    PhoneDisk(usize),
    Clock(usize),
    Meet(usize, usize),
    Move(usize),
    Request(Message, DevicePublicKey),
    Reply(usize, u64, Option<Vec<u8>>),
    Replaced(usize, u64),
    Unknown(usize, usize, u64),
    Rotate(usize, usize, usize),
    Rotated(usize, usize, DevicePublicKey, Rotation),
    Enrol(usize, usize, DevicePublicKey),
    Clone(usize),
    Lose(usize),
    Step(usize, u64),
    Flush(usize),
    SiteCrash(usize),
    SiteRestart(usize),
    SiteDisk(usize),
    Backup(usize),
    Restore(usize),
    Reach(usize),
    HubGivesUp(usize, u64),
    HubRequest(Message),
    HubReply(usize, u64, Option<Vec<u8>>),
    Revoke(usize),
    Withdraw(usize),
    AskAgain(usize),
    Erase(usize, usize),
    Decide(usize),
    Release(usize, ChangeHash),
    Discard(usize, ChangeHash),
    Forge(usize),
}

/// A request on its way to an installation.
#[derive(Clone)]
pub(super) struct Message {
    /// The phone, or the hub.
    pub(super) from: usize,
    /// The installation.
    pub(super) site: usize,
    pub(super) connection: u64,
    pub(super) bytes: Vec<u8>,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            from,
            site,
            connection,
            bytes,
        } = self;
        write!(f, "{from} to {site}, {connection}, {} bytes", bytes.len())
    }
}

/// What is to happen, in the order of its time, and where that is the same in the order in which it was arranged.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Milliseconds since the world began.
    pub(super) now: u64,
    order: u64,
    events: BTreeMap<(u64, u64), Event>,
}

impl Queue {
    /// Arranges something in so many milliseconds.
    pub(super) fn later(&mut self, delay: u64, event: Event) {
        self.order += 1;
        self.events.insert((self.now + delay, self.order), event);
    }

    /// The next event; its time is now.
    pub(super) fn next(&mut self) -> Option<Event> {
        let ((time, _), event) = self.events.pop_first()?;
        self.now = time;
        Some(event)
    }
}
