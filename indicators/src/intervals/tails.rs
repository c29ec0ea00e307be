//! Upper tails of the chi-squared and F distributions, for tests.

use super::incomplete_beta::incomplete_beta;
use super::incomplete_gamma::upper_incomplete_gamma;
use super::quantiles::{QuantileError, check_parameter};

fn check_statistic(value: f64) -> Result<(), QuantileError> {
    if value >= 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(QuantileError::Statistic { value })
    }
}

/// P(X > x) for the chi-squared distribution; degrees of freedom need not be whole.
///
/// # Errors
/// [`QuantileError`] unless x ≥ 0 is finite and 0 < degrees of freedom ≤ 1e9.
pub fn chi_squared_upper_tail(x: f64, degrees_of_freedom: f64) -> Result<f64, QuantileError> {
    check_statistic(x)?;
    check_parameter(degrees_of_freedom)?;
    Ok(upper_incomplete_gamma(degrees_of_freedom / 2.0, x / 2.0))
}

/// P(X > x) for the F distribution; degrees of freedom need not be whole.
///
/// # Errors
/// [`QuantileError`] unless x ≥ 0 is finite and both degrees of freedom are above 0 and at most 1e9.
pub fn f_upper_tail(x: f64, numerator: f64, denominator: f64) -> Result<f64, QuantileError> {
    check_statistic(x)?;
    check_parameter(numerator)?;
    check_parameter(denominator)?;
    // P(F > x) = I_y(d₂/2, d₁/2) with y = d₂ / (d₂ + d₁x).
    let ratio = numerator / denominator * x;
    let (y, rest) = if ratio.is_finite() {
        (1.0 / (1.0 + ratio), ratio / (1.0 + ratio))
    } else {
        (0.0, 1.0)
    };
    Ok(incomplete_beta(denominator / 2.0, numerator / 2.0, y, rest).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_forms() {
        for x in [0.0_f64, 0.1, 1.0, 7.5, 60.0] {
            // Two degrees of freedom: exponential with mean 2. Four: 1 + x/2 times that.
            let exponential = (-x / 2.0).exp();
            let two = chi_squared_upper_tail(x, 2.0).unwrap();
            assert!((two - exponential).abs() <= 1e-14 * exponential);
            let four = chi_squared_upper_tail(x, 4.0).unwrap();
            assert!((four - (1.0 + x / 2.0) * exponential).abs() <= 1e-13 * four);
            // F with 2 and d degrees: (1 + 2x/d)^(−d/2).
            let f = f_upper_tail(x, 2.0, 10.0).unwrap();
            assert!((f - (1.0 + 0.2 * x).powi(-5)).abs() <= 1e-13 * f);
        }
        assert!(chi_squared_upper_tail(-1.0, 2.0).is_err());
        assert!(f_upper_tail(f64::NAN, 2.0, 3.0).is_err());
        assert!(f_upper_tail(1.0, 0.0, 3.0).is_err());
    }
}
