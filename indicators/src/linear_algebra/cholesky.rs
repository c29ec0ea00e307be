//! The Cholesky factorisation of a symmetric positive definite matrix.

use super::matrix::check_length;
use super::{LinearAlgebraError, Matrix, dot};

/// A column is taken as dependent when less than this share of its squared length is left beside the columns before it.
/// Rounding of a cross product over millions of rows leaves about 1e-13.
const DEPENDENT: f64 = 1e-11;

/// A = S·L·L′·S with S the square roots of A's diagonal, so that units of measurement do not matter.
///
/// Golub & Van Loan, *Matrix Computations* (4th edition, 2013), section 4.2; the scaling is van der Sluis's (1969,
/// *Numerische Mathematik* 14, 14–23).
#[derive(Debug, Clone, PartialEq)]
pub struct Cholesky {
    scale: Vec<f64>,
    lower: Matrix,
}

impl Cholesky {
    /// Factorises a symmetric positive definite matrix, reading its lower triangle.
    ///
    /// # Errors
    /// [`LinearAlgebraError::NotSquare`]; [`LinearAlgebraError::NotFinite`]; [`LinearAlgebraError::Singular`] naming the
    /// first column that depends on those before it, or on whose account the matrix is not positive definite.
    pub fn new(matrix: &Matrix) -> Result<Self, LinearAlgebraError> {
        let size = matrix.rows();
        if matrix.columns() != size {
            return Err(LinearAlgebraError::NotSquare {
                rows: size,
                columns: matrix.columns(),
            });
        }
        if let Some(position) = matrix.values().iter().position(|value| !value.is_finite()) {
            return Err(LinearAlgebraError::NotFinite {
                row: position / size,
                column: position % size,
            });
        }
        let scale: Vec<f64> = (0..size)
            .map(|index| matrix.get(index, index).max(0.0).sqrt())
            .collect();
        if let Some(column) = scale.iter().position(|&scale| scale == 0.0) {
            return Err(LinearAlgebraError::Singular { column });
        }
        let mut lower = Matrix::zeros(size, size);
        for row in 0..size {
            for column in 0..row {
                let product = dot(&lower.row(row)[..column], &lower.row(column)[..column]);
                let entry = matrix.get(row, column) / scale[row] / scale[column];
                let value = (entry - product) / lower.get(column, column);
                lower.set(row, column, value);
            }
            let left = 1.0 - dot(&lower.row(row)[..row], &lower.row(row)[..row]);
            if left <= DEPENDENT || left.is_nan() {
                return Err(LinearAlgebraError::Singular { column: row });
            }
            lower.set(row, row, left.sqrt());
        }
        Ok(Cholesky { scale, lower })
    }

    /// Number of rows and columns.
    pub fn size(&self) -> usize {
        self.scale.len()
    }

    /// The solution x of A·x = b.
    ///
    /// # Errors
    /// [`LinearAlgebraError::Length`] unless b has as many entries as A has rows.
    pub fn solve(&self, right: &[f64]) -> Result<Vec<f64>, LinearAlgebraError> {
        let size = self.size();
        check_length(right.len(), size)?;
        let mut solution: Vec<f64> = right
            .iter()
            .zip(&self.scale)
            .map(|(value, scale)| value / scale)
            .collect();
        for row in 0..size {
            let known = dot(&self.lower.row(row)[..row], &solution[..row]);
            solution[row] = (solution[row] - known) / self.lower.get(row, row);
        }
        for row in (0..size).rev() {
            solution[row] /= self.lower.get(row, row);
            let value = solution[row];
            for (earlier, factor) in solution[..row].iter_mut().zip(self.lower.row(row)) {
                *earlier -= factor * value;
            }
        }
        for (value, scale) in solution.iter_mut().zip(&self.scale) {
            *value /= scale;
        }
        Ok(solution)
    }

