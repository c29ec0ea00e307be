//! The server's checks of a request that need nothing but the request: signatures, authorship, structure.
//!
//! Scope, rounds and units are the server's data, and are checked there.

use automerge::legacy::{Key, ObjectId, Op, OpType};
use automerge::{Change, ChangeHash, ObjType, ScalarValue};

use super::chunk;
use super::extent::{self, KEY_BYTES};
use super::message::{Attestation, RefusalReason, ResponseChanges, SyncRequest};
use super::wire::Limits;
use crate::device::{AttestationSignature, DevicePublicKey, SignatureError};
use crate::identity::{ResponseId, RoundId};
use crate::response::genesis;

/// Bytes of a text answer at most.
const TEXT_BYTES: usize = 64 << 10;
/// The operations of the genesis are numbered from 1 to this.
const GENESIS_OPERATIONS: u64 = 3;

/// A change that is well-formed, of the structure of a response document, and signed by its author.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// The response that it belongs to.
    pub response: ResponseId,
    /// The round.
    pub round: RoundId,
    /// The surveyed unit's code.
    pub unit: String,
    /// The author.
    pub device: DevicePublicKey,
    /// The number of the attestation that covers it.
    pub attestation: usize,
    /// The change.
    pub change: Change,
}

/// The outcome for one change of a request.
pub type Verdict = Result<Admitted, RefusalReason>;

/// A request of which nothing can be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdmissionError {
    /// An attestation names changes that the request does not have, or none at all.
    #[error("attestation {attestation} covers changes {first} to {last}, but the request has {changes} changes")]
    AttestationOutOfRange {
        /// The attestation's number from 0.
        attestation: usize,
        /// The first change that it names.
        first: u64,
        /// The last change that it names.
        last: u64,
        /// How many changes there are.
        changes: usize,
    },
    /// A change is covered by no attestation, or by two.
    #[error("change {change} is covered by {attestations} attestations; one is needed")]
    Coverage {
        /// The change's number from 0.
        change: usize,
        /// How many attestations cover it.
        attestations: u32,
    },
    /// A carried change names an attestation that does not travel with it, or one that does not sign it.
    #[error("change {change} names attestation {attestation}, which does not sign it")]
    Unattested {
        /// The change's number from 0.
        change: usize,
        /// The attestation that it names.
        attestation: u32,
    },
    /// A carried attestation lists something else than hashes of 32 bytes.
    #[error("attestation {attestation} lists {bytes} bytes of hashes; whole hashes of 32 bytes each are needed")]
    BrokenList {
        /// The attestation's number from 0.
        attestation: usize,
        /// How many bytes its list has.
        bytes: usize,
    },
    /// An attestation's signature is wrong.
    #[error("attestation {attestation}: {source}")]
    Signature {
        /// The attestation's number from 0.
        attestation: usize,
        /// Whose signature it should be.
        source: SignatureError,
    },
}

impl AdmissionError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::AttestationOutOfRange {
                attestation,
                first,
                last,
                changes,
            } => format!(
                "xác nhận số {attestation} nêu các thay đổi từ {first} đến {last}, nhưng gói tin chỉ có {changes} thay đổi"
            ),
            Self::Coverage { change, attestations } => {
                format!("thay đổi số {change} có {attestations} xác nhận; cần đúng một")
            }
            Self::Unattested { change, attestation } => {
                format!("thay đổi số {change} nêu xác nhận số {attestation}, nhưng xác nhận này không ký thay đổi đó")
            }
            Self::BrokenList { attestation, bytes } => {
                format!("xác nhận số {attestation} có {bytes} byte mã băm; mỗi mã băm phải đủ 32 byte")
            }
            Self::Signature { attestation, source } => {
                format!("xác nhận số {attestation}: {}", source.vietnamese())
            }
        }
    }
}

