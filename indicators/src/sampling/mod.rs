//! Drawing probability samples from a frame, and planning how large they have to be.
//!
//! Nothing here is random by itself: every draw takes a [`SampleGenerator`], which a seed determines, so that a sample can
//! be drawn again from the same frame and seed, bit for bit, on any machine. Every [`Draw`] has the inclusion probability
//! of every unit of the frame as an exact fraction; weights come from it, and nothing is estimated about it.
//!
//! | method | inclusion probability of unit i |
//! | --- | --- |
//! | [`simple_random`] | n / N |
//! | [`systematic()`] | n / N |
//! | [`proportional_to_size()`] | 1 for a certainty unit, else n·x_i / Σ x over what the certainty units leave |
//! | [`stratified()`] | that of the method within its stratum |
//! | [`two_stage()`] | that of the hamlet, times m / M within it |
//!
//! [`allocate`] shares a sample out among strata; [`planning`] says how many interviews an aim needs.

mod allocation;
mod error;
mod generator;
pub mod planning;
mod probability;
mod proportional_to_size;
mod simple_random;
mod stratified;
mod systematic;
mod two_stage;

pub use allocation::{Allocation, AllocationRule, allocate, allocate_budget};
pub use error::{SamplingError, Value};
pub use generator::SampleGenerator;
pub use probability::InclusionProbability;
pub use proportional_to_size::{LARGEST_SIZE, certainty_units, proportional_to_size};
pub use simple_random::simple_random;
pub use stratified::{Method, draw, stratified};
pub use systematic::systematic;
pub use two_stage::{SecondStage, SelectedHamlet, TwoStageDraw, two_stage};

/// A sample of the units of a frame, which are known by their positions from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draw {
    /// Positions of the units that were drawn, ascending.
    pub selected: Vec<usize>,
    /// The inclusion probability of each unit of the frame, drawn or not.
    pub probabilities: Vec<InclusionProbability>,
}

/// Checks that `size` of `units` can be drawn.
fn check_size(size: usize, units: usize) -> Result<(), SamplingError> {
    if (1..=units).contains(&size) {
        Ok(())
    } else {
        Err(SamplingError::SampleSize { size, units })
    }
}
