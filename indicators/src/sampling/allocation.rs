//! How a sample is shared out among strata.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::{LARGEST_SIZE, SamplingError, Value};

/// By which rule a sample is shared out: n_h is made proportional to a weight a_h. Each list has one entry a stratum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AllocationRule<'a> {
    /// a_h = N_h: every unit has about the same probability (Cochran, *Sampling Techniques*, 3rd edition, 1977, section
    /// 5.4).
    Proportional,
    /// a_h = N_h·S_h: the smallest variance of the estimated total for a sample of this size (J. Neyman 1934, Journal of
    /// the Royal Statistical Society 97, 558–625; Cochran 1977, section 5.5).
    Neyman {
        /// S_h, the standard deviation of the variable within the stratum.
        standard_deviations: &'a [f64],
    },
    /// a_h = N_h·S_h/√c_h: the smallest variance for its cost, or the smallest cost for its variance (Cochran 1977,
    /// theorem 5.6).
    OptimumWithCosts {
        /// S_h.
        standard_deviations: &'a [f64],
        /// c_h, the cost of one interview.
        costs: &'a [f64],
    },
    /// a_h = X_h^q·CV_h: between estimates of equal precision in every stratum (q = 0) and Neyman's (q = 1 with the total
    /// as X_h), for when both the strata and the whole matter (M. D. Bankier 1988, "Power Allocations: Determining Sample
    /// Sizes for Subnational Areas", The American Statistician 42, 174–177).
    Power {
        /// X_h, how much the stratum matters: the total of the variable, or the number of households.
        importance: &'a [f64],
        /// CV_h = S_h / mean of the variable in the stratum.
        coefficients_of_variation: &'a [f64],
        /// q, from 0 to 1.
        exponent: f64,
    },
}

/// A sample shared out among strata.
#[derive(Debug, Clone, PartialEq)]
pub struct Allocation {
    /// n·a_h/Σa: the rule's share before bounds and rounding.
    pub shares: Vec<f64>,
    /// n_h: whole units, from the minimum to all that the stratum has.
    pub sizes: Vec<u64>,
}

/// Shares `size` units out among strata of `units[h]` = N_h units: at least `minimum` in each (all, where a stratum has
/// fewer), at most all.
///
/// The whole numbers are the very best for the rule: they make Σ a_h²/n_h, to which the variance is proportional, as small
/// as whole numbers within the bounds can. One unit after the other goes to the stratum where it lowers that sum most,
/// a_h²/(n_h·(n_h + 1)); T. Wright (2012), "The Equivalence of Neyman Optimum Allocation for Sampling and Equal
/// Proportions for Apportioning the U.S. House of Representatives", The American Statistician 66, 217–224. What a full
/// stratum cannot take goes to the others.
///
/// # Errors
/// [`SamplingError`] when lists differ in length, a number is out of range, all weights are 0, or the size is below what
/// the minimum needs or above all units.
pub fn allocate(units: &[u64], rule: AllocationRule<'_>, size: u64, minimum: u64) -> Result<Allocation, SamplingError> {
    let weights = weights(units, rule)?;
    let mut sizes = smallest(units, minimum)?;
    let needed = sizes.iter().sum();
    if size < needed {
        return Err(SamplingError::BelowMinimum { size, needed });
    }
    let all = units.iter().sum();
    if size > all {
        return Err(SamplingError::AbovePopulation { size, units: all });
    }
    let mut queue: BinaryHeap<Candidate> = (0..units.len())
        .filter_map(|stratum| Candidate::of(stratum, units, &weights, 1.0, &sizes))
        .collect();
    for _ in needed..size {
        let Some(next) = queue.pop() else { break };
        sizes[next.stratum] += 1;
        queue.extend(Candidate::of(next.stratum, units, &weights, 1.0, &sizes));
    }
    Ok(Allocation {
        shares: shares(&weights, size as f64),
        sizes,
    })
}

