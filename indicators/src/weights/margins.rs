//! Margins: how the population divides by one variable.

use super::base::check_length;
use super::diagnosis::relative_deviation;
use super::{Constraint, LargestDeviation, WeightColumn, WeightsError};

/// Relative difference of the sums of two margins that is still put down to rounding.
const SAME_POPULATION: f64 = 1e-9;

/// A margin: the category of every row, and the population's total in every category.
#[derive(Debug, Clone, Copy)]
pub struct Margin<'a> {
    /// The category of each row, a code from 0 to below the number of totals.
    pub categories: &'a [u32],
    /// The population's total of each category, above 0.
    pub totals: &'a [f64],
}

impl Margin<'_> {
    pub(super) fn category(&self, row: usize) -> usize {
        self.categories[row] as usize
    }

    /// Σ weights in each category.
    pub(super) fn sums(&self, weights: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.totals.len()];
        for (&category, weight) in self.categories.iter().zip(weights) {
            sums[category as usize] += weight;
        }
        sums
    }

    /// The category that the weights meet least well.
    pub(super) fn largest_deviation(&self, margin: usize, weights: &[f64]) -> LargestDeviation {
        let mut worst = LargestDeviation {
            constraint: Constraint::Category { margin, category: 0 },
            relative: 0.0,
        };
        for (category, (sum, &total)) in self.sums(weights).into_iter().zip(self.totals).enumerate() {
            let relative = relative_deviation(sum, total);
            if relative > worst.relative {
                worst = LargestDeviation {
                    constraint: Constraint::Category { margin, category },
                    relative,
                };
            }
        }
        worst
    }
}

/// Checks margins against the weights that shall meet them.
pub(super) fn check_margins(weights: &[f64], margins: &[Margin<'_>]) -> Result<(), WeightsError> {
    let mut first_total = None;
    for (margin, Margin { categories, totals }) in margins.iter().enumerate() {
        let column = WeightColumn::Margin { margin };
        check_length(column, categories.len(), weights.len())?;
        if totals.is_empty() {
            return Err(WeightsError::NoConstraints);
        }
        for (row, &code) in categories.iter().enumerate() {
            if code as usize >= totals.len() {
                return Err(WeightsError::UnknownCode {
                    column,
                    row,
                    code: u64::from(code),
                    count: totals.len(),
                });
            }
        }
        for (category, &value) in totals.iter().enumerate() {
            if !(value > 0.0 && value.is_finite()) {
                let constraint = Constraint::Category { margin, category };
                return Err(WeightsError::Total { constraint, value });
            }
        }
        let total: f64 = totals.iter().sum();
        let &mut first_total = first_total.get_or_insert(total);
        if (total - first_total).abs() > SAME_POPULATION * first_total {
            return Err(WeightsError::ContradictoryMargins {
                margin,
                total,
                first_total,
            });
        }
        let sums = margins[margin].sums(weights);
        if let Some(category) = sums.iter().position(|&sum| sum <= 0.0) {
            return Err(WeightsError::EmptyCategory {
                constraint: Constraint::Category { margin, category },
                total: totals[category],
            });
        }
    }
    Ok(())
}

/// The deviation over all margins.
pub(super) fn worst_of(margins: &[Margin<'_>], weights: &[f64]) -> Option<LargestDeviation> {
    margins
        .iter()
        .enumerate()
        .map(|(margin, entries)| entries.largest_deviation(margin, weights))
        .reduce(|worst, next| if next.relative > worst.relative { next } else { worst })
}
