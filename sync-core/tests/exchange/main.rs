//! The change exchange without I/O: what a bad network, a damaged message or a hostile device can do to it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a failed test"
)]

mod admission;
mod archive;
mod authority;
mod causality;
mod comparison;
mod encoding;
mod forgery;
mod messages;
mod packing;
mod reconciliation;
mod reconciliation_vectors;
