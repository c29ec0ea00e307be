//! Post-stratification: weights that meet the totals of one margin.

use super::base::check_weights;
use super::margins::{check_margins, worst_of};
use super::residuals::{MarginResiduals, Sweeps};
use super::{Margin, WeightDiagnosis, WeightsError};

/// Post-stratified weights.
#[derive(Debug, Clone)]
pub struct PostStratified<'a> {
    /// The new weights, one per row.
    pub weights: Vec<f64>,
    /// What was done.
    pub diagnosis: WeightDiagnosis,
    /// Turns influence values into residuals for the variance.
    pub residuals: MarginResiduals<'a>,
}

/// Multiplies the weights within each category by one factor, so that they sum to the population's total (Holt & Smith
/// 1979, *Journal of the Royal Statistical Society A* 142, 33–46). To post-stratify by several variables at once, number
/// their combinations.
///
/// # Errors
/// [`WeightsError`] naming row or category: a weight below 0 or not finite, an unknown category, a total not above 0, a
/// category without a row of positive weight.
pub fn post_stratify<'a>(weights: &[f64], margin: Margin<'a>) -> Result<PostStratified<'a>, WeightsError> {
    check_weights(weights)?;
    check_margins(weights, &[margin])?;
    let sums = margin.sums(weights);
    let new: Vec<f64> = weights
        .iter()
        .enumerate()
        .map(|(row, weight)| {
            let category = margin.category(row);
            weight * (margin.totals[category] / sums[category])
        })
        .collect();
    let deviation = worst_of(&[margin], &new).ok_or(WeightsError::NoConstraints)?;
    Ok(PostStratified {
        diagnosis: WeightDiagnosis::new(weights, &new, 1, deviation),
        residuals: MarginResiduals::new(
            vec![margin.categories],
            weights.to_vec(),
            new.clone(),
            Sweeps::UntilConverged,
        )?,
        weights: new,
    })
}

#[cfg(test)]
mod tests {
    use super::super::ResidualAdjustment;
    use super::*;

    #[test]
    fn factors_by_hand() {
        let categories = [0, 0, 1];
        let margin = Margin {
            categories: &categories,
            totals: &[30.0, 8.0],
        };
        let result = post_stratify(&[1.0, 2.0, 4.0], margin).unwrap();
        assert_eq!(result.weights, [10.0, 20.0, 8.0]);
        assert_eq!(result.diagnosis.largest_deviation.relative, 0.0);
        assert_eq!(
            (
                result.diagnosis.smallest_adjustment,
                result.diagnosis.largest_adjustment
            ),
            (2.0, 10.0)
        );
        // Residuals from the means weighted by the old weights: (1·3 + 2·6)/3 = 5 and 7.
        assert_eq!(result.residuals.adjust(&[30.0, 120.0, 56.0]), [-20.0, 20.0, 0.0]);
    }

    #[test]
    fn what_cannot_be_met_is_named() {
        fn margin<'a>(categories: &'a [u32], totals: &'a [f64]) -> Margin<'a> {
            Margin { categories, totals }
        }
        let empty = post_stratify(&[1.0, 1.0], margin(&[0, 0], &[3.0, 4.0])).unwrap_err();
        assert!(
            empty
                .to_string()
                .starts_with("category 1 of margin 0 has the total 4 but no row"),
            "{empty}"
        );
        assert!(empty.vietnamese().starts_with("nhóm 1 của biên 0"));
        let weightless = post_stratify(&[1.0, 0.0], margin(&[0, 1], &[3.0, 4.0])).unwrap_err();
        assert!(matches!(weightless, WeightsError::EmptyCategory { .. }));
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let error = post_stratify(&[1.0, 1.0], margin(&[0, 1], &[3.0, wrong])).unwrap_err();
            assert!(
                error.to_string().starts_with("category 1 of margin 0 has the total"),
                "{error}"
            );
        }
        let unknown = post_stratify(&[1.0, 1.0], margin(&[0, 2], &[3.0, 4.0])).unwrap_err();
        assert!(unknown.to_string().contains("row 1"), "{unknown}");
        let negative = post_stratify(&[1.0, -1.0], margin(&[0, 1], &[3.0, 4.0])).unwrap_err();
        assert!(
            negative.to_string().starts_with("row 1: the weights hold -1"),
            "{negative}"
        );
    }
}
