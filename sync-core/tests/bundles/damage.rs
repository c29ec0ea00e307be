//! Copies that broke off or were changed on the way.

use proptest::prelude::*;
use sync_core::bundle::{BundleError, BundleLimits, BundleReader, RecipientSecret, SectionEntry, SectionError};

use crate::making::{Verdicts, assembled, carried, carrier, device, encoded, header, sections, signed, three_sections};

#[test]
fn a_file_that_breaks_off_anywhere_gives_its_whole_sections() {
    let secret = RecipientSecret::from_secret(&[5; 32]);
    for recipient in [None, Some(secret.public())] {
        let (bundle, hashes) = three_sections(recipient);
        let reader = BundleReader::open(&bundle, BundleLimits::default()).unwrap();
        let mut ends: Vec<usize> = vec![bundle.len()];
        for section in reader.header().sections.iter().rev() {
            ends.insert(0, ends[0] - section.bytes as usize);
        }
        for length in 0..bundle.len() {
            let read = sections(&bundle[..length], Some(&secret));
            if length < ends[0] {
                let Err(BundleError::Truncated { byte, end }) = read else {
                    panic!("{length}: {read:?}");
                };
                assert!(byte == length && end > length && end <= ends[0]);
                continue;
            }
            let expected: Vec<Verdicts> = (0..3)
                .map(|section| match ends[section + 1] <= length {
                    true => Ok(vec![Ok(hashes[section])]),
                    false => Err(SectionError::Missing {
                        section,
                        start: ends[section],
                        end: ends[section + 1],
                        file_end: length,
                    }),
                })
                .collect();
            assert_eq!(read, Ok(expected), "{length} bytes");
        }
    }
}

#[test]
fn a_change_at_any_byte_is_noticed_and_harms_one_section_at_most() {
    let secret = RecipientSecret::from_secret(&[5; 32]);
    for recipient in [None, Some(secret.public())] {
        let (bundle, hashes) = three_sections(recipient);
        for place in 0..bundle.len() {
            for flip in [1, 0x80] {
                let mut changed = bundle.clone();
                changed[place] ^= flip;
                // Whatever is in the header is the carrier's or nothing is read.
                let Ok(read) = sections(&changed, Some(&secret)) else {
                    continue;
                };
                let damaged = read.iter().filter(|section| section.is_err()).count();
                assert_eq!(damaged, 1, "byte {place}: {read:?}");
                for (section, hash) in read.iter().zip(&hashes) {
                    match section {
                        Ok(verdicts) => assert_eq!(*verdicts, [Ok(*hash)]),
                        Err(error) => assert!(matches!(error, SectionError::Damaged { .. }), "{error:?}"),
                    }
                }
            }
        }
    }
}

#[test]
fn bytes_after_the_end_do_no_harm() {
    let (mut bundle, hashes) = three_sections(None);
    bundle.extend_from_slice(b"sent from my phone");
    let reader = BundleReader::open(&bundle, BundleLimits::default()).unwrap();
    assert_eq!(reader.surplus_bytes(), 18);
    assert_eq!(sections(&bundle, None).unwrap().len(), hashes.len());
}

#[test]
fn a_file_that_went_through_a_text_program_is_told_at_its_byte() {
    let (bundle, _) = three_sections(None);
    let without_returns: Vec<u8> = bundle.iter().copied().filter(|byte| *byte != b'\r').collect();
    assert_eq!(
        sections(&without_returns, None),
        Err(BundleError::NotABundle { byte: 4 })
    );
    let without_high_bits: Vec<u8> = bundle.iter().map(|byte| byte & 0x7f).collect();
    assert_eq!(
        sections(&without_high_bits, None),
        Err(BundleError::NotABundle { byte: 0 })
    );
    let mut later = bundle.clone();
    later[9] = 3;
    assert_eq!(
        sections(&later, None),
        Err(BundleError::UnsupportedVersion { version: 3 })
    );
}

#[test]
fn what_a_header_claims_is_refused_before_memory_is_spent() {
    let entry = |bytes| SectionEntry { bytes, sha256: [0; 32] };
    let claiming = |entries: Vec<SectionEntry>| {
        let mut header = header(&carrier(), &[]);
        header.sections = entries;
        sections(&assembled(&header, &carrier(), &[]), None)
    };
    for bytes in [u64::MAX, u64::MAX / 2, 256 << 20] {
        assert!(matches!(
            claiming(vec![entry(bytes), entry(bytes)]),
            Err(BundleError::TooLarge { what: "bytes", .. })
        ));
    }
    let many = claiming(vec![entry(0); 4097]);
    assert!(
        matches!(many, Err(BundleError::TooLarge { what: "sections", .. })),
        "{many:?}"
    );
    let mut long = b"\xc4KST\r\n\x1a\n\x00\x02".to_vec();
    long.extend_from_slice(&[0xff; 4]);
    assert!(matches!(
        sections(&long, None),
        Err(BundleError::TooLarge {
            what: "bytes of header",
            ..
        })
    ));
}

fn compressed(inflated: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    writer.write_all(inflated).unwrap();
    writer.finish().unwrap()
}

#[test]
fn a_section_that_inflates_without_bound_is_refused() {
    let read = sections(&signed(&[compressed(&vec![0; 16 << 20])]), None).unwrap();
    let Err(SectionError::Wire { section: 0, source, .. }) = &read[0] else {
        panic!("{read:?}");
    };
    assert!(source.to_string().contains("inflates"), "{source}");
    // Less than the limit of a section, but more than so few bytes may become.
    let mut few = Vec::new();
    ciborium::into_writer(&serde_bytes::ByteBuf::from(vec![0; 4 << 20]), &mut few).unwrap();
    let read = sections(&signed(&[compressed(&few)]), None).unwrap();
    assert!(matches!(&read[0], Err(SectionError::Wire { source, .. }) if source.to_string().contains("inflates")));
}

proptest! {
    #[test]
    fn rubbish_is_refused_and_never_panics(rubbish in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(sections(&rubbish, None).is_err());
        let magic = b"\xc4KST\r\n\x1a\n\x00\x02".as_slice();
        prop_assert!(sections(&[magic, &rubbish].concat(), None).is_err());
        let length = (rubbish.len() as u32).saturating_sub(64).to_be_bytes();
        prop_assert!(sections(&[magic, &length, &rubbish].concat(), None).is_err());
        // A carrier signs rubbish as a section.
        let read = sections(&signed(&[rubbish.clone(), encoded(&carried(&device(1), "A1", "x"))]), None).unwrap();
        prop_assert!(read[0].is_err() && read[1].is_ok());
    }
}
