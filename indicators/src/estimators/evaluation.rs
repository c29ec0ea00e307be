//! The steps from a domain's sums to its estimate, shared by single estimates, trees and bounds.

use super::estimate::{Absence, Absences, Estimate};
use super::ratio::{EstimationError, Indicator, Measure, Settings};
use crate::design::{Domain, Sample, SampledPsu};
use crate::intervals::{self, Interval, IntervalMethod, student_t_quantile};
use crate::variance::linearization::{FirstStage, residual_squares, two_stage, weight};
use std::collections::BTreeMap;

/// Evaluates many ratios over one sample, remembering Student's quantile per degrees of freedom.
pub(crate) struct Evaluation<'a> {
    sample: &'a Sample<'a>,
    settings: &'a Settings,
    student_t: BTreeMap<u64, Option<f64>>,
}

/// Sums over the sampled hamlets of a domain, in the fixed order.
#[derive(Default)]
struct Totals {
    households: u64,
    households_with_denominator: u64,
    numerator_observed: f64,
    denominator_observed: f64,
    numerator: f64,
    denominator: f64,
    households_weighted: f64,
    /// Σ w and Σ w² over the households with a denominator.
    weights: f64,
    squared_weights: f64,
}

/// Whether all hamlets of a domain have responses, so that nothing was drawn at the first stage.
pub(crate) fn first_stage_of(domain: &Domain, sampled: &[SampledPsu]) -> FirstStage {
    if domain.population_psus() == Some(sampled.len() as u64) {
        FirstStage::Enumerated
    } else {
        FirstStage::Sampled
    }
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
        let first_stage = first_stage_of(domain, sampled);
        let totals = self.totals(sampled, first_stage);
        let mut estimate = Estimate {
            point: None,
            standard_error: None,
            interval: None,
            design_effect: None,
            degrees_of_freedom: degrees_of_freedom(sampled, totals.households, first_stage),
            psus: sampled.len() as u64,
            households: totals.households,
            households_with_denominator: totals.households_with_denominator,
            numerator_observed: totals.numerator_observed,
            denominator_observed: totals.denominator_observed,
            numerator_total: totals.numerator,
            denominator_total: totals.denominator,
            households_total: totals.households_weighted,
            unrepresented_strata: self.sample.unrepresented_strata(domain),
            absences: Absences::default(),
        };
        let point = match point(&totals) {
            Ok(point) => point,
            Err(absence) => {
                let absence = Some(absence);
                let all = Absences {
                    point: absence,
                    standard_error: absence,
                    interval: absence,
                    design_effect: absence,
                };
                return Estimate {
                    absences: all,
                    ..estimate
                };
            }
        };
        estimate.point = Some(point);
        let variance = match self.variance(sampled, point, &totals, first_stage) {
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
        let is_census =
            first_stage == FirstStage::Enumerated && sampled.iter().all(|psu| psu.households >= psu.frame_households);
        match self.interval(&estimate, &totals, point, standard_error, is_census, measure) {
            Ok(interval) => estimate.interval = Some(interval),
            Err(absence) => estimate.absences.interval = Some(absence),
        }
        let simple = self.simple_random_variance(sampled, point, &totals, first_stage);
        if simple > 0.0 {
            estimate.design_effect = Some(variance / simple);
        } else {
            estimate.absences.design_effect = Some(Absence::NothingToCompare);
        }
        estimate
    }

    fn totals(&self, sampled: &[SampledPsu], first_stage: FirstStage) -> Totals {
        let mut totals = Totals::default();
        for psu in sampled {
            let weight = weight(self.sample, psu, first_stage);
            let with_denominator = psu.sums.households_with_denominator;
            totals.households += psu.households as u64;
            totals.households_with_denominator += with_denominator;
            totals.numerator_observed += psu.sums.numerator;
            totals.denominator_observed += psu.sums.denominator;
            totals.numerator += weight * psu.sums.numerator;
            totals.denominator += weight * psu.sums.denominator;
            totals.households_weighted += weight * psu.households;
            totals.weights += weight * with_denominator as f64;
            totals.squared_weights += weight * weight * with_denominator as f64;
        }
        totals
    }

    /// V(R̂).
    fn variance(
        &self,
        sampled: &[SampledPsu],
        ratio: f64,
        totals: &Totals,
        first_stage: FirstStage,
    ) -> Result<f64, Absence> {
        match (first_stage, sampled) {
            (FirstStage::Sampled, [_]) => return Err(Absence::SinglePsu),
            (FirstStage::Enumerated, [psu]) if psu.households <= 1.0 && psu.frame_households > 1.0 => {
                return Err(Absence::SingleHousehold);
            }
            _ => {}
        }
        let variance = two_stage(self.sample, sampled, ratio, first_stage, self.settings.lonely_psu)
            .map_err(|_| Absence::LonelyPsu)?;
        Ok(variance / totals.denominator / totals.denominator)
    }

    /// V_SRS of [`Estimate::design_effect`].
    fn simple_random_variance(
        &self,
        sampled: &[SampledPsu],
        ratio: f64,
        totals: &Totals,
        first_stage: FirstStage,
    ) -> f64 {
        let (count, weighted) = (totals.households as f64, totals.households_weighted);
        if count <= 1.0 {
            return 0.0;
        }
        let squares: f64 = sampled
            .iter()
            .map(|psu| weight(self.sample, psu, first_stage) * residual_squares(&psu.sums, ratio))
            .sum();
        let element_variance = count / (count - 1.0) * squares / weighted;
        let total_variance = (weighted - count) * weighted / count * element_variance;
        total_variance / totals.denominator / totals.denominator
    }

    fn interval(
        &mut self,
        estimate: &Estimate,
        totals: &Totals,
        point: f64,
        standard_error: f64,
        is_census: bool,
        measure: Measure,
    ) -> Result<Interval, Absence> {
        let level = self.settings.level;
        if is_census {
            return Ok(Interval {
                lower: point,
                upper: point,
                level,
                method: IntervalMethod::Census,
            });
        }
        let degrees_of_freedom = estimate.degrees_of_freedom;
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
        let t = self.student_t(degrees_of_freedom).ok_or(Absence::NoDegreesOfFreedom)?;
        if is_proportion && let Ok(interval) = intervals::logit_t(point, standard_error, t, level) {
            return Ok(interval);
        }
        Ok(intervals::student_t(point, standard_error, t, level))
    }

    /// The two-sided quantile; `None` without degrees of freedom.
    fn student_t(&mut self, degrees_of_freedom: u64) -> Option<f64> {
        let tail = self.settings.level.tail();
        *self
            .student_t
            .entry(degrees_of_freedom)
            .or_insert_with(|| student_t_quantile(1.0 - tail, degrees_of_freedom as f64).ok())
    }
}

fn point(totals: &Totals) -> Result<f64, Absence> {
    if totals.households == 0 {
        Err(Absence::NoResponses)
    } else if totals.denominator > 0.0 {
        Ok(totals.numerator / totals.denominator)
    } else {
        Err(Absence::NoDenominator)
    }
}

fn degrees_of_freedom(sampled: &[SampledPsu], households: u64, first_stage: FirstStage) -> u64 {
    let psus = sampled.len() as u64;
    match first_stage {
        FirstStage::Enumerated => households - psus,
        FirstStage::Sampled => psus - sampled.chunk_by(|one, next| one.stratum == next.stratum).count() as u64,
    }
}
