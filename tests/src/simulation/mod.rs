//! Deterministic simulation of the exchange: phones, hubs and a province's server that run the very state machines of
//! `sync-core`, over a network and disks that fail in every way that is known, in worlds that follow from a number.
//!
//! | room | subject |
//! | --- | --- |
//! | [`world`] | one world: who does what when, until the failures end and everybody can talk |
//! | `network` | messages that are lost, repeated, delayed, overtaken, cut off |
//! | `disk` | storage that loses what was not flushed, fills up, is set back to a backup |
//! | `phone` | the device's side, bound to disk and network as the products bind it |
//! | `record` | what a phone writes on its disk |
//! | `keys` | the keys that a phone has had, as its disk knows them |
//! | `site` | an installation, the province's or a hub: it answers phones and hubs, and a hub also asks the one above |
//! | `history` | what people did, kept apart from Automerge, and what must be there in the end |
//! | `invariant` | what is checked, by name |
//! | `statistics` | how much happens |
//! | [`Bug`] | mistakes that can be planted, so that it is known that each check can fail |
//!
//! `KHAOSAT_WORLD=4711 cargo test -p khaosat-tests --test simulation one_world` plays one world again and prints what
//! happened.

mod bug;
mod disk;
mod history;
mod invariant;
mod keys;
mod network;
mod phone;
mod record;
mod site;
mod statistics;
pub mod world;

pub use bug::Bug;
pub use invariant::{Invariant, Violation};
pub use statistics::Statistics;
pub use world::{Outcome, play};
