//! What can be wrong with replicate weights.

/// Why replicate weights cannot be made or used. Rows, strata, PSUs, replicates and statistics count from 0.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum ReplicatesError {
    /// There are no rows.
    #[error("there are no rows; at least one is needed")]
    NoRows,
    /// A column has not one entry per row.
    #[error("a column has {given} entries; there must be {expected}, one per row")]
    Length {
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
    /// A replicate weight is no number.
    #[error("row {row} has the weight {value} in replicate {replicate}; it must be a finite number")]
    ReplicateWeight {
        /// The row.
        row: usize,
        /// The replicate.
        replicate: usize,
        /// The weight.
        value: f64,
    },
    /// A PSU is in two strata.
    #[error(
        "row {row}: cluster {cluster} is in stratum {stratum} and, before, in another; number clusters over all strata"
    )]
    ClusterInTwoStrata {
        /// The row.
        row: usize,
        /// Code of the cluster.
        cluster: u32,
        /// Code of the stratum of this row.
        stratum: u32,
    },
    /// The number of PSUs of a stratum is no number, differs within it, or is below what was sampled.
    #[error(
        "row {row}: stratum {stratum} is said to have {value} clusters; it must be one number for the whole stratum, \
         and at least the {sampled} that were sampled"
    )]
    PopulationSize {
        /// The first row of which that is true.
        row: usize,
        /// Code of the stratum.
        stratum: u32,
        /// The number given.
        value: f64,
        /// PSUs sampled in it.
        sampled: usize,
    },
    /// A stratum has one PSU, so nothing can be compared.
    #[error("stratum {stratum} has one cluster; join it with another stratum or treat it as taken with certainty")]
    LonelyPsu {
        /// Code of the stratum.
        stratum: u32,
    },
    /// A stratum has not two PSUs, as half-samples need.
    #[error("stratum {stratum} has {psus} clusters; half-samples need two{}", pairing_english(*.pairing))]
    NotPaired {
        /// Code of the stratum.
        stratum: u32,
        /// Its PSUs.
        psus: usize,
        /// Whether larger strata of an even number may be divided into pairs.
        pairing: bool,
    },
    /// There is nothing that varies.
    #[error("all strata were taken completely; there is no sampling variance to replicate")]
    NothingSampled,
    /// Fay's factor is outside its range.
    #[error("Fay's factor is {rho}; it must be at least 0 and below 1")]
    Fay {
        /// The factor.
        rho: f64,
    },
    /// There are too few or too many replicates.
    #[error("{replicates} replicates are asked for; there must be from 2 to {most}")]
    ReplicateCount {
        /// Replicates asked for.
        replicates: usize,
        /// Most replicates.
        most: usize,
    },
    /// A bootstrap sample would have no or too many PSUs.
    #[error("bootstrap samples of {draws} clusters are asked for in stratum {stratum}; there must be from 1 to {most}")]
    Draws {
        /// Code of the stratum.
        stratum: u32,
        /// PSUs to draw.
        draws: u32,
        /// Most that keep weights from becoming negative.
        most: usize,
    },
    /// A scale is negative or no number, or there is not one per replicate.
    #[error("the scale {value} of replicate {replicate} must be a finite number of at least 0, one for each replicate")]
    Scale {
        /// The replicate.
        replicate: usize,
        /// The scale, or the number of scales given.
        value: f64,
    },
    /// An estimate is no number.
    #[error(
        "statistic {statistic} is {value} {}; it must be a finite number in every replicate: join small domains, or \
         check the weights",
        replicate_english(*.replicate)
    )]
    NotFinite {
        /// The replicate; `None` with the full weights.
        replicate: Option<usize>,
        /// The statistic.
        statistic: usize,
        /// Its value.
        value: f64,
    },
    /// There are more statistics than their covariance, or their values in all replicates, may take.
    #[error(
        "{statistics} statistics in {replicates} replicates are too many; there may be {most}: estimate them in parts"
    )]
    TooManyStatistics {
        /// Statistics of the estimator.
        statistics: usize,
        /// Replicates.
        replicates: usize,
        /// Most statistics for so many replicates.
        most: usize,
    },
    /// A replicate gives another number of statistics than the full weights.
    #[error(
        "there are {given} statistics in replicate {replicate}; there must be {expected}, as with the full weights"
    )]
    StatisticCount {
        /// The replicate.
        replicate: usize,
        /// Statistics it gives.
        given: usize,
        /// Statistics of the full weights.
        expected: usize,
    },
}

