//! Quantiles with Woodruff's intervals.

use super::column::Values;
use super::domain::Domain;
use super::error::{Quantity, StatisticError, SurveyError};
use super::estimators::{Linearised, linearise, population};
use super::intervals::{ProportionEvidence, ProportionMethod, requested_interval};
use super::undefined::Undefined;
use super::variance::VarianceEstimator;
use crate::intervals::{ConfidenceLevel, student_t_quantile};
use serde::{Deserialize, Serialize};

/// How the interval of the share below the quantile is made, which is then turned into one of the quantile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuantileInterval {
    /// Share ± t · SE. As `interval.type = "mean"`, R's default.
    #[default]
    Mean,
    /// On the logit scale. As `interval.type = "xlogit"`.
    Logit,
    /// Korn & Graubard's. As `interval.type = "beta"`.
    Beta,
}

/// A quantile with its interval.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantile {
    /// The smallest observed value at or below which the wanted share of the weights lies. As `qrule = "math"` in R.
    pub point: f64,
    /// Lower end; undefined where the interval of the share goes below 0.
    pub lower: Result<f64, Undefined>,
    /// Upper end; undefined where the interval of the share goes above 1.
    pub upper: Result<f64, Undefined>,
    /// Length of the interval over 2t, as in R.
    pub standard_error: Result<f64, Undefined>,
    /// The quantile as a statistic for differences and contrasts: z = −w·(1(y ≤ q) − F̂(q)) / N̂ · slope, where the slope
    /// is such that the variance of Σ z is the square of the standard error. Undefined where that is.
    pub linearised: Result<Linearised, Undefined>,
}

/// The quantile of y over a domain at `probability`.
///
/// The interval is Woodruff's (1952, *JASA* 47, 635–646): that of the share of the population with a value up to the
/// quantile, its ends turned back into values by the same rule (Francisco & Fuller 1991 discuss alternatives). Student's t
/// has the degrees of freedom of the domain. For a probability below the share of the smallest value R 4.1-1 gives the
/// second smallest; here it is the smallest, as the definition says.
///
/// # Errors
/// [`SurveyError::Fraction`] unless 0 < probability < 1; otherwise as [`super::total`].
pub fn quantile(
    estimator: &VarianceEstimator<'_>,
    values: &Values<'_>,
    domain: &Domain<'_>,
    probability: f64,
    interval: QuantileInterval,
    level: ConfidenceLevel,
) -> Result<Quantile, StatisticError> {
    if !(probability > 0.0 && probability < 1.0) {
        return Err(SurveyError::Fraction {
            quantity: Quantity::QuantileProbability,
            value: probability,
        }
        .into());
    }
    let design = estimator.design;
    let population = population(design, domain)?;
    values.check(design.rows(), domain)?;
    let distribution = Distribution::new(values.values, design.weights(), domain);
    let point = distribution.quantile(probability);
    let below = |row: usize| f64::from(u8::from(values.values[row] <= point));
    let share = distribution.share_up_to(point);
    let share = linearise(design, domain, share, |row| (below(row) - share) / population)?;
    let ends = share_interval(estimator, &share, domain, interval, level);
    let end = |share: f64| {
        if (0.0..=1.0).contains(&share) {
            Ok(distribution.quantile(share))
        } else {
            Err(Undefined::BeyondObservations)
        }
    };
    let lower = ends.and_then(|ends| end(ends.lower));
    let upper = ends.and_then(|ends| end(ends.upper));
    let standard_error = lower
        .and_then(|lower| upper.map(|upper| upper - lower))
        .and_then(|length| ends.map(|ends| length / (2.0 * ends.student_t)))
        .and_then(|error| {
            if error.is_finite() {
                Ok(error)
            } else {
                Err(Undefined::TooLarge)
            }
        });
    let linearised = standard_error.and_then(|standard_error| {
        let of_share = ends?.standard_error;
        let slope = if of_share > 0.0 { standard_error / of_share } else { 0.0 };
        Ok(Linearised {
            point,
            influence: share.influence.iter().map(|value| -value * slope).collect(),
            simple_random: None,
        })
    });
    Ok(Quantile {
        point,
        lower,
        upper,
        standard_error,
        linearised,
    })
}

