//! The two-stage variance of a linearised total.
//!
//! With e = y − R·x per household, the variance of R̂ is that of Σ w·e divided by X̂² (Särndal, Swensson & Wretman 1992,
//! result 5.6.2; Lumley 2010, section A.2.2). That of Σ w·e is the sum over strata h of
//!
//! (1 − n_h/N_h) · n_h/(n_h − 1) · Σ_i (z_hi − z̄_h)²
//! + n_h/N_h · Σ_i (1 − m_hi/M_hi) · m_hi/(m_hi − 1) · w_hi² · Σ_k (e_hik − ē_hi)²
//!
//! where z_hi = w_hi·Σ_k e_hik (the same book, result 4.3.1, for simple random sampling at both stages). Hamlets outside
//! the domain count with z = 0, and n_h stays that of the whole design, as `subset` does in the R package survey.

use super::LonelyPsu;
use crate::design::{Sample, SampledPsu};
use crate::summary::IndicatorSums;

/// How the hamlets of a domain came into the sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FirstStage {
    /// Drawn: n_h of N_h in each stratum.
    Sampled,
    /// All hamlets of the domain have responses: given that, each hamlet is a stratum and only households were drawn.
    Enumerated,
}

/// A lonely unit was met and the policy is to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LonelyUnit;

/// What rounding may leave of a sum of terms of this size that is zero in truth.
const ROUNDING: f64 = 8.0 * f64::EPSILON;

/// Weight of the households of a hamlet: N_h/n_h · M_hi/m_hi, or M_hi/m_hi where all the domain's hamlets were taken.
pub(crate) fn weight(sample: &Sample<'_>, psu: &SampledPsu, first_stage: FirstStage) -> f64 {
    let within = psu.frame_households / psu.households;
    match first_stage {
        FirstStage::Enumerated => within,
        FirstStage::Sampled => {
            let (sampled, frame) = sample.first_stage(psu.stratum);
            frame / sampled * within
        }
    }
}

/// y − ŷ, zero where only rounding is left.
pub(crate) fn residual(value: f64, expected: f64) -> f64 {
    let residual = value - expected;
    if residual.abs() <= ROUNDING * (value.abs() + expected.abs()) {
        0.0
    } else {
        residual
    }
}

/// Σ e over a hamlet's households.
fn residual_total(sums: &IndicatorSums, ratio: f64) -> f64 {
    residual(sums.numerator, ratio * sums.denominator)
}

/// Σ e² over a hamlet's households.
pub(crate) fn residual_squares(sums: &IndicatorSums, ratio: f64) -> f64 {
    quadratic_form(sums.numerator_squared, sums.product, sums.denominator_squared, ratio)
}

/// Σ (e − ē)² over a hamlet's m households.
///
/// The centred sums are taken as m·Σy² − (Σy)², which is exact for whole numbers, before they are combined.
fn residual_squares_about_mean(sums: &IndicatorSums, households: f64, ratio: f64) -> f64 {
    let IndicatorSums {
        numerator: y,
        denominator: x,
        ..
    } = *sums;
    let centred = |squares: f64, product: f64| households * squares - product;
    let form = quadratic_form(
        centred(sums.numerator_squared, y * y),
        centred(sums.product, x * y),
        centred(sums.denominator_squared, x * x),
        ratio,
    );
    form / households
}

/// yy − 2R·xy + R²·xx, zero where only rounding is left.
fn quadratic_form(yy: f64, xy: f64, xx: f64, ratio: f64) -> f64 {
    let cross = 2.0 * ratio * xy;
    let square = ratio * ratio * xx;
    let form = yy - cross + square;
    if form <= ROUNDING * (yy.abs() + cross.abs() + square.abs()) {
        0.0
    } else {
        form
    }
}

