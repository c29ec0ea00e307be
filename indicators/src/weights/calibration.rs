//! Calibration: weights as near as possible to the old ones that meet known totals of auxiliary variables.

use super::base::{check_length, check_weights};
use super::newton::Problem;
use super::raking::check_settings;
use super::residuals::CalibrationResiduals;
use super::{Auxiliaries, Distance, WeightColumn, WeightDiagnosis, WeightsError};
use crate::linear_algebra::{Cholesky, LinearAlgebraError};

/// What rounding may make of a weighted sum, relative to its total.
const ROUNDING: f64 = 1e-9;

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
    let factor = Cholesky::new(&start).map_err(|error| singular(error, weights, auxiliaries, totals))?;
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
fn singular(error: LinearAlgebraError, weights: &[f64], auxiliaries: &Auxiliaries<'_>, totals: &[f64]) -> WeightsError {
    let column = match error {
        LinearAlgebraError::Singular { column } | LinearAlgebraError::NotFinite { column, .. } => column,
        // The cross product is square and as large as it says.
        LinearAlgebraError::Length { .. } | LinearAlgebraError::NotSquare { .. } => 0,
    };
    let constraint = auxiliaries.constraint(column);
    match auxiliaries.is_empty_category(column, weights) {
        true => WeightsError::EmptyCategory {
            constraint,
            total: totals.get(column).copied().unwrap_or(0.0),
        },
        false => WeightsError::Singular { constraint },
    }
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
    fn residuals_as_a_regression_are_the_same() {
        let auxiliaries = auxiliaries();
        let settings = CalibrationSettings {
            variances: Some(&X),
            ..CalibrationSettings::new(Distance::Raking)
        };
        let result = calibrate(&OLD, &auxiliaries, &[90.0, 65.0, 280.0], &settings).unwrap();
        let influence = [3.0, -1.0, 4.0, 1.0, -5.0];
        let regression = result.residuals.regression().unwrap();
        let (mut terms, mut sums) = (vec![0.0; regression.terms()], vec![0.0; regression.terms()]);
        for (row, value) in influence.iter().enumerate() {
            regression.moments(row, &mut terms);
            sums.iter_mut()
                .zip(&terms)
                .for_each(|(sum, moment)| *sum += moment * value);
        }
        regression.solve(&mut sums);
        for (row, residual) in result.residuals.adjust(&influence).iter().enumerate() {
            regression.explaining(row, &mut terms);
            let explained: f64 = terms
                .iter()
                .zip(&sums)
                .map(|(term, coefficient)| term * coefficient)
                .sum();
            assert!((influence[row] - explained - residual).abs() < 1e-12);
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
        let weightless = calibrate(&[0.0, 0.0, 1.0, 1.0, 1.0], &empty, &[20.0, 60.0, 7.0], &linear).unwrap_err();
        assert!(matches!(weightless, WeightsError::EmptyCategory { total: 20.0, .. }));
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
