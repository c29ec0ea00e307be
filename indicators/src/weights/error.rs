//! What can be wrong with weights and with the totals that they shall meet.

/// A column of one entry per row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightColumn {
    /// Weights.
    Weights,
    /// Inclusion probabilities of a stage, counted from 0.
    Probabilities {
        /// The stage.
        stage: usize,
    },
    /// Dispositions: who responded.
    Dispositions,
    /// Adjustment classes of nonresponse.
    Classes,
    /// Categories of a margin.
    Margin {
        /// Position of the margin.
        margin: usize,
    },
    /// Values of an auxiliary variable.
    Auxiliary {
        /// Position of the variable.
        auxiliary: usize,
    },
    /// Variances of the rows about the regression that calibration assumes.
    Variances,
    /// The household of each person.
    Households,
}

/// A total that weights shall meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Constraint {
    /// A category of a margin.
    Category {
        /// Position of the margin.
        margin: usize,
        /// The category's code.
        category: usize,
    },
    /// A column of the auxiliaries.
    Column {
        /// Position of the variable.
        auxiliary: usize,
        /// Its category, 0 for a variable of one column.
        category: usize,
    },
}

/// Why weights cannot be made. Rows, stages, margins, categories and classes count from 0.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum WeightsError {
    /// There are no rows.
    #[error("there are no rows; at least one is needed")]
    NoRows,
    /// A column has not one entry per row.
    #[error("{} have {given} entries; there must be {expected}, one per row", column_english(*.column))]
    Length {
        /// Which column.
        column: WeightColumn,
        /// Entries given.
        given: usize,
        /// Entries needed.
        expected: usize,
    },
    /// A number is outside what its column allows.
    #[error("row {row}: {} hold {value}; it must be {}", column_english(*.column), column_range_english(*.column))]
    Value {
        /// Which column.
        column: WeightColumn,
        /// The row.
        row: usize,
        /// The number.
        value: f64,
    },
    /// A row names a category, class or household that does not exist.
    #[error("row {row}: {} hold {code}; it must be below {count}", column_english(*.column))]
    UnknownCode {
        /// Which column.
        column: WeightColumn,
        /// The row.
        row: usize,
        /// The code.
        code: u64,
        /// Number of codes.
        count: usize,
    },
    /// There is not one total per column of the auxiliaries.
    #[error("{given} totals are given; there must be {expected}, one per column of the auxiliaries")]
    TotalsLength {
        /// Totals given.
        given: usize,
        /// Totals needed.
        expected: usize,
    },
    /// No margin, category or auxiliary variable is given.
    #[error("there is nothing to agree with; give at least one margin, category or auxiliary variable")]
    NoConstraints,
    /// There are more columns of auxiliaries than a matrix of them may have.
    #[error("the auxiliaries have {columns} columns; there may be {most}: join categories, or rake")]
    TooManyColumns {
        /// Columns of the auxiliaries.
        columns: usize,
        /// Most columns.
        most: usize,
    },
    /// A total is not a number that can be met.
    #[error("{} has the total {value}; it must be {}", constraint_english(*.constraint), total_range_english(*.constraint))]
    Total {
        /// Which total.
        constraint: Constraint,
        /// The total.
        value: f64,
    },
    /// Margins add up to different populations.
    #[error(
        "margin {margin} adds up to {total} and margin 0 to {first_total}; all margins must add up to the same population"
    )]
    ContradictoryMargins {
        /// The first margin that differs from margin 0.
        margin: usize,
        /// What it adds up to.
        total: f64,
        /// What margin 0 adds up to.
        first_total: f64,
    },
    /// No weight is there to meet a total with.
    #[error(
        "{} has the total {total} but no row of positive weight; join it with another category or leave it out",
        constraint_english(*.constraint)
    )]
    EmptyCategory {
        /// Which total.
        constraint: Constraint,
        /// The total.
        total: f64,
    },
    /// An auxiliary says nothing that those before it do not say.
    #[error(
        "{} depends linearly on the auxiliaries before it, or is zero in all rows; leave it out",
        constraint_english(*.constraint)
    )]
    Singular {
        /// The first such column.
        constraint: Constraint,
    },
    /// Bounds of the ratio of new to old weight leave no room, or are missing where they are needed.
    #[error(
        "the bounds are {lower} and {upper}; they must be 0 <= lower < 1 < upper, and finite for logit calibration"
    )]
    Bounds {
        /// Lower bound.
        lower: f64,
        /// Upper bound.
        upper: f64,
    },
    /// A total is beyond what weights within the bounds can reach.
    #[error(
        "{} has the total {total}; weights within the bounds reach from {smallest} to {largest}: widen the bounds or \
         correct the total",
        constraint_english(*.constraint)
    )]
    OutOfReach {
        /// Which total.
        constraint: Constraint,
        /// The total.
        total: f64,
        /// Smallest weighted sum.
        smallest: f64,
        /// Largest weighted sum.
        largest: f64,
    },
    /// A setting is outside its range.
    #[error(
        "the tolerance is {tolerance} and the iterations {iterations}; the tolerance must be above 0, the iterations at least 1"
    )]
    Settings {
        /// Relative deviation at which to stop.
        tolerance: f64,
        /// Most iterations.
        iterations: usize,
    },
    /// The totals were not met.
    #[error(
        "after {iterations} iterations {} still deviates from its total by {deviation} of it; widen the bounds, \
         join small categories or correct the totals",
        constraint_english(*.constraint)
    )]
    NotConverged {
        /// Iterations made.
        iterations: usize,
        /// The total that is furthest off.
        constraint: Constraint,
        /// Its relative deviation.
        deviation: f64,
    },
    /// Nobody responded whose weight could be raised.
    #[error("nobody responded; at least one row must be a respondent with a positive weight")]
    NoRespondents,
    /// The rule for joining classes is outside its range.
    #[error(
        "classes shall have at least {minimum_respondents} respondents and a factor of at most {largest_factor}; \
         the number must be at least 1, the factor above 1"
    )]
    CollapsingRule {
        /// Fewest respondents of a class.
        minimum_respondents: usize,
        /// Largest factor.
        largest_factor: f64,
    },
    /// Bounds of weights leave no room.
    #[error("weights shall be trimmed to {lower} and {upper}; the bounds must be numbers, with 0 <= lower < upper")]
    TrimmingBounds {
        /// Smallest weight.
        lower: f64,
        /// Largest weight.
        upper: f64,
    },
    /// All weights are at the bounds, so nothing can take up what was trimmed.
    #[error("all weights are at the bounds {lower} and {upper}, whose sum cannot be {total}; widen the bounds")]
    NothingLeftToTrim {
        /// Smallest weight.
        lower: f64,
        /// Largest weight.
        upper: f64,
        /// Sum of the weights.
        total: f64,
    },
}

