//! Residuals of calibration: what is left of an estimate's variance once weights meet known totals.
//!
//! The variance of a calibrated estimate is that of Σ w·e, where w are the calibrated weights and e the residuals of the
//! influence values z from their regression on the auxiliaries, fitted with the weights before calibration (Deville &
//! Särndal 1992, section 3: every distance has the variance of the regression estimator; Särndal, Swensson & Wretman
//! 1992, section 6.6). Influence values come and go with the calibrated weights included, as w·z and w·e.

use super::auxiliaries::Auxiliaries;
use super::base::{check_length, check_weights};
use super::{WeightColumn, WeightsError};
use crate::linear_algebra::Cholesky;
use crate::survey::{InfluenceRegression, ResidualAdjustment};

/// Residuals from the regression on auxiliary variables, as the R package survey takes after `calibrate`.
#[derive(Debug, Clone)]
pub struct CalibrationResiduals<'a> {
    auxiliaries: Auxiliaries<'a>,
    /// d/q: weights before calibration over variances.
    regression_weights: Vec<f64>,
    calibrated_weights: Vec<f64>,
    factor: Cholesky,
}

impl<'a> CalibrationResiduals<'a> {
    pub(super) fn new(
        auxiliaries: Auxiliaries<'a>,
        regression_weights: Vec<f64>,
        calibrated_weights: Vec<f64>,
        factor: Cholesky,
    ) -> Self {
        CalibrationResiduals {
            auxiliaries,
            regression_weights,
            calibrated_weights,
            factor,
        }
    }

    /// The regression coefficients of values on the auxiliaries, one per column; empty if there is not one value per row.
    pub fn coefficients(&self, values: &[f64]) -> Vec<f64> {
        if values.len() != self.regression_weights.len() {
            return Vec::new();
        }
        let sums = self
            .auxiliaries
            .weighted_sums(|row| self.regression_weights[row] * values[row]);
        self.factor.solve(&sums).unwrap_or_default()
    }

    fn residuals(&self, values: &[f64]) -> Vec<f64> {
        let coefficients = self.coefficients(values);
        if coefficients.is_empty() {
            return Vec::new();
        }
        values
            .iter()
            .enumerate()
            .map(|(row, value)| value - self.auxiliaries.product(row, &coefficients))
            .collect()
    }
}

impl ResidualAdjustment for CalibrationResiduals<'_> {
    fn adjust(&self, influence: &[f64]) -> Vec<f64> {
        if influence.len() != self.calibrated_weights.len() {
            return Vec::new();
        }
        // The residuals of residuals are the same in exact arithmetic; in floating point they lose what rounding left.
        let residuals = self.residuals(&self.residuals(&unweighted(influence, &self.calibrated_weights)));
        weighted(residuals, &self.calibrated_weights)
    }

    fn regression(&self) -> Option<&dyn InfluenceRegression> {
        Some(self)
    }
}

impl InfluenceRegression for CalibrationResiduals<'_> {
    fn terms(&self) -> usize {
        self.auxiliaries.columns()
    }

    fn explaining(&self, row: usize, terms: &mut [f64]) {
        self.auxiliaries.write(row, self.calibrated_weights[row], terms);
    }

    fn moments(&self, row: usize, moments: &mut [f64]) {
        let weight = self.calibrated_weights[row];
        let factor = if weight == 0.0 {
            0.0
        } else {
            self.regression_weights[row] / weight
        };
        self.auxiliaries.write(row, factor, moments);
    }

    fn solve(&self, moments: &mut [f64]) {
        if let Ok(coefficients) = self.factor.solve(moments) {
            moments.copy_from_slice(&coefficients);
        }
    }
}

fn unweighted(values: &[f64], weights: &[f64]) -> Vec<f64> {
    let divide = |(value, &weight): (&f64, &f64)| if weight == 0.0 { 0.0 } else { value / weight };
    values.iter().zip(weights).map(divide).collect()
}

fn weighted(mut values: Vec<f64>, weights: &[f64]) -> Vec<f64> {
    for (value, weight) in values.iter_mut().zip(weights) {
        *value *= weight;
    }
    values
}

/// How often residuals are taken from each margin in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sweeps {
    /// Until nothing changes: the regression on all margins together.
    UntilConverged,
    /// This many times. After `rake` the R package survey (4.1) takes 10 sweeps with equal weights.
    Exactly(usize),
}

/// Most sweeps of [`Sweeps::UntilConverged`].
const MOST_SWEEPS: usize = 10_000;

/// Residuals from the weighted means within categories, for post-strata and raking.
#[derive(Debug, Clone)]
pub struct MarginResiduals<'a> {
    margins: Vec<&'a [u32]>,
    weights: Vec<f64>,
    calibrated_weights: Vec<f64>,
    sweeps: Sweeps,
}

