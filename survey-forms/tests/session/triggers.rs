//! Calculations that wait for a trigger, metadata, and choices from answers.

use survey_forms::answers::{AnswerMap, AnswerPath, Answers, InstanceId, Value};
use survey_forms::model::{FormNode, Metadata, NodeKind};
use survey_forms::session::{Identity, Refusal, Session};
use survey_forms::xpath::Moment;

use super::{context, form, refusal, row, session};

#[test]
fn a_triggered_calculation_is_computed_only_when_its_trigger_changes() {
    let mut noted = row("noted", NodeKind::Calculate);
    noted.calculation = Some("concat(${name}, ' ', ${age})".into());
    noted.triggers = vec!["${name}".into()];
    let mut shout = row("shout", NodeKind::Text);
    shout.calculation = Some("concat(${noted}, '!')".into());
    shout.triggers = vec!["noted".into()];
    let form = form(vec![
        row("name", NodeKind::Text),
        row("age", NodeKind::Integer),
        noted,
        shout,
    ]);
    let mut session = session(&form);
    let [name, age, noted, shout] = ["name", "age", "noted", "shout"].map(AnswerPath::top);
    session.answer(&age, Value::Integer(3)).unwrap();
    assert_eq!(session.value(&noted), None);
    session.answer(&name, Value::from("An")).unwrap();
    assert_eq!(session.value(&noted), Some(Value::from("An 3")));
    assert_eq!(
        session.store().answer(&noted),
        Some(Value::from("An 3")),
        "the value is kept"
    );
    assert_eq!(
        session.value(&shout),
        Some(Value::from("An 3!")),
        "one trigger sets off another"
    );
    session.answer(&age, Value::Integer(4)).unwrap();
    assert_eq!(session.value(&noted), Some(Value::from("An 3")));
    session.answer(&name, Value::from("An")).unwrap();
    assert_eq!(
        session.value(&noted),
        Some(Value::from("An 3")),
        "the same answer is no change"
    );
    session.answer(&shout, Value::from("mine")).unwrap();
    assert_eq!(
        session.value(&shout),
        Some(Value::from("mine")),
        "it may be corrected by hand"
    );
    session.clear(&name).unwrap();
    assert_eq!(session.value(&noted), Some(Value::from(" 4")));
}

#[test]
fn a_trigger_reaches_its_own_instance_only_and_an_empty_calculation_clears() {
    let mut double = FormNode::new("double", NodeKind::Integer, Some(0));
    double.calculation = Some("${n} * 2".into());
    double.triggers = vec!["n".into()];
    let mut reset = FormNode::new("reset", NodeKind::Text, Some(0));
    reset.triggers = vec!["n".into()];
    let form = form(vec![
        row("r", NodeKind::Repeat),
        FormNode::new("n", NodeKind::Integer, Some(0)),
        double,
        reset,
    ]);
    let mut session = session(&form);
    let [one, two] = ["one", "two"].map(InstanceId::new);
    for id in [&one, &two] {
        session.add_instance("r", None, id).unwrap();
        session
            .answer(&AnswerPath::within(id, "reset"), Value::from("x"))
            .unwrap();
    }
    session
        .answer(&AnswerPath::within(&one, "n"), Value::Integer(4))
        .unwrap();
    assert_eq!(
        session.value(&AnswerPath::within(&one, "double")),
        Some(Value::Integer(8))
    );
    assert_eq!(session.value(&AnswerPath::within(&one, "reset")), None);
    assert_eq!(session.value(&AnswerPath::within(&two, "double")), None);
    assert_eq!(
        session.value(&AnswerPath::within(&two, "reset")),
        Some(Value::from("x"))
    );
}

