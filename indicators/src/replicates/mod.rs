//! Replicate weights: variance by computing an estimate again and again with changed weights.
//!
//! [`FirstStage`] says which rows belong to which primary sampling unit (PSU) and stratum. [`Replicates`] makes the
//! weights of the jackknife, of balanced half-samples (with Fay's method) or of the bootstrap, or takes those that come
//! with a file. [`Replicates::variance_of`] gives the covariance of any statistics of weights,
//! [`Replicates::variance_of_totals`] that of functions of totals, with one pass over the rows for all replicates.
//!
//! Replicates are multipliers of PSUs, computed when they are needed: a thousand replicates of millions of rows take the
//! memory of one column.

mod balanced;
mod bootstrap;
mod error;
mod first_stage;
mod given;
mod hadamard;
mod jackknife;
mod multipliers;
mod variance;

pub use balanced::{BalancedSettings, LargeStrata};
pub use bootstrap::BootstrapSettings;
pub use error::{ReplicatesError, VarianceError};
pub use first_stage::FirstStage;
pub use given::GivenMethod;
pub use hadamard::Hadamard;
pub use multipliers::{Centre, Replicates};
pub use variance::ReplicateEstimate;
