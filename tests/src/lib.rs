//! What tests and benchmarks that cross crates share: a real `khaosat` process on a fresh installation, and phones that
//! talk to it as phones do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a failed test"
)]

pub mod bench;
pub mod installation;
pub mod phone;
