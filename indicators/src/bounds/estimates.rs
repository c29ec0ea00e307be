//! Estimates at both ends of the bounds, each with its own interval.

use super::optimum::{SuspectedGroup, WeightedOptions, WeightedTotals, ratio_bounds};
use super::{BoundEnd, BoundsError};
use crate::decision::{Decision, Target, decide};
use crate::design::{Domain, Sample, SampledPsu};
use crate::estimators::{Estimate, Evaluation, Indicator, Measure, Settings, first_stage_of};
use crate::summary::{Contribution, SummaryError};
use crate::variance::linearization::weight;
use serde::Serialize;

/// A responding household about which something is open that touches an indicator: answers in conflict, or whether it is
/// the same as another.
#[derive(Debug, Clone, PartialEq)]
pub struct UnsettledHousehold {
    /// Position of its hamlet in the design.
    pub psu: usize,
    /// What the hamlet's summary counts for it now.
    pub counted: Contribution,
    /// What it may come to once its conflicts are settled; `counted` alone where it has none. List `counted` too if it is
    /// still possible: only then do the bounds contain the point. If a settlement takes the household out of the responses,
    /// its option is [`Contribution::NONE`]; the weights stay as they are.
    pub options: Vec<Contribution>,
}

/// All that is open about a domain's responses.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Unsettled<'a> {
    /// Households with open conflicts, and those suspected to be duplicates.
    pub households: Vec<UnsettledHousehold>,
    /// Which of them may be duplicates of each other. One that turns out to be a duplicate counts zero, and the weights
    /// stay as they are.
    pub groups: Vec<SuspectedGroup<'a>>,
}

/// An estimate with those at both ends of what is open.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BoundedEstimate {
    /// From the values counted now.
    pub estimate: Estimate,
    /// With everything settled so that the ratio is smallest; `None` if no settlement has a denominator.
    pub lower: Option<Estimate>,
    /// With everything settled so that the ratio is largest; `None` if no settlement has a denominator.
    pub upper: Option<Estimate>,
    /// Whether some settlement leaves no denominator, so that there is no ratio.
    pub denominator_may_vanish: bool,
    /// Number of households with open conflicts: those with several options, and all that are in no group.
    pub conflicted_households: u64,
    /// Number of households that may be duplicates, or of which others may be.
    pub suspected_households: u64,
}

impl BoundedEstimate {
    /// Of an estimate about which nothing is open.
    pub fn settled(estimate: Estimate) -> Self {
        let has_denominator = estimate.denominator_total > 0.0;
        let end = || has_denominator.then(|| estimate.clone());
        BoundedEstimate {
            lower: end(),
            upper: end(),
            denominator_may_vanish: !has_denominator,
            conflicted_households: 0,
            suspected_households: 0,
            estimate,
        }
    }

    /// Whether a target is met whatever the sample left out and however everything is settled.
    pub fn decide(&self, target: &Target) -> Decision {
        match (&self.lower, &self.upper) {
            (Some(lower), Some(upper)) if !self.denominator_may_vanish => {
                decide(target, [&self.estimate, lower, upper])
            }
            _ => Decision::Undecided,
        }
    }
}

/// Estimates one indicator for one domain, as [`crate::estimators::ratio`], together with the smallest and largest estimate
/// over all ways to settle what is open about the domain's households.
///
/// # Errors
/// [`BoundsError`] if the indicator, the domain or an unsettled household does not fit the sample.
pub fn bounded_ratio(
    sample: &Sample<'_>,
    domain: &Domain,
    indicator: Indicator,
    settings: &Settings,
    unsettled: &Unsettled<'_>,
) -> Result<BoundedEstimate, BoundsError> {
    let mut evaluation = Evaluation::new(sample, settings);
    let question = Question::new(&evaluation, sample, domain, indicator, unsettled)?;
    question.bounded(&mut evaluation, |_| false)
}

/// One indicator for one domain, with what is open taken out of the sums.
pub(super) struct Question<'a> {
    domain: &'a Domain,
    measure: Measure,
    pub(super) unsettled: &'a Unsettled<'a>,
    /// By sampled hamlet, the sums as they are counted now.
    pub(super) sampled: Vec<SampledPsu>,
    /// By sampled hamlet, the sums without unsettled households.
    without: Vec<SampledPsu>,
    /// By unsettled household, where its hamlet stands among the sampled ones.
    positions: Vec<usize>,
    /// By unsettled household.
    pub(super) weights: Vec<f64>,
    totals: WeightedTotals,
}

