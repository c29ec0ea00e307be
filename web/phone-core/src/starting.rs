//! Starting from what is stored: everything of it that can be read, in the state in which the last request left it.

use serde_json::json;
use sync_core::Change;
use sync_core::device::DeviceKey;
use sync_core::exchange::{Client, OutgoingChange};

use crate::carrying::{Carried, Parcel};
use crate::household::Outgoing;
use crate::interview::audit::AuditEvent;
use crate::phone::{Language, LoadedForm, Phone, Reply, Turn};
use crate::problem::PhoneError;
use crate::record::{DraftStep, FIRST_FREE, Record, RecordId};

impl Phone {
    /// Reads the storage.
    pub(crate) fn start(
        &mut self,
        language: Language,
        records: &[RecordId],
        damaged: Vec<RecordId>,
        turn: &mut Turn,
    ) -> Result<Reply, PhoneError> {
        // What is damaged keeps its number, so that it is not written over.
        let last = damaged.iter().chain(records).max().copied().unwrap_or(0);
        let told = damaged.len();
        *self = Self {
            started: true,
            language,
            damaged,
            next_record: FIRST_FREE.max(last.saturating_add(1)),
            ..Self::default()
        };
        let mut outgoing: Vec<(RecordId, String)> = Vec::new();
        let mut draft: Option<(RecordId, String, i64)> = None;
        let mut steps: Vec<(RecordId, DraftStep)> = Vec::new();
        let mut events: Vec<(RecordId, AuditEvent)> = Vec::new();
        for (number, id) in records.iter().enumerate() {
            let bytes = turn.part(number + 1)?;
            let Some(record) = Record::read(&bytes) else {
                self.damaged.push(*id);
                continue;
            };
            match record {
                Record::Identity(identity) => self.identity = Some(identity),
                Record::Progress(progress) => self.progress = progress,
                // Of a version that this one does not read: fetched again.
                Record::Assignment { tag, json } => {
                    self.assignment = serde_json::from_str(&json).ok().map(|assignment| (tag, assignment));
                }
                Record::Form { tag, json } => self.form = LoadedForm::read(&tag, &json).ok(),
                Record::Settings(settings) => self.settings = settings,
                Record::Unit(unit) => {
                    let household = self.households.entry(unit.unit).or_default();
                    household.record = Some(*id);
                    household.changes = unit.changes;
                    household.summary = unit.summary;
                    household.refused = unit.refused;
                }
                Record::Outgoing(kept) => match Change::try_from(&kept.change[..]) {
                    Ok(change) => {
                        outgoing.push((*id, kept.unit.clone()));
                        let household = self.households.entry(kept.unit).or_default();
                        household.outgoing.push(Outgoing { record: *id, change });
                    }
                    Err(_) => self.damaged.push(*id),
                },
                Record::Held(kept) => {
                    let household = self.households.entry(kept.unit).or_default();
                    household.held.push((*id, kept.change));
                }
                Record::Carried(kept) => match Change::try_from(&kept.change[..]) {
                    Ok(change) => {
                        let household = self.households.entry(kept.unit.clone()).or_default();
                        household.carried.push(Carried {
                            record: *id,
                            change,
                            kept,
                        });
                    }
                    Err(_) => self.damaged.push(*id),
                },
                Record::Parcel(bundle) => self.parcels.push(Parcel {
                    record: *id,
                    bundle: bundle.into_vec(),
                }),
                Record::Attachment(kept) => {
                    let household = self.households.entry(kept.unit.clone()).or_default();
                    household.attachments.push((*id, kept));
                }
                Record::Draft { unit, started_at } => draft = Some((*id, unit, started_at)),
                Record::DraftStep(step) => steps.push((*id, step)),
                Record::AuditEvent(event) => events.push((*id, event)),
                Record::Decision(kept) => self.restore_decision(*id, kept),
            }
        }
        for household in self.households.values_mut() {
            household.outgoing.sort_by_key(|outgoing| outgoing.record);
            household.carried.sort_by_key(|carried| carried.record);
        }
        self.start_client(&mut outgoing);
        steps.sort_by_key(|(id, _)| *id);
        events.sort_by_key(|(id, _)| *id);
        if let Some((record, unit, started_at)) = draft
            && self.form.is_some()
            && self.identity.is_some()
        {
            // Where it does not open, its records stay for a version that can; everything else works.
            if self.reopen(&unit, record, started_at, (steps, events), turn).is_err() {
                self.damaged.push(record);
            }
        }
        let found = self.damaged.get(told..).unwrap_or_default();
        Ok(json!({ "enrolled": self.token().is_some(), "damaged": found }).into())
    }

    /// Makes the exchange's state from what is stored. Where a record is damaged the log is read from its start again, so
    /// that what the server has comes back.
    fn start_client(&mut self, outgoing: &mut [(RecordId, String)]) {
        let is_new = |id: &RecordId| !self.progress.mended.contains(id);
        let state = match self.damaged.iter().any(is_new) {
            true => Default::default(),
            false => self.progress.client,
        };
        self.client = Client::new(state);
        let predecessors = self.identity.iter().flat_map(|identity| &identity.predecessors);
        for secret in predecessors {
            self.client.keep_predecessor(DeviceKey::from_secret(&secret.0));
        }
        let Some(round) = self.round() else { return };
        outgoing.sort_unstable();
        for (record, unit) in outgoing.iter() {
            let Some(household) = self.households.get(unit) else {
                continue;
            };
            let kept = household.outgoing.iter().filter(|outgoing| outgoing.record == *record);
            for outgoing in kept {
                self.client.enqueue(OutgoingChange {
                    round,
                    unit: unit.clone(),
                    change: outgoing.change.clone(),
                });
            }
        }
    }
}
