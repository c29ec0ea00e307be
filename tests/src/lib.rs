//! What tests and benchmarks that cross crates share: a real `khaosat` process on a fresh installation, phones that talk
//! to it as phones do, and connections that talk to it as nobody should.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a failed test"
)]

pub mod automerge;
pub mod bench;
pub mod connection;
pub mod demonstration;
pub mod handset;
pub mod installation;
pub mod phone;
pub mod process;
pub mod python;
pub mod rows;
pub mod script;
pub mod simulation;
