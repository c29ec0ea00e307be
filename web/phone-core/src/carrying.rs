//! Carrying what is unsent by hand: bundles that only the server can read, as a file or as QR codes.
//!
//! Every change is also sealed to the server's key as soon as it is written, and kept outside the phone's own encryption:
//! so a phone whose PIN is lost, or whose app is broken, still gives up what it has not sent, to the server and to nobody
//! else.

use serde_json::{Value, json};
use sync_core::Change;
use sync_core::bundle::frames::FrameWriter;
use sync_core::bundle::{BundleError, BundleLimits, BundleWriter, RecipientKey};
use sync_core::device::DeviceKey;
use sync_core::exchange::CarriedAttestation;
use sync_core::identity::RoundId;

use crate::phone::{Phone, Reply, Turn};
use crate::problem::PhoneError;

/// Bytes of a QR code's symbol: a code of some 60 modules' width, which cheap cameras read from another screen.
const SYMBOL_BYTES: u16 = 400;

/// The bundle that is being shown as QR codes.
#[derive(Debug)]
pub(crate) struct Carried {
    /// Of how many changes it was made.
    changes: usize,
    frames: FrameWriter,
}

impl Phone {
    fn recipient(&self) -> Option<RecipientKey> {
        let (_, assignment) = self.assignment.as_ref()?;
        assignment.recipient()
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
        if self.recipient().is_none() {
            return Ok(None);
        }
        self.sealed_bundle(turn, key, round, [(unit, change)]).map(Some)
    }

    fn sealed_bundle<'c>(
        &self,
        turn: &mut Turn,
        key: &DeviceKey,
        round: RoundId,
        changes: impl IntoIterator<Item = (&'c str, &'c Change)>,
    ) -> Result<Vec<u8>, PhoneError> {
        let recipient = self.recipient();
        let now = turn.milliseconds();
        let mut writer = BundleWriter::new(key, now, recipient, &mut turn.random, BundleLimits::default());
        for (unit, change) in changes {
            let author = change.actor_id();
            let identity = self.identity.iter();
            let mut keys = identity
                .flat_map(|identity| identity.predecessors.iter().chain([&identity.secret]))
                .map(|secret| DeviceKey::from_secret(&secret.0));
            let signer = keys.find(|key| key.actor() == *author);
            let signer = signer.as_ref().unwrap_or(key);
            let hash = change.hash();
            let attestation = CarriedAttestation {
                device: signer.public(),
                hashes: hash.0.to_vec().into(),
                signature: signer.attest(&[hash]),
            };
            writer
                .add(round, unit, change.raw_bytes(), &attestation)
                .map_err(unwritten)?;
        }
        writer.finish().map_err(unwritten)
    }

    /// Everything unsent as one bundle, and of how many responses and changes it is.
    fn unsent_bundle(&self, turn: &mut Turn) -> Result<(Vec<u8>, usize, usize), PhoneError> {
        let (round, key) = self.enrolled()?;
        if self.recipient().is_none() {
            return Err(PhoneError::NotEnrolled);
        }
        let with_unsent = self
            .households
            .iter()
            .filter(|(_, household)| !household.outgoing.is_empty());
        let responses = with_unsent.clone().count();
        let mut changes: Vec<_> = with_unsent
            .flat_map(|(unit, household)| household.outgoing.iter().map(move |outgoing| (unit, outgoing)))
            .collect();
        if changes.is_empty() {
            return Err(PhoneError::NothingUnsent);
        }
        changes.sort_by_key(|(_, outgoing)| outgoing.record);
        let count = changes.len();
        let changes = changes
            .into_iter()
            .map(|(unit, outgoing)| (unit.as_str(), &outgoing.change));
        let bundle = self.sealed_bundle(turn, &key, round, changes)?;
        Ok((bundle, responses, count))
    }

    /// Everything unsent as a file.
    pub(crate) fn bundle(&mut self, turn: &mut Turn) -> Result<Reply, PhoneError> {
        self.leave_draft(turn)?;
        let (bundle, responses, _) = self.unsent_bundle(turn)?;
        let (_, key) = self.enrolled()?;
        let device: String = key.public().to_string().chars().take(8).collect();
        let name = format!("khaosat-{device}-{}.khaosat", turn.milliseconds() / 1000);
        Ok(Reply {
            value: json!({ "name": name, "bytes": null, "responses": responses }),
            parts: vec![("/bytes", bundle)],
        })
    }

    /// Everything unsent as texts for QR codes. Any of them may be missed: those that follow make up for it.
    pub(crate) fn frames(&mut self, first: u32, count: u32, turn: &mut Turn) -> Result<Value, PhoneError> {
        /// More than are shown in a second.
        const MOST: u32 = 64;
        let unsent: usize = self.households.values().map(|household| household.outgoing.len()).sum();
        let is_current = self.carried.as_ref().is_some_and(|carried| carried.changes == unsent);
        if first == 0 || !is_current {
            let (bundle, _, changes) = self.unsent_bundle(turn)?;
            let frames = FrameWriter::new(&bundle, SYMBOL_BYTES).map_err(|error| PhoneError::Bundle {
                vi: error.vietnamese(),
                en: error.to_string(),
            })?;
            self.carried = Some(Carried { changes, frames });
        }
        let Some(carried) = &self.carried else {
            return Err(PhoneError::NothingUnsent);
        };
        let numbers = first..first.saturating_add(count.min(MOST));
        let texts: Vec<String> = numbers.map(|number| carried.frames.frame(number)).collect();
        Ok(json!({ "texts": texts, "needed": carried.frames.needed() }))
    }
}

fn unwritten(error: BundleError) -> PhoneError {
    PhoneError::Bundle {
        vi: error.vietnamese(),
        en: error.to_string(),
    }
}
