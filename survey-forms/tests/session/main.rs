//! Filling sessions on small forms: what is asked, what is refused, what is computed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test's own helpers fail by panicking

mod circles;
mod counts;
mod data;
mod incremental;
mod nested;
mod order;
mod pages;
mod presentation;
mod triggers;
mod types;

use survey_forms::answers::{AnswerMap, AnswerPath, InstanceId, Value};
use survey_forms::model::{
    Choice, ChoiceLists, Form, FormDefinition, FormNode, Language, Media, Metadata, NodeKind, Settings, Translations,
};
use survey_forms::session::{AnswerError, AnswerProblemKind, Refusal, Session};
use survey_forms::xpath::{EvaluationContext, Moment};

fn definition(nodes: Vec<FormNode>) -> FormDefinition {
    FormDefinition {
        settings: Settings::default(),
        languages: vec![Language {
            code: "vi".into(),
            name: "Tiếng Việt (vi)".into(),
        }],
        nodes,
        choices: [(
            "colour".to_owned(),
            vec![choice("red", "warm"), choice("orange", "warm"), choice("blue", "cold")],
        )]
        .into(),
        external_choices: ChoiceLists::new(),
        osm_tags: ChoiceLists::new(),
        entities: Vec::new(),
    }
}

fn form(nodes: Vec<FormNode>) -> Form {
    Form::compile(definition(nodes)).unwrap_or_else(|problems| panic!("{problems}"))
}

fn choice(name: &str, kind: &str) -> Choice {
    Choice {
        name: name.into(),
        label: Translations([("vi".to_owned(), format!("màu {name}"))].into()),
        other: [("kind".to_owned(), kind.to_owned())].into(),
        media: Media::new(),
        row: 0,
    }
}

fn row(name: &str, kind: NodeKind) -> FormNode {
    FormNode::new(name, kind, None)
}

fn context() -> EvaluationContext {
    let mut context = EvaluationContext::new(Moment::parse("2025-10-15T08:30:00+07:00", 420).unwrap(), "vi");
    context.device_id = Some("device-7".to_owned());
    context
}

fn session(form: &Form) -> Session<'_, AnswerMap> {
    Session::new(form, AnswerMap::default(), context())
}

