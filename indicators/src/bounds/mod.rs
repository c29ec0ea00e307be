//! How far an indicator can go over all ways to settle open conflicts.
//!
//! A household in conflict has several possible pairs (y, x). With weights fixed, the smallest and largest ratio over all
//! combinations of choices are optima of a linear-fractional function over a product of finite sets. They are found
//! exactly, without trying the combinations, by Dinkelbach's iteration (W. Dinkelbach, "On nonlinear fractional
//! programming", Management Science 13, 1967, 492–498).

mod error;
mod estimates;
mod optimum;

pub use error::BoundsError;
pub use estimates::{BoundedEstimate, ConflictedHousehold, bounded_ratio};
pub use optimum::{BoundEnd, RatioBounds, WeightedOptions, WeightedTotals, ratio_bounds};
