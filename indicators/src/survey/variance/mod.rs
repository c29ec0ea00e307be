//! The one variance engine: covariances of totals of linearised values.
//!
//! A statistic θ̂ is represented by z_k, the amount that row k adds to its linearised value, weight included, so that
//! V(θ̂) = V(Σ z_k) (Demnati & Rao 2004, *Survey Methodology* 30, 17–26; Särndal, Swensson & Wretman 1992, section 5.5).
//! The variance of that total is the sum over stages and strata of what [`form`] gives, as `svyrecvar` in R.

mod form;
mod many_domains;
mod walk;

pub(super) use many_domains::{DomainRegression, EntrySink, variances_of_domains};

use super::design::SurveyDesign;
use super::estimators::Linearised;
use super::undefined::Undefined;

/// Maps the weighted influence values w·z of a statistic to the weighted residuals w·e that its variance is computed from:
/// how much calibration of the weights takes away.
///
/// Values come, and go back, one per row in the order of the design's rows, calibrated weights included.
/// [`crate::weights`] makes such maps beside the weights.
pub trait ResidualAdjustment {
    /// One residual per row. The influence must have one value per row; for any other length the result is empty. A row
    /// of calibrated weight 0 has the residual 0.
    fn adjust(&self, influence: &[f64]) -> Vec<f64>;

    /// The same map as a regression on few terms, if it is one: many domains then share a pass over the rows.
    fn regression(&self) -> Option<&dyn InfluenceRegression> {
        None
    }
}

/// Residuals z_k − Σ_j β_j a_kj of weighted influence values z, where the p coefficients β solve equations whose right side
/// is Σ_k m_k z_k.
///
/// For calibrated weights w = g·d on auxiliaries x with variances q, a_k = w_k x_k, m_k = d_k x_k / (q_k w_k), and the
/// equations' matrix is Σ d x x′ / q.
pub trait InfluenceRegression {
    /// p.
    fn terms(&self) -> usize;

    /// Writes a_k of a row, p numbers.
    fn explaining(&self, row: usize, terms: &mut [f64]);

    /// Writes m_k of a row, p numbers; zeros for a row of calibrated weight 0.
    fn moments(&self, row: usize, moments: &mut [f64]);

    /// Turns the p sums of moments into the coefficients.
    fn solve(&self, moments: &mut [f64]);
}

/// Which stages enter the variance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StagesUsed {
    /// All that the design describes.
    #[default]
    All,
    /// Only the first ("ultimate clusters"). With replacement at the first stage this is the same; without, it leaves out
    /// what later stages add. As `options(survey.ultimate.cluster = TRUE)` in R.
    First,
}

/// Estimates variances and covariances of statistics over one design.
#[derive(Clone, Copy)]
pub struct VarianceEstimator<'a> {
    /// The design.
    pub design: &'a SurveyDesign,
    /// What calibration takes away, if the weights were calibrated.
    pub adjustment: Option<&'a dyn ResidualAdjustment>,
    /// Which stages count.
    pub stages: StagesUsed,
}

impl<'a> VarianceEstimator<'a> {
    /// All stages, weights as designed.
    pub fn new(design: &'a SurveyDesign) -> Self {
        VarianceEstimator {
            design,
            adjustment: None,
            stages: StagesUsed::All,
        }
    }

    /// Variance of one statistic; exactly 0 for a census.
    ///
    /// # Errors
    /// [`Undefined::SingleUnit`] if the statistic has a value in a stratum of a single unit and the policy gives none,
    /// [`Undefined::NegativeVariance`], [`Undefined::ForeignStatistic`], [`Undefined::TooLarge`].
    pub fn variance(&self, statistic: &Linearised) -> Result<f64, Undefined> {
        Ok(self.covariance(&[statistic])?.get(0, 0))
    }

    /// Covariances of several statistics over the same rows, whose influence columns must be this design's.
    ///
    /// Costs a pass over the rows per stage, and p² operations per unit for p statistics.
    ///
    /// # Errors
    /// As [`VarianceEstimator::variance`].
    pub fn covariance(&self, statistics: &[&Linearised]) -> Result<Covariance, Undefined> {
        let columns: Vec<&[f64]> = statistics
            .iter()
            .map(|statistic| statistic.influence.as_slice())
            .collect();
        self.covariance_of_columns(&columns)
    }

    /// The same for columns of linearised values.
    pub(super) fn covariance_of_columns(&self, columns: &[&[f64]]) -> Result<Covariance, Undefined> {
        let adjusted: Vec<Vec<f64>> = match self.adjustment {
            Some(adjustment) => columns.iter().map(|column| adjustment.adjust(column)).collect(),
            None => Vec::new(),
        };
        let columns: Vec<&[f64]> = match self.adjustment {
            Some(_) => adjusted.iter().map(Vec::as_slice).collect(),
            None => columns.to_vec(),
        };
        if columns.iter().any(|column| column.len() != self.design.rows()) {
            return Err(Undefined::ForeignStatistic);
        }
        let values = walk::covariance(self.design, &columns, self.stages)?;
        Covariance::new(columns.len(), values)
    }
}

/// A symmetric matrix of variances and covariances.
#[derive(Debug, Clone, PartialEq)]
pub struct Covariance {
    size: usize,
    values: Vec<f64>,
}

impl Covariance {
    fn new(size: usize, values: Vec<f64>) -> Result<Self, Undefined> {
        if values.iter().any(|value| !value.is_finite()) {
            return Err(Undefined::TooLarge);
        }
        if (0..size).any(|position| values[position * size + position] < 0.0) {
            return Err(Undefined::NegativeVariance);
        }
        Ok(Covariance { size, values })
    }

    /// Number of statistics.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The covariance of two statistics, by their positions; 0 for positions that do not exist.
    pub fn get(&self, one: usize, other: usize) -> f64 {
        if one < self.size && other < self.size {
            self.values[one * self.size + other]
        } else {
            0.0
        }
    }

    /// The standard error of a statistic.
    pub fn standard_error(&self, position: usize) -> f64 {
        self.get(position, position).sqrt()
    }
}
