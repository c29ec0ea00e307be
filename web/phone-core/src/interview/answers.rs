//! A filled form to read: every question that is asked with its answer as people read it, in the form's order.

use serde::Serialize;

use super::{Names, OpenInterview};

/// Consecutive questions of one group, about the household or about one person of a roster.
#[derive(Debug, Serialize)]
pub(crate) struct AnswerSection {
    /// The innermost group's label, or the roster's.
    heading: String,
    /// Whom it is about, inside a roster.
    person: Option<String>,
    answers: Vec<ShownAnswer>,
}

/// A question and what was answered.
#[derive(Debug, Serialize)]
pub(crate) struct ShownAnswer {
    label: String,
    /// The answer as people read it; nothing where there is none.
    shown: Option<String>,
    /// The answers of others that differ, with who gave them.
    others: Vec<OtherAnswer>,
}

/// What somebody else answered.
#[derive(Debug, Serialize)]
pub(crate) struct OtherAnswer {
    author: String,
    shown: String,
}

impl OpenInterview {
    /// All questions that take an answer now, with their answers.
    pub(crate) fn answers(&self, names: &Names) -> Vec<AnswerSection> {
        let mut sections: Vec<AnswerSection> = Vec::new();
        let mut before = None;
        for asked in self.session.questions() {
            if !asked.takes_answer() {
                continue;
            }
            let place = (asked.path.instance.clone(), asked.node.parent);
            if before.as_ref() != Some(&place) {
                sections.push(AnswerSection {
                    heading: self.heading(asked.node.parent),
                    person: asked.path.instance.as_ref().map(|instance| self.title(instance)),
                    answers: Vec::new(),
                });
                before = Some(place);
            }
            let value = self.session.value(&asked.path);
            let conflict = self.conflicts.iter().find(|conflict| conflict.path == asked.path);
            let others = conflict.into_iter().flat_map(|conflict| &conflict.claims);
            let others = others.filter(|claim| claim.value != value).map(|claim| OtherAnswer {
                author: names.name(&claim.actor),
                shown: claim
                    .value
                    .as_ref()
                    .map_or_else(String::new, |value| self.shown(&asked.path, value)),
            });
            let shown = ShownAnswer {
                label: self.session.shown_text(&asked.path, &asked.node.label),
                shown: value.as_ref().map(|value| self.shown(&asked.path, value)),
                others: others.collect(),
            };
            if let Some(section) = sections.last_mut() {
                section.answers.push(shown);
            }
        }
        sections
    }

    /// What stands above the questions of a group: its label, or that of the first around it that has one.
    fn heading(&self, group: Option<usize>) -> String {
        let around = self.around(group);
        let labels = around.map(|position| self.label(position, None));
        labels.into_iter().find(|label| !label.is_empty()).unwrap_or_default()
    }
}
