//! What can be wrong with a frame, an allocation or an aim.

/// A number that a caller gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// The measure of size of a unit, at this position.
    Size(usize),
    /// The number of units of a stratum.
    Units(usize),
    /// The standard deviation within a stratum.
    StandardDeviation(usize),
    /// The cost of one interview in a stratum.
    Cost(usize),
    /// How much a stratum matters, in a power allocation.
    Importance(usize),
    /// The coefficient of variation within a stratum.
    CoefficientOfVariation(usize),
    /// The exponent of a power allocation.
    Exponent,
    /// What interviews may cost altogether.
    Budget,
    /// The smallest sample of a stratum.
    Minimum,
    /// The margin of error that is aimed at, half an interval's width.
    Margin,
    /// A proportion that is expected.
    Proportion,
    /// A design effect.
    DesignEffect,
    /// The share of the approached who will respond.
    ResponseRate,
    /// The intraclass correlation.
    IntraclassCorrelation,
    /// Interviews in a cluster.
    ClusterSize,
    /// How many units there are altogether.
    Population,
    /// The relative variance of the weights.
    WeightVariation,
    /// The present number of interviews.
    Interviews,
    /// The standard error of an estimate.
    StandardError,
    /// The chance that is asked for.
    Assurance,
    /// The degrees of freedom of a standard error.
    DegreesOfFreedom,
    /// The target's ratio.
    Target,
}

/// Why a sample cannot be drawn or planned. Units, strata and hamlets are named by their positions from 0.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum SamplingError {
    /// So many units cannot be drawn.
    #[error("{size} units shall be drawn of {units}; it must be at least 1 and at most all of them")]
    SampleSize {
        /// The size of the sample.
        size: usize,
        /// Units that there are.
        units: usize,
    },
    /// A number is out of its range.
    #[error("{} is {given}; it must be {}", english(*.value), range_english(*.value))]
    OutOfRange {
        /// Which number.
        value: Value,
        /// What was given.
        given: f64,
    },
    /// The sizes add up to more than 64 bits hold.
    #[error("the measures of size add up to more than 2^64 − 1; state them in a larger unit")]
    TotalTooLarge,
    /// A list has not one entry a stratum or unit.
    #[error("there are {given} entries of {what}; there must be {expected}")]
    Length {
        /// What is listed.
        what: &'static str,
        /// Entries given.
        given: usize,
        /// Entries needed.
        expected: usize,
    },
    /// A unit names a stratum that does not exist.
    #[error("unit {unit} is in stratum {stratum}; there are {strata} strata, numbered from 0")]
    UnknownStratum {
        /// Position of the unit.
        unit: usize,
        /// The stratum it names.
        stratum: usize,
        /// Number of strata.
        strata: usize,
    },
    /// A stratum cannot give so many units.
    #[error("stratum {stratum} shall give {size} units and has {units}; it must give from 1 to all of them")]
    StratumSize {
        /// The stratum.
        stratum: usize,
        /// Units to be drawn there.
        size: usize,
        /// Units that it has.
        units: usize,
    },
    /// The minimum of each stratum asks for more than the whole sample.
    #[error(
        "{size} units are fewer than the strata's minimum of {needed} together; enlarge the sample or lower the minimum"
    )]
    BelowMinimum {
        /// The size of the sample.
        size: u64,
        /// What the minimum needs.
        needed: u64,
    },
    /// More is asked for than there is.
    #[error("{size} units shall be drawn; all strata together have {units}")]
    AbovePopulation {
        /// The size of the sample.
        size: u64,
        /// Units of all strata.
        units: u64,
    },
    /// Even the smallest sample costs too much.
    #[error("the strata's minimum costs {needed}; the budget is {budget}")]
    BudgetTooSmall {
        /// What the minimum costs.
        needed: f64,
        /// The budget.
        budget: f64,
    },
    /// Every stratum's share would be 0.
    #[error("every stratum has a weight of 0, so that nothing says how to share the sample out; use another rule")]
    NothingToShare,
}

