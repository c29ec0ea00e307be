//! What people decide at an installation, and the keys that take the place of others.

use std::collections::BTreeSet;

use sync_core::ChangeHash;
use sync_core::device::{DevicePublicKey, Succession};
use sync_core::exchange::RefusalReason;
use sync_core::exchange::delivery::Delivery;

use super::data::Transaction;
use super::writing::admitted;
use super::{Caller, Exchange, Site, Stage};
use crate::simulation::disk::DiskFull;
use crate::simulation::history::milliseconds;

/// What a device is told that wants another key in the place of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::simulation) enum Rotation {
    /// It is.
    Done,
    /// Another one is already, or the device is not known: it has to enrol.
    Enrol,
    /// The device was revoked, or the installation has no room to write it down.
    Failed,
}

impl Site {
    /// The changes that an official can release or discard.
    pub(in crate::simulation) fn decidable(&self) -> Vec<ChangeHash> {
        let decidable = self.data.quarantine.iter();
        // One that contradicts the log is left to its phone, which writes it again.
        let decidable = decidable.filter(|(_, reason)| *reason != RefusalReason::Contradiction);
        decidable.map(|(entry, _)| entry.hash()).collect()
    }

    /// An official begins to release a change from quarantine; whether there is such a one.
    pub(in crate::simulation) fn release(&mut self, connection: u64, hash: ChangeHash) -> bool {
        let mut quarantine = self.data.quarantine.iter();
        let Some((entry, _)) = quarantine.find(|(entry, _)| entry.hash() == hash) else {
            return false;
        };
        let delivery = Delivery::new(vec![Ok(admitted(entry, entry.device()))], Vec::new());
        let exchange = Exchange {
            caller: Caller::Official(Box::new(entry.clone())),
            hashes: vec![hash],
            stage: Stage::Arrived(Box::new(delivery)),
        };
        self.exchanges.insert(connection, exchange);
        true
    }

    /// An official discards a change; whether it was in quarantine still.
    pub(in crate::simulation) fn discard(&mut self, hash: ChangeHash) -> bool {
        let mut quarantine = self.ahead.quarantine.iter();
        quarantine.any(|(entry, _)| entry.hash() == hash) && self.write(Transaction::Discarded(hash)).is_ok()
    }

    /// An official erases a response.
    pub(in crate::simulation) fn erase(&mut self, unit: usize) -> Result<(), DiskFull> {
        match self.ahead.erased.contains_key(&unit) {
            true => Ok(()),
            false => self.write(Transaction::Erased(unit)),
        }
    }

    /// A device wants another key in the place of its own, again where the answer was lost.
    pub(in crate::simulation) fn rotate(&mut self, succession: &Succession) -> Rotation {
        let Succession {
            predecessor, successor, ..
        } = *succession;
        if self.ahead.revoked.contains(&predecessor) || succession.verify().is_err() {
            return Rotation::Failed;
        }
        match self.ahead.successors.get(&predecessor) {
            Some(there) if *there == successor => return Rotation::Done,
            Some(_) => return Rotation::Enrol,
            None if !self.ahead.known.contains_key(&predecessor) => return Rotation::Enrol,
            None => {}
        }
        match self.write(Transaction::Succeeded { predecessor, successor }) {
            Ok(()) => Rotation::Done,
            Err(DiskFull) => Rotation::Failed,
        }
    }

    /// An official enrols a device with this key; whether that is kept.
    pub(in crate::simulation) fn enrol(&mut self, key: DevicePublicKey, scope: &BTreeSet<i64>) -> bool {
        self.write(Transaction::Enrolled(key, scope.clone())).is_ok()
    }

    /// An official revokes a device.
    pub(in crate::simulation) fn revoke(&mut self, device: DevicePublicKey) {
        let _ = self.write(Transaction::Revoked(device));
    }

    /// An official withdraws a hamlet from a device.
    pub(in crate::simulation) fn withdraw(&mut self, device: DevicePublicKey, hamlet: i64, now: u64) {
        let _ = self.write(Transaction::Withdrawn(device, hamlet, milliseconds(now)));
    }
}
