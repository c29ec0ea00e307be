//! Why a secondary instance cannot be built.

use thiserror::Error;

use super::document_error::DocumentError;
use super::secondary::MAX_SECONDARY_NODES;

/// Why a secondary instance cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("instance {instance:?}: {kind}")]
pub struct SecondaryInstanceError {
    /// The id of the instance.
    pub instance: String,
    /// What is wrong in it.
    pub kind: SecondaryInstanceErrorKind,
}

/// What is wrong in a secondary instance.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SecondaryInstanceErrorKind {
    /// An id that is used already.
    #[error("there are two instances with this id")]
    Repeated,
    /// All instances together pass [`MAX_SECONDARY_NODES`].
    #[error("the instances of the form have more than {MAX_SECONDARY_NODES} cells")]
    TooLarge,
    /// A column whose name is no XML name.
    #[error("row {row}: {column:?} cannot name a column; use letters, digits, '-', '_' and '.', a letter or '_' first")]
    BadColumn {
        /// The row, from 1.
        row: usize,
        /// The name.
        column: String,
    },
    /// CSV text without a first row.
    #[error("the file is empty; its first row names the columns")]
    NoColumns,
    /// A column that is named twice.
    #[error("the column {0:?} is named twice")]
    RepeatedColumn(String),
    /// A quoted cell without its closing quote.
    #[error("row {row}, column {column}: the quoted cell has no closing quote")]
    OpenQuote {
        /// The row, from 1; the row of names counts.
        row: usize,
        /// The column, from 1.
        column: usize,
    },
    /// A row with more cells than there are columns.
    #[error("row {row} has {found} cells, but there are {expected} columns")]
    LongRow {
        /// The row, from 1; the row of names counts.
        row: usize,
        /// How many cells it has.
        found: usize,
        /// How many columns there are.
        expected: usize,
    },
    /// Text that is no JSON.
    #[error("not JSON: {0}")]
    NotJson(String),
    /// JSON that is no collection of features.
    #[error("not GeoJSON: a FeatureCollection with a list of features is needed")]
    NotFeatures,
    /// A feature that cannot be read.
    #[error("feature {0} is not a Feature with a Point, LineString or Polygon of numbers (longitude, latitude)")]
    BadFeature(usize),
    /// Text that is no XML.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

impl SecondaryInstanceError {
    pub(super) fn new(instance: &str, kind: SecondaryInstanceErrorKind) -> Self {
        Self {
            instance: instance.to_owned(),
            kind,
        }
    }

    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        use SecondaryInstanceErrorKind as Kind;
        let what = match &self.kind {
            Kind::Repeated => "có hai danh sách cùng mã này".to_owned(),
            Kind::TooLarge => format!("các danh sách của biểu mẫu có quá {MAX_SECONDARY_NODES} ô"),
            Kind::BadColumn { row, column } => format!(
                "dòng {row}: {column:?} không dùng làm tên cột được; chỉ dùng chữ, số, '-', '_', '.', đầu là chữ hoặc '_'"
            ),
            Kind::NoColumns => "tệp rỗng; dòng đầu phải là tên cột".to_owned(),
            Kind::RepeatedColumn(column) => format!("cột {column:?} có tên lặp lại"),
            Kind::OpenQuote { row, column } => format!("dòng {row}, cột {column}: ô trong nháy kép thiếu nháy đóng"),
            Kind::LongRow { row, found, expected } => format!("dòng {row} có {found} ô nhưng chỉ có {expected} cột"),
            Kind::NotJson(reason) => format!("không phải JSON: {reason}"),
            Kind::NotFeatures => "không phải GeoJSON: cần FeatureCollection có danh sách features".to_owned(),
            Kind::BadFeature(number) => {
                format!("feature {number} không phải Feature có Point, LineString hoặc Polygon (kinh độ, vĩ độ là số)")
            }
            Kind::Document(error) => error.vietnamese(),
        };
        format!("danh sách {:?}: {what}", self.instance)
    }
}
