//! The variance between areas.

use serde::{Deserialize, Serialize};

use super::SmallAreaError;
use super::regression::{Fitted, Regression};
use crate::linear_algebra::Cholesky;

/// How σ²_v is estimated. All give 0 where the direct estimates differ by no more than their sampling variances explain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VarianceMethod {
    /// Restricted maximum likelihood (H. D. Patterson & R. Thompson 1971, Biometrika 58, 545–554; Rao & Molina 2015,
    /// section 6.1.2): nearly unbiased, the usual choice.
    #[default]
    RestrictedMaximumLikelihood,
    /// Maximum likelihood (Rao & Molina 2015, section 6.1.2): a little too small with many covariates.
    MaximumLikelihood,
    /// Fay & Herriot's moment equation Σ (ŷ_i − x_i′β̂)²/(σ²_v + ψ_i) = m − p, solved with β̂ at the same σ²_v (1979; Rao &
    /// Molina 2015, section 6.1.2). Needs no normal distribution.
    FayHerriotMoment,
    /// Prasad & Rao's moment estimator from ordinary least squares, without iteration (N. G. N. Prasad & J. N. K. Rao 1990,
    /// "The Estimation of the Mean Squared Error of Small-Area Estimators", Journal of the American Statistical Association
    /// 85, 163–171; Rao & Molina 2015, section 6.1.2). Needs no normal distribution.
    PrasadRaoMoment,
}

/// Halvings that exhaust the digits between two doubles.
const HALVINGS: usize = 200;
/// Steps a decade of the search for the largest likelihood, which may have more than one peak.
const STEPS_PER_DECADE: i32 = 8;
/// The search goes from this share of the smallest sampling variance …
const SMALLEST_SHARE: f64 = 1e-6;
/// … through so many decades at most.
const LARGEST_DECADES: i32 = 40;

/// σ̂²_v by a method.
pub(super) fn estimate(areas: &Regression, method: VarianceMethod) -> Result<f64, SmallAreaError> {
    match method {
        VarianceMethod::PrasadRaoMoment => prasad_rao(areas),
        VarianceMethod::FayHerriotMoment => {
            // The sum falls as σ²_v grows.
            let excess = |between| -> Result<f64, SmallAreaError> {
                let freedom = (areas.areas() - areas.columns()) as f64;
                Ok(areas.at(between)?.weighted_squares() - freedom)
            };
            if excess(0.0)? <= 0.0 {
                return Ok(0.0);
            }
            let mut high = scale(areas);
            while excess(high)? > 0.0 {
                high *= 2.0;
            }
            bisect(excess, 0.0, high)
        }
        VarianceMethod::MaximumLikelihood | VarianceMethod::RestrictedMaximumLikelihood => likelihood(areas, method),
    }
}

/// The highest peak of the likelihood over σ²_v ≥ 0.
///
/// Fisher scoring, which is usual, finds the peak next to where it starts and may oscillate. Here the likelihood is looked
/// at along a logarithmic grid, and between the neighbours of its highest point the score is brought to 0.
fn likelihood(areas: &Regression, method: VarianceMethod) -> Result<f64, SmallAreaError> {
    let value = |between| -> Result<f64, SmallAreaError> { log_likelihood(&areas.at(between)?, method) };
    let slope = |between| -> Result<f64, SmallAreaError> { Ok(score(&areas.at(between)?, method)) };
    let step = 10_f64.powf(1.0 / f64::from(STEPS_PER_DECADE));
    let mut grid = vec![0.0];
    let mut between = areas.sampling_variances.iter().copied().fold(f64::INFINITY, f64::min) * SMALLEST_SHARE;
    let far = scale(areas);
    for _ in 0..LARGEST_DECADES * STEPS_PER_DECADE {
        grid.push(between);
        if between > far && slope(between)? < 0.0 {
            break;
        }
        between *= step;
    }
    let mut best = (0, value(0.0)?);
    for (place, between) in grid.iter().enumerate().skip(1) {
        let height = value(*between)?;
        if height > best.1 {
            best = (place, height);
        }
    }
    // A peak at 0 itself: the likelihood only falls from there.
    let rises = slope(grid[best.0])? > 0.0;
    if best.0 == 0 && !rises {
        return Ok(0.0);
    }
    // The peak lies to the side to which the likelihood rises.
    let (low, high) = match rises {
        true => (grid[best.0], grid[(best.0 + 1).min(grid.len() - 1)]),
        false => (grid[best.0 - 1], grid[best.0]),
    };
    bisect(slope, low, high)
}

/// The zero of what is positive at `low` and negative at `high`.
fn bisect(
    function: impl Fn(f64) -> Result<f64, SmallAreaError>,
    mut low: f64,
    mut high: f64,
) -> Result<f64, SmallAreaError> {
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if function(middle)? > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(0.5 * (low + high))
}

