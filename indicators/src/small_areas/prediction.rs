//! Each area's estimate and its mean squared error.

use serde::{Deserialize, Serialize};

use super::regression::{Fitted, quadratic_form};
use super::variance::{asymptotic_bias, asymptotic_variance};
use super::{DirectEstimate, VarianceMethod};
use crate::linear_algebra::{Matrix, dot};

/// What a modelled estimate rests on. None is a measurement: all must be shown as modelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The area's own interviews and the model together.
    Combined,
    /// The model alone: the area has no direct estimate.
    Synthetic,
}

/// The model's estimate of one area.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AreaEstimate {
    /// What it rests on.
    pub source: Source,
    /// θ̂_i, the empirical best linear unbiased predictor.
    pub estimate: f64,
    /// Its estimated mean squared error, of second order for [`Source::Combined`].
    pub mean_squared_error: f64,
    /// γ_i, the weight of the direct estimate, from 0 to 1; 0 for [`Source::Synthetic`].
    pub direct_weight: f64,
    /// x_i′β̂, what the model says alone.
    pub synthetic: f64,
    /// The direct estimate, for comparison.
    pub direct: Option<DirectEstimate>,
    /// (ŷ_i − x_i′β̂)/√(σ̂²_v + ψ_i − x_i′Qx_i): beyond ±3 the area does not fit the model. None without a direct estimate,
    /// or where the area determines its own prediction.
    pub standardised_residual: Option<f64>,
}

/// All areas' estimates.
///
/// θ̂_i = γ_i·ŷ_i + (1 − γ_i)·x_i′β̂. Its mean squared error is estimated by g_1 + g_2 + 2·g_3 − b·(1 − γ_i)² with g_1 = γ_i·ψ_i,
/// g_2 = (1 − γ_i)²·x_i′Qx_i, g_3 = (1 − γ_i)²·V̄(σ̂²_v)/(σ̂²_v + ψ_i), and b the bias of σ̂²_v (Prasad & Rao 1990; Datta & Lahiri
/// 2000; Datta, Rao & Smith 2005; Rao & Molina 2015, section 6.2). Where sampling variances differ so much that the bias
/// would bring that below 0, the bias is left out. An area without a direct estimate has x_i′β̂ with σ̂²_v + x_i′Qx_i (Rao &
/// Molina 2015, section 6.2.2).
pub(super) fn predict(
    direct: &[Option<DirectEstimate>],
    covariates: &Matrix,
    fitted: &Fitted,
    method: VarianceMethod,
) -> Vec<AreaEstimate> {
    let between = fitted.between;
    let (variance, bias) = (asymptotic_variance(fitted, method), asymptotic_bias(fitted, method));
    let area = |(area, direct): (usize, &Option<DirectEstimate>)| {
        let row = covariates.row(area);
        let synthetic = dot(row, &fitted.beta);
        let leverage = quadratic_form(&fitted.covariance, row);
        let Some(own) = *direct else {
            return AreaEstimate {
                source: Source::Synthetic,
                estimate: synthetic,
                mean_squared_error: between + leverage,
                direct_weight: 0.0,
                synthetic,
                direct: None,
                standardised_residual: None,
            };
        };
        let total = between + own.sampling_variance;
        let (weight, rest) = (between / total, own.sampling_variance / total);
        let residual = own.estimate - synthetic;
        let g1 = weight * own.sampling_variance;
        let g2 = rest * rest * leverage;
        let g3 = rest * rest * variance / total;
        let uncorrected = g1 + g2 + 2.0 * g3;
        let corrected = uncorrected - bias * rest * rest;
        let residual_variance = total - leverage;
        AreaEstimate {
            source: Source::Combined,
            estimate: synthetic + weight * residual,
            mean_squared_error: if corrected > 0.0 { corrected } else { uncorrected },
            direct_weight: weight,
            synthetic,
            direct: Some(own),
            // What is left after rounding is no variance.
            standardised_residual: (residual_variance > 1e-10 * total).then(|| residual / residual_variance.sqrt()),
        }
    };
    direct.iter().enumerate().map(area).collect()
}
