//! Hubs: a commune's own server, which phones reach on the local network while it is offline itself, and which forwards to
//! the server above it (its upstream) when it can. What the two say to each other is decided in
//! `sync_core::exchange::forwarding`.
//!
//! ```text
//! hub:      upstream (state, token) → piece of the log → link (HTTPS) → POST /api/v1/forward
//! upstream: route → roster, delivery (as everything is taken in), erasures → what is new for the hub
//! ```

mod error;
mod frame;
mod link;
mod piece;
mod reach;
mod route;
mod upstream;

pub use error::HubError;
pub(crate) use reach::{Reached, follow, reach};
pub(crate) use route::HubVisit;
pub use route::routes;
pub(crate) use upstream::{Settlement, Upstream, join};
