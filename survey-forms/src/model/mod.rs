//! What a form is: its questions, groups, repeats, choices and settings, in two layers.
//!
//! A [`FormDefinition`] is plain data, as it stands in a workbook or in JSON. [`Form::compile`] checks it and prepares
//! what filling needs: parsed expressions, the order in which they depend on one another, and look-up by name.

mod check;
mod definition;
mod dependencies;
mod form;
mod problem;

pub(crate) use check::nearest as nearest_name;
pub use definition::{Choice, FormDefinition, FormNode, Language, Metadata, NodeKind, Settings, Translations};
pub(crate) use dependencies::references;
pub use form::{Form, Formulas};
#[cfg(feature = "workbook")]
pub(crate) use problem::QUESTION_TYPES;
pub use problem::{FormProblem, FormProblems, Place, ProblemKind};
