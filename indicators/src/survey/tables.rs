//! Weighted cross-tabulation and tests of independence.

use super::design::check_length;
use super::domain::Domain;
use super::error::{Column, StatisticError};
use super::estimators::population;
use super::undefined::Undefined;
use super::variance::{Covariance, VarianceEstimator};
use crate::intervals::{chi_squared_upper_tail, f_upper_tail};
use crate::linear_algebra::{Cholesky, Matrix};

/// Shares of a population in the cells of a two-way table.
#[derive(Debug, Clone, PartialEq)]
pub struct CrossTabulation {
    /// Codes of the rows, ascending: those that occur in the domain.
    pub row_codes: Vec<u32>,
    /// Codes of the columns.
    pub column_codes: Vec<u32>,
    /// Σ w in each cell, row by row.
    pub totals: Vec<f64>,
    /// Shares of the whole, row by row.
    pub shares: Vec<f64>,
    /// Covariances of the shares, in the same order of cells.
    pub covariance: Covariance,
    /// Sampled elements in the domain.
    pub elements: u64,
    /// First-stage units minus strata of the domain.
    pub degrees_of_freedom: u64,
}

/// A test of whether rows and columns of a table are independent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IndependenceTest {
    /// Pearson's X² of the shares times the number of sampled elements, uncorrected.
    pub pearson: f64,
    /// Rao & Scott's first-order correction: X² over the mean generalised design effect, to be compared with the
    /// chi-squared distribution. As `svychisq(statistic = "Chisq")` in R, which prints X² itself beside this p-value.
    pub first_order: f64,
    /// Degrees of freedom of the first-order test, (rows − 1)(columns − 1).
    pub first_order_degrees: f64,
    /// p-value of the first-order test.
    pub first_order_p: f64,
    /// Rao & Scott's second-order correction in the form of an F statistic (Thomas & Rao 1987). As
    /// `svychisq(statistic = "F")`, R's default.
    pub second_order: f64,
    /// Degrees of freedom of its numerator.
    pub numerator_degrees: f64,
    /// Degrees of freedom of its denominator.
    pub denominator_degrees: f64,
    /// p-value of the second-order test.
    pub second_order_p: f64,
    /// Generalised design effects' mean, by which X² is too large.
    pub mean_design_effect: f64,
}

/// Tabulates two columns of codes over a domain.
///
/// # Errors
/// [`StatisticError`]: columns of another length, an empty domain, or as [`VarianceEstimator::covariance`].
pub fn cross_tabulation(
    estimator: &VarianceEstimator<'_>,
    rows: &[u32],
    columns: &[u32],
    domain: &Domain<'_>,
) -> Result<CrossTabulation, StatisticError> {
    let design = estimator.design;
    let whole = population(design, domain)?;
    for codes in [rows, columns] {
        check_length(codes.len(), design.rows(), || Column::Domain)?;
    }
    let counted: Vec<usize> = (0..design.rows())
        .filter(|&row| design.weights()[row] > 0.0 && domain.contains(row))
        .collect();
    let (row_codes, column_codes) = (distinct(rows, &counted), distinct(columns, &counted));
    let cells = row_codes.len() * column_codes.len();
    let mut cell_of = vec![None; design.rows()];
    let mut totals = vec![0.0; cells];
    for &row in &counted {
        if let (Ok(line), Ok(column)) = (
            row_codes.binary_search(&rows[row]),
            column_codes.binary_search(&columns[row]),
        ) {
            let cell = line * column_codes.len() + column;
            cell_of[row] = Some(cell);
            totals[cell] += design.weights()[row];
        }
    }
    let shares: Vec<f64> = totals.iter().map(|total| total / whole).collect();
    let influence: Vec<Vec<f64>> = (0..cells)
        .map(|cell| {
            let of_row = |row: usize| match cell_of[row] {
                Some(own) => design.weights()[row] / whole * (f64::from(u8::from(own == cell)) - shares[cell]),
                None => 0.0,
            };
            (0..design.rows()).map(of_row).collect()
        })
        .collect();
    let influence: Vec<&[f64]> = influence.iter().map(Vec::as_slice).collect();
    Ok(CrossTabulation {
        covariance: estimator.covariance_of_columns(&influence)?,
        row_codes,
        column_codes,
        totals,
        shares,
        elements: counted.len() as u64,
        degrees_of_freedom: design.degrees_of_freedom(domain),
    })
}