impl<'a> Question<'a> {
    pub(super) fn new(
        evaluation: &Evaluation<'_>,
        sample: &Sample<'_>,
        domain: &'a Domain,
        indicator: Indicator,
        unsettled: &'a Unsettled<'a>,
    ) -> Result<Self, BoundsError> {
        let sampled = evaluation.sampled(domain, indicator)?;
        let positions = positions(&sampled, &unsettled.households)?;
        let mut without = sampled.clone();
        for (household, (open, &position)) in unsettled.households.iter().zip(&positions).enumerate() {
            let sums = &mut without[position].sums;
            if open.counted.denominator > 0.0 && sums.households_with_denominator == 0 {
                let error = SummaryError::NotCounted {
                    indicator: indicator.index,
                };
                return Err(BoundsError::Value { household, error });
            }
            sums.remove(open.counted);
        }
        let first_stage = first_stage_of(domain, sampled.len() as u64);
        let mut totals = WeightedTotals {
            numerator: 0.0,
            denominator: 0.0,
        };
        for psu in &without {
            let weight = weight(sample, psu, first_stage);
            totals.numerator += weight * psu.sums.numerator;
            totals.denominator += weight * psu.sums.denominator;
        }
        let weights = positions
            .iter()
            .map(|&position| weight(sample, &sampled[position], first_stage))
            .collect();
        Ok(Question {
            domain,
            measure: indicator.measure,
            unsettled,
            sampled,
            without,
            positions,
            weights,
            totals,
        })
    }

    /// The bounded estimate where the households for which `settled` holds are settled as they are counted now. Of a group
    /// it holds for all or for none.
    pub(super) fn bounded(
        &self,
        evaluation: &mut Evaluation<'_>,
        settled: impl Fn(usize) -> bool,
    ) -> Result<BoundedEstimate, BoundsError> {
        let Unsettled { households, groups } = self.unsettled;
        let options: Vec<WeightedOptions<'_>> = households
            .iter()
            .zip(&self.weights)
            .enumerate()
            .map(|(household, (open, &weight))| WeightedOptions {
                weight,
                options: if settled(household) {
                    std::slice::from_ref(&open.counted)
                } else {
                    &open.options
                },
            })
            .collect();
        let is_open = |group: &&SuspectedGroup<'_>| !group.members.iter().flatten().any(|&member| settled(member));
        let open_groups: Vec<SuspectedGroup<'_>> = groups.iter().filter(is_open).cloned().collect();
        let bounds = ratio_bounds(self.totals, &options, &open_groups)?;
        let mut at_end = |end: &BoundEnd| {
            let mut sampled = self.without.clone();
            for ((open, &position), choice) in options.iter().zip(&self.positions).zip(&end.choices) {
                // A duplicate counts zero, and its hamlet's number of households stays.
                if let Some(choice) = *choice {
                    sampled[position].sums.add(open.options[choice]);
                }
            }
            evaluation.estimate(self.domain, &sampled, self.measure)
        };
        let (lower, upper) = (
            bounds.lower.as_ref().map(&mut at_end),
            bounds.upper.as_ref().map(&mut at_end),
        );
        let mut grouped = vec![false; households.len()];
        for &member in groups.iter().flat_map(|group| &group.members).flatten() {
            // Which positions exist was checked with the bounds, save those of groups that are settled.
            if let Some(grouped) = grouped.get_mut(member) {
                *grouped = true;
            }
        }
        let is_conflicted = |(open, grouped): &(&UnsettledHousehold, &bool)| !**grouped || open.options.len() > 1;
        Ok(BoundedEstimate {
            estimate: evaluation.estimate(self.domain, &self.sampled, self.measure),
            lower,
            upper,
            denominator_may_vanish: bounds.denominator_may_vanish,
            conflicted_households: households.iter().zip(&grouped).filter(is_conflicted).count() as u64,
            suspected_households: grouped.iter().filter(|grouped| **grouped).count() as u64,
        })
    }
}