/// Shares out as many units as `budget` pays for by the rule of optimum allocation with costs: the budget for a fixed
/// cost C = Σ c_h·n_h, without the survey's overhead (Cochran 1977, equation 5.24).
///
/// One unit after the other goes to the stratum where it lowers the variance most for its cost, as long as the budget pays
/// for one. No stratum's next unit is left unbought that could be paid for.
///
/// # Errors
/// As [`allocate`], and when the budget does not pay for the minimum.
pub fn allocate_budget(
    units: &[u64],
    standard_deviations: &[f64],
    costs: &[f64],
    budget: f64,
    minimum: u64,
) -> Result<Allocation, SamplingError> {
    check(Value::Budget, budget, budget > 0.0)?;
    let rule = AllocationRule::OptimumWithCosts {
        standard_deviations,
        costs,
    };
    let per_root_cost = weights(units, rule)?;
    // N_h·S_h: the cost stands in the gain of each unit instead.
    let weights: Vec<f64> = per_root_cost
        .iter()
        .zip(costs)
        .map(|(weight, cost)| weight * cost.sqrt())
        .collect();
    let mut sizes = smallest(units, minimum)?;
    let needed: f64 = sizes.iter().zip(costs).map(|(size, cost)| *size as f64 * cost).sum();
    if needed > budget {
        return Err(SamplingError::BudgetTooSmall { needed, budget });
    }
    let mut left = budget - needed;
    let mut queue: BinaryHeap<Candidate> = (0..units.len())
        .filter_map(|stratum| Candidate::of(stratum, units, &weights, costs[stratum], &sizes))
        .collect();
    while let Some(next) = queue.pop() {
        // A stratum that is too dear now stays so.
        if costs[next.stratum] <= left {
            left -= costs[next.stratum];
            sizes[next.stratum] += 1;
            queue.extend(Candidate::of(
                next.stratum,
                units,
                &weights,
                costs[next.stratum],
                &sizes,
            ));
        }
    }
    let spent: f64 = per_root_cost
        .iter()
        .zip(costs)
        .map(|(weight, cost)| weight * cost)
        .sum();
    let total: f64 = per_root_cost.iter().sum();
    Ok(Allocation {
        shares: shares(&per_root_cost, budget * total / spent),
        sizes,
    })
}

/// The stratum that the next unit may go to, ordered by what it gains there.
#[derive(Debug, PartialEq)]
struct Candidate {
    stratum: usize,
    /// a_h²/(n_h·(n_h + 1)·c_h).
    gain: f64,
    /// n_h/N_h, which decides between equal gains.
    fraction: f64,
}

impl Candidate {
    /// None where the stratum is full.
    fn of(stratum: usize, units: &[u64], weights: &[f64], cost: f64, sizes: &[u64]) -> Option<Self> {
        let (size, all) = (sizes[stratum], units[stratum]);
        let (n, weight) = (size as f64, weights[stratum]);
        (size < all).then(|| Self {
            stratum,
            gain: weight / n * (weight / (n + 1.0)) / cost,
            fraction: n / all as f64,
        })
    }
}

impl Eq for Candidate {}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.gain
            .total_cmp(&other.gain)
            .then(other.fraction.total_cmp(&self.fraction))
            .then(other.stratum.cmp(&self.stratum))
    }
}

