//! The regularised incomplete beta function, accurate also for large parameters.
//!
//! I_x(a, b) is the distribution function of the beta distribution and, through it, of Student's t. The prefactor
//! x^a·y^b / B(a, b) is taken in the saddle-point form of C. Loader, "Fast and Accurate Computation of Binomial
//! Probabilities" (2000), which does not lose digits for large a and b as a difference of log-gammas does. The rest is the
//! continued fraction DLMF 8.17.22, evaluated by the modified Lentz method.

/// Above this, Stirling's remainder is summed from its series; below, taken from log-gamma without loss.
const SERIES_FROM: f64 = 16.0;

/// δ(z) = ln Γ(z) − [(z − ½) ln z − z + ½ ln 2π], the remainder of Stirling's formula (DLMF 5.11.1).
pub(super) fn stirling_remainder(z: f64) -> f64 {
    if z < SERIES_FROM {
        let half_ln_two_pi = 0.5 * std::f64::consts::TAU.ln();
        libm::lgamma(z) - ((z - 0.5) * z.ln() - z + half_ln_two_pi)
    } else {
        let square = 1.0 / (z * z);
        (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square * (1.0 / 1680.0 - square / 1188.0)))) / z
    }
}

/// a·ln(a / m) + m − a for a, m > 0: never negative, and accurate where a and m are close.
pub(super) fn deviance(a: f64, m: f64) -> f64 {
    let difference = a - m;
    if difference.abs() >= 0.1 * (a + m) {
        return a * (a / m).ln() + m - a;
    }
    // With v = (a − m) / (a + m), ln(a / m) = 2 artanh v, whose series starts with the terms that cancel.
    let v = difference / (a + m);
    let mut sum = difference * v;
    let mut power = 2.0 * a * v;
    // |v| < 0.1, so that each term is a hundredth of the one before and the tenth is beyond a double's digits.
    for term in 1..=10_u8 {
        power *= v * v;
        sum += power / f64::from(2 * term + 1);
    }
    sum
}

/// x^a · y^b / B(a, b), where y = 1 − x is given beside x so that neither loses digits near 1.
pub(super) fn beta_prefactor(a: f64, b: f64, x: f64, y: f64) -> f64 {
    if x <= 0.0 || y <= 0.0 {
        return 0.0;
    }
    let n = a + b;
    let exponent =
        stirling_remainder(n) - stirling_remainder(a) - stirling_remainder(b) - deviance(a, n * x) - deviance(b, n * y);
    (a * (b / n) / std::f64::consts::TAU).sqrt() * exponent.exp()
}

/// (I_x(a, b), 1 − I_x(a, b)) for finite a, b > 0 and x in [0, 1], with y = 1 − x. The smaller of the two is accurate to
/// some 13 digits.
pub(super) fn incomplete_beta(a: f64, b: f64, x: f64, y: f64) -> (f64, f64) {
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if y <= 0.0 {
        return (1.0, 0.0);
    }
    let prefactor = beta_prefactor(a, b, x, y);
    // The fraction converges fast below the mode; above it, the roles of x and y are exchanged.
    if x * (a + b + 2.0) < a + 1.0 {
        let lower = (prefactor * continued_fraction(a, b, x) / a).min(1.0);
        (lower, 1.0 - lower)
    } else {
        let upper = (prefactor * continued_fraction(b, a, y) / b).min(1.0);
        (1.0 - upper, upper)
    }
}

/// DLMF 8.17.22, without the prefactor. Needs O(√max(a, b)) terms.
fn continued_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    let terms = 200 + (20.0 * a.max(b).sqrt()) as u64;
    for term in 1..=terms {
        let m = term as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away_from_zero(1.0 + even * d);
        c = away_from_zero(1.0 + even / c);
        fraction *= c * d;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away_from_zero(1.0 + odd * d);
        c = away_from_zero(1.0 + odd / c);
        let factor = c * d;
        fraction *= factor;
        if (factor - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        // I_x(1, b) = 1 − (1 − x)^b, and I_½(a, a) = ½.
        for b in [0.5, 1.0, 7.0, 300.0] {
            for x in [1e-6_f64, 0.01, 0.3, 0.9] {
                let expected = -(b * (-x).ln_1p()).exp_m1();
                let (lower, upper) = incomplete_beta(1.0, b, x, 1.0 - x);
                assert!((lower - expected).abs() <= 1e-13 * expected, "b = {b}, x = {x}");
                assert!((lower + upper - 1.0).abs() < 1e-15);
            }
        }
        for a in [0.5, 3.0, 16.0, 1000.0, 1e7] {
            let (lower, _) = incomplete_beta(a, a, 0.5, 0.5);
            assert!((lower - 0.5).abs() < 1e-12, "a = {a} gives {lower}");
        }
        assert_eq!(incomplete_beta(2.0, 3.0, 0.0, 1.0), (0.0, 1.0));
        assert_eq!(incomplete_beta(2.0, 3.0, 1.0, 0.0), (1.0, 0.0));
    }

    #[test]
    fn stirling_remainder_is_continuous_where_the_method_changes() {
        let below = stirling_remainder(SERIES_FROM - 1e-9);
        let above = stirling_remainder(SERIES_FROM);
        assert!((below - above).abs() < 1e-12);
    }
}
