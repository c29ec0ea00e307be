//! How far an indicator can go over all ways to settle what is open: answers in conflict, and suspected duplicates.
//!
//! A household in conflict has several possible pairs (y, x). Of responses that may be about one household some may remain
//! and the others count zero. With weights fixed, the smallest and largest ratio over all combinations of choices are
//! optima of a linear-fractional function over a product of finite sets. They are found exactly, without trying the
//! combinations, by Dinkelbach's iteration (W. Dinkelbach, "On nonlinear fractional programming", Management Science 13,
//! 1967, 492–498).

mod duplicates;
mod error;
mod estimates;
mod importance;
mod optimum;

pub use duplicates::Remaining;
pub use error::BoundsError;
pub use estimates::{BoundedEstimate, Unsettled, UnsettledHousehold, bounded_ratio};
pub use importance::{Effect, Importance, Matter, importance};
pub use optimum::{BoundEnd, RatioBounds, SuspectedGroup, WeightedOptions, WeightedTotals, ratio_bounds};
