//! A variable's column.

use super::design::check_length;
use super::domain::Domain;
use super::error::{Column, Requirement, SurveyError};

/// Values of one variable, one per row. Rows outside the domain of an estimate may hold anything, also NaN for what was
/// not asked or not answered.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    /// The variable's name, for messages.
    pub name: &'a str,
    /// The values.
    pub values: &'a [f64],
}

impl<'a> Values<'a> {
    /// Names a column.
    pub fn new(name: &'a str, values: &'a [f64]) -> Self {
        Values { name, values }
    }

    /// Which rows have a finite value, to make a domain of the complete cases.
    pub fn observed(&self) -> Vec<bool> {
        self.values.iter().map(|value| value.is_finite()).collect()
    }

    fn column(&self) -> Column {
        Column::Value {
            name: self.name.to_owned(),
        }
    }

    /// Checks that there is one value per row, and a finite one in each row of the domain.
    pub(super) fn check(&self, rows: usize, domain: &Domain<'_>) -> Result<(), SurveyError> {
        self.check_where(rows, |row| domain.contains(row))
    }

    /// Checks that there is one value per row, and a finite one in each row that counts.
    pub(super) fn check_where(&self, rows: usize, counts: impl Fn(usize) -> bool) -> Result<(), SurveyError> {
        check_length(self.values.len(), rows, || self.column())?;
        let wrong = (0..rows).find(|&row| !self.values[row].is_finite() && counts(row));
        match wrong {
            None => Ok(()),
            Some(row) => Err(SurveyError::Number {
                row,
                column: self.column(),
                value: self.values[row],
                must: Requirement::Finite,
            }),
        }
    }
}
