//! What may be shown: estimates that rest on too little are withheld, with the reason.

use crate::estimators::Estimate;
use serde::{Deserialize, Serialize};

/// The rules of a round for showing estimates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicationRules {
    /// Smallest number of responding households that an estimate may rest on.
    pub minimum_households: u64,
}

impl Default for PublicationRules {
    /// At least five households.
    fn default() -> Self {
        PublicationRules { minimum_households: 5 }
    }
}

/// Why an estimate is withheld.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
}

impl PublicationRules {
    /// Why this estimate must be withheld; `None` if it may be shown.
    pub fn withheld(&self, estimate: &Estimate) -> Option<Withheld> {
        let (households, minimum) = (estimate.households, self.minimum_households);
        (households < minimum).then_some(Withheld::TooFewHouseholds { households, minimum })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::design::{Design, Domain, Psu, Sample, Stratum};
    use crate::estimators::{Indicator, Measure, Settings, ratio};
    use crate::summary::{Contribution, PsuSummary};

    #[test]
    fn four_households_are_too_few_and_five_enough() {
        let design = Design::new(
            vec![Stratum { psus: 1 }],
            vec![Psu {
                stratum: 0,
                households: 9,
            }],
        )
        .unwrap();
        let withheld = |households: u64| {
            let mut summary = PsuSummary::new(1);
            for _ in 0..households {
                summary
                    .add(&[Contribution {
                        numerator: 1.0,
                        denominator: 2.0,
                    }])
                    .unwrap();
            }
            let summaries = [summary];
            let sample = Sample::new(&design, &summaries).unwrap();
            let indicator = Indicator {
                index: 0,
                measure: Measure::Proportion,
            };
            let estimate = ratio(&sample, &Domain::whole(&design), indicator, &Settings::default()).unwrap();
            PublicationRules::default().withheld(&estimate)
        };
        assert_eq!(
            withheld(4),
            Some(Withheld::TooFewHouseholds {
                households: 4,
                minimum: 5
            })
        );
        assert_eq!(withheld(5), None);
    }
}
