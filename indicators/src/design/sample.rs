//! A design joined to the responses so far.

use super::{Design, DesignError, Domain, List};
use crate::summary::{IndicatorSums, PsuSummary};

/// A design with the summaries of its hamlets: what every estimator takes.
///
/// A hamlet with at least one response is sampled; n_h counts those of stratum h. Making a sample costs a pass over the
/// hamlets, so make it once per evaluation of many domains.
#[derive(Debug, Clone)]
pub struct Sample<'a> {
    design: &'a Design,
    summaries: &'a [PsuSummary],
    indicators: usize,
    sampled_psus: Vec<u64>,
}

/// One sampled hamlet of a domain, with the sums of one indicator.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SampledPsu {
    /// Position in the design.
    pub(crate) psu: usize,
    /// Position of its stratum.
    pub(crate) stratum: usize,
    /// M_hi.
    pub(crate) frame_households: f64,
    /// m_hi, at least 1.
    pub(crate) households: f64,
    /// Sums over the responding households.
    pub(crate) sums: IndicatorSums,
}

impl<'a> Sample<'a> {
    /// Joins a design to summaries, one per hamlet in the design's order.
    ///
    /// # Errors
    /// [`DesignError`] if there are more or fewer summaries than hamlets, if they differ in their number of indicators,
    /// or if more households responded in a hamlet than the frame has there.
    pub fn new(design: &'a Design, summaries: &'a [PsuSummary]) -> Result<Self, DesignError> {
        let (given, expected) = (summaries.len(), design.psus().len());
        if given != expected {
            return Err(DesignError::Length {
                list: List::Summaries,
                given,
                expected,
            });
        }
        let indicators = summaries.first().map_or(0, |summary| summary.indicators().len());
        let mut sampled_psus = vec![0; design.strata().len()];
        for (psu, (unit, summary)) in design.psus().iter().zip(summaries).enumerate() {
            let given = summary.indicators().len();
            if given != indicators {
                return Err(DesignError::IndicatorCount {
                    psu,
                    given,
                    expected: indicators,
                });
            }
            let (responding, frame) = (summary.households(), unit.households);
            if responding > frame {
                return Err(DesignError::MoreHouseholdsThanFrame { psu, responding, frame });
            }
            sampled_psus[unit.stratum] += u64::from(responding > 0);
        }
        Ok(Sample {
            design,
            summaries,
            indicators,
            sampled_psus,
        })
    }

    /// The design.
    pub fn design(&self) -> &'a Design {
        self.design
    }

    /// Number of indicators.
    pub fn indicators(&self) -> usize {
        self.indicators
    }

    /// n_h of each stratum: its hamlets with at least one response.
    pub fn sampled_psus(&self) -> &[u64] {
        &self.sampled_psus
    }

    /// The sampled hamlets of a domain in the order of summation; `None` if a member or the indicator does not exist.
    pub(crate) fn sampled(&self, domain: &Domain, indicator: usize) -> Option<Vec<SampledPsu>> {
        let mut sampled = Vec::with_capacity(domain.members().len());
        for &psu in domain.members() {
            let (unit, summary) = (self.design.psus().get(psu)?, self.summaries.get(psu)?);
            let sums = *summary.indicators().get(indicator)?;
            if summary.households() > 0 {
                sampled.push(SampledPsu {
                    psu,
                    stratum: unit.stratum,
                    frame_households: unit.households as f64,
                    households: summary.households() as f64,
                    sums,
                });
            }
        }
        Some(sampled)
    }

    /// Number of strata in which the domain lists hamlets and no hamlet at all has responses.
    pub(crate) fn unrepresented_strata(&self, domain: &Domain) -> u64 {
        let mut last = None;
        let mut count = 0;
        // Members are sorted by stratum.
        for stratum in domain
            .members()
            .iter()
            .filter_map(|&psu| Some(self.design.psus().get(psu)?.stratum))
        {
            if last != Some(stratum) && self.sampled_psus.get(stratum) == Some(&0) {
                count += 1;
            }
            last = Some(stratum);
        }
        count
    }

    /// (n_h, N_h) of a stratum that has sampled hamlets.
    pub(crate) fn first_stage(&self, stratum: usize) -> (f64, f64) {
        (
            self.sampled_psus[stratum] as f64,
            self.design.strata()[stratum].psus as f64,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Psu, Stratum};
    use super::*;
    use crate::summary::Contribution;

    #[test]
    fn summaries_must_fit_the_design() {
        let hamlet = Psu {
            stratum: 0,
            households: 1,
        };
        let design = Design::new(vec![Stratum { psus: 4 }], vec![hamlet, hamlet]).unwrap();
        let empty = PsuSummary::new(1);
        let mut crowded = PsuSummary::new(1);
        for _ in 0..2 {
            crowded.add(&[Contribution::NONE]).unwrap();
        }
        assert_eq!(
            Sample::new(&design, std::slice::from_ref(&empty)).unwrap_err(),
            DesignError::Length {
                list: List::Summaries,
                given: 1,
                expected: 2
            }
        );
        assert_eq!(
            Sample::new(&design, &[empty.clone(), PsuSummary::new(2)]).unwrap_err(),
            DesignError::IndicatorCount {
                psu: 1,
                given: 2,
                expected: 1
            }
        );
        assert_eq!(
            Sample::new(&design, &[empty.clone(), crowded]).unwrap_err(),
            DesignError::MoreHouseholdsThanFrame {
                psu: 1,
                responding: 2,
                frame: 1
            }
        );
        assert_eq!(
            Sample::new(&design, &[empty.clone(), empty]).unwrap().sampled_psus(),
            [0]
        );
    }
}
