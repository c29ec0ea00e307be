//! Repeat instances inside repeat instances, and questions whose keys are paths.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test's own helpers fail by panicking

use automerge::ActorId;
use survey_forms::answers::{AnswerMap, AnswerPath, Answers as _, AnswersMut as _, InstanceId, Value};
use survey_forms::model::{ChoiceLists, Form, FormDefinition, FormNode, Language, NodeKind, Settings};
use survey_forms::session::Session;
use survey_forms::xpath::{EvaluationContext, Moment};
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

/// As many members as the household says, each with a name.
fn counted() -> Form {
    let mut members = FormNode::new("members", NodeKind::Repeat, None);
    members.repeat_count = Some("${size}".into());
    Form::compile(FormDefinition {
        settings: Settings::default(),
        languages: vec![Language {
            code: "vi".into(),
            name: "vi".into(),
        }],
        nodes: vec![
            FormNode::new("size", NodeKind::Integer, None),
            members,
            FormNode::new("name", NodeKind::Text, Some(1)),
        ],
        choices: ChoiceLists::new(),
        external_choices: ChoiceLists::new(),
        osm_tags: ChoiceLists::new(),
        entities: Vec::new(),
    })
    .unwrap()
}

fn context() -> EvaluationContext {
    let now = Moment {
        unix_milliseconds: 0,
        utc_offset_minutes: 420,
    };
    EvaluationContext::new(now, "vi")
}

/// Two phones that never met each count two members: all four are kept, two are shown until the count says four.
#[test]
fn counted_instances_of_two_phones_are_all_kept() {
    let form = counted();
    let fill = |response: &mut Response, phone: u8| {
        let outcome = response.edit::<_, ResponseError>(&actor(phone), 1, |edit| {
            let mut made = 0;
            let mut session = Session::new(&form, edit, context()).with_instance_ids(|| {
                made += 1;
                id(&format!("{phone}-{made}"))
            });
            session.answer(&AnswerPath::top("size"), Value::Integer(2)).unwrap();
            for member in session.instances("members", None) {
                let name = AnswerPath::within(&member, "name");
                session.answer(&name, Value::Text(format!("of {phone}"))).unwrap();
            }
            Ok(())
        });
        outcome.unwrap();
    };
    let unit = ResponseId::of(RoundId(Uuid::nil()), "28249-01-0002");
    let (mut one, mut two) = (Response::new(unit).unwrap(), Response::new(unit).unwrap());
    fill(&mut one, 1);
    fill(&mut two, 2);
    one.merge(&two).unwrap();
    let answers: AnswerMap = one.read().answers;
    assert_eq!(answers.instances("members", None).len(), 4);
    let mut session = Session::new(&form, answers, context());
    assert_eq!(session.instances("members", None).len(), 2);
    session.answer(&AnswerPath::top("size"), Value::Integer(4)).unwrap();
    assert_eq!(session.instances("members", None).len(), 4);
    assert!(
        session
            .questions()
            .iter()
            .all(|asked| session.value(&asked.path).is_some())
    );
}
