//! Quantiles of Student's t and of the beta distribution.
//!
//! Both invert the incomplete beta function by Newton steps held inside a shrinking bracket. The tests compare them with
//! R's `qt` and `qbeta` to 1e-10 over a grid that includes fractional degrees of freedom.

use super::incomplete_beta::{beta_prefactor, incomplete_beta};

/// Largest parameter: keeps the work of one evaluation below some hundred thousand steps.
const LARGEST_PARAMETER: f64 = 1e9;

/// Bisection alone halves the bracket; this many halvings exhaust a double's range.
const LARGEST_STEPS: usize = 2200;

/// Why a quantile, tail or interval cannot be computed.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum QuantileError {
    /// Not a probability.
    #[error("the probability is {probability}; it must lie strictly between 0 and 1")]
    Probability {
        /// The value given.
        probability: f64,
    },
    /// A parameter of the distribution is out of range.
    #[error("the parameter {value} is out of range; it must be above 0 and at most 1e9")]
    Parameter {
        /// The value given.
        value: f64,
    },
    /// Not a confidence level.
    #[error("the confidence level is {level}; it must lie strictly between 0 and 1")]
    Level {
        /// The value given.
        level: f64,
    },
    /// Not a test statistic.
    #[error("the statistic is {value}; it must be a finite number, zero or more")]
    Statistic {
        /// The value given.
        value: f64,
    },
    /// Not a proportion.
    #[error("the proportion is {proportion}; it must lie between 0 and 1")]
    Proportion {
        /// The value given.
        proportion: f64,
    },
}

impl QuantileError {
    /// The same message in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            QuantileError::Probability { probability } => {
                format!("xác suất là {probability}; phải nằm giữa 0 và 1, không kể hai đầu")
            }
            QuantileError::Parameter { value } => {
                format!("tham số {value} nằm ngoài khoảng; phải lớn hơn 0 và không quá 1e9")
            }
            QuantileError::Level { level } => {
                format!("độ tin cậy là {level}; phải nằm giữa 0 và 1, không kể hai đầu")
            }
            QuantileError::Statistic { value } => format!("thống kê là {value}; phải là số hữu hạn, không âm"),
            QuantileError::Proportion { proportion } => format!("tỷ lệ là {proportion}; phải từ 0 đến 1"),
        }
    }
}

fn check_probability(probability: f64) -> Result<(), QuantileError> {
    if probability > 0.0 && probability < 1.0 {
        Ok(())
    } else {
        Err(QuantileError::Probability { probability })
    }
}

pub(super) fn check_parameter(value: f64) -> Result<(), QuantileError> {
    if value > 0.0 && value <= LARGEST_PARAMETER {
        Ok(())
    } else {
        Err(QuantileError::Parameter { value })
    }
}

/// The t with P(T ≤ t) = `probability` for Student's t with `degrees_of_freedom`, which need not be whole.
///
/// # Errors
/// [`QuantileError`] unless 0 < probability < 1 and 0 < degrees of freedom ≤ 1e9.
pub fn student_t_quantile(probability: f64, degrees_of_freedom: f64) -> Result<f64, QuantileError> {
    check_probability(probability)?;
    check_parameter(degrees_of_freedom)?;
    if probability == 0.5 {
        return Ok(0.0);
    }
    let sign = if probability < 0.5 { -1.0 } else { 1.0 };
    let tail = probability.min(1.0 - probability);
    let (a, b) = (degrees_of_freedom / 2.0, 0.5);
    // P(T > t) = ½ I_x(df/2, ½) with x = df / (df + t²) for t ≥ 0, and its density from the same prefactor.
    let upper_tail = |t: f64| {
        let ratio = t * t / degrees_of_freedom;
        let (x, y) = if ratio.is_finite() {
            (1.0 / (1.0 + ratio), ratio / (1.0 + ratio))
        } else {
            (0.0, 1.0)
        };
        let excess = 0.5 * incomplete_beta(a, b, x, y).0 - tail;
        (excess, -beta_prefactor(a, b, x, y) / t)
    };
    let mut high = 1.0;
    while upper_tail(high).0 > 0.0 {
        high *= 2.0;
    }
    Ok(sign * decreasing_root(upper_tail, 0.0, high))
}