impl<'a> MarginResiduals<'a> {
    /// Takes the categories of each margin, one code per row, the weights that means are taken with (those before
    /// calibration) and the calibrated ones.
    ///
    /// # Errors
    /// [`WeightsError::Value`] for a weight that is negative or not finite; [`WeightsError::Length`] for a margin without
    /// one code per row; [`WeightsError::UnknownCode`] for a code above the number of rows, which no numbering of
    /// categories needs.
    pub fn new(
        margins: Vec<&'a [u32]>,
        weights: Vec<f64>,
        calibrated_weights: Vec<f64>,
        sweeps: Sweeps,
    ) -> Result<Self, WeightsError> {
        check_weights(&weights)?;
        check_weights(&calibrated_weights)?;
        check_length(WeightColumn::Weights, calibrated_weights.len(), weights.len())?;
        for (margin, codes) in margins.iter().enumerate() {
            let column = WeightColumn::Margin { margin };
            check_length(column, codes.len(), weights.len())?;
            if let Some(row) = codes.iter().position(|&code| code as usize > codes.len()) {
                return Err(WeightsError::UnknownCode {
                    column,
                    row,
                    code: u64::from(codes[row]),
                    count: codes.len() + 1,
                });
            }
        }
        Ok(MarginResiduals {
            margins,
            weights,
            calibrated_weights,
            sweeps,
        })
    }

    /// Subtracts the mean of each category of a margin. Returns the largest mean subtracted.
    fn centre(&self, codes: &[u32], values: &mut [f64]) -> f64 {
        let categories = codes.iter().max().map_or(0, |&code| code as usize + 1);
        let mut means = vec![(0.0, 0.0); categories];
        for ((&code, weight), value) in codes.iter().zip(&self.weights).zip(&*values) {
            let (sum, total) = &mut means[code as usize];
            *sum += weight * value;
            *total += weight;
        }
        let mut largest = 0.0_f64;
        let means: Vec<f64> = means
            .into_iter()
            .map(|(sum, total)| if total > 0.0 { sum / total } else { 0.0 })
            .inspect(|mean| largest = largest.max(mean.abs()))
            .collect();
        for (&code, value) in codes.iter().zip(values) {
            *value -= means[code as usize];
        }
        largest
    }
}

impl ResidualAdjustment for MarginResiduals<'_> {
    fn adjust(&self, influence: &[f64]) -> Vec<f64> {
        if influence.len() != self.weights.len() {
            return Vec::new();
        }
        let mut values = unweighted(influence, &self.calibrated_weights);
        let size = values.iter().fold(0.0_f64, |size, value| size.max(value.abs()));
        let (most, small) = match self.sweeps {
            Sweeps::UntilConverged => (MOST_SWEEPS, 4.0 * f64::EPSILON * size),
            // Nothing is as small as that, so every sweep is made.
            Sweeps::Exactly(count) => (count, -1.0),
        };
        for _ in 0..most {
            let mut largest = 0.0_f64;
            for codes in &self.margins {
                largest = largest.max(self.centre(codes, &mut values));
            }
            if largest <= small {
                break;
            }
        }
        weighted(values, &self.calibrated_weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crossed_margins_by_hand() {
        // A balanced two-way table: residual = value − row mean − column mean + grand mean.
        let margins: Vec<&[u32]> = vec![&[0, 0, 1, 1], &[0, 1, 0, 1]];
        let residuals = MarginResiduals::new(margins, vec![2.0; 4], vec![4.0; 4], Sweeps::UntilConverged).unwrap();
        assert_eq!(residuals.adjust(&[4.0, 8.0, 12.0, 32.0]), [4.0, -4.0, -4.0, 4.0]);
    }

    #[test]
    fn odd_input_is_answered() {
        let weights = vec![1.0, 0.0];
        let residuals =
            MarginResiduals::new(vec![&[0, 0]], weights.clone(), weights.clone(), Sweeps::Exactly(1)).unwrap();
        assert!(residuals.adjust(&[1.0]).is_empty());
        assert_eq!(residuals.adjust(&[1.0, 0.0]), [0.0, 0.0]);
        let refused = |codes| {
            MarginResiduals::new(vec![codes], weights.clone(), weights.clone(), Sweeps::UntilConverged).unwrap_err()
        };
        assert!(matches!(
            refused(&[0, 9]),
            WeightsError::UnknownCode { row: 1, code: 9, .. }
        ));
        assert!(matches!(refused(&[0]), WeightsError::Length { given: 1, .. }));
    }
}
