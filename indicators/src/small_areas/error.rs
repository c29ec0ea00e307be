//! What can be wrong with an area-level model, or with the variances for it.

use crate::linear_algebra::LinearAlgebraError;

/// A number that must be finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// The direct estimate.
    DirectEstimate,
    /// The area's weight in the whole.
    BenchmarkWeight,
}

/// Why a model cannot be fitted or benchmarked, or variances not smoothed. Areas and covariates are named by their positions from 0.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum SmallAreaError {
    /// A list has not one entry an area.
    #[error("there are {given} entries; there must be {expected}, one for each area")]
    Length {
        /// Entries given.
        given: usize,
        /// Entries needed.
        expected: usize,
    },
    /// A number is infinite or not a number.
    #[error("the {} of area {area} is not a finite number", match value {
        Value::DirectEstimate => "direct estimate",
        Value::BenchmarkWeight => "weight",
    })]
    NotFinite {
        /// Which number.
        value: Value,
        /// The area.
        area: usize,
    },
    /// A sampling variance is not above 0.
    #[error(
        "the sampling variance of area {area} is {given}; it must be a finite number above 0: \
         leave the area's direct estimate out where its variance is unknown"
    )]
    SamplingVariance {
        /// The area.
        area: usize,
        /// The variance given.
        given: f64,
    },
    /// A variance to be smoothed is negative or not finite.
    #[error(
        "the variance of area {area} is {given}; it must be a finite number from 0, or left out where it is unknown"
    )]
    DesignVariance {
        /// The area.
        area: usize,
        /// The variance given.
        given: f64,
    },
    /// A variance cannot be smoothed without respondents.
    #[error("area {area} has no respondents; leave it out")]
    NoRespondents {
        /// The area.
        area: usize,
    },
    /// An expected proportion does not lie between 0 and 1.
    #[error("the proportion expected of area {area} is {given}; it must be above 0 and below 1")]
    ExpectedProportion {
        /// The area.
        area: usize,
        /// The proportion given.
        given: f64,
    },
    /// Nothing says how much the design effect is.
    #[error("no area has a variance above 0, so that no design effect can be had from them")]
    NoDesignEffect,
    /// There are too few directly estimated areas for so many covariates.
    #[error(
        "{areas} areas have direct estimates and there are {columns} covariates; \
         there must be at least one covariate, and two more areas than covariates"
    )]
    TooFewAreas {
        /// Areas with direct estimates.
        areas: usize,
        /// Columns of the covariates.
        columns: usize,
    },
    /// A covariate depends on those before it, among the directly estimated areas.
    #[error(
        "covariate {column} depends linearly on those before it, or is zero, in the areas with direct estimates; leave it out"
    )]
    DependentCovariate {
        /// The first such column.
        column: usize,
    },
    /// Numbers are so large or small that the model's figures are beyond what can be represented.
    #[error(
        "the direct estimates or covariates are too large or too small to compute with; measure them in another unit"
    )]
    OutOfRange,
    /// The covariates are not usable otherwise.
    #[error("the covariates: {0}")]
    Covariates(LinearAlgebraError),
    /// The weights are not those of parts of a whole.
    #[error("the weight of area {area} is {given}; it must not be negative, and one must be above 0")]
    BenchmarkWeight {
        /// The area.
        area: usize,
        /// The weight given.
        given: f64,
    },
    /// The figure to agree with is not a finite number.
    #[error("the figure for the whole is {given}; it must be a finite number")]
    BenchmarkTotal {
        /// The figure.
        given: f64,
    },
    /// A ratio cannot be formed.
    #[error(
        "the areas' estimates add up to {sum}, so that no factor brings them to the figure for the whole; add a difference instead"
    )]
    NoRatio {
        /// Σ W·θ̂.
        sum: f64,
    },
    /// No area has a mean squared error above 0 to spread the difference by.
    #[error("no area has a weight and a mean squared error above 0, so that nothing says where the difference belongs")]
    NothingToSpread,
}

impl From<LinearAlgebraError> for SmallAreaError {
    fn from(error: LinearAlgebraError) -> Self {
        match error {
            LinearAlgebraError::Singular { column } => Self::DependentCovariate { column },
            other => Self::Covariates(other),
        }
    }
}

impl SmallAreaError {
    /// The same message in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match *self {
            Self::Length { given, expected } => format!("có {given} mục; phải có {expected}, mỗi khu vực một mục"),
            Self::NotFinite { value, area } => {
                let what = match value {
                    Value::DirectEstimate => "ước lượng trực tiếp",
                    Value::BenchmarkWeight => "trọng số",
                };
                format!("{what} của khu vực {area} không phải là số hữu hạn")
            }
            Self::SamplingVariance { area, given } => format!(
                "phương sai chọn mẫu của khu vực {area} là {given}; phải là số hữu hạn lớn hơn 0: \
                 hãy bỏ ước lượng trực tiếp của khu vực nếu không biết phương sai"
            ),
            Self::DesignVariance { area, given } => format!(
                "phương sai của khu vực {area} là {given}; phải là số hữu hạn từ 0, hoặc để trống nếu không biết"
            ),
            Self::NoRespondents { area } => {
                format!("khu vực {area} không có hộ hay người nào trả lời; hãy bỏ khu vực này")
            }
            Self::ExpectedProportion { area, given } => {
                format!("tỷ lệ dự kiến của khu vực {area} là {given}; phải lớn hơn 0 và nhỏ hơn 1")
            }
            Self::NoDesignEffect => {
                "không khu vực nào có phương sai lớn hơn 0 nên không tính được hệ số thiết kế".to_owned()
            }
            Self::TooFewAreas { areas, columns } => format!(
                "{areas} khu vực có ước lượng trực tiếp và có {columns} biến bổ trợ; \
                 phải có ít nhất một biến, và số khu vực phải hơn số biến ít nhất hai"
            ),
            Self::DependentCovariate { column } => format!(
                "biến bổ trợ {column} phụ thuộc tuyến tính vào các biến trước nó, hoặc bằng không, \
                 ở các khu vực có ước lượng trực tiếp; hãy bỏ biến này"
            ),
            Self::OutOfRange => {
                "ước lượng trực tiếp hoặc biến bổ trợ quá lớn hoặc quá nhỏ để tính toán; hãy đổi đơn vị đo".to_owned()
            }
            Self::Covariates(error) => format!("biến bổ trợ: {}", error.vietnamese()),
            Self::BenchmarkWeight { area, given } => {
                format!("trọng số của khu vực {area} là {given}; không được âm, và phải có ít nhất một số lớn hơn 0")
            }
            Self::BenchmarkTotal { given } => format!("số liệu của toàn bộ là {given}; phải là số hữu hạn"),
            Self::NoRatio { sum } => format!(
                "tổng ước lượng các khu vực là {sum} nên không có hệ số nào đưa về số liệu của toàn bộ; \
                 hãy cộng một hiệu số"
            ),
            Self::NothingToSpread => {
                "không khu vực nào có cả trọng số lẫn sai số bình phương trung bình lớn hơn 0 để phân bổ hiệu số"
                    .to_owned()
            }
        }
    }
}
