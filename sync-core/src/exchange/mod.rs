//! The change exchange: both directions, any number of responses, one round trip.
//!
//! The phone's side ([`Client`]) and the server's ([`answering`], with the checks of [`admit`] and [`delivery`]) are state
//! machines without I/O; `server` and the phone bind them to HTTP and to storage, the simulation to a network and disks
//! that fail. What others carry is checked by [`admit_carried`], and then taken in like what comes in a request. The
//! messages are in [`message`], their bytes in [`wire`]. Where no cursor tells what another replica has,
//! [`reconciliation`] finds it.

mod admission;
pub mod answering;
#[cfg(feature = "brotli")]
pub mod archive;
mod carried;
mod chunk;
mod client;
mod cursor;
pub mod delivery;
mod erasure;
mod extent;
mod files;
pub mod forwarding;
pub mod intake;
pub mod message;
pub mod packing;
mod piece;
mod reading;
pub mod reconciliation;
pub mod wire;

pub use admission::{AdmissionError, Admitted, Verdict, admit, attested_hashes};
pub use carried::{CarriedAttestation, CarriedBuilder, CarriedChange, CarriedChanges, CarriedResponse, admit_carried};
pub use client::{Client, ClientState, OutgoingChange, Received, RefusedChange, Rekeying};
pub use cursor::{Cursor, LogMark, Narrowing};
pub use erasure::{ErasedResponse, tombstone_hash};
pub use files::{BatchedFile, FileBatch};
pub use message::{Attestation, Reconciliation, Refusal, RefusalReason, ResponseChanges, SyncRequest, SyncResponse};
pub use piece::PieceSize;
pub use wire::{Coding, Limits, WireError};
