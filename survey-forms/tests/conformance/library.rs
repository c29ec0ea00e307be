//! What this library does with a test form: reads it, lets it be filled, writes it as an XForm.

use survey_forms::answers::{AnswerMap, AnswerPath, AnswersMut, InstanceId, Value};
use survey_forms::model::{DataFile, Form, FormNode, FormProblems, NodeKind};
use survey_forms::session::Session;
use survey_forms::xlsform::Reading;
use survey_forms::xpath::{EvaluationContext, Moment};
use survey_forms::{FormData, read_form};

use super::sheets::FormFile;

/// Writes a form as an XForm; None as long as the library has no writer.
pub(crate) const WRITER: Option<fn(&Form) -> String> = Some(survey_forms::xform::write);

/// Reads a form.
pub(crate) fn read(file: &FormFile) -> Result<Form, FormProblems> {
    read_with_warnings(file).map(|reading| reading.form)
}

/// Reads a form, with what its author should look at.
pub(crate) fn read_with_warnings(file: &FormFile) -> Result<Reading, FormProblems> {
    let bytes = std::fs::read(&file.path).unwrap();
    let name = file.path.file_name().unwrap().to_string_lossy();
    read_form(&bytes, Some(&name))
}

/// Fills a form as a person would who answers whatever is asked, each repeat once.
///
/// # Errors
/// With the name of a question that takes none of the answers that people give to its type.
pub(crate) fn fill(form: &Form) -> Result<(), String> {
    let context = EvaluationContext::new(Moment::parse("2026-11-25T08:30:00+07:00", 420).unwrap(), "vi");
    let files = files(form);
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    let data = FormData::new(form, &files, Some(&last_saved(form))).map_err(|error| error.to_string())?;
    let mut session = Session::new(form, AnswerMap::default(), context).with_data(data);
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
            && (question.node.kind.choice_source().is_none() || !session.choices(&question.path).is_empty())
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

/// The files that a form uses, each with one row that every form can look up.
fn files(form: &Form) -> Vec<(String, &'static str)> {
    let text = |name: &str| match DataFile::of_name(name) {
        Some(DataFile::Xml) => "<root><item><name>a</name><label>A</label></item></root>",
        Some(DataFile::GeoJson) => {
            r#"{"type":"FeatureCollection","features":[{"type":"Feature","id":"a","properties":{"title":"A"},"geometry":{"type":"Point","coordinates":[106.36,10.35]}}]}"#
        }
        _ => "name,label,card,pin\na,A,một,một\n",
    };
    let sources = form.data_sources().into_iter();
    let names = sources.filter_map(|source| source.file_name().map(str::to_owned));
    names.map(|name| (name.clone(), text(&name))).collect()
}

/// The form saved last: every number was 1, every text "a".
fn last_saved(form: &Form) -> AnswerMap {
    let mut answers = AnswerMap::default();
    for (position, node) in form.nodes().iter().enumerate() {
        let value = match node.kind {
            NodeKind::Integer => Value::Integer(1),
            _ => Value::from("a"),
        };
        if form.repeat_of(position).is_none() && !node.is_container() {
            let Ok(()) = answers.put_answer(&AnswerPath::top(form.key(position)), &value);
        }
    }
    answers
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
        NodeKind::Range => {
            let start = node.parameters.get("start").map_or("1", String::as_str);
            let whole = start.parse().map(Value::Integer).ok();
            whole.into_iter().chain(start.parse().map(Value::Decimal)).collect()
        }
        NodeKind::Date => texts(&["2020-02-29", "2026-11-25"]),
        NodeKind::Time => texts(&["18:30:00.000+07:00", "08:00:00.000+07:00"]),
        NodeKind::DateTime => texts(&["2026-11-25T18:30:00.000+07:00"]),
        NodeKind::Geopoint => texts(&["10.35 106.36 0 5"]),
        NodeKind::Geotrace => texts(&["10.35 106.36 0 5; 10.36 106.36 0 5"]),
        NodeKind::Geoshape => texts(&["10.35 106.36 0 5; 10.36 106.36 0 5; 10.36 106.37 0 5; 10.35 106.36 0 5"]),
        NodeKind::Acknowledge => texts(&["OK"]),
        NodeKind::SelectOne { .. } | NodeKind::SelectOneExternal { .. } => choices.map(Value::from).collect(),
        NodeKind::SelectMultiple { .. } => choices.map(|name| Value::Choices([name.to_owned()].into())).collect(),
        NodeKind::Rank { .. } => vec![Value::Text(choices.collect::<Vec<_>>().join(" "))],
        _ => texts(&["một", "AB1234", "an@khaosat.example", "7", "có"]),
    };
    answers.into_iter()
}
