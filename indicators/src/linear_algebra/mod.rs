//! Small dense linear algebra: matrices of up to a few hundred columns, as calibration and area models need them.
//!
//! [`Matrix`] holds numbers row by row. [`Cholesky`] factorises a symmetric positive definite matrix: solves, inverse,
//! logarithm of the determinant. [`LeastSquares`] fits by Householder reflections without forming X′X, which keeps twice
//! the digits. Both name the first column that depends on those before it.

mod cholesky;
mod error;
mod least_squares;
mod matrix;

pub use cholesky::Cholesky;
pub use error::LinearAlgebraError;
pub use least_squares::LeastSquares;
pub use matrix::Matrix;

/// Σ a·b over two lists of one length.
pub(crate) fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}
