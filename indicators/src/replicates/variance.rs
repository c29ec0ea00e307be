//! The covariance of replicate estimates.

use super::multipliers::check_weights;
use super::{Centre, Replicates, ReplicatesError, VarianceError};
use crate::linear_algebra::Matrix;

/// Most statistics: their covariance takes 200 MB.
const MOST_STATISTICS: usize = 5_000;

/// Most values of all statistics in all replicates, 1 GB.
const MOST_VALUES: usize = 1 << 27;

/// Estimates of several statistics with their covariance.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplicateEstimate {
    /// The statistics with the full weights.
    pub points: Vec<f64>,
    /// Their covariance, in the order of the points.
    pub covariance: Matrix,
    /// The statistics in each replicate: one row per replicate, one column per statistic.
    pub replicates: Matrix,
    /// Degrees of freedom.
    pub degrees_of_freedom: usize,
}

impl ReplicateEstimate {
    /// The square roots of the variances, in the order of the points.
    pub fn standard_errors(&self) -> Vec<f64> {
        (0..self.points.len())
            .map(|statistic| self.covariance.get(statistic, statistic).max(0.0).sqrt())
            .collect()
    }
}

impl Replicates {
    /// Σ scale·(θ_r − centre)(θ_r − centre)′ for any statistics θ of weights, as R's `withReplicates`. The estimator is
    /// called with the full weights and then with those of each replicate, one per row.
    ///
    /// # Errors
    /// [`VarianceError::Estimator`] with the replicate in which the estimator fails; [`ReplicatesError::NotFinite`],
    /// [`ReplicatesError::StatisticCount`] or, above 5,000, [`ReplicatesError::TooManyStatistics`] for what it gives.
    pub fn variance_of<E: std::error::Error>(
        &self,
        estimator: impl Fn(&[f64]) -> Result<Vec<f64>, E>,
    ) -> Result<ReplicateEstimate, VarianceError<E>> {
        let mut multipliers = vec![0.0; self.units];
        let mut weights = vec![0.0; self.rows()];
        let call = |replicate, weights: &[f64]| {
            estimator(weights).map_err(|source| VarianceError::Estimator { replicate, source })
        };
        let points = call(None, &self.weights)?;
        self.collect(points, |replicate| {
            self.fill_weights(replicate, &mut multipliers, &mut weights);
            call(Some(replicate), &weights)
        })
    }

    /// As [`Replicates::variance_of`], with weights that are first adjusted as the full weights were: calibrated to the
    /// same totals, say. So the variance is that of the adjusted estimate (Valliant 1993, *Journal of the American
    /// Statistical Association* 88, 89–96, for post-stratification).
    ///
    /// # Errors
    /// As [`Replicates::variance_of`], from the adjustment too.
    pub fn variance_after<E: std::error::Error>(
        &self,
        adjustment: impl Fn(&[f64]) -> Result<Vec<f64>, E>,
        estimator: impl Fn(&[f64]) -> Result<Vec<f64>, E>,
    ) -> Result<ReplicateEstimate, VarianceError<E>> {
        self.variance_of(|weights| estimator(&adjustment(weights)?))
    }

    /// The covariance of functions of weighted totals, such as ratios and means: the totals of `columns` (one entry per
    /// row each) come in that order. Rows are gone through once for all replicates, so this is the fast way.
    ///
    /// # Errors
    /// [`ReplicatesError::Length`] for a column without one entry per row; otherwise as [`Replicates::variance_of`].
    pub fn variance_of_totals(
        &self,
        columns: &[&[f64]],
        functions: impl Fn(&[f64]) -> Vec<f64>,
    ) -> Result<ReplicateEstimate, ReplicatesError> {
        for column in columns {
            if column.len() != self.rows() {
                return Err(ReplicatesError::Length {
                    given: column.len(),
                    expected: self.rows(),
                });
            }
        }
        check_weights(&self.weights, self.rows())?;
        let mut full = vec![0.0; columns.len()];
        let mut of_units = Matrix::zeros(self.units, columns.len());
        for (row, &unit) in self.unit_of_row.iter().enumerate() {
            let (weight, multiplied) = (self.weights[row], self.multiplied(row));
            for ((column, full), sum) in columns.iter().zip(&mut full).zip(of_units.row_mut(unit as usize)) {
                *full += weight * column[row];
                *sum += multiplied * column[row];
            }
        }
        let mut multipliers = vec![0.0; self.units];
        let mut totals = vec![0.0; columns.len()];
        let result = self.collect::<std::convert::Infallible>(functions(&full), |replicate| {
            self.multipliers(replicate, &mut multipliers);
            totals.fill(0.0);
            for (unit, multiplier) in multipliers.iter().enumerate() {
                for (total, sum) in totals.iter_mut().zip(of_units.row(unit)) {
                    *total += multiplier * sum;
                }
            }
            Ok(functions(&totals))
        });
        result.map_err(|error| match error {
            VarianceError::Replicates(error) => error,
            VarianceError::Estimator { source, .. } => match source {},
        })
    }

