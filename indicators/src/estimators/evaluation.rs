//! The steps from a domain's sums to its estimate, shared by single estimates, trees, bounds and the live estimates.

use super::estimate::{Absence, Absences, Estimate};
use super::ratio::{EstimationError, Indicator, Measure, Settings};
use super::sampled::SampledHamlets;
use crate::design::{Domain, Sample, SampledPsu};
use crate::intervals::{self, Interval, IntervalMethod, student_t_quantile};
use crate::variance::linearization::{FirstStage, LonelyUnit};
use std::collections::BTreeMap;

/// What is counted of a domain, whatever the indicator.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DomainCounts {
    pub(crate) first_stage: FirstStage,
    /// Hamlets with responses.
    pub(crate) psus: u64,
    /// Strata that they are in.
    pub(crate) strata: u64,
    /// Responding households.
    pub(crate) households: u64,
    /// Hamlets of which some households, but not all, have responded.
    pub(crate) incomplete_psus: u64,
    /// Strata in which the domain lists hamlets and no hamlet at all has responses.
    pub(crate) unrepresented_strata: u64,
}

impl DomainCounts {
    pub(crate) fn degrees_of_freedom(&self) -> u64 {
        match self.first_stage {
            FirstStage::Enumerated => self.households - self.psus,
            FirstStage::Sampled => self.psus - self.strata,
        }
    }

    fn is_census(&self) -> bool {
        self.first_stage == FirstStage::Enumerated && self.incomplete_psus == 0
    }
}

/// Sums of one indicator over the responding households of a domain.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Totals {
    pub(crate) households_with_denominator: u64,
    pub(crate) numerator_observed: f64,
    pub(crate) denominator_observed: f64,
    /// Σ w·y.
    pub(crate) numerator: f64,
    /// Σ w·x.
    pub(crate) denominator: f64,
    /// Σ w.
    pub(crate) households: f64,
    /// Σ w and Σ w² over the households with a denominator.
    pub(crate) weights: f64,
    pub(crate) squared_weights: f64,
}

/// What an estimate rests on.
pub(crate) trait DomainSums {
    fn counts(&self) -> DomainCounts;

    fn totals(&self) -> Totals;

    /// Variance of Σ w·e with e = y − R·x.
    fn residual_variance(&self, ratio: f64) -> Result<f64, LonelyUnit>;

    /// Σ w·e².
    fn residual_squares(&self, ratio: f64) -> f64;
}

/// The two-sided quantile of Student's t; `None` without degrees of freedom.
pub(crate) fn two_sided_t(settings: &Settings, degrees_of_freedom: u64) -> Option<f64> {
    student_t_quantile(1.0 - settings.level.tail(), degrees_of_freedom as f64).ok()
}

/// Evaluates many ratios over one sample, remembering Student's quantile per degrees of freedom.
pub(crate) struct Evaluation<'a> {
    sample: &'a Sample<'a>,
    settings: &'a Settings,
    student_t: BTreeMap<u64, Option<f64>>,
}

impl<'a> Evaluation<'a> {
    pub(crate) fn new(sample: &'a Sample<'a>, settings: &'a Settings) -> Self {
        Evaluation {
            sample,
            settings,
            student_t: BTreeMap::new(),
        }
    }

    /// The estimate of one indicator for one domain.
    pub(crate) fn ratio(&mut self, domain: &Domain, indicator: Indicator) -> Result<Estimate, EstimationError> {
        let sampled = self.sampled(domain, indicator)?;
        Ok(self.estimate(domain, &sampled, indicator.measure))
    }

    /// The sampled hamlets of a domain with the sums of one indicator.
    pub(crate) fn sampled(&self, domain: &Domain, indicator: Indicator) -> Result<Vec<SampledPsu>, EstimationError> {
        let (index, indicators) = (indicator.index, self.sample.indicators());
        if index >= indicators {
            return Err(EstimationError::UnknownIndicator {
                indicator: index,
                indicators,
            });
        }
        self.sample.sampled(domain, index).ok_or(EstimationError::ForeignDomain)
    }

    /// The estimate from the sampled hamlets of a domain.
    pub(crate) fn estimate(&mut self, domain: &Domain, sampled: &[SampledPsu], measure: Measure) -> Estimate {
        let (settings, known) = (self.settings, &mut self.student_t);
        let hamlets = SampledHamlets::new(self.sample, domain, sampled, settings.lonely_psu);
        let student_t = |freedom| *known.entry(freedom).or_insert_with(|| two_sided_t(settings, freedom));
        estimate(&hamlets, measure, settings, student_t)
    }
}

