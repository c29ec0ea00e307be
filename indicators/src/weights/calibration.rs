//! Calibration: weights as near as possible to the old ones that meet known totals of auxiliary variables.

use super::base::{check_length, check_weights};
use super::diagnosis::relative_deviation;
use super::raking::check_settings;
use super::residuals::CalibrationResiduals;
use super::{Auxiliaries, Distance, LargestDeviation, WeightColumn, WeightDiagnosis, WeightsError};
use crate::linear_algebra::{Cholesky, LinearAlgebraError, Matrix};

/// What rounding may make of a weighted sum, relative to its total.
const ROUNDING: f64 = 1e-9;

/// After so many iterations without coming a hundredth nearer to the totals there is no solution.
const STALLED: usize = 20;

/// How to calibrate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationSettings<'a> {
    /// How the distance from the old weights is measured.
    pub distance: Distance,
    /// The variance of each row about the regression on the auxiliaries, up to a factor: rows of large variance change
    /// less. `None` takes all as equal.
    pub variances: Option<&'a [f64]>,
    /// Largest |weighted sum − total| / (1 + |total|) that counts as met.
    pub tolerance: f64,
    /// Most iterations.
    pub iterations: usize,
}

impl CalibrationSettings<'_> {
    /// Equal variances, tolerance 1e-10, at most 200 iterations.
    pub fn new(distance: Distance) -> Self {
        CalibrationSettings {
            distance,
            variances: None,
            tolerance: 1e-10,
            iterations: 200,
        }
    }
}

/// Calibrated weights.
#[derive(Debug, Clone)]
pub struct Calibrated<'a> {
    /// The new weights, one per row.
    pub weights: Vec<f64>,
    /// What was done.
    pub diagnosis: WeightDiagnosis,
    /// Turns influence values into residuals for the variance.
    pub residuals: CalibrationResiduals<'a>,
}

/// Finds w = d·F(x′η/q) with Σ w·x = the totals, where d are the old weights, q the variances and F belongs to the
/// distance (Deville & Särndal 1992, equations 2.2 and 2.3), by Newton's method as `calibrate` in the R package survey. A
/// step is halved while it does not come nearer to the totals; where bounds hold so many rows that no step does, a step of
/// steepest descent of the dual problem, which is convex, is taken instead.
///
/// `totals` has one entry per column of the auxiliaries.
///
/// # Errors
/// [`WeightsError`]: a weight below 0, a variance not above 0 or a total that is not finite, by row or column;
/// [`WeightsError::Bounds`]; [`WeightsError::Singular`] naming the first auxiliary that depends on those before it;
/// [`WeightsError::EmptyCategory`] for a category with a total and no row; [`WeightsError::OutOfReach`] for a total that
/// no weights within the bounds meet; [`WeightsError::NotConverged`] naming the total that is furthest off, as happens
/// where the bounds leave no solution for all totals together.
pub fn calibrate<'a>(
    weights: &[f64],
    auxiliaries: &Auxiliaries<'a>,
    totals: &[f64],
    settings: &CalibrationSettings<'_>,
) -> Result<Calibrated<'a>, WeightsError> {
    check(weights, auxiliaries, totals, settings)?;
    let variance = |row: usize| settings.variances.map_or(1.0, |variances| variances[row]);
    let regression_weights: Vec<f64> = weights
        .iter()
        .enumerate()
        .map(|(row, weight)| weight / variance(row))
        .collect();
    let start = auxiliaries.cross_product(|row| regression_weights[row]);
    let factor = Cholesky::new(&start).map_err(|error| singular(error, auxiliaries, totals))?;
    check_reach(weights, auxiliaries, totals, settings.distance)?;
    let problem = Problem {
        weights,
        auxiliaries,
        totals,
        settings,
        scale: (0..auxiliaries.columns())
            .map(|column| start.get(column, column).sqrt())
            .collect(),
    };
    let (ratios, iterations, worst) = problem.solve(&start, &factor)?;
    let new: Vec<f64> = weights
        .iter()
        .zip(&ratios)
        .map(|(weight, ratio)| weight * ratio)
        .collect();
    Ok(Calibrated {
        diagnosis: WeightDiagnosis::new(weights, &new, iterations, worst),
        residuals: CalibrationResiduals::new(auxiliaries.clone(), regression_weights, new.clone(), factor),
        weights: new,
    })
}

