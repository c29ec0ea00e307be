//! Repeats whose number of instances follows from answers.

use std::cell::Cell;

use survey_forms::answers::{AnswerMap, AnswerPath, Answers, InstanceId, Value};
use survey_forms::model::{Form, FormNode, NodeKind};
use survey_forms::session::{AnswerProblemKind, Refusal, Session};

use super::{context, form, refusal, row};

/// As many members as `size` says, each with as many phones as it says itself.
fn household() -> Form {
    let mut members = row("members", NodeKind::Repeat);
    members.repeat_count = Some("${size}".into());
    let mut phone_count = FormNode::new("phone_count", NodeKind::Integer, Some(1));
    phone_count.default = Some("1".into());
    let mut phones = FormNode::new("phones", NodeKind::Repeat, Some(1));
    // As seen from an instance of `phones`.
    phones.repeat_count = Some("../phone_count".into());
    let mut total = row("total", NodeKind::Calculate);
    total.calculation = Some("count(${members})".into());
    let mut all_phones = row("all_phones", NodeKind::Calculate);
    all_phones.calculation = Some("count(${phones})".into());
    form(vec![
        row("size", NodeKind::Integer),
        members,
        FormNode::new("name", NodeKind::Text, Some(1)),
        phone_count,
        phones,
        FormNode::new("brand", NodeKind::Text, Some(4)),
        total,
        all_phones,
    ])
}

fn open(form: &Form) -> Session<'_, AnswerMap> {
    let next = Cell::new(0);
    Session::new(form, AnswerMap::default(), context()).with_instance_ids(move || {
        next.set(next.get() + 1);
        InstanceId::new(format!("i{}", next.get()))
    })
}

fn value(session: &Session<'_, AnswerMap>, question: &str) -> Option<String> {
    session.value(&AnswerPath::top(question)).map(|value| value.to_string())
}

#[test]
fn the_count_makes_and_hides_instances() {
    let form = household();
    let mut session = open(&form);
    session.begin().unwrap();
    assert_eq!(session.instances("members", None), []);
    let size = AnswerPath::top("size");
    session.answer(&size, Value::Integer(2)).unwrap();
    let members = session.instances("members", None);
    assert_eq!(members.len(), 2);
    assert_eq!(
        (value(&session, "total"), value(&session, "all_phones")),
        (Some("2".into()), Some("2".into()))
    );

    let name = AnswerPath::within(&members[1], "name");
    session.answer(&name, Value::from("Lan")).unwrap();
    session
        .answer(&AnswerPath::within(&members[1], "phone_count"), Value::Integer(3))
        .unwrap();
    assert_eq!(session.instances("phones", Some(&members[1])).len(), 3);
    assert_eq!(value(&session, "all_phones"), Some("4".into()));

    session.answer(&size, Value::Integer(1)).unwrap();
    assert_eq!(session.instances("members", None), members[..1]);
    assert_eq!(session.value(&name), None);
    assert_eq!(
        session.store().answer(&name),
        Some(Value::from("Lan")),
        "the store keeps the answer"
    );
    assert_eq!(
        (value(&session, "total"), value(&session, "all_phones")),
        (Some("1".into()), Some("1".into()))
    );

    session.answer(&size, Value::Integer(2)).unwrap();
    assert_eq!(session.instances("members", None), members);
    assert_eq!(session.value(&name), Some(Value::from("Lan")));
    assert_eq!(value(&session, "all_phones"), Some("4".into()));

    session.answer(&size, Value::Integer(-1)).unwrap();
    assert_eq!(session.instances("members", None), []);
    session.clear(&size).unwrap();
    assert_eq!(
        session.instances("members", None),
        members,
        "a blank count neither makes nor hides"
    );
}

#[test]
fn people_do_not_add_to_a_counted_repeat() {
    let form = household();
    let mut session = open(&form);
    session.answer(&AnswerPath::top("size"), Value::Integer(1)).unwrap();
    let member = session.instances("members", None).remove(0);
    let added = session.add_instance("members", None, &InstanceId::new("extra"));
    assert_eq!(refusal(added), Refusal::Counted);
    assert_eq!(refusal(session.remove_instance("members", &member)), Refusal::Counted);
}

#[test]
fn a_count_without_bounds_is_told_not_followed() {
    let form = household();
    let mut session = open(&form);
    session
        .answer(&AnswerPath::top("size"), Value::Integer(1_000_000_000_000))
        .unwrap();
    assert_eq!(session.instances("members", None).len(), 1000);
    let problems = session.validate();
    let problem = problems.last().unwrap();
    assert_eq!(problem.kind, AnswerProblemKind::TooManyInstances);
    assert_eq!(problem.path, AnswerPath::top("members"));
}

#[test]
fn counts_inside_counts_have_a_bound_together() {
    let mut outer = row("outer", NodeKind::Repeat);
    outer.repeat_count = Some("100".into());
    let mut inner = FormNode::new("inner", NodeKind::Repeat, Some(0));
    inner.repeat_count = Some("200".into());
    let form = form(vec![outer, inner, FormNode::new("q", NodeKind::Text, Some(1))]);
    let mut session = open(&form);
    session.begin().unwrap();
    assert_eq!(session.questions().len(), 9_900);
    let problems = session.validate();
    assert!(
        problems
            .iter()
            .all(|problem| problem.kind == AnswerProblemKind::TooManyInstances)
    );
    assert_eq!(
        problems.len(),
        51,
        "half of the outer instances, and the one where it ran out"
    );
}

#[test]
fn without_identities_nothing_is_made() {
    let form = household();
    let mut session = Session::new(&form, AnswerMap::default(), context());
    session.answer(&AnswerPath::top("size"), Value::Integer(2)).unwrap();
    assert_eq!(session.instances("members", None), []);
}
