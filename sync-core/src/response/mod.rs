//! Response documents: one surveyed unit's answers in one round as one small Automerge document.
//!
//! ```text
//! answers  { question: scalar, "question/choice": true|false, "@address": text }
//! members  { instance id: { "@repeat": key, "@parent": instance id, "@position": int, "@removed": true,
//!                           question: scalar, … } }
//! visits   { visit id: { device, started_at, ended_at, outcome, call_back_at, position } }
//! ```
//!
//! The three maps come from a [genesis](genesis) change that every replica makes alike, so replicas that never met still
//! write into the same maps. An instance inside another names that one as its parent and has a map beside it, not in it:
//! whoever writes into it needs nothing of the outer one, and is out of sight, not lost, where somebody removes that.
//! A question whose key is a path of groups stands under the path with `>` between the names, for `/` separates a
//! question from its choice.
//! `@address` is where a household is to be found that is not on the frame's list and was [added](crate::unit) in the field.
//! A cleared answer is a null, not an absence, so that clearing and answering at the same
//! time is seen as the difference that it is.

use std::borrow::Cow;

mod causality;
mod conflict;
mod document;
mod edit;
pub mod genesis;
mod rewriting;
mod visit;
mod written;

pub use causality::Misfit;
pub use conflict::{Claim, Conflict};
pub use document::{Reading, Response, ResponseError};
pub use edit::Edit;
pub use rewriting::{OwnActors, Replacement, Rewritten};
pub use visit::{Visit, VisitSource};
pub use written::{Written, written_by};

/// Key of the address among the answers.
pub(crate) const ADDRESS: &str = "@address";
/// Characters of an address at most.
pub const ADDRESS_CHARACTERS: usize = 200;
/// Key of a member's repeat group.
pub(crate) const REPEAT: &str = "@repeat";
/// Key of the instance in which a member stands; absent at the top of the form.
pub(crate) const PARENT: &str = "@parent";
/// Key of a member's place among the others.
pub(crate) const POSITION: &str = "@position";
/// Key that marks a member as removed.
pub(crate) const REMOVED: &str = "@removed";
/// Separates a question from one of its choices in a key.
pub(crate) const CHOICE_SEPARATOR: char = '/';
/// Separates the names of the groups around a question, in the form's keys.
const FORM_SEPARATOR: char = '/';
/// The same in a document.
const GROUP_SEPARATOR: char = '>';

/// The name of a form's question in a document.
pub(crate) fn stored_question(question: &str) -> Cow<'_, str> {
    if question.contains(FORM_SEPARATOR) {
        Cow::Owned(question.replace(FORM_SEPARATOR, &GROUP_SEPARATOR.to_string()))
    } else {
        Cow::Borrowed(question)
    }
}

/// The form's question of that name in a document.
pub(crate) fn read_question(stored: &str) -> String {
    stored.replace(GROUP_SEPARATOR, &FORM_SEPARATOR.to_string())
}
