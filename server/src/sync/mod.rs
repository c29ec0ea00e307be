//! The server's side of the change exchange: `POST /api/v1/sync`, and `POST /api/v1/bundles` for what others carry.
//!
//! ```text
//! bytes → sync_core::exchange::answering → delivery (signatures, structure, scope, history) → log (durable) → projection
//! ```
//!
//! What is decided is decided in `sync-core`; here is what the decisions need from the database and do to it. What comes
//! in a bundle or from a hub takes the same way from [`delivery`] on; [`carrying`] reads the log for those.

mod archive;
mod attestations;
mod body;
pub(crate) mod bundles;
pub(crate) mod carrying;
mod delivery;
mod erasure;
mod log;
mod lookup;
mod quarantine;
mod route;
mod source;

pub use archive::{Compaction, compact};
pub use body::BodyRoom;
pub(crate) use delivery::take;
pub(crate) use erasure::forwarded_erasures;
pub use erasure::{Erasure, ErasureError, erase};
pub use log::{changes_of, clocks_of, log_head, responses_after};
pub(crate) use log::{cursor_state, entry, head, stored_hash};
pub(crate) use lookup::change_set;
pub(crate) use quarantine::quarantine_waiting;
pub use quarantine::{
    ListedChange, Official, QuarantineError, Released, Selection, discard, list as list_quarantine, release,
};
pub use route::routes;
pub(crate) use route::{blocking, coding};
pub(crate) use source::{Heard, Source, UPSTREAM};
