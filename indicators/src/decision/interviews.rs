//! How many more interviews would decide whether a target is met.

use serde::{Deserialize, Serialize};

use super::{Decision, Target, decide};
use crate::estimators::Estimate;
use crate::intervals::{ConfidenceLevel, IntervalMethod, student_t_quantile};
use crate::sampling::planning::{Scale, Standing, interviews_to_decide, interviews_where_all_are_alike};

/// What a decision about a target would take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum MoreInterviews {
    /// Nothing: the interval lies on one side of the target.
    None,
    /// So many more households than have responded.
    Some {
        /// Their number.
        households: u64,
    },
    /// All others: the estimate lies on the target, or so near that no sample tells them apart.
    All {
        /// Their number.
        households: u64,
    },
    /// There is no interval to reason from.
    Unknown,
}

/// What is known about a target, and how surely.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Assessment {
    /// Met, missed or undecided.
    pub decision: Decision,
    /// The confidence level of the two-sided interval that decides: a target that is really missed is called met with a
    /// probability of at most (1 − level)/2, and the other way round. None without an interval.
    pub confidence: Option<ConfidenceLevel>,
    /// What a decision would take.
    pub more_interviews: MoreInterviews,
}

/// Compares an estimate with its target and says what a decision would take ([`more_interviews`]). Open conflicts are not
/// looked at: [`crate::bounds::BoundedEstimate::decide`] does.
pub fn assess(target: &Target, estimate: &Estimate, assurance: f64) -> Assessment {
    Assessment {
        decision: decide(target, [estimate]),
        confidence: estimate.interval.map(|interval| interval.level),
        more_interviews: more_interviews(target, estimate, assurance),
    }
}

/// How many more households, drawn as those so far, would decide with the chance `assurance` (from 0.5 to 1, not 1
/// itself) if the present estimate is the truth.
///
/// [`interviews_to_decide`] with the interval's own scale and Student's quantile; where all observed are alike, the exact
/// interval shrinks with its effective number of households. The answer is a plan, not a promise: estimates move. Where
/// only more households of the same hamlets are visited, it is too small, since differences between hamlets stay.
pub fn more_interviews(target: &Target, estimate: &Estimate, assurance: f64) -> MoreInterviews {
    let Some((interval, point)) = estimate.interval.zip(estimate.point) else {
        return MoreInterviews::Unknown;
    };
    if decide(target, [estimate]) != Decision::Undecided {
        return MoreInterviews::None;
    }
    let ratio = target.ratio();
    let responded = estimate.households as f64;
    let population = estimate.households_total.round().max(responded);
    let left = (population - responded) as u64;
    let needed = match interval.method {
        IntervalMethod::Census => return MoreInterviews::Unknown,
        IntervalMethod::ClopperPearson => {
            let (reach, needed_reach) = match point >= 0.5 {
                true => (interval.lower, ratio),
                false => (1.0 - interval.upper, 1.0 - ratio),
            };
            if needed_reach >= 1.0 {
                return MoreInterviews::All { households: left };
            }
            interviews_where_all_are_alike(responded, Some(population), interval.level.tail(), reach, needed_reach)
        }
        IntervalMethod::Logit | IntervalMethod::Wilson | IntervalMethod::StudentT => {
            let quantile = student_t_quantile(1.0 - interval.level.tail(), estimate.degrees_of_freedom as f64);
            let (Some(standard_error), Ok(critical_value)) = (estimate.standard_error, quantile) else {
                return MoreInterviews::Unknown;
            };
            let standing = Standing {
                point,
                standard_error,
                interviews: responded,
                population: Some(population),
                critical_value,
                scale: match interval.method {
                    // Wilson's is as asymmetric as the logit's, and next to it wherever a plan has a meaning.
                    IntervalMethod::Logit | IntervalMethod::Wilson => Scale::Logit,
                    _ => Scale::Identity,
                },
            };
            interviews_to_decide(&standing, ratio, assurance)
        }
    };
    match needed {
        Ok(Some(total)) if (total as f64) < population => MoreInterviews::Some {
            // Where the interval only touches the target, rounding must not say that nothing is missing.
            households: total.saturating_sub(estimate.households).max(1),
        },
        Ok(_) => MoreInterviews::All { households: left },
        Err(_) => MoreInterviews::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::estimate;
    use super::super::{Operator, Target};
    use super::*;

    fn at_least(percent: f64) -> Target {
        Target::new(Operator::AtLeast, percent).unwrap()
    }

    #[test]
    fn as_many_more_as_it_says_decide_when_the_estimate_stays() {
        // 150 of 200 in a hamlet of 3,000 against a target of 70 %.
        let now = estimate(150, 200, 3_000);
        let MoreInterviews::Some { households } = more_interviews(&at_least(70.0), &now, 0.5) else {
            panic!("{now:?}")
        };
        // Four households at a time keep the share.
        let total = (200 + households).div_ceil(4) * 4;
        let then = estimate(total / 4 * 3, total, 3_000);
        assert_eq!(decide(&at_least(70.0), [&then]), Decision::Met);
        // Student's quantile shrinks a little too, which is not counted on: 5 % fewer do not suffice.
        let fewer = (total as f64 * 0.95) as u64 / 4 * 4;
        let then = estimate(fewer / 4 * 3, fewer, 3_000);
        assert_eq!(decide(&at_least(70.0), [&then]), Decision::Undecided);
        // A better chance takes more.
        let MoreInterviews::Some { households: surer } = more_interviews(&at_least(70.0), &now, 0.8) else {
            panic!("{now:?}")
        };
        assert!(surer > households);
    }

    #[test]
    fn where_all_are_alike_the_exact_interval_shrinks() {
        // 10 of 10 of 400: ln 0.025 / ln 0.8 = 16.53, seven more.
        let all = estimate(10, 10, 400);
        assert_eq!(
            more_interviews(&at_least(80.0), &all, 0.5),
            MoreInterviews::Some { households: 7 }
        );
        let none = estimate(0, 10, 400);
        assert_eq!(
            more_interviews(&at_least(20.0), &none, 0.5),
            MoreInterviews::Some { households: 7 }
        );
        assert_eq!(decide(&at_least(80.0), [&estimate(17, 17, 400)]), Decision::Met);
        assert_eq!(decide(&at_least(80.0), [&estimate(16, 16, 400)]), Decision::Undecided);
        // Nothing short of everybody shows that all have it.
        assert_eq!(
            more_interviews(&at_least(100.0), &all, 0.5),
            MoreInterviews::All { households: 390 }
        );
    }

    #[test]
    fn an_estimate_on_its_target_needs_everybody() {
        let on_target = estimate(16, 20, 500);
        assert_eq!(
            more_interviews(&at_least(80.0), &on_target, 0.5),
            MoreInterviews::All { households: 480 }
        );
        let assessment = assess(&at_least(80.0), &on_target, 0.5);
        assert_eq!(assessment.decision, Decision::Undecided);
        assert_eq!(assessment.confidence.unwrap().fraction(), 0.95);
    }

    #[test]
    fn what_is_decided_needs_nothing_and_what_is_unknown_stays_so() {
        assert_eq!(
            more_interviews(&at_least(10.0), &estimate(16, 20, 500), 0.5),
            MoreInterviews::None
        );
        let unknown = assess(&at_least(10.0), &estimate(0, 0, 500), 0.5);
        assert_eq!(
            (unknown.decision, unknown.confidence, unknown.more_interviews),
            (Decision::Undecided, None, MoreInterviews::Unknown)
        );
    }
}
