//! What is counted as the province's log grows.

use std::collections::{BTreeMap, BTreeSet};

use survey_forms::answers::{AnswerMap, AnswerPath, Answers as _, Value};

use super::World;
use crate::simulation::bug::Bug;
use crate::simulation::history::QUESTIONS;

/// What is counted for the figures: the share of households with this answer to the second question.
const COUNTED: &str = "yes";

/// Households by what they answered, kept up as the log grows.
#[derive(Debug, Default)]
pub(super) struct Figures {
    counted: BTreeMap<usize, bool>,
    pub(super) sum: i64,
    seen: usize,
}

impl World {
    /// Adds what is new in the province's log to the figures, as the server's projection does.
    pub(super) fn count(&mut self) {
        let data = &self.sites[0].data;
        let entries = data.log.iter().map(|entry| (entry.unit, entry.place));
        let tombstones = data.erased.iter().map(|(unit, place)| (*unit, *place));
        let new = entries
            .chain(tombstones)
            .filter(|(_, place)| *place > self.figures.seen);
        let changed: BTreeSet<usize> = new.map(|(unit, _)| unit).collect();
        self.figures.seen = data.head();
        for unit in changed {
            let counts = counts(&self.sites[0].data.response(unit).read().answers);
            let before = self.figures.counted.insert(unit, counts).unwrap_or(false);
            self.figures.sum += i64::from(counts);
            if self.bug != Some(Bug::CountsTwice) {
                self.figures.sum -= i64::from(before);
            }
        }
    }

    /// The server has started anew.
    pub(super) fn recount(&mut self) {
        self.figures = Figures::default();
        self.count();
    }
}

/// Whether a household with these answers is counted.
pub(super) fn counts(answers: &AnswerMap) -> bool {
    answers.answer(&AnswerPath::top(QUESTIONS[1])) == Some(Value::Text(COUNTED.to_owned()))
}
