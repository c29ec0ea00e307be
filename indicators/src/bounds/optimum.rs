//! The exact optimum of a ratio of weighted totals over households' options.

use super::BoundsError;
use super::duplicates::{Kept, Remaining};
use crate::summary::Contribution;

/// Weighted totals of the households about which nothing is open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightedTotals {
    /// Σ w·y.
    pub numerator: f64,
    /// Σ w·x, not negative.
    pub denominator: f64,
}

/// A household about which something is open: its weight, and the values it may have once settled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightedOptions<'a> {
    /// Its design weight, positive.
    pub weight: f64,
    /// Its possible values. One that leaves the household without response is [`Contribution::NONE`].
    pub options: &'a [Contribution],
}

/// Responses of which some may be duplicates of others.
#[derive(Debug, Clone, PartialEq)]
pub struct SuspectedGroup<'a> {
    /// For each response of the group, its position in the list of households; `None` where it brings nothing to the
    /// estimate whatever is settled, because it is outside the domain or did not respond.
    pub members: Vec<Option<usize>>,
    /// Which of them may remain.
    pub remaining: &'a Remaining,
}

/// One end of the bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundEnd {
    /// The ratio there.
    pub ratio: f64,
    /// For each household, which option leads there; `None` where it is a duplicate of another there and counts zero.
    pub choices: Vec<Option<usize>>,
}

/// The smallest and the largest value of a ratio over all ways to settle what is open.
#[derive(Debug, Clone, PartialEq)]
pub struct RatioBounds {
    /// The smallest ratio; `None` if the denominator is zero whatever is chosen.
    pub lower: Option<BoundEnd>,
    /// The largest ratio; `None` if the denominator is zero whatever is chosen.
    pub upper: Option<BoundEnd>,
    /// Whether some way to settle makes the denominator zero, so that there is no ratio. The bounds leave it out.
    pub denominator_may_vanish: bool,
}

/// Which end is sought: its sign turns a search for the largest into one for the smallest.
#[derive(Clone, Copy)]
enum End {
    Lower,
    Upper,
}

/// Households that are settled together: a group of suspected duplicates, or one household, which then stays.
struct JointChoice {
    households: Vec<usize>,
    kept: Kept,
}

/// What one household loses by its best option, and by its best one with a denominator, weighted.
struct Loss {
    best: (usize, f64),
    with_denominator: Option<(usize, f64)>,
}

/// One way to settle a joint choice: what it loses, and each household's option.
struct Outcome {
    loss: f64,
    choices: Vec<Option<usize>>,
}

