//! What can be wrong with conflicts and suspected duplicates.

use crate::estimators::EstimationError;
use crate::summary::SummaryError;

/// Why bounds cannot be computed.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum BoundsError {
    /// An unsettled household has no possible value.
    #[error("unsettled household {household} has no options; there must be at least one")]
    NoOptions {
        /// Position in the list of unsettled households.
        household: usize,
    },
    /// A weight is not a positive number.
    #[error("unsettled household {household} has weight {weight}; it must be a positive number")]
    Weight {
        /// Position in the list of unsettled households.
        household: usize,
        /// The value given.
        weight: f64,
    },
    /// A weighted total of the other households is not usable.
    #[error(
        "the totals without unsettled households are {numerator} / {denominator}; both must be numbers, the second not negative"
    )]
    Totals {
        /// Numerator given.
        numerator: f64,
        /// Denominator given.
        denominator: f64,
    },
    /// A value of an unsettled household is not usable.
    #[error("unsettled household {household}: {error}")]
    Value {
        /// Position in the list of unsettled households.
        household: usize,
        /// What is wrong.
        error: SummaryError,
    },
    /// An unsettled household is in a hamlet that is not in the domain or has no responses.
    #[error("unsettled household {household} is in hamlet {psu}, which has no counted household in the domain")]
    OutsideDomain {
        /// Position in the list of unsettled households.
        household: usize,
        /// The hamlet given.
        psu: usize,
    },
    /// A hamlet has more unsettled households than responding ones.
    #[error("hamlet {psu} has more unsettled households than its {households} responding ones")]
    TooManyConflicts {
        /// The hamlet.
        psu: usize,
        /// Its responding households.
        households: u64,
    },
    /// A group of suspected duplicates names more or fewer responses than it has.
    #[error("group {group} of suspected duplicates names {given} responses; it has {expected}")]
    GroupSize {
        /// Position in the list of groups.
        group: usize,
        /// Responses named.
        given: usize,
        /// Responses that it has.
        expected: usize,
    },
    /// A group of suspected duplicates names a household that is not listed, or that a group has named before.
    #[error(
        "group {group} of suspected duplicates names household {household}, which is not listed or in a group already"
    )]
    GroupMember {
        /// Position in the list of groups.
        group: usize,
        /// The household's position as named.
        household: usize,
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
                format!("hộ chưa rõ {household} không có phương án nào; phải có ít nhất một")
            }
            BoundsError::Weight { household, weight } => {
                format!("hộ chưa rõ {household} có quyền số {weight}; phải là số dương")
            }
            BoundsError::Totals { numerator, denominator } => {
                format!("tổng của các hộ đã rõ là {numerator} / {denominator}; cả hai phải là số, số sau không âm")
            }
            BoundsError::Value { household, error } => format!("hộ chưa rõ {household}: {}", error.vietnamese()),
            BoundsError::OutsideDomain { household, psu } => {
                format!("hộ chưa rõ {household} thuộc ấp {psu}, nơi không có hộ nào của miền được tính")
            }
            BoundsError::TooManyConflicts { psu, households } => {
                format!("ấp {psu} có nhiều hộ chưa rõ hơn {households} hộ đã trả lời")
            }
            BoundsError::GroupSize { group, given, expected } => {
                format!("nhóm nghi trùng {group} nêu {given} phiếu; nhóm có {expected} phiếu")
            }
            BoundsError::GroupMember { group, household } => {
                format!("nhóm nghi trùng {group} nêu hộ {household}, không có trong danh sách hoặc đã thuộc một nhóm")
            }
            BoundsError::Estimation(error) => error.vietnamese(),
        }
    }
}
