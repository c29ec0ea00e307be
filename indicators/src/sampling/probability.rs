//! Inclusion probabilities as exact fractions.

use std::cmp::Ordering;

/// The probability with which a design includes a unit: an exact fraction in lowest terms, above 0 and at most 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InclusionProbability {
    numerator: u128,
    denominator: u128,
}

impl InclusionProbability {
    /// The unit is always included.
    pub const CERTAIN: Self = Self {
        numerator: 1,
        denominator: 1,
    };

    /// `numerator / denominator`, which callers keep above 0 and at most 1.
    pub(super) fn new(numerator: u128, denominator: u128) -> Self {
        let divisor = greatest_common_divisor(numerator, denominator).max(1);
        Self {
            numerator: numerator / divisor,
            denominator: denominator / divisor,
        }
    }

    /// The product: the probability of a second stage within this first one. Callers keep the product of the terms
    /// below 2^128.
    pub(super) fn and_then(self, within: Self) -> Self {
        // Crosswise, so that the products are as small as they can be.
        let left = Self::new(self.numerator, within.denominator);
        let right = Self::new(within.numerator, self.denominator);
        Self {
            numerator: left.numerator * right.numerator,
            denominator: left.denominator * right.denominator,
        }
    }

    /// Numerator and denominator, in lowest terms.
    pub fn fraction(self) -> (u128, u128) {
        (self.numerator, self.denominator)
    }

    /// The probability as a floating-point number.
    pub fn value(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }

    /// The design weight, 1 / π: how many units a drawn one stands for.
    pub fn weight(self) -> f64 {
        self.denominator as f64 / self.numerator as f64
    }

    /// Whether the unit is always included.
    pub fn is_certain(self) -> bool {
        self == Self::CERTAIN
    }
}

impl std::fmt::Display for InclusionProbability {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.denominator.cmp(&1) {
            Ordering::Equal => write!(formatter, "{}", self.numerator),
            _ => write!(formatter, "{}/{}", self.numerator, self.denominator),
        }
    }
}

/// Euclid's algorithm.
fn greatest_common_divisor(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_in_lowest_terms_and_multiply_exactly() {
        let first = InclusionProbability::new(30, 120);
        assert_eq!(first.fraction(), (1, 4));
        assert_eq!(first.weight(), 4.0);
        let both = first.and_then(InclusionProbability::new(10, 15));
        assert_eq!(both.fraction(), (1, 6));
        assert_eq!(both.to_string(), "1/6");
        assert_eq!(InclusionProbability::CERTAIN.to_string(), "1");
        assert!(InclusionProbability::new(9, 9).is_certain());
        let large = InclusionProbability::new(1 << 96, (1 << 96) + 1);
        let half = InclusionProbability::new(u128::from(u32::MAX), u128::from(u32::MAX) * 2);
        assert_eq!(large.and_then(half).fraction(), (1 << 95, (1 << 96) + 1));
    }
}
