//! The result of estimating one indicator for one domain.

use crate::intervals::Interval;
use serde::{Deserialize, Serialize};

/// Why a part of an estimate is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Absence {
    /// No household of the domain has responded.
    NoResponses,
    /// No responding household has a denominator, so that the ratio is 0/0.
    NoDenominator,
    /// One hamlet of the domain has responses and the domain has, or may have, more hamlets: how they differ is unknown.
    SinglePsu,
    /// One household of the domain has responded, of several: how they differ is unknown.
    SingleHousehold,
    /// A stratum or hamlet has one sampled unit of several, and the policy is [`crate::variance::LonelyPsu::Fail`].
    LonelyPsu,
    /// There are no more sampled hamlets than strata (or households than hamlets), so that the standard error itself has
    /// no known precision.
    NoDegreesOfFreedom,
    /// All households observed are alike and the indicator is not a proportion, so that nothing bounds the others.
    NoVariation,
    /// The variance of a simple random sample is zero (full enumeration, or all households alike): there is nothing to
    /// compare with.
    NothingToCompare,
}

/// For each optional part of an [`Estimate`], why it is absent; `None` where it is present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Absences {
    /// Of [`Estimate::point`].
    pub point: Option<Absence>,
    /// Of [`Estimate::standard_error`].
    pub standard_error: Option<Absence>,
    /// Of [`Estimate::interval`].
    pub interval: Option<Absence>,
    /// Of [`Estimate::design_effect`].
    pub design_effect: Option<Absence>,
}

/// An estimate of R = Σ w·y / Σ w·x for one domain, with its uncertainty and what it rests on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    /// R̂, in the ratio's own unit: a proportion is from 0 to 1, not in percent.
    pub point: Option<f64>,
    /// Standard error of R̂ by Taylor linearisation; exactly 0 for full enumeration.
    pub standard_error: Option<f64>,
    /// Confidence interval of R.
    pub interval: Option<Interval>,
    /// V(R̂) / V_SRS, where V_SRS = (1 − n/N̂) · s² · N̂² / (n · X̂²) is the variance under simple random sampling without
    /// replacement of the same number n of households; N̂ = Σ w and s² = n/(n − 1) · Σ w·(y − R̂x)² / N̂. As
    /// `svyratio(deff = TRUE)` in R.
    pub design_effect: Option<f64>,
    /// Sampled hamlets minus strata that they are in; where all hamlets of the domain were taken, responding households
    /// minus hamlets. As `degf` in R for the respective design.
    pub degrees_of_freedom: u64,
    /// Sampled hamlets (with at least one response) of the domain.
    pub psus: u64,
    /// Responding households of the domain.
    pub households: u64,
    /// Responding households with x > 0.
    pub households_with_denominator: u64,
    /// Σ y over the responding households, unweighted.
    pub numerator_observed: f64,
    /// Σ x over the responding households, unweighted: for indicators of persons, the number of persons.
    pub denominator_observed: f64,
    /// Σ w·y.
    pub numerator_total: f64,
    /// Σ w·x.
    pub denominator_total: f64,
    /// Σ w: the number of households that the sample stands for.
    pub households_total: f64,
    /// Strata in which the domain lists hamlets and none at all has responses: the estimate says nothing of them.
    pub unrepresented_strata: u64,
    /// Why parts are absent.
    pub absences: Absences,
}
