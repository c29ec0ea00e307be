//! What can be wrong with a table that shall be published.

/// Why a table cannot be protected or rounded. Rows and columns count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublicationError {
    /// A table needs at least two rows and two columns, and as many counts as cells.
    #[error(
        "{given} counts are given for {rows} rows and {columns} columns; there must be at least two of each, and one count a cell"
    )]
    Shape {
        /// Rows.
        rows: usize,
        /// Columns.
        columns: usize,
        /// Counts given.
        given: usize,
    },
    /// The table is too large to be protected in reasonable time.
    #[error(
        "the table has {cells} cells; at most {} can be protected together: split it",
        super::table::LARGEST_TABLE
    )]
    TooLarge {
        /// Its cells.
        cells: usize,
    },
    /// The counts are too large.
    #[error("the counts add up to more than 2^53")]
    TotalTooLarge,
    /// A number of the rules is 0.
    #[error("the smallest count to show and the protection above must be at least 1")]
    Rules,
    /// Nothing that could be suppressed protects a cell.
    #[error(
        "the cell in row {row}, column {column} (the table's numbers of rows and columns mean its margins) cannot be \
         protected by suppressing others: do not publish this table, or join rows or columns"
    )]
    Unprotectable {
        /// Its row; the number of rows for the column totals.
        row: usize,
        /// Its column; the number of columns for the row totals.
        column: usize,
    },
    /// Counts cannot be rounded to multiples of 0.
    #[error("the base of rounding is 0; it must be at least 1")]
    Base,
}

impl PublicationError {
    /// The same message in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match *self {
            Self::Shape { rows, columns, given } => format!(
                "có {given} số đếm cho {rows} hàng và {columns} cột; phải có ít nhất hai hàng, hai cột và mỗi ô một số"
            ),
            Self::TooLarge { cells } => format!(
                "bảng có {cells} ô; chỉ bảo vệ được tối đa {} ô cùng lúc: hãy chia nhỏ bảng",
                super::table::LARGEST_TABLE
            ),
            Self::TotalTooLarge => "tổng các số đếm vượt quá 2^53".to_owned(),
            Self::Rules => "số đếm nhỏ nhất được công bố và mức bảo vệ phía trên phải ít nhất là 1".to_owned(),
            Self::Unprotectable { row, column } => format!(
                "không thể bảo vệ ô ở hàng {row}, cột {column} (số thứ tự bằng số hàng, số cột nghĩa là dòng, cột tổng) \
                 bằng cách ẩn các ô khác: đừng công bố bảng này, hoặc gộp hàng hay cột"
            ),
            Self::Base => "cơ số làm tròn là 0; phải ít nhất là 1".to_owned(),
        }
    }
}
