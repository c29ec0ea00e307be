//! Weights from the sampling design.

use super::{WeightColumn, WeightsError};

/// The base weight of each row: one over the product of its inclusion probabilities at each stage (Horvitz & Thompson
/// 1952, *Journal of the American Statistical Association* 47, 663–685).
///
/// `stages` has one column of probabilities per stage, each with one entry per row: the probability of the row's hamlet,
/// then that of the household given its hamlet, then that of the person.
///
/// # Errors
/// [`WeightsError::NoRows`] without a stage or a row; [`WeightsError::Length`] if a stage has another length than the
/// first; [`WeightsError::Value`] naming stage and row of a probability that is not above 0 and at most 1.
pub fn base_weights(stages: &[&[f64]]) -> Result<Vec<f64>, WeightsError> {
    let rows = stages.first().map_or(0, |stage| stage.len());
    if rows == 0 {
        return Err(WeightsError::NoRows);
    }
    let mut products = vec![1.0; rows];
    for (stage, probabilities) in stages.iter().enumerate() {
        let column = WeightColumn::Probabilities { stage };
        check_length(column, probabilities.len(), rows)?;
        for (row, (product, &probability)) in products.iter_mut().zip(*probabilities).enumerate() {
            if !(probability > 0.0 && probability <= 1.0) {
                return Err(WeightsError::Value {
                    column,
                    row,
                    value: probability,
                });
            }
            *product *= probability;
        }
    }
    for (row, product) in products.iter_mut().enumerate() {
        let weight = 1.0 / *product;
        // The product of many small probabilities can vanish.
        if !weight.is_finite() {
            return Err(WeightsError::Value {
                column: WeightColumn::Weights,
                row,
                value: weight,
            });
        }
        *product = weight;
    }
    Ok(products)
}

/// The weight of each member's household: where everybody in a household is asked, its members have its weight.
///
/// `household_of` gives, per member, the position of the household in `household_weights`.
///
/// # Errors
/// [`WeightsError::Value`] for a weight that is negative or not finite; [`WeightsError::UnknownCode`] naming the row of a
/// member whose household does not exist.
pub fn weights_of_members(household_weights: &[f64], household_of: &[usize]) -> Result<Vec<f64>, WeightsError> {
    check_weights(household_weights)?;
    household_of
        .iter()
        .enumerate()
        .map(|(row, &household)| {
            household_weights
                .get(household)
                .copied()
                .ok_or(WeightsError::UnknownCode {
                    column: WeightColumn::Households,
                    row,
                    code: household as u64,
                    count: household_weights.len(),
                })
        })
        .collect()
}

pub(super) fn check_length(column: WeightColumn, given: usize, expected: usize) -> Result<(), WeightsError> {
    if given == expected {
        Ok(())
    } else {
        Err(WeightsError::Length {
            column,
            given,
            expected,
        })
    }
}

/// There are rows, and each weight is finite and at least 0.
pub(super) fn check_weights(weights: &[f64]) -> Result<(), WeightsError> {
    if weights.is_empty() {
        return Err(WeightsError::NoRows);
    }
    match weights
        .iter()
        .position(|&weight| !(weight >= 0.0 && weight.is_finite()))
    {
        None => Ok(()),
        Some(row) => Err(WeightsError::Value {
            column: WeightColumn::Weights,
            row,
            value: weights[row],
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_inverse_products() {
        // 2 of 8 hamlets, then 5 of 20 and 4 of 10 households.
        let weights = base_weights(&[&[0.25, 0.25], &[0.25, 0.4]]).unwrap();
        assert_eq!(weights, [16.0, 10.0]);
        assert_eq!(weights_of_members(&weights, &[1, 0, 0]).unwrap(), [10.0, 16.0, 16.0]);
    }

    #[test]
    fn wrong_probabilities_are_named() {
        for wrong in [0.0, 1.5, -0.1, f64::NAN, f64::INFINITY] {
            let error = base_weights(&[&[0.5, 0.5], &[0.5, wrong]]).unwrap_err();
            assert!(
                error
                    .to_string()
                    .starts_with("row 1: the inclusion probabilities of stage 1"),
                "{error}"
            );
            assert!(
                error
                    .vietnamese()
                    .starts_with("dòng 1: cột xác suất chọn ở giai đoạn 1")
            );
        }
        assert_eq!(base_weights(&[]).unwrap_err(), WeightsError::NoRows);
        assert!(matches!(
            base_weights(&[&[0.5, 0.5], &[0.5]]).unwrap_err(),
            WeightsError::Length {
                column: WeightColumn::Probabilities { stage: 1 },
                given: 1,
                expected: 2
            }
        ));
        let vanishing = base_weights(&[&[1e-200], &[1e-200]]).unwrap_err();
        assert!(matches!(
            vanishing,
            WeightsError::Value {
                column: WeightColumn::Weights,
                row: 0,
                ..
            }
        ));
        assert!(matches!(
            weights_of_members(&[1.0], &[0, 1]).unwrap_err(),
            WeightsError::UnknownCode {
                row: 1,
                code: 1,
                count: 1,
                ..
            }
        ));
    }
}
