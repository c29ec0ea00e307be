//! Estimates of every indicator in every domain.

use std::cell::RefCell;
use std::convert::Infallible;

use indicators::decision::{Operator, Target, decide_by_intervals};
use indicators::intervals::{Interval, IntervalMethod};
use indicators::replicates::{Replicates, VarianceError};
use indicators::survey::{
    Domain, EstimateAbsences, EstimateSettings, Partition, PartitionRatio, ProportionMethod, Quantile,
    QuantileInterval, StagesUsed, StatisticError, SurveyDesign, SurveyEstimate, Undefined, Values, VarianceEstimator,
    estimate_with_variance, mean, partition_ratios, partition_totals, quantile, ratio, total,
};
use indicators::weights::{Calibrated, ResidualAdjustment, WeightSummary};

use super::Fault;
use super::design::{Design, Missing, VarianceStages};
use super::grouping::Grouping;
use super::hot_deck::{self, Filling};
use super::publication::Publication;
use super::registry::{Indicator, Kind};
use super::report::{
    CalibrationView, EstimateView, ImputationView, MissingView, ReplicatesView, Report, SampleView, TargetView,
    WeightsView,
};
use super::variables::Variables;
use crate::cli::Failure;
use crate::cli::microdata::Data;
use crate::registry::operator_sign;

/// Statistics of one call to the replicates at most; their covariance grows with the square.
const STATISTICS_AT_ONCE: usize = 500;

/// A sample ready to estimate from.
pub(super) struct Sample<'a> {
    pub(super) design: &'a Design,
    /// With calibrated weights, if there are.
    pub(super) survey: &'a SurveyDesign,
    pub(super) calibrated: Option<&'a Calibrated<'a>>,
    pub(super) replicates: Option<&'a Replicates>,
}

/// What a design may ask for beside estimates from the rows as they are.
pub(super) struct Further {
    pub(super) publication: Option<Publication>,
    pub(super) filling: Option<Filling>,
}

/// Estimates every indicator in every domain.
///
/// # Errors
/// A [`Fault`]: cells that are no numbers, or missing where that is to be refused; replicates that cannot be used.
pub(super) fn estimate_all(
    sample: &Sample<'_>,
    data: &Data,
    registry: &[Indicator],
    groupings: &[Grouping],
    further: &Further,
) -> Result<Report, Fault> {
    let mut estimates = Vec::new();
    for indicator in registry {
        let refuse = sample.design.entries.missing == Missing::Refuse;
        let variables = Variables::read(indicator, data, sample.survey.weights(), refuse).map_err(Fault::Data)?;
        let filled = match &further.filling {
            Some(filling) => filling.fill(indicator, &variables, data)?,
            None => None,
        };
        for grouping in groupings {
            let in_domains = match &filled {
                Some(filled) => sample.estimate_filled(indicator, filled, grouping)?,
                None => {
                    let codes = variables.codes_of(&grouping.codes);
                    let estimates = sample.estimate(indicator, &variables, &codes, grouping.labels.len())?;
                    estimates.into_iter().map(|estimate| (estimate, None)).collect()
                }
            };
            let missing = missing(sample.survey.weights(), &variables, grouping);
            let respondents = match &further.publication {
                Some(rules) => rules.respondents(&variables, sample.survey.weights(), grouping),
                None => in_domains.iter().map(|(estimate, _)| estimate.rows).collect(),
            };
            let domains = grouping.labels.iter().zip(in_domains).zip(missing).zip(respondents);
            for (((labels, (estimate, imputation)), missing), respondents) in domains {
                estimates.push(EstimateView {
                    code: indicator.code.clone(),
                    name: indicator.name.clone(),
                    kind: indicator.kind,
                    domain: grouping.columns.iter().cloned().zip(labels.iter().cloned()).collect(),
                    target: indicator.target.map(|target| target_view(&target, estimate.interval)),
                    estimate,
                    respondents,
                    missing,
                    imputation,
                    modelled: None,
                    withheld: None,
                });
            }
        }
    }
    Ok(Report {
        sample: sample.view(),
        estimates,
        models: Vec::new(),
    })
}

fn target_view(target: &Target, interval: Option<Interval>) -> TargetView {
    let operator: Operator = target.operator();
    TargetView {
        operator: operator_sign(operator),
        percent: target.percent(),
        decision: decide_by_intervals(target, [interval]),
    }
}

/// What each domain lacks.
fn missing(weights: &[f64], variables: &Variables, grouping: &Grouping) -> Vec<MissingView> {
    #[derive(Clone, Default)]
    struct Sums {
        rows: u64,
        missing: u64,
        weights: f64,
        missing_weights: f64,
    }
    let mut sums = vec![Sums::default(); grouping.labels.len()];
    for (row, (&code, &weight)) in grouping.codes.iter().zip(weights).enumerate() {
        let (complete, missing) = (variables.complete[row], variables.missing[row]);
        if weight > 0.0
            && (complete || missing)
            && let Some(sums) = sums.get_mut(code as usize)
        {
            sums.rows += 1;
            sums.weights += weight;
            if missing {
                sums.missing += 1;
                sums.missing_weights += weight;
            }
        }
    }
    let view = |sums: Sums| match sums.rows {
        0 => MissingView::default(),
        rows => MissingView {
            rows: sums.missing,
            share: sums.missing as f64 / rows as f64,
            weighted_share: sums.missing_weights / sums.weights,
        },
    };
    sums.into_iter().map(view).collect()
}

