//! What this library does with a test form: reads it, lets it be filled, writes it as an XForm.

use survey_forms::answers::{AnswerMap, InstanceId, Value};
use survey_forms::model::{Form, FormNode, FormProblems, NodeKind};
use survey_forms::session::Session;
use survey_forms::xpath::{EvaluationContext, Moment};

use super::sheets::FormFile;

/// Writes a form as an XForm; None as long as the library has no writer.
pub(crate) const WRITER: Option<fn(&Form) -> String> = Some(survey_forms::xform::write);

/// Reads a form.
pub(crate) fn read(file: &FormFile) -> Result<Form, FormProblems> {
    let bytes = std::fs::read(&file.path).unwrap();
    let name = file.path.file_name().unwrap().to_string_lossy();
    survey_forms::xlsform::read_file(&bytes, Some(&name)).map(|reading| reading.form)
}

/// Fills a form as a person would who answers whatever is asked, each repeat once.
///
/// # Errors
/// With the name of a question that takes none of the answers that people give to its type.
pub(crate) fn fill(form: &Form) -> Result<(), String> {
    let context = EvaluationContext::new(Moment::parse("2026-11-25T08:30:00+07:00", 420).unwrap(), "vi");
    let mut session = Session::new(form, AnswerMap::default(), context);
    session.begin().map_err(|error| error.to_string())?;
    for (position, node) in form.nodes().iter().enumerate() {
        if node.kind != NodeKind::Repeat || node.repeat_count.is_some() {
            continue;
        }
        for parent in instances_around(form, &session, position) {
            let id = match &parent {
                Some(parent) => format!("{parent}/{}-1", node.name),
                None => format!("{}-1", node.name),
            };
            session
                .add_instance(form.key(position), parent.as_ref(), &InstanceId::new(id))
                .map_err(|error| error.to_string())?;
        }
    }
    // Answers make further questions relevant, which stand after them or, rarely, before.
    while let Some(question) = session.questions().into_iter().find(|question| {
        question.node.is_asked()
            && !session.is_read_only(&question.path)
            && session.value(&question.path).is_none()
            && (question.node.list().is_none() || !session.choices(&question.path).is_empty())
    }) {
        let choices = session.choices(&question.path);
        let mut answers = plausible_answers(question.node, choices.iter().map(|choice| choice.name.as_str()));
        let kept = answers.any(|answer| session.answer(&question.path, answer).is_ok());
        if !kept {
            return Err(question.node.name.clone());
        }
    }
    Ok(())
}

/// The instances of the repeat around a repeat; none stands for the form itself.
fn instances_around(form: &Form, session: &Session<'_, AnswerMap>, position: usize) -> Vec<Option<InstanceId>> {
    let outer = form.nodes()[position].parent.and_then(|parent| form.repeat_of(parent));
    let Some(outer) = outer else { return vec![None] };
    let around = instances_around(form, session, outer);
    let inside = around
        .iter()
        .flat_map(|parent| session.instances(form.key(outer), parent.as_ref()));
    inside.map(Some).collect()
}

/// Answers that a person might give to a question, the likeliest first.
fn plausible_answers<'a>(node: &FormNode, choices: impl Iterator<Item = &'a str>) -> impl Iterator<Item = Value> {
    let texts = |texts: &[&str]| texts.iter().map(|text| Value::from(*text)).collect::<Vec<_>>();
    let answers = match node.kind {
        NodeKind::Integer => [7, 1, 20, 0].map(Value::from).to_vec(),
        NodeKind::Decimal => [5.5, 36.5, 1.0].map(Value::Decimal).to_vec(),
        NodeKind::Date => texts(&["2020-02-29", "2026-11-25"]),
        NodeKind::Geopoint => texts(&["10.35 106.36 0 5"]),
        NodeKind::Acknowledge => texts(&["OK"]),
        NodeKind::SelectOne { .. } => choices.map(Value::from).collect(),
        NodeKind::SelectMultiple { .. } => choices.map(|name| Value::Choices([name.to_owned()].into())).collect(),
        _ => texts(&["một", "AB1234", "an@khaosat.example", "7", "có"]),
    };
    answers.into_iter()
}
