//! Giving: what the server lacks as far as this phone knows, and for a colleague's phone also what that may lack.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Value, json};
use sync_core::bundle::frames::FrameWriter;
use sync_core::bundle::{BundleLimits, BundleWriter, FILE_EXTENSION, RecipientKey};
use sync_core::device::{DeviceKey, DevicePublicKey};
use sync_core::exchange::CarriedAttestation;
use sync_core::{Change, ChangeHash};

use super::{ShownBundle, attestation, attested_by, unusable};
use crate::household::Household;
use crate::phone::{Phone, Reply, Turn};
use crate::problem::PhoneError;

/// Bytes of a QR code's symbol: a code of some 60 modules' width, which cheap cameras read from another screen.
const SYMBOL_BYTES: u16 = 400;
/// QR codes that are made at once: more than are shown in a second.
const MOST_FRAMES: u32 = 64;
/// Bytes of changes up to which what the server has already is added for a colleague: in a file, and in codes, of which each
/// takes a moment to be scanned.
const FILE_BYTES: usize = 1 << 20;
const FRAMES_BYTES: usize = 12 << 10;

/// What is given.
struct Gift {
    bundle: Vec<u8>,
    responses: usize,
}

/// Changes on their way into a bundle.
#[derive(Default)]
struct Picked {
    changes: Vec<(String, Change, CarriedAttestation)>,
    bytes: usize,
    responses: BTreeSet<String>,
}

impl Picked {
    fn add(&mut self, unit: &str, change: Change, attestation: CarriedAttestation) {
        self.bytes += change.raw_bytes().len();
        self.responses.insert(unit.to_owned());
        self.changes.push((unit.to_owned(), change, attestation));
    }
}

impl Phone {
    /// `Colleague[]` of the protocol: the phones to which this one can give.
    pub(crate) fn colleagues(&self) -> Value {
        let Some((_, assignment)) = &self.assignment else {
            return json!([]);
        };
        let names = |codes: &[String]| -> Vec<&str> {
            let hamlets = assignment.device.hamlets.iter();
            let theirs = hamlets.filter(|hamlet| codes.contains(&hamlet.code));
            theirs.map(|hamlet| hamlet.name.as_str()).collect()
        };
        let mates = assignment.teammates.iter();
        let told = mates.filter(|mate| mate.key().is_some() && !mate.hamlets.is_empty());
        told.map(|mate| json!({ "key": mate.public_key, "name": mate.name, "hamlets": names(&mate.hamlets) }))
            .collect()
    }

    /// What is to be given as a file: to a colleague's phone by its key, or to the server.
    pub(crate) fn give(&mut self, to: Option<&str>, turn: &mut Turn) -> Result<Reply, PhoneError> {
        let to = self.colleague(to)?;
        self.leave_draft(turn)?;
        let gift = self.gift(to, FILE_BYTES, turn)?;
        let (_, key) = self.enrolled()?;
        let device: String = key.public().to_string().chars().take(8).collect();
        let name = format!("khaosat-{device}-{}.{FILE_EXTENSION}", turn.milliseconds() / 1000);
        Ok(Reply {
            value: json!({ "name": name, "bytes": null, "responses": gift.responses }),
            parts: vec![("/bytes", gift.bundle)],
        })
    }

    /// The same as texts for QR codes. Any of them may be missed: those that follow make up for it.
    pub(crate) fn give_frames(
        &mut self,
        to: Option<&str>,
        first: u32,
        count: u32,
        turn: &mut Turn,
    ) -> Result<Value, PhoneError> {
        let to = self.colleague(to)?;
        let own: usize = self.households.values().map(|household| household.outgoing.len()).sum();
        let pieces = own + self.undelivered().count() + self.parcels.len();
        let is_current = self
            .shown
            .as_ref()
            .is_some_and(|shown| shown.pieces == pieces && shown.to == to);
        if first == 0 || !is_current {
            let gift = self.gift(to, FRAMES_BYTES, turn)?;
            let frames = FrameWriter::new(&gift.bundle, SYMBOL_BYTES).map_err(|error| PhoneError::Bundle {
                vi: error.vietnamese(),
                en: error.to_string(),
            })?;
            self.shown = Some(ShownBundle { to, pieces, frames });
        }
        let Some(shown) = &self.shown else {
            return Err(PhoneError::NothingUnsent);
        };
        let numbers = first..first.saturating_add(count.min(MOST_FRAMES));
        let texts: Vec<String> = numbers.map(|number| shown.frames.frame(number)).collect();
        Ok(json!({ "texts": texts, "needed": shown.frames.needed() }))
    }

