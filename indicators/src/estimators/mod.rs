//! Estimates of ratios of weighted totals, for one domain or for a whole tree of admin units.

mod estimate;
mod evaluation;
mod ratio;
mod tree;

pub use estimate::{Absence, Absences, Estimate};
pub use ratio::{EstimationError, Indicator, Measure, Settings, ratio};
pub use tree::{TreeEstimates, evaluate_tree};

pub(crate) use evaluation::{Evaluation, first_stage_of};
