//! Ratios and totals for many domains that divide the rows, in one pass.

use super::column::Values;
use super::design::{Reach, SurveyDesign, check_length};
use super::domain::Domain;
use super::error::{Column, SurveyError};
use super::estimate::{EstimateSettings, SurveyEstimate, adds_up_to_nothing};
use super::estimators::{SimpleRandom, ratio, total};
use super::undefined::Undefined;
use super::variance::{DomainRegression, EntrySink, VarianceEstimator, variances_of_domains};
use crate::variance::linearization::residual;
use std::cell::OnceCell;

/// Domains that do not overlap, such as communes: each row has the number of its domain.
///
/// Holds what does not depend on the indicator, so make it once for many. 4 bytes per row are the caller's.
#[derive(Debug, Clone)]
pub struct Partition<'a> {
    codes: &'a [u32],
    domains: usize,
    reaches: Vec<Reach>,
}

impl<'a> Partition<'a> {
    /// Of all rows no domain.
    pub const NONE: u32 = u32::MAX;

    /// Takes one domain's number per row, from 0; [`Partition::NONE`] for rows in none.
    ///
    /// # Errors
    /// [`SurveyError::Length`], [`SurveyError::UnknownDomain`].
    pub fn new(design: &SurveyDesign, codes: &'a [u32], domains: usize) -> Result<Self, SurveyError> {
        check_length(codes.len(), design.rows(), || Column::Domain)?;
        let unknown = |&code: &u32| code as usize >= domains && code != Partition::NONE;
        if let Some(row) = codes.iter().position(unknown) {
            return Err(SurveyError::UnknownDomain {
                row,
                code: codes[row],
                domains,
            });
        }
        Ok(Partition {
            codes,
            domains,
            reaches: design.reaches(domains, |row| Some(codes[row] as usize).filter(|&code| code < domains)),
        })
    }

    /// Number of domains.
    pub fn domains(&self) -> usize {
        self.domains
    }
}

/// The ratio to estimate for each domain.
#[derive(Debug, Clone, Copy)]
pub struct PartitionRatio<'a> {
    /// y.
    pub numerator: Values<'a>,
    /// x; a column of ones for a mean.
    pub denominator: Values<'a>,
}

/// What one pass over the rows gathers of each domain.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    rows: u64,
    population: f64,
    numerator: f64,
    denominator: f64,
}

/// What is estimated for each domain.
#[derive(Clone, Copy)]
struct Statistic<'a> {
    numerator: Values<'a>,
    /// `None` for a total.
    denominator: Option<Values<'a>>,
}

impl Statistic<'_> {
    fn numerator(&self, row: usize) -> f64 {
        self.numerator.values[row]
    }

    /// x; 0 for a total, which rests on y alone.
    fn denominator(&self, row: usize) -> f64 {
        self.denominator.map_or(0.0, |denominator| denominator.values[row])
    }
}

/// Linearised values of all domains: each row has one, of its own domain.
struct DomainResiduals<'a> {
    weights: &'a [f64],
    codes: &'a [u32],
    of: Statistic<'a>,
    /// R̂ and X̂ of each domain, 0 and 1 for a total; `None` where the statistic is undefined.
    ratios: &'a [Option<(f64, f64)>],
}

impl EntrySink for DomainResiduals<'_> {
    fn entry(&self, row: usize) -> Option<(u32, f64)> {
        let code = self.codes[row];
        let &(ratio, total) = self.ratios.get(code as usize)?.as_ref()?;
        let residual = residual(self.of.numerator(row), ratio * self.of.denominator(row));
        Some((code, self.weights[row] * residual / total))
    }
}

