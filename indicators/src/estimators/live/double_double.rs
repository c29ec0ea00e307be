//! Numbers of about 32 digits, for sums from which hamlets are taken out again a million times.
//!
//! A variance from Σu², Σuv and Σv² loses digits where hamlets are alike, and what rounding leaves of each change would
//! add up. With twice the digits of `f64` neither reaches the digits that are shown.

use std::ops::{Add, AddAssign, Mul, Sub};

/// An unevaluated sum of two `f64`, the second of which is at most half a unit in the last place of the first.
///
/// Sums and products are those of Dekker (1971, *Numerische Mathematik* 18, 224–242) and Hida, Li & Bailey (2001,
/// "Algorithms for Quad-Double Precision Floating Point Arithmetic", ARITH-15), without fused multiplication, which not
/// every machine has. Good for magnitudes up to 2^996.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct DoubleDouble {
    high: f64,
    low: f64,
}

/// a + b and its rounding error, for any a and b (Knuth, *The Art of Computer Programming* 2, section 4.2.2).
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let of_b = sum - a;
    (sum, (a - (sum - of_b)) + (b - of_b))
}

/// The same for |a| ≥ |b|.
fn quick_two_sum(a: f64, b: f64) -> DoubleDouble {
    let high = a + b;
    DoubleDouble {
        high,
        low: b - (high - a),
    }
}

/// a as a sum of two numbers of 26 bits.
fn split(a: f64) -> (f64, f64) {
    /// 2^27 + 1.
    const SPLITTER: f64 = 134_217_729.0;
    let shifted = SPLITTER * a;
    let high = shifted - (shifted - a);
    (high, a - high)
}

impl DoubleDouble {
    /// a·b, exactly.
    pub(super) fn product(a: f64, b: f64) -> Self {
        let high = a * b;
        let ((a_high, a_low), (b_high, b_low)) = (split(a), split(b));
        let low = ((a_high * b_high - high) + a_high * b_low + a_low * b_high) + a_low * b_low;
        DoubleDouble { high, low }
    }

    /// The nearest `f64`.
    pub(super) fn value(self) -> f64 {
        self.high
    }

    pub(super) fn divided_by(self, divisor: f64) -> Self {
        let quotient = self.high / divisor;
        let rest = self - DoubleDouble::product(quotient, divisor);
        quick_two_sum(quotient, rest.high / divisor)
    }
}

impl From<f64> for DoubleDouble {
    fn from(value: f64) -> Self {
        DoubleDouble { high: value, low: 0.0 }
    }
}

impl Add for DoubleDouble {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let (high, high_error) = two_sum(self.high, other.high);
        let (low, low_error) = two_sum(self.low, other.low);
        let sum = quick_two_sum(high, high_error + low);
        quick_two_sum(sum.high, sum.low + low_error)
    }
}

impl AddAssign for DoubleDouble {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for DoubleDouble {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + DoubleDouble {
            high: -other.high,
            low: -other.low,
        }
    }
}

impl Mul for DoubleDouble {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let exact = DoubleDouble::product(self.high, other.high);
        quick_two_sum(exact.high, exact.low + (self.high * other.low + self.low * other.high))
    }
}

impl Mul<f64> for DoubleDouble {
    type Output = Self;

    fn mul(self, factor: f64) -> Self {
        let exact = DoubleDouble::product(self.high, factor);
        quick_two_sum(exact.high, exact.low + self.low * factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2^-70: far below the last digit of an `f64` of 1.
    const SMALL: f64 = 1.0 / (1u128 << 70) as f64;

    #[test]
    fn what_an_f64_forgets_is_kept() {
        let one_and_a_bit = DoubleDouble::from(1.0) + DoubleDouble::from(SMALL);
        assert_eq!((one_and_a_bit - DoubleDouble::from(1.0)).value(), SMALL);
        // (1 + ε)² = 1 + 2ε + ε².
        let square = one_and_a_bit * one_and_a_bit;
        assert_eq!((square - DoubleDouble::from(1.0)).value(), 2.0 * SMALL);
        let third = DoubleDouble::from(1.0).divided_by(3.0);
        assert!((third * 3.0 - DoubleDouble::from(1.0)).value().abs() < 1e-31);
    }

    #[test]
    fn products_are_exact() {
        // (2^53 − 1)² = 2^106 − 2^54 + 1.
        let large = 9_007_199_254_740_991.0;
        let square = DoubleDouble::product(large, large);
        let expected = DoubleDouble::product(9_007_199_254_740_992.0, 9_007_199_254_740_992.0);
        let difference = square - expected;
        assert_eq!((difference + DoubleDouble::from(18_014_398_509_481_984.0)).value(), 1.0);
    }

    #[test]
    fn what_was_added_can_be_taken_out() {
        let mut sum = DoubleDouble::default();
        let parts: Vec<f64> = (1..2_000).map(|number| 1e6 / f64::from(number)).collect();
        for &part in &parts {
            sum += DoubleDouble::from(part);
        }
        for &part in &parts {
            sum = sum - DoubleDouble::from(part);
        }
        assert!(sum.value().abs() < 1e-20, "{sum:?}");
    }
}
