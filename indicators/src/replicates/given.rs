//! Replicate weights that come with a file, one column per replicate.

use super::multipliers::{Kind, check_weights};
use super::{Centre, Replicates, ReplicatesError};
use crate::linear_algebra::dot;

/// How replicates that come with a file were made, which says what their squared differences count. Named as the `type`
/// of `svrepdesign` in the R package survey.
#[derive(Debug, Clone, PartialEq)]
pub enum GivenMethod {
    /// Balanced half-samples: 1/R each.
    Balanced,
    /// Fay's method: 1/(R·(1 − ρ)²).
    Fay {
        /// ρ, from 0 to below 1.
        rho: f64,
    },
    /// The bootstrap: 1/(R − 1).
    Bootstrap,
    /// The jackknife without strata, one replicate per PSU: (R − 1)/R.
    JackknifeUnstratified,
    /// The jackknife of pairs, one replicate per pair: 1.
    JackknifePairs,
    /// Successive differences: 4/R.
    SuccessiveDifferences,
    /// What the file's documentation says, one scale per replicate.
    Scales(Vec<f64>),
}

impl GivenMethod {
    fn scales(&self, replicates: usize) -> Result<Vec<f64>, ReplicatesError> {
        let count = replicates as f64;
        let scale = match *self {
            GivenMethod::Balanced => 1.0 / count,
            GivenMethod::Fay { rho } if (0.0..1.0).contains(&rho) => 1.0 / (count * (1.0 - rho) * (1.0 - rho)),
            GivenMethod::Fay { rho } => return Err(ReplicatesError::Fay { rho }),
            GivenMethod::Bootstrap => 1.0 / (count - 1.0),
            GivenMethod::JackknifeUnstratified => (count - 1.0) / count,
            GivenMethod::JackknifePairs => 1.0,
            GivenMethod::SuccessiveDifferences => 4.0 / count,
            GivenMethod::Scales(ref scales) => {
                if scales.len() != replicates {
                    return Err(ReplicatesError::Scale {
                        replicate: replicates.min(scales.len()),
                        value: scales.len() as f64,
                    });
                }
                return match scales.iter().position(|&scale| !(scale >= 0.0 && scale.is_finite())) {
                    None => Ok(scales.clone()),
                    Some(replicate) => Err(ReplicatesError::Scale {
                        replicate,
                        value: scales[replicate],
                    }),
                };
            }
        };
        Ok(vec![scale; replicates])
    }
}

impl Replicates {
    /// Takes replicates that come as columns, one entry per row each: of weights, or, if `are_weights` is false, of what
    /// the full weights are multiplied by (R's `combined.weights`).
    ///
    /// Where the degrees of freedom are not stated they are the rank of the replicate weights less 1, as R's `degf`; that
    /// costs rows × replicates² steps.
    ///
    /// # Errors
    /// [`ReplicatesError`] naming row and replicate of what is no number, or of another length; [`ReplicatesError::Fay`];
    /// [`ReplicatesError::Scale`]; [`ReplicatesError::ReplicateCount`] for fewer than 2 replicates.
    pub fn given(
        weights: &[f64],
        columns: Vec<Vec<f64>>,
        are_weights: bool,
        method: &GivenMethod,
        degrees_of_freedom: Option<usize>,
    ) -> Result<Self, ReplicatesError> {
        check_weights(weights, weights.len())?;
        let rows = weights.len();
        if columns.len() < 2 || rows > u32::MAX as usize {
            return Err(ReplicatesError::ReplicateCount {
                replicates: columns.len(),
                most: usize::MAX,
            });
        }
        for (replicate, column) in columns.iter().enumerate() {
            if column.len() != rows {
                return Err(ReplicatesError::Length {
                    given: column.len(),
                    expected: rows,
                });
            }
            if let Some(row) = column.iter().position(|weight| !weight.is_finite()) {
                let value = column[row];
                return Err(ReplicatesError::ReplicateWeight { row, replicate, value });
            }
        }
        let scales = method.scales(columns.len())?;
        let mut replicates = Replicates {
            weights: weights.to_vec(),
            unit_of_row: (0..rows as u32).collect(),
            units: rows,
            kind: Kind::Columns { columns, are_weights },
            scales,
            degrees_of_freedom: 0,
            centre: Centre::default(),
        };
        replicates.degrees_of_freedom = degrees_of_freedom.unwrap_or_else(|| replicates.rank().saturating_sub(1));
        Ok(replicates)
    }