fn english(value: Value) -> String {
    match value {
        Value::Size(unit) => format!("the size of unit {unit}"),
        Value::Units(stratum) => format!("the number of units of stratum {stratum}"),
        Value::StandardDeviation(stratum) => format!("the standard deviation of stratum {stratum}"),
        Value::Cost(stratum) => format!("the cost of an interview in stratum {stratum}"),
        Value::Importance(stratum) => format!("the importance of stratum {stratum}"),
        Value::CoefficientOfVariation(stratum) => format!("the coefficient of variation of stratum {stratum}"),
        Value::Exponent => "the exponent".to_owned(),
        Value::Budget => "the budget".to_owned(),
        Value::Minimum => "the minimum of a stratum".to_owned(),
        Value::Margin => "the margin of error".to_owned(),
        Value::Proportion => "the expected proportion".to_owned(),
        Value::DesignEffect => "the design effect".to_owned(),
        Value::ResponseRate => "the response rate".to_owned(),
        Value::IntraclassCorrelation => "the intraclass correlation".to_owned(),
        Value::ClusterSize => "the number of interviews in a cluster".to_owned(),
        Value::Population => "the population".to_owned(),
        Value::WeightVariation => "the relative variance of the weights".to_owned(),
        Value::Interviews => "the present number of interviews".to_owned(),
        Value::StandardError => "the standard error".to_owned(),
        Value::Assurance => "the chance of a decision".to_owned(),
        Value::DegreesOfFreedom => "the number of degrees of freedom".to_owned(),
        Value::Target => "the target".to_owned(),
    }
}

fn vietnamese(value: Value) -> String {
    match value {
        Value::Size(unit) => format!("kích thước của đơn vị {unit}"),
        Value::Units(stratum) => format!("số đơn vị của tầng {stratum}"),
        Value::StandardDeviation(stratum) => format!("độ lệch chuẩn của tầng {stratum}"),
        Value::Cost(stratum) => format!("chi phí một phiếu ở tầng {stratum}"),
        Value::Importance(stratum) => format!("tầm quan trọng của tầng {stratum}"),
        Value::CoefficientOfVariation(stratum) => format!("hệ số biến thiên của tầng {stratum}"),
        Value::Exponent => "số mũ".to_owned(),
        Value::Budget => "kinh phí".to_owned(),
        Value::Minimum => "cỡ mẫu tối thiểu của một tầng".to_owned(),
        Value::Margin => "sai số biên".to_owned(),
        Value::Proportion => "tỷ lệ dự kiến".to_owned(),
        Value::DesignEffect => "hệ số thiết kế".to_owned(),
        Value::ResponseRate => "tỷ lệ trả lời".to_owned(),
        Value::IntraclassCorrelation => "hệ số tương quan nội cụm".to_owned(),
        Value::ClusterSize => "số phiếu trong một cụm".to_owned(),
        Value::Population => "tổng thể".to_owned(),
        Value::WeightVariation => "phương sai tương đối của quyền số".to_owned(),
        Value::Interviews => "số phiếu hiện có".to_owned(),
        Value::StandardError => "sai số chuẩn".to_owned(),
        Value::Assurance => "xác suất kết luận được".to_owned(),
        Value::DegreesOfFreedom => "số bậc tự do".to_owned(),
        Value::Target => "mục tiêu".to_owned(),
    }
}

