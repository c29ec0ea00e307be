//! Repeats inside repeats.

use survey_forms::answers::{AnswerMap, AnswerPath, Answers, AnswersMut, InstanceId, Value};
use survey_forms::model::{Form, FormNode, NodeKind};
use survey_forms::session::{AnswerError, Refusal, Session};

use super::{form, refusal, row, session};

/// Plots of a farm with the crops of each.
fn farm() -> Form {
    let crops = FormNode::new("crops", NodeKind::Repeat, Some(0));
    let mut share = FormNode::new("share", NodeKind::Calculate, Some(2));
    share.calculation = Some("${area} div ${plot_area}".into());
    let mut number = FormNode::new("number", NodeKind::Calculate, Some(2));
    number.calculation = Some("concat(position(../..), '.', position(..))".into());
    let mut used = FormNode::new("used", NodeKind::Calculate, Some(0));
    used.calculation = Some("sum(${area})".into());
    let mut total = row("total", NodeKind::Calculate);
    total.calculation = Some("sum(${area})".into());
    let mut second = row("second", NodeKind::Calculate);
    second.calculation = Some("indexed-repeat(${area}, ${plots}, 2, ${crops}, 1)".into());
    form(vec![
        row("plots", NodeKind::Repeat),
        FormNode::new("plot_area", NodeKind::Integer, Some(0)),
        crops,
        FormNode::new("area", NodeKind::Integer, Some(2)),
        share,
        number,
        used,
        total,
        second,
    ])
}

fn id(text: &str) -> InstanceId {
    InstanceId::new(text)
}

fn put(session: &mut Session<'_, AnswerMap>, instance: &str, question: &str, number: i64) {
    session
        .answer(&AnswerPath::within(&id(instance), question), Value::Integer(number))
        .unwrap();
}

fn shown(session: &Session<'_, AnswerMap>, instance: Option<&str>, question: &str) -> String {
    let path = AnswerPath {
        instance: instance.map(id),
        question: question.into(),
    };
    session.value(&path).map_or_else(String::new, |value| value.to_string())
}

/// Two plots; the first has two crops, the second one.
fn planted(form: &Form) -> Session<'_, AnswerMap> {
    let mut session = session(form);
    for (plot, area) in [("p1", 10), ("p2", 20)] {
        session.add_instance("plots", None, &id(plot)).unwrap();
        put(&mut session, plot, "plot_area", area);
    }
    for (plot, crop, area) in [("p1", "rice", 4), ("p2", "corn", 20), ("p1", "beans", 6)] {
        session.add_instance("crops", Some(&id(plot)), &id(crop)).unwrap();
        put(&mut session, crop, "area", area);
    }
    session
}

#[test]
fn expressions_see_their_own_instances() {
    let form = farm();
    let session = planted(&form);
    assert_eq!(session.instances("crops", Some(&id("p1"))), [id("rice"), id("beans")]);
    assert_eq!(session.instances("crops", None), [id("rice"), id("beans"), id("corn")]);
    assert_eq!(shown(&session, Some("rice"), "share"), "0.4");
    assert_eq!(shown(&session, Some("corn"), "share"), "1");
    assert_eq!(shown(&session, Some("beans"), "number"), "1.2");
    assert_eq!(shown(&session, Some("corn"), "number"), "2.1");
    assert_eq!(shown(&session, Some("p1"), "used"), "10");
    assert_eq!(shown(&session, None, "total"), "30");
    assert_eq!(shown(&session, None, "second"), "20");
    let asked: Vec<String> = session.questions().iter().map(|asked| asked.path.to_string()).collect();
    assert_eq!(
        asked,
        ["p1/plot_area", "rice/area", "beans/area", "p2/plot_area", "corn/area"]
    );
}

#[test]
fn removing_an_outer_instance_removes_the_inner_ones() {
    let form = farm();
    let mut session = planted(&form);
    session.remove_instance("plots", &id("p1")).unwrap();
    assert_eq!(shown(&session, None, "total"), "20");
    assert_eq!(shown(&session, Some("corn"), "number"), "1.1");
    assert_eq!(shown(&session, None, "second"), "", "there is no second plot any more");
    assert_eq!(session.store().answer(&AnswerPath::within(&id("rice"), "area")), None);
    session.add_instance("plots", None, &id("p3")).unwrap();
    assert_eq!(
        shown(&session, Some("p3"), "used"),
        "0",
        "a plot without crops sums its own only"
    );
    session.remove_instance("crops", &id("corn")).unwrap();
    assert_eq!(
        (shown(&session, Some("p2"), "used"), shown(&session, None, "total")),
        ("0".into(), "0".into())
    );
}

#[test]
fn an_instance_needs_its_place() {
    let form = farm();
    let mut session = planted(&form);
    for (repeat, parent) in [
        ("crops", None),
        ("crops", Some("rice")),
        ("plots", Some("p1")),
        ("crops", Some("nowhere")),
    ] {
        let parent = parent.map(id);
        let refused = refusal(session.add_instance(repeat, parent.as_ref(), &id("new")));
        assert_eq!(refused, Refusal::UnknownPlace, "{repeat} in {parent:?}");
    }
    let result = session.answer(&AnswerPath::within(&id("p1"), "area"), Value::Integer(1));
    assert!(matches!(
        result,
        Err(AnswerError::Refused {
            refusal: Refusal::UnknownPlace,
            ..
        })
    ));
}

#[test]
fn instances_that_hold_one_another_are_no_endless_form() {
    let form = farm();
    let mut store = AnswerMap::default();
    store.add_instance("plots", None, &id("a")).unwrap();
    store.add_instance("crops", Some(&id("a")), &id("a")).unwrap();
    let session = Session::new(&form, store, super::context());
    assert_eq!(session.questions().len(), 1);
}