/// A variance above which σ²_v hardly lies: the spread of the direct estimates, or their sampling variances.
fn scale(areas: &Regression) -> f64 {
    let count = areas.areas() as f64;
    let mean = areas.estimates.iter().sum::<f64>() / count;
    let spread: f64 = areas
        .estimates
        .iter()
        .map(|estimate| (estimate - mean) * (estimate - mean))
        .sum();
    let largest = areas.sampling_variances.iter().copied().fold(0.0, f64::max);
    (spread / count).max(largest)
}

/// σ̂²_v = (Σ r² − Σ ψ_i·(1 − h_i))/(m − p) with residuals r and leverages h of ordinary least squares, not below 0.
fn prasad_rao(areas: &Regression) -> Result<f64, SmallAreaError> {
    Ok(moment(areas)?.max(0.0))
}

/// The same before it is held at 0.
pub(super) fn moment(areas: &Regression) -> Result<f64, SmallAreaError> {
    let ordinary = areas.unweighted()?;
    let sampling = ordinary.leverages.iter().zip(&areas.sampling_variances);
    let sampling: f64 = sampling.map(|(leverage, variance)| variance * (1.0 - leverage)).sum();
    let freedom = (areas.areas() - areas.columns()) as f64;
    Ok((ordinary.weighted_squares() - sampling) / freedom)
}

/// The logarithm of the (restricted) likelihood without its constant: −½·(Σ ln(σ²_v + ψ) + [ln|X′WX|] + Σ w·r²).
fn log_likelihood(fitted: &Fitted, method: VarianceMethod) -> Result<f64, SmallAreaError> {
    let variances: f64 = fitted.weights.iter().map(|weight| -libm::log(*weight)).sum();
    let restriction = match method {
        VarianceMethod::RestrictedMaximumLikelihood => -Cholesky::new(&fitted.covariance)?.log_determinant(),
        _ => 0.0,
    };
    Ok(-0.5 * (variances + restriction + fitted.weighted_squares()))
}

/// Its derivative: −½·(tr P or Σ w) + ½·Σ w²·r², where tr P = Σ w − Σ w²·x′Qx (Rao & Molina 2015, section 6.1.2).
fn score(fitted: &Fitted, method: VarianceMethod) -> f64 {
    let areas = fitted.weights.iter().zip(&fitted.residuals).zip(&fitted.leverages);
    areas
        .map(|((weight, residual), leverage)| {
            let trace = match method {
                VarianceMethod::RestrictedMaximumLikelihood => weight - weight * weight * leverage,
                _ => *weight,
            };
            0.5 * (weight * weight * residual * residual - trace)
        })
        .sum()
}

/// V̄(σ̂²_v), the asymptotic variance: 2/Σ w² for both likelihoods, 2m/(Σ w)² for Fay & Herriot's and 2/m²·Σ 1/w² for
/// Prasad & Rao's moments (Rao & Molina 2015, section 6.1.2; Datta, Rao & Smith 2005, Biometrika 92, 183–196).
pub(super) fn asymptotic_variance(fitted: &Fitted, method: VarianceMethod) -> f64 {
    let count = fitted.weights.len() as f64;
    let sum = |term: fn(f64) -> f64| -> f64 { fitted.weights.iter().map(|weight| term(*weight)).sum() };
    match method {
        VarianceMethod::RestrictedMaximumLikelihood | VarianceMethod::MaximumLikelihood => {
            2.0 / sum(|weight| weight * weight)
        }
        VarianceMethod::FayHerriotMoment => {
            let sum = sum(|weight| weight);
            2.0 * count / (sum * sum)
        }
        VarianceMethod::PrasadRaoMoment => 2.0 * sum(|weight| 1.0 / (weight * weight)) / (count * count),
    }
}

/// The asymptotic bias of σ̂²_v: 0 for restricted maximum likelihood and Prasad & Rao's moments, −tr(Q·X′W²X)/Σ w² for
/// maximum likelihood (G. S. Datta & P. Lahiri 2000, "A Unified Measure of Uncertainty of Estimated Best Linear Unbiased
/// Predictors in Small Area Estimation Problems", Statistica Sinica 10, 613–627), 2·(m·Σ w² − (Σ w)²)/(Σ w)³ for Fay &
/// Herriot's (Datta, Rao & Smith 2005; Rao & Molina 2015, section 6.2).
pub(super) fn asymptotic_bias(fitted: &Fitted, method: VarianceMethod) -> f64 {
    let count = fitted.weights.len() as f64;
    let sum: f64 = fitted.weights.iter().sum();
    let squares: f64 = fitted.weights.iter().map(|weight| weight * weight).sum();
    match method {
        VarianceMethod::RestrictedMaximumLikelihood | VarianceMethod::PrasadRaoMoment => 0.0,
        VarianceMethod::MaximumLikelihood => {
            let trace = fitted.weights.iter().zip(&fitted.leverages);
            let trace: f64 = trace.map(|(weight, leverage)| weight * weight * leverage).sum();
            -trace / squares
        }
        VarianceMethod::FayHerriotMoment => 2.0 * (count * squares - sum * sum) / (sum * sum * sum),
    }
}
