//! What an installation's one writer does with what was brought.

use std::collections::BTreeSet;
use std::sync::Arc;

use sync_core::ChangeHash;
use sync_core::exchange::delivery::Planned;
use sync_core::exchange::intake::{self, PlannedResponse, SetAside};
use sync_core::exchange::{Admitted, CarriedAttestation, Limits, Refusal, RefusalReason, wire};
use sync_core::{Change, device::DevicePublicKey};

use super::data::{Bringer, Data, Entry, Transaction};
use super::{Caller, Site};
use crate::simulation::bug::Bug;
use crate::simulation::disk::DiskFull;
use crate::simulation::history::unit_of;

/// What a transaction will write, as far as it is known.
struct Writing<'a> {
    planned: &'a Planned,
    bringer: Bringer,
    /// What waits at the hub that brings it, and is none of its own.
    unlogged: BTreeSet<ChangeHash>,
    /// What an official lets in, as it was in quarantine.
    let_in: Option<&'a Entry>,
    /// What the writer sees, with what is written so far.
    seen: Data,
    logged: Vec<Entry>,
    waiting: Vec<Entry>,
    released: Vec<ChangeHash>,
    quarantined: Vec<(Entry, RefusalReason)>,
    set_aside: Vec<SetAside>,
    late: Vec<Refusal>,
    bug: Option<Bug>,
}

impl Site {
    /// Writes a plan; tells of those of its changes that cannot be written any more, and of those in quarantine.
    pub(super) fn write_plan(&mut self, planned: &Planned, caller: &mut Caller) -> Result<Vec<Refusal>, DiskFull> {
        let together = match caller {
            Caller::Phone {
                device, clock_ahead, ..
            } => Some(Transaction::Heard(*device, *clock_ahead)),
            Caller::Hub(question) => Some(question.remember(&self.ahead, self.bug)),
            Caller::Official(_) => None,
        };
        let bringer = caller.bringer();
        let unlogged = match caller {
            Caller::Hub(question) if self.bug != Some(Bug::TakesUnloggedForOwn) => question.unlogged(),
            _ => BTreeSet::new(),
        };
        let let_in = match caller {
            Caller::Official(entry) => Some(&**entry),
            Caller::Phone { .. } | Caller::Hub(_) => None,
        };
        self.write_all(planned, (bringer, unlogged), let_in, together)
    }

    /// Writes a plan, and something together with it.
    pub(super) fn write_together(
        &mut self,
        planned: &Planned,
        bringer: Bringer,
        together: Option<Transaction>,
    ) -> Result<Vec<Refusal>, DiskFull> {
        self.write_all(planned, (bringer, BTreeSet::new()), None, together)
    }

    fn write_all(
        &mut self,
        planned: &Planned,
        (bringer, unlogged): (Bringer, BTreeSet<ChangeHash>),
        let_in: Option<&Entry>,
        together: Option<Transaction>,
    ) -> Result<Vec<Refusal>, DiskFull> {
        let mut writing = Writing {
            planned,
            bringer,
            unlogged,
            let_in,
            seen: self.ahead.clone(),
            logged: Vec::new(),
            waiting: Vec::new(),
            released: Vec::new(),
            quarantined: Vec::new(),
            set_aside: planned.plan().0.set_aside.clone(),
            late: Vec::new(),
            bug: self.bug,
        };
        for response in &planned.plan().0.responses {
            writing.response(response);
        }
        let (transaction, late) = writing.finish();
        self.write(Transaction::Together(
            [transaction].into_iter().chain(together).collect(),
        ))?;
        Ok(late)
    }

    /// The planted mistake of an installation that looks at no signature.
    pub(super) fn believe(&mut self, bytes: &[u8]) {
        let request = wire::decode_request(bytes, &Limits::default()).unwrap();
        let Some(attestation) = request.attestations.first() else {
            return;
        };
        for group in &request.responses {
            let Some(unit) = unit_of(&group.unit) else { continue };
            let changes = group.changes.iter();
            for change in changes.filter_map(|bytes| Change::from_bytes(bytes.to_vec()).ok()) {
                let entries = vec![Entry {
                    unit,
                    bringer: Bringer::Author,
                    let_in: false,
                    place: 0,
                    attestation: Arc::new(CarriedAttestation {
                        device: attestation.device,
                        hashes: change.hash().0.to_vec().into(),
                        signature: attestation.signature,
                    }),
                    change: Arc::new(change),
                }];
                let _ = self.write(Transaction::Logged {
                    entries,
                    waiting: Vec::new(),
                    released: Vec::new(),
                    quarantined: Vec::new(),
                });
            }
        }
    }
}

