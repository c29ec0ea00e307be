//! What a form is: its questions, groups, repeats, choices and settings, in two layers.
//!
//! A [`FormDefinition`] is plain data, as it stands in a workbook or in JSON. [`Form::compile`] checks it and prepares
//! what filling needs: parsed expressions, the order in which they depend on one another, and look-up by name.

mod advice;
mod check;
mod choices;
mod definition;
mod dependencies;
mod entity;
mod entity_scope;
mod form;
mod kind;
pub(crate) mod lexical;
mod problem;
pub(crate) mod scale;
mod secondary;
mod text;
mod xform_problem;

pub use advice::Advice;
pub(crate) use check::{INSTANCE_ID, nearest as nearest_name};
pub use choices::{Choice, ChoiceLists, ChoiceSource};
pub(crate) use definition::UNTYPED;
pub use definition::{ExtraAttributes, FormDefinition, FormNode, Settings, Submission};
pub(crate) use dependencies::references;
pub use entity::{EntityDeclaration, EntityProblem};
pub(crate) use entity_scope::save_to;
pub use form::{Form, Formulas};
pub use kind::{DataFile, Metadata, NodeKind};
pub use problem::{FormProblem, FormProblems, Place, ProblemKind};
pub use secondary::DataSource;
pub(crate) use secondary::{LAST_SAVED_INSTANCE, is_searched, searches};
pub(crate) use text::NO_LANGUAGE;
pub use text::{Language, Media, MediaKind, Translations};
pub use xform_problem::XFormProblem;