/// The x with P(X ≤ x) = `probability` for the beta distribution with parameters a and b.
///
/// # Errors
/// [`QuantileError`] unless 0 < probability < 1, 0 < a ≤ 1e9 and 0 < b ≤ 1e9.
pub fn beta_quantile(probability: f64, a: f64, b: f64) -> Result<f64, QuantileError> {
    check_probability(probability)?;
    check_parameter(a)?;
    check_parameter(b)?;
    if a == 1.0 {
        // 1 − (1 − p)^(1/b)
        return Ok(-((-probability).ln_1p() / b).exp_m1());
    }
    if b == 1.0 {
        return Ok(probability.powf(1.0 / a));
    }
    // P(X > x) falls in x, like the tail of t. Taking the smaller tail keeps its relative accuracy.
    let upper_tail = |x: f64| {
        let y = 1.0 - x;
        let (lower, upper) = incomplete_beta(a, b, x, y);
        let excess = if probability <= 0.5 {
            probability - lower
        } else {
            upper - (1.0 - probability)
        };
        (excess, -beta_prefactor(a, b, x, y) / (x * y))
    };
    Ok(decreasing_root(upper_tail, 0.0, 1.0))
}

/// The zero of a decreasing function between `low` and `high`, given as (value, slope): Newton's step where it stays
/// inside the bracket, else its middle.
pub(super) fn decreasing_root(function: impl Fn(f64) -> (f64, f64), mut low: f64, mut high: f64) -> f64 {
    let mut point = 0.5 * (low + high);
    for _ in 0..LARGEST_STEPS {
        let (value, slope) = function(point);
        if value > 0.0 {
            low = point;
        } else if value < 0.0 {
            high = point;
        } else {
            return point;
        }
        let newton = point - value / slope;
        let next = if newton > low && newton < high {
            newton
        } else {
            0.5 * (low + high)
        };
        if (next - point).abs() <= f64::EPSILON * next.abs() || next == low || next == high {
            return next;
        }
        point = next;
    }
    point
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(actual: f64, expected: f64) {
        assert!(
            (actual - expected).abs() <= 1e-12 * expected.abs(),
            "{actual} is not {expected}"
        );
    }

    #[test]
    fn closed_forms_of_student_t() {
        for probability in [0.001, 0.2, 0.6, 0.975, 0.9995_f64] {
            let cauchy = (std::f64::consts::PI * (probability - 0.5)).tan();
            assert_close(student_t_quantile(probability, 1.0).unwrap(), cauchy);
            let alpha = 4.0 * probability * (1.0 - probability);
            let two = 2.0 * (probability - 0.5) * (2.0 / alpha).sqrt();
            assert_close(student_t_quantile(probability, 2.0).unwrap(), two);
        }
        assert_eq!(student_t_quantile(0.5, 3.0), Ok(0.0));
    }

    #[test]
    fn closed_forms_of_beta() {
        assert_close(beta_quantile(0.3, 1.0, 4.0).unwrap(), 1.0 - 0.7_f64.powf(0.25));
        assert_close(beta_quantile(0.3, 4.0, 1.0).unwrap(), 0.3_f64.powf(0.25));
        // Symmetry: the quantile of (a, b) at p is one minus that of (b, a) at 1 − p.
        for (a, b) in [(2.5, 40.0), (300.0, 7.0), (0.3, 0.4)] {
            let direct = beta_quantile(0.025, a, b).unwrap();
            assert!((direct - (1.0 - beta_quantile(0.975, b, a).unwrap())).abs() < 1e-14);
        }
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(
            student_t_quantile(1.0, 3.0),
            Err(QuantileError::Probability { probability: 1.0 })
        );
        assert_eq!(
            student_t_quantile(0.9, 0.0),
            Err(QuantileError::Parameter { value: 0.0 })
        );
        assert!(student_t_quantile(0.9, f64::NAN).is_err());
        assert!(beta_quantile(f64::NAN, 1.0, 1.0).is_err());
        assert!(beta_quantile(0.5, 1.0, f64::INFINITY).is_err());
        assert!(QuantileError::Parameter { value: 0.0 }.vietnamese().contains("tham số"));
    }
}
