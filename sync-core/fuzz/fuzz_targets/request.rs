//! Any bytes are a request or are refused, and what is admitted is within the limits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sync_core::exchange::wire::{Message as _, decode_request};
use sync_core::exchange::{Limits, SyncRequest, WireError, admit};

fuzz_target!(|input: &[u8]| {
    let limits = Limits {
        inflated_bytes: 1 << 20,
        changes: 100,
        operations: 1 << 14,
        ..Limits::default()
    };
    check(decode_request(input, &limits), &limits);
    // No fuzzer finds its way through a compression.
    check(SyncRequest::from_cbor(input, &limits), &limits);
});

fn check(request: Result<SyncRequest, WireError>, limits: &Limits) {
    match request {
        Ok(request) => {
            assert!(request.change_count() <= limits.changes);
            match admit(&request, limits) {
                Ok(verdicts) => assert_eq!(verdicts.len(), request.change_count()),
                Err(error) => assert!(!error.vietnamese().is_empty()),
            }
        }
        Err(error) => assert!(!error.vietnamese().is_empty() && !error.to_string().is_empty()),
    }
}
