//! What a form is: its questions, groups, repeats, choices and settings, in two layers.
//!
//! A [`FormDefinition`] is plain data, as it stands in a workbook or in JSON. [`Form::compile`] checks it and prepares
//! what filling needs: parsed expressions, the order in which they depend on one another, and look-up by name.

mod check;
mod choices;
mod definition;
mod dependencies;
mod entity;
mod form;
mod kind;
pub(crate) mod lexical;
mod problem;
mod text;

pub use check::nearest as nearest_name;
pub use choices::{Choice, ChoiceLists, ChoiceSource};
pub use definition::{ExtraAttributes, FormDefinition, FormNode, Settings, Submission};
pub(crate) use dependencies::references;
pub use entity::EntityDeclaration;
pub use form::{Form, Formulas};
pub use kind::{DataFile, Metadata, NodeKind};
pub use problem::{FormProblem, FormProblems, Place, ProblemKind};
pub use text::{Language, Media, MediaKind, Translations};
