//! What a carrier that lies can do: nothing that an author did not sign.

use sync_core::bundle::{BundleError, SectionError};
use sync_core::device::AttestationSignature;
use sync_core::exchange::{AdmissionError, CarriedChanges, RefusalReason};

use crate::making::{
    Verdicts, answer, assembled, attestation, carried, carrier, device, encoded, header, sections, signed,
    three_sections,
};

/// What a reader says of a section that the carrier signed.
fn read(carried: &CarriedChanges) -> Verdicts {
    sections(&signed(&[encoded(carried)]), None).unwrap().remove(0)
}

fn refused(carried: &CarriedChanges) -> AdmissionError {
    match read(carried) {
        Err(SectionError::Admission { section: 0, source, .. }) => source,
        other => panic!("{other:?}"),
    }
}

#[test]
fn nobody_signs_as_another_carrier() {
    let section = vec![encoded(&carried(&device(1), "A1", "x"))];
    let forged = assembled(&header(&carrier(), &section), &device(1), &section);
    assert!(matches!(sections(&forged, None), Err(BundleError::Signature(_))));
}

#[test]
fn a_section_of_another_bundle_is_none_of_this_one() {
    let (one, other) = (
        encoded(&carried(&device(1), "A1", "x")),
        encoded(&carried(&device(1), "A1", "y")),
    );
    let forged = assembled(&header(&carrier(), &[one]), &carrier(), &[other]);
    assert!(matches!(
        sections(&forged, None).unwrap()[0],
        Err(SectionError::Damaged { section: 0, .. })
    ));
}

#[test]
fn a_carrier_cannot_write_in_an_authors_name() {
    // Its own signature under the author's key.
    let mut forged = carried(&device(1), "A1", "x");
    let change = answer(&device(1), "A1", "x");
    forged.attestations[0].signature = carrier().attest(&[change.hash()]);
    assert!(matches!(
        refused(&forged),
        AdmissionError::Signature { attestation: 0, .. }
    ));
    forged.attestations[0].signature = AttestationSignature([0; 64]);
    assert!(matches!(
        refused(&forged),
        AdmissionError::Signature { attestation: 0, .. }
    ));

    // A change that names the author as its actor, but that the author did not sign: the list gets its hash, or not.
    let mut forged = carried(&device(1), "A1", "x");
    let invented = answer(&device(1), "A1", "invented");
    forged.responses[0].changes[0].bytes = invented.raw_bytes().to_vec().into();
    assert_eq!(
        refused(&forged),
        AdmissionError::Unattested {
            change: 0,
            attestation: 0
        }
    );
    forged.attestations[0].hashes.extend_from_slice(&invented.hash().0);
    assert!(matches!(
        refused(&forged),
        AdmissionError::Signature { attestation: 0, .. }
    ));

    // A change of one author under the signature of another.
    let mut forged = carried(&device(1), "A1", "x");
    forged.attestations = vec![attestation(&device(2), &[answer(&device(1), "A1", "x")])];
    assert_eq!(read(&forged), Ok(vec![Err(RefusalReason::ForeignAuthor)]));
}

#[test]
fn a_change_belongs_to_the_response_that_its_author_wrote() {
    let mut moved = carried(&device(1), "A1", "x");
    moved.responses[0].unit = "A2".to_owned();
    assert_eq!(read(&moved), Ok(vec![Err(RefusalReason::ForeignStructure)]));
}

#[test]
fn attestations_that_are_missing_or_broken_refuse_the_section() {
    let mut forged = carried(&device(1), "A1", "x");
    forged.responses[0].changes[0].attestation = 1;
    assert_eq!(
        refused(&forged),
        AdmissionError::Unattested {
            change: 0,
            attestation: 1
        }
    );
    forged.responses[0].changes[0].attestation = u32::MAX;
    assert!(matches!(refused(&forged), AdmissionError::Unattested { .. }));
    let mut forged = carried(&device(1), "A1", "x");
    forged.attestations[0].hashes.pop();
    assert_eq!(
        refused(&forged),
        AdmissionError::BrokenList {
            attestation: 0,
            bytes: 31
        }
    );
    forged.attestations[0].hashes.clear();
    assert_eq!(
        refused(&forged),
        AdmissionError::BrokenList {
            attestation: 0,
            bytes: 0
        }
    );
    forged.attestations.clear();
    assert!(matches!(refused(&forged), AdmissionError::Unattested { .. }));
}

#[test]
fn every_message_speaks_vietnamese_first_and_names_its_place() {
    let mut forged = carried(&device(1), "A1", "x");
    forged.attestations[0].signature = AttestationSignature([0; 64]);
    let error = read(&forged).unwrap_err();
    assert!(error.vietnamese().contains("phần 0") && error.to_string().contains("section 0"));
    let (bundle, _) = three_sections(None);
    let error = sections(&bundle[..40], None).unwrap_err();
    assert!(error.vietnamese().starts_with("byte 40: tệp bị đứt") && error.to_string().starts_with("byte 40:"));
}