/// The rule's weights, checked.
fn weights(units: &[u64], rule: AllocationRule<'_>) -> Result<Vec<f64>, SamplingError> {
    for (stratum, count) in units.iter().enumerate() {
        check(Value::Units(stratum), *count as f64, (1..=LARGEST_SIZE).contains(count))?;
    }
    let not_negative = |value: fn(usize) -> Value, what, list: &[f64]| {
        checked_list(units.len(), value, what, list, |number| number >= 0.0)
    };
    let counts = units.iter().map(|count| *count as f64);
    let weights: Vec<f64> = match rule {
        AllocationRule::Proportional => counts.collect(),
        AllocationRule::Neyman { standard_deviations } => {
            not_negative(Value::StandardDeviation, "standard_deviations", standard_deviations)?;
            counts
                .zip(standard_deviations)
                .map(|(count, deviation)| count * deviation)
                .collect()
        }
        AllocationRule::OptimumWithCosts {
            standard_deviations,
            costs,
        } => {
            not_negative(Value::StandardDeviation, "standard_deviations", standard_deviations)?;
            checked_list(units.len(), Value::Cost, "costs", costs, |cost| cost > 0.0)?;
            let products = counts
                .zip(standard_deviations)
                .map(|(count, deviation)| count * deviation);
            products
                .zip(costs)
                .map(|(product, cost)| product / cost.sqrt())
                .collect()
        }
        AllocationRule::Power {
            importance,
            coefficients_of_variation,
            exponent,
        } => {
            not_negative(Value::Importance, "importance", importance)?;
            not_negative(
                Value::CoefficientOfVariation,
                "coefficients_of_variation",
                coefficients_of_variation,
            )?;
            check(Value::Exponent, exponent, (0.0..=1.0).contains(&exponent))?;
            let both = importance.iter().zip(coefficients_of_variation);
            // libm's power is the same on every machine.
            both.map(|(importance, variation)| libm::pow(*importance, exponent) * variation)
                .collect()
        }
    };
    let total: f64 = weights.iter().sum();
    if total > 0.0 && total.is_finite() {
        Ok(weights)
    } else {
        Err(SamplingError::NothingToShare)
    }
}

fn check(value: Value, given: f64, is_right: bool) -> Result<(), SamplingError> {
    if is_right && given.is_finite() {
        Ok(())
    } else {
        Err(SamplingError::OutOfRange { value, given })
    }
}

fn checked_list(
    expected: usize,
    value: fn(usize) -> Value,
    what: &'static str,
    list: &[f64],
    is_right: fn(f64) -> bool,
) -> Result<(), SamplingError> {
    if list.len() != expected {
        return Err(SamplingError::Length {
            what,
            given: list.len(),
            expected,
        });
    }
    list.iter()
        .enumerate()
        .try_for_each(|(stratum, given)| check(value(stratum), *given, is_right(*given)))
}

/// The minimum of each stratum.
fn smallest(units: &[u64], minimum: u64) -> Result<Vec<u64>, SamplingError> {
    check(Value::Minimum, minimum as f64, minimum > 0)?;
    Ok(units.iter().map(|count| minimum.min(*count)).collect())
}

