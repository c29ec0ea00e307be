//! Whether a filled form is complete and consistent: what is missing, what is wrong, what should be asked again.

use super::{AskedQuestion, Session, is_table_heading};
use crate::answers::{AnswerPath, AnswersMut};
use crate::instance::{MAX_COUNTED_INSTANCES, MAX_INSTANCES, is_calculated};
use crate::model::{FormNode, NodeKind};

/// How serious a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The answer is unusual: ask again, then confirm or correct it.
    Warning,
    /// The form is not complete until it is mended.
    Error,
}

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerProblemKind {
    /// A required answer is missing.
    Missing,
    /// The answer breaks the constraint: answers that fit one by one may not fit together once merged.
    Constraint,
    /// The answer is of another type or a choice that the form does not offer.
    Type,
    /// A soft check (an acknowledgement that is not required) is to be asked and not ticked.
    SoftCheck,
    /// An expression of the form cannot be evaluated.
    Expression,
    /// A repeat's expression asks for more instances than there may be.
    TooManyInstances,
}

/// A problem with an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerProblem {
    /// The question.
    pub path: AnswerPath,
    /// How serious it is.
    pub severity: Severity,
    /// What it is.
    pub kind: AnswerProblemKind,
    /// What to tell people, in the session's language; the form's own words where it has some.
    pub message: String,
}

impl<S: AnswersMut> Session<'_, S>
where
    S::Error: 'static,
{
    /// Checks every question that is to be asked now, in the form's order. Empty where the form is complete.
    pub fn validate(&self) -> Vec<AnswerProblem> {
        let mut problems = self.validate_questions(&self.questions());
        problems.extend(self.instance.excessive().map(|(roster, wanted)| AnswerProblem {
            path: AnswerPath {
                instance: roster.parent.clone(),
                question: self.form.key(roster.repeat).to_owned(),
            },
            severity: Severity::Error,
            kind: AnswerProblemKind::TooManyInstances,
            message: match self.context.language.as_str() {
                "vi" => format!(
                    "biểu mẫu yêu cầu {wanted} mục lặp; chỉ được nhiều nhất {MAX_COUNTED_INSTANCES}, và \
                     {MAX_INSTANCES} trong cả phiếu"
                ),
                _ => format!(
                    "the form asks for {wanted} instances; at most {MAX_COUNTED_INSTANCES} are allowed, and \
                     {MAX_INSTANCES} in all"
                ),
            },
        }));
        problems
    }

    /// Checks some questions, for example those of one [`super::Page`], before the person leaves it.
    pub fn validate_questions(&self, questions: &[AskedQuestion<'_>]) -> Vec<AnswerProblem> {
        let mut problems = Vec::new();
        for asked in questions.iter().filter(|asked| !is_table_heading(asked.node)) {
            if let Some((kind, message)) = self.problem(asked.node, &asked.path) {
                problems.push(AnswerProblem {
                    severity: match kind {
                        AnswerProblemKind::SoftCheck => Severity::Warning,
                        _ => Severity::Error,
                    },
                    path: asked.path.clone(),
                    kind,
                    message,
                });
            }
        }
        problems
    }

    fn problem(&self, row: &FormNode, path: &AnswerPath) -> Option<(AnswerProblemKind, String)> {
        let position = self.form.position(&path.question)?;
        let node = self.node(path)?;
        if let Some(error) = self.instance.failure(node) {
            let message = match self.context.language.as_str() {
                "vi" => error.vietnamese(),
                _ => error.to_string(),
            };
            return Some((AnswerProblemKind::Expression, message));
        }
        let Some(value) = self.value(path) else {
            if self.is_required(path) {
                return Some((AnswerProblemKind::Missing, self.missing_message(row)));
            }
            let is_soft_check = row.kind == NodeKind::Acknowledge;
            return is_soft_check.then(|| (AnswerProblemKind::SoftCheck, self.text(&row.label).to_owned()));
        };
        let computed = is_calculated(self.form, position);
        if let Err(refusal) = self.check_type(row, path, &value)
            && !computed
        {
            let message = match self.context.language.as_str() {
                "vi" => refusal.vietnamese(),
                _ => refusal.to_string(),
            };
            return Some((AnswerProblemKind::Type, message));
        }
        let message = self.breaks_constraint(position, node)?;
        Some((AnswerProblemKind::Constraint, message))
    }

    fn missing_message(&self, row: &FormNode) -> String {
        match (self.text(&row.required_message), self.context.language.as_str()) {
            ("", "vi") => "Câu này cần được trả lời.".to_owned(),
            ("", _) => "An answer is required.".to_owned(),
            (message, _) => message.to_owned(),
        }
    }
}