/// The bounds of (A + Σ w_j·y_j) / (B + Σ w_j·x_j), where A and B are the totals without the households listed and each
/// household j takes one of its options, or counts zero as a duplicate where its group allows that. Only choices with a
/// denominator above zero count.
///
/// Takes a few passes over the options, typically fewer than five.
///
/// # Errors
/// [`BoundsError`] if a total, weight or value is not usable, a household has no options, or a group names a household that
/// is not listed, twice, or too few.
pub fn ratio_bounds(
    without: WeightedTotals,
    households: &[WeightedOptions<'_>],
    groups: &[SuspectedGroup<'_>],
) -> Result<RatioBounds, BoundsError> {
    let WeightedTotals { numerator, denominator } = without;
    if !(numerator.is_finite() && denominator.is_finite() && denominator >= 0.0) {
        return Err(BoundsError::Totals { numerator, denominator });
    }
    for (household, open) in households.iter().enumerate() {
        let weight = open.weight;
        if !(weight.is_finite() && weight > 0.0) {
            return Err(BoundsError::Weight { household, weight });
        }
        if open.options.is_empty() {
            return Err(BoundsError::NoOptions { household });
        }
        for option in open.options {
            option
                .check(0)
                .map_err(|error| BoundsError::Value { household, error })?;
        }
    }
    let problem = Problem {
        without,
        households,
        joint: joint_choices(households.len(), groups)?,
    };
    // Every joint choice must have a way to settle it without any denominator.
    let denominator_may_vanish = denominator == 0.0
        && problem
            .best_by(|option| option.denominator, false)
            .is_some_and(|choices| {
                let mut chosen = households.iter().zip(&choices);
                chosen.all(|(open, choice)| choice.is_none_or(|choice| open.options[choice].denominator == 0.0))
            });
    Ok(RatioBounds {
        lower: problem.optimum(End::Lower),
        upper: problem.optimum(End::Upper),
        denominator_may_vanish,
    })
}

/// The groups and, each by itself, the households that are in none.
fn joint_choices(households: usize, groups: &[SuspectedGroup<'_>]) -> Result<Vec<JointChoice>, BoundsError> {
    let mut grouped = vec![false; households];
    let mut joint = Vec::with_capacity(households);
    for (number, group) in groups.iter().enumerate() {
        if group.members.len() != group.remaining.responses() {
            return Err(BoundsError::GroupSize {
                group: number,
                given: group.members.len(),
                expected: group.remaining.responses(),
            });
        }
        let (mut places, mut members) = (Vec::new(), Vec::new());
        for (place, household) in group.members.iter().enumerate() {
            let Some(household) = *household else { continue };
            match grouped.get_mut(household) {
                Some(grouped) if !*grouped => *grouped = true,
                _ => {
                    return Err(BoundsError::GroupMember {
                        group: number,
                        household,
                    });
                }
            }
            places.push(place);
            members.push(household);
        }
        joint.push(JointChoice {
            households: members,
            kept: group.remaining.seen_from(&places),
        });
    }
    let alone = grouped.iter().enumerate().filter(|(_, grouped)| !**grouped);
    joint.extend(alone.map(|(household, _)| JointChoice {
        households: vec![household],
        kept: Kept::Any { or_none: false },
    }));
    Ok(joint)
}

struct Problem<'a> {
    without: WeightedTotals,
    households: &'a [WeightedOptions<'a>],
    joint: Vec<JointChoice>,
}

impl Problem<'_> {
    /// Dinkelbach: for the current ratio λ, choose the combination that is best for numerator − λ·denominator; its own ratio
    /// is at least as good, and when it is not better, λ is the optimum. Every step but the last is strictly better and
    /// there are finitely many combinations, so it ends.
    fn optimum(&self, end: End) -> Option<BoundEnd> {
        // One to start from; without a denominator here there is none anywhere.
        let mut best = self.end_of(self.best_by(|option| -option.denominator, false)?)?;
        loop {
            let lambda = best.ratio;
            let loss = |option: &Contribution| {
                let gain = option.numerator - lambda * option.denominator;
                match end {
                    End::Lower => gain,
                    End::Upper => -gain,
                }
            };
            let next = self.end_of(self.best_by(loss, true)?)?;
            let is_better = match end {
                End::Lower => next.ratio < best.ratio,
                End::Upper => next.ratio > best.ratio,
            };
            if !is_better {
                return Some(best);
            }
            best = next;
        }
    }

    /// The choices with the least loss; on demand the one with the least loss among those with a denominator above zero.
    fn best_by(&self, loss: impl Fn(&Contribution) -> f64, with_denominator: bool) -> Option<Vec<Option<usize>>> {
        let mut choices = vec![None; self.households.len()];
        let mut has_denominator = self.without.denominator > 0.0;
        // Joint choices do not restrict each other, so each takes its own best outcome …
        // … unless the denominator would be zero: then the one that loses least by it takes an outcome with a denominator.
        let mut cheapest_change: Option<(f64, &JointChoice, Outcome)> = None;
        for joint in &self.joint {
            let losses: Vec<Loss> = joint
                .households
                .iter()
                .map(|&household| self.loss(household, &loss))
                .collect::<Option<_>>()?;
            let best = joint.best(&losses)?;
            for (&household, &choice) in joint.households.iter().zip(&best.choices) {
                choices[household] = choice;
                has_denominator |=
                    choice.is_some_and(|choice| self.households[household].options[choice].denominator > 0.0);
            }
            if !with_denominator || has_denominator {
                continue;
            }
            if let Some(other) = joint.best_with_denominator(&losses) {
                let regret = other.loss - best.loss;
                if cheapest_change.as_ref().is_none_or(|(least, ..)| regret < *least) {
                    cheapest_change = Some((regret, joint, other));
                }
            }
        }
        if with_denominator && !has_denominator {
            let (_, joint, other) = cheapest_change?;
            for (&household, choice) in joint.households.iter().zip(other.choices) {
                choices[household] = choice;
            }
        }
        Some(choices)
    }

    fn loss(&self, household: usize, loss: &impl Fn(&Contribution) -> f64) -> Option<Loss> {
        let WeightedOptions { weight, options } = self.households[household];
        let weighted = |(choice, loss): (usize, f64)| (choice, weight * loss);
        let all = options.iter().map(loss).enumerate();
        let positive = all.clone().filter(|(choice, _)| options[*choice].denominator > 0.0);
        Some(Loss {
            best: weighted(least(all)?),
            with_denominator: least(positive).map(weighted),
        })
    }

    /// The ratio of a combination of choices; `None` if its denominator is zero.
    fn end_of(&self, choices: Vec<Option<usize>>) -> Option<BoundEnd> {
        let WeightedTotals {
            mut numerator,
            mut denominator,
        } = self.without;
        for (open, choice) in self.households.iter().zip(&choices) {
            let Some(choice) = *choice else { continue };
            let option = open.options[choice];
            numerator += open.weight * option.numerator;
            denominator += open.weight * option.denominator;
        }
        (denominator > 0.0).then(|| BoundEnd {
            ratio: numerator / denominator,
            choices,
        })
    }
}

