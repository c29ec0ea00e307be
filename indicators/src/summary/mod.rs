//! Sums per hamlet that suffice for every estimate, kept current in O(1) per changed household.
//!
//! For a ratio, the linearised variance of a two-stage sample needs of each primary sampling unit only the number of
//! responding households and Σy, Σx, Σy², Σxy, Σx² over them (Särndal, Swensson & Wretman 1992, section 5.5 and
//! result 4.3.1). No household is looked at again when an estimate is made.

mod contribution;

pub use contribution::Contribution;

use contribution::check_contributions;
use serde::{Deserialize, Serialize};

/// The sums of one indicator over the responding households of one hamlet.
///
/// For whole numbers every sum is exact while it stays below 2^53 in magnitude, so the order of adding does not matter
/// and removing is the exact inverse of adding. Fractions are accepted, but for them removing leaves rounding behind.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct IndicatorSums {
    /// Σ y.
    pub numerator: f64,
    /// Σ x.
    pub denominator: f64,
    /// Σ y².
    pub numerator_squared: f64,
    /// Σ x·y.
    pub product: f64,
    /// Σ x².
    pub denominator_squared: f64,
    /// Number of households with x > 0.
    pub households_with_denominator: u64,
}

impl IndicatorSums {
    /// Adds one household's values, which the caller has checked.
    pub(crate) fn add(&mut self, contribution: Contribution) {
        let Contribution {
            numerator: y,
            denominator: x,
        } = contribution;
        self.numerator += y;
        self.denominator += x;
        self.numerator_squared += y * y;
        self.product += x * y;
        self.denominator_squared += x * x;
        self.households_with_denominator += u64::from(x > 0.0);
    }

    /// Takes one household's values out again.
    pub(crate) fn remove(&mut self, contribution: Contribution) {
        let Contribution {
            numerator: y,
            denominator: x,
        } = contribution;
        self.numerator -= y;
        self.denominator -= x;
        self.numerator_squared -= y * y;
        self.product -= x * y;
        self.denominator_squared -= x * x;
        self.households_with_denominator = self.households_with_denominator.saturating_sub(u64::from(x > 0.0));
    }
}

/// What estimation needs to know of one hamlet (primary sampling unit), for all indicators of a round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PsuSummary {
    households: u64,
    indicators: Vec<IndicatorSums>,
}

impl PsuSummary {
    /// An empty summary, of a hamlet without responses, for this number of indicators.
    pub fn new(indicators: usize) -> Self {
        PsuSummary {
            households: 0,
            indicators: vec![IndicatorSums::default(); indicators],
        }
    }

    /// Number of responding households, m.
    pub fn households(&self) -> u64 {
        self.households
    }

    /// The sums, one entry per indicator.
    pub fn indicators(&self) -> &[IndicatorSums] {
        &self.indicators
    }

    /// Adds a responding household: one contribution per indicator, in the registry's order.
    ///
    /// A household that is outside an indicator's population, or did not answer its questions, contributes (0, 0).
    ///
    /// # Errors
    /// [`SummaryError`] if the number of contributions is wrong or a value is not usable; the summary is then unchanged.
    pub fn add(&mut self, household: &[Contribution]) -> Result<(), SummaryError> {
        check_contributions(household, self.indicators.len())?;
        self.add_checked(household);
        Ok(())
    }

    /// Takes a household out that was added with the same contributions.
    ///
    /// # Errors
    /// [`SummaryError`] as for [`PsuSummary::add`], or if no such household can be in the summary; the summary is then
    /// unchanged.
    pub fn remove(&mut self, household: &[Contribution]) -> Result<(), SummaryError> {
        check_contributions(household, self.indicators.len())?;
        self.check_removable(household)?;
        self.remove_checked(household);
        Ok(())
    }

    /// Replaces a household's contributions: `old` is what is counted now (`None` if it has not been counted yet), `new`
    /// what shall be counted (`None` if it no longer responds).
    ///
    /// # Errors
    /// As for [`PsuSummary::add`] and [`PsuSummary::remove`]; the summary is then unchanged.
    pub fn apply(&mut self, old: Option<&[Contribution]>, new: Option<&[Contribution]>) -> Result<(), SummaryError> {
        for household in [old, new].into_iter().flatten() {
            check_contributions(household, self.indicators.len())?;
        }
        if let Some(old) = old {
            self.check_removable(old)?;
            self.remove_checked(old);
        }
        if let Some(new) = new {
            self.add_checked(new);
        }
        Ok(())
    }

    fn add_checked(&mut self, household: &[Contribution]) {
        self.households += 1;
        for (sums, &contribution) in self.indicators.iter_mut().zip(household) {
            sums.add(contribution);
        }
    }

    fn remove_checked(&mut self, household: &[Contribution]) {
        self.households -= 1;
        for (sums, &contribution) in self.indicators.iter_mut().zip(household) {
            sums.remove(contribution);
        }
    }

    fn check_removable(&self, household: &[Contribution]) -> Result<(), SummaryError> {
        if self.households == 0 {
            return Err(SummaryError::NoHouseholdLeft);
        }
        for (indicator, (sums, contribution)) in self.indicators.iter().zip(household).enumerate() {
            let counted = contribution.denominator > 0.0;
            // With one household left, the sums are that household.
            let is_last = self.households == 1;
            let differs = sums.numerator != contribution.numerator || sums.denominator != contribution.denominator;
            if (counted && sums.households_with_denominator == 0) || (is_last && differs) {
                return Err(SummaryError::NotCounted { indicator });
            }
        }
        Ok(())
    }
}

