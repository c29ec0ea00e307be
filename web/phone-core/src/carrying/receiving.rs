//! Receiving what a colleague gives: reading it, showing it as if the server had sent it, and carrying it to the server.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::{Value, json};
use sync_core::ChangeHash;
use sync_core::bundle::frames::{FrameError, FrameReader};
use sync_core::bundle::{BundleLimits, BundleReader, RecipientId, RecipientKey, RecipientSecret, SectionError};
use sync_core::device::DevicePublicKey;
use sync_core::exchange::{Admitted, CarriedAttestation};
use sync_core::unit::AddedUnit;

use super::{Carried, Parcel, unusable};
use crate::phone::{Phone, Turn};
use crate::problem::PhoneError;
use crate::record::{CarriedRecord, Record, Visibility};

/// Bytes of what is taken at once.
const MOST_BYTES: usize = 16 << 20;
/// Changes and parcels that are carried for others at most.
const MOST_CARRIED: usize = 20_000;
const MOST_PARCELS: usize = 64;

/// What bundles hold, before anything of it is kept.
#[derive(Default)]
struct Opened {
    carriers: Vec<DevicePublicKey>,
    changes: Vec<(Admitted, CarriedAttestation)>,
    parcels: Vec<Vec<u8>>,
    /// Why a section could not be read, in both languages.
    failure: Option<(String, String)>,
}

/// What became of it.
#[derive(Default)]
struct Counts {
    shown: BTreeSet<String>,
    new: usize,
    known: usize,
    aside: usize,
    parcels: usize,
}

impl Phone {
    /// Takes bundles, one after the other. Nothing is kept where nothing can be read.
    pub(crate) fn receive(&mut self, bytes: &[u8], turn: &mut Turn) -> Result<Value, PhoneError> {
        let opened = self.open_bundles(bytes)?;
        self.keep_opened(opened, turn)
    }

    /// Forgets the frames that were taken.
    pub(crate) fn begin_frames(&mut self) -> Value {
        self.frames = FrameReader::new();
        Value::Null
    }

    /// Takes the text of a QR code. What is no frame of a bundle does nothing: a camera sees other codes too.
    pub(crate) fn receive_frame(&mut self, text: &str, turn: &mut Turn) -> Result<Value, PhoneError> {
        let mut taken = self.frames.take(text);
        if taken == Err(FrameError::OtherBundle) {
            // The colleague has begun anew, with something else.
            self.frames = FrameReader::new();
            taken = self.frames.take(text);
        }
        let progress = match taken {
            Ok(progress) => progress,
            Err(error @ (FrameError::UnsupportedVersion { .. } | FrameError::Contradiction)) => {
                return Err(PhoneError::Bundle {
                    vi: error.vietnamese(),
                    en: error.to_string(),
                });
            }
            Err(_) => return Ok(json!({ "received": null, "needed": null, "taken": null })),
        };
        let taken = match &progress.bundle {
            Some(bundle) => {
                let taken = self.receive(bundle, turn);
                self.frames = FrameReader::new();
                taken?
            }
            None => Value::Null,
        };
        Ok(json!({ "received": progress.received, "needed": progress.needed, "taken": taken }))
    }

    fn open_bundles(&self, bytes: &[u8]) -> Result<Opened, PhoneError> {
        if bytes.len() > MOST_BYTES {
            return Err(PhoneError::Bundle {
                vi: format!("Tệp lớn hơn {} MB, máy này không nhận được.", MOST_BYTES >> 20),
                en: format!(
                    "The file has more than {} MB, which this phone does not take.",
                    MOST_BYTES >> 20
                ),
            });
        }
        let secrets: Vec<RecipientSecret> = self.own_keys().iter().filter_map(RecipientSecret::of_device).collect();
        let server = self.recipient().map(|key: RecipientKey| key.id());
        let mut opened = Opened::default();
        let mut rest = Some(bytes);
        while let Some(file) = rest {
            let reader = BundleReader::open(file, BundleLimits::default()).map_err(unusable)?;
            rest = reader.following();
            opened.carriers.push(reader.header().carrier);
            match reader.header().recipient {
                Some(recipient) if Some(recipient) == server => match reader.missing().first() {
                    Some((_, error)) => opened.failed(error),
                    None => opened.parcels.push(file[..reader.whole_bytes()].to_vec()),
                },
                recipient => opened.read(&reader, key_for(&secrets, recipient)),
            }
        }
        match &opened.failure {
            Some((vi, en)) if opened.changes.is_empty() && opened.parcels.is_empty() => Err(PhoneError::Bundle {
                vi: vi.clone(),
                en: en.clone(),
            }),
            _ => Ok(opened),
        }
    }

