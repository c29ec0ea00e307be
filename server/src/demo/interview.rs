//! An interview: a household's answers go through the form, which decides what is asked.

use std::collections::{BTreeMap, BTreeSet};

use survey_forms::answers::{AnswerPath, InstanceId, Value};
use survey_forms::model::Form;
use survey_forms::session::{AnswerError, Session};
use survey_forms::xpath::{EvaluationContext, Moment};
use sync_core::response::{Edit, ResponseError};

use super::household::Household;

/// The roster's name in the household form.
const ROSTER: &str = "members";
/// Vietnam's offset from UTC in minutes.
const UTC_OFFSET: i32 = 7 * 60;

/// Why the form or the response document did not take an answer.
pub type InterviewError = AnswerError<ResponseError>;

/// Interviews a whole household at `seconds` (since 1970-01-01T00:00:00Z, by the phone's clock) and writes what it says
/// into `edit`: the roster first, then every question that the form asks, in its order.
///
/// # Errors
/// [`InterviewError`] when the form refuses an answer or the document does not keep it.
pub fn interview(form: &Form, edit: &mut Edit<'_>, household: &Household, seconds: i64) -> Result<(), InterviewError> {
    let mut answers = household.answers.clone();
    answers.insert("consent", "yes".into());
    answers.insert("visit_outcome", "completed".into());
    let members: BTreeMap<InstanceId, &BTreeMap<&'static str, Value>> = household
        .members
        .iter()
        .map(|member| (InstanceId::new(member.id.clone()), &member.answers))
        .collect();
    let mut session = Session::new(form, edit, context(seconds));
    for member in &household.members {
        session.add_instance(ROSTER, None, &InstanceId::new(member.id.clone()))?;
    }
    fill(&mut session, |path| match &path.instance {
        None => answers.get(path.question.as_str()).cloned(),
        Some(instance) => members.get(instance)?.get(path.question.as_str()).cloned(),
    })
}

/// Answers just these questions outside the roster, as far as the form asks them.
pub(super) fn short_interview(
    form: &Form,
    edit: &mut Edit<'_>,
    answers: &BTreeMap<&str, &str>,
    seconds: i64,
) -> Result<(), InterviewError> {
    fill(&mut Session::new(form, edit, context(seconds)), |path| {
        let word = answers.get(path.question.as_str())?;
        path.instance.is_none().then(|| Value::from(*word))
    })
}

/// Answers every question that the form asks, in its order, until it asks nothing new.
fn fill(
    session: &mut Session<'_, &mut Edit<'_>>,
    answer: impl Fn(&AnswerPath) -> Option<Value>,
) -> Result<(), InterviewError> {
    let mut asked = BTreeSet::new();
    loop {
        let before = asked.len();
        let paths: Vec<AnswerPath> = session.questions().into_iter().map(|question| question.path).collect();
        for path in paths {
            if session.is_relevant(&path)
                && asked.insert(path.clone())
                && let Some(value) = answer(&path)
            {
                session.answer(&path, value)?;
            }
        }
        if asked.len() == before {
            return Ok(());
        }
    }
}

fn context(seconds: i64) -> EvaluationContext {
    let now = Moment {
        unix_milliseconds: seconds * 1000,
        utc_offset_minutes: UTC_OFFSET,
    };
    EvaluationContext::new(now, "vi")
}
