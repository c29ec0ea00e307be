//! Rubin's rules: one estimate from several imputations.

use super::MissingError;

/// An estimate over several imputations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CombinedEstimate {
    /// Mean of the points.
    pub point: f64,
    /// Total variance T = U + (1 + 1/m)·B.
    pub variance: f64,
    /// U, the mean of the variances: what sampling adds.
    pub within: f64,
    /// B, the variance of the points: what the gaps add.
    pub between: f64,
    /// Degrees of freedom for an interval by Student's t; `None` if they are infinite.
    pub degrees_of_freedom: Option<f64>,
    /// Estimated share of information that is missing, from 0 to 1.
    pub missing_information: f64,
}

impl CombinedEstimate {
    /// The square root of the total variance.
    pub fn standard_error(&self) -> f64 {
        self.variance.sqrt()
    }
}

/// Combines the points and variances of one estimate in m imputations (Rubin, *Multiple Imputation for Nonresponse in
/// Surveys*, 1987, section 3.3). With the degrees of freedom that complete data would have, those of the result are the
/// smaller ones of Barnard & Rubin (1999, *Biometrika* 86, 948–955); without, they can exceed them.
///
/// # Errors
/// [`MissingError::Imputations`] for fewer than 2; [`MissingError::Length`] unless there is one variance per point;
/// [`MissingError::Estimate`] for a variance below 0 or what is no number; [`MissingError::DegreesOfFreedom`].
pub fn combine(
    points: &[f64],
    variances: &[f64],
    complete_degrees_of_freedom: Option<f64>,
) -> Result<CombinedEstimate, MissingError> {
    if points.len() < 2 {
        return Err(MissingError::Imputations {
            imputation: points.len(),
            fewest: 2,
            most: usize::MAX,
        });
    }
    if variances.len() != points.len() {
        return Err(MissingError::Length {
            column: 1,
            given: variances.len(),
            expected: points.len(),
        });
    }
    for (imputation, (&point, &variance)) in points.iter().zip(variances).enumerate() {
        if !(point.is_finite() && variance >= 0.0 && variance.is_finite()) {
            let value = if point.is_finite() { variance } else { point };
            return Err(MissingError::Estimate { imputation, value });
        }
    }
    if let Some(value) = complete_degrees_of_freedom.filter(|&value| value.is_nan() || value <= 0.0) {
        return Err(MissingError::DegreesOfFreedom { value });
    }
    let count = points.len() as f64;
    let point = points.iter().sum::<f64>() / count;
    let within = variances.iter().sum::<f64>() / count;
    let between = points
        .iter()
        .map(|value| (value - point) * (value - point))
        .sum::<f64>()
        / (count - 1.0);
    let added = (1.0 + 1.0 / count) * between;
    let variance = within + added;
    // γ = added / T; with nothing added the gaps leave the degrees of freedom infinite.
    let share = if variance > 0.0 { added / variance } else { 0.0 };
    let of_gaps = (share > 0.0).then(|| (count - 1.0) / (share * share));
    let observed = complete_degrees_of_freedom
        .filter(|complete| complete.is_finite())
        .map(|complete| (complete + 1.0) / (complete + 3.0) * complete * (1.0 - share));
    let degrees_of_freedom = match (of_gaps, observed) {
        (Some(gaps), Some(observed)) if observed > 0.0 => Some(1.0 / (1.0 / gaps + 1.0 / observed)),
        // All information is missing: nothing of the complete data is left.
        (Some(gaps), _) => Some(gaps),
        (None, observed) => observed,
    };
    // (r + 2/(ν + 3))/(r + 1) with r = γ/(1 − γ), written so that γ = 1 needs no division by zero.
    let missing_information = match degrees_of_freedom {
        Some(degrees) if share > 0.0 => share + (1.0 - share) * 2.0 / (degrees + 3.0),
        _ => share,
    };
    Ok(CombinedEstimate {
        point,
        variance,
        within,
        between,
        degrees_of_freedom,
        missing_information,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_by_hand() {
        // Points 1, 2, 3 and variances 1, 1, 4: U = 2, B = 1, T = 2 + 4/3 = 10/3, γ = 0.4, ν = 2/0.16 = 12.5.
        let combined = combine(&[1.0, 2.0, 3.0], &[1.0, 1.0, 4.0], None).unwrap();
        assert_eq!((combined.point, combined.within, combined.between), (2.0, 2.0, 1.0));
        assert!((combined.variance - 10.0 / 3.0).abs() < 1e-15);
        assert!((combined.degrees_of_freedom.unwrap() - 12.5).abs() < 1e-12);
        assert!((combined.missing_information - (0.4 + 0.6 * 2.0 / 15.5)).abs() < 1e-12);
        // With 17 degrees of freedom of complete data: 18/20 · 17 · 0.6 = 9.18, and 1/(1/12.5 + 1/9.18).
        let combined = combine(&[1.0, 2.0, 3.0], &[1.0, 1.0, 4.0], Some(17.0)).unwrap();
        assert!((combined.degrees_of_freedom.unwrap() - 12.5 * 9.18 / 21.68).abs() < 1e-12);
    }

    #[test]
    fn extremes_have_numbers_too() {
        let alike = combine(&[2.0, 2.0], &[1.0, 1.0], None).unwrap();
        assert_eq!((alike.degrees_of_freedom, alike.missing_information), (None, 0.0));
        let all_missing = combine(&[1.0, 2.0], &[0.0, 0.0], Some(9.0)).unwrap();
        assert_eq!(
            (all_missing.degrees_of_freedom, all_missing.missing_information),
            (Some(1.0), 1.0)
        );
        let nothing = combine(&[1.0, 1.0], &[0.0, 0.0], None).unwrap();
        assert_eq!((nothing.variance, nothing.standard_error()), (0.0, 0.0));
    }

    #[test]
    fn wrong_numbers_are_named() {
        assert!(matches!(
            combine(&[1.0], &[1.0], None).unwrap_err(),
            MissingError::Imputations { .. }
        ));
        assert!(matches!(
            combine(&[1.0, 2.0], &[1.0], None).unwrap_err(),
            MissingError::Length { .. }
        ));
        let negative = combine(&[1.0, 2.0], &[1.0, -1.0], None).unwrap_err();
        assert!(negative.vietnamese().starts_with("lần điền 1"));
        assert!(combine(&[f64::NAN, 2.0], &[1.0, 1.0], None).is_err());
        for degrees in [0.0, f64::NAN] {
            assert!(combine(&[1.0, 2.0], &[1.0, 1.0], Some(degrees)).is_err());
        }
    }
}