/// Why a household cannot be added to or removed from a summary.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum SummaryError {
    /// The household brings more or fewer contributions than there are indicators.
    #[error("the household has {given} contributions; there must be {expected}, one per indicator")]
    ContributionCount {
        /// Contributions given.
        given: usize,
        /// Indicators of the summary.
        expected: usize,
    },
    /// A value is infinite, not a number, or too large in magnitude to be a count.
    #[error("indicator {indicator}: {part} is {value}; it must be a number of magnitude at most 2^53")]
    NotUsable {
        /// Position of the indicator, from 0.
        indicator: usize,
        /// "numerator" or "denominator".
        part: Part,
        /// The value given.
        value: f64,
    },
    /// A denominator is negative.
    #[error("indicator {indicator}: the denominator is {value}; it must not be negative")]
    NegativeDenominator {
        /// Position of the indicator, from 0.
        indicator: usize,
        /// The value given.
        value: f64,
    },
    /// A household is removed from a hamlet that has none.
    #[error("no household is counted in this hamlet; only a household that was added can be removed")]
    NoHouseholdLeft,
    /// A household is removed with values that no counted household can have.
    #[error("indicator {indicator}: no counted household has these values; remove with the values that were added")]
    NotCounted {
        /// Position of the indicator, from 0.
        indicator: usize,
    },
}

/// Numerator or denominator of a contribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// y.
    Numerator,
    /// x.
    Denominator,
}

impl std::fmt::Display for Part {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Part::Numerator => "the numerator",
            Part::Denominator => "the denominator",
        })
    }
}

impl Part {
    fn vietnamese(self) -> &'static str {
        match self {
            Part::Numerator => "tử số",
            Part::Denominator => "mẫu số",
        }
    }
}

impl SummaryError {
    /// The same message in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            SummaryError::ContributionCount { given, expected } => {
                format!("hộ có {given} cặp giá trị; phải có {expected}, mỗi chỉ tiêu một cặp")
            }
            SummaryError::NotUsable { indicator, part, value } => format!(
                "chỉ tiêu {indicator}: {} là {value}; phải là số có trị tuyệt đối không quá 2^53",
                part.vietnamese()
            ),
            SummaryError::NegativeDenominator { indicator, value } => {
                format!("chỉ tiêu {indicator}: mẫu số là {value}; không được âm")
            }
            SummaryError::NoHouseholdLeft => {
                "ấp này chưa có hộ nào được tính; chỉ có thể bỏ hộ đã được thêm vào".to_owned()
            }
            SummaryError::NotCounted { indicator } => format!(
                "chỉ tiêu {indicator}: không có hộ nào đã tính mang giá trị này; hãy bỏ bằng đúng giá trị đã thêm"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn household(values: &[(f64, f64)]) -> Vec<Contribution> {
        values
            .iter()
            .map(|&(numerator, denominator)| Contribution { numerator, denominator })
            .collect()
    }

    #[test]
    fn sums_of_two_households() {
        let mut summary = PsuSummary::new(2);
        summary.add(&household(&[(2.0, 3.0), (0.0, 0.0)])).unwrap();
        summary.add(&household(&[(1.0, 4.0), (1.0, 1.0)])).unwrap();
        assert_eq!(summary.households(), 2);
        let expected = IndicatorSums {
            numerator: 3.0,
            denominator: 7.0,
            numerator_squared: 5.0,
            product: 10.0,
            denominator_squared: 25.0,
            households_with_denominator: 2,
        };
        assert_eq!(summary.indicators()[0], expected);
        assert_eq!(summary.indicators()[1].households_with_denominator, 1);
    }

    #[test]
    fn an_unusable_value_changes_nothing() {
        let mut summary = PsuSummary::new(2);
        summary.add(&household(&[(2.0, 3.0), (1.0, 1.0)])).unwrap();
        let before = summary.clone();
        let bad = household(&[(1.0, 1.0), (f64::NAN, 1.0)]);
        assert!(matches!(
            summary.add(&bad),
            Err(SummaryError::NotUsable {
                indicator: 1,
                part: Part::Numerator,
                ..
            })
        ));
        let negative = household(&[(1.0, -1.0), (0.0, 1.0)]);
        assert_eq!(
            summary.add(&negative),
            Err(SummaryError::NegativeDenominator {
                indicator: 0,
                value: -1.0
            })
        );
        let short = household(&[(1.0, 1.0)]);
        let old = household(&[(2.0, 3.0), (1.0, 1.0)]);
        assert_eq!(
            summary.apply(Some(&old), Some(&short)),
            Err(SummaryError::ContributionCount { given: 1, expected: 2 })
        );
        assert_eq!(summary, before);
    }

    #[test]
    fn only_what_was_added_can_be_removed() {
        let mut summary = PsuSummary::new(1);
        assert_eq!(
            summary.remove(&household(&[(0.0, 0.0)])),
            Err(SummaryError::NoHouseholdLeft)
        );
        summary.add(&household(&[(1.0, 2.0)])).unwrap();
        assert_eq!(
            summary.remove(&household(&[(2.0, 2.0)])),
            Err(SummaryError::NotCounted { indicator: 0 })
        );
        summary.apply(Some(&household(&[(1.0, 2.0)])), None).unwrap();
        assert_eq!(summary, PsuSummary::new(1));
    }

    #[test]
    fn every_error_speaks_vietnamese() {
        let error = SummaryError::NotUsable {
            indicator: 3,
            part: Part::Denominator,
            value: f64::INFINITY,
        };
        assert!(error.to_string().contains("the denominator is inf"));
        assert!(error.vietnamese().contains("mẫu số là inf"));
    }
}
