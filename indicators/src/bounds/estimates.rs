//! Estimates at both ends of the bounds, each with its own interval.

use super::optimum::{WeightedOptions, WeightedTotals, ratio_bounds};
use super::{BoundEnd, BoundsError};
use crate::decision::{Decision, Target, decide};
use crate::design::{Domain, Sample, SampledPsu};
use crate::estimators::{Estimate, Evaluation, Indicator, Settings, first_stage_of};
use crate::summary::{Contribution, SummaryError};
use crate::variance::linearization::weight;
use serde::Serialize;

/// A responding household with an open conflict that touches an indicator.
#[derive(Debug, Clone, PartialEq)]
pub struct ConflictedHousehold {
    /// Position of its hamlet in the design.
    pub psu: usize,
    /// What the hamlet's summary counts for it now.
    pub counted: Contribution,
    /// What it may come to once settled. List `counted` too if it is still possible: only then do the bounds contain the
    /// point. If a settlement takes the household out of the responses, its option is [`Contribution::NONE`]; the weights
    /// stay as they are.
    pub options: Vec<Contribution>,
}

/// An estimate with those at both ends of what open conflicts leave possible.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BoundedEstimate {
    /// From the values counted now.
    pub estimate: Estimate,
    /// With every conflict settled so that the ratio is smallest; `None` if no settlement has a denominator.
    pub lower: Option<Estimate>,
    /// With every conflict settled so that the ratio is largest; `None` if no settlement has a denominator.
    pub upper: Option<Estimate>,
    /// Whether some settlement leaves no denominator, so that there is no ratio.
    pub denominator_may_vanish: bool,
    /// Number of conflicted households.
    pub conflicted_households: u64,
}

impl BoundedEstimate {
    /// Whether a target is met whatever the sample left out and however the conflicts are settled.
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
/// over all ways to settle the domain's conflicted households.
///
/// # Errors
/// [`BoundsError`] if the indicator, the domain or a conflicted household does not fit the sample.
pub fn bounded_ratio(
    sample: &Sample<'_>,
    domain: &Domain,
    indicator: Indicator,
    settings: &Settings,
    conflicts: &[ConflictedHousehold],
) -> Result<BoundedEstimate, BoundsError> {
    let mut evaluation = Evaluation::new(sample, settings);
    let sampled = evaluation.sampled(domain, indicator)?;
    let positions = positions(&sampled, conflicts)?;
    let mut without = sampled.clone();
    for (household, (conflict, &position)) in conflicts.iter().zip(&positions).enumerate() {
        let sums = &mut without[position].sums;
        if conflict.counted.denominator > 0.0 && sums.households_with_denominator == 0 {
            let error = SummaryError::NotCounted {
                indicator: indicator.index,
            };
            return Err(BoundsError::Value { household, error });
        }
        sums.remove(conflict.counted);
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
    let options: Vec<WeightedOptions<'_>> = conflicts
        .iter()
        .zip(&positions)
        .map(|(conflict, &position)| WeightedOptions {
            weight: weight(sample, &sampled[position], first_stage),
            options: &conflict.options,
        })
        .collect();
    let bounds = ratio_bounds(totals, &options)?;
    let mut settled = |end: &BoundEnd| {
        let mut sampled = without.clone();
        for ((conflict, &position), &choice) in conflicts.iter().zip(&positions).zip(&end.choices) {
            sampled[position].sums.add(conflict.options[choice]);
        }
        evaluation.estimate(domain, &sampled, indicator.measure)
    };
    let (lower, upper) = (
        bounds.lower.as_ref().map(&mut settled),
        bounds.upper.as_ref().map(&mut settled),
    );
    Ok(BoundedEstimate {
        estimate: evaluation.estimate(domain, &sampled, indicator.measure),
        lower,
        upper,
        denominator_may_vanish: bounds.denominator_may_vanish,
        conflicted_households: conflicts.len() as u64,
    })
}

/// Where each conflicted household's hamlet stands among the sampled ones.
fn positions(sampled: &[SampledPsu], conflicts: &[ConflictedHousehold]) -> Result<Vec<usize>, BoundsError> {
    let mut by_psu: Vec<(usize, usize)> = sampled.iter().enumerate().map(|(at, psu)| (psu.psu, at)).collect();
    by_psu.sort_unstable();
    let mut counts = vec![0.0; sampled.len()];
    let mut positions = Vec::with_capacity(conflicts.len());
    for (household, conflict) in conflicts.iter().enumerate() {
        let psu = conflict.psu;
        conflict
            .counted
            .check(0)
            .map_err(|error| BoundsError::Value { household, error })?;
        let position = match by_psu.binary_search_by_key(&psu, |&(psu, _)| psu) {
            Ok(found) => by_psu[found].1,
            Err(_) => return Err(BoundsError::OutsideDomain { household, psu }),
        };
        counts[position] += 1.0;
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
        let conflict = ConflictedHousehold {
            psu: 0,
            counted: option(1.0, 1.0),
            options,
        };
        let settings = Settings::default();
        let conflicts = std::slice::from_ref(&conflict);
        let bounded = bounded_ratio(&sample, &domain, INDICATOR, &settings, conflicts).unwrap();
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
        let conflict = |psu, counted| ConflictedHousehold {
            psu,
            counted,
            options: vec![counted],
        };
        let bounded = |conflicts: &[_]| bounded_ratio(&sample, &domain, INDICATOR, &settings, conflicts);
        assert_eq!(
            bounded(&[conflict(3, Contribution::NONE)]),
            Err(BoundsError::OutsideDomain { household: 0, psu: 3 })
        );
        assert_eq!(
            bounded(&[conflict(0, Contribution::NONE), conflict(0, Contribution::NONE)]),
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
