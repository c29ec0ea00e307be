//! The expression engine: XPath 1.0 with the functions that ODK XForms adds.
//!
//! An expression passes through three steps, each its own module: [`parse`] reads its text into an [`Expression`] (every
//! function name and arity is checked there), a [`Tree`] holds the document it is about, and [`evaluate`] gives an
//! [`Object`]. Nothing here reads a clock or draws random numbers: today, now and chance come from an
//! [`EvaluationContext`]. [`check()`] finds what is well written and yet cannot work.
//!
//! A tree comes from a form's answers ([`TreeBuilder`]) or from XML text ([`document::parse`]); choice lists and attached
//! files stand beside it as [`SecondaryInstances`], built once a form.
//!
//! Sources: XML Path Language 1.0 (W3C recommendation, 16 November 1999), cited below as "XPath 1.0 §"; ODK XForms
//! specification, section "XPath functions" (getodk.github.io/xforms-spec).

mod ast;
mod axes;
mod calendar;
mod check;
mod comparison;
mod context;
mod csv_table;
pub mod document;
mod document_error;
mod evaluation;
mod evaluation_error;
mod finding;
pub mod functions;
mod geojson;
#[cfg(test)]
mod laws;
mod lexer;
mod names;
mod node_at;
mod object;
mod parser;
mod pattern;
pub(crate) mod randomness;
#[cfg(test)]
mod scenarios;
mod secondary;
mod secondary_error;
mod tree;

pub use ast::{Axis, BinaryOperator, Call, Expression, NodeTest, Path, PathStart, Step, UnresolvedCall};
pub use calendar::{Date, Moment};
pub use check::{check, parse_and_check};
pub use context::{EvaluationContext, RegexMatching, SignatureVerifier, Variables};
pub use document_error::{DocumentError, DocumentErrorKind};
pub use evaluation::{Scope, evaluate};
pub use evaluation_error::EvaluationError;
pub use finding::{Finding, FindingKind, Severity};
pub(crate) use lexer::{LAST_SAVED, name_length};
pub use lexer::{MAX_EXPRESSION_BYTES, SyntaxError, SyntaxErrorKind};
pub use node_at::{NodeAtError, node_at};
pub use object::{DateValue, DateWriting, Object, ObjectType, number_to_text, text_to_number};
pub use parser::{MAX_DEPTH, parse, parse_lazily};
pub use pattern::{Pattern, PatternError};
pub use randomness::RandomSeed;
pub use secondary::{MAX_SECONDARY_NODES, SecondaryInstances, SecondaryInstancesBuilder};
pub use secondary_error::{SecondaryInstanceError, SecondaryInstanceErrorKind};
pub use tree::{Name, NodeId, NodeKind, QuestionIndex, Tree, TreeBuilder};
