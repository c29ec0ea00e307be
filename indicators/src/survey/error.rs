//! What can be wrong with the columns of a survey.

use super::undefined::Undefined;

/// Which column is meant. Stages are counted from 1, as survey reports do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// Sampling weights.
    Weight,
    /// Codes of strata.
    Stratum {
        /// The stage, from 1.
        stage: usize,
    },
    /// Codes of clusters.
    Cluster {
        /// The stage, from 1.
        stage: usize,
    },
    /// Numbers of units in the population.
    PopulationSize {
        /// The stage, from 1.
        stage: usize,
    },
    /// Inclusion probabilities.
    InclusionProbability {
        /// The stage, from 1.
        stage: usize,
    },
    /// Joint inclusion probabilities; the row is a cluster, in the order in which clusters first appear.
    JointProbability,
    /// Values of a variable.
    Value {
        /// Its name.
        name: String,
    },
    /// Marks or codes that make domains.
    Domain,
}

impl Column {
    fn english(&self) -> String {
        match self {
            Column::Weight => "weights".to_owned(),
            Column::Stratum { stage } => format!("strata of stage {stage}"),
            Column::Cluster { stage } => format!("clusters of stage {stage}"),
            Column::PopulationSize { stage } => format!("population sizes of stage {stage}"),
            Column::InclusionProbability { stage } => format!("inclusion probabilities of stage {stage}"),
            Column::JointProbability => "joint inclusion probabilities".to_owned(),
            Column::Value { name } => format!("values of «{name}»"),
            Column::Domain => "domains".to_owned(),
        }
    }

    fn vietnamese(&self) -> String {
        match self {
            Column::Weight => "trọng số".to_owned(),
            Column::Stratum { stage } => format!("tầng ở bước {stage}"),
            Column::Cluster { stage } => format!("cụm ở bước {stage}"),
            Column::PopulationSize { stage } => format!("số đơn vị của tổng thể ở bước {stage}"),
            Column::InclusionProbability { stage } => format!("xác suất chọn ở bước {stage}"),
            Column::JointProbability => "xác suất chọn đồng thời".to_owned(),
            Column::Value { name } => format!("giá trị của «{name}»"),
            Column::Domain => "miền".to_owned(),
        }
    }
}

/// What a number must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement {
    /// A finite number.
    Finite,
    /// A number of elements that a row stands for: from 0 to 2^53.
    Weight,
    /// Above 0 and at most 1.
    Probability,
    /// A joint probability: symmetric, above 0, and at most the smaller of the two clusters' own.
    JointProbability,
    /// At least the number of units sampled, given here, and finite.
    AtLeast(u64),
}

impl Requirement {
    fn english(self) -> String {
        match self {
            Requirement::Finite => "a finite number".to_owned(),
            Requirement::Weight => "a number from 0 to 2^53".to_owned(),
            Requirement::Probability => "above 0 and at most 1".to_owned(),
            Requirement::JointProbability => {
                "symmetric, above 0 and at most the smaller of the two inclusion probabilities".to_owned()
            }
            Requirement::AtLeast(sampled) => {
                format!("a count of at least {sampled}, the number of units sampled there")
            }
        }
    }

    fn vietnamese(self) -> String {
        match self {
            Requirement::Finite => "là số hữu hạn".to_owned(),
            Requirement::Weight => "là số từ 0 đến 2^53".to_owned(),
            Requirement::Probability => "lớn hơn 0 và không quá 1".to_owned(),
            Requirement::JointProbability => {
                "đối xứng, lớn hơn 0 và không quá xác suất chọn nhỏ hơn của hai cụm".to_owned()
            }
            Requirement::AtLeast(sampled) => format!("ít nhất {sampled}, là số đơn vị đã chọn ở đó"),
        }
    }
}

/// Why columns cannot be used. Rows are counted from 0, in the order given.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SurveyError {
    /// There are no rows.
    #[error("there are no rows; a survey needs at least one sampled element")]
    NoRows,
    /// There are more rows than can be numbered.
    #[error("there are {rows} rows; at most {most} can be used together")]
    TooManyRows {
        /// Rows given.
        rows: usize,
        /// Most that can be used.
        most: usize,
    },
    /// No stage of sampling is described.
    #[error("the design has no stage; describe at least the first")]
    NoStages,
    /// A column has more or fewer entries than there are rows.
    #[error("the column of {} has {given} entries; there must be {expected}, one per row", column.english())]
    Length {
        /// The column.
        column: Column,
        /// Its entries.
        given: usize,
        /// Entries needed.
        expected: usize,
    },
    /// A number is not what it must be.
    #[error("row {row}: the column of {} has {value}; it must be {}", column.english(), must.english())]
    Number {
        /// The row.
        row: usize,
        /// The column.
        column: Column,
        /// The value.
        value: f64,
        /// What it must be.
        must: Requirement,
    },
    /// A cluster appears in two strata.
    #[error(
        "row {row}: cluster {cluster} of stage {stage} is in stratum {stratum} here and in stratum {other_stratum} in \
         row {other_row}; a cluster has one stratum, so correct the stratum, give the clusters codes of their own, or \
         state that codes of clusters start anew in each stratum"
    )]
    ClusterInTwoStrata {
        /// The row.
        row: usize,
        /// Stage, from 1.
        stage: usize,
        /// Code of the cluster.
        cluster: u32,
        /// Code of its stratum in `row`.
        stratum: u32,
        /// Code of its stratum in `other_row`.
        other_stratum: u32,
        /// A row of the same cluster.
        other_row: usize,
    },
    /// A number that belongs to a stratum or cluster differs between its rows.
    #[error(
        "row {row}: the column of {} has {value} here and {other_value} in row {other_row}, in the same {}; there must \
         be one value in each", column.english(), within.english()
    )]
    Varies {
        /// The row.
        row: usize,
        /// The column.
        column: Column,
        /// The value in `row`.
        value: f64,
        /// The value in `other_row`.
        other_value: f64,
        /// The row compared with.
        other_row: usize,
        /// Within what it must be the same.
        within: Within,
    },
    /// A code of a domain is too large.
    #[error("row {row}: the domain's code is {code}; there are {domains} domains, numbered from 0")]
    UnknownDomain {
        /// The row.
        row: usize,
        /// Its code.
        code: u32,
        /// Number of domains.
        domains: usize,
    },
    /// Joint probabilities are given for a stage after the first.
    #[error(
        "stage {stage} has joint inclusion probabilities; only the first stage can have them. Use Brewer's \
         approximation for later stages"
    )]
    JointProbabilitiesBelowFirstStage {
        /// The stage, from 1.
        stage: usize,
    },
    /// A probability for a quantile, or another setting, is out of range.
    #[error("{quantity} is {value}; it must lie strictly between 0 and 1")]
    Fraction {
        /// What it is.
        quantity: Quantity,
        /// The value.
        value: f64,
    },
    /// A list of coefficients has another length than the list of statistics.
    #[error("there are {given} coefficients for {expected} statistics; there must be one for each")]
    Coefficients {
        /// Coefficients given.
        given: usize,
        /// Statistics.
        expected: usize,
    },
}

