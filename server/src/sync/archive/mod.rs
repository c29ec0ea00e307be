//! The archive: changes of closed rounds, packed together (decision 18).
//!
//! A row of the log either has its change's bytes or names the segment that has them. [`compact`] moves bytes into segments
//! when a round is closed; [`fill`] brings them back for whoever reads rows, and [`dissolve`] for an erasure.

mod compaction;
mod reading;

pub use compaction::{Compaction, compact};
pub(super) use compaction::{compact_closed, dissolve};
pub(super) use reading::{Place, fill};
