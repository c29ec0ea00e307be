//! The server's side of the change exchange: `POST /api/v1/sync`.
//!
//! ```text
//! bytes → sync_core::exchange::answering (signatures, structure, scope, history) → log (durable) → projection
//! ```
//!
//! What is decided is decided in `sync-core`; here is what the decisions need from the database and do to it.

mod log;
mod route;

pub use log::{changes_of, log_head, responses_after};
pub use route::routes;
