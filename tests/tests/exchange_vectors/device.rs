//! A device in memory.

use std::collections::BTreeMap;

use sync_core::Change;
use sync_core::device::DeviceKey;
use sync_core::exchange::intake::Unit;
use sync_core::exchange::{Client, OutgoingChange, SyncRequest, SyncResponse};
use sync_core::identity::ResponseId;
use sync_core::response::{Edit, Response, ResponseError};

/// The device's clock, in milliseconds since 1970-01-01T00:00:00Z.
const NOW: i64 = 1_760_000_000_000;

/// A device and what it has.
pub(crate) struct Device {
    pub(crate) key: DeviceKey,
    pub(crate) client: Client,
    pub(crate) responses: BTreeMap<Unit, Response>,
    time: i64,
}

impl Device {
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        Self {
            key: DeviceKey::from_secret(secret),
            client: Client::default(),
            responses: BTreeMap::new(),
            time: NOW / 1000,
        }
    }

    /// The device's copy of a response.
    pub(crate) fn open(&mut self, unit: &Unit) -> &mut Response {
        let id = ResponseId::of(unit.0, &unit.1);
        self.responses
            .entry(unit.clone())
            .or_insert_with(|| Response::new(id).unwrap())
    }

    /// Edits the device's copy of a response. The change waits for no exchange yet.
    pub(crate) fn edit(
        &mut self,
        unit: &Unit,
        edit: impl FnOnce(&mut Edit<'_>) -> Result<(), ResponseError>,
    ) -> OutgoingChange {
        self.time += 60;
        let (actor, time) = (self.key.actor(), self.time);
        let ((), change) = self.open(unit).edit(&actor, time, edit).unwrap();
        OutgoingChange {
            round: unit.0,
            unit: unit.1.clone(),
            change: change.unwrap(),
        }
    }

    /// The next request.
    pub(crate) fn request(&mut self) -> SyncRequest {
        self.client.request(&self.key, NOW, usize::MAX)
    }

    /// Takes an answer.
    pub(crate) fn receive(&mut self, answer: SyncResponse) {
        let received = self.client.receive(answer, NOW);
        for group in received.responses {
            let changes = group.changes.into_iter();
            let changes: Vec<Change> = changes
                .map(|bytes| Change::from_bytes(bytes.into_vec()).unwrap())
                .collect();
            self.open(&(group.round, group.unit)).apply(changes).unwrap();
        }
        for erased in received.erased {
            self.responses.remove(&(erased.round, erased.unit));
        }
        if received.whole_log {
            let actor = self.key.actor();
            let written = self
                .responses
                .iter()
                .flat_map(|((round, unit), response)| OutgoingChange::written_by(&actor, *round, unit, response));
            self.client.offer(written);
        }
    }
}
