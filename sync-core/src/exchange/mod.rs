//! The change exchange: both directions, any number of responses, one round trip.
//!
//! The phone's side ([`Client`]) and the server's ([`answering`], with the checks of [`admit`] and [`intake`]) are state
//! machines without I/O; `server` and the phone bind them to HTTP and to storage, the simulation to a network and disks
//! that fail. The messages are in [`message`], their bytes in [`wire`].

mod admission;
pub mod answering;
mod client;
mod cursor;
mod extent;
pub mod intake;
pub mod message;
pub mod wire;

pub use admission::{AdmissionError, Admitted, Verdict, admit, attested_hashes};
pub use client::{Client, ClientState, OutgoingChange, Received};
pub use cursor::{Cursor, LogMark};
pub use message::{Attestation, Refusal, RefusalReason, ResponseChanges, SyncRequest, SyncResponse};
pub use wire::{Limits, WireError};
