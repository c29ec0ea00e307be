//! What one household brings to one indicator.

use super::{Part, SummaryError};
use serde::{Deserialize, Serialize};

/// Largest magnitude of a value: above it, neighbouring whole numbers can no longer be told apart.
const LARGEST: f64 = 9_007_199_254_740_992.0;

/// One household's numerator and denominator of one indicator: counts of its persons, or 0 and 1 for the household.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Contribution {
    /// y, what the indicator counts.
    pub numerator: f64,
    /// x, what it counts among; 0 if the household is outside the indicator's population. Never negative.
    pub denominator: f64,
}

impl Contribution {
    /// Of a household that is outside the indicator's population or did not respond.
    pub const NONE: Contribution = Contribution {
        numerator: 0.0,
        denominator: 0.0,
    };

    /// Checks that both values are numbers of magnitude at most 2^53 and the denominator is not negative.
    ///
    /// # Errors
    /// [`SummaryError::NotUsable`] or [`SummaryError::NegativeDenominator`], naming `indicator`.
    pub fn check(&self, indicator: usize) -> Result<(), SummaryError> {
        for (part, value) in [(Part::Numerator, self.numerator), (Part::Denominator, self.denominator)] {
            if !value.is_finite() || value.abs() > LARGEST {
                return Err(SummaryError::NotUsable { indicator, part, value });
            }
        }
        if self.denominator < 0.0 {
            return Err(SummaryError::NegativeDenominator {
                indicator,
                value: self.denominator,
            });
        }
        Ok(())
    }
}

/// Checks a household's contributions to all indicators before any of them is counted.
pub(super) fn check_contributions(household: &[Contribution], indicators: usize) -> Result<(), SummaryError> {
    if household.len() != indicators {
        return Err(SummaryError::ContributionCount {
            given: household.len(),
            expected: indicators,
        });
    }
    household
        .iter()
        .enumerate()
        .try_for_each(|(indicator, contribution)| contribution.check(indicator))
}
