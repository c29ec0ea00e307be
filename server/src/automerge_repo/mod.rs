//! Responses shown live to tools of the Automerge ecosystem: `GET /api/v1/automerge`, a WebSocket that speaks
//! automerge-repo's protocol, read-only and within the scope of whoever asks.
//!
//! ```text
//! token → connection (limits) → frame → sync_core::automerge_repo → scope, log → frame
//!                                       estimates' events → log → frames of what is new in open documents
//! ```
//!
//! Nothing is kept of a connection but how far its peer has come: documents are read from the log when something is to
//! be told, and what a peer may see is looked up each time, so that a narrowed scope or a revoked device counts at once.

mod connection;
mod documents;
mod route;
mod viewers;

pub use route::routes;
pub use viewers::Viewers;