    /// The colleague with this key, to whom may be given.
    fn colleague(&self, key: Option<&str>) -> Result<Option<DevicePublicKey>, PhoneError> {
        let Some(key) = key else { return Ok(None) };
        let mates = self.assignment.iter().flat_map(|(_, assignment)| &assignment.teammates);
        let mut mates = mates.filter(|mate| mate.public_key == key && !mate.hamlets.is_empty());
        let mate = mates.next().and_then(|mate| mate.key());
        mate.map(Some).ok_or(PhoneError::UnknownColleague)
    }

    fn gift(&self, to: Option<DevicePublicKey>, bytes: usize, turn: &mut Turn) -> Result<Gift, PhoneError> {
        let (round, key) = self.enrolled()?;
        let recipient = match &to {
            Some(device) => RecipientKey::of_device(device).ok_or(PhoneError::UnknownColleague)?,
            None => self.recipient().ok_or(PhoneError::NotEnrolled)?,
        };
        let picked = match to {
            Some(_) => self.pick_for_colleague(bytes)?,
            None => self.pick_unsent(),
        };
        if picked.changes.is_empty() && self.parcels.is_empty() {
            return Err(match to {
                Some(_) => PhoneError::NothingToGive,
                None => PhoneError::NothingUnsent,
            });
        }
        let mut bundle = Vec::new();
        if !picked.changes.is_empty() {
            let now = turn.milliseconds();
            let limits = BundleLimits::default();
            let mut writer = BundleWriter::new(&key, now, Some(recipient), &mut turn.random, limits);
            for (unit, change, signed) in &picked.changes {
                writer.add(round, unit, change.raw_bytes(), signed).map_err(unusable)?;
            }
            bundle = writer.finish().map_err(unusable)?;
        }
        // Bundles may stand one after the other, whoever they are sealed to.
        for parcel in &self.parcels {
            bundle.extend_from_slice(&parcel.bundle);
        }
        Ok(Gift {
            bundle,
            responses: picked.responses.len(),
        })
    }

    /// What the server lacks.
    fn pick_unsent(&self) -> Picked {
        let keys = self.own_keys();
        let mut picked = Picked::default();
        for (unit, household) in &self.households {
            pick_unsent_of(unit, household, &keys, &mut picked);
        }
        picked
    }

    /// What the server lacks, with what this phone wrote of these responses before, on which it may depend; then what the
    /// server has of other responses, the newest first, since a colleague without network does not have it.
    fn pick_for_colleague(&self, bytes: usize) -> Result<Picked, PhoneError> {
        let (round, _) = self.enrolled()?;
        let keys = self.own_keys();
        let mut picked = Picked::default();
        let mut others: Vec<(i64, &String, Vec<Change>)> = Vec::new();
        for (unit, household) in &self.households {
            let response = household.response(round, unit)?;
            let unsent = !household.outgoing.is_empty() || household.is_carried();
            let sent: HashSet<ChangeHash> = household.hashes_in_log().collect();
            let own = response.changes().into_iter().filter(|change| {
                sent.contains(&change.hash()) && keys.iter().any(|key| key.actor() == *change.actor_id())
            });
            let own: Vec<Change> = own.collect();
            if unsent {
                for change in own {
                    if let Some(signed) = attestation(&keys, &change) {
                        picked.add(unit, change, signed);
                    }
                }
                pick_unsent_of(unit, household, &keys, &mut picked);
            } else if let Some(last) = own.iter().map(Change::timestamp).max() {
                others.push((last, unit, own));
            }
        }
        others.sort_by_key(|(last, _, _)| std::cmp::Reverse(*last));
        for (_, unit, own) in others {
            let more: usize = own.iter().map(|change| change.raw_bytes().len()).sum();
            if picked.bytes + more > bytes {
                break;
            }
            for change in own {
                if let Some(signed) = attestation(&keys, &change) {
                    picked.add(unit, change, signed);
                }
            }
        }
        Ok(picked)
    }
}

/// What the server lacks of a response: what is carried for others first, since what this phone wrote may build on it.
fn pick_unsent_of(unit: &str, household: &Household, keys: &[DeviceKey], picked: &mut Picked) {
    let carried = household.carried.iter().filter(|carried| !carried.kept.delivered);
    for carried in carried {
        picked.add(unit, carried.change.clone(), carried.kept.attestation.clone());
    }
    for outgoing in &household.outgoing {
        let change = outgoing.change.clone();
        let signed = attestation(keys, &change).or_else(|| Some(attested_by(keys.last()?, &change)));
        if let Some(signed) = signed {
            picked.add(unit, change, signed);
        }
    }
}
