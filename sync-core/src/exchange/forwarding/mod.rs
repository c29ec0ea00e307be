//! A hub and the installation above it: both bring each other what their devices wrote.
//!
//! A hub keeps a log of its own, which phones read and write as any server's. Now and then it reaches its upstream, and
//! [`ForwardingState`] says how far each of the two has come in the other's log:
//!
//! ```text
//! hub's log ──entries after `forwarded`──► ForwardRequest ──► upstream's log
//! hub's log ◄── ForwardResponse ◄──entries after `cursor`──── upstream's log
//! ```
//!
//! Neither brings back what it has from the other. What is brought is believed because its authors signed it, and both
//! take it in as they take everything ([`delivery`](super::delivery)); so an exchange that broke off, wherever it did, is
//! repeated and changes nothing twice. Settlements are changes like others, so those of both levels meet.
//!
//! **What the hub keeps.** What an answer brought and the state after it become durable together: with the changes
//! and without their cursor, the hub would not notice that its upstream lost them.
//!
//! **Lost logs.** An upstream that was set back to a backup does not know the hub's cursor any more: then both
//! [compare](Comparison) what they have, and only the difference travels. Where they are too different for that, the hub
//! brings its whole log, what it once had from upstream among it, and reads upstream's from the start. A hub that was set
//! back is found out by upstream, which remembers how far the hub had brought its log: then the hub gets also back what it
//! brought itself, until it has come to the end.

mod comparison;
mod message;
mod state;

pub use comparison::Comparison;
pub use message::{FORWARDING_VERSION, ForwardRequest, ForwardResponse, ForwardedErasure};
pub use state::{ForwardingState, HubMemory, Piece};
