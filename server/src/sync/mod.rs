//! The server's side of the change exchange: `POST /api/v1/sync`.
//!
//! ```text
//! bytes → wire::decode_request → admit (signatures, structure) → scope → intake (history) → log (durable) → projection
//! ```

mod intake;
mod log;
mod route;

pub use log::{changes_of, log_head, responses_after};
pub use route::routes;
