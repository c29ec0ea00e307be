//! Bundles without I/O: what a bad copy, a curious courier or a hostile carrier can do to them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a failed test"
)]

mod damage;
mod forgery;
mod frames;
mod making;
mod sealing;
mod writing;