fn shares(weights: &[f64], size: f64) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| size * (weight / total)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Σ a²/n.
    fn criterion(weights: &[f64], sizes: &[u64]) -> f64 {
        weights
            .iter()
            .zip(sizes)
            .map(|(weight, size)| weight * weight / *size as f64)
            .sum()
    }

    /// Every way to share `size` out within the bounds.
    fn every(units: &[u64], size: u64, minimum: u64) -> Vec<Vec<u64>> {
        let Some((first, rest)) = units.split_first() else {
            return if size == 0 { vec![Vec::new()] } else { Vec::new() };
        };
        (minimum.min(*first)..=size.min(*first))
            .flat_map(|here| {
                every(rest, size - here, minimum).into_iter().map(move |mut others| {
                    others.insert(0, here);
                    others
                })
            })
            .collect()
    }

    #[test]
    fn cities_of_cochran() {
        // Cochran (1977), section 5.6 with table 5.1: 64 cities in two strata, 24 to be drawn. Proportional 6 and 18,
        // optimum n_1 = 12.21 and n_2 = 11.79, so 12 and 12; variances of the total 1,882,293 and 1,090,827.
        let units = [16, 48];
        let variances: [f64; 2] = [53_843.0, 5_581.0];
        let deviations = variances.map(f64::sqrt);
        let variance = |sizes: &[u64]| -> f64 {
            (0..2)
                .map(|h| (units[h] * (units[h] - sizes[h])) as f64 * variances[h] / sizes[h] as f64)
                .sum()
        };
        let proportional = allocate(&units, AllocationRule::Proportional, 24, 1).unwrap();
        assert_eq!(proportional.sizes, [6, 18]);
        assert_eq!(variance(&proportional.sizes).round(), 1_882_293.0);
        let rule = AllocationRule::Neyman {
            standard_deviations: &deviations,
        };
        let neyman = allocate(&units, rule, 24, 1).unwrap();
        assert!((neyman.shares[0] - 12.21).abs() < 0.005 && (neyman.shares[1] - 11.79).abs() < 0.005);
        assert_eq!(neyman.sizes, [12, 12]);
        assert_eq!(variance(&neyman.sizes).round(), 1_090_827.0);
    }

    #[test]
    fn caribou_of_siniff_and_skoog() {
        // D. B. Siniff & R. O. Skoog (1964), "Aerial Censusing of Caribou Using Stratified Random Sampling", Journal of
        // Wildlife Management 28, 391–401, as told in the chapter on stratified sampling of S. L. Lohr, *Sampling: Design
        // and Analysis*: 225 of 699 plots, 96.26, 4.81, 44.04, 2.89, 67.38 and 9.63 by Neyman's rule.
        let rule = AllocationRule::Neyman {
            standard_deviations: &[3_000.0, 2_000.0, 9_000.0, 2_000.0, 12_000.0, 1_000.0],
        };
        let allocation = allocate(&[400, 30, 61, 18, 70, 120], rule, 225, 1).unwrap();
        let published = [96.26, 4.81, 44.04, 2.89, 67.38, 9.63];
        for (share, published) in allocation.shares.iter().zip(published) {
            assert!((share - published).abs() < 0.0051, "{share} {published}");
        }
        assert_eq!(allocation.sizes, [96, 5, 44, 3, 67, 10]);
    }

    #[test]
    fn no_other_whole_numbers_are_better() {
        let units = [9, 4, 30, 12];
        let deviations = [2.0, 11.0, 0.5, 3.0];
        let costs = [1.0, 4.0, 2.25, 1.0];
        let rules = [
            AllocationRule::Proportional,
            AllocationRule::Neyman {
                standard_deviations: &deviations,
            },
            AllocationRule::OptimumWithCosts {
                standard_deviations: &deviations,
                costs: &costs,
            },
            AllocationRule::Power {
                importance: &[9.0, 4.0, 30.0, 12.0],
                coefficients_of_variation: &deviations,
                exponent: 0.5,
            },
        ];
        for rule in rules {
            let weights = weights(&units, rule).unwrap();
            for (size, minimum) in [(4, 1), (11, 2), (20, 2), (33, 3), (55, 1)] {
                let allocation = allocate(&units, rule, size, minimum).unwrap();
                assert_eq!(allocation.sizes.iter().sum::<u64>(), size);
                let possible = every(&units, size, minimum);
                assert!(possible.contains(&allocation.sizes), "{rule:?} {size} {minimum}");
                let best = possible
                    .iter()
                    .map(|sizes| criterion(&weights, sizes))
                    .fold(f64::INFINITY, f64::min);
                assert!(
                    criterion(&weights, &allocation.sizes) <= best * (1.0 + 1e-12),
                    "{rule:?} {size} {minimum}"
                );
            }
        }
    }

    #[test]
    fn power_allocation_lies_between_equal_precision_and_neyman() {
        let units = [1_000, 100, 10_000];
        let means = [3.0, 40.0, 2.0];
        let deviations = [1.5, 30.0, 1.8];
        let importance: Vec<f64> = (0..3).map(|h| units[h] as f64 * means[h]).collect();
        let variations: Vec<f64> = (0..3).map(|h| deviations[h] / means[h]).collect();
        let power = |exponent| {
            let rule = AllocationRule::Power {
                importance: &importance,
                coefficients_of_variation: &variations,
                exponent,
            };
            allocate(&units, rule, 150, 1).unwrap()
        };
        let neyman = AllocationRule::Neyman {
            standard_deviations: &deviations,
        };
        let neyman = allocate(&units, neyman, 150, 1).unwrap();
        assert_eq!(power(1.0).sizes, neyman.sizes);
        for (share, expected) in power(1.0).shares.iter().zip(&neyman.shares) {
            assert!((share - expected).abs() < 1e-9);
        }
        // q = 0: n_h ∝ CV_h, here 0.5, 0.75 and 0.9 of 2.15.
        for (share, variation) in power(0.0).shares.iter().zip(&variations) {
            assert!((share - 150.0 * variation / 2.15).abs() < 1e-9);
        }
    }

    #[test]
    fn a_full_stratum_leaves_its_excess_to_the_others() {
        let rule = AllocationRule::Neyman {
            standard_deviations: &[100.0, 1.0, 1.0],
        };
        let allocation = allocate(&[10, 100, 100], rule, 60, 2).unwrap();
        assert!(allocation.shares[0] > 10.0);
        assert_eq!(allocation.sizes, [10, 25, 25]);
        // A stratum without variation keeps the minimum.
        let rule = AllocationRule::Neyman {
            standard_deviations: &[0.0, 1.0, 1.0],
        };
        assert_eq!(allocate(&[10, 100, 100], rule, 60, 2).unwrap().sizes, [2, 29, 29]);
    }

    #[test]
    fn a_budget_is_spent_where_it_helps_most_and_not_exceeded() {
        let (units, deviations, costs) = ([400, 300, 50], [4.0, 9.0, 20.0], [1.0, 4.0, 9.0]);
        let allocation = allocate_budget(&units, &deviations, &costs, 200.0, 2).unwrap();
        let spent = |sizes: &[u64]| -> f64 { sizes.iter().zip(&costs).map(|(size, cost)| *size as f64 * cost).sum() };
        assert!(spent(&allocation.sizes) <= 200.0 && spent(&allocation.sizes) > 199.0);
        // Cochran (1977), equation 5.24: n_h = C·(N_h·S_h/√c_h) / Σ N_h·S_h·√c_h, worked out here: N·S = 1600, 2700, 1000;
        // Σ N·S·√c = 1600 + 5400 + 3000 = 10000; n = 32, 27, 20/3.
        for (share, expected) in allocation.shares.iter().zip([32.0, 27.0, 20.0 / 3.0]) {
            assert!((share - expected).abs() < 1e-9);
        }
        for (size, share) in allocation.sizes.iter().zip(&allocation.shares) {
            assert!((*size as f64 - share).abs() < 2.0);
        }
        let error = allocate_budget(&units, &deviations, &costs, 27.0, 2).unwrap_err();
        assert_eq!(
            error,
            SamplingError::BudgetTooSmall {
                needed: 28.0,
                budget: 27.0
            }
        );
    }

    #[test]
    fn impossible_wishes_are_refused() {
        let error = |units: &[u64], rule, size, minimum| allocate(units, rule, size, minimum).unwrap_err();
        let proportional = AllocationRule::Proportional;
        assert_eq!(
            error(&[5, 5], proportional, 3, 2),
            SamplingError::BelowMinimum { size: 3, needed: 4 }
        );
        assert_eq!(
            error(&[5, 5], proportional, 11, 2),
            SamplingError::AbovePopulation { size: 11, units: 10 }
        );
        assert!(error(&[5, 0], proportional, 3, 1).to_string().contains("stratum 1"));
        assert!(error(&[5, 5], proportional, 3, 0).vietnamese().contains("tối thiểu"));
        let deviations = |standard_deviations| AllocationRule::Neyman { standard_deviations };
        assert_eq!(
            error(&[5, 5], deviations(&[0.0, 0.0]), 3, 1),
            SamplingError::NothingToShare
        );
        assert!(
            error(&[5, 5], deviations(&[1.0, f64::NAN]), 3, 1)
                .to_string()
                .contains("NaN")
        );
        assert!(
            error(&[5, 5], deviations(&[1.0]), 3, 1)
                .to_string()
                .contains("must be 2")
        );
    }
}
