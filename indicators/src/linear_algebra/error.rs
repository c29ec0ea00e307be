//! What can be wrong with a matrix.

/// Why a matrix cannot be made, combined or factorised. Rows and columns count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinearAlgebraError {
    /// A list has not the length that the matrix needs.
    #[error("{given} numbers are given; there must be {expected}")]
    Length {
        /// Numbers given.
        given: usize,
        /// Numbers needed.
        expected: usize,
    },
    /// A matrix that must be square is not.
    #[error("the matrix has {rows} rows and {columns} columns; it must have as many rows as columns")]
    NotSquare {
        /// Its rows.
        rows: usize,
        /// Its columns.
        columns: usize,
    },
    /// An entry is infinite or not a number.
    #[error("row {row}, column {column} of the matrix is not a finite number")]
    NotFinite {
        /// Row of the entry.
        row: usize,
        /// Column of the entry.
        column: usize,
    },
    /// A column is zero, or a linear combination of the columns before it; or the matrix is not positive definite.
    #[error("column {column} depends linearly on the columns before it, or is zero; leave it out")]
    Singular {
        /// The first such column.
        column: usize,
    },
}

impl LinearAlgebraError {
    /// The same message in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match *self {
            LinearAlgebraError::Length { given, expected } => format!("có {given} số; phải có {expected} số"),
            LinearAlgebraError::NotSquare { rows, columns } => {
                format!("ma trận có {rows} hàng và {columns} cột; số hàng phải bằng số cột")
            }
            LinearAlgebraError::NotFinite { row, column } => {
                format!("hàng {row}, cột {column} của ma trận không phải là số hữu hạn")
            }
            LinearAlgebraError::Singular { column } => {
                format!("cột {column} phụ thuộc tuyến tính vào các cột trước nó, hoặc bằng không; hãy bỏ cột này")
            }
        }
    }
}
