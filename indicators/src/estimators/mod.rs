//! Estimates of ratios of weighted totals, for one domain, for a whole tree of admin units, or kept current while responses
//! come in.

mod estimate;
mod evaluation;
mod live;
mod ratio;
mod sampled;
mod tree;

pub use estimate::{Absence, Absences, Estimate};
pub use live::{LiveError, LiveEstimates};
pub use ratio::{EstimationError, Indicator, Measure, Settings, ratio};
pub use tree::{TreeEstimates, evaluate_tree};

pub(crate) use evaluation::Evaluation;
pub(crate) use sampled::first_stage_of;
