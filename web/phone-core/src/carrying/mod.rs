//! Carrying changes without network: bundles that only the server, or only one colleague's phone, can read, as a file or as
//! QR codes; and what this phone carries for others until the server has it.
//!
//! Every change is also sealed to the server's key as soon as it is written or taken to be carried, and kept outside the
//! phone's own encryption: so a phone whose PIN is lost, or whose app is broken, still gives up what it has not sent, to the
//! server and to nobody else.

mod delivering;
mod giving;
mod receiving;

pub(crate) use delivering::Batch;

use sync_core::Change;
use sync_core::bundle::frames::FrameWriter;
use sync_core::bundle::{BundleError, BundleLimits, BundleWriter, RecipientKey};
use sync_core::device::{DeviceKey, DevicePublicKey};
use sync_core::exchange::CarriedAttestation;
use sync_core::identity::RoundId;

use crate::phone::{Phone, Turn};
use crate::problem::PhoneError;
use crate::record::{CarriedRecord, RecordId};

/// The bundle that is being shown as QR codes.
#[derive(Debug)]
pub(crate) struct ShownBundle {
    /// To whom it is sealed; none for the server.
    to: Option<DevicePublicKey>,
    /// Of how many changes and parcels it was made.
    pieces: usize,
    frames: FrameWriter,
}

/// A change that somebody else wrote and this phone carries to the server.
#[derive(Debug, Clone)]
pub(crate) struct Carried {
    pub(crate) record: RecordId,
    pub(crate) change: Change,
    pub(crate) kept: CarriedRecord,
}

/// A bundle that only the server can read, carried as it is.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub(crate) record: RecordId,
    pub(crate) bundle: Vec<u8>,
}

impl Phone {
    fn recipient(&self) -> Option<RecipientKey> {
        let (_, assignment) = self.assignment.as_ref()?;
        assignment.recipient()
    }

    /// The keys that this phone has or had, the one in use last.
    fn own_keys(&self) -> Vec<DeviceKey> {
        let identity = self.identity.iter();
        let secrets = identity.flat_map(|identity| identity.predecessors.iter().chain([&identity.secret]));
        secrets.map(|secret| self.keys.key(secret)).collect()
    }

    /// A change as a bundle of its own, sealed to the server; none where the server's key is not known.
    pub(crate) fn sealed(
        &self,
        turn: &mut Turn,
        key: &DeviceKey,
        round: RoundId,
        unit: &str,
        change: &Change,
    ) -> Result<Option<Vec<u8>>, PhoneError> {
        let signed = attestation(&self.own_keys(), change).unwrap_or_else(|| attested_by(key, change));
        self.sealed_alone(turn, key, round, unit, change, &signed)
    }

    /// The same for a change with this attestation.
    fn sealed_alone(
        &self,
        turn: &mut Turn,
        key: &DeviceKey,
        round: RoundId,
        unit: &str,
        change: &Change,
        attestation: &CarriedAttestation,
    ) -> Result<Option<Vec<u8>>, PhoneError> {
        let Some(recipient) = self.recipient() else {
            return Ok(None);
        };
        let now = turn.milliseconds();
        let mut writer = BundleWriter::new(key, now, Some(recipient), &mut turn.random, BundleLimits::default());
        writer
            .add(round, unit, change.raw_bytes(), attestation)
            .map_err(unusable)?;
        writer.finish().map(Some).map_err(unusable)
    }

    /// Everything that this phone carries for others and the server has not answered for, in the order in which it came.
    fn undelivered(&self) -> impl Iterator<Item = (&str, &Carried)> {
        let carried = self
            .households
            .iter()
            .flat_map(|(unit, household)| household.carried.iter().map(move |carried| (unit.as_str(), carried)));
        carried.filter(|(_, carried)| !carried.kept.delivered)
    }

    /// Of how many responses it carries something for others.
    pub(crate) fn carried_responses(&self) -> usize {
        let households = self.households.values();
        households.filter(|household| household.is_carried()).count()
    }
}

/// The signature under a change alone, by the key among these that wrote it.
fn attestation(keys: &[DeviceKey], change: &Change) -> Option<CarriedAttestation> {
    let author = change.actor_id();
    let author = keys.iter().find(|key| key.actor() == *author)?;
    Some(attested_by(author, change))
}

fn attested_by(key: &DeviceKey, change: &Change) -> CarriedAttestation {
    let hash = change.hash();
    CarriedAttestation {
        device: key.public(),
        hashes: hash.0.to_vec().into(),
        signature: key.attest(&[hash]),
    }
}

fn unusable(error: BundleError) -> PhoneError {
    PhoneError::Bundle {
        vi: error.vietnamese(),
        en: error.to_string(),
    }
}