fn refusal(result: Result<(), AnswerError<std::convert::Infallible>>) -> Refusal {
    match result {
        Err(AnswerError::Refused { refusal, .. }) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn defaults_and_metadata_are_put_in_once_when_a_response_is_made() {
    let mut day = row("day", NodeKind::Date);
    day.default = Some("today()".into());
    let mut count = row("count", NodeKind::Integer);
    count.default = Some("3".into());
    let mut children = row("children", NodeKind::Repeat);
    children.name = "children".into();
    let mut colour = FormNode::new("favourite", NodeKind::SelectOne { list: "colour".into() }, Some(5));
    colour.default = Some("blue".into());
    let start = row("start", NodeKind::Metadata(Metadata::Start));
    let today = row("today", NodeKind::Metadata(Metadata::Today));
    let device = row("device", NodeKind::Metadata(Metadata::DeviceId));
    let form = form(vec![day, count, start, today, device, children, colour]);
    let mut session = session(&form);
    assert_eq!(
        session.value(&AnswerPath::top("count")),
        None,
        "opening a form changes nothing"
    );
    session.begin().unwrap();
    let value = |session: &Session<'_, AnswerMap>, name: &str| session.value(&AnswerPath::top(name));
    assert_eq!(value(&session, "day"), Some(Value::from("2025-10-15")));
    assert_eq!(value(&session, "count"), Some(Value::Integer(3)));
    assert_eq!(
        value(&session, "start"),
        Some(Value::from("2025-10-15T08:30:00.000+07:00"))
    );
    assert_eq!(value(&session, "today"), Some(Value::from("2025-10-15")));
    assert_eq!(value(&session, "device"), Some(Value::from("device-7")));
    session.answer(&AnswerPath::top("count"), Value::Integer(5)).unwrap();
    session.begin().unwrap();
    assert_eq!(
        value(&session, "count"),
        Some(Value::Integer(5)),
        "an answer is never replaced by a default"
    );
    let child = InstanceId::new("c1");
    session.add_instance("children", None, &child).unwrap();
    assert_eq!(
        session.value(&AnswerPath::within(&child, "favourite")),
        Some(Value::from("blue"))
    );
    session.remove_instance("children", &child).unwrap();
    assert_eq!(session.value(&AnswerPath::within(&child, "favourite")), None);
}

#[test]
fn every_type_accepts_its_values_and_refuses_others() {
    let colour = || "colour".to_owned();
    let form = form(vec![
        row("text", NodeKind::Text),
        row("integer", NodeKind::Integer),
        row("decimal", NodeKind::Decimal),
        row("date", NodeKind::Date),
        row("point", NodeKind::Geopoint),
        row("tick", NodeKind::Acknowledge),
        row("one", NodeKind::SelectOne { list: colour() }),
        row("many", NodeKind::SelectMultiple { list: colour() }),
        row("note", NodeKind::Note),
    ]);
    let mut session = session(&form);
    let many = |names: &[&str]| Value::Choices(names.iter().map(|name| (*name).to_owned()).collect());
    let good = [
        ("text", Value::from("chữ")),
        ("integer", Value::Integer(-4)),
        ("decimal", Value::Decimal(2.5)),
        ("decimal", Value::Integer(2)),
        ("date", Value::from("2024-02-29")),
        ("point", Value::from("10.35 106.36 2 5")),
        ("point", Value::from("10.35 106.36")),
        ("tick", Value::from("OK")),
        ("one", Value::from("red")),
        ("many", many(&["red", "blue"])),
    ];
    for (name, value) in good {
        session.answer(&AnswerPath::top(name), value.clone()).unwrap();
        assert_eq!(session.value(&AnswerPath::top(name)), Some(value));
    }
    let wrong = [
        ("text", Value::Integer(1)),
        ("integer", Value::from("1")),
        ("integer", Value::Decimal(1.5)),
        ("decimal", Value::Decimal(f64::NAN)),
        ("date", Value::from("2023-02-29")),
        ("point", Value::from("91 0")),
        ("point", Value::from("10")),
        ("point", Value::from("10 106 0 -1")),
        ("tick", Value::from("yes")),
        ("one", many(&["red"])),
        ("many", Value::from("red")),
    ];
    for (name, value) in wrong {
        let path = AnswerPath::top(name);
        let before = session.value(&path);
        let refused = refusal(session.answer(&path, value));
        assert!(matches!(refused, Refusal::WrongType { .. }), "{name}: {refused:?}");
        assert!(refused.vietnamese().starts_with("cần "));
        assert_eq!(session.value(&path), before);
    }
    let unknown = refusal(session.answer(&AnswerPath::top("one"), Value::from("green")));
    assert_eq!(unknown, Refusal::UnknownChoice("green".into()));
    let note = refusal(session.answer(&AnswerPath::top("note"), Value::from("x")));
    assert_eq!(note, Refusal::TakesNoAnswer);
    let nowhere = refusal(session.answer(&AnswerPath::top("nowhere"), Value::from("x")));
    assert_eq!(nowhere, Refusal::UnknownPlace);
    session.answer(&AnswerPath::top("text"), Value::from("")).unwrap();
    assert_eq!(
        session.value(&AnswerPath::top("text")),
        None,
        "an empty text clears the answer"
    );
}

#[test]
fn a_choice_filter_offers_what_fits_the_earlier_answer() {
    let kind = row("kind", NodeKind::Text);
    let mut colour = row("colour", NodeKind::SelectOne { list: "colour".into() });
    colour.choice_filter = Some("kind = ${kind}".into());
    let form = form(vec![kind, colour]);
    let mut session = session(&form);
    let offered = |session: &Session<'_, AnswerMap>| -> Vec<String> {
        let choices = session.choices(&AnswerPath::top("colour")).into_iter();
        choices.map(|choice| choice.name.clone()).collect()
    };
    session.answer(&AnswerPath::top("kind"), Value::from("warm")).unwrap();
    assert_eq!(offered(&session), ["red", "orange"]);
    let cold = refusal(session.answer(&AnswerPath::top("colour"), Value::from("blue")));
    assert_eq!(cold, Refusal::UnknownChoice("blue".into()));
    session.answer(&AnswerPath::top("colour"), Value::from("red")).unwrap();
    session.answer(&AnswerPath::top("kind"), Value::from("cold")).unwrap();
    assert_eq!(offered(&session), ["blue"]);
    // The answer given before is no longer one of the choices, which the form's check says.
    assert_eq!(session.validate()[0].kind, AnswerProblemKind::Type);
}

#[test]
fn calculations_follow_one_another_whatever_their_order_in_the_form() {
    let mut last = row("last", NodeKind::Calculate);
    last.calculation = Some("${middle} * 2".into());
    let mut middle = row("middle", NodeKind::Calculate);
    middle.calculation = Some("${first} + 1".into());
    let mut label = row("label", NodeKind::Calculate);
    label.calculation = Some("jr:choice-name(${colour}, '${colour}')".into());
    let first = row("first", NodeKind::Integer);
    let colour = row("colour", NodeKind::SelectOne { list: "colour".into() });
    let form = form(vec![last, middle, label, first, colour]);
    let mut session = session(&form);
    assert_eq!(
        session.value(&AnswerPath::top("last")),
        None,
        "over a blank there is no value, not NaN"
    );
    session.answer(&AnswerPath::top("first"), Value::Integer(4)).unwrap();
    session.answer(&AnswerPath::top("colour"), Value::from("blue")).unwrap();
    assert_eq!(session.value(&AnswerPath::top("last")), Some(Value::from("10")));
    assert_eq!(session.value(&AnswerPath::top("label")), Some(Value::from("màu blue")));
    assert_eq!(session.store(), &{
        let mut stored = AnswerMap::default();
        use survey_forms::answers::AnswersMut;
        stored
            .put_answer(&AnswerPath::top("first"), &Value::Integer(4))
            .unwrap();
        stored
            .put_answer(&AnswerPath::top("colour"), &Value::from("blue"))
            .unwrap();
        stored
    });
}

#[test]
fn irrelevant_answers_are_kept_and_not_seen() {
    let gate = row("gate", NodeKind::Integer);
    let mut inner = row("inner", NodeKind::Integer);
    inner.relevant = Some("${gate} = 1".into());
    let mut total = row("total", NodeKind::Calculate);
    total.calculation = Some("coalesce(${inner}, 'none')".into());
    let mut blank = row("blank", NodeKind::Calculate);
    blank.calculation = Some("if(${inner} = '' and not(${inner} != '') and '' = ${inner}, 'blank', 'filled')".into());
    let form = form(vec![gate, inner, total, blank]);
    let mut session = session(&form);
    let [gate, inner, total, blank] = ["gate", "inner", "total", "blank"].map(AnswerPath::top);
    session.answer(&gate, Value::Integer(1)).unwrap();
    session.answer(&inner, Value::Integer(7)).unwrap();
    assert_eq!(session.value(&total), Some(Value::from("7")));
    assert_eq!(session.value(&blank), Some(Value::from("filled")));
    session.answer(&gate, Value::Integer(2)).unwrap();
    assert_eq!(
        (session.value(&inner), session.value(&total)),
        (None, Some(Value::from("none")))
    );
    assert_eq!(
        session.value(&blank),
        Some(Value::from("blank")),
        "out of sight reads as blank"
    );
    session.answer(&gate, Value::Integer(1)).unwrap();
    assert_eq!(
        session.value(&inner),
        Some(Value::Integer(7)),
        "the answer was only out of sight"
    );
}

#[test]
fn a_read_only_answer_is_not_changed() {
    let mut fixed = row("fixed", NodeKind::Text);
    fixed.default = Some("như cũ".into());
    fixed.read_only = Some("true()".into());
    let form = form(vec![fixed]);
    let mut session = session(&form);
    session.begin().unwrap();
    let path = AnswerPath::top("fixed");
    assert_eq!(refusal(session.answer(&path, Value::from("khác"))), Refusal::ReadOnly);
    assert_eq!(refusal(session.clear(&path)), Refusal::ReadOnly);
    assert_eq!(session.value(&path), Some(Value::from("như cũ")));
}

#[test]
fn forms_may_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Form>();
}

#[test]
fn what_is_read_only_holds_for_all_inside() {
    let mut group = row("group", NodeKind::Group);
    group.read_only = Some("${done} = 'yes'".into());
    let inner = FormNode::new("inner", NodeKind::Group, Some(1));
    let form = form(vec![
        row("done", NodeKind::Text),
        group,
        inner,
        FormNode::new("q", NodeKind::Text, Some(2)),
    ]);
    let mut session = session(&form);
    let path = AnswerPath::top("q");
    session.answer(&path, Value::from("x")).unwrap();
    session.answer(&AnswerPath::top("done"), Value::from("yes")).unwrap();
    assert_eq!(refusal(session.answer(&path, Value::from("y"))), Refusal::ReadOnly);
}
