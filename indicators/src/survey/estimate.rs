//! A statistic with everything an interface shows of it.

use super::design::{SmallestClusters, SurveyDesign};
use super::domain::Domain;
use super::estimators::{Linearised, SimpleRandom};
use super::intervals::{IntervalChoice, IntervalReason, ProportionMethod, census, proportion_interval};
use super::undefined::Undefined;
use super::variance::VarianceEstimator;
use crate::intervals::{self, ConfidenceLevel, Interval, student_t_quantile};
use serde::Serialize;

/// How a statistic is to be estimated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EstimateSettings {
    /// Confidence level of the interval.
    pub level: ConfidenceLevel,
    /// Whether the statistic is a proportion, which lies between 0 and 1 and has intervals of its own.
    pub is_proportion: bool,
    /// The interval wanted for a proportion; `None` takes the one that suits.
    pub method: Option<ProportionMethod>,
}

/// A statistic with its uncertainty and what it rests on. Nothing in it is ever NaN or infinite.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SurveyEstimate {
    /// The point.
    pub point: Option<f64>,
    /// Standard error; exactly 0 for a census.
    pub standard_error: Option<f64>,
    /// Confidence interval.
    pub interval: Option<Interval>,
    /// How the interval was chosen.
    pub choice: Option<IntervalChoice>,
    /// Variance over that of a simple random sample without replacement of as many elements. As `deff = TRUE` in R.
    pub design_effect: Option<f64>,
    /// The same against a sample with replacement. As `deff = "replace"` in R.
    pub design_effect_with_replacement: Option<f64>,
    /// First-stage units minus strata of the domain.
    pub degrees_of_freedom: u64,
    /// Rows of positive weight in the domain.
    pub rows: u64,
    /// Σ w over them: the elements of the population that they stand for.
    pub population: f64,
    /// Why parts are absent.
    pub absences: EstimateAbsences,
}

/// For each optional part of a [`SurveyEstimate`], why it is absent; `None` where it is present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct EstimateAbsences {
    /// Of the point.
    pub point: Option<Undefined>,
    /// Of the standard error.
    pub standard_error: Option<Undefined>,
    /// Of the interval.
    pub interval: Option<Undefined>,
    /// Of both design effects.
    pub design_effect: Option<Undefined>,
}

/// The estimate of a statistic over a domain: of a combination, the union of the domains it combines; of a ratio, best the
/// rows that have a denominator, since all rows of the domain count as observed.
///
/// Where the variance comes out as zero although not everything was observed, a proportion has Korn & Graubard's interval
/// with Kish's effective number of the smallest sampled clusters in the domain (of rows, where these were drawn one by
/// one), as [`intervals::effective_households`] says; any other statistic has none. A mean or ratio over a domain that lies
/// in one first-stage unit of several has no standard error ([`Undefined::SingleUnitInDomain`]), where R gives zero.
pub fn estimate(
    estimator: &VarianceEstimator<'_>,
    statistic: Result<&Linearised, Undefined>,
    domain: &Domain<'_>,
    settings: &EstimateSettings,
) -> SurveyEstimate {
    let reach = estimator.design.reach(domain);
    let parts = statistic.map(|statistic| {
        let influence = &statistic.influence;
        let (sum, size) = (influence.iter()).fold((0.0, 0.0), |(sum, size), value| (sum + value, size + value.abs()));
        if reach.is_single_unit() && adds_up_to_nothing(sum, size) {
            (statistic, Err(Undefined::SingleUnitInDomain))
        } else {
            (statistic, estimator.variance(statistic))
        }
    });
    estimate_with_variance(estimator.design, parts, reach.degrees_of_freedom(), domain, settings)
}

/// The same with a variance that another way has given, such as [`crate::replicates`], and its degrees of freedom.
pub fn estimate_with_variance(
    design: &SurveyDesign,
    statistic: Result<(&Linearised, Result<f64, Undefined>), Undefined>,
    degrees_of_freedom: u64,
    domain: &Domain<'_>,
    settings: &EstimateSettings,
) -> SurveyEstimate {
    let weights = design.weights().iter().enumerate();
    let (rows, population) = weights
        .filter(|&(row, &weight)| weight > 0.0 && domain.contains(row))
        .fold((0, 0.0), |(rows, sum), (_, weight)| (rows + 1, sum + weight));
    let mut estimate = SurveyEstimate {
        point: None,
        standard_error: None,
        interval: None,
        choice: None,
        design_effect: None,
        design_effect_with_replacement: None,
        degrees_of_freedom,
        rows,
        population,
        absences: EstimateAbsences::default(),
    };
    match statistic {
        Err(reason) => estimate.absent(reason, true),
        Ok((statistic, Err(reason))) => {
            estimate.point = Some(statistic.point);
            estimate.absent(reason, false);
        }
        Ok((statistic, Ok(variance))) => {
            estimate.point = Some(statistic.point);
            let smallest_clusters = || {
                let domain_of = |row| domain.contains(row).then_some(0);
                design
                    .smallest_clusters(1, domain_of)
                    .first()
                    .copied()
                    .unwrap_or_default()
            };
            estimate.complete(variance, design.is_census(), smallest_clusters, settings);
            estimate.compare(variance, statistic.simple_random);
        }
    }
    estimate
}

