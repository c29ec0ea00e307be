//! Intervals for proportions, and which one to take.

use super::undefined::Undefined;
use crate::intervals::{self, ConfidenceLevel, Interval, IntervalMethod, QuantileError, student_t_quantile};
use serde::{Deserialize, Serialize};

/// Fewest effective elements expected on the rarer side for which the logit interval is taken: with fewer, the exact
/// one keeps its level better (Korn & Graubard 1998; Parker et al. 2017, *Vital and Health Statistics* 2(175), take it for
/// all proportions). With more, the two are nearly the same. The limit is well above where they differ much, because the
/// count expected is itself an estimate: a limit of 10 gave the shorter of the two intervals just where the estimate was
/// off (`cargo bench -p indicators --bench coverage_study`).
const FEWEST_EXPECTED: f64 = 30.0;

/// How an interval of a proportion is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProportionMethod {
    /// t on the logit scale. As `svyciprop(method = "xlogit")`.
    Logit,
    /// Wilson's with the effective number of elements p(1 − p)/V and Student's t in place of the normal quantile.
    Wilson,
    /// Korn & Graubard's beta interval. As `svyciprop(method = "beta")`.
    KornGraubard,
    /// p ± t · SE. As `svyciprop(method = "mean")`.
    StudentT,
}

/// Which method an interval was made with, and why.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct IntervalChoice {
    /// The method; for a census, whose interval is the point, the one that would have been taken.
    pub method: ProportionMethod,
    /// Why.
    pub reason: IntervalReason,
}

/// Why a method was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalReason {
    /// The caller asked for it.
    Requested,
    /// Everything was observed: there is no sampling error.
    Enumerated,
    /// All observed are alike, so that the estimated variance is zero although the true one is not.
    NothingVaries,
    /// So few are expected on the rarer side that the logit interval would be too short.
    FewCases {
        /// Effective elements expected on that side.
        expected: f64,
    },
    /// There are enough on both sides.
    Ordinary,
    /// The statistic is not a proportion.
    NotAProportion,
}

/// What an interval rests on, besides the point.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProportionEvidence {
    /// Above zero.
    pub(super) standard_error: f64,
    pub(super) degrees_of_freedom: u64,
    /// Rows of positive weight in the domain.
    pub(super) rows: u64,
}

impl ProportionEvidence {
    /// p(1 − p) / V, the elements of a simple random sample with replacement that would have the same variance.
    fn effective_elements(&self, p: f64) -> f64 {
        p * (1.0 - p) / (self.standard_error * self.standard_error)
    }

    /// (t_{n−1} / t_df)², Korn & Graubard's correction for degrees of freedom.
    fn shrinkage(&self, level: ConfidenceLevel) -> Result<f64, Undefined> {
        if self.rows < 2 {
            return Err(Undefined::NoDegreesOfFreedom);
        }
        let ratio = student_t(self.rows - 1, level)? / student_t(self.degrees_of_freedom, level)?;
        Ok(ratio * ratio)
    }
}

fn student_t(degrees_of_freedom: u64, level: ConfidenceLevel) -> Result<f64, Undefined> {
    student_t_quantile(1.0 - level.tail(), degrees_of_freedom as f64).map_err(|_| Undefined::NoDegreesOfFreedom)
}

/// The interval of a proportion from its standard error, with a method of the caller's choice or, if `None`, the one that
/// suits: the logit interval, or Korn & Graubard's where fewer than 30 effective elements are expected on the rarer
/// side.
///
/// `rows` are those of positive weight in the domain.
///
/// # Errors
/// [`Undefined::NotAProportion`] unless 0 ≤ p ≤ 1, [`Undefined::NoDegreesOfFreedom`], and [`Undefined::NoVariation`] for a
/// standard error of zero or a method that needs 0 < p < 1.
pub fn proportion_interval(
    p: f64,
    standard_error: f64,
    degrees_of_freedom: u64,
    rows: u64,
    method: Option<ProportionMethod>,
    level: ConfidenceLevel,
) -> Result<(Interval, IntervalChoice), Undefined> {
    if !(0.0..=1.0).contains(&p) {
        return Err(Undefined::NotAProportion);
    }
    if standard_error.is_nan() || standard_error <= 0.0 {
        return Err(Undefined::NoVariation);
    }
    let evidence = ProportionEvidence {
        standard_error,
        degrees_of_freedom,
        rows,
    };
    let choice = match method {
        Some(method) => IntervalChoice {
            method,
            reason: IntervalReason::Requested,
        },
        None => {
            let expected = evidence.effective_elements(p) * p.min(1.0 - p);
            if expected < FEWEST_EXPECTED {
                IntervalChoice {
                    method: ProportionMethod::KornGraubard,
                    reason: IntervalReason::FewCases { expected },
                }
            } else {
                IntervalChoice {
                    method: ProportionMethod::Logit,
                    reason: IntervalReason::Ordinary,
                }
            }
        }
    };
    Ok((requested_interval(p, &evidence, choice.method, level)?, choice))
}

/// The interval by one method.
pub(super) fn requested_interval(
    p: f64,
    evidence: &ProportionEvidence,
    method: ProportionMethod,
    level: ConfidenceLevel,
) -> Result<Interval, Undefined> {
    if evidence.degrees_of_freedom == 0 {
        return Err(Undefined::NoDegreesOfFreedom);
    }
    let refused = |error: QuantileError| match error {
        QuantileError::Proportion { .. } => Undefined::NoVariation,
        _ => Undefined::TooLarge,
    };
    let t = student_t(evidence.degrees_of_freedom, level)?;
    match method {
        ProportionMethod::StudentT => Ok(intervals::student_t(p, evidence.standard_error, t, level)),
        ProportionMethod::Logit => intervals::logit_t(p, evidence.standard_error, t, level).map_err(refused),
        ProportionMethod::Wilson => intervals::wilson(p, evidence.effective_elements(p), t, level).map_err(refused),
        ProportionMethod::KornGraubard => {
            let effective = evidence.effective_elements(p) * evidence.shrinkage(level)?;
            if effective > 0.0 {
                intervals::clopper_pearson(p, effective, level).map_err(refused)
            } else {
                Err(Undefined::NoVariation)
            }
        }
    }
}

/// The interval of a census: its point.
pub(super) fn census(point: f64, level: ConfidenceLevel) -> Interval {
    Interval {
        lower: point,
        upper: point,
        level,
        method: IntervalMethod::Census,
    }
}
