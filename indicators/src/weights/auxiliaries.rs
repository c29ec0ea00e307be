//! Auxiliary variables: what is known of every row, and of the population as totals.

use super::base::check_length;
use super::{Constraint, WeightColumn, WeightsError};
use crate::linear_algebra::Matrix;

/// One auxiliary variable.
#[derive(Debug, Clone, Copy)]
pub enum Auxiliary<'a> {
    /// 1 in every row; its total is the size of the population. One column.
    Constant,
    /// A number per row. One column.
    Values(&'a [f64]),
    /// A category per row, as one column of 0 and 1 per category.
    Categories {
        /// The category of each row, a code from 0 to below `categories`.
        codes: &'a [u32],
        /// How many there are.
        categories: usize,
        /// Whether category 0 has no column. Beside [`Auxiliary::Constant`], or another variable all of whose categories
        /// have columns, that is needed: the last column would follow from the others.
        omit_first: bool,
    },
}

impl Auxiliary<'_> {
    fn columns(&self) -> usize {
        match *self {
            Auxiliary::Constant | Auxiliary::Values(_) => 1,
            Auxiliary::Categories {
                categories, omit_first, ..
            } => categories.saturating_sub(usize::from(omit_first)),
        }
    }
}

/// Most columns: their cross product takes 32 MB.
const MOST_COLUMNS: usize = 2_000;

/// Auxiliary variables of the same rows. They stay in their own columns: a row of the matrix X is made when it is needed,
/// so that many categories cost no memory.
#[derive(Debug, Clone)]
pub struct Auxiliaries<'a> {
    rows: usize,
    variables: Vec<Auxiliary<'a>>,
    /// Position of each variable's first column.
    offsets: Vec<usize>,
    columns: usize,
}