impl JointChoice {
    /// The outcome with the least loss.
    fn best(&self, losses: &[Loss]) -> Option<Outcome> {
        let kept: Vec<bool> = match &self.kept {
            Kept::Any { or_none } => {
                // A duplicate loses nothing, so whoever gains stays …
                let mut kept: Vec<bool> = losses.iter().map(|loss| loss.best.1 < 0.0).collect();
                if !or_none && !kept.contains(&true) {
                    // … and if nobody does, whoever loses least.
                    let (first, _) = least(losses.iter().map(|loss| loss.best.1).enumerate())?;
                    kept[first] = true;
                }
                kept
            }
            Kept::OneOf(sets) => {
                let all = sets.iter().map(|&set| loss_of(set, losses)).enumerate();
                let (set, _) = least(all)?;
                members(sets[set], losses.len())
            }
        };
        Some(outcome(&kept, losses))
    }

    /// The outcome with the least loss among those with a denominator.
    fn best_with_denominator(&self, losses: &[Loss]) -> Option<Outcome> {
        // What it costs that a household takes an option with a denominator, over its best one.
        let regret = |household: usize| {
            let loss = losses.get(household)?;
            Some(loss.with_denominator?.1 - loss.best.1)
        };
        let (kept, forced) = match &self.kept {
            Kept::Any { .. } => {
                let mut kept: Vec<bool> = losses.iter().map(|loss| loss.best.1 < 0.0).collect();
                let joining = |household: usize| losses[household].best.1.max(0.0);
                let all = (0..losses.len()).filter_map(|member| Some((member, regret(member)? + joining(member))));
                let (forced, _) = least(all)?;
                kept[forced] = true;
                (kept, forced)
            }
            Kept::OneOf(sets) => {
                let all = sets.iter().flat_map(|&set| {
                    let kept = members(set, losses.len());
                    let loss = loss_of(set, losses);
                    let forced = (0..losses.len()).filter(move |member| kept[*member]);
                    forced.filter_map(move |member| Some(((set, member), loss + regret(member)?)))
                });
                let ((set, forced), _) = least(all)?;
                (members(set, losses.len()), forced)
            }
        };
        let mut outcome = outcome(&kept, losses);
        let (choice, loss) = losses[forced].with_denominator?;
        outcome.loss += loss - losses[forced].best.1;
        outcome.choices[forced] = Some(choice);
        Some(outcome)
    }
}

fn members(set: u32, count: usize) -> Vec<bool> {
    (0..count).map(|member| set >> member & 1 == 1).collect()
}

fn loss_of(set: u32, losses: &[Loss]) -> f64 {
    let kept = losses.iter().enumerate().filter(|(member, _)| set >> member & 1 == 1);
    kept.map(|(_, loss)| loss.best.1).sum()
}

fn outcome(kept: &[bool], losses: &[Loss]) -> Outcome {
    let mut outcome = Outcome {
        loss: 0.0,
        choices: Vec::with_capacity(losses.len()),
    };
    for (kept, loss) in kept.iter().zip(losses) {
        outcome.choices.push(kept.then_some(loss.best.0));
        outcome.loss += if *kept { loss.best.1 } else { 0.0 };
    }
    outcome
}

