//! Areas made to agree with the whole.

use serde::{Deserialize, Serialize};

use super::{AreaModel, SmallAreaError, Value};

/// How the difference between the areas together and the direct estimate of the whole is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Benchmark {
    /// All areas times one factor (Rao & Molina 2015, section 6.4.6, ratio benchmarking).
    Ratio,
    /// The same difference added to all areas (Rao & Molina 2015, section 6.4.6, difference benchmarking).
    Difference,
    /// A difference in proportion to W_i·MSE_i: uncertain and large areas take more of it, which changes the estimates as
    /// little as possible in units of their errors (J. Wang, W. A. Fuller & Y. Qu 2008, "Small Area Estimation Under a
    /// Restriction", Survey Methodology 34, 29–36, with φ_i the inverse of the mean squared error).
    ErrorWeighted,
}

/// Estimates of all areas of a model with Σ W_i·θ̂_i equal to `whole`, the direct estimate of the province.
///
/// `weights` has each area's share W_i of what the indicator counts (households or persons); they are divided by their sum.
/// Returns one estimate an area. Their mean squared errors are larger than those before, by a term of the order of the
/// whole's own variance, which is not estimated here.
///
/// # Errors
/// [`SmallAreaError`] when there is not one weight an area, a weight is negative or none is above 0, a number is not
/// finite or too large to compute with, or the areas' sum does not allow a ratio.
pub fn benchmark(
    model: &AreaModel,
    weights: &[f64],
    whole: f64,
    method: Benchmark,
) -> Result<Vec<f64>, SmallAreaError> {
    if weights.len() != model.areas.len() {
        return Err(SmallAreaError::Length {
            given: weights.len(),
            expected: model.areas.len(),
        });
    }
    for (area, given) in weights.iter().copied().enumerate() {
        if !given.is_finite() {
            let value = Value::BenchmarkWeight;
            return Err(SmallAreaError::NotFinite { value, area });
        }
        if given < 0.0 {
            return Err(SmallAreaError::BenchmarkWeight { area, given });
        }
    }
    let total: f64 = weights.iter().sum();
    if !(total > 0.0 && total.is_finite()) {
        return Err(SmallAreaError::BenchmarkWeight { area: 0, given: total });
    }
    if !whole.is_finite() {
        return Err(SmallAreaError::BenchmarkTotal { given: whole });
    }
    let areas = || weights.iter().map(|weight| weight / total).zip(&model.areas);
    let sum: f64 = areas().map(|(weight, area)| weight * area.estimate).sum();
    let difference = whole - sum;
    let adjusted: Vec<f64> = match method {
        Benchmark::Ratio => {
            let factor = whole / sum;
            if !factor.is_finite() {
                return Err(SmallAreaError::NoRatio { sum });
            }
            areas().map(|(_, area)| area.estimate * factor).collect()
        }
        Benchmark::Difference => areas().map(|(_, area)| area.estimate + difference).collect(),
        Benchmark::ErrorWeighted => {
            let spread: f64 = areas()
                .map(|(weight, area)| weight * weight * area.mean_squared_error)
                .sum();
            if spread <= 0.0 {
                return Err(SmallAreaError::NothingToSpread);
            }
            let adjusted =
                areas().map(|(weight, area)| area.estimate + difference * weight * area.mean_squared_error / spread);
            adjusted.collect()
        }
    };
    match adjusted.iter().all(|estimate| estimate.is_finite()) {
        true => Ok(adjusted),
        false => Err(SmallAreaError::OutOfRange),
    }
}
