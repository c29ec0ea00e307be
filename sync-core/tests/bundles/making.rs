//! Changes, and bundles of them: honest ones, and ones put together byte by byte.

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};
use survey_forms::answers::{AnswerPath, AnswersMut};
use sync_core::bundle::{
    BundleError, BundleHeader, BundleLimits, BundleReader, BundleWriter, RecipientKey, RecipientSecret, SectionEntry,
    SectionError,
};
use sync_core::device::DeviceKey;
use sync_core::exchange::{CarriedAttestation, CarriedChange, CarriedChanges, CarriedResponse, Coding, RefusalReason};
use sync_core::identity::{ResponseId, RoundId};
use sync_core::response::Response;
use sync_core::{Change, ChangeHash};
use uuid::Uuid;

pub(crate) const ROUND: RoundId = RoundId(Uuid::from_u128(7));
pub(crate) const CREATED_AT: i64 = 1_760_000_000_000;

pub(crate) fn device(number: u8) -> DeviceKey {
    DeviceKey::from_secret(&[number; 32])
}

pub(crate) fn carrier() -> DeviceKey {
    device(99)
}

/// The first change of a device to a unit.
pub(crate) fn answer(key: &DeviceKey, unit: &str, text: &str) -> Change {
    let mut response = Response::new(ResponseId::of(ROUND, unit)).unwrap();
    let edited = response.edit(&key.actor(), 1_760_000_000, |edit| {
        edit.put_answer(&AnswerPath::top("note"), &text.into())
    });
    edited.unwrap().1.unwrap()
}

/// The signature of a device under these changes, with their hashes.
pub(crate) fn attestation(key: &DeviceKey, changes: &[Change]) -> CarriedAttestation {
    let hashes: Vec<ChangeHash> = changes.iter().map(Change::hash).collect();
    CarriedAttestation {
        device: key.public(),
        hashes: hashes.iter().flat_map(|hash| hash.0).collect::<Vec<u8>>().into(),
        signature: key.attest(&hashes),
    }
}

/// One change of `unit`, alone under its author's signature.
pub(crate) fn carried(key: &DeviceKey, unit: &str, text: &str) -> CarriedChanges {
    let change = answer(key, unit, text);
    CarriedChanges {
        attestations: vec![attestation(key, std::slice::from_ref(&change))],
        responses: vec![CarriedResponse {
            round: ROUND,
            unit: unit.to_owned(),
            changes: vec![CarriedChange {
                attestation: 0,
                bytes: ByteBuf::from(change.raw_bytes()),
            }],
        }],
    }
}

/// A secure source in earnest, a seeded one here.
pub(crate) fn random() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(1)
}

/// Limits with which each change gets a section of its own.
pub(crate) fn small_sections() -> BundleLimits {
    BundleLimits {
        section_bytes: 1,
        ..BundleLimits::default()
    }
}

/// A bundle of three sections with one change each, and the changes' hashes.
pub(crate) fn three_sections(recipient: Option<RecipientKey>) -> (Vec<u8>, Vec<ChangeHash>) {
    let carrier = carrier();
    let mut writer = BundleWriter::new(&carrier, CREATED_AT, recipient, random(), small_sections());
    let mut hashes = Vec::new();
    for (number, unit) in [(1, "A1"), (2, "A2"), (3, "B1")] {
        let key = device(number);
        let change = answer(&key, unit, "Nguyễn Thị Hoa");
        let signed = attestation(&key, std::slice::from_ref(&change));
        writer.add(ROUND, unit, change.raw_bytes(), &signed).unwrap();
        hashes.push(change.hash());
    }
    (writer.finish().unwrap(), hashes)
}

/// The verdicts of one section.
pub(crate) type Verdicts = Result<Vec<Result<ChangeHash, RefusalReason>>, SectionError>;

/// What each section of a file says.
pub(crate) fn sections(file: &[u8], key: Option<&RecipientSecret>) -> Result<Vec<Verdicts>, BundleError> {
    let reader = BundleReader::open(file, BundleLimits::default())?;
    let section = |number| {
        let section = reader.section(number, key)?;
        let hash = |verdict: sync_core::exchange::Verdict| verdict.map(|admitted| admitted.change.hash());
        Ok(section.verdicts.into_iter().map(hash).collect())
    };
    Ok((0..reader.section_count()).map(section).collect())
}

/// The sections' compressed bytes.
pub(crate) fn encoded(carried: &CarriedChanges) -> Vec<u8> {
    sync_core::exchange::wire::encode_as(carried, Coding::Deflate).unwrap()
}

/// The header that names these sections.
pub(crate) fn header(carrier: &DeviceKey, sections: &[Vec<u8>]) -> BundleHeader {
    BundleHeader {
        carrier: carrier.public(),
        created_at: CREATED_AT,
        recipient: None,
        contents: None,
        sections: sections
            .iter()
            .map(|section| SectionEntry {
                bytes: section.len() as u64,
                sha256: Sha256::digest(section).into(),
            })
            .collect(),
    }
}

/// A file put together by `docs/protocol-bundle.md`: this header, signed by this key, and these sections.
pub(crate) fn assembled(header: &BundleHeader, signer: &DeviceKey, sections: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(header, &mut bytes).unwrap();
    let mut file = b"\xc4KST\r\n\x1a\n\x00\x02".to_vec();
    file.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
    file.extend_from_slice(&bytes);
    file.extend_from_slice(&signer.sign_bundle(&bytes));
    sections.iter().for_each(|section| file.extend_from_slice(section));
    file
}

/// A file of these sections that its carrier signed honestly.
pub(crate) fn signed(sections: &[Vec<u8>]) -> Vec<u8> {
    assembled(&header(&carrier(), sections), &carrier(), sections)
}
