//! What may be shown: estimates that rest on too little are withheld, with the reason; tables of counts are protected.
//!
//! [`PublicationRules`] decide about one estimate. [`protect`] hides small counts of a two-way table so that they cannot be
//! worked out, [`round_to_base`] and [`round_at_random`] round counts instead.

mod error;
mod flow;
mod rounding;
mod suppression;
mod table;

pub use error::PublicationError;
pub use rounding::{round_at_random, round_to_base};
pub use suppression::{Attainable, CellStatus, ProtectedTable, SuppressionRules, attainable, protect};
pub use table::{Cell, CountTable};

use crate::estimators::Estimate;
use serde::{Deserialize, Serialize};

/// The rules of a round for showing estimates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PublicationRules {
    /// Smallest number of responding households that an estimate may rest on: the threshold rule of disclosure control (A.
    /// Hundepool et al., *Statistical Disclosure Control*, 2012, section 4.2), and a floor for precision.
    pub minimum_households: u64,
    /// Largest coefficient of variation, standard error over estimate, that may be shown; none for no such rule. Statistics
    /// Canada's household surveys release nothing above 0.333 and warn above 0.165 (for instance *Guide to the Labour Force
    /// Survey*, 71-543-G). A share near 0 has a large one however large the sample, so the rule suits totals and
    /// shares that are not rare.
    pub maximum_coefficient_of_variation: Option<f64>,
}

impl Default for PublicationRules {
    /// At least five households, whatever the coefficient of variation.
    fn default() -> Self {
        PublicationRules {
            minimum_households: 5,
            maximum_coefficient_of_variation: None,
        }
    }
}

/// Why an estimate is withheld.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
#[non_exhaustive]
pub enum Withheld {
    /// It rests on too few responding households: it would be imprecise, and might disclose what one of them answered.
    TooFewHouseholds {
        /// Households that responded.
        households: u64,
        /// Households needed.
        minimum: u64,
    },
    /// It is too imprecise to be of use.
    TooImprecise {
        /// Its standard error over its value.
        coefficient_of_variation: f64,
        /// The largest that may be shown.
        maximum: f64,
    },
}

impl PublicationRules {
    /// Why this estimate must be withheld; `None` if it may be shown.
    pub fn withheld(&self, estimate: &Estimate) -> Option<Withheld> {
        self.withheld_figure(estimate.households, estimate.point, estimate.standard_error)
    }

    /// The same of an estimate that was made elsewhere, from the number of its respondents, its point and its standard error.
    pub fn withheld_figure(
        &self,
        households: u64,
        point: Option<f64>,
        standard_error: Option<f64>,
    ) -> Option<Withheld> {
        let minimum = self.minimum_households;
        if households < minimum {
            return Some(Withheld::TooFewHouseholds { households, minimum });
        }
        let maximum = self.maximum_coefficient_of_variation?;
        // Of a share of 0 there is none: its interval says how sure it is.
        let point = point.filter(|point| *point != 0.0)?;
        let coefficient_of_variation = (standard_error? / point).abs();
        (coefficient_of_variation > maximum).then_some(Withheld::TooImprecise {
            coefficient_of_variation,
            maximum,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::tests::estimate;

    #[test]
    fn four_households_are_too_few_and_five_enough() {
        let withheld = |households| PublicationRules::default().withheld(&estimate(households, households, 9));
        assert_eq!(
            withheld(4),
            Some(Withheld::TooFewHouseholds {
                households: 4,
                minimum: 5
            })
        );
        assert_eq!(withheld(5), None);
    }

    #[test]
    fn imprecise_estimates_are_withheld_where_a_rule_says_so() {
        // Two of ten households of a hamlet of 1,000: the standard error is about 0.13 of a share of 0.2.
        let estimate = estimate(2, 10, 1_000);
        let rules = |maximum_coefficient_of_variation| PublicationRules {
            maximum_coefficient_of_variation,
            ..PublicationRules::default()
        };
        assert_eq!(rules(None).withheld(&estimate), None);
        assert_eq!(rules(Some(0.7)).withheld(&estimate), None);
        let Some(Withheld::TooImprecise {
            coefficient_of_variation,
            ..
        }) = rules(Some(0.333)).withheld(&estimate)
        else {
            panic!("{estimate:?}")
        };
        // √(0.99 · 0.2 · 0.8 / 9) / 0.2
        assert!((coefficient_of_variation - (0.99 * 0.16 / 9.0_f64).sqrt() / 0.2).abs() < 1e-12);
    }
}