    /// The rank of the matrix of replicate weights: how many columns keep more than 1e-5 of their length beside those
    /// before them.
    fn rank(&self) -> usize {
        let mut directions: Vec<Vec<f64>> = Vec::new();
        for replicate in 0..self.count() {
            let Some(mut column) = self.weights(replicate) else {
                break;
            };
            let whole = dot(&column, &column).sqrt();
            // Twice, so that rounding of the first pass does not stand for a direction.
            for _ in 0..2 {
                for direction in &directions {
                    let along = dot(direction, &column);
                    for (value, part) in column.iter_mut().zip(direction) {
                        *value -= along * part;
                    }
                }
            }
            let left = dot(&column, &column).sqrt();
            if left > 1e-5 * whole {
                column.iter_mut().for_each(|value| *value /= left);
                directions.push(column);
            }
        }
        directions.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<Vec<f64>> {
        vec![vec![2.0, 0.0, 1.0], vec![0.0, 2.0, 1.0], vec![1.0, 1.0, 1.0]]
    }

    #[test]
    fn scales_follow_the_method() {
        let scale = |method| {
            Replicates::given(&[1.0; 3], columns(), true, &method, None)
                .unwrap()
                .scales()[0]
        };
        assert_eq!(scale(GivenMethod::Balanced), 1.0 / 3.0);
        assert_eq!(scale(GivenMethod::Fay { rho: 0.5 }), 4.0 / 3.0);
        assert_eq!(scale(GivenMethod::Bootstrap), 0.5);
        assert_eq!(scale(GivenMethod::JackknifeUnstratified), 2.0 / 3.0);
        assert_eq!(scale(GivenMethod::JackknifePairs), 1.0);
        assert_eq!(scale(GivenMethod::SuccessiveDifferences), 4.0 / 3.0);
        assert_eq!(scale(GivenMethod::Scales(vec![0.25, 0.5, 1.0])), 0.25);
    }

    #[test]
    fn multipliers_and_weights_differ() {
        let multiplied = Replicates::given(&[5.0; 3], columns(), false, &GivenMethod::Balanced, Some(9)).unwrap();
        assert_eq!(multiplied.weights(0).unwrap(), [10.0, 0.0, 5.0]);
        assert_eq!(multiplied.degrees_of_freedom(), 9);
        let whole = Replicates::given(&[5.0; 3], columns(), true, &GivenMethod::Balanced, None).unwrap();
        assert_eq!(whole.weights(0).unwrap(), [2.0, 0.0, 1.0]);
        // The third column is the mean of the others: rank 2.
        assert_eq!(whole.degrees_of_freedom(), 1);
    }

    #[test]
    fn wrong_columns_are_named() {
        let given = |columns, method| Replicates::given(&[1.0; 3], columns, true, &method, None).unwrap_err();
        let mut hole = columns();
        hole[1][2] = f64::NAN;
        assert!(matches!(
            given(hole, GivenMethod::Balanced),
            ReplicatesError::ReplicateWeight {
                row: 2,
                replicate: 1,
                ..
            }
        ));
        assert!(matches!(
            given(vec![vec![1.0; 2]; 2], GivenMethod::Balanced),
            ReplicatesError::Length { .. }
        ));
        assert!(matches!(
            given(vec![], GivenMethod::Balanced),
            ReplicatesError::ReplicateCount { .. }
        ));
        assert!(matches!(
            given(columns(), GivenMethod::Fay { rho: 1.0 }),
            ReplicatesError::Fay { .. }
        ));
        for scales in [vec![1.0], vec![1.0, -1.0, 1.0], vec![1.0, 1.0, f64::NAN]] {
            assert!(matches!(
                given(columns(), GivenMethod::Scales(scales)),
                ReplicatesError::Scale { .. }
            ));
        }
    }
}