    fn keep_opened(&mut self, opened: Opened, turn: &mut Turn) -> Result<Value, PhoneError> {
        let (round, key) = self.enrolled()?;
        if self.undelivered().count() + opened.changes.len() > MOST_CARRIED
            || self.parcels.len() + opened.parcels.len() > MOST_PARCELS
        {
            return Err(PhoneError::Bundle {
                vi: "Máy này đang mang hộ quá nhiều; hãy gửi khi có mạng rồi nhận tiếp.".to_owned(),
                en: "This phone carries too much for others already; send once there is a network, then go on."
                    .to_owned(),
            });
        }
        let own: HashSet<_> = self.own_keys().iter().map(|key| key.actor()).collect();
        let mut counts = Counts::default();
        let mut known: BTreeMap<String, HashSet<ChangeHash>> = BTreeMap::new();
        for (admitted, attestation) in opened.changes {
            // What this phone wrote it has itself, or the server will tell it.
            if admitted.round != round || own.contains(admitted.change.actor_id()) {
                continue;
            }
            let household = self.households.get(&admitted.unit);
            let known = known.entry(admitted.unit.clone()).or_insert_with(|| {
                let everything = household.iter().flat_map(|household| household.all_hashes());
                everything.collect()
            });
            if !known.insert(admitted.change.hash()) {
                counts.known += 1;
                continue;
            }
            let visibility = self.visibility(&admitted);
            let sealed = self.sealed_alone(turn, &key, round, &admitted.unit, &admitted.change, &attestation)?;
            counts.new += 1;
            match visibility {
                Visibility::Aside => counts.aside += 1,
                Visibility::Held | Visibility::Shown => {
                    counts.shown.insert(admitted.unit.clone());
                }
            }
            let record = self.new_record();
            let kept = CarriedRecord {
                unit: admitted.unit.clone(),
                change: admitted.change.raw_bytes().to_vec().into(),
                attestation,
                visibility,
                delivered: false,
            };
            turn.store.put(record, &Record::Carried(kept.clone()));
            if let Some(sealed) = sealed {
                turn.store.seal(record, sealed);
            }
            let household = self.households.entry(admitted.unit).or_default();
            household.carried.push(Carried {
                record,
                change: admitted.change,
                kept,
            });
        }
        for unit in &counts.shown {
            self.show_changes(unit, turn)?;
        }
        for bundle in opened.parcels {
            if self.parcels.iter().any(|parcel| parcel.bundle == bundle) {
                counts.known += 1;
                continue;
            }
            let record = self.new_record();
            turn.store.put(record, &Record::Parcel(bundle.clone().into()));
            turn.store.seal(record, bundle.clone());
            self.parcels.push(Parcel { record, bundle });
            counts.parcels += 1;
        }
        Ok(json!({
            "from": opened.carriers.first().and_then(|carrier| self.name_of_teammate(carrier)),
            "responses": counts.shown.len(),
            "changes": counts.new,
            "known": counts.known,
            "aside": counts.aside,
            "parcels": counts.parcels,
            "failure": opened.failure.map(|(vi, en)| match self.language {
                crate::phone::Language::Vietnamese => vi,
                crate::phone::Language::English => en,
            }),
        }))
    }

    /// Whether a change is shown: where the server would take it from its author, as far as this phone was told, and after
    /// the interview of its household where that is open.
    fn visibility(&self, admitted: &Admitted) -> Visibility {
        let Some((_, assignment)) = &self.assignment else {
            return Visibility::Aside;
        };
        // A household that was added in the field says its hamlet itself.
        let listed = assignment.units.iter().find(|unit| unit.code == admitted.unit);
        let listed = listed.map(|unit| unit.hamlet.as_str());
        let hamlet = listed.or_else(|| AddedUnit::parse(&admitted.unit).map(|added| added.hamlet()));
        let author = admitted.device.to_string();
        let mate = assignment.teammates.iter().find(|mate| mate.public_key == author);
        let is_believed = mate
            .zip(hamlet)
            .is_some_and(|(mate, hamlet)| mate.hamlets.iter().any(|theirs| theirs == hamlet));
        match is_believed {
            false => Visibility::Aside,
            true if self.is_worked_on(&admitted.unit) => Visibility::Held,
            true => Visibility::Shown,
        }
    }

    fn name_of_teammate(&self, device: &DevicePublicKey) -> Option<&str> {
        let mates = self.assignment.iter().flat_map(|(_, assignment)| &assignment.teammates);
        let key = device.to_string();
        let mut mates = mates.filter(|mate| mate.public_key == key);
        mates.next().map(|mate| mate.name.as_str())
    }
}

impl Opened {
    fn failed(&mut self, error: &SectionError) {
        self.failure
            .get_or_insert_with(|| (error.vietnamese(), error.to_string()));
    }

    fn read(&mut self, reader: &BundleReader<'_>, key: Option<&RecipientSecret>) {
        for number in 0..reader.section_count() {
            let section = match reader.section(number, key) {
                Ok(section) => section,
                Err(error) => {
                    self.failed(&error);
                    continue;
                }
            };
            for admitted in section.verdicts.into_iter().flatten() {
                if let Some(attestation) = section.attestations.get(admitted.attestation) {
                    self.changes.push((admitted, attestation.clone()));
                }
            }
        }
    }
}

/// The key that opens what is sealed to `recipient`; any, which tells the mistake, where none does.
fn key_for(secrets: &[RecipientSecret], recipient: Option<RecipientId>) -> Option<&RecipientSecret> {
    let wanted = secrets.iter().find(|secret| Some(secret.public().id()) == recipient);
    wanted.or_else(|| secrets.last())
}