#[test]
fn metadata_comes_from_the_device_and_its_user() {
    let metadata = |name: &str, kind| row(name, NodeKind::Metadata(kind));
    let form = form(vec![
        metadata("user", Metadata::Username),
        metadata("mail", Metadata::UriEmail),
        metadata("phone", Metadata::PhoneNumber),
        metadata("begun", Metadata::Start),
        metadata("ended", Metadata::End),
        row("name", NodeKind::Text),
    ]);
    let identity = Identity {
        username: Some("lan".into()),
        email: Some("lan@example.vn".into()),
        ..Identity::default()
    };
    let mut session = Session::new(&form, AnswerMap::default(), context()).with_identity(identity);
    session.begin().unwrap();
    let value = |session: &Session<'_, AnswerMap>, name: &str| session.value(&AnswerPath::top(name));
    assert_eq!(value(&session, "user"), Some(Value::from("lan")));
    assert_eq!(value(&session, "mail"), Some(Value::from("mailto:lan@example.vn")));
    assert_eq!(value(&session, "phone"), None);
    assert_eq!(value(&session, "begun"), value(&session, "ended"));
    session
        .finish(Moment::parse("2025-10-15T09:00:00+07:00", 420).unwrap())
        .unwrap();
    assert_eq!(
        value(&session, "ended"),
        Some(Value::from("2025-10-15T09:00:00.000+07:00"))
    );
    assert_eq!(
        value(&session, "begun"),
        Some(Value::from("2025-10-15T08:30:00.000+07:00"))
    );
}

#[test]
fn answers_given_in_a_repeat_can_be_choices() {
    let mut head = row("head", NodeKind::SelectOne { list: "${name}".into() });
    head.choice_filter = Some("${age} >= 18".into());
    let form = form(vec![
        row("members", NodeKind::Repeat),
        FormNode::new("name", NodeKind::Text, Some(0)),
        FormNode::new("age", NodeKind::Integer, Some(0)),
        head,
    ]);
    let mut session = session(&form);
    for (id, name, age) in [("1", "An", 40), ("2", "Bé", 7), ("3", "Chi", 38), ("4", "", 50)] {
        let id = InstanceId::new(id);
        session.add_instance("members", None, &id).unwrap();
        session
            .answer(&AnswerPath::within(&id, "name"), Value::from(name))
            .unwrap();
        session
            .answer(&AnswerPath::within(&id, "age"), Value::Integer(age))
            .unwrap();
    }
    let head = AnswerPath::top("head");
    let offered: Vec<String> = session
        .choices(&head)
        .iter()
        .map(|choice| choice.name.clone())
        .collect();
    assert_eq!(offered, ["An", "Chi"]);
    assert_eq!(
        refusal(session.answer(&head, Value::from("Bé"))),
        Refusal::UnknownChoice("Bé".into())
    );
    session.answer(&head, Value::from("Chi")).unwrap();
}

#[test]
fn ticked_choices_read_in_the_order_of_their_list() {
    let mut ticked = row("ticked", NodeKind::Calculate);
    ticked.calculation = Some("string(${many})".into());
    let mut first = row("first", NodeKind::Calculate);
    first.calculation = Some("selected-at(${many}, 0)".into());
    let form = form(vec![
        row("many", NodeKind::SelectMultiple { list: "colour".into() }),
        ticked,
        first,
    ]);
    let mut session = session(&form);
    let names = ["blue", "orange", "red"].map(str::to_owned).into();
    session.answer(&AnswerPath::top("many"), Value::Choices(names)).unwrap();
    assert_eq!(
        session.value(&AnswerPath::top("ticked")),
        Some(Value::from("red orange blue"))
    );
    assert_eq!(session.value(&AnswerPath::top("first")), Some(Value::from("red")));
}

#[test]
fn what_was_computed_once_stays() {
    let mut first = row("first", NodeKind::Calculate);
    first.calculation = Some("once(${n})".into());
    first.relevant = Some("${n} != 0".into());
    let form = form(vec![row("n", NodeKind::Integer), first]);
    let mut session = session(&form);
    let [n, first] = ["n", "first"].map(AnswerPath::top);
    for number in [3, 4, 0] {
        session.answer(&n, Value::Integer(number)).unwrap();
    }
    assert_eq!(session.value(&first), None, "out of sight");
    session.answer(&n, Value::Integer(5)).unwrap();
    assert_eq!(session.value(&first), Some(Value::from("3")));
    let again = Session::new(&form, session.into_store(), context());
    assert_eq!(
        again.value(&first),
        Some(Value::from("3")),
        "also when the form is opened again"
    );
}