fn check(
    weights: &[f64],
    auxiliaries: &Auxiliaries<'_>,
    totals: &[f64],
    settings: &CalibrationSettings<'_>,
) -> Result<(), WeightsError> {
    check_weights(weights)?;
    check_length(WeightColumn::Weights, weights.len(), auxiliaries.rows())?;
    check_settings(settings.tolerance, settings.iterations)?;
    settings.distance.check()?;
    if let Some(variances) = settings.variances {
        let column = WeightColumn::Variances;
        check_length(column, variances.len(), weights.len())?;
        if let Some(row) = variances.iter().position(|&value| !(value > 0.0 && value.is_finite())) {
            let value = variances[row];
            return Err(WeightsError::Value { column, row, value });
        }
    }
    if totals.len() != auxiliaries.columns() {
        return Err(WeightsError::TotalsLength {
            given: totals.len(),
            expected: auxiliaries.columns(),
        });
    }
    match totals.iter().position(|total| !total.is_finite()) {
        None => Ok(()),
        Some(column) => Err(WeightsError::Total {
            constraint: auxiliaries.constraint(column),
            value: totals[column],
        }),
    }
}

/// Whether each total by itself can be reached within the bounds; several together may still be impossible.
fn check_reach(
    weights: &[f64],
    auxiliaries: &Auxiliaries<'_>,
    totals: &[f64],
    distance: Distance,
) -> Result<(), WeightsError> {
    let reach = auxiliaries.reach(weights, distance.bounds());
    for (column, (&total, (smallest, largest))) in totals.iter().zip(reach).enumerate() {
        // The sums are rounded.
        let rounding = ROUNDING * (1.0 + total.abs());
        if total < smallest - rounding || total > largest + rounding {
            return Err(WeightsError::OutOfReach {
                constraint: auxiliaries.constraint(column),
                total,
                smallest,
                largest,
            });
        }
    }
    Ok(())
}

/// Names the auxiliary that a singular cross product is due to.
fn singular(error: LinearAlgebraError, auxiliaries: &Auxiliaries<'_>, totals: &[f64]) -> WeightsError {
    let column = match error {
        LinearAlgebraError::Singular { column } | LinearAlgebraError::NotFinite { column, .. } => column,
        // The cross product is square and as large as it says.
        LinearAlgebraError::Length { .. } | LinearAlgebraError::NotSquare { .. } => 0,
    };
    let constraint = auxiliaries.constraint(column);
    match auxiliaries.is_empty_category(column) {
        true => WeightsError::EmptyCategory {
            constraint,
            total: totals.get(column).copied().unwrap_or(0.0),
        },
        false => WeightsError::Singular { constraint },
    }
}

