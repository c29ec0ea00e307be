//! The equations of calibration, solved by Newton's method.

use super::calibration::CalibrationSettings;
use super::diagnosis::relative_deviation;
use super::{Auxiliaries, LargestDeviation, WeightsError};
use crate::linear_algebra::{Cholesky, Matrix};

/// After so many iterations without coming a hundredth nearer to the totals there is no solution.
const STALLED: usize = 20;

/// The equations Σ d·F(x′η/q)·x = totals.
pub(super) struct Problem<'p, 'a> {
    pub(super) weights: &'p [f64],
    pub(super) auxiliaries: &'p Auxiliaries<'a>,
    pub(super) totals: &'p [f64],
    pub(super) settings: &'p CalibrationSettings<'p>,
    /// Size of each column, so that misfits in different units can be compared.
    pub(super) scale: Vec<f64>,
}

/// A value of η with what follows from it.
struct Trial {
    coefficients: Vec<f64>,
    ratios: Vec<f64>,
    misfit: Vec<f64>,
    /// Σ (misfit / scale)².
    distance: f64,
}

impl Problem<'_, '_> {
    fn variance(&self, row: usize) -> f64 {
        self.settings.variances.map_or(1.0, |variances| variances[row])
    }

    fn trial(&self, coefficients: Vec<f64>) -> Trial {
        let ratios: Vec<f64> = (0..self.weights.len())
            .map(|row| {
                let u = self.auxiliaries.product(row, &coefficients) / self.variance(row);
                self.settings.distance.ratio(u)
            })
            .collect();
        let sums = self.auxiliaries.weighted_sums(|row| self.weights[row] * ratios[row]);
        let misfit: Vec<f64> = self.totals.iter().zip(sums).map(|(total, sum)| total - sum).collect();
        let distance = misfit
            .iter()
            .zip(&self.scale)
            .map(|(misfit, scale)| (misfit / scale).powi(2))
            .sum();
        Trial {
            coefficients,
            ratios,
            misfit,
            distance,
        }
    }

    fn worst(&self, trial: &Trial) -> (usize, f64) {
        let mut worst = (0, 0.0);
        for (column, (misfit, &total)) in trial.misfit.iter().zip(self.totals).enumerate() {
            let relative = relative_deviation(total - misfit, total);
            if relative > worst.1 {
                worst = (column, relative);
            }
        }
        worst
    }

    /// The ratios of new to old weights, iterations made and the deviation left.
    pub(super) fn solve(
        &self,
        start: &Matrix,
        start_factor: &Cholesky,
    ) -> Result<(Vec<f64>, usize, LargestDeviation), WeightsError> {
        let mut current = self.trial(vec![0.0; self.auxiliaries.columns()]);
        let mut iterations = 0;
        let (mut best, mut best_iteration) = (current.distance, 0);
        loop {
            let (column, relative) = self.worst(&current);
            let constraint = self.auxiliaries.constraint(column);
            if relative <= self.settings.tolerance {
                let worst = LargestDeviation { constraint, relative };
                return Ok((current.ratios, iterations, worst));
            }
            if current.distance < 0.99 * best {
                (best, best_iteration) = (current.distance, iterations);
            }
            if iterations == self.settings.iterations || iterations - best_iteration > STALLED {
                return Err(WeightsError::NotConverged {
                    iterations,
                    constraint,
                    deviation: relative,
                });
            }
            iterations += 1;
            let next = match self.newton_step(&current, start) {
                Some(next) => next,
                None => {
                    let direction = solve(start_factor, &current.misfit);
                    self.step(&current, &direction, 1.0 / self.settings.distance.steepest())
                }
            };
            if !next.distance.is_finite() {
                return Err(WeightsError::NotConverged {
                    iterations,
                    constraint,
                    deviation: relative,
                });
            }
            current = next;
        }
    }

    /// A step of Newton's method that comes nearer to the totals; `None` if none does.
    fn newton_step(&self, current: &Trial, start: &Matrix) -> Option<Trial> {
        let distance = self.settings.distance;
        let slopes = self
            .auxiliaries
            .cross_product(|row| self.weights[row] * distance.slope(current.ratios[row]) / self.variance(row));
        let factor = Cholesky::new(&slopes)
            .or_else(|_| Cholesky::new(&ridge(&slopes, start)))
            .ok()?;
        let direction = solve(&factor, &current.misfit);
        let mut size = 1.0;
        while size > 1e-3 {
            let next = self.step(current, &direction, size);
            if next.distance < (1.0 - 1e-4 * size) * current.distance {
                return Some(next);
            }
            size /= 2.0;
        }
        None
    }

    fn step(&self, current: &Trial, direction: &[f64], size: f64) -> Trial {
        let coefficients = current
            .coefficients
            .iter()
            .zip(direction)
            .map(|(now, step)| now + size * step)
            .collect();
        self.trial(coefficients)
    }
}

/// A little of the starting matrix added, so that columns whose rows are all at a bound can be solved for.
fn ridge(slopes: &Matrix, start: &Matrix) -> Matrix {
    let mut ridged = slopes.clone();
    for row in 0..slopes.rows() {
        for (value, addition) in ridged.row_mut(row).iter_mut().zip(start.row(row)) {
            *value += 1e-6 * addition;
        }
    }
    ridged
}

/// The solution; the misfit always has as many entries as the matrix has rows.
fn solve(factor: &Cholesky, right: &[f64]) -> Vec<f64> {
    factor.solve(right).unwrap_or_else(|_| vec![0.0; right.len()])
}
