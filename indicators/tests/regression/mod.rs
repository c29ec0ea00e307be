//! What calibration of weights takes away from the variance, written out for the tests.

// A regression that cannot be made fails the test that asked for it.
#![allow(clippy::unwrap_used)]

use indicators::linear_algebra::{Cholesky, LeastSquares, Matrix};
use indicators::survey::{InfluenceRegression, ResidualAdjustment};

/// Residuals of a regression on the auxiliaries of calibration (Deville & Saerndal 1992): with u = z/w the linearised
/// values of the elements and d the weights before calibration, w(u − xβ) where β is the regression weighted with d.
pub(crate) struct Regression {
    auxiliaries: Matrix,
    base_weights: Vec<f64>,
    weights: Vec<f64>,
    factor: Cholesky,
}

impl Regression {
    /// Auxiliaries x, one line per row, weights d before calibration and w after.
    pub(crate) fn new(auxiliaries: Matrix, base_weights: Vec<f64>, weights: Vec<f64>) -> Self {
        let factor = Cholesky::new(&auxiliaries.cross_product(&base_weights).unwrap()).unwrap();
        Regression {
            auxiliaries,
            base_weights,
            weights,
            factor,
        }
    }
}

impl ResidualAdjustment for Regression {
    fn adjust(&self, influence: &[f64]) -> Vec<f64> {
        let elements: Vec<f64> = influence.iter().zip(&self.weights).map(|(z, w)| z / w).collect();
        let regression = LeastSquares::new(&self.auxiliaries, &self.base_weights).unwrap();
        let fitted = self
            .auxiliaries
            .times_vector(&regression.coefficients(&elements).unwrap())
            .unwrap();
        let parts = elements.iter().zip(fitted).zip(&self.weights);
        parts
            .map(|((element, fitted), weight)| weight * (element - fitted))
            .collect()
    }

    fn regression(&self) -> Option<&dyn InfluenceRegression> {
        Some(self)
    }
}

impl InfluenceRegression for Regression {
    fn terms(&self) -> usize {
        self.auxiliaries.columns()
    }

    fn explaining(&self, row: usize, terms: &mut [f64]) {
        for (term, x) in terms.iter_mut().zip(self.auxiliaries.row(row)) {
            *term = self.weights[row] * x;
        }
    }

    fn moments(&self, row: usize, moments: &mut [f64]) {
        for (moment, x) in moments.iter_mut().zip(self.auxiliaries.row(row)) {
            *moment = self.base_weights[row] / self.weights[row] * x;
        }
    }

    fn solve(&self, moments: &mut [f64]) {
        let solution = self.factor.solve(moments).unwrap();
        moments.copy_from_slice(&solution);
    }
}
