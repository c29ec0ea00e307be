//! A dense matrix of numbers.

use super::{LinearAlgebraError, dot};

/// A dense matrix, stored row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    values: Vec<f64>,
}

impl Matrix {
    /// A matrix of zeros.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        Matrix {
            rows,
            columns,
            values: vec![0.0; rows.saturating_mul(columns)],
        }
    }

    /// The identity matrix of a size.
    pub fn identity(size: usize) -> Self {
        let mut identity = Matrix::zeros(size, size);
        for index in 0..size {
            identity.set(index, index, 1.0);
        }
        identity
    }

    /// Takes the entries row by row: entry (i, j) is `values[i * columns + j]`.
    ///
    /// # Errors
    /// [`LinearAlgebraError::Length`] unless there are rows × columns values, [`LinearAlgebraError::NotFinite`] for the
    /// first entry that is no finite number.
    pub fn new(rows: usize, columns: usize, values: Vec<f64>) -> Result<Self, LinearAlgebraError> {
        let expected = rows.saturating_mul(columns);
        if values.len() != expected {
            return Err(LinearAlgebraError::Length {
                given: values.len(),
                expected,
            });
        }
        if let Some(position) = values.iter().position(|value| !value.is_finite()) {
            return Err(LinearAlgebraError::NotFinite {
                row: position / columns,
                column: position % columns,
            });
        }
        Ok(Matrix { rows, columns, values })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Entry (row, column), both from 0.
    ///
    /// # Panics
    /// As a slice does, if the position does not exist.
    pub fn get(&self, row: usize, column: usize) -> f64 {
        self.row(row)[column]
    }

    /// Sets entry (row, column).
    ///
    /// # Panics
    /// As a slice does, if the position does not exist.
    pub fn set(&mut self, row: usize, column: usize, value: f64) {
        self.row_mut(row)[column] = value;
    }

    /// The entries of one row.
    ///
    /// # Panics
    /// As a slice does, if the row does not exist.
    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.columns..(row + 1) * self.columns]
    }

    /// The entries of one row, to be changed.
    ///
    /// # Panics
    /// As a slice does, if the row does not exist.
    pub fn row_mut(&mut self, row: usize) -> &mut [f64] {
        &mut self.values[row * self.columns..(row + 1) * self.columns]
    }

    /// All entries, row by row.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Rows and columns exchanged.
    pub fn transposed(&self) -> Matrix {
        let mut transposed = Matrix::zeros(self.columns, self.rows);
        for row in 0..self.rows {
            for column in 0..self.columns {
                transposed.set(column, row, self.get(row, column));
            }
        }
        transposed
    }

    /// The product A·v.
    ///
    /// # Errors
    /// [`LinearAlgebraError::Length`] unless v has one entry per column.
    pub fn times_vector(&self, vector: &[f64]) -> Result<Vec<f64>, LinearAlgebraError> {
        check_length(vector.len(), self.columns)?;
        Ok((0..self.rows).map(|row| dot(self.row(row), vector)).collect())
    }

    /// The product A·B.
    ///
    /// # Errors
    /// [`LinearAlgebraError::Length`] unless B has as many rows as A has columns.
    pub fn times(&self, other: &Matrix) -> Result<Matrix, LinearAlgebraError> {
        check_length(other.rows, self.columns)?;
        let mut product = Matrix::zeros(self.rows, other.columns);
        for row in 0..self.rows {
            for (inner, &factor) in self.row(row).iter().enumerate() {
                for (sum, value) in product.row_mut(row).iter_mut().zip(other.row(inner)) {
                    *sum += factor * value;
                }
            }
        }
        Ok(product)
    }

    /// The weighted cross product X′·diag(w)·X of a matrix X with one row per observation.
    ///
    /// # Errors
    /// [`LinearAlgebraError::Length`] unless there is one weight per row.
    pub fn cross_product(&self, weights: &[f64]) -> Result<Matrix, LinearAlgebraError> {
        check_length(weights.len(), self.rows)?;
        let mut product = Matrix::zeros(self.columns, self.columns);
        for (row, &weight) in weights.iter().enumerate() {
            let entries = self.row(row);
            for (first, &value) in entries.iter().enumerate() {
                let weighted = weight * value;
                for (sum, other) in product.row_mut(first).iter_mut().zip(entries) {
                    *sum += weighted * other;
                }
            }
        }
        Ok(product)
    }

    /// The weighted sum X′·diag(w)·v of the rows.
    ///
    /// # Errors
    /// [`LinearAlgebraError::Length`] unless there is one weight and one entry of v per row.
    pub fn cross_vector(&self, weights: &[f64], vector: &[f64]) -> Result<Vec<f64>, LinearAlgebraError> {
        check_length(weights.len(), self.rows)?;
        check_length(vector.len(), self.rows)?;
        let mut sums = vec![0.0; self.columns];
        for (row, (weight, value)) in weights.iter().zip(vector).enumerate() {
            for (sum, entry) in sums.iter_mut().zip(self.row(row)) {
                *sum += weight * value * entry;
            }
        }
        Ok(sums)
    }
}

pub(super) fn check_length(given: usize, expected: usize) -> Result<(), LinearAlgebraError> {
    if given == expected {
        Ok(())
    } else {
        Err(LinearAlgebraError::Length { given, expected })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Matrix {
        Matrix::new(2, 3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap()
    }

    #[test]
    fn products_are_those_worked_out_by_hand() {
        let product = example().times(&example().transposed()).unwrap();
        assert_eq!(product.values(), [14.0, 32.0, 32.0, 77.0]);
        assert_eq!(example().times_vector(&[1.0, 0.0, -1.0]).unwrap(), [-2.0, -2.0]);
        let cross = example().cross_product(&[2.0, 0.5]).unwrap();
        assert_eq!(cross.values(), [10.0, 14.0, 18.0, 14.0, 20.5, 27.0, 18.0, 27.0, 36.0]);
        assert_eq!(
            example().cross_vector(&[2.0, 0.5], &[1.0, 2.0]).unwrap(),
            [6.0, 9.0, 12.0]
        );
        assert_eq!(
            Matrix::identity(3).times(&example().transposed()).unwrap(),
            example().transposed()
        );
    }

    #[test]
    fn shapes_and_numbers_are_checked() {
        let short = Matrix::new(2, 2, vec![1.0; 3]).unwrap_err();
        assert_eq!(short, LinearAlgebraError::Length { given: 3, expected: 4 });
        let hole = Matrix::new(2, 2, vec![1.0, 2.0, 3.0, f64::NAN]).unwrap_err();
        assert_eq!(hole, LinearAlgebraError::NotFinite { row: 1, column: 1 });
        assert!(hole.to_string().contains("row 1, column 1"));
        assert!(hole.vietnamese().contains("hàng 1, cột 1"));
        assert!(example().times_vector(&[1.0]).is_err());
        assert!(example().times(&example()).is_err());
        assert!(example().cross_product(&[1.0]).is_err());
        assert!(example().cross_vector(&[1.0, 1.0], &[1.0]).is_err());
    }
}