/// The equations Σ d·F(x′η/q)·x = totals.
struct Problem<'p, 'a> {
    weights: &'p [f64],
    auxiliaries: &'p Auxiliaries<'a>,
    totals: &'p [f64],
    settings: &'p CalibrationSettings<'p>,
    /// Size of each column, so that misfits in different units can be compared.
    scale: Vec<f64>,
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
    fn solve(
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

#[cfg(test)]
mod tests {
    use super::super::{Auxiliary, Constraint, ResidualAdjustment};
    use super::*;

    const CODES: [u32; 5] = [0, 0, 1, 1, 1];
    const X: [f64; 5] = [1.0, 3.0, 2.0, 5.0, 4.0];
    const OLD: [f64; 5] = [10.0, 10.0, 20.0, 20.0, 20.0];

    fn auxiliaries() -> Auxiliaries<'static> {
        let groups = Auxiliary::Categories {
            codes: &CODES,
            categories: 2,
            omit_first: true,
        };
        Auxiliaries::new(5, vec![Auxiliary::Constant, groups, Auxiliary::Values(&X)]).unwrap()
    }

    #[test]
    fn the_ratio_estimator_by_hand() {
        // One auxiliary x with variances x gives the ratio estimator: all weights times 300 / Σ d·x = 300 / 260.
        let auxiliaries = Auxiliaries::new(5, vec![Auxiliary::Values(&X)]).unwrap();
        let settings = CalibrationSettings {
            variances: Some(&X),
            ..CalibrationSettings::new(Distance::Linear)
        };
        let result = calibrate(&OLD, &auxiliaries, &[300.0], &settings).unwrap();
        for (new, old) in result.weights.iter().zip(OLD) {
            assert!((new - old * 300.0 / 260.0).abs() < 1e-12);
        }
        // Residuals y − x·(Σ d·y / Σ d·x), here for y = 1: Σ d = 80.
        let residuals = result.residuals.adjust(&result.weights);
        for ((residual, x), weight) in residuals.iter().zip(X).zip(&result.weights) {
            assert!((residual - weight * (1.0 - x * 80.0 / 260.0)).abs() < 1e-12);
        }
    }

    #[test]
    fn every_distance_meets_the_totals() {
        let totals = [90.0, 65.0, 280.0];
        for distance in [
            Distance::Linear,
            Distance::TruncatedLinear { lower: 0.5, upper: 1.6 },
            Distance::Raking,
            Distance::TruncatedRaking { lower: 0.5, upper: 1.6 },
            Distance::Logit { lower: 0.5, upper: 1.6 },
        ] {
            let auxiliaries = auxiliaries();
            let result = calibrate(&OLD, &auxiliaries, &totals, &CalibrationSettings::new(distance)).unwrap();
            let sums = auxiliaries.weighted_sums(|row| result.weights[row]);
            for (sum, total) in sums.iter().zip(totals) {
                assert!((sum - total).abs() < 1e-8, "{distance:?}");
            }
            assert!(result.diagnosis.largest_deviation.relative <= 1e-10);
            assert_eq!(result.diagnosis.negative_weights, 0);
        }
    }

    #[test]
    fn what_cannot_be_solved_is_named() {
        let logit = |lower, upper| CalibrationSettings::new(Distance::Logit { lower, upper });
        // Σ d = 80 can become 88 at most.
        let narrow = calibrate(&OLD, &auxiliaries(), &[160.0, 60.0, 260.0], &logit(0.9, 1.1)).unwrap_err();
        let reach =
            "category 0 of auxiliary variable 0 has the total 160; weights within the bounds reach from 72 to 88";
        assert!(narrow.to_string().starts_with(reach), "{narrow}");
        assert!(narrow.vietnamese().contains("chỉ đạt từ 72"));
        // Each total can be met by itself, but 78 people, of whom 63 of the second kind, leave 15 of the first, who are 16
        // or more.
        let together = calibrate(&OLD, &auxiliaries(), &[78.0, 63.0, 260.0], &logit(0.8, 1.2)).unwrap_err();
        assert!(matches!(together, WeightsError::NotConverged { .. }), "{together}");
        let all = |omit_first, categories| Auxiliary::Categories {
            codes: &CODES,
            categories,
            omit_first,
        };
        let linear = CalibrationSettings::new(Distance::Linear);
        let twice = Auxiliaries::new(5, vec![Auxiliary::Constant, all(false, 2)]).unwrap();
        assert_eq!(
            calibrate(&OLD, &twice, &[80.0, 20.0, 60.0], &linear).unwrap_err(),
            WeightsError::Singular {
                constraint: Constraint::Column {
                    auxiliary: 1,
                    category: 1
                }
            }
        );
        let empty = Auxiliaries::new(5, vec![all(false, 3)]).unwrap();
        let error = calibrate(&OLD, &empty, &[20.0, 60.0, 7.0], &linear).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("category 2 of auxiliary variable 0 has the total 7 but no row")
        );
        assert!(matches!(
            calibrate(&OLD, &auxiliaries(), &[1.0, f64::NAN, 1.0], &linear).unwrap_err(),
            WeightsError::Total {
                constraint: Constraint::Column {
                    auxiliary: 1,
                    category: 1
                },
                ..
            }
        ));
        assert!(matches!(
            calibrate(&OLD, &auxiliaries(), &[1.0], &linear).unwrap_err(),
            WeightsError::TotalsLength { given: 1, expected: 3 }
        ));
        let settings = CalibrationSettings {
            variances: Some(&[1.0, 1.0, 0.0, 1.0, 1.0]),
            ..linear
        };
        assert!(matches!(
            calibrate(&OLD, &auxiliaries(), &[1.0, 1.0, 1.0], &settings).unwrap_err(),
            WeightsError::Value {
                column: WeightColumn::Variances,
                row: 2,
                ..
            }
        ));
    }
}
