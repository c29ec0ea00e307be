//! The estimator of a ratio for one domain.

use super::estimate::Estimate;
use super::evaluation::Evaluation;
use crate::design::{Domain, List, Sample};
use crate::intervals::ConfidenceLevel;
use crate::variance::LonelyPsu;
use serde::{Deserialize, Serialize};

/// What kind of ratio an indicator is; it decides the interval's method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// The numerator counts a part of what the denominator counts, so that 0 ≤ R ≤ 1.
    Proportion,
    /// Any other ratio, such as devices per person.
    Mean,
}

/// Which indicator to estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Indicator {
    /// Its position in the summaries.
    pub index: usize,
    /// What kind of ratio it is.
    pub measure: Measure,
}

/// Choices that hold for all estimates of a round.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Confidence level of the intervals.
    pub level: ConfidenceLevel,
    /// What to do with lonely units.
    pub lonely_psu: LonelyPsu,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            level: ConfidenceLevel::NINETY_FIVE_PERCENT,
            lonely_psu: LonelyPsu::default(),
        }
    }
}

/// Why an estimate cannot be asked for. What the data do not allow is no error but an [`super::Absence`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EstimationError {
    /// The indicator does not exist in the summaries.
    #[error("indicator {indicator} does not exist; the summaries have {indicators}, numbered from 0")]
    UnknownIndicator {
        /// The position given.
        indicator: usize,
        /// Number of indicators.
        indicators: usize,
    },
    /// The domain has hamlets that the sample's design does not have.
    #[error("the domain was made for another design; make it for the design of the sample")]
    ForeignDomain,
    /// A list has not one entry per indicator.
    #[error("there are {given} {list}; there must be {expected}")]
    Length {
        /// What is listed.
        list: List,
        /// Entries given.
        given: usize,
        /// Entries needed.
        expected: usize,
    },
}

impl EstimationError {
    /// The same message in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            EstimationError::UnknownIndicator { indicator, indicators } => {
                format!("không có chỉ tiêu {indicator}; bảng tổng hợp có {indicators} chỉ tiêu, đánh số từ 0")
            }
            EstimationError::ForeignDomain => {
                "miền được lập cho một thiết kế khác; hãy lập cho đúng thiết kế của mẫu".to_owned()
            }
            EstimationError::Length { list, given, expected } => {
                format!("có {given} {}; phải có {expected}", list.vietnamese())
            }
        }
    }
}

/// Estimates one indicator for one domain, which must have been made for the sample's design.
///
/// Where some of the domain's hamlets have responses, weights and variance are those of the two-stage design, hamlets
/// outside the domain counting as zeros (`survey::svyratio` on `subset` of a `svydesign` with both stages).
///
/// Where all hamlets of the domain have responses (a single hamlet, or a commune taken whole), the design is conditional
/// on that: each hamlet is a stratum of which households were drawn (`svydesign(ids = ~1, strata = ~hamlet, fpc = ~M)`).
/// The unconditional linearisation would be degenerate for one hamlet, whose residuals sum to zero by construction, and
/// for several it would count a choice of hamlets that cannot have gone otherwise for this domain.
///
/// # Errors
/// [`EstimationError`] if the indicator or a hamlet of the domain does not exist.
pub fn ratio(
    sample: &Sample<'_>,
    domain: &Domain,
    indicator: Indicator,
    settings: &Settings,
) -> Result<Estimate, EstimationError> {
    Evaluation::new(sample, settings).ratio(domain, indicator)
}
