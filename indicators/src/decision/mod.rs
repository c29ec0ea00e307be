//! Whether an indicator's target is met, as far as the data can tell, and how many more interviews would tell.

mod interviews;

pub use interviews::{Assessment, MoreInterviews, assess, more_interviews};

use crate::estimators::Estimate;
use crate::intervals::Interval;
use serde::{Deserialize, Serialize};

/// How a plan words its target: «đạt» and «tối thiểu» mean at least, «đạt trên» more than.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operator {
    /// The indicator shall be at least the target.
    #[serde(rename = ">=")]
    AtLeast,
    /// The indicator shall be above the target.
    #[serde(rename = ">")]
    MoreThan,
}

/// A target in percent with its operator.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Target {
    operator: Operator,
    percent: f64,
}

/// The target is not a finite number.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("the target is {percent} percent; it must be a finite number")]
pub struct TargetError {
    /// The value given.
    pub percent: f64,
}

impl TargetError {
    /// The same message in Vietnamese.
    pub fn vietnamese(&self) -> String {
        format!("mục tiêu là {} phần trăm; phải là một số hữu hạn", self.percent)
    }
}

impl Target {
    /// A target such as "at least 80 percent".
    ///
    /// # Errors
    /// [`TargetError`] if the percentage is not a finite number.
    pub fn new(operator: Operator, percent: f64) -> Result<Self, TargetError> {
        if percent.is_finite() {
            Ok(Target { operator, percent })
        } else {
            Err(TargetError { percent })
        }
    }

    /// How the plan words it.
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// The percentage.
    pub fn percent(&self) -> f64 {
        self.percent
    }

    /// The target as a ratio: the double nearest to the decimal percentage over 100, as a census's ratio is the double
    /// nearest to its quotient. Dividing by 100 would round a second time, and 80.1 % would not equal 801 of 1000.
    pub fn ratio(&self) -> f64 {
        format!("{:e}", self.percent)
            .split_once('e')
            .and_then(|(digits, exponent)| {
                let exponent: i32 = exponent.parse().ok()?;
                format!("{digits}e{}", exponent - 2).parse().ok()
            })
            .unwrap_or(self.percent / 100.0)
    }
}

/// What the data say about a target. Interfaces have their own words for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Every value that is still plausible meets the target.
    Met,
    /// No value that is still plausible meets it.
    Missed,
    /// Plausible values lie on both sides, or there is no interval.
    Undecided,
}

/// Compares intervals with a target: those of the estimate and, where conflicts are open, of both ends of its bounds. The
/// decision is only taken if all of them lie wholly on one side.
pub fn decide<'a>(target: &Target, estimates: impl IntoIterator<Item = &'a Estimate>) -> Decision {
    decide_by_intervals(target, estimates.into_iter().map(|estimate| estimate.interval))
}

/// The same from intervals alone; `None` where there is none.
pub fn decide_by_intervals(target: &Target, intervals: impl IntoIterator<Item = Option<Interval>>) -> Decision {
    let ratio = target.ratio();
    let meets = |value: f64| match target.operator {
        Operator::AtLeast => value >= ratio,
        Operator::MoreThan => value > ratio,
    };
    let mut decision = None;
    for interval in intervals {
        let this = match interval {
            Some(interval) if meets(interval.lower) => Decision::Met,
            Some(interval) if !meets(interval.upper) => Decision::Missed,
            _ => return Decision::Undecided,
        };
        if decision.is_some_and(|other| other != this) {
            return Decision::Undecided;
        }
        decision = Some(this);
    }
    decision.unwrap_or(Decision::Undecided)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::design::{Design, Domain, Psu, Sample, Stratum};
    use crate::estimators::{Indicator, Measure, Settings, ratio};
    use crate::summary::{Contribution, PsuSummary};

    /// The estimate from `responding` of `frame` households of one hamlet, `positive` of which have the attribute.
    pub(crate) fn estimate(positive: u64, responding: u64, frame: u64) -> Estimate {
        let design = Design::new(
            vec![Stratum { psus: 1 }],
            vec![Psu {
                stratum: 0,
                households: frame,
            }],
        )
        .unwrap();
        let mut summary = PsuSummary::new(1);
        for household in 0..responding {
            let numerator = if household < positive { 1.0 } else { 0.0 };
            summary
                .add(&[Contribution {
                    numerator,
                    denominator: 1.0,
                }])
                .unwrap();
        }
        let summaries = [summary];
        let sample = Sample::new(&design, &summaries).unwrap();
        let indicator = Indicator {
            index: 0,
            measure: Measure::Proportion,
        };
        ratio(&sample, &Domain::whole(&design), indicator, &Settings::default()).unwrap()
    }

    fn decision(operator: Operator, percent: f64, estimates: &[Estimate]) -> Decision {
        decide(&Target::new(operator, percent).unwrap(), estimates)
    }

    #[test]
    fn a_census_on_the_target_meets_at_least_and_misses_more_than() {
        let exact = [estimate(801, 1000, 1000)];
        assert_eq!(decision(Operator::AtLeast, 80.1, &exact), Decision::Met);
        assert_eq!(decision(Operator::MoreThan, 80.1, &exact), Decision::Missed);
        assert_eq!(decision(Operator::MoreThan, 80.0, &exact), Decision::Met);
        assert_eq!(decision(Operator::AtLeast, 80.2, &exact), Decision::Missed);
    }

    #[test]
    fn an_interval_across_the_target_decides_nothing() {
        let wide = [estimate(16, 20, 500)];
        assert_eq!(decision(Operator::AtLeast, 80.0, &wide), Decision::Undecided);
        assert_eq!(decision(Operator::AtLeast, 10.0, &wide), Decision::Met);
        assert_eq!(decision(Operator::AtLeast, 99.9, &wide), Decision::Missed);
    }

    #[test]
    fn all_ends_must_agree() {
        let ends = [estimate(9, 10, 10), estimate(7, 10, 10)];
        assert_eq!(decision(Operator::AtLeast, 80.0, &ends), Decision::Undecided);
        assert_eq!(decision(Operator::AtLeast, 70.0, &ends), Decision::Met);
        assert_eq!(decision(Operator::AtLeast, 95.0, &ends), Decision::Missed);
    }

    #[test]
    fn nothing_to_compare_decides_nothing() {
        assert_eq!(decision(Operator::AtLeast, 0.0, &[]), Decision::Undecided);
        assert_eq!(
            decision(Operator::AtLeast, 0.0, &[estimate(0, 0, 9)]),
            Decision::Undecided
        );
        assert!(Target::new(Operator::AtLeast, f64::NAN).is_err());
    }

    #[test]
    fn percentages_are_read_as_decimals() {
        let ratio = |percent| Target::new(Operator::AtLeast, percent).unwrap().ratio();
        assert_eq!(ratio(80.1), 0.801);
        assert_eq!(ratio(0.0), 0.0);
        assert_eq!(ratio(100.0), 1.0);
        assert_eq!(ratio(0.07), 0.0007);
    }
}
