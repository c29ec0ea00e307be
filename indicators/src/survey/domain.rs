//! The part of the population that a statistic is about.

use super::design::check_length;
use super::error::{Column, SurveyError};

/// A domain: rows outside it count as zeros and stay in the design, so that the number of units sampled is that of the
/// whole survey. As `subset` of a design in R.
#[derive(Debug, Clone, Copy)]
pub enum Domain<'a> {
    /// Every row.
    Everyone,
    /// The rows with `true`.
    Rows(&'a [bool]),
    /// The rows whose code is this one.
    Category {
        /// One code per row.
        codes: &'a [u32],
        /// The code wanted.
        code: u32,
    },
}

impl Domain<'_> {
    /// Whether a row is in the domain; a row that does not exist is not.
    pub fn contains(&self, row: usize) -> bool {
        match self {
            Domain::Everyone => true,
            Domain::Rows(marks) => marks.get(row) == Some(&true),
            Domain::Category { codes, code } => codes.get(row) == Some(code),
        }
    }

    /// Checks that there is one mark or code per row.
    pub(super) fn check(&self, rows: usize) -> Result<(), SurveyError> {
        match self {
            Domain::Everyone => Ok(()),
            Domain::Rows(marks) => check_length(marks.len(), rows, || Column::Domain),
            Domain::Category { codes, .. } => check_length(codes.len(), rows, || Column::Domain),
        }
    }
}
