//! What is written is read again, whatever it is.

use std::collections::BTreeSet;

use proptest::prelude::*;
use sync_core::bundle::{BundleLimits, BundleReader, BundleWriter, RecipientSecret};
use sync_core::exchange::{Limits, admit_carried};
use sync_core::{Change, ChangeHash};

use crate::making::{
    CREATED_AT, ROUND, answer, assembled, attestation, carried, carrier, device, encoded, header, random, sections,
    signed, three_sections,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Runs of several authors of which only some changes are carried, in one section or many, sealed or not.
    #[test]
    fn a_bundle_holds_what_was_added(
        runs in prop::collection::vec((1u8..5, prop::collection::vec(("[AB][1-9]", ".{0,40}", any::<bool>()), 1..6)), 0..5),
        section_bytes in 1usize..4000,
        sealed in any::<bool>(),
    ) {
        let limits = BundleLimits { section_bytes, ..BundleLimits::default() };
        let secret = RecipientSecret::from_secret(&[5; 32]);
        let carrier = carrier();
        let mut writer =
            BundleWriter::new(&carrier, CREATED_AT, sealed.then(|| secret.public()), random(), limits);
        let mut added: BTreeSet<ChangeHash> = BTreeSet::new();
        for (author, run) in &runs {
            let key = device(*author);
            let changes: Vec<Change> = run.iter().map(|(unit, text, _)| answer(&key, unit, text)).collect();
            let signed = attestation(&key, &changes);
            for ((unit, _, carried), change) in run.iter().zip(&changes) {
                if *carried {
                    writer.add(ROUND, unit, change.raw_bytes(), &signed).unwrap();
                    added.insert(change.hash());
                }
            }
        }
        let contents = writer.contents();
        let bundle = writer.finish().unwrap();
        let reader = BundleReader::open(&bundle, BundleLimits::default()).unwrap();
        prop_assert!(reader.missing().is_empty());
        prop_assert_eq!(reader.whole_bytes(), bundle.len());
        prop_assert_eq!(reader.header().contents.clone(), (!sealed).then_some(contents));
        let read: BTreeSet<ChangeHash> = sections(&bundle, sealed.then_some(&secret))
            .unwrap()
            .into_iter()
            .flat_map(Result::unwrap)
            .map(Result::unwrap)
            .collect();
        prop_assert_eq!(read, added);
    }
}

#[test]
fn reading_again_says_the_same() {
    let (bundle, hashes) = three_sections(None);
    for _ in 0..2 {
        let expected: Vec<_> = hashes.iter().map(|hash| Ok(vec![Ok(*hash)])).collect();
        assert_eq!(sections(&bundle, None), Ok(expected));
    }
}

#[test]
fn the_bytes_are_those_of_the_documented_layout() {
    let section = encoded(&carried(&device(1), "A1", "x"));
    let mut header = header(&carrier(), std::slice::from_ref(&section));
    let (key, change) = (device(1), answer(&device(1), "A1", "x"));
    let carrier = carrier();
    let mut writer = BundleWriter::new(&carrier, CREATED_AT, None, random(), BundleLimits::default());
    writer
        .add(
            ROUND,
            "A1",
            change.raw_bytes(),
            &attestation(&key, std::slice::from_ref(&change)),
        )
        .unwrap();
    header.contents = Some(writer.contents());
    let by_hand = assembled(&header, &carrier, &[section]);
    assert_eq!(writer.finish().unwrap(), by_hand);
}

#[test]
fn a_bundle_without_changes_is_whole() {
    let reader_says = sections(&signed(&[]), None);
    assert_eq!(reader_says, Ok(vec![]));
}

#[test]
fn some_changes_of_a_run_are_believed_without_the_others() {
    let key = device(1);
    let changes: Vec<Change> = ["A1", "A2", "A3", "A4"]
        .iter()
        .map(|unit| answer(&key, unit, "x"))
        .collect();
    let run = attestation(&key, &changes);
    let carrier = carrier();
    let mut writer = BundleWriter::new(&carrier, CREATED_AT, None, random(), BundleLimits::default());
    for (unit, change) in [("A4", &changes[3]), ("A2", &changes[1])] {
        writer.add(ROUND, unit, change.raw_bytes(), &run).unwrap();
    }
    let read = sections(&writer.finish().unwrap(), None).unwrap();
    assert_eq!(read, [Ok(vec![Ok(changes[3].hash()), Ok(changes[1].hash())])]);
}

#[test]
fn a_damaged_change_takes_no_other_with_it() {
    let (mut first, second) = (carried(&device(1), "A1", "x"), carried(&device(1), "A2", "y"));
    first.responses[0].changes[0].bytes[20] ^= 1;
    first.responses.extend(second.responses);
    first.responses[1].changes[0].attestation = 1;
    first.attestations.extend(second.attestations);
    let verdicts = admit_carried(&first, &Limits::default()).unwrap();
    assert!(verdicts[0].is_err() && verdicts[1].is_ok());
}