impl Sample<'_> {
    fn view(&self) -> SampleView {
        SampleView {
            rows: self.survey.rows(),
            first_stage_units: self.survey.first_stage_units(),
            first_stage_strata: self.survey.first_stage_strata(),
            confidence: self.design.level.fraction(),
            weights: WeightSummary::of(self.survey.weights()).map(|summary| WeightsView {
                sum: summary.total,
                smallest: summary.smallest,
                largest: summary.largest,
                design_effect: summary.design_effect,
            }),
            calibration: self.calibrated.map(|calibrated| CalibrationView {
                iterations: calibrated.diagnosis.iterations,
                smallest_adjustment: calibrated.diagnosis.smallest_adjustment,
                largest_adjustment: calibrated.diagnosis.largest_adjustment,
                largest_deviation: calibrated.diagnosis.largest_deviation.relative,
            }),
            replicates: self.replicates.map(|replicates| ReplicatesView {
                count: replicates.count(),
                degrees_of_freedom: replicates.degrees_of_freedom(),
            }),
        }
    }

    fn estimator(&self) -> VarianceEstimator<'_> {
        VarianceEstimator {
            adjustment: self
                .calibrated
                .map(|calibrated| &calibrated.residuals as &dyn ResidualAdjustment),
            stages: match self.design.entries.variance_stages {
                VarianceStages::All => StagesUsed::All,
                VarianceStages::First => StagesUsed::First,
            },
            ..VarianceEstimator::new(self.survey)
        }
    }

    /// One estimate for each domain of a grouping from variables whose gaps were filled several times.
    fn estimate_filled(
        &self,
        indicator: &Indicator,
        filled: &[Variables],
        grouping: &Grouping,
    ) -> Result<Vec<(SurveyEstimate, Option<ImputationView>)>, Fault> {
        let domains = grouping.labels.len();
        let each = filled.iter().map(|variables| {
            let codes = variables.codes_of(&grouping.codes);
            self.estimate(indicator, variables, &codes, domains)
        });
        let each: Vec<Vec<SurveyEstimate>> = each.collect::<Result<_, _>>()?;
        let is_logit =
            indicator.kind == Kind::Proportion && self.design.entries.interval != Some(ProportionMethod::StudentT);
        let of_domain = |domain: usize| {
            let estimates: Vec<&SurveyEstimate> = each.iter().filter_map(|estimates| estimates.get(domain)).collect();
            hot_deck::combined(&estimates, is_logit, self.design.level)
        };
        (0..domains).map(of_domain).collect()
    }

    /// One estimate for each domain.
    fn estimate(
        &self,
        indicator: &Indicator,
        variables: &Variables,
        codes: &[u32],
        domains: usize,
    ) -> Result<Vec<SurveyEstimate>, Fault> {
        let is_proportion = indicator.kind == Kind::Proportion;
        let settings = EstimateSettings {
            level: self.design.level,
            is_proportion,
            method: self.design.entries.interval.filter(|_| is_proportion),
        };
        let numerator = Values::new(&indicator.code, &variables.numerator);
        let denominator = Values::new(&indicator.code, &variables.denominator);
        let of_domain = |domain: &Domain<'_>| match indicator.kind {
            Kind::Total => total(self.survey, &numerator, domain),
            Kind::Mean => mean(self.survey, &numerator, domain),
            _ => ratio(self.survey, &numerator, &denominator, domain),
        };
        let every = |of: &dyn Fn(&Domain<'_>, usize) -> Result<SurveyEstimate, Fault>| {
            let domain = |code: usize| Domain::Category {
                codes,
                code: code as u32,
            };
            (0..domains).map(|code| of(&domain(code), code)).collect()
        };
        match (indicator.kind, self.replicates) {
            (Kind::Quantile, Some(_)) => Err(Fault::Other(Failure::new(
                format!(
                    "{}: quantile không tính được với trọng số lặp; hãy bỏ [replicates]",
                    indicator.code
                ),
                format!(
                    "{}: a quantile cannot be had with replicate weights; leave [replicates] out",
                    indicator.code
                ),
            ))),
            (Kind::Quantile, None) => every(&|domain, _| {
                let interval = self.design.entries.quantile_interval;
                let found = quantile(
                    &self.estimator(),
                    &numerator,
                    domain,
                    indicator.probability,
                    interval,
                    self.design.level,
                );
                Ok(self.quantile_estimate(undefined(found)?, domain, interval))
            }),
            (_, Some(replicates)) => {
                let variances = replicate_variances(replicates, indicator.kind, variables, codes, domains)?;
                every(&|domain, code| {
                    let statistic = undefined(of_domain(domain))?;
                    let degrees = replicates.degrees_of_freedom() as u64;
                    Ok(estimate_with_variance(
                        self.survey,
                        statistic
                            .as_ref()
                            .map_err(|reason| *reason)
                            .map(|statistic| (statistic, variances[code])),
                        degrees.min(self.survey.degrees_of_freedom(domain)),
                        domain,
                        &settings,
                    ))
                })
            }
            (kind, None) => {
                let partition = Partition::new(self.survey, codes, domains).map_err(other)?;
                if kind == Kind::Total {
                    return partition_totals(&self.estimator(), &partition, &numerator, &settings).map_err(other);
                }
                let of = PartitionRatio { numerator, denominator };
                partition_ratios(&self.estimator(), &partition, &of, &settings).map_err(other)
            }
        }
    }

    /// A quantile with its Woodruff interval in the form of other estimates.
    fn quantile_estimate(
        &self,
        quantile: Result<Quantile, Undefined>,
        domain: &Domain<'_>,
        interval: QuantileInterval,
    ) -> SurveyEstimate {
        let weights = self.survey.weights().iter().enumerate();
        let (rows, population) = weights
            .filter(|&(row, &weight)| weight > 0.0 && domain.contains(row))
            .fold((0, 0.0), |(rows, sum), (_, weight)| (rows + 1, sum + weight));
        let part =
            |of: &dyn Fn(&Quantile) -> Result<f64, Undefined>| quantile.as_ref().map_err(|reason| *reason).and_then(of);
        let point = part(&|quantile| Ok(quantile.point));
        let (lower, upper) = (part(&|quantile| quantile.lower), part(&|quantile| quantile.upper));
        let standard_error = part(&|quantile| quantile.standard_error);
        let ends = lower.and_then(|lower| upper.map(|upper| (lower, upper)));
        SurveyEstimate {
            point: point.ok(),
            standard_error: standard_error.ok(),
            interval: ends.ok().map(|(lower, upper)| Interval {
                lower,
                upper,
                level: self.design.level,
                method: match interval {
                    QuantileInterval::Mean => IntervalMethod::StudentT,
                    QuantileInterval::Logit => IntervalMethod::Logit,
                    QuantileInterval::Beta => IntervalMethod::ClopperPearson,
                },
            }),
            choice: None,
            design_effect: None,
            design_effect_with_replacement: None,
            degrees_of_freedom: self.survey.degrees_of_freedom(domain),
            rows,
            population,
            absences: EstimateAbsences {
                point: point.err(),
                standard_error: standard_error.err(),
                interval: ends.err(),
                design_effect: Some(point.err().unwrap_or(Undefined::QuantileWithoutDesignEffect)),
            },
        }
    }
}

