//! The regularised upper incomplete gamma function.
//!
//! Q(a, x) is the upper tail of the gamma distribution. The prefactor x^a·e^{−x} / Γ(a) is taken in the saddle-point form
//! that [`super::incomplete_beta`] uses; the rest is the series DLMF 8.11.4 below the mean and the continued fraction
//! DLMF 8.9.2 above.

use super::incomplete_beta::{deviance, stirling_remainder};

/// x^a · e^{−x} / Γ(a).
fn prefactor(a: f64, x: f64) -> f64 {
    (a / std::f64::consts::TAU).sqrt() * (-stirling_remainder(a) - deviance(a, x)).exp()
}

/// Q(a, x) for finite a > 0 and x ≥ 0.
pub(super) fn upper_incomplete_gamma(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let prefactor = prefactor(a, x);
    // Both need O(√a) terms near the mean.
    let terms = 200 + (20.0 * a.sqrt()) as u64;
    if x < a + 1.0 {
        let (mut term, mut sum) = (1.0 / a, 1.0 / a);
        for count in 1..=terms {
            term *= x / (a + count as f64);
            sum += term;
            if term <= f64::EPSILON * sum {
                break;
            }
        }
        (1.0 - prefactor * sum).max(0.0)
    } else {
        let mut b = x + 1.0 - a;
        let mut c = f64::INFINITY;
        let mut d = 1.0 / b;
        let mut fraction = d;
        for count in 1..=terms {
            let count = count as f64;
            let numerator = count * (a - count);
            b += 2.0;
            d = 1.0 / (b + numerator * d);
            c = b + numerator / c;
            let factor = c * d;
            fraction *= factor;
            if (factor - 1.0).abs() <= f64::EPSILON {
                break;
            }
        }
        prefactor * fraction
    }
}