/// Σ w·y / Σ w·x for every domain of a partition: the same estimates as [`ratio`] and [`super::estimate`] give one by one,
/// in three passes over the rows and one per stage, whatever the number of domains.
///
/// With an adjustment for calibration the residuals of one domain reach the rows of others. Where the adjustment is a
/// regression ([`super::ResidualAdjustment::regression`]) the passes are still shared; otherwise each domain takes its own.
///
/// # Errors
/// [`SurveyError`] as [`ratio`]; rows in no domain are not looked at.
pub fn partition_ratios(
    estimator: &VarianceEstimator<'_>,
    partition: &Partition<'_>,
    of: &PartitionRatio<'_>,
    settings: &EstimateSettings,
) -> Result<Vec<SurveyEstimate>, SurveyError> {
    let of = Statistic {
        numerator: of.numerator,
        denominator: Some(of.denominator),
    };
    estimates(estimator, partition, of, settings)
}

/// Σ w·y for every domain of a partition: the same estimates as [`total`] and [`super::estimate`] give one by one, in as few
/// passes as [`partition_ratios`].
///
/// # Errors
/// [`SurveyError`] as [`total`]; rows in no domain are not looked at.
pub fn partition_totals(
    estimator: &VarianceEstimator<'_>,
    partition: &Partition<'_>,
    values: &Values<'_>,
    settings: &EstimateSettings,
) -> Result<Vec<SurveyEstimate>, SurveyError> {
    let of = Statistic {
        numerator: *values,
        denominator: None,
    };
    estimates(estimator, partition, of, settings)
}

fn estimates(
    estimator: &VarianceEstimator<'_>,
    partition: &Partition<'_>,
    of: Statistic<'_>,
    settings: &EstimateSettings,
) -> Result<Vec<SurveyEstimate>, SurveyError> {
    let design = estimator.design;
    let (codes, weights, rows) = (partition.codes, design.weights(), design.rows());
    check_columns(design, codes, of)?;
    let mut sums = vec![Sums::default(); partition.domains];
    for (row, (&code, &weight)) in codes.iter().zip(weights).enumerate() {
        if weight > 0.0
            && let Some(sums) = sums.get_mut(code as usize)
        {
            sums.rows += 1;
            sums.population += weight;
            sums.numerator += weight * of.numerator(row);
            sums.denominator += weight * of.denominator(row);
        }
    }
    let is_total = of.denominator.is_none();
    let point = |sums: &Sums| if is_total { sums.total() } else { sums.ratio() };
    let points: Vec<Result<f64, Undefined>> = sums.iter().map(point).collect();
    let ratios: Vec<Option<(f64, f64)>> = points
        .iter()
        .zip(&sums)
        .map(|(point, sums)| {
            let point = point.ok()?;
            Some(if is_total {
                (0.0, 1.0)
            } else {
                (point, sums.denominator)
            })
        })
        .collect();
    let residuals = DomainResiduals {
        weights,
        codes,
        of,
        ratios: &ratios,
    };
    let variances = match estimator
        .adjustment
        .map(|adjustment| (adjustment, adjustment.regression()))
    {
        Some((_, None)) => one_by_one(estimator, partition, of),
        adjustment => {
            let regression = adjustment.and_then(|(_, form)| form);
            let regression = regression.map(|form| DomainRegression::new(form, rows, partition.domains, &residuals));
            variances_of_domains(
                design,
                partition.domains,
                &residuals,
                estimator.stages,
                regression.as_ref(),
            )
        }
    };
    // Σ w (u − ū)² and Σ |z|; the mean of u is zero where u are the residuals of a ratio.
    let mut squares = vec![0.0; partition.domains];
    let mut sizes = vec![0.0; partition.domains];
    for (row, &weight) in weights.iter().enumerate() {
        if weight > 0.0
            && let Some((code, value)) = residuals.entry(row)
        {
            let sums = &sums[code as usize];
            let mean = if is_total {
                sums.numerator / sums.population
            } else {
                0.0
            };
            let deviation = value - weight * mean;
            squares[code as usize] += deviation * deviation / weight;
            sizes[code as usize] += value.abs();
        }
    }
    // Needed where nothing varies; found for all domains at once, when first asked for.
    let clusters = OnceCell::new();
    let clusters_of = |code: usize| {
        let asked = |row: usize| Some(codes[row] as usize).filter(|&code| code < partition.domains);
        let has_denominator = |row: usize| is_total || of.denominator(row) != 0.0;
        let all = clusters.get_or_init(|| {
            design.smallest_clusters(partition.domains, |row| asked(row).filter(|_| has_denominator(row)))
        });
        all.get(code).copied().unwrap_or_default()
    };
    let parts = points
        .into_iter()
        .zip(variances)
        .zip(sums.iter().zip(squares))
        .enumerate();
    Ok(parts
        .map(|(code, ((point, variance), (sums, squares)))| {
            let mut estimate = SurveyEstimate {
                point: point.ok(),
                standard_error: None,
                interval: None,
                choice: None,
                design_effect: None,
                design_effect_with_replacement: None,
                degrees_of_freedom: partition.reaches[code].degrees_of_freedom(),
                rows: sums.rows,
                population: sums.population,
                absences: Default::default(),
            };
            match (point, variance) {
                (Err(reason), _) => estimate.absent(reason, true),
                (Ok(_), _)
                    if partition.reaches[code].is_single_unit()
                        && (!is_total || adds_up_to_nothing(sums.numerator, sizes[code])) =>
                {
                    estimate.absent(Undefined::SingleUnitInDomain, false);
                }
                (Ok(_), Err(reason)) => estimate.absent(reason, false),
                (Ok(_), Ok(variance)) => {
                    let clusters = || clusters_of(code);
                    estimate.complete(variance, design.is_census(), clusters, settings);
                    estimate.compare(variance, sums.simple_random(squares));
                }
            }
            estimate
        })
        .collect())
}

