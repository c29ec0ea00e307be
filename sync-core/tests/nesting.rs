//! Repeat instances inside repeat instances, and questions whose keys are paths.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test's own helpers fail by panicking

use automerge::ActorId;
use survey_forms::answers::{AnswerPath, Answers as _, AnswersMut as _, InstanceId, Value};
use sync_core::device::DeviceKey;
use sync_core::identity::{ResponseId, RoundId};
use sync_core::response::{Response, ResponseError};
use uuid::Uuid;

fn actor(number: u8) -> ActorId {
    DeviceKey::from_secret(&[number; 32]).actor()
}

fn id(text: &str) -> InstanceId {
    InstanceId::new(text)
}

fn crop(name: &str) -> AnswerPath {
    AnswerPath::within(&id(name), "area")
}

/// A plot with two crops, on two phones.
fn planted() -> (Response, Response) {
    let mut one = Response::new(ResponseId::of(RoundId(Uuid::nil()), "28249-01-0001")).unwrap();
    one.edit(&actor(1), 1, |edit| {
        edit.add_instance("plots", None, &id("plot"))?;
        edit.add_instance("crops", Some(&id("plot")), &id("rice"))?;
        edit.add_instance("crops", Some(&id("plot")), &id("corn"))?;
        assert_eq!(edit.instances("crops", Some(&id("plot"))), [id("rice"), id("corn")]);
        edit.put_answer(&crop("rice"), &4.into())
    })
    .unwrap();
    let two = Response::with_changes(one.id(), one.changes()).unwrap();
    (one, two)
}

#[test]
fn instances_are_read_where_they_stand() {
    let (_, two) = planted();
    let answers = two.read().answers;
    assert_eq!(answers.instances("plots", None), [id("plot")]);
    assert_eq!(answers.instances("crops", Some(&id("plot"))), [id("rice"), id("corn")]);
    assert_eq!(answers.instances("crops", None), []);
    assert_eq!(answers.answer(&crop("rice")), Some(Value::Integer(4)));
}

#[test]
fn an_inner_instance_needs_the_outer_one() {
    let (mut one, _) = planted();
    let result = one.edit(&actor(1), 2, |edit| {
        edit.add_instance("crops", Some(&id("nowhere")), &id("tea"))
    });
    assert!(matches!(result, Err(ResponseError::UnknownInstance { instance, .. }) if instance == id("nowhere")));
}

#[test]
fn removing_the_outer_while_another_edits_the_inner_loses_nothing() {
    let (mut one, mut two) = planted();
    one.edit(&actor(1), 2, |edit| edit.remove_instance("plots", &id("plot")))
        .unwrap();
    two.edit(&actor(2), 3, |edit| {
        edit.put_answer(&crop("rice"), &5.into())?;
        edit.add_instance("crops", Some(&id("plot")), &id("tea"))?;
        edit.put_answer(&crop("tea"), &1.into())
    })
    .unwrap();
    one.merge(&two).unwrap();
    two.merge(&one).unwrap();
    assert_eq!(one.read().answers, two.read().answers);
    let hidden = one.read().answers;
    assert_eq!(hidden.instances("plots", None), []);
    assert_eq!(hidden.instances("crops", Some(&id("plot"))), []);
    assert_eq!(hidden.answer(&crop("rice")), None);

    one.edit(&actor(1), 4, |edit| edit.add_instance("plots", None, &id("plot")))
        .unwrap();
    let back = one.read().answers;
    assert_eq!(
        back.instances("crops", Some(&id("plot"))),
        [id("rice"), id("corn"), id("tea")]
    );
    assert_eq!(back.answer(&crop("rice")), Some(Value::Integer(5)));
    assert_eq!(back.answer(&crop("tea")), Some(Value::Integer(1)));
}

#[test]
fn a_removed_inner_instance_stays_removed_when_the_outer_comes_back() {
    let (mut one, _) = planted();
    one.edit(&actor(1), 2, |edit| {
        edit.remove_instance("crops", &id("corn"))?;
        edit.remove_instance("plots", &id("plot"))
    })
    .unwrap();
    one.edit(&actor(1), 3, |edit| edit.add_instance("plots", None, &id("plot")))
        .unwrap();
    assert_eq!(one.read().answers.instances("crops", Some(&id("plot"))), [id("rice")]);
}

#[test]
fn a_key_that_is_a_path_is_no_choice() {
    let (mut one, _) = planted();
    let (text, ticks) = (
        AnswerPath::top("first/total"),
        AnswerPath::within(&id("rice"), "g/needs"),
    );
    let chosen = Value::Choices(["seed", "tools"].map(str::to_owned).into());
    one.edit(&actor(1), 2, |edit| {
        edit.put_answer(&text, &"x".into())?;
        edit.put_answer(&ticks, &chosen)
    })
    .unwrap();
    let again = Response::with_changes(one.id(), one.changes()).unwrap().read();
    assert_eq!(again.answers.answer(&text), Some("x".into()));
    assert_eq!(again.answers.answer(&ticks), Some(chosen));
    let result = one.edit(&actor(1), 3, |edit| {
        edit.put_answer(&AnswerPath::top("first>total"), &"y".into())
    });
    assert!(matches!(result, Err(ResponseError::ReservedName { .. })));
}
