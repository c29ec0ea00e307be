//! Any bytes are packed changes or are refused; what is unpacked is within the limits and packs and unpacks to itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sync_core::exchange::Limits;
use sync_core::exchange::packing::{Form, pack, unpack};

fuzz_target!(|packed: &[u8]| {
    let limits = Limits {
        inflated_bytes: 1 << 20,
        changes: 100,
        operations: 1 << 14,
        ..Limits::default()
    };
    match unpack(packed, &limits) {
        Ok(groups) => {
            let changes = groups.iter().flat_map(|group| &group.changes);
            assert!(changes.clone().count() <= limits.changes);
            assert!(changes.map(|change| change.len()).sum::<usize>() <= limits.inflated_bytes);
            for form in [Form::Packed, Form::Plain] {
                assert_eq!(unpack(&pack(&groups, form), &Limits::default()).as_ref(), Ok(&groups));
            }
        }
        Err(error) => assert!(!error.vietnamese().is_empty() && !error.to_string().is_empty()),
    }
});