    fn collect<E: std::error::Error>(
        &self,
        points: Vec<f64>,
        mut statistics: impl FnMut(usize) -> Result<Vec<f64>, VarianceError<E>>,
    ) -> Result<ReplicateEstimate, VarianceError<E>> {
        check_finite(&points, None)?;
        let most = MOST_STATISTICS.min(MOST_VALUES / self.count().max(1));
        if points.len() > most {
            return Err(VarianceError::Replicates(ReplicatesError::TooManyStatistics {
                statistics: points.len(),
                replicates: self.count(),
                most,
            }));
        }
        let mut replicates = Matrix::zeros(self.count(), points.len());
        for replicate in 0..self.count() {
            let values = statistics(replicate)?;
            if values.len() != points.len() {
                return Err(VarianceError::Replicates(ReplicatesError::StatisticCount {
                    replicate,
                    given: values.len(),
                    expected: points.len(),
                }));
            }
            check_finite(&values, Some(replicate))?;
            replicates.row_mut(replicate).copy_from_slice(&values);
        }
        let centre = match self.centre {
            Centre::FullEstimate => points.clone(),
            Centre::ReplicateMean => self.mean(&replicates),
        };
        let mut covariance = Matrix::zeros(points.len(), points.len());
        for (replicate, scale) in self.scales.iter().enumerate() {
            let differences: Vec<f64> = replicates
                .row(replicate)
                .iter()
                .zip(&centre)
                .map(|(value, centre)| value - centre)
                .collect();
            for (statistic, one) in differences.iter().enumerate() {
                for (sum, other) in covariance.row_mut(statistic).iter_mut().zip(&differences) {
                    *sum += scale * one * other;
                }
            }
        }
        Ok(ReplicateEstimate {
            points,
            covariance,
            replicates,
            degrees_of_freedom: self.degrees_of_freedom,
        })
    }

    /// The mean over the replicates that count.
    fn mean(&self, replicates: &Matrix) -> Vec<f64> {
        let mut sums = vec![0.0; replicates.columns()];
        let mut count = 0_usize;
        for replicate in (0..replicates.rows()).filter(|&replicate| self.scales[replicate] > 0.0) {
            count += 1;
            for (sum, value) in sums.iter_mut().zip(replicates.row(replicate)) {
                *sum += value;
            }
        }
        if count > 0 {
            sums.iter_mut().for_each(|sum| *sum /= count as f64);
        }
        sums
    }
}

fn check_finite(values: &[f64], replicate: Option<usize>) -> Result<(), ReplicatesError> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(statistic) => Err(ReplicatesError::NotFinite {
            replicate,
            statistic,
            value: values[statistic],
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::FirstStage;
    use super::*;
    use crate::variance::LonelyPsu;

    fn replicates() -> Replicates {
        let stage = FirstStage::new(&[0, 1, 2], None, None).unwrap();
        Replicates::jackknife(&[1.0; 3], &stage, LonelyPsu::Fail).unwrap()
    }

    #[test]
    fn the_jackknife_of_a_mean_by_hand() {
        // Values 1, 2, 6: the variance of their mean is s²/3 = 7/3.
        let y = [1.0, 2.0, 6.0];
        let estimate = replicates()
            .variance_of_totals(&[&y, &[1.0; 3]], |totals| vec![totals[0] / totals[1]])
            .unwrap();
        assert_eq!(estimate.points, [3.0]);
        assert!((estimate.covariance.get(0, 0) - 7.0 / 3.0).abs() < 1e-14);
        assert_eq!(estimate.replicates.values(), [4.0, 3.5, 1.5]);
        assert!((estimate.standard_errors()[0] - (7.0_f64 / 3.0).sqrt()).abs() < 1e-15);
    }

    #[test]
    fn both_ways_agree_and_centres_differ() {
        let y = [1.0, 2.0, 6.0];
        let square = |totals: &[f64]| vec![totals[0] * totals[0], totals[0]];
        let fast = replicates().variance_of_totals(&[&y], square).unwrap();
        let plain = replicates()
            .variance_of::<ReplicatesError>(|weights| Ok(square(&[crate::linear_algebra::dot(weights, &y)])))
            .unwrap();
        for (one, other) in fast.covariance.values().iter().zip(plain.covariance.values()) {
            assert!((one - other).abs() < 1e-10);
        }
        let about_full = replicates()
            .centred_at(Centre::FullEstimate)
            .variance_of_totals(&[&y], square)
            .unwrap();
        assert!(about_full.covariance.get(0, 0) > fast.covariance.get(0, 0));
    }

    #[test]
    fn what_an_estimator_says_is_checked() {
        let nan = replicates()
            .variance_of_totals(&[&[0.0, 0.0, 1.0]], |totals| vec![1.0 / totals[0]])
            .unwrap_err();
        assert!(
            matches!(
                nan,
                ReplicatesError::NotFinite {
                    replicate: Some(2),
                    statistic: 0,
                    ..
                }
            ),
            "{nan}"
        );
        assert!(nan.vietnamese().starts_with("thống kê 0 là inf ở lần lặp 2"));
        let grows = std::cell::Cell::new(0);
        let count = replicates().variance_of::<ReplicatesError>(|_| {
            grows.set(grows.get() + 1);
            Ok(vec![1.0; grows.get()])
        });
        assert!(matches!(
            count.unwrap_err(),
            VarianceError::Replicates(ReplicatesError::StatisticCount {
                given: 2,
                expected: 1,
                ..
            })
        ));
        let failing = replicates().variance_of(|_| Err(ReplicatesError::NoRows)).unwrap_err();
        assert!(
            failing
                .to_string()
                .starts_with("with the full weights: there are no rows"),
            "{failing}"
        );
        assert!(
            replicates()
                .variance_of_totals(&[&[1.0]], |totals| totals.to_vec())
                .is_err()
        );
    }
}
