//! Response documents: one surveyed unit's answers in one round as one small Automerge document.
//!
//! ```text
//! answers  { question: scalar, "question/choice": true|false }
//! members  { instance id: { "@repeat": name, "@position": int, "@removed": true, question: scalar, … } }
//! visits   { visit id: { device, started_at, ended_at, outcome } }
//! ```
//!
//! The three maps come from a [genesis](genesis) change that every replica makes alike, so replicas that never met still
//! write into the same maps. A cleared answer is a null, not an absence, so that clearing and answering at the same
//! time is seen as the difference that it is.

mod causality;
mod conflict;
mod document;
mod edit;
pub mod genesis;
mod visit;

pub use causality::Misfit;
pub use conflict::{Claim, Conflict};
pub use document::{Reading, Response, ResponseError};
pub use edit::Edit;
pub use visit::Visit;

/// Key of a member's repeat group.
pub(crate) const REPEAT: &str = "@repeat";
/// Key of a member's place among the others.
pub(crate) const POSITION: &str = "@position";
/// Key that marks a member as removed.
pub(crate) const REMOVED: &str = "@removed";
/// Separates a question from one of its choices in a key.
pub(crate) const CHOICE_SEPARATOR: char = '/';