/// Variance of Σ w·e over the sampled hamlets of a domain, which come sorted by stratum.
pub(crate) fn two_stage(
    sample: &Sample<'_>,
    psus: &[SampledPsu],
    ratio: f64,
    first_stage: FirstStage,
    lonely: LonelyPsu,
) -> Result<f64, LonelyUnit> {
    let mut variance = 0.0;
    for stratum in psus.chunk_by(|one, next| one.stratum == next.stratum) {
        let fraction = match (first_stage, stratum.first()) {
            (FirstStage::Sampled, Some(first)) => {
                let (sampled, frame) = sample.first_stage(first.stratum);
                variance += between(sample, stratum, ratio, sampled, frame, lonely)?;
                sampled / frame
            }
            _ => 1.0,
        };
        for psu in stratum {
            variance += fraction * within(psu, weight(sample, psu, first_stage), ratio, lonely)?;
        }
    }
    Ok(variance)
}

/// The first stage's part of one stratum.
fn between(
    sample: &Sample<'_>,
    psus: &[SampledPsu],
    ratio: f64,
    sampled: f64,
    frame: f64,
    lonely: LonelyPsu,
) -> Result<f64, LonelyUnit> {
    if sampled >= frame {
        return Ok(0.0);
    }
    let total = |psu: &SampledPsu| weight(sample, psu, FirstStage::Sampled) * residual_total(&psu.sums, ratio);
    let correction = (frame - sampled) / frame;
    if sampled <= 1.0 {
        let squares = psus.iter().map(|psu| total(psu) * total(psu)).sum();
        return lonely_squares(squares, lonely).map(|squares| correction * squares);
    }
    let mean = psus.iter().map(total).sum::<f64>() / sampled;
    let inside: f64 = psus.iter().map(|psu| (total(psu) - mean) * (total(psu) - mean)).sum();
    let outside = (sampled - psus.len() as f64) * mean * mean;
    Ok(correction * sampled / (sampled - 1.0) * (inside + outside))
}

/// The second stage's part of one hamlet, before the factor n_h/N_h.
fn within(psu: &SampledPsu, weight: f64, ratio: f64, lonely: LonelyPsu) -> Result<f64, LonelyUnit> {
    let (sampled, frame) = (psu.households, psu.frame_households);
    if sampled >= frame {
        return Ok(0.0);
    }
    let correction = (frame - sampled) / frame * weight * weight;
    if sampled <= 1.0 {
        let squares = residual_squares(&psu.sums, ratio);
        return lonely_squares(squares, lonely).map(|squares| correction * squares);
    }
    Ok(correction * sampled / (sampled - 1.0) * residual_squares_about_mean(&psu.sums, sampled, ratio))
}

fn lonely_squares(squares: f64, lonely: LonelyPsu) -> Result<f64, LonelyUnit> {
    match lonely {
        LonelyPsu::Adjust => Ok(squares),
        LonelyPsu::Certainty => Ok(0.0),
        LonelyPsu::Fail => Err(LonelyUnit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::Contribution;

    fn sums(values: &[(f64, f64)]) -> IndicatorSums {
        let mut sums = IndicatorSums::default();
        for &(numerator, denominator) in values {
            sums.add(Contribution { numerator, denominator });
        }
        sums
    }

    #[test]
    fn a_constant_ratio_leaves_exactly_nothing() {
        let constant = sums(&[(1.0, 3.0), (2.0, 6.0), (4.0, 12.0)]);
        let ratio = constant.numerator / constant.denominator;
        assert_eq!(residual_total(&constant, ratio), 0.0);
        assert_eq!(residual_squares(&constant, ratio), 0.0);
        assert_eq!(residual_squares_about_mean(&constant, 3.0, ratio), 0.0);
    }

    #[test]
    fn squares_agree_with_the_residuals_themselves() {
        let values = [(1.0, 3.0), (2.0, 2.0), (0.0, 5.0), (3.0, 4.0)];
        let ratio = 0.41;
        let residuals: Vec<f64> = values.iter().map(|(y, x)| y - ratio * x).collect();
        let mean = residuals.iter().sum::<f64>() / 4.0;
        let about_mean: f64 = residuals.iter().map(|e| (e - mean) * (e - mean)).sum();
        let raw: f64 = residuals.iter().map(|e| e * e).sum();
        assert!((residual_squares_about_mean(&sums(&values), 4.0, ratio) - about_mean).abs() < 1e-13);
        assert!((residual_squares(&sums(&values), ratio) - raw).abs() < 1e-13);
        let total: f64 = residuals.iter().sum();
        assert!((residual_total(&sums(&values), ratio) - total).abs() < 1e-13);
    }
}
