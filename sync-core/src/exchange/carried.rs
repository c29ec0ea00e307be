//! Changes that somebody else carries: a hub, a courier, a bundle.
//!
//! The author of a [`SyncRequest`](super::SyncRequest) sends whole runs, so its attestations name them by position and
//! leave the hashes out. Whoever carries changes may hold only some of a run, since others were refused or are not the
//! recipient's, so here an attestation travels with every hash that it signs and each change names its attestation.

use std::collections::{HashMap, HashSet};

use automerge::ChangeHash;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::admission::{AdmissionError, Candidate, Place, Signed, Verdict, judge};
use super::chunk;
use super::wire::Limits;
use crate::device::{AttestationSignature, DevicePublicKey};
use crate::identity::RoundId;

/// Bytes of a change's hash (SHA-256).
const HASH_BYTES: usize = 32;

/// Changes of any authors with the attestations that cover them, complete in itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarriedChanges {
    /// The changes, grouped by response. Their flat order numbers them from 0.
    pub responses: Vec<CarriedResponse>,
    /// Who wrote them. The changes name these by their number from 0.
    pub attestations: Vec<CarriedAttestation>,
}

impl CarriedChanges {
    /// How many changes there are.
    pub fn change_count(&self) -> usize {
        self.responses.iter().map(|response| response.changes.len()).sum()
    }

    /// The changes' hashes in the order in which they are numbered; none for one whose bytes are damaged.
    pub fn hashes(&self) -> impl Iterator<Item = Option<ChangeHash>> {
        let changes = self.responses.iter().flat_map(|response| &response.changes);
        changes.map(|change| chunk::hash(&change.bytes).ok())
    }
}

/// Changes of one response. A carrier that has the dependencies of a change puts them before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarriedResponse {
    /// The round.
    pub round: RoundId,
    /// The surveyed unit's code.
    pub unit: String,
    /// The changes.
    pub changes: Vec<CarriedChange>,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarriedChange {
    /// The number of the attestation that signs it.
    pub attestation: u32,
    /// The uncompressed Automerge change chunk.
    pub bytes: ByteBuf,
}

/// A device's signature under the changes with these hashes, of which some may be elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarriedAttestation {
    /// The author.
    pub device: DevicePublicKey,
    /// The signed hashes in the order in which they were signed, 32 bytes each, one after the other.
    pub hashes: ByteBuf,
    /// The signature, over what [`DeviceKey::attest`](crate::device::DeviceKey::attest) signs.
    pub signature: AttestationSignature,
}

impl CarriedAttestation {
    /// The signed hashes; none where the list is empty or ends amid a hash.
    pub fn hashes(&self) -> Option<Vec<ChangeHash>> {
        let (hashes, rest) = self.hashes.as_chunks::<HASH_BYTES>();
        (!hashes.is_empty() && rest.is_empty()).then(|| hashes.iter().copied().map(ChangeHash).collect())
    }
}

/// Gathers changes into [`CarriedChanges`]: each response and each attestation once, in the order in which they come.
///
/// Changes that were signed together are best added one after the other, and the dependencies of a change before it:
/// the order of a server's log is both.
#[derive(Debug, Default)]
pub struct CarriedBuilder {
    carried: CarriedChanges,
    bytes: usize,
    changes: usize,
    places: HashMap<(RoundId, String), usize>,
    attestations: HashMap<(DevicePublicKey, [u8; 64]), u32>,
}

impl CarriedBuilder {
    /// Adds a change (an uncompressed Automerge change chunk) of the response of `unit`, signed by `attestation`.
    pub fn add(&mut self, round: RoundId, unit: &str, change: &[u8], attestation: &CarriedAttestation) {
        self.bytes += self.more_bytes(change, attestation);
        self.changes += 1;
        let carried = &mut self.carried;
        let kept = (attestation.device, attestation.signature.0);
        let number = *self.attestations.entry(kept).or_insert_with(|| {
            carried.attestations.push(attestation.clone());
            u32::try_from(carried.attestations.len() - 1).unwrap_or(u32::MAX)
        });
        let place = *self.places.entry((round, unit.to_owned())).or_insert_with(|| {
            carried.responses.push(CarriedResponse {
                round,
                unit: unit.to_owned(),
                changes: Vec::new(),
            });
            carried.responses.len() - 1
        });
        if let Some(response) = carried.responses.get_mut(place) {
            response.changes.push(CarriedChange {
                attestation: number,
                bytes: ByteBuf::from(change),
            });
        }
    }

    /// How many bytes a change would add, before compression.
    pub fn more_bytes(&self, change: &[u8], attestation: &CarriedAttestation) -> usize {
        let kept = (attestation.device, attestation.signature.0);
        match self.attestations.contains_key(&kept) {
            true => change.len(),
            false => change.len() + attestation.hashes.len(),
        }
    }

    /// Bytes of the changes and attestations so far, before compression.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many changes there are so far.
    pub fn change_count(&self) -> usize {
        self.changes
    }

    /// What was gathered.
    pub fn finish(self) -> CarriedChanges {
        self.carried
    }
}

/// Checks carried changes: one verdict for each, in their order. [`Admitted::attestation`](super::Admitted) counts the
/// carried attestations.
///
/// # Errors
/// [`AdmissionError`] when a change names an attestation that does not sign it, a list of hashes is broken or a signature
/// is wrong: no honest carrier takes such changes in, so nothing that comes with them is taken.
pub fn admit_carried(carried: &CarriedChanges, limits: &Limits) -> Result<Vec<Verdict>, AdmissionError> {
    let mut signed = Vec::with_capacity(carried.attestations.len());
    let mut listed: Vec<HashSet<ChangeHash>> = Vec::with_capacity(carried.attestations.len());
    for (number, attestation) in carried.attestations.iter().enumerate() {
        let hashes = attestation.hashes().ok_or(AdmissionError::BrokenList {
            attestation: number,
            bytes: attestation.hashes.len(),
        })?;
        listed.push(hashes.iter().copied().collect());
        signed.push(Signed {
            device: attestation.device,
            hashes: Some(hashes),
            signature: attestation.signature,
        });
    }
    let (mut candidates, mut covering) = (Vec::new(), Vec::new());
    for group in &carried.responses {
        let place = Place {
            round: group.round,
            unit: &group.unit,
        };
        for change in &group.changes {
            let candidate = Candidate::read(place, &change.bytes, limits);
            let attestation = change.attestation as usize;
            // A damaged change has no hash and is refused by itself.
            let covered = listed
                .get(attestation)
                .is_some_and(|listed| candidate.hash.is_none_or(|hash| listed.contains(&hash)));
            if !covered {
                return Err(AdmissionError::Unattested {
                    change: candidates.len(),
                    attestation: change.attestation,
                });
            }
            candidates.push(candidate);
            covering.push(attestation);
        }
    }
    judge(candidates, &covering, &signed)
}
