//! The exact optimum of a ratio of weighted totals over households' options.

use super::BoundsError;
use crate::summary::Contribution;

/// Weighted totals of the households that are not in conflict.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightedTotals {
    /// Σ w·y.
    pub numerator: f64,
    /// Σ w·x, not negative.
    pub denominator: f64,
}

/// A household in conflict: its weight, and the values it may have once settled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightedOptions<'a> {
    /// Its design weight, positive.
    pub weight: f64,
    /// Its possible values. One that leaves the household without response is [`Contribution::NONE`].
    pub options: &'a [Contribution],
}

/// One end of the bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundEnd {
    /// The ratio there.
    pub ratio: f64,
    /// For each conflicted household, which option leads there.
    pub choices: Vec<usize>,
}

/// The smallest and the largest value of a ratio over all ways to settle the conflicts.
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

/// The bounds of (A + Σ w_j·y_j) / (B + Σ w_j·x_j), where A and B are the totals without the conflicted households and each
/// household j takes one of its options. Only choices with a denominator above zero count.
///
/// Takes a few passes over the options, typically fewer than five.
///
/// # Errors
/// [`BoundsError`] if a total, weight or value is not usable or a household has no options.
pub fn ratio_bounds(
    without_conflicts: WeightedTotals,
    conflicts: &[WeightedOptions<'_>],
) -> Result<RatioBounds, BoundsError> {
    let WeightedTotals { numerator, denominator } = without_conflicts;
    if !(numerator.is_finite() && denominator.is_finite() && denominator >= 0.0) {
        return Err(BoundsError::Totals { numerator, denominator });
    }
    for (household, conflict) in conflicts.iter().enumerate() {
        let weight = conflict.weight;
        if !(weight.is_finite() && weight > 0.0) {
            return Err(BoundsError::Weight { household, weight });
        }
        if conflict.options.is_empty() {
            return Err(BoundsError::NoOptions { household });
        }
        for option in conflict.options {
            option
                .check(0)
                .map_err(|error| BoundsError::Value { household, error })?;
        }
    }
    let denominator_may_vanish = denominator == 0.0
        && conflicts
            .iter()
            .all(|conflict| conflict.options.iter().any(|option| option.denominator == 0.0));
    Ok(RatioBounds {
        lower: optimum(without_conflicts, conflicts, End::Lower),
        upper: optimum(without_conflicts, conflicts, End::Upper),
        denominator_may_vanish,
    })
}

/// Dinkelbach: for the current ratio λ, choose the combination that is best for numerator − λ·denominator; its own ratio is
/// at least as good, and when it is not better, λ is the optimum. Every step but the last is strictly better and there are
/// finitely many combinations, so it ends.
fn optimum(totals: WeightedTotals, conflicts: &[WeightedOptions<'_>], end: End) -> Option<BoundEnd> {
    let mut best = with_largest_denominator(totals, conflicts)?;
    loop {
        let next = best_for(totals, conflicts, best.ratio, end)?;
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

/// A combination to start from; `None` if no combination has a denominator above zero.
fn with_largest_denominator(totals: WeightedTotals, conflicts: &[WeightedOptions<'_>]) -> Option<BoundEnd> {
    let choices = conflicts
        .iter()
        .map(|conflict| least(conflict.options, |option| -option.denominator).map(|(choice, _)| choice))
        .collect::<Option<Vec<_>>>()?;
    end_of(totals, conflicts, choices)
}

/// The combination with a denominator above zero that is best for numerator − λ·denominator.
fn best_for(totals: WeightedTotals, conflicts: &[WeightedOptions<'_>], lambda: f64, end: End) -> Option<BoundEnd> {
    let loss = |option: &Contribution| {
        let gain = option.numerator - lambda * option.denominator;
        match end {
            End::Lower => gain,
            End::Upper => -gain,
        }
    };
    // Households do not restrict each other, so each takes its own best option …
    let mut choices = Vec::with_capacity(conflicts.len());
    // … unless the denominator would be zero: then the household that loses least by it takes one with a denominator.
    let mut cheapest_change: Option<(f64, usize, usize)> = None;
    for (household, conflict) in conflicts.iter().enumerate() {
        let (choice, own_loss) = least(conflict.options, loss)?;
        choices.push(choice);
        let positive = |option: &Contribution| {
            if option.denominator > 0.0 {
                loss(option)
            } else {
                f64::INFINITY
            }
        };
        if let Some((other, other_loss)) = least(conflict.options, positive)
            && other_loss.is_finite()
        {
            let regret = conflict.weight * (other_loss - own_loss);
            if cheapest_change.is_none_or(|(least_regret, ..)| regret < least_regret) {
                cheapest_change = Some((regret, household, other));
            }
        }
    }
    let has_denominator = totals.denominator > 0.0
        || conflicts
            .iter()
            .zip(&choices)
            .any(|(conflict, &choice)| conflict.options[choice].denominator > 0.0);
    if !has_denominator {
        let (_, household, other) = cheapest_change?;
        choices[household] = other;
    }
    end_of(totals, conflicts, choices)
}

/// The first option with the least loss, and that loss.
fn least(options: &[Contribution], loss: impl Fn(&Contribution) -> f64) -> Option<(usize, f64)> {
    let losses = options.iter().map(loss).enumerate();
    losses.reduce(|least, next| if next.1 < least.1 { next } else { least })
}

/// The ratio of a combination of choices; `None` if its denominator is zero.
fn end_of(totals: WeightedTotals, conflicts: &[WeightedOptions<'_>], choices: Vec<usize>) -> Option<BoundEnd> {
    let WeightedTotals {
        mut numerator,
        mut denominator,
    } = totals;
    for (conflict, &choice) in conflicts.iter().zip(&choices) {
        let option = conflict.options[choice];
        numerator += conflict.weight * option.numerator;
        denominator += conflict.weight * option.denominator;
    }
    (denominator > 0.0).then(|| BoundEnd {
        ratio: numerator / denominator,
        choices,
    })
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
        let bounds = ratio_bounds(none, &conflicts).unwrap();
        assert_eq!(bounds.lower.unwrap().ratio, 0.25);
        assert_eq!(bounds.upper.unwrap().ratio, 0.75);
        assert!(bounds.denominator_may_vanish);

        let only_nothing = [WeightedOptions {
            weight: 2.0,
            options: &options[..1],
        }];
        let bounds = ratio_bounds(none, &only_nothing).unwrap();
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
            ratio_bounds(totals, &weightless),
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
            ratio_bounds(totals, &empty),
            Err(BoundsError::NoOptions { household: 0 })
        );
        let unusable = [WeightedOptions {
            weight: 1.0,
            options: &options,
        }];
        let error = ratio_bounds(totals, &unusable).unwrap_err();
        assert!(matches!(error, BoundsError::Value { household: 0, .. }));
        assert!(error.vietnamese().starts_with("hộ xung đột 0"));
        let negative = WeightedTotals {
            numerator: 1.0,
            denominator: -1.0,
        };
        assert!(matches!(ratio_bounds(negative, &[]), Err(BoundsError::Totals { .. })));
    }
}
