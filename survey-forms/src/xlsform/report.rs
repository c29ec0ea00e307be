//! Where the problems of one sheet are gathered while it is read.

use crate::model::{FormProblem, Place, ProblemKind};

/// Gathers what is wrong with a sheet, and what its author should know though it is not wrong.
pub(super) struct Reporter<'a> {
    pub(super) sheet: &'static str,
    pub(super) problems: &'a mut Vec<FormProblem>,
    pub(super) warnings: &'a mut Vec<FormProblem>,
}

impl Reporter<'_> {
    fn problem(&self, row: u32, column: &str, kind: ProblemKind) -> FormProblem {
        FormProblem {
            place: Place::new(self.sheet, Some(row), Some(column)),
            kind,
        }
    }

    /// Reports an error.
    pub(super) fn report(&mut self, row: u32, column: &str, kind: ProblemKind) {
        let problem = self.problem(row, column, kind);
        self.problems.push(problem);
    }

    /// Reports something that works but that its author should look at.
    pub(super) fn warn(&mut self, row: u32, column: &str, kind: ProblemKind) {
        let problem = self.problem(row, column, kind);
        self.warnings.push(problem);
    }
}
