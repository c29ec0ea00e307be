//! What the module says, as JSON.

use serde::Serialize;
use survey_forms::answers::{AnswerMap, AnswerPath, Value};
use survey_forms::session::{AnswerProblem, AnswerProblemKind, AskedQuestion, Session, Severity};

use crate::ModuleError;

/// The value of a request.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Reply {
    /// It was done; as JSON `null`.
    Done(()),
    Value(Option<Value>),
    Text(String),
    Questions(Vec<Question>),
    Problems(Vec<Problem>),
}

/// A question as a page shows it, in the session's language.
#[derive(Debug, Serialize)]
pub(crate) struct Question {
    path: AnswerPath,
    label: String,
    hint: String,
    value: Option<Value>,
    takes_answer: bool,
    required: bool,
    read_only: bool,
    choices: Vec<OfferedChoice>,
}

/// One of a question's choices.
#[derive(Debug, Serialize)]
struct OfferedChoice {
    name: String,
    label: String,
}

impl Question {
    pub(crate) fn of(session: &Session<'_, AnswerMap>, asked: AskedQuestion<'_>) -> Self {
        let choices = session.choices(&asked.path);
        Self {
            label: session.text(&asked.node.label).to_owned(),
            hint: session.text(&asked.node.hint).to_owned(),
            value: session.value(&asked.path),
            takes_answer: asked.takes_answer(),
            required: session.is_required(&asked.path),
            read_only: session.is_read_only(&asked.path),
            choices: choices
                .iter()
                .map(|choice| OfferedChoice {
                    name: choice.name.clone(),
                    label: session.text(&choice.label).to_owned(),
                })
                .collect(),
            path: asked.path,
        }
    }
}

/// What is missing or wrong.
#[derive(Debug, Serialize)]
pub(crate) struct Problem {
    path: AnswerPath,
    severity: &'static str,
    kind: &'static str,
    message: String,
}

impl From<AnswerProblem> for Problem {
    fn from(problem: AnswerProblem) -> Self {
        Self {
            path: problem.path,
            severity: match problem.severity {
                Severity::Warning => "warning",
                Severity::Error => "error",
            },
            kind: match problem.kind {
                AnswerProblemKind::Missing => "missing",
                AnswerProblemKind::Constraint => "constraint",
                AnswerProblemKind::Type => "type",
                AnswerProblemKind::SoftCheck => "soft_check",
                AnswerProblemKind::Expression => "expression",
                AnswerProblemKind::TooManyInstances => "too_many_instances",
            },
            message: problem.message,
        }
    }
}

/// The outer object of a reply.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome<'r> {
    Value(&'r Reply),
    Error { vi: String, en: String },
}

pub(crate) fn written(reply: &Result<Reply, ModuleError>) -> Vec<u8> {
    let outcome = match reply {
        Ok(reply) => Outcome::Value(reply),
        Err(error) => Outcome::Error {
            vi: error.vietnamese(),
            en: error.to_string(),
        },
    };
    // Only maps whose keys are no text, or a failing writer, make this fail, and here is neither.
    serde_json::to_vec(&outcome).unwrap_or_default()
}