    /// The inverse of A, symmetric to the last bit.
    pub fn inverse(&self) -> Matrix {
        let size = self.size();
        let mut inverse = Matrix::zeros(size, size);
        let mut unit = vec![0.0; size];
        for column in 0..size {
            unit[column] = 1.0;
            // The length is right, so there is always a solution.
            for (row, value) in self.solve(&unit).unwrap_or_default().into_iter().enumerate() {
                if row >= column {
                    inverse.set(row, column, value);
                    inverse.set(column, row, value);
                }
            }
            unit[column] = 0.0;
        }
        inverse
    }

    /// The natural logarithm of the determinant of A.
    pub fn log_determinant(&self) -> f64 {
        (0..self.size())
            .map(|index| 2.0 * libm::log(self.lower.get(index, index) * self.scale[index]))
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(values: &[f64]) -> Matrix {
        let size = values.len().isqrt();
        Matrix::new(size, size, values.to_vec()).unwrap()
    }

    #[test]
    fn solves_what_was_worked_out_by_hand() {
        // A = L·L′ with L = (2 0 0; 1 3 0; -1 1 1), determinant (2·3·1)² = 36.
        let matrix = square(&[4.0, 2.0, -2.0, 2.0, 10.0, 2.0, -2.0, 2.0, 3.0]);
        let factor = Cholesky::new(&matrix).unwrap();
        let solution = factor.solve(&[2.0, 28.0, 11.0]).unwrap();
        for (value, expected) in solution.iter().zip([1.0, 2.0, 3.0]) {
            assert!((value - expected).abs() < 1e-14);
        }
        assert!((factor.log_determinant() - 36.0_f64.ln()).abs() < 1e-14);
        let product = matrix.times(&factor.inverse()).unwrap();
        for (value, expected) in product.values().iter().zip(Matrix::identity(3).values()) {
            assert!((value - expected).abs() < 1e-14);
        }
    }

    #[test]
    fn units_of_measurement_do_not_matter() {
        // The same matrix with its third variable in units a hundred million times as small.
        let matrix = square(&[4.0, 2.0, -2e8, 2.0, 10.0, 2e8, -2e8, 2e8, 3e16]);
        let solution = Cholesky::new(&matrix).unwrap().solve(&[2.0, 28.0, 11e8]).unwrap();
        for (value, expected) in solution.iter().zip([1.0, 2.0, 3e-8]) {
            assert!((value - expected).abs() < 1e-13 * expected);
        }
    }

    #[test]
    fn names_the_dependent_column() {
        // Columns a, b and a + b: cross products of (1, 0, 1), (0, 1, 1), (1, 1, 2).
        let dependent = square(&[2.0, 1.0, 3.0, 1.0, 2.0, 3.0, 3.0, 3.0, 6.0]);
        let error = Cholesky::new(&dependent).unwrap_err();
        assert_eq!(error, LinearAlgebraError::Singular { column: 2 });
        assert!(error.vietnamese().contains("cột 2"));
        assert_eq!(
            Cholesky::new(&square(&[1.0, 0.0, 0.0, 0.0])).unwrap_err(),
            LinearAlgebraError::Singular { column: 1 }
        );
        assert_eq!(
            Cholesky::new(&square(&[1.0, 2.0, 2.0, 1.0])).unwrap_err(),
            LinearAlgebraError::Singular { column: 1 }
        );
        assert!(matches!(
            Cholesky::new(&Matrix::zeros(2, 3)).unwrap_err(),
            LinearAlgebraError::NotSquare { rows: 2, columns: 3 }
        ));
        assert!(Cholesky::new(&square(&[4.0])).unwrap().solve(&[1.0, 2.0]).is_err());
    }

    #[test]
    fn nothing_to_solve_is_solved() {
        let empty = Cholesky::new(&Matrix::zeros(0, 0)).unwrap();
        assert_eq!(empty.solve(&[]).unwrap(), Vec::<f64>::new());
        assert_eq!(empty.log_determinant(), 0.0);
    }
}
