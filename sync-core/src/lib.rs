//! The synchronisation core: one household's answers as a document that merges without loss, signed by whoever wrote
//! it, and exchanged in one round trip.
//!
//! | room | subject |
//! | --- | --- |
//! | [`identity`] | names of rounds, survey units and responses |
//! | [`unit`] | codes of households that were added in the field |
//! | [`response`] | response documents: the shared genesis, reading, editing, conflicts |
//! | [`device`] | device keys, actor identities, attestations of authorship |
//! | [`automerge_repo`] | automerge-repo's network protocol for peers that look in: the server's side, read-only |
//! | [`exchange`] | messages on the wire, the phone's side, and the admission checks of the server's side |
//! | [`bundle`] | bundles: signed and sealed files of changes, and their frames for QR codes |
//!
//! The crate does no I/O, reads no clock and draws no random numbers: time and keys are passed in. It builds for
//! `wasm32-unknown-unknown`, so that a phone and a server run the same code.

pub mod automerge_repo;
pub mod bundle;
pub mod device;
pub mod exchange;
pub mod identity;
pub mod response;
pub mod unit;

pub use automerge::{ActorId, Change, ChangeHash};
