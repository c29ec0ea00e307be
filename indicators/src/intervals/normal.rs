//! Quantiles of the normal distribution.

use super::QuantileError;

/// The z with P(Z ≤ z) = `probability` for the standard normal distribution, to some 14 digits.
///
/// Newton's steps on ½·erfc(−z/√2) inside a shrinking bracket, in the smaller tail, whose digits erfc keeps.
///
/// # Errors
/// [`QuantileError::Probability`] unless 0 < probability < 1.
pub fn normal_quantile(probability: f64) -> Result<f64, QuantileError> {
    if !(probability > 0.0 && probability < 1.0) {
        return Err(QuantileError::Probability { probability });
    }
    if probability == 0.5 {
        return Ok(0.0);
    }
    let sign = if probability < 0.5 { -1.0 } else { 1.0 };
    let tail = probability.min(1.0 - probability);
    let upper_tail = |z: f64| {
        let excess = 0.5 * libm::erfc(z / std::f64::consts::SQRT_2) - tail;
        let density = libm::exp(-0.5 * z * z) / std::f64::consts::TAU.sqrt();
        (excess, -density)
    };
    // The smallest positive double has z below 39.
    Ok(sign * super::quantiles::decreasing_root(upper_tail, 0.0, 40.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_quantiles() {
        // R 4.2, qnorm, 15 digits.
        for (probability, expected) in [
            (0.975, 1.959_963_984_540_05),
            (0.95, 1.644_853_626_951_47),
            (0.8, 0.841_621_233_572_914),
            (0.9, 1.281_551_565_544_6),
            (0.995, 2.575_829_303_548_9),
            (1e-10, -6.361_340_902_404_06),
        ] {
            let quantile = normal_quantile(probability).unwrap();
            assert!(
                (quantile - expected).abs() < 2e-14 * expected.abs().max(1.0),
                "{quantile} {expected}"
            );
        }
        assert_eq!(normal_quantile(0.5), Ok(0.0));
        assert!(normal_quantile(1.0).is_err() && normal_quantile(f64::NAN).is_err());
    }
}
