//! Missing answers: how many there are, what is left of complete rows, and imputation that says how uncertain it is.
//!
//! [`completeness`] counts what is missing. [`HotDeck`] fills gaps with the answers of other rows of the same class,
//! several times over, so that [`combine`] can tell how much the gaps add to the variance of an estimate.

mod completeness;
mod error;
mod hot_deck;
mod multiple_imputation;

pub use completeness::{Completeness, MissingShare, completeness};
pub use error::MissingError;
pub use hot_deck::{HotDeck, HotDeckSettings};
pub use multiple_imputation::{CombinedEstimate, combine};
