//! What can be wrong with conflicts.

use crate::estimators::EstimationError;
use crate::summary::SummaryError;

/// Why bounds cannot be computed.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum BoundsError {
    /// A conflicted household has no possible value.
    #[error("conflicted household {household} has no options; there must be at least one")]
    NoOptions {
        /// Position in the list of conflicted households.
        household: usize,
    },
    /// A weight is not a positive number.
    #[error("conflicted household {household} has weight {weight}; it must be a positive number")]
    Weight {
        /// Position in the list of conflicted households.
        household: usize,
        /// The value given.
        weight: f64,
    },
    /// A weighted total of the other households is not usable.
    #[error(
        "the totals without conflicted households are {numerator} / {denominator}; both must be numbers, the second not negative"
    )]
    Totals {
        /// Numerator given.
        numerator: f64,
        /// Denominator given.
        denominator: f64,
    },
    /// A value of a conflicted household is not usable.
    #[error("conflicted household {household}: {error}")]
    Value {
        /// Position in the list of conflicted households.
        household: usize,
        /// What is wrong.
        error: SummaryError,
    },
    /// A conflicted household is in a hamlet that is not in the domain or has no responses.
    #[error("conflicted household {household} is in hamlet {psu}, which has no counted household in the domain")]
    OutsideDomain {
        /// Position in the list of conflicted households.
        household: usize,
        /// The hamlet given.
        psu: usize,
    },
    /// A hamlet has more conflicted households than responding ones.
    #[error("hamlet {psu} has more conflicted households than its {households} responding ones")]
    TooManyConflicts {
        /// The hamlet.
        psu: usize,
        /// Its responding households.
        households: u64,
    },
    /// The estimate itself cannot be asked for.
    #[error(transparent)]
    Estimation(#[from] EstimationError),
}

impl BoundsError {
    /// The same message in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            BoundsError::NoOptions { household } => {
                format!("hộ xung đột {household} không có phương án nào; phải có ít nhất một")
            }
            BoundsError::Weight { household, weight } => {
                format!("hộ xung đột {household} có quyền số {weight}; phải là số dương")
            }
            BoundsError::Totals { numerator, denominator } => format!(
                "tổng của các hộ không xung đột là {numerator} / {denominator}; cả hai phải là số, số sau không âm"
            ),
            BoundsError::Value { household, error } => format!("hộ xung đột {household}: {}", error.vietnamese()),
            BoundsError::OutsideDomain { household, psu } => {
                format!("hộ xung đột {household} thuộc ấp {psu}, nơi không có hộ nào của miền được tính")
            }
            BoundsError::TooManyConflicts { psu, households } => {
                format!("ấp {psu} có nhiều hộ xung đột hơn {households} hộ đã trả lời")
            }
            BoundsError::Estimation(error) => error.vietnamese(),
        }
    }
}
