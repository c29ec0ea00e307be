//! The regression of direct estimates on covariates, for a given variance between areas.

use super::Coefficient;
use crate::linear_algebra::{LeastSquares, LinearAlgebraError, Matrix, dot};

/// The directly estimated areas.
#[derive(Debug, Clone)]
pub(super) struct Regression {
    /// X, one row an area.
    pub(super) covariates: Matrix,
    /// ŷ.
    pub(super) estimates: Vec<f64>,
    /// ψ.
    pub(super) sampling_variances: Vec<f64>,
}

/// Generalised least squares with weights w_i = 1/(σ²_v + ψ_i).
#[derive(Debug, Clone)]
pub(super) struct Fitted {
    /// σ²_v.
    pub(super) between: f64,
    /// w.
    pub(super) weights: Vec<f64>,
    /// β̂.
    pub(super) beta: Vec<f64>,
    /// Q = (X′·diag(w)·X)⁻¹.
    pub(super) covariance: Matrix,
    /// ŷ − Xβ̂.
    pub(super) residuals: Vec<f64>,
    /// x_i′·Q·x_i.
    pub(super) leverages: Vec<f64>,
}

impl Regression {
    /// Number of areas m.
    pub(super) fn areas(&self) -> usize {
        self.estimates.len()
    }

    /// Number of covariates p.
    pub(super) fn columns(&self) -> usize {
        self.covariates.columns()
    }

    /// Fits with this variance between areas.
    pub(super) fn at(&self, between: f64) -> Result<Fitted, LinearAlgebraError> {
        let weights = self
            .sampling_variances
            .iter()
            .map(|variance| 1.0 / (between + variance));
        self.weighted(between, weights.collect())
    }

    /// Fits by ordinary least squares: all weights 1.
    pub(super) fn unweighted(&self) -> Result<Fitted, LinearAlgebraError> {
        self.weighted(0.0, vec![1.0; self.areas()])
    }

    fn weighted(&self, between: f64, weights: Vec<f64>) -> Result<Fitted, LinearAlgebraError> {
        let factorised = LeastSquares::new(&self.covariates, &weights)?;
        let beta = factorised.coefficients(&self.estimates)?;
        let covariance = factorised.inverse_cross_product();
        let rows = || (0..self.areas()).map(|area| self.covariates.row(area));
        let residuals = rows()
            .zip(&self.estimates)
            .map(|(row, estimate)| estimate - dot(row, &beta));
        let leverages = rows().map(|row| quadratic_form(&covariance, row));
        Ok(Fitted {
            between,
            residuals: residuals.collect(),
            leverages: leverages.collect(),
            weights,
            beta,
            covariance,
        })
    }
}

impl Fitted {
    /// Σ w·r².
    pub(super) fn weighted_squares(&self) -> f64 {
        let squares = self.residuals.iter().map(|residual| residual * residual);
        squares.zip(&self.weights).map(|(square, weight)| square * weight).sum()
    }

    /// The coefficients with their standard errors.
    pub(super) fn coefficients(&self) -> Vec<Coefficient> {
        let both = self.beta.iter().enumerate();
        both.map(|(column, value)| Coefficient {
            value: *value,
            standard_error: self.covariance.get(column, column).sqrt(),
        })
        .collect()
    }
}

/// x′·Q·x.
pub(super) fn quadratic_form(matrix: &Matrix, vector: &[f64]) -> f64 {
    let rows = (0..matrix.rows()).map(|row| dot(matrix.row(row), vector));
    rows.zip(vector).map(|(product, value)| product * value).sum()
}