/// The estimate of a domain from its sums, with a function that gives the two-sided quantile of Student's t.
pub(crate) fn estimate(
    sums: &impl DomainSums,
    measure: Measure,
    settings: &Settings,
    student_t: impl FnOnce(u64) -> Option<f64>,
) -> Estimate {
    let (counts, totals) = (sums.counts(), sums.totals());
    let mut estimate = Estimate {
        point: None,
        standard_error: None,
        interval: None,
        design_effect: None,
        degrees_of_freedom: counts.degrees_of_freedom(),
        psus: counts.psus,
        households: counts.households,
        households_with_denominator: totals.households_with_denominator,
        numerator_observed: totals.numerator_observed,
        denominator_observed: totals.denominator_observed,
        numerator_total: totals.numerator,
        denominator_total: totals.denominator,
        households_total: totals.households,
        unrepresented_strata: counts.unrepresented_strata,
        absences: Absences::default(),
    };
    let point = match point(&counts, &totals) {
        Ok(point) => point,
        Err(absence) => {
            let absence = Some(absence);
            estimate.absences = Absences {
                point: absence,
                standard_error: absence,
                interval: absence,
                design_effect: absence,
            };
            return estimate;
        }
    };
    estimate.point = Some(point);
    let variance = match variance(sums, &counts, &totals, point) {
        Ok(variance) => variance,
        Err(absence) => {
            let absence = Some(absence);
            estimate.absences = Absences {
                point: None,
                standard_error: absence,
                interval: absence,
                design_effect: absence,
            };
            return estimate;
        }
    };
    let standard_error = variance.sqrt();
    estimate.standard_error = Some(standard_error);
    let evidence = Evidence {
        counts: &counts,
        totals: &totals,
        point,
        standard_error,
    };
    match evidence.interval(measure, settings, student_t) {
        Ok(interval) => estimate.interval = Some(interval),
        Err(absence) => estimate.absences.interval = Some(absence),
    }
    let simple = simple_random_variance(sums, &counts, &totals, point);
    if simple > 0.0 {
        estimate.design_effect = Some(variance / simple);
    } else {
        estimate.absences.design_effect = Some(Absence::NothingToCompare);
    }
    estimate
}

fn point(counts: &DomainCounts, totals: &Totals) -> Result<f64, Absence> {
    if counts.households == 0 {
        Err(Absence::NoResponses)
    } else if totals.denominator > 0.0 {
        Ok(totals.numerator / totals.denominator)
    } else {
        Err(Absence::NoDenominator)
    }
}

/// V(R̂).
fn variance(sums: &impl DomainSums, counts: &DomainCounts, totals: &Totals, ratio: f64) -> Result<f64, Absence> {
    match counts.first_stage {
        FirstStage::Sampled if counts.psus == 1 => return Err(Absence::SinglePsu),
        FirstStage::Enumerated if counts.psus == 1 && counts.households == 1 && counts.incomplete_psus == 1 => {
            return Err(Absence::SingleHousehold);
        }
        _ => {}
    }
    let variance = sums.residual_variance(ratio).map_err(|_| Absence::LonelyPsu)?;
    Ok(variance / totals.denominator / totals.denominator)
}

/// V_SRS of [`Estimate::design_effect`].
fn simple_random_variance(sums: &impl DomainSums, counts: &DomainCounts, totals: &Totals, ratio: f64) -> f64 {
    let (count, weighted) = (counts.households as f64, totals.households);
    if count <= 1.0 {
        return 0.0;
    }
    let element_variance = count / (count - 1.0) * sums.residual_squares(ratio) / weighted;
    let total_variance = (weighted - count) * weighted / count * element_variance;
    total_variance / totals.denominator / totals.denominator
}

/// What an interval is made from.
struct Evidence<'a> {
    counts: &'a DomainCounts,
    totals: &'a Totals,
    point: f64,
    standard_error: f64,
}

impl Evidence<'_> {
    fn interval(
        &self,
        measure: Measure,
        settings: &Settings,
        student_t: impl FnOnce(u64) -> Option<f64>,
    ) -> Result<Interval, Absence> {
        let Evidence {
            counts,
            totals,
            point,
            standard_error,
        } = *self;
        let level = settings.level;
        if counts.is_census() {
            return Ok(Interval {
                lower: point,
                upper: point,
                level,
                method: IntervalMethod::Census,
            });
        }
        let degrees_of_freedom = counts.degrees_of_freedom();
        let is_proportion = measure == Measure::Proportion && (0.0..=1.0).contains(&point);
        if standard_error == 0.0 {
            if !is_proportion {
                return Err(Absence::NoVariation);
            }
            return intervals::effective_households(
                totals.households_with_denominator,
                totals.weights,
                totals.squared_weights,
                degrees_of_freedom,
                level,
            )
            .and_then(|households| intervals::clopper_pearson(point, households, level).ok())
            .ok_or(Absence::NoDegreesOfFreedom);
        }
        let t = student_t(degrees_of_freedom).ok_or(Absence::NoDegreesOfFreedom)?;
        if is_proportion && let Ok(interval) = intervals::logit_t(point, standard_error, t, level) {
            return Ok(interval);
        }
        Ok(intervals::student_t(point, standard_error, t, level))
    }
}
