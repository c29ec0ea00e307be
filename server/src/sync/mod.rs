//! The server's side of the change exchange: `POST /api/v1/sync`.
//!
//! ```text
//! bytes → wire::decode_request → admit (signatures, structure) → scope → intake (history) → log (durable) → projection
//! ```
//!
//! What comes in a bundle takes the same way from scope on ([`delivery`]).

mod delivery;
mod intake;
mod log;
mod route;

pub(crate) use delivery::{Delivery, Taken, take};
pub(crate) use log::KeptAttestation;
pub use log::{changes_of, log_head, responses_after};
pub use route::routes;