/// An interval of the share up to the quantile.
#[derive(Debug, Clone, Copy)]
struct ShareInterval {
    lower: f64,
    upper: f64,
    standard_error: f64,
    student_t: f64,
}

fn share_interval(
    estimator: &VarianceEstimator<'_>,
    share: &Linearised,
    domain: &Domain<'_>,
    interval: QuantileInterval,
    level: ConfidenceLevel,
) -> Result<ShareInterval, Undefined> {
    let standard_error = estimator.variance(share)?.sqrt();
    let degrees_of_freedom = estimator.design.degrees_of_freedom(domain);
    if degrees_of_freedom == 0 {
        return Err(Undefined::NoDegreesOfFreedom);
    }
    let student_t =
        student_t_quantile(1.0 - level.tail(), degrees_of_freedom as f64).map_err(|_| Undefined::NoDegreesOfFreedom)?;
    let of_share = |lower: f64, upper: f64| ShareInterval {
        lower,
        upper,
        standard_error,
        student_t,
    };
    if standard_error == 0.0 {
        return if estimator.design.is_census() {
            Ok(of_share(share.point, share.point))
        } else {
            Err(Undefined::NoVariation)
        };
    }
    let method = match interval {
        QuantileInterval::Mean => ProportionMethod::StudentT,
        QuantileInterval::Logit => ProportionMethod::Logit,
        QuantileInterval::Beta => ProportionMethod::KornGraubard,
    };
    let evidence = ProportionEvidence {
        standard_error,
        degrees_of_freedom,
        rows: share.simple_random.map_or(1, |simple| simple.elements),
    };
    let interval = requested_interval(share.point, &evidence, method, level)?;
    Ok(of_share(interval.lower, interval.upper))
}

/// Relative difference below which a sum of weights counts as equal to the share wanted.
const ROUNDING: f64 = 1e-14;

/// The weighted distribution of a variable over a domain.
struct Distribution {
    /// Distinct or repeated values in ascending order.
    values: Vec<f64>,
    /// Σ w up to each of them.
    cumulative: Vec<f64>,
}

impl Distribution {
    fn new(values: &[f64], weights: &[f64], domain: &Domain<'_>) -> Self {
        let rows = weights.iter().zip(values).enumerate();
        let mut pairs: Vec<(f64, f64)> = rows
            .filter(|&(row, (&weight, _))| weight > 0.0 && domain.contains(row))
            .map(|(_, (&weight, &value))| (value, weight))
            .collect();
        // Among equal values by weight, so that sums do not depend on the order of rows.
        pairs.sort_unstable_by(|one, other| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)));
        // What plain addition rounds away is kept beside (Neumaier 1974), so that long sums stay within ROUNDING.
        let (mut sum, mut lost) = (0.0_f64, 0.0);
        let cumulative = pairs.iter().map(|&(_, weight)| {
            let next = sum + weight;
            lost += if sum >= weight {
                (sum - next) + weight
            } else {
                (weight - next) + sum
            };
            sum = next;
            sum + lost
        });
        Distribution {
            cumulative: cumulative.collect(),
            values: pairs.iter().map(|&(value, _)| value).collect(),
        }
    }

    fn whole(&self) -> f64 {
        self.cumulative.last().copied().unwrap_or(0.0)
    }

    /// The smallest value with Σ w up to it at least the share of the whole.
    fn quantile(&self, share: f64) -> f64 {
        // Weights are decimal fractions, so that a sum may miss the share it should meet by rounding alone.
        let wanted = share * self.whole() * (1.0 - ROUNDING);
        let met = self.cumulative.partition_point(|&sum| sum < wanted);
        let last = self.values.len().saturating_sub(1);
        self.values.get(met.min(last)).copied().unwrap_or(0.0)
    }

    fn share_up_to(&self, value: f64) -> f64 {
        let met = self.values.partition_point(|&other| other <= value);
        match met {
            0 => 0.0,
            _ => self.cumulative[met - 1] / self.whole(),
        }
    }
}
