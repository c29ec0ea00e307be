//! Survey weights of sampled rows: from the inverse of the inclusion probability to weights that agree with what is known
//! of the population.
//!
//! The usual order: [`base_weights`]; [`adjust_for_nonresponse`] for households and again, with the household's weight
//! carried down by [`weights_of_members`], for persons; [`post_stratify`], [`rake`] or [`calibrate`]; [`trim`] and, if
//! anything was trimmed, calibration again. Each step takes plain columns, one entry per row, and gives a column back
//! together with a [`WeightDiagnosis`] of what it did.
//!
//! After calibration the variance is that of residuals: [`ResidualAdjustment`] turns the influence values of an estimate
//! into them.

mod auxiliaries;
mod base;
mod calibration;
mod diagnosis;
mod distance;
mod error;
mod margins;
mod newton;
mod nonresponse;
mod post_stratification;
mod raking;
mod residuals;
mod trimming;

pub use crate::survey::{InfluenceRegression, ResidualAdjustment};
pub use auxiliaries::{Auxiliaries, Auxiliary};
pub use base::{base_weights, weights_of_members};
pub use calibration::{Calibrated, CalibrationSettings, calibrate};
pub use diagnosis::{LargestDeviation, WeightDiagnosis, WeightSummary};
pub use distance::Distance;
pub use error::{Constraint, WeightColumn, WeightsError};
pub use margins::Margin;
pub use nonresponse::{AdjustmentClass, CollapsingRule, Disposition, NonresponseAdjustment, adjust_for_nonresponse};
pub use post_stratification::{PostStratified, post_stratify};
pub use raking::{Raked, RakingSettings, rake};
pub use residuals::{CalibrationResiduals, MarginResiduals, Sweeps};
pub use trimming::{Trimmed, TrimmingBounds, trim};