impl Sums {
    fn ratio(&self) -> Result<f64, Undefined> {
        if self.rows == 0 {
            Err(Undefined::EmptyDomain)
        } else if self.denominator == 0.0 {
            Err(Undefined::ZeroDenominator)
        } else {
            Some(self.numerator / self.denominator)
                .filter(|ratio| ratio.is_finite())
                .ok_or(Undefined::TooLarge)
        }
    }

    fn total(&self) -> Result<f64, Undefined> {
        if self.rows == 0 {
            Err(Undefined::EmptyDomain)
        } else {
            Some(self.numerator)
                .filter(|total| total.is_finite())
                .ok_or(Undefined::TooLarge)
        }
    }

    /// From Σ w (u − ū)².
    fn simple_random(&self, squares: f64) -> Option<SimpleRandom> {
        let rows = self.rows as f64;
        (self.rows > 1).then(|| SimpleRandom {
            elements: self.rows,
            population: self.population,
            element_variance: rows / (rows - 1.0) * squares / self.population,
        })
    }
}

fn check_columns(design: &SurveyDesign, codes: &[u32], of: Statistic<'_>) -> Result<(), SurveyError> {
    check_length(codes.len(), design.rows(), || Column::Domain)?;
    for values in [Some(of.numerator), of.denominator].into_iter().flatten() {
        values.check_where(design.rows(), |row| codes[row] != Partition::NONE)?;
    }
    Ok(())
}

fn one_by_one(
    estimator: &VarianceEstimator<'_>,
    partition: &Partition<'_>,
    of: Statistic<'_>,
) -> Vec<Result<f64, Undefined>> {
    let domains = 0..partition.domains as u32;
    domains
        .map(|code| {
            let domain = Domain::Category {
                codes: partition.codes,
                code,
            };
            let statistic = match &of.denominator {
                Some(denominator) => ratio(estimator.design, &of.numerator, denominator, &domain),
                None => total(estimator.design, &of.numerator, &domain),
            };
            // Columns were checked, and what is undefined has no point.
            estimator.variance(&statistic.map_err(|_| Undefined::ZeroDenominator)?)
        })
        .collect()
}
