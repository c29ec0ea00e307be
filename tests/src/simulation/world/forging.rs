//! What somebody tries who holds an enrolled phone.

use rand::RngExt as _;
use serde_bytes::ByteBuf;
use sync_core::Change;
use sync_core::device::DeviceKey;
use sync_core::exchange::message::{Attestation, PROTOCOL_VERSION};
use sync_core::exchange::packing::Form;
use sync_core::exchange::{ResponseChanges, SyncRequest, wire};

use super::World;
use super::event::{Event, Message};
use crate::simulation::history::{ROUND, code};

impl World {
    /// Writes in another's name, or sends again what was overheard.
    pub(super) fn forge(&mut self, phone: usize) {
        let (device, site) = (self.phones[phone].keys.public(), self.phones[phone].place);
        self.statistics.forgeries += 1;
        let connection = self.connect();
        let message = |bytes| Message {
            from: phone,
            site,
            connection,
            bytes,
        };
        if self.luck.random_bool(0.3)
            && let Some(overheard) = self.overheard.last().cloned()
        {
            return self.soon(Event::Request(message(overheard), device));
        }
        let log = &self.sites[site].data.log;
        if log.is_empty() {
            return;
        }
        let victim = &log[self.luck.random_range(0..log.len())];
        let mut forged = victim.change.decode();
        forged.seq += 1;
        forged.start_op = forged.start_op.saturating_add(1);
        forged.deps = vec![victim.hash()];
        forged.hash = None;
        let forged = Change::from(forged);
        let forger = DeviceKey::from_secret(&[99; 32]);
        let named = if self.luck.random_bool(0.5) {
            victim.device()
        } else {
            device
        };
        let request = SyncRequest {
            version: PROTOCOL_VERSION,
            cursor: None,
            acknowledged: None,
            restoring: false,
            device_time: 0,
            reconciliation: None,
            answer_form: Form::Packed,
            attestations: vec![Attestation {
                device: named,
                first: 0,
                count: 1,
                signature: forger.attest(&[forged.hash()]),
            }],
            responses: vec![ResponseChanges {
                round: ROUND,
                unit: code(victim.unit),
                changes: vec![ByteBuf::from(forged.raw_bytes())],
            }],
        };
        let bytes = wire::encode(&request).unwrap();
        self.soon(Event::Request(message(bytes), device));
    }
}
