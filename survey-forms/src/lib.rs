//! Questionnaires: reading XLSForms, evaluating their expressions, filling them in, and reducing a filled form to the
//! numbers that indicators need.
//!
//! The crate does no I/O, reads no clock and draws no random numbers of its own: whoever calls it passes those in. It
//! builds for `wasm32-unknown-unknown`, so a phone and a server decide skip logic and constraints with the same code.
//!
//! Without the feature `workbook` it leaves spreadsheets out: a phone gets its forms as JSON.
//!
//! The way of a form: `workbook` turns the bytes of a file into sheets of text, of which `xlsform` makes a
//! [`model::Form`]; a [`session::Session`] fills it in over any store of [`answers`]; [`projection`] reduces the answers
//! to the numbers of each indicator. All three evaluate expressions with [`xpath`]. [`xform`] writes forms for other
//! apps and reads theirs. When a form's next version comes, [`migration`] compares the two and reads old answers.

pub mod answers;
mod data;
mod instance;
pub mod migration;
pub mod model;
pub mod projection;
#[cfg(feature = "workbook")]
mod reading;
pub mod session;
mod wording;
#[cfg(feature = "workbook")]
pub mod workbook;
pub mod xform;
#[cfg(feature = "workbook")]
pub mod xlsform;
pub mod xpath;

pub use data::{FormData, FormDataError};
#[cfg(feature = "workbook")]
pub use reading::read_form;
pub use wording::Phrase;
