//! How well a model fits.

use serde::Serialize;

use super::SmallAreaError;
use super::regression::{Fitted, Regression};
use super::variance::moment;
use crate::linear_algebra::Matrix;

/// Measures of a model's fit, for comparing models of the same direct estimates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Diagnostics {
    /// Directly estimated areas m.
    pub areas: usize,
    /// ln L = −½·Σ (ln(2π·(σ̂²_v + ψ_i)) + r_i²/(σ̂²_v + ψ_i)).
    pub log_likelihood: f64,
    /// −2·ln L + 2·(p + 1), the smaller the better (H. Akaike 1974).
    pub akaike: f64,
    /// −2·ln L + (p + 1)·ln m (G. Schwarz 1978).
    pub bayesian: f64,
    /// The share of the variance between areas that the covariates explain, free of sampling errors: 1 − A/A_0 with Prasad
    /// & Rao's moment estimator of σ²_v with the covariates, A, and with an intercept alone, A_0. P. Lahiri & J. B.
    /// Suntornchost (2015), "Variable Selection for Linear Mixed Models with Applications in Small Area Estimation", Sankhya
    /// B 77, 312–320, held between 0 and 1. None where the areas differ by no more than sampling explains.
    pub explained_variance: Option<f64>,
}

impl Diagnostics {
    pub(super) fn of(areas: &Regression, fitted: &Fitted) -> Result<Self, SmallAreaError> {
        let (count, parameters) = (areas.areas() as f64, areas.columns() as f64 + 1.0);
        let constants: f64 = fitted
            .weights
            .iter()
            .map(|weight| libm::log(std::f64::consts::TAU / weight))
            .sum();
        let log_likelihood = -0.5 * (constants + fitted.weighted_squares());
        let intercept = Regression {
            covariates: Matrix::new(areas.areas(), 1, vec![1.0; areas.areas()])?,
            ..areas.clone()
        };
        let (with, without) = (moment(areas)?, moment(&intercept)?);
        Ok(Self {
            areas: areas.areas(),
            log_likelihood,
            akaike: -2.0 * log_likelihood + 2.0 * parameters,
            bayesian: -2.0 * log_likelihood + parameters * libm::log(count),
            explained_variance: (without > 0.0).then(|| (1.0 - with / without).clamp(0.0, 1.0)),
        })
    }
}