/// What a number belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    /// A stratum.
    Stratum,
    /// A cluster.
    Cluster,
}

impl Within {
    fn english(self) -> &'static str {
        match self {
            Within::Stratum => "stratum",
            Within::Cluster => "cluster",
        }
    }

    fn vietnamese(self) -> &'static str {
        match self {
            Within::Stratum => "tầng",
            Within::Cluster => "cụm",
        }
    }
}

/// A setting that is a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// The share of the population below a quantile.
    QuantileProbability,
}

impl std::fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Quantity::QuantileProbability => "the probability of the quantile",
        })
    }
}

impl Quantity {
    fn vietnamese(self) -> &'static str {
        match self {
            Quantity::QuantileProbability => "xác suất của phân vị",
        }
    }
}

impl SurveyError {
    /// The same message in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            SurveyError::NoRows => "không có dòng nào; cuộc khảo sát cần ít nhất một phần tử mẫu".to_owned(),
            SurveyError::TooManyRows { rows, most } => {
                format!("có {rows} dòng; chỉ dùng được cùng lúc nhiều nhất {most} dòng")
            }
            SurveyError::NoStages => "thiết kế không có bước chọn mẫu nào; hãy mô tả ít nhất bước đầu".to_owned(),
            SurveyError::Length {
                column,
                given,
                expected,
            } => format!(
                "cột {} có {given} giá trị; phải có {expected}, mỗi dòng một giá trị",
                column.vietnamese()
            ),
            SurveyError::Number {
                row,
                column,
                value,
                must,
            } => format!(
                "dòng {row}: cột {} có giá trị {value}; phải {}",
                column.vietnamese(),
                must.vietnamese()
            ),
            SurveyError::ClusterInTwoStrata {
                row,
                stage,
                cluster,
                stratum,
                other_stratum,
                other_row,
            } => format!(
                "dòng {row}: cụm {cluster} ở bước {stage} thuộc tầng {stratum}, nhưng ở dòng {other_row} thuộc tầng \
                 {other_stratum}; một cụm chỉ thuộc một tầng, hãy sửa tầng, đặt mã riêng cho các cụm, hoặc khai rằng mã \
                 cụm được đánh lại trong từng tầng"
            ),
            SurveyError::Varies {
                row,
                column,
                value,
                other_value,
                other_row,
                within,
            } => format!(
                "dòng {row}: cột {column} có giá trị {value}, nhưng ở dòng {other_row} là {other_value}, trong cùng một \
                 {within}; mỗi {within} chỉ có một giá trị",
                column = column.vietnamese(),
                within = within.vietnamese(),
            ),
            SurveyError::UnknownDomain { row, code, domains } => {
                format!("dòng {row}: mã miền là {code}; có {domains} miền, đánh số từ 0")
            }
            SurveyError::JointProbabilitiesBelowFirstStage { stage } => format!(
                "bước {stage} có xác suất chọn đồng thời; chỉ bước đầu mới dùng được. Hãy dùng công thức gần đúng của \
                 Brewer cho các bước sau"
            ),
            SurveyError::Fraction { quantity, value } => {
                format!(
                    "{} là {value}; phải nằm giữa 0 và 1, không kể hai đầu",
                    quantity.vietnamese()
                )
            }
            SurveyError::Coefficients { given, expected } => {
                format!("có {given} hệ số cho {expected} thống kê; mỗi thống kê cần một hệ số")
            }
        }
    }
}

/// Why a statistic could not be made: the columns are wrong, or it is undefined for them.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StatisticError {
    /// The columns are wrong.
    #[error(transparent)]
    Columns(#[from] SurveyError),
    /// The statistic is undefined.
    #[error(transparent)]
    Undefined(#[from] Undefined),
}

impl StatisticError {
    /// The same message in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            StatisticError::Columns(error) => error.vietnamese(),
            StatisticError::Undefined(reason) => reason.vietnamese().to_owned(),
        }
    }
}