/// The first with the least loss.
fn least<T>(losses: impl Iterator<Item = (T, f64)>) -> Option<(T, f64)> {
    losses.reduce(|least, next| if next.1 < least.1 { next } else { least })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(numerator: f64, denominator: f64) -> Contribution {
        Contribution { numerator, denominator }
    }

    #[test]
    fn without_conflicts_both_ends_are_the_ratio() {
        let bounds = ratio_bounds(
            WeightedTotals {
                numerator: 3.0,
                denominator: 4.0,
            },
            &[],
            &[],
        )
        .unwrap();
        let end = Some(BoundEnd {
            ratio: 0.75,
            choices: vec![],
        });
        assert_eq!(
            (bounds.lower, bounds.upper, bounds.denominator_may_vanish),
            (end.clone(), end, false)
        );
    }

    #[test]
    fn a_vanishing_denominator_is_told_and_left_out() {
        let options = [option(0.0, 0.0), option(1.0, 4.0), option(3.0, 4.0)];
        let none = WeightedTotals {
            numerator: 0.0,
            denominator: 0.0,
        };
        let conflicts = [WeightedOptions {
            weight: 2.0,
            options: &options,
        }; 2];
        let bounds = ratio_bounds(none, &conflicts, &[]).unwrap();
        assert_eq!(bounds.lower.unwrap().ratio, 0.25);
        assert_eq!(bounds.upper.unwrap().ratio, 0.75);
        assert!(bounds.denominator_may_vanish);

        let only_nothing = [WeightedOptions {
            weight: 2.0,
            options: &options[..1],
        }];
        let bounds = ratio_bounds(none, &only_nothing, &[]).unwrap();
        assert_eq!(
            (bounds.lower, bounds.upper, bounds.denominator_may_vanish),
            (None, None, true)
        );
    }

    #[test]
    fn unusable_input_is_named() {
        let totals = WeightedTotals {
            numerator: 1.0,
            denominator: 1.0,
        };
        let options = [option(1.0, 1.0), option(f64::NAN, 1.0)];
        let weightless = [WeightedOptions {
            weight: 0.0,
            options: &options[..1],
        }];
        assert_eq!(
            ratio_bounds(totals, &weightless, &[]),
            Err(BoundsError::Weight {
                household: 0,
                weight: 0.0
            })
        );
        let empty = [WeightedOptions {
            weight: 1.0,
            options: &[],
        }];
        assert_eq!(
            ratio_bounds(totals, &empty, &[]),
            Err(BoundsError::NoOptions { household: 0 })
        );
        let unusable = [WeightedOptions {
            weight: 1.0,
            options: &options,
        }];
        let error = ratio_bounds(totals, &unusable, &[]).unwrap_err();
        assert!(matches!(error, BoundsError::Value { household: 0, .. }));
        assert!(error.vietnamese().starts_with("hộ chưa rõ 0"));
        let negative = WeightedTotals {
            numerator: 1.0,
            denominator: -1.0,
        };
        assert!(matches!(
            ratio_bounds(negative, &[], &[]),
            Err(BoundsError::Totals { .. })
        ));
    }

    #[test]
    fn of_suspected_duplicates_one_stays() {
        let totals = WeightedTotals {
            numerator: 1.0,
            denominator: 2.0,
        };
        let (yes, no) = ([option(1.0, 1.0)], [option(0.0, 1.0)]);
        let weighted = |weight, options| WeightedOptions { weight, options };
        let households = [weighted(2.0, &yes[..]), weighted(4.0, &no[..])];
        let remaining = Remaining::any(2);
        let pair = |members| SuspectedGroup {
            members,
            remaining: &remaining,
        };
        let bounds = ratio_bounds(totals, &households, &[pair(vec![Some(1), Some(0)])]).unwrap();
        let (lower, upper) = (bounds.lower.unwrap(), bounds.upper.unwrap());
        // The lower end takes the household with "no" alone, 1/6; the upper one that with "yes" alone, 3/4.
        assert_eq!((lower.ratio, lower.choices), (1.0 / 6.0, vec![None, Some(0)]));
        assert_eq!((upper.ratio, upper.choices), (0.75, vec![Some(0), None]));
        // Seen from where only the second lies, it may also be the one that goes.
        let bounds = ratio_bounds(totals, &households[1..], &[pair(vec![None, Some(0)])]).unwrap();
        assert_eq!(bounds.upper.unwrap().choices, [None]);
        assert_eq!(
            ratio_bounds(totals, &households, &[pair(vec![Some(0), Some(2)])]),
            Err(BoundsError::GroupMember { group: 0, household: 2 })
        );
        assert_eq!(
            ratio_bounds(totals, &households, &[pair(vec![Some(0)])]),
            Err(BoundsError::GroupSize {
                group: 0,
                given: 1,
                expected: 2
            })
        );
    }
}
