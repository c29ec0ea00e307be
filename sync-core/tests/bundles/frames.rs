//! Frames: any few more than enough of them give the bundle, and nothing else does.

use proptest::prelude::*;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha256};
use sync_core::bundle::base45;
use sync_core::bundle::frames::{BUNDLE_BYTES, FrameError, FrameReader, FrameWriter, USUAL_SYMBOL_BYTES};

use crate::making::three_sections;

fn bytes(length: usize) -> Vec<u8> {
    let mut random = ChaCha20Rng::seed_from_u64(length as u64);
    (0..length).map(|_| random.random()).collect()
}

/// A frame with these fields and a right check, put together by `docs/protocol-bundle.md`.
fn forged(id: [u8; 8], length: u32, number: u32, symbol: &[u8]) -> String {
    let mut frame = vec![1];
    frame.extend_from_slice(&id);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&number.to_be_bytes()[1..]);
    frame.extend_from_slice(symbol);
    let check = Sha256::digest(&frame);
    frame.extend_from_slice(&check[..4]);
    base45::encode(&frame)
}

#[test]
fn a_third_of_the_frames_may_be_lost_and_the_rest_come_in_any_order() {
    let (bundle, _) = three_sections(None);
    for bundle in [
        bundle,
        bytes(1),
        bytes(360),
        bytes(361),
        bytes(20_000),
        bytes(BUNDLE_BYTES),
    ] {
        let writer = FrameWriter::new(&bundle, USUAL_SYMBOL_BYTES).unwrap();
        let count = writer.needed() as u32 * 3 / 2 + 4;
        let mut random = ChaCha20Rng::seed_from_u64(30);
        let mut frames: Vec<String> = (0..count).map(|number| writer.frame(number)).collect();
        frames.shuffle(&mut random);
        frames.truncate(frames.len() * 7 / 10);
        let mut reader = FrameReader::new();
        let restored = frames.iter().find_map(|frame| reader.take(frame).unwrap().bundle);
        assert_eq!(restored.as_ref(), Some(&bundle), "{} bytes", bundle.len());
        // A frame that comes again does no harm.
        assert_eq!(reader.take(&frames[0]).unwrap().bundle, Some(bundle));
    }
}

#[test]
fn frames_fit_a_qr_code_and_never_end() {
    let writer = FrameWriter::new(&bytes(1000), USUAL_SYMBOL_BYTES).unwrap();
    for number in [0, 1, 5, 1 << 20, (1 << 24) - 1] {
        let frame = writer.frame(number);
        assert!(frame.len() <= 600, "{}", frame.len());
        assert!(FrameReader::new().take(&frame).is_ok());
    }
    assert_eq!(writer.frame(1 << 24), writer.frame(0));
}

#[test]
fn sizes_outside_the_limits_are_refused() {
    for length in [0, BUNDLE_BYTES + 1] {
        let refused = FrameWriter::new(&vec![0; length], USUAL_SYMBOL_BYTES).unwrap_err();
        assert_eq!(refused, FrameError::BundleSize { bytes: length });
    }
    for symbol in [0, 8, 63, 65, 1032] {
        let refused = FrameWriter::new(&bytes(100), symbol).unwrap_err();
        assert_eq!(
            refused,
            FrameError::SymbolSize {
                bytes: usize::from(symbol)
            }
        );
    }
    let mut reader = FrameReader::new();
    let refused = reader.take(&forged([0; 8], u32::MAX, 0, &[0; 64])).unwrap_err();
    assert!(matches!(refused, FrameError::BundleSize { .. }));
    let refused = reader.take(&"0".repeat(100_000)).unwrap_err();
    assert!(matches!(refused, FrameError::Text { .. }));
}

#[test]
fn a_changed_frame_is_not_taken_and_another_bundle_does_not_mix_in() {
    let (one, other) = (bytes(2000), bytes(2001));
    let writer = FrameWriter::new(&one, USUAL_SYMBOL_BYTES).unwrap();
    let frame = writer.frame(0);
    let mut reader = FrameReader::new();
    for place in 0..frame.len() {
        let mut changed: Vec<u8> = frame.bytes().collect();
        changed[place] = if changed[place] == b'0' { b'1' } else { b'0' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(reader.take(&changed).is_err(), "{place}");
        assert!(reader.take(&frame[..place]).is_err(), "{place}");
    }
    reader.take(&frame).unwrap();
    let stranger = FrameWriter::new(&other, USUAL_SYMBOL_BYTES).unwrap().frame(0);
    assert_eq!(reader.take(&stranger), Err(FrameError::OtherBundle));
    let restored = (1..20).find_map(|number| reader.take(&writer.frame(number)).unwrap().bundle);
    assert_eq!(restored, Some(one));
}

#[test]
fn made_up_frames_give_no_bundle_and_end() {
    let mut random = ChaCha20Rng::seed_from_u64(2);
    let mut reader = FrameReader::new();
    let mut contradicted = false;
    for number in 0..700 {
        let symbol: Vec<u8> = (0..64).map(|_| random.random()).collect();
        match reader.take(&forged([7; 8], 6_000, number * 7919 % (1 << 24), &symbol)) {
            Ok(progress) => assert_eq!(progress.bundle, None),
            Err(error) => {
                assert_eq!(error, FrameError::Contradiction);
                contradicted = true;
            }
        }
    }
    assert!(contradicted);
}

proptest! {
    #[test]
    fn rubbish_is_refused_and_never_panics(text in "[0-9A-Z $%*+./:-]{0,80}", other in ".{0,40}") {
        prop_assert!(FrameReader::new().take(&text).is_err());
        prop_assert!(FrameReader::new().take(&other).is_err());
    }

    #[test]
    fn any_frame_with_a_right_check_is_taken_or_refused(
        id in any::<[u8; 8]>(),
        length in any::<u32>(),
        number in 0u32..1 << 24,
        symbol in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut reader = FrameReader::new();
        let _ = reader.take(&forged(id, length % 4000, number, &symbol));
        let _ = reader.take(&forged(id, length, number, &symbol));
    }
}
