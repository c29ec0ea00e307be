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
mod reads;
pub(crate) mod scale;
mod secondary;
mod text;
mod xform_problem;

pub use advice::Advice;
#[cfg(feature = "workbook")]
pub(crate) use check::INSTANCE_ID;
pub use check::nearest as nearest_name;
pub(crate) use choices::is_translated_list;
pub use choices::{Choice, ChoiceLists, ChoiceSource};
pub(crate) use definition::UNTYPED;
pub use definition::{ExtraAttributes, FormDefinition, FormNode, Settings, Submission};
pub(crate) use dependencies::{Part, Reader, references};
pub use entity::{EntityDeclaration, EntityProblem};
pub(crate) use entity_scope::save_to;
pub use form::{Form, Formulas};
pub use kind::{DataFile, Metadata, NodeKind};
pub use problem::{FormProblem, FormProblems, Place, ProblemKind};
pub use secondary::DataSource;
pub(crate) use secondary::{is_searched, searches};
pub use text::{Language, Media, MediaKind, Translations};
pub(crate) use text::{NO_LANGUAGE, needs_translation};
pub use xform_problem::XFormProblem;