/// Checks a request: one verdict for each change, in the request's order.
///
/// # Errors
/// [`AdmissionError`] when attestations do not fit the changes or a signature is wrong: then the message was damaged or
/// forged and nothing of it is taken.
pub fn admit(request: &SyncRequest, limits: &Limits) -> Result<Vec<Verdict>, AdmissionError> {
    let changes: Vec<Candidate<'_>> = request
        .responses
        .iter()
        .flat_map(|group| group.changes.iter().map(move |bytes| (Place::of(group), bytes)))
        .map(|(place, bytes)| Candidate::read(place, bytes, limits))
        .collect();

    let covering = coverage(&request.attestations, changes.len())?;
    // A run with a damaged change cannot be verified, since the change's hash is unknown; none of it is taken. A change
    // that is refused for what it says is no such change, and takes no other with it.
    let signed: Vec<Signed> = request
        .attestations
        .iter()
        .map(|attestation| Signed {
            device: attestation.device,
            hashes: changes[run(attestation)].iter().map(|change| change.hash).collect(),
            signature: attestation.signature,
        })
        .collect();
    judge(changes, &covering, &signed)
}

/// One attestation with the hashes that it signs; none where one of them is unknown.
pub(super) struct Signed {
    pub(super) device: DevicePublicKey,
    pub(super) hashes: Option<Vec<ChangeHash>>,
    pub(super) signature: AttestationSignature,
}

/// The verdict on each change, given the number of the attestation that covers it. This is the one place where a
/// change's author is believed, whichever way the change came.
pub(super) fn judge(
    changes: Vec<Candidate<'_>>,
    covering: &[usize],
    attestations: &[Signed],
) -> Result<Vec<Verdict>, AdmissionError> {
    for (number, attestation) in attestations.iter().enumerate() {
        if let Some(hashes) = &attestation.hashes {
            attestation
                .device
                .verify_attestation(hashes, &attestation.signature)
                .map_err(|source| AdmissionError::Signature {
                    attestation: number,
                    source,
                })?;
        }
    }
    Ok(changes
        .into_iter()
        .zip(covering)
        .map(|(change, &number)| {
            let (response, group, change) = change.outcome?;
            let Some(Signed {
                device,
                hashes: Some(_),
                ..
            }) = attestations.get(number)
            else {
                return Err(RefusalReason::Unverifiable);
            };
            if *change.actor_id() != device.actor() {
                return Err(RefusalReason::ForeignAuthor);
            }
            Ok(Admitted {
                response,
                round: group.round,
                unit: group.unit.to_owned(),
                device: *device,
                attestation: number,
                change,
            })
        })
        .collect())
}

/// What each attestation of an admitted request signs: the hashes of all changes that it covers, be they taken or not.
/// Whoever keeps an attestation keeps these with it, or nobody can verify it again.
pub fn attested_hashes(request: &SyncRequest) -> Vec<Vec<ChangeHash>> {
    let hashes: Vec<Option<ChangeHash>> = chunk::hashes(&request.responses).collect();
    request
        .attestations
        .iter()
        .map(|attestation| {
            let covered = hashes.get(run(attestation)).unwrap_or_default();
            covered.iter().copied().flatten().collect()
        })
        .collect()
}

/// The response that a change is said to belong to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) round: RoundId,
    pub(super) unit: &'a str,
}

impl<'a> Place<'a> {
    fn of(group: &'a ResponseChanges) -> Self {
        Self {
            round: group.round,
            unit: &group.unit,
        }
    }
}

/// A change of a request before its author is known.
pub(super) struct Candidate<'a> {
    /// Its hash; none where the bytes were damaged.
    pub(super) hash: Option<ChangeHash>,
    outcome: Result<(ResponseId, Place<'a>, Change), RefusalReason>,
}

impl<'a> Candidate<'a> {
    /// Reads a change's bytes.
    pub(super) fn read(place: Place<'a>, bytes: &[u8], limits: &Limits) -> Self {
        let hash = chunk::hash(bytes).map_err(RefusalReason::from);
        Self {
            hash: hash.ok(),
            outcome: hash.and_then(|_| read(place, bytes, limits)),
        }
    }
}

fn run(attestation: &Attestation) -> std::ops::Range<usize> {
    let first = attestation.first as usize;
    first..first + attestation.count as usize
}