impl Writing<'_> {
    fn entry(&self, unit: usize, admitted: &Admitted) -> Entry {
        let attestations = self.planned.plan().1;
        let attestation = match self.let_in {
            // What an official releases has its attestation with it already.
            Some(entry) => Arc::clone(&entry.attestation),
            None => {
                let kept = &attestations[admitted.attestation];
                Arc::new(CarriedAttestation {
                    device: admitted.device,
                    hashes: kept.hashes.iter().flat_map(|hash| hash.0).collect::<Vec<u8>>().into(),
                    signature: kept.signature,
                })
            }
        };
        Entry {
            unit,
            change: Arc::new(admitted.change.clone()),
            bringer: match self.unlogged.contains(&admitted.change.hash()) {
                true => Bringer::Author,
                false => self.bringer,
            },
            let_in: self.let_in.is_some(),
            place: 0,
            attestation,
        }
    }

    fn response(&mut self, response: &PlannedResponse) {
        let Some(unit) = unit_of(&response.unit.1) else { return };
        if self.seen.erased.contains_key(&unit) && self.bug != Some(Bug::BringsBackErased) {
            let changes = response.log.iter().chain(&response.wait);
            self.late
                .extend(changes.map(|(change, _)| Refusal::new(*change, RefusalReason::Erased)));
            return;
        }
        for (number, admitted) in &response.log {
            if self.seen.has(&admitted.change.hash()) && self.bug != Some(Bug::LogsTwice) {
                continue;
            }
            let entry = self.entry(unit, admitted);
            if self.seen.log.iter().any(|other| entry.contradicts(other)) {
                self.set_aside.push(SetAside {
                    number: *number,
                    reason: RefusalReason::Contradiction,
                    admitted: admitted.clone(),
                });
                continue;
            }
            self.log(entry);
        }
        for (_, admitted) in &response.wait {
            let hash = admitted.change.hash();
            let waits = self.seen.waiting.iter().any(|entry| entry.hash() == hash);
            if !waits && !self.seen.has(&hash) && self.bug != Some(Bug::DropsWaiting) {
                let entry = self.entry(unit, admitted);
                self.seen.waiting.push(entry.clone());
                self.waiting.push(entry);
            }
        }
        let released = intake::released(response.id, self.seen.stored(unit)).unwrap();
        for change in released.contradictory {
            if self.bug != Some(Bug::LetsContradictionsWait)
                && let Some(entry) = self.waits_no_more(&change.hash())
            {
                self.quarantined.push((entry, RefusalReason::Contradiction));
            }
        }
        for change in released.log {
            if let Some(entry) = self.waits_no_more(&change.hash()) {
                // The hub that brought it may have been set back since to when it had not got it.
                let bringer = match entry.bringer {
                    Bringer::Hub(_) if self.bug != Some(Bug::TakesUnloggedForOwn) => Bringer::Author,
                    bringer => bringer,
                };
                self.log(Entry { bringer, ..entry });
            }
        }
    }

    fn waits_no_more(&mut self, hash: &ChangeHash) -> Option<Entry> {
        let place = self.seen.waiting.iter().position(|entry| entry.hash() == *hash)?;
        self.released.push(*hash);
        Some(self.seen.waiting.remove(place))
    }

    fn log(&mut self, entry: Entry) {
        self.seen.log.push(entry.clone());
        self.logged.push(entry);
    }

    fn finish(mut self) -> (Transaction, Vec<Refusal>) {
        let mut quarantined = std::mem::take(&mut self.quarantined);
        for SetAside {
            number,
            reason,
            admitted,
        } in std::mem::take(&mut self.set_aside)
        {
            let Some(unit) = unit_of(&admitted.unit) else { continue };
            if self.seen.erased.contains_key(&unit) {
                self.late.push(Refusal::new(number, RefusalReason::Erased));
                continue;
            }
            let hash = admitted.change.hash();
            if self.seen.discarded.contains(&hash) {
                self.late.push(Refusal::new(number, RefusalReason::Discarded));
                continue;
            }
            self.late.push(Refusal {
                quarantined: true,
                ..Refusal::new(number, reason)
            });
            let there = |(entry, _): &(Entry, RefusalReason)| entry.hash() == hash;
            let waits = self.seen.waiting.iter().any(|entry| entry.hash() == hash);
            let known = self.seen.quarantine.iter().chain(&quarantined).any(there) || self.seen.has(&hash) || waits;
            if !known && self.bug != Some(Bug::ForgetsQuarantine) {
                quarantined.push((self.entry(unit, &admitted), reason));
            }
        }
        let transaction = Transaction::Logged {
            entries: self.logged,
            waiting: self.waiting,
            released: self.released,
            quarantined,
        };
        (transaction, self.late)
    }
}

/// A device as admission knows it, for what is in quarantine.
pub(super) fn admitted(entry: &Entry, device: DevicePublicKey) -> Admitted {
    use crate::simulation::history::{ROUND, code, response_of};
    Admitted {
        response: response_of(entry.unit),
        round: ROUND,
        unit: code(entry.unit),
        device,
        attestation: 0,
        change: Change::clone(&entry.change),
    }
}