fn pairing_english(pairing: bool) -> &'static str {
    if pairing { ", or an even number to pair" } else { "" }
}

fn replicate_english(replicate: Option<usize>) -> String {
    match replicate {
        Some(replicate) => format!("in replicate {replicate}"),
        None => "with the full weights".into(),
    }
}

impl ReplicatesError {
    /// The same message in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match *self {
            ReplicatesError::NoRows => "không có dòng nào; cần ít nhất một dòng".into(),
            ReplicatesError::Length { given, expected } => {
                format!("một cột có {given} giá trị; phải có {expected}, mỗi dòng một giá trị")
            }
            ReplicatesError::Weight { row, value } => {
                format!("dòng {row} có trọng số {value}; phải là số hữu hạn không âm")
            }
            ReplicatesError::ReplicateWeight { row, replicate, value } => {
                format!("dòng {row} có trọng số {value} ở lần lặp {replicate}; phải là số hữu hạn")
            }
            ReplicatesError::ClusterInTwoStrata { row, cluster, stratum } => format!(
                "dòng {row}: cụm {cluster} thuộc tầng {stratum} nhưng trước đó thuộc tầng khác; hãy đánh số cụm chung cho \
                 mọi tầng"
            ),
            ReplicatesError::PopulationSize {
                row,
                stratum,
                value,
                sampled,
            } => format!(
                "dòng {row}: tầng {stratum} được khai có {value} cụm; phải là một số chung cho cả tầng và ít nhất bằng \
                 {sampled} cụm đã chọn"
            ),
            ReplicatesError::LonelyPsu { stratum } => {
                format!("tầng {stratum} chỉ có một cụm; hãy gộp với tầng khác hoặc coi là được chọn chắc chắn")
            }
            ReplicatesError::NotPaired { stratum, psus, pairing } => {
                let pairs = if pairing {
                    ", hoặc một số chẵn để ghép đôi"
                } else {
                    ""
                };
                format!("tầng {stratum} có {psus} cụm; nửa mẫu cần hai cụm{pairs}")
            }
            ReplicatesError::NothingSampled => {
                "mọi tầng đều được chọn toàn bộ; không có phương sai chọn mẫu để lặp lại".into()
            }
            ReplicatesError::Fay { rho } => format!("hệ số Fay là {rho}; phải từ 0 đến dưới 1"),
            ReplicatesError::ReplicateCount { replicates, most } => {
                format!("yêu cầu {replicates} lần lặp; phải từ 2 đến {most}")
            }
            ReplicatesError::Draws { stratum, draws, most } => {
                format!("yêu cầu mẫu bootstrap {draws} cụm ở tầng {stratum}; phải từ 1 đến {most}")
            }
            ReplicatesError::Scale { replicate, value } => {
                format!("hệ số {value} của lần lặp {replicate} phải là số hữu hạn không âm, mỗi lần lặp một hệ số")
            }
            ReplicatesError::NotFinite {
                replicate,
                statistic,
                value,
            } => {
                let place = match replicate {
                    Some(replicate) => format!("ở lần lặp {replicate}"),
                    None => "với trọng số đầy đủ".into(),
                };
                format!(
                    "thống kê {statistic} là {value} {place}; phải là số hữu hạn ở mọi lần lặp: hãy gộp các miền nhỏ, \
                     hoặc kiểm tra trọng số"
                )
            }
            ReplicatesError::TooManyStatistics {
                statistics,
                replicates,
                most,
            } => format!(
                "{statistics} thống kê ở {replicates} lần lặp là quá nhiều; chỉ được {most}: hãy ước lượng từng phần"
            ),
            ReplicatesError::StatisticCount {
                replicate,
                given,
                expected,
            } => format!("lần lặp {replicate} cho {given} thống kê; phải có {expected} như với trọng số đầy đủ"),
        }
    }
}

/// Why a variance cannot be computed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum VarianceError<E: std::error::Error> {
    /// The replicates, or what the estimator gives, cannot be used.
    #[error(transparent)]
    Replicates(#[from] ReplicatesError),
    /// The estimator, or the adjustment of weights, fails.
    #[error("{}: {source}", replicate_english(*.replicate))]
    Estimator {
        /// The replicate; `None` with the full weights.
        replicate: Option<usize>,
        /// What it says.
        source: E,
    },
}