/// Whether linearised values are those of a ratio, whose sum over the domain is zero but for rounding: from Σ z and Σ |z|.
pub(super) fn adds_up_to_nothing(sum: f64, size: f64) -> bool {
    sum.abs() <= 1e-9 * size
}

impl SurveyEstimate {
    pub(super) fn absent(&mut self, reason: Undefined, point_too: bool) {
        self.absences = EstimateAbsences {
            point: point_too.then_some(reason),
            standard_error: Some(reason),
            interval: Some(reason),
            design_effect: Some(reason),
        };
    }

    /// Standard error and interval.
    pub(super) fn complete(
        &mut self,
        variance: f64,
        is_census: bool,
        smallest_clusters: impl FnOnce() -> SmallestClusters,
        settings: &EstimateSettings,
    ) {
        let Some(point) = self.point else { return };
        let standard_error = variance.sqrt();
        self.standard_error = Some(standard_error);
        let interval = if is_census {
            let choice = settings.is_proportion.then_some(IntervalChoice {
                method: settings.method.unwrap_or(ProportionMethod::Logit),
                reason: IntervalReason::Enumerated,
            });
            Ok((census(point, settings.level), choice))
        } else if settings.is_proportion && (0.0..=1.0).contains(&point) {
            if standard_error == 0.0 {
                self.degenerate(point, smallest_clusters(), settings.level)
            } else {
                proportion_interval(
                    point,
                    standard_error,
                    self.degrees_of_freedom,
                    self.rows,
                    settings.method,
                    settings.level,
                )
                .map(|(interval, choice)| (interval, Some(choice)))
            }
        } else {
            self.plain(point, standard_error, settings)
        };
        match interval {
            Ok((interval, choice)) => {
                self.interval = Some(interval);
                self.choice = choice;
            }
            Err(reason) => self.absences.interval = Some(reason),
        }
    }

    /// The interval of a proportion whose estimated variance is zero.
    fn degenerate(
        &self,
        point: f64,
        clusters: SmallestClusters,
        level: ConfidenceLevel,
    ) -> Result<(Interval, Option<IntervalChoice>), Undefined> {
        let effective = intervals::effective_households(
            clusters.number,
            clusters.weights,
            clusters.squared_weights,
            self.degrees_of_freedom,
            level,
        )
        .ok_or(Undefined::NoDegreesOfFreedom)?;
        let interval =
            intervals::clopper_pearson(point, effective, level).map_err(|_| Undefined::NoDegreesOfFreedom)?;
        let choice = IntervalChoice {
            method: ProportionMethod::KornGraubard,
            reason: IntervalReason::NothingVaries,
        };
        Ok((interval, Some(choice)))
    }

    fn plain(
        &self,
        point: f64,
        standard_error: f64,
        settings: &EstimateSettings,
    ) -> Result<(Interval, Option<IntervalChoice>), Undefined> {
        if standard_error == 0.0 {
            return Err(Undefined::NoVariation);
        }
        let t = student_t_quantile(1.0 - settings.level.tail(), self.degrees_of_freedom as f64)
            .map_err(|_| Undefined::NoDegreesOfFreedom)?;
        let interval = intervals::student_t(point, standard_error, t, settings.level);
        if !(interval.lower.is_finite() && interval.upper.is_finite()) {
            return Err(Undefined::TooLarge);
        }
        let choice = settings.is_proportion.then_some(IntervalChoice {
            method: ProportionMethod::StudentT,
            reason: IntervalReason::NotAProportion,
        });
        Ok((interval, choice))
    }

    /// Design effects.
    pub(super) fn compare(&mut self, variance: f64, simple_random: Option<SimpleRandom>) {
        let Some(simple) = simple_random else {
            self.absences.design_effect = Some(if self.rows > 1 {
                Undefined::Combined
            } else {
                Undefined::NothingToCompare
            });
            return;
        };
        let effect = |simple: f64| Some(variance / simple).filter(|effect| effect.is_finite());
        self.design_effect = simple.variance_without_replacement().and_then(effect);
        self.design_effect_with_replacement = effect(simple.variance_with_replacement());
        if self.design_effect.is_none() {
            self.absences.design_effect = Some(Undefined::NothingToCompare);
        }
    }
}
