//! Joint inclusion probabilities of first-stage units, given one by one.

use super::columns::PairForm;
use crate::survey::error::{Column, Requirement, SurveyError};

/// (π_ij − π_i π_j) / π_ij of the first-stage units in the sorted order, and the form of the variance.
#[derive(Debug, Clone)]
pub(crate) struct JointMatrix {
    units: usize,
    values: Vec<f64>,
    form: PairForm,
}

impl JointMatrix {
    /// Checks probabilities given in the order in which units first appear among the rows.
    pub(super) fn new(
        probabilities: &[f64],
        inclusion: &[f64],
        form: PairForm,
        order: &[u32],
        unit_ends: &[u32],
    ) -> Result<Self, SurveyError> {
        let units = unit_ends.len();
        if units.checked_mul(units) != Some(probabilities.len()) {
            return Err(SurveyError::Length {
                column: Column::JointProbability,
                given: probabilities.len(),
                expected: units.saturating_mul(units),
            });
        }
        // The first row of each unit, and from it the unit's number in the caller's matrix.
        let mut start = 0;
        let mut first_rows = Vec::with_capacity(units);
        for &end in unit_ends {
            let rows = &order[start as usize..end as usize];
            first_rows.push(rows.iter().copied().min().unwrap_or(0));
            start = end;
        }
        let mut by_appearance: Vec<usize> = (0..units).collect();
        by_appearance.sort_by_key(|&unit| first_rows[unit]);
        let mut number = vec![0; units];
        for (appearance, &unit) in by_appearance.iter().enumerate() {
            number[unit] = appearance;
        }
        let mut values = Vec::with_capacity(probabilities.len());
        for one in 0..units {
            let own = inclusion[first_rows[one] as usize];
            for other in 0..units {
                let others = inclusion[first_rows[other] as usize];
                let joint = probabilities[number[one] * units + number[other]];
                let mirrored = probabilities[number[other] * units + number[one]];
                // Published joint probabilities are rounded.
                let bound = own.min(others) * (1.0 + 1e-6);
                let is_sound = joint > 0.0 && joint <= bound && (joint - mirrored).abs() <= 1e-9 * joint;
                if !is_sound || (one == other && (joint - own).abs() > 1e-6 * own) {
                    return Err(SurveyError::Number {
                        row: number[one],
                        column: Column::JointProbability,
                        value: joint,
                        must: Requirement::JointProbability,
                    });
                }
                let (first, second) = if one == other { (joint, joint) } else { (own, others) };
                values.push((joint - first * second) / joint);
            }
        }
        Ok(JointMatrix { units, values, form })
    }

    /// Adds to `covariance` (p × p) the form of totals (p per unit) of the units listed; all others have zero.
    pub(crate) fn add_form(&self, units: &[u32], totals: &[f64], covariance: &mut [f64]) {
        let size = totals.len() / units.len().max(1);
        for (one, &row) in units.iter().enumerate() {
            let line = &self.values[row as usize * self.units..][..self.units];
            let of_one = &totals[one * size..][..size];
            for (other, &column) in units.iter().enumerate() {
                let coefficient = line[column as usize];
                if coefficient != 0.0 {
                    add_product(of_one, &totals[other * size..][..size], coefficient, covariance);
                }
            }
            if self.form == PairForm::YatesGrundy {
                add_product(of_one, of_one, -line.iter().sum::<f64>(), covariance);
            }
        }
    }
}

/// Adds `factor` · x yᵀ to a square matrix.
pub(crate) fn add_product(x: &[f64], y: &[f64], factor: f64, matrix: &mut [f64]) {
    for (line, &one) in matrix.chunks_exact_mut(y.len()).zip(x) {
        for (cell, &other) in line.iter_mut().zip(y) {
            *cell += factor * one * other;
        }
    }
}