fn column_english(column: WeightColumn) -> String {
    match column {
        WeightColumn::Weights => "the weights".into(),
        WeightColumn::Probabilities { stage } => format!("the inclusion probabilities of stage {stage}"),
        WeightColumn::Dispositions => "the dispositions".into(),
        WeightColumn::Classes => "the adjustment classes".into(),
        WeightColumn::Margin { margin } => format!("the categories of margin {margin}"),
        WeightColumn::Auxiliary { auxiliary } => format!("the values of auxiliary variable {auxiliary}"),
        WeightColumn::Variances => "the variances".into(),
        WeightColumn::Households => "the households of persons".into(),
    }
}

fn column_vietnamese(column: WeightColumn) -> String {
    match column {
        WeightColumn::Weights => "cột trọng số".into(),
        WeightColumn::Probabilities { stage } => format!("cột xác suất chọn ở giai đoạn {stage}"),
        WeightColumn::Dispositions => "cột kết quả tiếp cận".into(),
        WeightColumn::Classes => "cột lớp điều chỉnh".into(),
        WeightColumn::Margin { margin } => format!("cột phân loại của biên {margin}"),
        WeightColumn::Auxiliary { auxiliary } => format!("cột của biến phụ trợ {auxiliary}"),
        WeightColumn::Variances => "cột phương sai".into(),
        WeightColumn::Households => "cột hộ của từng người".into(),
    }
}

fn column_range_english(column: WeightColumn) -> &'static str {
    match column {
        WeightColumn::Weights => "a finite number of at least 0",
        WeightColumn::Probabilities { .. } => "above 0 and at most 1",
        WeightColumn::Variances => "a finite number above 0",
        _ => "a finite number",
    }
}

fn column_range_vietnamese(column: WeightColumn) -> &'static str {
    match column {
        WeightColumn::Weights => "số hữu hạn không âm",
        WeightColumn::Probabilities { .. } => "lớn hơn 0 và không quá 1",
        WeightColumn::Variances => "số hữu hạn lớn hơn 0",
        _ => "số hữu hạn",
    }
}

fn constraint_english(constraint: Constraint) -> String {
    match constraint {
        Constraint::Category { margin, category } => format!("category {category} of margin {margin}"),
        Constraint::Column { auxiliary, category } => format!("category {category} of auxiliary variable {auxiliary}"),
    }
}

fn constraint_vietnamese(constraint: Constraint) -> String {
    match constraint {
        Constraint::Category { margin, category } => format!("nhóm {category} của biên {margin}"),
        Constraint::Column { auxiliary, category } => format!("nhóm {category} của biến phụ trợ {auxiliary}"),
    }
}

fn total_range_english(constraint: Constraint) -> &'static str {
    match constraint {
        Constraint::Category { .. } => "a finite number above 0",
        Constraint::Column { .. } => "a finite number",
    }
}

