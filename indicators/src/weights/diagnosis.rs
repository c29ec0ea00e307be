//! What weights look like, and what a step did to them.

use super::Constraint;

/// Extremes and spread of a column of weights. Rows of weight 0 (those that do not respond) are left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightSummary {
    /// Rows of positive weight.
    pub rows: usize,
    /// Sum of the weights: the population that they stand for.
    pub total: f64,
    /// Smallest positive weight.
    pub smallest: f64,
    /// Largest weight.
    pub largest: f64,
    /// Largest over smallest.
    pub ratio: f64,
    /// Kish's design effect of weighting, n·Σw²/(Σw)² = 1 + the squared coefficient of variation (Kish, *Survey Sampling*,
    /// 1965, section 11.7; 1992, *Journal of Official Statistics* 8, 183–200). Rough where weights go with what is asked.
    pub design_effect: f64,
    /// Kish's effective sample size, (Σw)²/Σw².
    pub effective_rows: f64,
}

impl WeightSummary {
    /// Describes weights; `None` if none is positive, or one is negative or no finite number.
    pub fn of(weights: &[f64]) -> Option<Self> {
        let (mut rows, mut total, mut squares) = (0_usize, 0.0, 0.0);
        let (mut smallest, mut largest) = (f64::INFINITY, 0.0_f64);
        for &weight in weights {
            if !(weight >= 0.0 && weight.is_finite()) {
                return None;
            }
            if weight > 0.0 {
                rows += 1;
                total += weight;
                squares += weight * weight;
                smallest = smallest.min(weight);
                largest = largest.max(weight);
            }
        }
        if rows == 0 {
            return None;
        }
        let effective_rows = total * total / squares;
        Some(WeightSummary {
            rows,
            total,
            smallest,
            largest,
            ratio: largest / smallest,
            design_effect: rows as f64 / effective_rows,
            effective_rows,
        })
    }
}

/// The total that the weights meet least well.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LargestDeviation {
    /// Which total.
    pub constraint: Constraint,
    /// |weighted sum − total| / (1 + |total|).
    pub relative: f64,
}

/// What calibration of any kind did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightDiagnosis {
    /// Iterations made; 1 for post-stratification.
    pub iterations: usize,
    /// The total that is met least well; below the tolerance asked for.
    pub largest_deviation: LargestDeviation,
    /// Smallest ratio of new to old weight, over rows of positive old weight. Linear calibration can make it negative.
    pub smallest_adjustment: f64,
    /// Largest ratio of new to old weight.
    pub largest_adjustment: f64,
    /// Rows whose new weight is negative, which only linear calibration without bounds can bring about.
    pub negative_weights: usize,
    /// The weights before.
    pub before: Option<WeightSummary>,
    /// The weights after; `None` where one is negative.
    pub after: Option<WeightSummary>,
}

impl WeightDiagnosis {
    pub(super) fn new(old: &[f64], new: &[f64], iterations: usize, largest_deviation: LargestDeviation) -> Self {
        let (mut smallest, mut largest) = (f64::INFINITY, f64::NEG_INFINITY);
        for (old, new) in old.iter().zip(new).filter(|(old, _)| **old > 0.0) {
            smallest = smallest.min(new / old);
            largest = largest.max(new / old);
        }
        WeightDiagnosis {
            iterations,
            largest_deviation,
            smallest_adjustment: smallest,
            largest_adjustment: largest,
            negative_weights: new.iter().filter(|&&weight| weight < 0.0).count(),
            before: WeightSummary::of(old),
            after: WeightSummary::of(new),
        }
    }
}

/// The deviation of one weighted sum from its total, as R's `calibrate` measures it.
pub(super) fn relative_deviation(sum: f64, total: f64) -> f64 {
    (sum - total).abs() / (1.0 + total.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kish_by_hand() {
        // Weights 1, 1, 2, 4: sum 8, squares 22, so 64/22 effective rows of 4.
        let summary = WeightSummary::of(&[1.0, 0.0, 1.0, 2.0, 4.0]).unwrap();
        assert_eq!((summary.rows, summary.total, summary.ratio), (4, 8.0, 4.0));
        assert!((summary.effective_rows - 64.0 / 22.0).abs() < 1e-15);
        assert!((summary.design_effect - 88.0 / 64.0).abs() < 1e-15);
        assert_eq!(WeightSummary::of(&[0.0]), None);
        assert_eq!(WeightSummary::of(&[1.0, -1.0]), None);
        assert_eq!(WeightSummary::of(&[f64::NAN]), None);
    }
}