impl<'a> Auxiliaries<'a> {
    /// Takes the variables of a number of rows. Columns of X are numbered in the order of the variables and, within one,
    /// of its categories.
    ///
    /// # Errors
    /// [`WeightsError::NoRows`]; [`WeightsError::NoConstraints`] if there is no column; [`WeightsError::TooManyColumns`]
    /// above 2,000; [`WeightsError::Length`], [`WeightsError::Value`] or [`WeightsError::UnknownCode`] naming variable and row.
    pub fn new(rows: usize, variables: Vec<Auxiliary<'a>>) -> Result<Self, WeightsError> {
        if rows == 0 {
            return Err(WeightsError::NoRows);
        }
        let mut offsets = Vec::with_capacity(variables.len());
        let mut columns = 0_usize;
        for (auxiliary, variable) in variables.iter().enumerate() {
            let column = WeightColumn::Auxiliary { auxiliary };
            match *variable {
                Auxiliary::Constant => {}
                Auxiliary::Values(values) => {
                    check_length(column, values.len(), rows)?;
                    if let Some(row) = values.iter().position(|value| !value.is_finite()) {
                        let value = values[row];
                        return Err(WeightsError::Value { column, row, value });
                    }
                }
                Auxiliary::Categories { codes, categories, .. } => {
                    check_length(column, codes.len(), rows)?;
                    if let Some(row) = codes.iter().position(|&code| code as usize >= categories) {
                        return Err(WeightsError::UnknownCode {
                            column,
                            row,
                            code: u64::from(codes[row]),
                            count: categories,
                        });
                    }
                }
            }
            offsets.push(columns);
            columns = columns.saturating_add(variable.columns());
        }
        if columns == 0 {
            return Err(WeightsError::NoConstraints);
        }
        if columns > MOST_COLUMNS {
            return Err(WeightsError::TooManyColumns {
                columns,
                most: MOST_COLUMNS,
            });
        }
        Ok(Auxiliaries {
            rows,
            variables,
            offsets,
            columns,
        })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns of X, which is the number of totals.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Which variable and category a column is.
    pub(super) fn constraint(&self, column: usize) -> Constraint {
        // The last variable that starts at or before the column; one without columns starts where the next one does.
        let auxiliary = self
            .offsets
            .partition_point(|&offset| offset <= column)
            .saturating_sub(1);
        let within = column - self.offsets[auxiliary];
        let omitted = match self.variables[auxiliary] {
            Auxiliary::Categories { omit_first, .. } => usize::from(omit_first),
            _ => 0,
        };
        Constraint::Column {
            auxiliary,
            category: within + omitted,
        }
    }

    /// Whether a column is a category that no row of positive weight has.
    pub(super) fn is_empty_category(&self, column: usize, weights: &[f64]) -> bool {
        let Constraint::Column { auxiliary, category } = self.constraint(column) else {
            return false;
        };
        match self.variables[auxiliary] {
            Auxiliary::Categories { codes, .. } => {
                (codes.iter().zip(weights)).all(|(&code, &weight)| code as usize != category || weight <= 0.0)
            }
            Auxiliary::Constant | Auxiliary::Values(_) => false,
        }
    }

    /// The entries of row `row` of X that are not left out as zeros of categories, as (column, value).
    fn entries<'b>(&'b self, row: usize) -> impl Iterator<Item = (usize, f64)> + 'b {
        self.variables
            .iter()
            .zip(&self.offsets)
            .filter_map(move |(variable, &offset)| match *variable {
                Auxiliary::Constant => Some((offset, 1.0)),
                Auxiliary::Values(values) => Some((offset, values[row])),
                Auxiliary::Categories { codes, omit_first, .. } => (codes[row] as usize)
                    .checked_sub(usize::from(omit_first))
                    .map(|within| (offset + within, 1.0)),
            })
    }

    /// Writes factor·x of a row, one entry per column.
    pub(super) fn write(&self, row: usize, factor: f64, terms: &mut [f64]) {
        terms.fill(0.0);
        for (column, value) in self.entries(row) {
            terms[column] = factor * value;
        }
    }

    /// x′b of a row.
    pub(super) fn product(&self, row: usize, coefficients: &[f64]) -> f64 {
        self.entries(row)
            .map(|(column, value)| value * coefficients[column])
            .sum()
    }

    /// Σ factor·x over the rows.
    pub(super) fn weighted_sums(&self, factor: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.columns];
        for row in 0..self.rows {
            let factor = factor(row);
            for (column, value) in self.entries(row) {
                sums[column] += factor * value;
            }
        }
        sums
    }

    /// The smallest and largest Σ weight·ratio·x of each column, over all ratios within bounds.
    pub(super) fn reach(&self, weights: &[f64], (lower, upper): (f64, f64)) -> Vec<(f64, f64)> {
        let mut reach = vec![(0.0, 0.0); self.columns];
        for (row, weight) in weights.iter().enumerate() {
            for (column, value) in self.entries(row) {
                let part = weight * value;
                // An infinite bound times nothing is nothing.
                if part != 0.0 {
                    let (smallest, largest) = &mut reach[column];
                    *smallest += (part * lower).min(part * upper);
                    *largest += (part * lower).max(part * upper);
                }
            }
        }
        reach
    }

    /// Σ factor·x·x′ over the rows.
    pub(super) fn cross_product(&self, factor: impl Fn(usize) -> f64) -> Matrix {
        let mut product = Matrix::zeros(self.columns, self.columns);
        let mut entries = Vec::with_capacity(self.variables.len());
        for row in 0..self.rows {
            let factor = factor(row);
            entries.clear();
            entries.extend(self.entries(row));
            for (position, &(column, value)) in entries.iter().enumerate() {
                let sums = product.row_mut(column);
                for &(earlier, other) in &entries[..=position] {
                    sums[earlier] += factor * value * other;
                }
            }
        }
        for row in 0..self.columns {
            for column in row + 1..self.columns {
                let value = product.get(column, row);
                product.set(row, column, value);
            }
        }
        product
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_made_of_variables() {
        let auxiliaries = Auxiliaries::new(
            2,
            vec![
                Auxiliary::Constant,
                Auxiliary::Categories {
                    codes: &[0, 2],
                    categories: 3,
                    omit_first: true,
                },
                Auxiliary::Values(&[5.0, 7.0]),
            ],
        )
        .unwrap();
        assert_eq!(auxiliaries.columns(), 4);
        assert_eq!(auxiliaries.weighted_sums(|_| 1.0), [2.0, 0.0, 1.0, 12.0]);
        assert_eq!(auxiliaries.product(1, &[1.0, 10.0, 100.0, 1000.0]), 7101.0);
        let cross = auxiliaries.cross_product(|row| [1.0, 2.0][row]);
        assert_eq!(cross.row(3), [19.0, 0.0, 14.0, 123.0]);
        assert_eq!(cross, cross.transposed());
        assert_eq!(
            auxiliaries.constraint(2),
            Constraint::Column {
                auxiliary: 1,
                category: 2
            }
        );
        assert_eq!(
            auxiliaries.constraint(3),
            Constraint::Column {
                auxiliary: 2,
                category: 0
            }
        );
    }

    #[test]
    fn wrong_variables_are_named() {
        let hole = Auxiliaries::new(2, vec![Auxiliary::Constant, Auxiliary::Values(&[1.0, f64::NAN])]).unwrap_err();
        assert!(
            hole.to_string()
                .starts_with("row 1: the values of auxiliary variable 1 hold NaN"),
            "{hole}"
        );
        assert!(Auxiliaries::new(2, vec![Auxiliary::Values(&[1.0])]).is_err());
        let code = Auxiliaries::new(
            1,
            vec![Auxiliary::Categories {
                codes: &[3],
                categories: 3,
                omit_first: false,
            }],
        );
        assert!(matches!(
            code.unwrap_err(),
            WeightsError::UnknownCode { row: 0, code: 3, .. }
        ));
        let huge = Auxiliary::Categories {
            codes: &[3],
            categories: usize::MAX,
            omit_first: false,
        };
        assert!(matches!(
            Auxiliaries::new(1, vec![huge, huge]).unwrap_err(),
            WeightsError::TooManyColumns { most: 2_000, .. }
        ));
        assert_eq!(Auxiliaries::new(1, vec![]).unwrap_err(), WeightsError::NoConstraints);
        assert_eq!(Auxiliaries::new(0, vec![]).unwrap_err(), WeightsError::NoRows);
    }
}