fn distinct(codes: &[u32], counted: &[usize]) -> Vec<u32> {
    let mut distinct: Vec<u32> = counted.iter().map(|&row| codes[row]).collect();
    distinct.sort_unstable();
    distinct.dedup();
    distinct
}

/// The share that a cell has of its row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShareOfRow {
    /// p_ij / Σ_j p_ij.
    pub share: f64,
    /// Its standard error.
    pub standard_error: f64,
}

impl CrossTabulation {
    /// Shares of the cells in their rows, row by row, as ratios of the shares of the whole: with q = p_ij / p_i,
    /// V(q) = V(p_ij − q·p_i) / p_i².
    pub fn shares_of_rows(&self) -> Vec<ShareOfRow> {
        let columns = self.column_codes.len();
        let of_cell = |cell: usize| {
            let line = cell / columns * columns..(cell / columns + 1) * columns;
            let row: f64 = self.shares[line.clone()].iter().sum();
            let share = self.shares[cell] / row;
            // Coefficients of p_ij − q·p_i.
            let coefficient = |other: usize| f64::from(u8::from(other == cell)) - share;
            let pairs = line.clone().flat_map(|one| line.clone().map(move |other| (one, other)));
            let variance: f64 = pairs
                .map(|(one, other)| coefficient(one) * coefficient(other) * self.covariance.get(one, other))
                .sum();
            ShareOfRow {
                share,
                // Below zero by rounding alone.
                standard_error: variance.max(0.0).sqrt() / row,
            }
        };
        (0..self.shares.len()).map(of_cell).collect()
    }

