//! Linear least squares by Householder reflections.

use super::matrix::check_length;
use super::{LinearAlgebraError, Matrix, dot};

/// A column is taken as dependent when less than this share of its length is left beside the columns before it, as the
/// default tolerance of `lm` in R.
const DEPENDENT: f64 = 1e-7;

/// The factorisation √w·X = Q·R, which fits a line to as many right sides as wanted.
///
/// Golub & Van Loan, *Matrix Computations* (4th edition, 2013), sections 5.1 and 5.3.
#[derive(Debug, Clone, PartialEq)]
pub struct LeastSquares {
    /// Column k holds, from row k on, the direction of reflection k; above that R, without its diagonal. Transposed, so
    /// that a column is contiguous.
    reflections: Matrix,
    /// Diagonal of R.
    diagonal: Vec<f64>,
    /// 2 / v′v of each reflection.
    factors: Vec<f64>,
    root_weights: Vec<f64>,
}

impl LeastSquares {
    /// Factorises X with one row per observation and one column per variable, and weights w ≥ 0 (1 for ordinary least
    /// squares, the inverse of a variance for generalised ones).
    ///
    /// # Errors
    /// [`LinearAlgebraError::Length`] unless there is one weight per row; [`LinearAlgebraError::NotFinite`] for a weight
    /// that is negative or not a number (its column is the number of columns of X); [`LinearAlgebraError::Singular`]
    /// naming the first column that depends on those before it.
    pub fn new(matrix: &Matrix, weights: &[f64]) -> Result<Self, LinearAlgebraError> {
        check_length(weights.len(), matrix.rows())?;
        if let Some(row) = weights
            .iter()
            .position(|&weight| !(weight >= 0.0 && weight.is_finite()))
        {
            return Err(LinearAlgebraError::NotFinite {
                row,
                column: matrix.columns(),
            });
        }
        let root_weights: Vec<f64> = weights.iter().map(|weight| weight.sqrt()).collect();
        let columns = matrix.columns();
        let mut reflections = matrix.transposed();
        for column in 0..columns {
            for (value, root) in reflections.row_mut(column).iter_mut().zip(&root_weights) {
                *value *= root;
            }
        }
        let mut diagonal = Vec::with_capacity(columns);
        let mut factors = Vec::with_capacity(columns);
        for column in 0..columns {
            let whole = length(reflections.row(column));
            let left = reflections.row(column).get(column..).map_or(0.0, length);
            if left <= DEPENDENT * whole || left.is_nan() {
                return Err(LinearAlgebraError::Singular { column });
            }
            let first = reflections.get(column, column);
            let target = if first > 0.0 { -left } else { left };
            reflections.set(column, column, first - target);
            let direction = reflections.row(column)[column..].to_vec();
            let factor = 2.0 / dot(&direction, &direction);
            for later in column + 1..columns {
                reflect(&direction, factor, &mut reflections.row_mut(later)[column..]);
            }
            diagonal.push(target);
            factors.push(factor);
        }
        Ok(LeastSquares {
            reflections,
            diagonal,
            factors,
            root_weights,
        })
    }

    /// The coefficients b that make Σ w·(y − x′b)² smallest.
    ///
    /// # Errors
    /// [`LinearAlgebraError::Length`] unless y has one entry per row.
    pub fn coefficients(&self, response: &[f64]) -> Result<Vec<f64>, LinearAlgebraError> {
        check_length(response.len(), self.root_weights.len())?;
        let mut rotated: Vec<f64> = response
            .iter()
            .zip(&self.root_weights)
            .map(|(y, root)| y * root)
            .collect();
        for (column, &factor) in self.factors.iter().enumerate() {
            reflect(&self.reflections.row(column)[column..], factor, &mut rotated[column..]);
        }
        let columns = self.diagonal.len();
        for column in (0..columns).rev() {
            rotated[column] /= self.diagonal[column];
            let value = rotated[column];
            for (earlier, entry) in rotated[..column].iter_mut().zip(self.reflections.row(column)) {
                *earlier -= entry * value;
            }
        }
        rotated.truncate(columns);
        Ok(rotated)
    }