fn total_range_vietnamese(constraint: Constraint) -> &'static str {
    match constraint {
        Constraint::Category { .. } => "số hữu hạn lớn hơn 0",
        Constraint::Column { .. } => "số hữu hạn",
    }
}

impl WeightsError {
    /// The same message in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match *self {
            WeightsError::NoRows => "không có dòng nào; cần ít nhất một dòng".into(),
            WeightsError::Length {
                column,
                given,
                expected,
            } => {
                let column = column_vietnamese(column);
                format!("{column} có {given} giá trị; phải có {expected}, mỗi dòng một giá trị")
            }
            WeightsError::Value { column, row, value } => {
                let (name, range) = (column_vietnamese(column), column_range_vietnamese(column));
                format!("dòng {row}: {name} có giá trị {value}; phải là {range}")
            }
            WeightsError::UnknownCode {
                column,
                row,
                code,
                count,
            } => {
                let column = column_vietnamese(column);
                format!("dòng {row}: {column} có mã {code}; mã phải nhỏ hơn {count}")
            }
            WeightsError::TotalsLength { given, expected } => {
                format!("có {given} tổng; phải có {expected}, mỗi cột phụ trợ một tổng")
            }
            WeightsError::NoConstraints => {
                "không có gì để hiệu chỉnh theo; cần ít nhất một biên, một nhóm hoặc một biến phụ trợ".into()
            }
            WeightsError::TooManyColumns { columns, most } => {
                format!(
                    "các biến phụ trợ có {columns} cột; chỉ được {most}: hãy gộp nhóm, hoặc dùng hiệu chỉnh theo biên"
                )
            }
            WeightsError::Total { constraint, value } => {
                let (name, range) = (constraint_vietnamese(constraint), total_range_vietnamese(constraint));
                format!("{name} có tổng {value}; phải là {range}")
            }
            WeightsError::ContradictoryMargins {
                margin,
                total,
                first_total,
            } => format!(
                "biên {margin} cộng lại được {total}, biên 0 được {first_total}; mọi biên phải cộng lại bằng cùng một \
                 tổng thể"
            ),
            WeightsError::EmptyCategory { constraint, total } => {
                let name = constraint_vietnamese(constraint);
                format!(
                    "{name} có tổng {total} nhưng không có dòng nào có trọng số dương; hãy gộp với nhóm khác hoặc bỏ"
                )
            }
            WeightsError::Singular { constraint } => {
                let name = constraint_vietnamese(constraint);
                format!("{name} phụ thuộc tuyến tính vào các biến trước nó, hoặc bằng 0 ở mọi dòng; hãy bỏ đi")
            }
            WeightsError::Bounds { lower, upper } => format!(
                "giới hạn là {lower} và {upper}; phải có 0 <= giới hạn dưới < 1 < giới hạn trên, và hữu hạn khi hiệu \
                 chỉnh logit"
            ),
            WeightsError::OutOfReach {
                constraint,
                total,
                smallest,
                largest,
            } => {
                let name = constraint_vietnamese(constraint);
                format!(
                    "{name} có tổng {total}; trọng số trong giới hạn chỉ đạt từ {smallest} đến {largest}: hãy nới giới \
                     hạn hoặc sửa tổng"
                )
            }
            WeightsError::Settings { tolerance, iterations } => format!(
                "sai số cho phép là {tolerance}, số vòng lặp là {iterations}; sai số phải lớn hơn 0, số vòng lặp ít nhất 1"
            ),
            WeightsError::NotConverged {
                iterations,
                constraint,
                deviation,
            } => {
                let name = constraint_vietnamese(constraint);
                format!(
                    "sau {iterations} vòng lặp, {name} vẫn lệch {deviation} so với tổng của nó; hãy nới giới hạn, gộp \
                     nhóm nhỏ hoặc sửa các tổng"
                )
            }
            WeightsError::NoRespondents => "không ai trả lời; cần ít nhất một dòng có trả lời và trọng số dương".into(),
            WeightsError::CollapsingRule {
                minimum_respondents,
                largest_factor,
            } => format!(
                "yêu cầu mỗi lớp có ít nhất {minimum_respondents} đơn vị trả lời và hệ số không quá {largest_factor}; số \
                 đơn vị phải từ 1, hệ số phải lớn hơn 1"
            ),
            WeightsError::TrimmingBounds { lower, upper } => {
                format!(
                    "trọng số được cắt về {lower} và {upper}; phải là các số, với 0 <= giới hạn dưới < giới hạn trên"
                )
            }
            WeightsError::NothingLeftToTrim { lower, upper, total } => format!(
                "mọi trọng số đều nằm ở giới hạn {lower} và {upper}, tổng không thể bằng {total}; hãy nới giới hạn"
            ),
        }
    }
}