    /// Rao & Scott's tests of independence (1984, *Annals of Statistics* 12, 46–60), as `svychisq` in R.
    ///
    /// With Δ = (Cᵀ D⁻¹ C / n)⁻¹ (Cᵀ D⁻¹ V D⁻¹ C), where D has the shares on its diagonal, V their covariances and C the
    /// contrasts that independence sets to zero, the mean of Δ's eigenvalues corrects X² to the first order, and their
    /// spread (tr Δ)² / tr Δ² gives the degrees of freedom of the second.
    ///
    /// # Errors
    /// [`Undefined::TableTooSmall`], [`Undefined::Singular`], [`Undefined::NoDegreesOfFreedom`],
    /// [`Undefined::NothingToCompare`] if the design leaves the shares no variance.
    pub fn independence(&self) -> Result<IndependenceTest, Undefined> {
        let (lines, columns) = (self.row_codes.len(), self.column_codes.len());
        if lines < 2 || columns < 2 {
            return Err(Undefined::TableTooSmall);
        }
        if self.degrees_of_freedom == 0 {
            return Err(Undefined::NoDegreesOfFreedom);
        }
        let elements = self.elements as f64;
        let pearson = elements * self.mean_square_contingency();
        // C over D: one column per contrast of a row and a column against the last ones.
        let contrasts = (lines - 1) * (columns - 1);
        let mut weighted = Matrix::zeros(lines * columns, contrasts);
        let mut information = Matrix::zeros(contrasts, contrasts);
        for cell in 0..lines * columns {
            let share = self.shares[cell];
            let inverse = if share > 0.0 { 1.0 / share } else { 0.0 };
            let signs: Vec<f64> = (0..contrasts).map(|contrast| self.contrast(cell, contrast)).collect();
            for (one, &sign) in signs.iter().enumerate() {
                weighted.set(cell, one, sign * inverse);
                for (other, &other_sign) in signs.iter().enumerate() {
                    let sum = information.get(one, other) + sign * other_sign * inverse / elements;
                    information.set(one, other, sum);
                }
            }
        }
        let covariance =
            Matrix::new(lines * columns, lines * columns, self.covariance_values()).map_err(|_| Undefined::TooLarge)?;
        let spread = covariance
            .times(&weighted)
            .and_then(|product| weighted.transposed().times(&product))
            .map_err(|_| Undefined::TooLarge)?;
        let factor = Cholesky::new(&information).map_err(|_| Undefined::Singular)?;
        let mut delta = Matrix::zeros(contrasts, contrasts);
        for column in 0..contrasts {
            let right: Vec<f64> = (0..contrasts).map(|line| spread.get(line, column)).collect();
            let solution = factor.solve(&right).map_err(|_| Undefined::Singular)?;
            for (line, value) in solution.into_iter().enumerate() {
                delta.set(line, column, value);
            }
        }
        let pairs = (0..contrasts).flat_map(|line| (0..contrasts).map(move |column| (line, column)));
        let trace: f64 = (0..contrasts).map(|position| delta.get(position, position)).sum();
        let square: f64 = pairs
            .map(|(line, column)| delta.get(line, column) * delta.get(column, line))
            .sum();
        if !(trace > 0.0 && square > 0.0) {
            return Err(Undefined::NothingToCompare);
        }
        let first_order_degrees = contrasts as f64;
        let mean_design_effect = trace / first_order_degrees;
        let first_order = pearson / mean_design_effect;
        let second_order = pearson / trace;
        let numerator_degrees = trace * trace / square;
        let denominator_degrees = numerator_degrees * self.degrees_of_freedom as f64;
        let tail = |result: Result<f64, _>| result.map_err(|_| Undefined::TooLarge);
        Ok(IndependenceTest {
            pearson,
            first_order,
            first_order_degrees,
            first_order_p: tail(chi_squared_upper_tail(first_order, first_order_degrees))?,
            second_order,
            numerator_degrees,
            denominator_degrees,
            second_order_p: tail(f_upper_tail(second_order, numerator_degrees, denominator_degrees))?,
            mean_design_effect,
        })
    }

    /// Σ (p_ij − p_i p_j)² / (p_i p_j).
    fn mean_square_contingency(&self) -> f64 {
        let columns = self.column_codes.len();
        let of_line = |line: usize| self.shares[line * columns..][..columns].iter().sum::<f64>();
        let of_column = |column: usize| self.shares.iter().skip(column).step_by(columns).sum::<f64>();
        let line_shares: Vec<f64> = (0..self.row_codes.len()).map(of_line).collect();
        let column_shares: Vec<f64> = (0..columns).map(of_column).collect();
        let cells = self.shares.iter().enumerate();
        cells
            .map(|(cell, share)| {
                let expected = line_shares[cell / columns] * column_shares[cell % columns];
                (share - expected) * (share - expected) / expected
            })
            .sum()
    }

    /// Sign of a cell in a contrast: (this row − last row) × (this column − last column).
    fn contrast(&self, cell: usize, contrast: usize) -> f64 {
        let columns = self.column_codes.len();
        let sign = |position: usize, own: usize, last: usize| {
            f64::from(i8::from(position == own)) - f64::from(i8::from(position == last))
        };
        let (own_line, own_column) = (contrast / (columns - 1), contrast % (columns - 1));
        sign(cell / columns, own_line, self.row_codes.len() - 1) * sign(cell % columns, own_column, columns - 1)
    }

    fn covariance_values(&self) -> Vec<f64> {
        let cells = self.covariance.size();
        (0..cells * cells)
            .map(|position| self.covariance.get(position / cells, position % cells))
            .collect()
    }
}
