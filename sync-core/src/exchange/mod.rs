//! The change exchange: both directions, any number of responses, one round trip.
//!
//! The phone's side ([`Client`]) and the checks of the server's side ([`admit`]) are state machines and functions
//! without I/O; `server` and the phone bind them to HTTP. What others carry is checked by [`admit_carried`]. The messages are in [`message`], their bytes in [`wire`].

mod admission;
mod carried;
mod client;
mod extent;
pub mod message;
pub mod wire;

pub use admission::{AdmissionError, Admitted, Verdict, admit, attested_hashes};
pub use carried::{CarriedAttestation, CarriedChange, CarriedChanges, CarriedResponse, admit_carried};
pub use client::{Client, OutgoingChange, Received};
pub use message::{Attestation, Refusal, RefusalReason, ResponseChanges, SyncRequest, SyncResponse};
pub use wire::{Limits, WireError};
