//! Adjustment of weights for those that did not respond, in classes of rows that are alike.

use super::base::{check_length, check_weights};
use super::{WeightColumn, WeightSummary, WeightsError};

/// What became of a sampled household or person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Responded.
    Respondent,
    /// Belongs to the population and did not respond.
    Nonrespondent,
    /// Was found not to belong to the population: moved away, died, an empty house.
    Ineligible,
    /// Nobody found out whether it belongs to the population.
    Unknown,
}

/// When a class is too small to stand alone.
///
/// While any class has fewer respondents than `minimum_respondents`, or would multiply its weights by more than
/// `largest_factor`, the one of them with the fewest respondents (the first of equals) is joined with the class before or
/// after it in the order of codes, whichever has the nearer weighted response rate (the one before, of equals). So number
/// the classes in an order in which neighbours are alike. A single class that is left is used as it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CollapsingRule {
    /// Fewest respondents of a class, at least 1.
    pub minimum_respondents: usize,
    /// Largest factor, above 1; may be infinite.
    pub largest_factor: f64,
}

impl Default for CollapsingRule {
    /// 20 respondents and a factor of 3.
    fn default() -> Self {
        CollapsingRule {
            minimum_respondents: 20,
            largest_factor: 3.0,
        }
    }
}

/// One class after joining.
#[derive(Debug, Clone, PartialEq)]
pub struct AdjustmentClass {
    /// First code that was joined into it.
    pub first_code: u32,
    /// Last code.
    pub last_code: u32,
    /// Rows that responded.
    pub respondents: usize,
    /// Rows that belong to the population and did not respond.
    pub nonrespondents: usize,
    /// Rows that do not belong to the population.
    pub ineligible: usize,
    /// Rows of which that is not known.
    pub unknown: usize,
    /// What rows of known eligibility were multiplied by for those of unknown eligibility.
    pub eligibility_factor: f64,
    /// What respondents were multiplied by besides, for nonrespondents.
    pub response_factor: f64,
}

/// Weights adjusted for nonresponse.
#[derive(Debug, Clone, PartialEq)]
pub struct NonresponseAdjustment {
    /// The new weights, one per row; 0 for those that did not respond or whose eligibility is unknown. Ineligible rows
    /// keep a weight: they stand for others like them in the frame.
    pub weights: Vec<f64>,
    /// The classes in the order of codes.
    pub classes: Vec<AdjustmentClass>,
    /// The weights before.
    pub before: Option<WeightSummary>,
    /// The weights after.
    pub after: Option<WeightSummary>,
}

/// Sums over the rows of one class.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    rows: [usize; 4],
    weight: [f64; 4],
}

impl Tally {
    fn join(&mut self, other: &Tally) {
        for kind in 0..4 {
            self.rows[kind] += other.rows[kind];
            self.weight[kind] += other.weight[kind];
        }
    }

    fn eligibility_factor(&self) -> f64 {
        let [respondents, nonrespondents, ineligible, unknown] = self.weight;
        let known = respondents + nonrespondents + ineligible;
        (known + unknown) / known
    }

    fn response_factor(&self) -> f64 {
        (self.weight[0] + self.weight[1]) / self.weight[0]
    }

    fn factor(&self) -> f64 {
        self.eligibility_factor() * self.response_factor()
    }

    fn response_rate(&self) -> f64 {
        self.weight[0] / self.weight.iter().sum::<f64>()
    }

    fn is_small(&self, rule: &CollapsingRule) -> bool {
        self.rows[0] < rule.minimum_respondents || self.weight[0] <= 0.0 || self.factor() > rule.largest_factor
    }
}

fn kind(disposition: Disposition) -> usize {
    match disposition {
        Disposition::Respondent => 0,
        Disposition::Nonrespondent => 1,
        Disposition::Ineligible => 2,
        Disposition::Unknown => 3,
    }
}

/// Spreads, within each class, first the weight of rows of unknown eligibility over those of known eligibility, then that
/// of nonrespondents over respondents (weighting-class adjustment: Oh & Scheuren 1983, in *Incomplete Data in Sample
/// Surveys* 2, 143–184; Valliant, Dever & Kreuter, *Practical Tools for Designing and Weighting Survey Samples*, 2013,
/// sections 13.4 and 13.5). The sum of weights stays. The same serves households and, given the household's weight,
/// persons.
///
/// `classes` gives a code per row; codes may have gaps.
///
/// # Errors
/// [`WeightsError::Value`] for a weight that is negative or not finite; [`WeightsError::Length`];
/// [`WeightsError::CollapsingRule`]; [`WeightsError::NoRespondents`].
pub fn adjust_for_nonresponse(
    weights: &[f64],
    dispositions: &[Disposition],
    classes: &[u32],
    rule: &CollapsingRule,
) -> Result<NonresponseAdjustment, WeightsError> {
    check_weights(weights)?;
    check_length(WeightColumn::Dispositions, dispositions.len(), weights.len())?;
    check_length(WeightColumn::Classes, classes.len(), weights.len())?;
    if rule.minimum_respondents == 0 || rule.largest_factor.is_nan() || rule.largest_factor <= 1.0 {
        return Err(WeightsError::CollapsingRule {
            minimum_respondents: rule.minimum_respondents,
            largest_factor: rule.largest_factor,
        });
    }
    let mut tallies = std::collections::BTreeMap::<u32, Tally>::new();
    for ((&code, &weight), &disposition) in classes.iter().zip(weights).zip(dispositions) {
        let tally = tallies.entry(code).or_default();
        tally.rows[kind(disposition)] += 1;
        tally.weight[kind(disposition)] += weight;
    }
    let groups = collapse(
        tallies.into_iter().map(|(code, tally)| (code, code, tally)).collect(),
        rule,
    );
    if groups.iter().any(|(_, _, tally)| tally.weight[0] <= 0.0) {
        return Err(WeightsError::NoRespondents);
    }
    let new: Vec<f64> = (weights.iter().zip(dispositions).zip(classes))
        .map(|((weight, disposition), &code)| {
            // Every code is in the last group that starts at or before it.
            let group = groups.partition_point(|&(first, _, _)| first <= code).saturating_sub(1);
            let tally = &groups[group].2;
            match disposition {
                Disposition::Respondent => weight * tally.factor(),
                Disposition::Ineligible => weight * tally.eligibility_factor(),
                Disposition::Nonrespondent | Disposition::Unknown => 0.0,
            }
        })
        .collect();
    let classes = groups
        .iter()
        .map(|&(first_code, last_code, tally)| AdjustmentClass {
            first_code,
            last_code,
            respondents: tally.rows[0],
            nonrespondents: tally.rows[1],
            ineligible: tally.rows[2],
            unknown: tally.rows[3],
            eligibility_factor: tally.eligibility_factor(),
            response_factor: tally.response_factor(),
        })
        .collect();
    Ok(NonresponseAdjustment {
        classes,
        before: WeightSummary::of(weights),
        after: WeightSummary::of(&new),
        weights: new,
    })
}

