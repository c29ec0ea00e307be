//! Confidence intervals for ratios, and the quantiles they need.

mod incomplete_beta;
mod incomplete_gamma;
mod normal;
mod proportions;
mod quantiles;
mod tails;

pub use normal::normal_quantile;
pub use proportions::{clopper_pearson, effective_households, logit_t, student_t, wilson};
pub use quantiles::{QuantileError, beta_quantile, student_t_quantile};
pub use tails::{chi_squared_upper_tail, f_upper_tail};

use serde::{Deserialize, Serialize};

/// A confidence level, strictly between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct ConfidenceLevel(f64);

impl ConfidenceLevel {
    /// The usual 95 %.
    pub const NINETY_FIVE_PERCENT: ConfidenceLevel = ConfidenceLevel(0.95);

    /// Takes a level as a fraction, such as 0.95.
    ///
    /// # Errors
    /// [`QuantileError::Level`] unless 0 < level < 1.
    pub fn new(level: f64) -> Result<Self, QuantileError> {
        if level > 0.0 && level < 1.0 {
            Ok(ConfidenceLevel(level))
        } else {
            Err(QuantileError::Level { level })
        }
    }

    /// The level as a fraction.
    pub fn fraction(self) -> f64 {
        self.0
    }

    /// The probability left out on each side, (1 − level) / 2.
    pub fn tail(self) -> f64 {
        (1.0 - self.0) / 2.0
    }
}

impl TryFrom<f64> for ConfidenceLevel {
    type Error = QuantileError;

    fn try_from(level: f64) -> Result<Self, QuantileError> {
        ConfidenceLevel::new(level)
    }
}

impl From<ConfidenceLevel> for f64 {
    fn from(level: ConfidenceLevel) -> f64 {
        level.fraction()
    }
}

/// How an interval was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalMethod {
    /// Everything was enumerated: the interval is the point.
    Census,
    /// Student t on the scale of log(p / (1 − p)), as `survey::svyciprop(method = "logit")`.
    Logit,
    /// Exact binomial with an effective number of households (Korn & Graubard 1998).
    ClopperPearson,
    /// Student t on the scale of the ratio itself.
    StudentT,
    /// Wilson's with an effective number of elements.
    Wilson,
}

/// A confidence interval of a ratio, in the ratio's own unit (a proportion is from 0 to 1).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Its confidence level.
    pub level: ConfidenceLevel,
    /// How it was made.
    pub method: IntervalMethod,
}
