//! Bringing the server what this phone carries for others. It is forgotten only when the server has answered for it.

use serde_bytes::ByteBuf;
use sync_core::bundle::{BundleAnswer, BundleLimits, BundleWriter, CarriedRefusal};

use super::unusable;
use crate::phone::{Phone, Turn};
use crate::problem::PhoneError;
use crate::record::{Record, RecordId, Visibility};

/// What is brought at once: changes by their records, or one parcel.
#[derive(Debug, Clone, Default)]
pub(crate) struct Batch {
    pub(crate) records: Vec<RecordId>,
}

impl Phone {
    /// What is to be brought next, of what was not tried.
    pub(crate) fn next_batch(&self, tried: &[RecordId]) -> Option<Batch> {
        let most = self.client.piece_size().bytes();
        let mut bytes = 0;
        let mut waiting: Vec<_> = self
            .undelivered()
            .map(|(_, carried)| carried)
            .filter(|carried| !tried.contains(&carried.record))
            .collect();
        waiting.sort_by_key(|carried| carried.record);
        let changes = waiting.into_iter().take_while(|carried| {
            let is_first = bytes == 0;
            bytes += carried.change.raw_bytes().len();
            is_first || bytes <= most
        });
        let mut records: Vec<RecordId> = changes.map(|carried| carried.record).collect();
        if records.is_empty() {
            let mut parcels = self.parcels.iter().filter(|parcel| !tried.contains(&parcel.record));
            records.extend(parcels.next().map(|parcel| parcel.record));
        }
        (!records.is_empty()).then_some(Batch { records })
    }

    /// The batch as the body of a request. It is not sealed: the server that is talked to reads it, be it another one than
    /// that whose key this phone knows.
    pub(crate) fn batch_body(&self, batch: &Batch, turn: &mut Turn) -> Result<Vec<u8>, PhoneError> {
        let parcel = self
            .parcels
            .iter()
            .find(|parcel| batch.records.contains(&parcel.record));
        if let Some(parcel) = parcel {
            return Ok(parcel.bundle.clone());
        }
        let (round, key) = self.enrolled()?;
        let now = turn.milliseconds();
        let mut writer = BundleWriter::new(&key, now, None, &mut turn.random, BundleLimits::default());
        let mut changes: Vec<_> = self
            .undelivered()
            .filter(|(_, carried)| batch.records.contains(&carried.record))
            .collect();
        changes.sort_by_key(|(_, carried)| carried.record);
        for (unit, carried) in changes {
            let kept = &carried.kept;
            writer
                .add(round, unit, &kept.change, &kept.attestation)
                .map_err(unusable)?;
        }
        writer.finish().map_err(unusable)
    }

    /// Takes the server's answer to a batch: what it has is as if it had sent it, what it never takes is carried no longer,
    /// and what it may take some other time is.
    pub(crate) fn take_delivered(&mut self, batch: &Batch, body: &[u8], turn: &mut Turn) -> Result<(), PhoneError> {
        let answer: BundleAnswer = serde_json::from_slice(body)?;
        let is_settled = answer.failed_sections.is_empty() && !answer.refused.iter().any(CarriedRefusal::is_undecided);
        self.parcels.retain(|parcel| {
            let is_done = is_settled && batch.records.contains(&parcel.record);
            if is_done {
                turn.store.delete(parcel.record);
                turn.store.unseal(parcel.record);
            }
            !is_done
        });
        let mut touched = Vec::new();
        for (unit, household) in &mut self.households {
            for mut carried in std::mem::take(&mut household.carried) {
                let refusal = answer
                    .refused
                    .iter()
                    .find(|refusal| refusal.is_of(&carried.change.hash()));
                let is_open = refusal.is_some_and(CarriedRefusal::is_undecided);
                if !batch.records.contains(&carried.record) || is_open {
                    household.carried.push(carried);
                    continue;
                }
                turn.store.unseal(carried.record);
                match (refusal, carried.kept.visibility) {
                    // What was seen stays to be seen, since something may have been written with it in sight.
                    (Some(_), Visibility::Shown | Visibility::Held) => {
                        carried.kept.delivered = true;
                        turn.store.put(carried.record, &Record::Carried(carried.kept.clone()));
                        household.carried.push(carried);
                    }
                    (None, Visibility::Shown) => {
                        turn.store.delete(carried.record);
                        household.changes.push(ByteBuf::from(carried.change.raw_bytes()));
                        touched.push(unit.clone());
                    }
                    // It comes with the log, as what others wrote does.
                    (None, Visibility::Held) => {
                        carried.kept.delivered = true;
                        turn.store.put(carried.record, &Record::Carried(carried.kept.clone()));
                        household.carried.push(carried);
                    }
                    (_, Visibility::Aside) => turn.store.delete(carried.record),
                }
            }
        }
        touched.dedup();
        for unit in touched {
            self.keep_unit(&unit, turn);
        }
        for erased in &answer.erased {
            self.erase(erased, turn);
        }
        Ok(())
    }
}
