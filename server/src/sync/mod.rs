//! The server's side of the change exchange: `POST /api/v1/sync`.
//!
//! ```text
//! bytes → sync_core::exchange::answering → delivery (signatures, structure, scope, history) → log (durable) → projection
//! ```
//!
//! What is decided is decided in `sync-core`; here is what the decisions need from the database and do to it. What comes
//! in a bundle or from a hub takes the same way from [`delivery`] on; [`carrying`] reads the log for those.

pub(crate) mod carrying;
mod delivery;
mod erasure;
mod log;
mod lookup;
mod route;

pub(crate) use delivery::{Bringer, Together, take};
pub(crate) use erasure::forwarded_erasures;
pub use erasure::{Erasure, ErasureError, erase};
pub(crate) use log::{Heard, cursor_state, entry, head};
pub use log::{changes_of, log_head, responses_after};
pub use route::routes;
pub(crate) use route::{blocking, check_encoding, whole_body};
