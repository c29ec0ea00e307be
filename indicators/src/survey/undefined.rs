//! Why a statistic may be undefined although its columns are sound.

use serde::{Deserialize, Serialize};

/// Why a statistic, or a part of its estimate, is undefined although the columns are sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Undefined {
    /// No row of positive weight is in the domain.
    #[error("no sampled element is in the domain")]
    EmptyDomain,
    /// The denominator's total is zero.
    #[error("the denominator's total is zero")]
    ZeroDenominator,
    /// A stratum has one sampled unit of several, and the policy gives no variance there.
    #[error("a stratum has one sampled unit of several, so that nothing is known of how its units differ")]
    SingleUnit,
    /// The domain lies in one first-stage unit of several.
    #[error(
        "all of the domain's elements are in one first-stage unit, so that nothing is known of how such units differ there"
    )]
    SingleUnitInDomain,
    /// There are no more sampled clusters than strata.
    #[error("there are no more sampled clusters than strata, so that the standard error has no known precision")]
    NoDegreesOfFreedom,
    /// All sampled elements are alike and the statistic is not a proportion.
    #[error("all sampled elements are alike, so that nothing bounds the others")]
    NoVariation,
    /// A simple random sample would have variance zero: there is nothing to compare with.
    #[error("a simple random sample would have no variance, so that there is nothing to compare with")]
    NothingToCompare,
    /// The statistic combines others and has no single sample size.
    #[error("the statistic combines several others and has no design effect of its own")]
    Combined,
    /// The statistic is a quantile, of which no design effect is given.
    #[error("no design effect is given for a quantile")]
    QuantileWithoutDesignEffect,
    /// Some replicate has nothing of the domain.
    #[error("a replicate has no element of the domain, or a denominator of zero; the domain rests on too few units")]
    EmptyInReplicate,
    /// An end of the interval would lie beyond all observed values.
    #[error("an end of the interval lies beyond all observed values")]
    BeyondObservations,
    /// The values are not proportions: the point is outside 0 to 1.
    #[error("the statistic is not a proportion between 0 and 1")]
    NotAProportion,
    /// A table needs at least two rows and two columns with observations.
    #[error("the table has fewer than two rows or columns with observations")]
    TableTooSmall,
    /// The equations have no single solution.
    #[error("some cells of the table leave the test without a solution; join rare categories")]
    Singular,
    /// Joint probabilities give a negative estimate of the variance.
    #[error("the estimate of the variance is negative, which joint inclusion probabilities can cause")]
    NegativeVariance,
    /// The statistic's linearised values, or their residuals, are not one per row of the design.
    #[error("the statistic was made from another design, or its residuals are of other rows")]
    ForeignStatistic,
    /// Numbers are so large that a result is beyond what can be represented.
    #[error("the values are too large to compute with")]
    TooLarge,
}

impl Undefined {
    /// The same message in Vietnamese.
    pub fn vietnamese(self) -> &'static str {
        match self {
            Undefined::EmptyDomain => "không có phần tử mẫu nào thuộc miền",
            Undefined::ZeroDenominator => "tổng của mẫu số bằng không",
            Undefined::SingleUnit => {
                "một tầng chỉ có một đơn vị được chọn trong nhiều đơn vị, nên không biết các đơn vị khác nhau thế nào"
            }
            Undefined::SingleUnitInDomain => {
                "mọi phần tử của miền đều thuộc một đơn vị mẫu bước đầu, nên không biết các đơn vị ở đó khác nhau thế nào"
            }
            Undefined::NoDegreesOfFreedom => {
                "số cụm được chọn không nhiều hơn số tầng, nên không biết độ chính xác của sai số chuẩn"
            }
            Undefined::NoVariation => "mọi phần tử mẫu đều như nhau, nên không có gì giới hạn các phần tử khác",
            Undefined::NothingToCompare => {
                "mẫu ngẫu nhiên đơn giản có phương sai bằng không, nên không có gì để so sánh"
            }
            Undefined::Combined => "thống kê này gộp nhiều thống kê khác nên không có hệ số thiết kế riêng",
            Undefined::QuantileWithoutDesignEffect => "phân vị không có hệ số thiết kế",
            Undefined::EmptyInReplicate => {
                "một lần lặp không có phần tử nào của miền, hoặc có mẫu số bằng không; miền dựa trên quá ít đơn vị"
            }
            Undefined::BeyondObservations => "một đầu của khoảng tin cậy nằm ngoài mọi giá trị quan sát được",
            Undefined::NotAProportion => "thống kê không phải là tỷ lệ từ 0 đến 1",
            Undefined::TableTooSmall => "bảng có ít hơn hai dòng hoặc hai cột có quan sát",
            Undefined::Singular => "một số ô của bảng làm cho kiểm định không có lời giải; hãy gộp các loại hiếm gặp",
            Undefined::NegativeVariance => "ước lượng phương sai bị âm, điều mà xác suất chọn đồng thời có thể gây ra",
            Undefined::ForeignStatistic => {
                "thống kê được tạo từ thiết kế khác, hoặc phần dư của nó thuộc các dòng khác"
            }
            Undefined::TooLarge => "các giá trị quá lớn để tính toán",
        }
    }
}
