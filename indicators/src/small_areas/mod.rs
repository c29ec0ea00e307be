//! Estimates for areas with too few interviews of their own: the area-level model of Fay & Herriot.
//!
//! A commune's direct estimate ŷ_i with its sampling variance ψ_i, and covariates x_i that are known for all communes,
//! follow ŷ_i = x_i′β + v_i + e_i with v_i ~ (0, σ²_v) and e_i ~ (0, ψ_i). The model's estimate of the area's true value is
//! γ_i·ŷ_i + (1 − γ_i)·x_i′β̂ with γ_i = σ̂²_v/(σ̂²_v + ψ_i): the surer the direct estimate, the more it counts. An area
//! without a direct estimate gets x_i′β̂ alone.
//!
//! [`fit`] does all of it, [`benchmark`] makes the areas agree with the province. Such figures are modelled, not measured,
//! and must be shown as such; the README and `docs/statistics.md` say what they assume.
//!
//! R. E. Fay & R. A. Herriot (1979), "Estimates of Income for Small Places: An Application of James–Stein Procedures to
//! Census Data", Journal of the American Statistical Association 74, 269–277; J. N. K. Rao & I. Molina, *Small Area
//! Estimation* (2nd edition, 2015), chapters 5 and 6.

mod benchmarking;
mod diagnostics;
mod error;
mod prediction;
mod regression;
mod smoothing;
mod variance;

pub use benchmarking::{Benchmark, benchmark};
pub use diagnostics::Diagnostics;
pub use error::{SmallAreaError, Value};
pub use prediction::{AreaEstimate, Source};
pub use smoothing::{AreaInterviews, SmoothedVariances, smoothed_variances};
pub use variance::VarianceMethod;

use serde::Serialize;

use crate::linear_algebra::Matrix;
use regression::Regression;

/// A direct, design-based estimate of one area.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct DirectEstimate {
    /// The estimate ŷ_i.
    pub estimate: f64,
    /// ψ_i, its sampling variance: the square of its standard error. It is taken as known; where it is itself estimated
    /// from few interviews, smooth it over the areas beforehand ([`smoothed_variances`]).
    pub sampling_variance: f64,
}

/// One coefficient of the regression.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Coefficient {
    /// β̂_k.
    pub value: f64,
    /// Its standard error, the root of the diagonal of (Σ x_i·x_i′/(σ̂²_v + ψ_i))⁻¹.
    pub standard_error: f64,
}

/// A fitted area-level model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AreaModel {
    /// By which method σ²_v was estimated.
    pub method: VarianceMethod,
    /// σ̂²_v, the variance between areas that the covariates do not explain. At 0 every estimate is the regression's.
    pub between_area_variance: f64,
    /// The asymptotic standard error of σ̂²_v.
    pub between_area_variance_error: f64,
    /// One per column of the covariates.
    pub coefficients: Vec<Coefficient>,
    /// One per area, in the order given.
    pub areas: Vec<AreaEstimate>,
    /// How well the model fits.
    pub diagnostics: Diagnostics,
}

/// Fits the model and estimates every area.
///
/// `direct` has one entry an area, none for areas without interviews; `covariates` one row an area and one column a
/// variable. A column of ones is the intercept; nothing is added. Directly estimated areas must be at least two more than
/// columns.
///
/// Estimates of proportions can come out a little below 0 or above 1; they are left so, since a bound would hide that the
/// model does not fit.
///
/// # Errors
/// [`SmallAreaError`] when lists differ in length, a number is not finite or too large to compute with, a sampling variance
/// is not above 0, areas are too few, or covariates depend on one another.
pub fn fit(
    direct: &[Option<DirectEstimate>],
    covariates: &Matrix,
    method: VarianceMethod,
) -> Result<AreaModel, SmallAreaError> {
    let observed = observed(direct, covariates)?;
    let between = variance::estimate(&observed, method)?;
    let fitted = observed.at(between)?;
    let model = AreaModel {
        method,
        between_area_variance: between,
        between_area_variance_error: variance::asymptotic_variance(&fitted, method).sqrt(),
        coefficients: fitted.coefficients(),
        areas: prediction::predict(direct, covariates, &fitted, method),
        diagnostics: Diagnostics::of(&observed, &fitted)?,
    };
    match model.is_finite() {
        true => Ok(model),
        false => Err(SmallAreaError::OutOfRange),
    }
}

impl AreaModel {
    /// Whether every figure is a number, which very large covariates can prevent.
    fn is_finite(&self) -> bool {
        let fit = &self.diagnostics;
        let whole = [
            self.between_area_variance,
            self.between_area_variance_error,
            fit.log_likelihood,
            fit.akaike,
            fit.bayesian,
        ];
        let coefficients =
            (self.coefficients.iter()).flat_map(|coefficient| [coefficient.value, coefficient.standard_error]);
        let areas = self.areas.iter().flat_map(|area| {
            let residual = area.standardised_residual.unwrap_or(0.0);
            let figures = [
                area.estimate,
                area.mean_squared_error,
                area.direct_weight,
                area.synthetic,
            ];
            figures.into_iter().chain([residual])
        });
        let explained = fit.explained_variance.unwrap_or(0.0);
        let mut figures = whole.into_iter().chain(coefficients).chain(areas).chain([explained]);
        figures.all(f64::is_finite)
    }
}

/// The directly estimated areas, checked.
fn observed(direct: &[Option<DirectEstimate>], covariates: &Matrix) -> Result<Regression, SmallAreaError> {
    if covariates.rows() != direct.len() {
        return Err(SmallAreaError::Length {
            given: covariates.rows(),
            expected: direct.len(),
        });
    }
    for (area, direct) in direct.iter().enumerate() {
        let Some(DirectEstimate {
            estimate,
            sampling_variance,
        }) = *direct
        else {
            continue;
        };
        let value = Value::DirectEstimate;
        if !estimate.is_finite() {
            return Err(SmallAreaError::NotFinite { value, area });
        }
        if !(sampling_variance > 0.0 && sampling_variance.is_finite()) {
            return Err(SmallAreaError::SamplingVariance {
                area,
                given: sampling_variance,
            });
        }
    }
    let (areas, columns) = (direct.iter().flatten().count(), covariates.columns());
    if columns == 0 || areas < columns + 2 {
        return Err(SmallAreaError::TooFewAreas { areas, columns });
    }
    let rows = direct.iter().enumerate().filter(|(_, direct)| direct.is_some());
    let values = rows
        .flat_map(|(area, _)| covariates.row(area).iter().copied())
        .collect();
    let estimates = direct.iter().flatten().map(|direct| direct.estimate);
    let variances = direct.iter().flatten().map(|direct| direct.sampling_variance);
    Ok(Regression {
        covariates: Matrix::new(areas, columns, values)?,
        estimates: estimates.collect(),
        sampling_variances: variances.collect(),
    })
}
