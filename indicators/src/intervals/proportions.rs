//! Intervals for a proportion or another ratio from its estimate and standard error.

use super::{ConfidenceLevel, Interval, IntervalMethod, QuantileError, beta_quantile, student_t_quantile};

/// Interval on the logit scale: logit(p) ± t · SE / (p(1 − p)), transformed back, so that it stays between 0 and 1.
///
/// This is `survey::svyciprop(method = "logit")` (Lumley 2010, section 2.3; Korn & Graubard 1999, section 3.2). `t` is the
/// two-sided Student quantile.
///
/// # Errors
/// [`QuantileError::Proportion`] unless 0 < p < 1.
pub fn logit_t(p: f64, standard_error: f64, t: f64, level: ConfidenceLevel) -> Result<Interval, QuantileError> {
    if !(p > 0.0 && p < 1.0) {
        return Err(QuantileError::Proportion { proportion: p });
    }
    let logit = (p / (1.0 - p)).ln();
    let half_width = t * standard_error / (p * (1.0 - p));
    let back = |value: f64| 1.0 / (1.0 + (-value).exp());
    let (lower, upper) = (back(logit - half_width), back(logit + half_width));
    Ok(Interval {
        lower,
        upper,
        level,
        method: IntervalMethod::Logit,
    })
}

/// Interval on the ratio's own scale: R ± t · SE.
pub fn student_t(ratio: f64, standard_error: f64, t: f64, level: ConfidenceLevel) -> Interval {
    let half_width = t * standard_error;
    Interval {
        lower: ratio - half_width,
        upper: ratio + half_width,
        level,
        method: IntervalMethod::StudentT,
    }
}

/// Wilson's interval with an effective number of elements n, p(1 − p)/V for a complex sample:
/// (p + t²/2n ± t·√(p(1 − p)/n + t²/4n²)) / (1 + t²/n).
///
/// Wilson (1927, *JASA* 22, 209–212); for complex samples Kott & Carr (1997, *Journal of Official Statistics* 13, 367–383),
/// who take Student's quantile `t` in place of the normal one.
///
/// # Errors
/// [`QuantileError`] unless 0 ≤ p ≤ 1 and the effective number is above 0 and finite.
pub fn wilson(p: f64, effective: f64, t: f64, level: ConfidenceLevel) -> Result<Interval, QuantileError> {
    if !(0.0..=1.0).contains(&p) {
        return Err(QuantileError::Proportion { proportion: p });
    }
    if !(effective > 0.0 && effective.is_finite()) {
        return Err(QuantileError::Parameter { value: effective });
    }
    let square = t * t / effective;
    let half_width = t * (p * (1.0 - p) / effective + square / (4.0 * effective)).sqrt();
    let centre = p + square / 2.0;
    Ok(Interval {
        lower: ((centre - half_width) / (1.0 + square)).max(0.0),
        upper: ((centre + half_width) / (1.0 + square)).min(1.0),
        level,
        method: IntervalMethod::Wilson,
    })
}

/// Exact binomial interval with an effective number of households, which need not be whole: for proportions whose
/// standard error is zero although only a part was observed.
///
/// Clopper & Pearson (1934) in the beta form that Korn & Graubard (1998, "Confidence intervals for proportions with small
/// expected number of positive counts estimated from survey data", Survey Methodology 24, 193–201) use for complex
/// samples.
///
/// # Errors
/// [`QuantileError`] unless 0 ≤ p ≤ 1 and the effective number is above 0 and below 1e9.
pub fn clopper_pearson(p: f64, effective_households: f64, level: ConfidenceLevel) -> Result<Interval, QuantileError> {
    if !(0.0..=1.0).contains(&p) {
        return Err(QuantileError::Proportion { proportion: p });
    }
    if !(effective_households > 0.0 && effective_households.is_finite()) {
        return Err(QuantileError::Parameter {
            value: effective_households,
        });
    }
    let (successes, failures) = (effective_households * p, effective_households * (1.0 - p));
    let tail = level.tail();
    let lower = if successes > 0.0 {
        beta_quantile(tail, successes, failures + 1.0)?
    } else {
        0.0
    };
    let upper = if failures > 0.0 {
        beta_quantile(1.0 - tail, successes + 1.0, failures)?
    } else {
        1.0
    };
    Ok(Interval {
        lower,
        upper,
        level,
        method: IntervalMethod::ClopperPearson,
    })
}

/// Effective number of households where the variance says nothing, because every household observed is alike.
///
/// Korn & Graubard's effective size p(1 − p)/V is 0/0 there. Taken instead: Kish's (Σw)²/Σw² over the households with a
/// denominator (1965, section 11.7; it equals their number for equal weights), shrunk by Korn & Graubard's factor
/// (t_{n−1} / t_df)², at most 1, for the degrees of freedom that the design has and n independent households would not
/// lose. A household counts once however many persons it has, since its members are hardly independent.
///
/// `None` if fewer than two households have a denominator or the design leaves no degree of freedom.
pub fn effective_households(
    households: u64,
    weights: f64,
    squared_weights: f64,
    degrees_of_freedom: u64,
    level: ConfidenceLevel,
) -> Option<f64> {
    if households < 2 || degrees_of_freedom == 0 || squared_weights <= 0.0 {
        return None;
    }
    let quantile = |df: u64| student_t_quantile(1.0 - level.tail(), df as f64).ok();
    let factor = quantile(households - 1)? / quantile(degrees_of_freedom)?;
    Some(weights * weights / squared_weights * (factor * factor).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVEL: ConfidenceLevel = ConfidenceLevel::NINETY_FIVE_PERCENT;

    #[test]
    fn no_success_among_n_has_the_known_bound() {
        // 1 − (α/2)^(1/n)
        let interval = clopper_pearson(0.0, 20.0, LEVEL).unwrap();
        assert_eq!(interval.lower, 0.0);
        assert!((interval.upper - (1.0 - 0.025_f64.powf(0.05))).abs() < 1e-14);
        let mirrored = clopper_pearson(1.0, 20.0, LEVEL).unwrap();
        assert_eq!(mirrored.upper, 1.0);
        assert!((mirrored.lower - (1.0 - interval.upper)).abs() < 1e-14);
    }

    #[test]
    fn the_logit_interval_contains_its_point_and_stays_inside() {
        let interval = logit_t(0.99, 0.02, 2.5, LEVEL).unwrap();
        assert!(0.0 < interval.lower && interval.lower < 0.99 && 0.99 < interval.upper && interval.upper < 1.0);
        assert!(logit_t(1.0, 0.0, 2.0, LEVEL).is_err());
        assert!(clopper_pearson(1.2, 5.0, LEVEL).is_err());
    }

    #[test]
    fn unequal_weights_and_clusters_shrink_the_effective_number() {
        let equal = effective_households(10, 20.0, 40.0, 9, LEVEL).unwrap();
        assert!((equal - 10.0).abs() < 1e-12);
        assert!(effective_households(10, 20.0, 50.0, 9, LEVEL).unwrap() < equal);
        assert!(effective_households(10, 20.0, 40.0, 3, LEVEL).unwrap() < equal);
        assert_eq!(effective_households(1, 2.0, 4.0, 3, LEVEL), None);
        assert_eq!(effective_households(10, 20.0, 40.0, 0, LEVEL), None);
    }
}