    /// (X′·diag(w)·X)⁻¹, the covariance of the coefficients where the weights are inverse variances.
    pub fn inverse_cross_product(&self) -> Matrix {
        let columns = self.diagonal.len();
        // R⁻¹, column by column, by back substitution.
        let mut inverse = Matrix::zeros(columns, columns);
        for unit in 0..columns {
            for row in (0..=unit).rev() {
                let known: f64 = (row + 1..=unit)
                    .map(|later| self.reflections.get(later, row) * inverse.get(later, unit))
                    .sum();
                let right = if row == unit { 1.0 } else { 0.0 };
                inverse.set(row, unit, (right - known) / self.diagonal[row]);
            }
        }
        let mut product = Matrix::zeros(columns, columns);
        for row in 0..columns {
            for column in 0..columns {
                product.set(row, column, dot(inverse.row(row), inverse.row(column)));
            }
        }
        product
    }
}

fn length(values: &[f64]) -> f64 {
    dot(values, values).sqrt()
}

/// v − factor·(direction′v)·direction.
fn reflect(direction: &[f64], factor: f64, values: &mut [f64]) {
    let along = factor * dot(direction, values);
    for (value, part) in values.iter_mut().zip(direction) {
        *value -= along * part;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fits_a_line_worked_out_by_hand() {
        // Points (0, 1), (1, 2), (2, 2), (3, 4): slope 0.9, intercept 0.9; X′X = (4 6; 6 14), determinant 20.
        let matrix = Matrix::new(4, 2, vec![1.0, 0.0, 1.0, 1.0, 1.0, 2.0, 1.0, 3.0]).unwrap();
        let fit = LeastSquares::new(&matrix, &[1.0; 4]).unwrap();
        for value in fit.coefficients(&[1.0, 2.0, 2.0, 4.0]).unwrap() {
            assert!((value - 0.9).abs() < 1e-14);
        }
        for (value, expected) in fit.inverse_cross_product().values().iter().zip([0.7, -0.3, -0.3, 0.2]) {
            assert!((value - expected).abs() < 1e-14);
        }
    }

    #[test]
    fn a_weight_of_two_is_a_row_given_twice() {
        let matrix = Matrix::new(4, 2, vec![1.0, 0.0, 1.0, 1.0, 1.0, 2.0, 1.0, 4.0]).unwrap();
        let weighted = LeastSquares::new(&matrix, &[1.0, 2.0, 1.0, 0.0]).unwrap();
        let repeated = Matrix::new(4, 2, vec![1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0]).unwrap();
        let repeated = LeastSquares::new(&repeated, &[1.0; 4]).unwrap();
        let one = weighted.coefficients(&[3.0, 5.0, 4.0, 99.0]).unwrap();
        let other = repeated.coefficients(&[3.0, 5.0, 5.0, 4.0]).unwrap();
        for (one, other) in one.iter().zip(&other) {
            assert!((one - other).abs() < 1e-13);
        }
    }

    #[test]
    fn nearly_dependent_columns_keep_their_digits() {
        // Two columns that differ by 1e-5: X′X has a condition of about 1e10, yet an exact fit is found again.
        let rows: Vec<f64> = (0..6)
            .flat_map(|index| {
                [
                    1.0,
                    f64::from(index),
                    f64::from(index) + 1e-5 * f64::from(index * index),
                ]
            })
            .collect();
        let matrix = Matrix::new(6, 3, rows).unwrap();
        let response = matrix.times_vector(&[2.0, -1.0, 3.0]).unwrap();
        let fit = LeastSquares::new(&matrix, &[1.0; 6])
            .unwrap()
            .coefficients(&response)
            .unwrap();
        for (value, expected) in fit.iter().zip([2.0, -1.0, 3.0]) {
            assert!((value - expected).abs() < 1e-8);
        }
    }

    #[test]
    fn names_the_dependent_column() {
        let matrix = Matrix::new(3, 3, vec![1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 2.0]).unwrap();
        assert_eq!(
            LeastSquares::new(&matrix, &[1.0; 3]).unwrap_err(),
            LinearAlgebraError::Singular { column: 2 }
        );
        let wide = Matrix::new(1, 2, vec![1.0, 2.0]).unwrap();
        assert_eq!(
            LeastSquares::new(&wide, &[1.0]).unwrap_err(),
            LinearAlgebraError::Singular { column: 1 }
        );
        let negative = LeastSquares::new(&wide, &[-1.0]).unwrap_err();
        assert_eq!(negative, LinearAlgebraError::NotFinite { row: 0, column: 2 });
        assert!(LeastSquares::new(&wide, &[]).is_err());
    }
}
