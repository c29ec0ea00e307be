//! What can be wrong with columns that have gaps.

/// Why gaps cannot be counted or filled. Rows, columns and imputations count from 0.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum MissingError {
    /// There are no rows.
    #[error("there are no rows; at least one is needed")]
    NoRows,
    /// A column has not one entry per row.
    #[error("column {column} has {given} entries; there must be {expected}, one per row")]
    Length {
        /// The column, in the order of the arguments.
        column: usize,
        /// Entries given.
        given: usize,
        /// Entries needed.
        expected: usize,
    },
    /// A weight is negative or no number.
    #[error("row {row} has the weight {value}; it must be a finite number of at least 0")]
    Weight {
        /// The row.
        row: usize,
        /// The weight.
        value: f64,
    },
    /// An answer is no number.
    #[error("row {row}, column {column} holds {value}; it must be a finite number, or missing")]
    Value {
        /// The row.
        row: usize,
        /// The column.
        column: usize,
        /// The value.
        value: f64,
    },
    /// Nobody of a class has answered.
    #[error("row {row} has no answer, and nobody else in class {class} has one; join the class with another")]
    NoDonor {
        /// The first row without an answer.
        row: usize,
        /// Its class.
        class: u32,
    },
    /// A row that is said to be observed has no answer.
    #[error("row {row} is said to have answered but has no value; give the value or count the row as missing")]
    NotObserved {
        /// The row.
        row: usize,
    },
    /// There are too few or too many imputations, or no such one.
    #[error("{imputation} imputations are asked for; there must be from {fewest} to {most}")]
    Imputations {
        /// Imputations asked for.
        imputation: usize,
        /// Fewest.
        fewest: usize,
        /// Most.
        most: usize,
    },
    /// A variance is negative, or the degrees of freedom are not positive.
    #[error(
        "imputation {imputation} has {value} as variance or point; variances must be finite and at least 0, points finite"
    )]
    Estimate {
        /// The imputation.
        imputation: usize,
        /// The number.
        value: f64,
    },
    /// The degrees of freedom of complete data are not positive.
    #[error("the degrees of freedom of complete data are {value}; they must be above 0")]
    DegreesOfFreedom {
        /// The number.
        value: f64,
    },
}

impl MissingError {
    /// The same message in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match *self {
            MissingError::NoRows => "không có dòng nào; cần ít nhất một dòng".into(),
            MissingError::Length {
                column,
                given,
                expected,
            } => format!("cột {column} có {given} giá trị; phải có {expected}, mỗi dòng một giá trị"),
            MissingError::Weight { row, value } => {
                format!("dòng {row} có trọng số {value}; phải là số hữu hạn không âm")
            }
            MissingError::Value { row, column, value } => {
                format!("dòng {row}, cột {column} có giá trị {value}; phải là số hữu hạn, hoặc để trống")
            }
            MissingError::NoDonor { row, class } => {
                format!(
                    "dòng {row} không có câu trả lời và không ai khác trong lớp {class} có; hãy gộp lớp này với lớp khác"
                )
            }
            MissingError::NotObserved { row } => format!(
                "dòng {row} được khai là đã trả lời nhưng không có giá trị; hãy cho giá trị hoặc coi dòng này là thiếu"
            ),
            MissingError::Imputations {
                imputation,
                fewest,
                most,
            } => format!("yêu cầu {imputation} lần điền; phải từ {fewest} đến {most}"),
            MissingError::Estimate { imputation, value } => format!(
                "lần điền {imputation} có phương sai hoặc ước lượng là {value}; phương sai phải hữu hạn và không âm, ước \
                 lượng phải hữu hạn"
            ),
            MissingError::DegreesOfFreedom { value } => {
                format!("bậc tự do của dữ liệu đầy đủ là {value}; phải lớn hơn 0")
            }
        }
    }
}
