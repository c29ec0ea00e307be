//! The household questionnaire `forms/household.xlsx`: its skip logic and checks (`filling`), and the indicators computed
//! from it (`indicators`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test's own helpers fail by panicking

mod filling;
mod indicators;

use std::path::Path;

use survey_forms::answers::{AnswerMap, AnswerPath, InstanceId, Value};
use survey_forms::model::{Form, NodeKind};
use survey_forms::session::Session;
use survey_forms::xlsform;
use survey_forms::xpath::{EvaluationContext, Moment};

pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

pub(crate) fn household() -> Form {
    let bytes = std::fs::read(repository().join("forms/household.xlsx")).unwrap();
    xlsform::read(&bytes).unwrap_or_else(|problems| panic!("{problems}"))
}

pub(crate) fn context() -> EvaluationContext {
    EvaluationContext::new(Moment::parse("2025-10-15T08:30:00+07:00", 420).unwrap(), "vi")
}

pub(crate) fn open(form: &Form) -> Session<'_, AnswerMap> {
    Session::new(form, AnswerMap::default(), context())
}

/// Text for a question with one answer, `a|b` for the ticked choices of a select_multiple, a number where it is one.
pub(crate) fn value(form: &Form, question: &str, written: &str) -> Value {
    match form.node(question).unwrap().kind {
        NodeKind::SelectMultiple { .. } => Value::Choices(written.split('|').map(str::to_owned).collect()),
        NodeKind::Integer => Value::Integer(written.parse().unwrap()),
        _ => Value::from(written),
    }
}

/// Answers in the order written; every one must be accepted.
pub(crate) fn fill(session: &mut Session<'_, AnswerMap>, instance: Option<&InstanceId>, answers: &[(&str, &str)]) {
    for (question, written) in answers {
        let path = AnswerPath {
            instance: instance.cloned(),
            question: (*question).to_owned(),
        };
        let value = value(session.form(), question, written);
        session
            .answer(&path, value)
            .unwrap_or_else(|error| panic!("{question} = {written}: {error}"));
    }
}

pub(crate) fn add_member(session: &mut Session<'_, AnswerMap>, id: &str, answers: &[(&str, &str)]) -> InstanceId {
    let id = InstanceId::new(id);
    session.add_instance("members", None, &id).unwrap();
    fill(session, Some(&id), answers);
    id
}

pub(crate) const CONSENTED: [(&str, &str); 4] = [
    ("consent", "yes"),
    ("respondent_name", "Nguyễn Thị Hoa"),
    ("respondent_relation", "head"),
    ("visit_outcome", "completed"),
];
