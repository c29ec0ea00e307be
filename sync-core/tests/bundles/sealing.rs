//! What a courier sees of a sealed bundle, and who opens it.

use sync_core::bundle::{BundleLimits, BundleReader, RecipientKey, RecipientSecret, SectionError};

use crate::making::{assembled, carrier, device, header, sections, three_sections};

#[test]
fn only_the_recipient_reads_a_sealed_bundle() {
    let (secret, other) = (
        RecipientSecret::from_secret(&[5; 32]),
        RecipientSecret::from_secret(&[6; 32]),
    );
    let (bundle, hashes) = three_sections(Some(secret.public()));
    let expected: Vec<_> = hashes.iter().map(|hash| Ok(vec![Ok(*hash)])).collect();
    assert_eq!(sections(&bundle, Some(&secret)), Ok(expected));
    let recipient = secret.public().id();
    let own = other.public().id();
    for section in sections(&bundle, None).unwrap() {
        assert_eq!(section, Err(SectionError::Sealed { recipient }));
    }
    for section in sections(&bundle, Some(&other)).unwrap() {
        assert_eq!(section, Err(SectionError::WrongKey { recipient, own }));
    }
    // Whether it is whole can be told without the key.
    assert!(
        BundleReader::open(&bundle, BundleLimits::default())
            .unwrap()
            .missing()
            .is_empty()
    );
}

#[test]
fn a_device_opens_what_is_sealed_to_its_signing_key_and_no_other_does() {
    let recipient = device(4);
    let key = RecipientKey::of_device(&recipient.public()).unwrap();
    let (bundle, hashes) = three_sections(Some(key));
    let expected: Vec<_> = hashes.iter().map(|hash| Ok(vec![Ok(*hash)])).collect();
    let opening = RecipientSecret::of_device(&recipient).unwrap();
    assert_eq!(sections(&bundle, Some(&opening)), Ok(expected));
    let other = RecipientSecret::of_device(&device(5)).unwrap();
    for section in sections(&bundle, Some(&other)).unwrap() {
        assert!(matches!(section, Err(SectionError::WrongKey { .. })));
    }
    // Nor is a key that was made from the same secret in another way the same.
    let made = RecipientSecret::from_secret(&[4; 32]);
    assert_ne!(made.public(), key);
}

#[test]
fn a_courier_sees_neither_authors_nor_units_nor_rounds() {
    let secret = RecipientSecret::from_secret(&[5; 32]);
    let (bundle, _) = three_sections(Some(secret.public()));
    let reader = BundleReader::open(&bundle, BundleLimits::default()).unwrap();
    assert_eq!(reader.header().contents, None);
    let holds = |wanted: &[u8]| bundle.windows(wanted.len()).any(|window| window == wanted);
    assert!(holds(&carrier().public().0));
    for number in 1..=3 {
        assert!(!holds(&device(number).public().0));
    }
    assert!(!holds(crate::making::ROUND.0.as_bytes()));
}

#[test]
fn sealed_sections_cannot_be_moved_or_signed_anew_by_another_carrier() {
    let secret = RecipientSecret::from_secret(&[5; 32]);
    let stranger = RecipientSecret::from_secret(&[6; 32]);
    let (bundle, hashes) = three_sections(Some(secret.public()));
    let reader = BundleReader::open(&bundle, BundleLimits::default()).unwrap();
    let mut start = bundle.len()
        - reader
            .header()
            .sections
            .iter()
            .map(|section| section.bytes as usize)
            .sum::<usize>();
    let mut parts = Vec::new();
    for section in &reader.header().sections {
        parts.push(bundle[start..start + section.bytes as usize].to_vec());
        start += section.bytes as usize;
    }
    let reassembled = |carrier, parts: &[Vec<u8>], other| {
        let mut header = header(&carrier, parts);
        header.recipient = Some(RecipientSecret::public(other).id());
        sections(&assembled(&header, &carrier, parts), Some(other)).unwrap()
    };
    let same = reassembled(carrier(), &parts, &secret);
    assert_eq!(same[2], Ok(vec![Ok(hashes[2])]));
    let unopenable = |read: &[crate::making::Verdicts]| {
        read.iter()
            .filter(|section| matches!(section, Err(SectionError::Unopenable { .. })))
            .count()
    };
    assert_eq!(unopenable(&reassembled(device(8), &parts, &secret)), 3);
    // Whoever only claims that it is for another recipient opens nothing there.
    assert_eq!(unopenable(&reassembled(carrier(), &parts, &stranger)), 3);
    parts.swap(0, 1);
    assert_eq!(unopenable(&reassembled(carrier(), &parts, &secret)), 2);
    parts[2].truncate(20);
    assert_eq!(unopenable(&reassembled(carrier(), &parts, &secret)), 3);
}