/// Joins classes that are too small with their neighbours.
fn collapse(mut groups: Vec<(u32, u32, Tally)>, rule: &CollapsingRule) -> Vec<(u32, u32, Tally)> {
    while groups.len() > 1 {
        let small = (0..groups.len())
            .filter(|&group| groups[group].2.is_small(rule))
            .min_by_key(|&group| groups[group].2.rows[0]);
        let Some(small) = small else { break };
        let distance = |neighbour: usize| {
            let difference = groups[neighbour].2.response_rate() - groups[small].2.response_rate();
            // A class without weight has no rate; any neighbour is as near.
            if difference.is_nan() {
                f64::INFINITY
            } else {
                difference.abs()
            }
        };
        let first = match (small.checked_sub(1), small + 1 < groups.len()) {
            (Some(before), true) if distance(small + 1) < distance(before) => small,
            (Some(before), _) => before,
            (None, _) => small,
        };
        let (_, last_code, tally) = groups.remove(first + 1);
        groups[first].1 = last_code;
        groups[first].2.join(&tally);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::Disposition::{Ineligible, Nonrespondent, Respondent, Unknown};
    use super::*;

    const ANY: CollapsingRule = CollapsingRule {
        minimum_respondents: 1,
        largest_factor: f64::INFINITY,
    };

    #[test]
    fn factors_by_hand() {
        // Known eligibility weighs 10 + 30 + 10 = 50 and unknown 25: factor 1.5. Then respondents 10, nonrespondents 30:
        // factor 4.
        let result = adjust_for_nonresponse(
            &[10.0, 30.0, 10.0, 25.0, 7.0],
            &[Respondent, Nonrespondent, Ineligible, Unknown, Respondent],
            &[4, 4, 4, 4, 9],
            &ANY,
        )
        .unwrap();
        assert_eq!(result.weights, [60.0, 0.0, 15.0, 0.0, 7.0]);
        assert_eq!(result.classes.len(), 2);
        assert_eq!(
            (result.classes[0].eligibility_factor, result.classes[0].response_factor),
            (1.5, 4.0)
        );
        assert_eq!(result.after.unwrap().total, 82.0);
    }

    #[test]
    fn small_classes_join_the_nearer_neighbour() {
        // Response rates by class: 1, 1/3, 1/2. Class 1 has too large a factor and is nearer to class 2.
        let dispositions = [
            Respondent,
            Respondent,
            Respondent,
            Nonrespondent,
            Nonrespondent,
            Respondent,
            Nonrespondent,
        ];
        let classes = [0, 0, 1, 1, 1, 2, 2];
        let rule = CollapsingRule {
            minimum_respondents: 1,
            largest_factor: 2.5,
        };
        let result = adjust_for_nonresponse(&[1.0; 7], &dispositions, &classes, &rule).unwrap();
        let codes: Vec<_> = result
            .classes
            .iter()
            .map(|class| (class.first_code, class.last_code))
            .collect();
        assert_eq!(codes, [(0, 0), (1, 2)]);
        assert_eq!(result.weights, [1.0, 1.0, 2.5, 0.0, 0.0, 2.5, 0.0]);
        // With at least 3 respondents wanted, all become one: 7 / 4.
        let rule = CollapsingRule {
            minimum_respondents: 3,
            ..ANY
        };
        let result = adjust_for_nonresponse(&[1.0; 7], &dispositions, &classes, &rule).unwrap();
        assert_eq!(result.classes.len(), 1);
        assert_eq!(result.weights[0], 1.75);
    }

    #[test]
    fn a_class_without_respondents_is_joined() {
        let result =
            adjust_for_nonresponse(&[1.0, 1.0, 1.0], &[Unknown, Respondent, Respondent], &[0, 1, 2], &ANY).unwrap();
        assert_eq!(result.weights, [0.0, 2.0, 1.0]);
    }

    #[test]
    fn nobody_to_raise() {
        let error = adjust_for_nonresponse(&[1.0], &[Nonrespondent], &[0], &ANY).unwrap_err();
        assert_eq!(error, WeightsError::NoRespondents);
        assert!(error.vietnamese().starts_with("không ai trả lời"));
        let loose = CollapsingRule {
            minimum_respondents: 0,
            ..ANY
        };
        assert!(adjust_for_nonresponse(&[1.0], &[Respondent], &[0], &loose).is_err());
        assert!(adjust_for_nonresponse(&[1.0], &[], &[0], &ANY).is_err());
    }
}