/// A statistic that is undefined is an estimate without a point; wrong columns are a fault.
fn undefined<T>(statistic: Result<T, StatisticError>) -> Result<Result<T, Undefined>, Fault> {
    match statistic {
        Ok(statistic) => Ok(Ok(statistic)),
        Err(StatisticError::Undefined(reason)) => Ok(Err(reason)),
        Err(StatisticError::Columns(error)) => Err(other(error)),
    }
}

fn other(error: indicators::survey::SurveyError) -> Fault {
    Fault::Other(Failure::new(error.vietnamese(), error.to_string()))
}

/// The variance of an indicator in each domain, from replicates.
fn replicate_variances(
    replicates: &Replicates,
    kind: Kind,
    variables: &Variables,
    codes: &[u32],
    domains: usize,
) -> Result<Vec<Result<f64, Undefined>>, Fault> {
    let mut variances = Vec::with_capacity(domains);
    for first in (0..domains).step_by(STATISTICS_AT_ONCE) {
        let count = STATISTICS_AT_ONCE.min(domains - first);
        // Where some replicate leaves nothing of a domain, the others say too little.
        let empty = RefCell::new(vec![false; count]);
        let statistics = |weights: &[f64]| -> Result<Vec<f64>, Infallible> {
            let mut sums = vec![(0.0, 0.0); count];
            for (row, (&code, weight)) in codes.iter().zip(weights).enumerate() {
                if let Some((y, x)) = (code as usize).checked_sub(first).and_then(|place| sums.get_mut(place)) {
                    *y += weight * variables.numerator[row];
                    *x += weight * variables.denominator[row];
                }
            }
            let mut empty = empty.borrow_mut();
            let values = sums.into_iter().zip(empty.iter_mut()).map(|((y, x), empty)| {
                let value = if kind == Kind::Total { y } else { y / x };
                *empty |= !value.is_finite();
                if value.is_finite() { value } else { 0.0 }
            });
            Ok(values.collect())
        };
        let found = replicates.variance_of(statistics).map_err(|error| match error {
            VarianceError::Replicates(error) => Fault::Other(Failure::new(error.vietnamese(), error.to_string())),
            VarianceError::Estimator { source, .. } => match source {},
        })?;
        for (place, empty) in empty.into_inner().into_iter().enumerate() {
            variances.push(if empty {
                Err(Undefined::EmptyInReplicate)
            } else {
                Ok(found.covariance.get(place, place).max(0.0))
            });
        }
    }
    Ok(variances)
}
