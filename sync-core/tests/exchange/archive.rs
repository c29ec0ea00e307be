//! Archived changes: every byte comes back; what is no segment is an error.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_bytes::ByteBuf;
use sync_core::exchange::ResponseChanges;
use sync_core::exchange::archive::{changes, segments};
use sync_core::{Change, ChangeHash};

use super::packing::groups;

/// Every change by its hash, as Automerge computes it.
fn by_hash(groups: &[ResponseChanges]) -> BTreeMap<ChangeHash, ByteBuf> {
    let changes = groups.iter().flat_map(|group| &group.changes);
    changes
        .map(|bytes| (Change::try_from(bytes.as_slice()).unwrap().hash(), bytes.clone()))
        .collect()
}

/// The changes of all segments, each of which tells what is in it.
fn archived(groups: &[ResponseChanges]) -> BTreeMap<ChangeHash, ByteBuf> {
    let mut all = BTreeMap::new();
    for segment in segments(groups) {
        let restored = changes(&segment.packed).unwrap();
        for hash in &segment.hashes {
            assert!(restored.contains_key(hash));
        }
        all.extend(restored);
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_change_comes_back(groups in groups()) {
        prop_assert_eq!(archived(&groups), by_hash(&groups));
    }

    #[test]
    fn a_damaged_segment_is_an_error_or_gives_what_is_whole(groups in groups(), place in any::<Index>(), bit in 0..8u32) {
        let whole = by_hash(&groups);
        for mut segment in segments(&groups) {
            let place = place.index(segment.packed.len());
            segment.packed[place] ^= 1 << bit;
            if let Ok(restored) = changes(&segment.packed) {
                for (hash, bytes) in restored {
                    prop_assert!(whole.get(&hash).is_none_or(|original| *original == bytes));
                }
            }
        }
    }
}

/// The same day of work in very many households makes several segments, and none is lost between two.
#[test]
fn large_archives_are_cut_into_segments() {
    let groups: Vec<ResponseChanges> = (0..330)
        .map(|unit| super::packing::long_texts(&format!("unit {unit}"), 4_000))
        .collect();
    let whole = by_hash(&groups);
    let bytes: usize = whole.values().map(|change| change.len()).sum();
    assert!(bytes > 1 << 20, "{bytes}");
    assert!(segments(&groups).len() >= 3);
    assert_eq!(archived(&groups), whole);
    assert_eq!(segments(&[]), []);
}

/// Bytes that are no change keep their neighbours out of the archive rather than being altered or lost.
#[test]
fn what_is_no_change_is_not_archived() {
    let mut group = super::packing::long_texts("unit", 10);
    group.changes.push(ByteBuf::from(*b"rubbish"));
    assert_eq!(segments(&[group]), []);
}