/// What is right for a number, in English and Vietnamese.
fn range(value: Value) -> (&'static str, &'static str) {
    match value {
        Value::Size(_) => ("a whole number from 1 to 2^32 − 1", "số nguyên từ 1 đến 2^32 − 1"),
        Value::Units(_) => ("from 1 to 2^32 − 1", "từ 1 đến 2^32 − 1"),
        Value::Minimum => ("at least 1", "ít nhất là 1"),
        Value::StandardDeviation(_) | Value::Importance(_) | Value::CoefficientOfVariation(_) => {
            ("a finite number not below 0", "số hữu hạn không nhỏ hơn 0")
        }
        Value::Cost(_) | Value::Budget | Value::StandardError | Value::DegreesOfFreedom => {
            ("a finite number above 0", "số hữu hạn lớn hơn 0")
        }
        Value::Exponent => ("from 0 to 1", "từ 0 đến 1"),
        Value::Margin | Value::Proportion | Value::Target => ("above 0 and below 1", "lớn hơn 0 và nhỏ hơn 1"),
        Value::ResponseRate => ("above 0 and at most 1", "lớn hơn 0 và không quá 1"),
        Value::DesignEffect => ("above 0 and at most 1e6", "lớn hơn 0 và không quá 1e6"),
        Value::IntraclassCorrelation => (
            "at most 1 and not so far below 0 that the design effect would not be above 0",
            "không quá 1 và không âm đến mức hệ số thiết kế không còn lớn hơn 0",
        ),
        Value::ClusterSize | Value::Population | Value::Interviews => {
            ("at least 1 and at most 1e15", "ít nhất là 1 và không quá 1e15")
        }
        Value::WeightVariation => ("from 0 to 1e6", "từ 0 đến 1e6"),
        Value::Assurance => ("at least 0.5 and below 1", "từ 0,5 trở lên và nhỏ hơn 1"),
    }
}

fn range_english(value: Value) -> &'static str {
    range(value).0
}

impl SamplingError {
    /// The same error where a list held only these units of a larger one.
    pub(super) fn of_units(self, units: &[usize]) -> Self {
        match self {
            Self::OutOfRange {
                value: Value::Size(place),
                given,
            } => Self::OutOfRange {
                value: Value::Size(units.get(place).copied().unwrap_or(place)),
                given,
            },
            other => other,
        }
    }

    /// The same message in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match *self {
            Self::SampleSize { size, units } => {
                format!("cần rút {size} trong {units} đơn vị; phải rút ít nhất 1 và nhiều nhất là tất cả")
            }
            Self::OutOfRange { value, given } => format!(
                "{} là {given}; phải {}",
                vietnamese(value),
                match value {
                    Value::Size(_)
                    | Value::StandardDeviation(_)
                    | Value::Importance(_)
                    | Value::CoefficientOfVariation(_)
                    | Value::Cost(_)
                    | Value::Budget
                    | Value::StandardError
                    | Value::DegreesOfFreedom => {
                        format!("là {}", range(value).1)
                    }
                    _ => range(value).1.to_owned(),
                }
            ),
            Self::TotalTooLarge => "tổng kích thước vượt quá 2^64 − 1; hãy dùng đơn vị lớn hơn".to_owned(),
            Self::Length { what, given, expected } => format!("danh sách {what} có {given} mục; phải có {expected}"),
            Self::UnknownStratum { unit, stratum, strata } => {
                format!("đơn vị {unit} thuộc tầng {stratum}; chỉ có {strata} tầng, đánh số từ 0")
            }
            Self::StratumSize { stratum, size, units } => {
                format!("tầng {stratum} phải cho {size} đơn vị nhưng có {units}; phải từ 1 đến tất cả")
            }
            Self::BelowMinimum { size, needed } => format!(
                "cỡ mẫu {size} nhỏ hơn tổng tối thiểu {needed} của các tầng; hãy tăng cỡ mẫu hoặc giảm mức tối thiểu"
            ),
            Self::AbovePopulation { size, units } => {
                format!("cần rút {size} đơn vị; tất cả các tầng chỉ có {units}")
            }
            Self::BudgetTooSmall { needed, budget } => {
                format!("mức tối thiểu của các tầng tốn {needed}; kinh phí chỉ có {budget}")
            }
            Self::NothingToShare => {
                "mọi tầng đều có trọng số 0 nên không biết chia mẫu thế nào; hãy dùng cách phân bổ khác".to_owned()
            }
        }
    }
}
