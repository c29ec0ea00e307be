//! Any bytes are what a hub or its upstream says or are refused, and what they carry is admitted or refused by name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sync_core::exchange::forwarding::{ForwardRequest, ForwardResponse};
use sync_core::exchange::wire::{self, Message};
use sync_core::exchange::{CarriedChanges, Limits, WireError, admit_carried};

fuzz_target!(|input: &[u8]| {
    let limits = Limits {
        inflated_bytes: 1 << 20,
        changes: 100,
        operations: 1 << 14,
        items: 1 << 14,
        ..Limits::default()
    };
    check::<ForwardRequest>(input, &limits, |request| request.carried);
    check::<ForwardResponse>(input, &limits, |response| response.carried);
});

fn check<M: Message>(input: &[u8], limits: &Limits, carried: fn(M) -> CarriedChanges) {
    // No fuzzer finds its way through a compression.
    for message in [wire::decode::<M>(input, limits), M::from_cbor(input, limits)] {
        match message {
            Ok(message) => admitted(&carried(message), limits),
            Err(error) => told(&error),
        }
    }
}

fn admitted(carried: &CarriedChanges, limits: &Limits) {
    match admit_carried(carried, limits) {
        Ok(verdicts) => assert_eq!(verdicts.len(), carried.change_count()),
        Err(error) => assert!(!error.vietnamese().is_empty()),
    }
}

fn told(error: &WireError) {
    assert!(!error.vietnamese().is_empty() && !error.to_string().is_empty());
}