/// The number of the attestation that covers each change.
fn coverage(attestations: &[Attestation], changes: usize) -> Result<Vec<usize>, AdmissionError> {
    let mut covering: Vec<(usize, u32)> = vec![(0, 0); changes];
    for (number, attestation) in attestations.iter().enumerate() {
        let (first, count) = (u64::from(attestation.first), u64::from(attestation.count));
        if count == 0 || first + count > changes as u64 {
            let last = (first + count).saturating_sub(1);
            return Err(AdmissionError::AttestationOutOfRange {
                attestation: number,
                first,
                last,
                changes,
            });
        }
        for (covered_by, times) in &mut covering[run(attestation)] {
            *covered_by = number;
            *times += 1;
            if *times > 1 {
                break;
            }
        }
    }
    covering
        .into_iter()
        .enumerate()
        .map(|(change, (number, times))| match times {
            1 => Ok(number),
            attestations => Err(AdmissionError::Coverage { change, attestations }),
        })
        .collect()
}

/// Reads a change, whose checksum is right, and checks all that follows from it and its response alone.
///
/// A document does not keep the bytes of its changes: Automerge writes them anew, and finds other bytes and another hash
/// where somebody else's encoder had chosen another order or other runs. Then no replica can say any more what it has, so
/// such a change is refused, whatever it says.
fn read<'a>(place: Place<'a>, bytes: &[u8], limits: &Limits) -> Result<(ResponseId, Place<'a>, Change), RefusalReason> {
    if bytes.len() > limits.change_bytes || place.unit.len() > limits.unit_bytes {
        return Err(RefusalReason::TooLarge);
    }
    extent::check(bytes)?;
    let change = Change::from_bytes(bytes.to_vec()).map_err(|_| RefusalReason::Malformed)?;
    let response = ResponseId::of(place.round, place.unit);
    let told = change.decode();
    check_structure(&told.operations, response)?;
    if !replace_each_once(&told.operations) || Change::from(told).raw_bytes() != bytes {
        return Err(RefusalReason::Malformed);
    }
    Ok((response, place, change))
}

/// Whether no operation replaces another one twice, which a document would not remember.
fn replace_each_once(operations: &[Op]) -> bool {
    operations
        .iter()
        .all(|operation| operation.pred.iter().is_sorted_by(|one, next| one < next))
}

/// A response document has three maps, and maps of scalars below two of them. A change that writes anything else, in
/// particular one that replaces those maps and so hides other people's answers, is refused.
fn check_structure(operations: &[Op], response: ResponseId) -> Result<(), RefusalReason> {
    let genesis = genesis::actor(response);
    let fits = |operation: &Op| {
        let Key::Map(key) = &operation.key else { return false };
        let ObjectId::Id(object) = &operation.obj else {
            return false;
        };
        // The first operations are the genesis's: under these numbers nobody else made an object of this response.
        if object.0 <= GENESIS_OPERATIONS && object.1 != genesis {
            return false;
        }
        let within_collection = object.1 == genesis && matches!(object.0, 2 | 3);
        let action_fits = match &operation.action {
            OpType::Make(ObjType::Map) => within_collection && operation.pred.is_empty(),
            OpType::Put(value) => !within_collection && scalar_fits(value),
            _ => false,
        };
        action_fits && !operation.insert && key.len() <= KEY_BYTES
    };
    if operations.iter().all(fits) {
        Ok(())
    } else {
        Err(RefusalReason::ForeignStructure)
    }
}

fn scalar_fits(value: &ScalarValue) -> bool {
    match value {
        ScalarValue::Str(text) => text.len() <= TEXT_BYTES,
        ScalarValue::F64(number) => number.is_finite(),
        ScalarValue::Int(_)
        | ScalarValue::Uint(_)
        | ScalarValue::Boolean(_)
        | ScalarValue::Timestamp(_)
        | ScalarValue::Null => true,
        ScalarValue::Bytes(_) | ScalarValue::Counter(_) | ScalarValue::Unknown { .. } => false,
    }
}
