//! What is found while an XForm is read.

use super::tree::Spot;
use crate::Phrase;
use crate::model::{FormProblem, ProblemKind, XFormProblem};

/// The most problems that are told; more would only repeat.
const MOST: usize = 1000;

/// Problems, for which the form is refused, and warnings.
#[derive(Default)]
pub(super) struct Report {
    pub(super) problems: Vec<FormProblem>,
    pub(super) warnings: Vec<FormProblem>,
}

fn push(found: &mut Vec<FormProblem>, spot: &Spot, kind: XFormProblem) {
    if found.len() < MOST {
        found.push(FormProblem {
            place: spot.place(),
            kind: ProblemKind::XForm(kind),
        });
    }
}

impl Report {
    pub(super) fn refuse(&mut self, spot: &Spot, kind: XFormProblem) {
        push(&mut self.problems, spot, kind);
    }

    pub(super) fn warn(&mut self, spot: &Spot, kind: XFormProblem) {
        push(&mut self.warnings, spot, kind);
    }

    /// Warns that something was read as something that means nearly the same.
    pub(super) fn changed(&mut self, spot: &Spot, what: Phrase, found: &str) {
        let found = shortened(found);
        self.warn(spot, XFormProblem::Changed { what, found });
    }

    /// Refuses what a form here cannot hold.
    pub(super) fn not_held(&mut self, spot: &Spot, what: Phrase, found: &str, cure: Phrase) {
        let found = shortened(found);
        self.refuse(spot, XFormProblem::NotHeld { what, found, cure });
    }
}

/// As much of a text as a message shows.
pub(super) fn shortened(text: &str) -> String {
    const MOST: usize = 100;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
