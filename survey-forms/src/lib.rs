//! Questionnaires: reading XLSForms, evaluating their expressions, filling them in, and reducing a filled form to the
//! numbers that indicators need.
//!
//! The crate does no I/O, reads no clock and draws no random numbers of its own: whoever calls it passes those in. It
//! builds for `wasm32-unknown-unknown`, so a phone and a server decide skip logic and constraints with the same code.

pub mod answers;
pub mod model;
pub mod xpath;