/// Where each unsettled household's hamlet stands among the sampled ones.
fn positions(sampled: &[SampledPsu], households: &[UnsettledHousehold]) -> Result<Vec<usize>, BoundsError> {
    let mut by_psu: Vec<(usize, usize)> = sampled.iter().enumerate().map(|(at, psu)| (psu.psu, at)).collect();
    by_psu.sort_unstable();
    let mut counts = vec![0.0; sampled.len()];
    let mut positions = Vec::with_capacity(households.len());
    for (household, open) in households.iter().enumerate() {
        let psu = open.psu;
        open.counted
            .check(0)
            .map_err(|error| BoundsError::Value { household, error })?;
        let position = match by_psu.binary_search_by_key(&psu, |&(psu, _)| psu) {
            Ok(found) => by_psu[found].1,
            Err(_) => return Err(BoundsError::OutsideDomain { household, psu }),
        };
        // One that counts nothing may not have responded yet.
        counts[position] += f64::from(u8::from(open.counted != Contribution::NONE));
        if counts[position] > sampled[position].households {
            return Err(BoundsError::TooManyConflicts {
                psu,
                households: sampled[position].households as u64,
            });
        }
        positions.push(position);
    }
    Ok(positions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::Operator;
    use crate::design::{Design, Psu, Stratum};
    use crate::estimators::Measure;
    use crate::summary::PsuSummary;

    const INDICATOR: Indicator = Indicator {
        index: 0,
        measure: Measure::Proportion,
    };

    fn option(numerator: f64, denominator: f64) -> Contribution {
        Contribution { numerator, denominator }
    }

    /// Households of which none may be a duplicate.
    fn alone(households: &[UnsettledHousehold]) -> Unsettled<'static> {
        Unsettled {
            households: households.to_vec(),
            groups: Vec::new(),
        }
    }

    /// One hamlet, taken whole, with these households.
    fn hamlet(households: &[Contribution]) -> (Design, Vec<PsuSummary>) {
        let psu = Psu {
            stratum: 0,
            households: households.len() as u64,
        };
        let mut summary = PsuSummary::new(1);
        for &household in households {
            summary.add(&[household]).unwrap();
        }
        (
            Design::new(vec![Stratum { psus: 1 }], vec![psu]).unwrap(),
            vec![summary],
        )
    }

    #[test]
    fn a_conflict_widens_what_a_census_leaves_open() {
        let (design, summaries) = hamlet(&[option(1.0, 1.0), option(1.0, 1.0), option(0.0, 1.0), option(1.0, 1.0)]);
        let sample = Sample::new(&design, &summaries).unwrap();
        let domain = Domain::whole(&design);
        let options = vec![option(0.0, 1.0), option(1.0, 1.0), Contribution::NONE];
        let conflict = UnsettledHousehold {
            psu: 0,
            counted: option(1.0, 1.0),
            options,
        };
        let settings = Settings::default();
        let bounded = bounded_ratio(&sample, &domain, INDICATOR, &settings, &alone(&[conflict])).unwrap();
        assert_eq!(bounded.estimate.point, Some(0.75));
        assert_eq!(bounded.lower.as_ref().unwrap().point, Some(0.5));
        assert_eq!(bounded.upper.as_ref().unwrap().point, Some(0.75));
        let at_least = |percent| Target::new(Operator::AtLeast, percent).unwrap();
        assert_eq!(bounded.decide(&at_least(50.0)), Decision::Met);
        assert_eq!(bounded.decide(&at_least(60.0)), Decision::Undecided);
        assert_eq!(bounded.decide(&at_least(80.0)), Decision::Missed);
    }

    #[test]
    fn conflicts_must_be_counted_in_the_domain() {
        let (design, summaries) = hamlet(&[option(0.0, 0.0)]);
        let sample = Sample::new(&design, &summaries).unwrap();
        let domain = Domain::whole(&design);
        let settings = Settings::default();
        let conflict = |psu, counted| UnsettledHousehold {
            psu,
            counted,
            options: vec![counted],
        };
        let bounded = |conflicts: &[_]| bounded_ratio(&sample, &domain, INDICATOR, &settings, &alone(conflicts));
        assert_eq!(
            bounded(&[conflict(3, Contribution::NONE)]),
            Err(BoundsError::OutsideDomain { household: 0, psu: 3 })
        );
        assert_eq!(
            bounded(&[conflict(0, option(0.0, 1.0)), conflict(0, option(0.0, 1.0))]),
            Err(BoundsError::TooManyConflicts { psu: 0, households: 1 })
        );
        assert!(matches!(
            bounded(&[conflict(0, option(1.0, 1.0))]),
            Err(BoundsError::Value { household: 0, .. })
        ));
        let vanishing = bounded(&[conflict(0, Contribution::NONE)]).unwrap();
        assert!(vanishing.denominator_may_vanish && vanishing.lower.is_none());
        let target = Target::new(Operator::MoreThan, 10.0).unwrap();
        assert_eq!(vanishing.decide(&target), Decision::Undecided);
    }
}
