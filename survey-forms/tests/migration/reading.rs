//! Old answers read by a new form.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use survey_forms::answers::{AnswerMap, AnswerPath, Answers as _, AnswersMut as _, InstanceId, Value};
use survey_forms::migration::{KeptReason, Migration, migrate};
use survey_forms::model::{Form, FormNode, NodeKind};
use survey_forms::projection::{IndicatorExpressions, Projector};
use survey_forms::session::Session;
use survey_forms::xpath::{EvaluationContext, Moment};

use super::{choice, colours, definition, form, one_colour, renamed, row, within};

fn top(name: &str) -> AnswerPath {
    AnswerPath::top(name)
}

fn store(answers: &[(&str, Value)]) -> AnswerMap {
    let mut store = AnswerMap::default();
    for (name, value) in answers {
        store.put_answer(&top(name), value).unwrap();
    }
    store
}

fn context() -> EvaluationContext {
    EvaluationContext::new(Moment::parse("2026-11-25T10:00:00+07:00", 420).unwrap(), "vi")
}

#[test]
fn a_renamed_question_finds_its_old_answer_until_it_has_a_new_one() {
    let old = form(vec![row("size", NodeKind::Integer)]);
    let new = form(vec![renamed("size", row("people", NodeKind::Integer))]);
    let migration = Migration::between(&old, &new);
    let mut answers = store(&[("size", 4.into())]);
    assert_eq!(migration.read(&answers).answer(&top("people")), Some(4.into()));
    answers.put_answer(&top("people"), &5.into()).unwrap();
    assert_eq!(migration.read(&answers).answer(&top("people")), Some(5.into()));
    assert_eq!(answers.answer(&top("size")), Some(4.into()), "nothing is deleted");
    let report = migrate(&old, &new, &answers);
    assert_eq!(report.kept[0].reason, KeptReason::AnsweredAnew);
    assert_eq!((&report.kept[0].value, report.kept.len()), (&4.into(), 1));
}

#[test]
fn renames_chain_in_one_cell_or_by_one_adapter_over_another() {
    let first = form(vec![row("a", NodeKind::Integer)]);
    let second = form(vec![renamed("a", row("b", NodeKind::Integer))]);
    let third = form(vec![renamed("b a", row("c", NodeKind::Decimal))]);
    let answers = store(&[("a", 7.into())]);
    let at_once = Migration::between(&first, &third);
    assert_eq!(at_once.read(&answers).answer(&top("c")), Some(7.into()));
    let (step, next) = (Migration::between(&first, &second), Migration::between(&second, &third));
    assert_eq!(next.read(step.read(&answers)).answer(&top("c")), Some(7.into()));
}

#[test]
fn the_old_name_stays_with_the_row_that_still_has_it() {
    let old = form(vec![row("a", NodeKind::Text)]);
    let new = form(vec![row("a", NodeKind::Text), renamed("a", row("b", NodeKind::Text))]);
    let migration = Migration::between(&old, &new);
    assert!(migration.is_identity());
    let answers = store(&[("a", "x".into())]);
    assert_eq!(migration.read(&answers).answer(&top("b")), None);
}

#[test]
fn lossless_changes_of_type_convert_whichever_version_gave_the_answer() {
    let red = || Value::Choices(BTreeSet::from(["red".to_owned()]));
    for (from, to, before, after) in [
        (
            NodeKind::Integer,
            NodeKind::Decimal,
            Value::Integer(3),
            Value::Integer(3),
        ),
        (one_colour(), colours(), "red".into(), red()),
        (NodeKind::Integer, NodeKind::Text, Value::Integer(3), "3".into()),
        (NodeKind::Decimal, NodeKind::Text, Value::Decimal(0.5), "0.5".into()),
        (colours(), NodeKind::Text, red(), "red".into()),
    ] {
        let (old, new) = (form(vec![row("q", from)]), form(vec![row("q", to)]));
        let migration = Migration::between(&old, &new);
        for given in [&before, &after] {
            let answers = store(&[("q", given.clone())]);
            assert_eq!(
                migration.read(&answers).answer(&top("q")),
                Some(after.clone()),
                "{given}"
            );
        }
        let report = migrate(&old, &new, &store(&[("q", before)]));
        assert!(report.kept.is_empty());
    }
}

#[test]
fn what_does_not_fit_the_new_type_is_kept_and_told() {
    let (old, new) = (
        form(vec![row("q", NodeKind::Text)]),
        form(vec![row("q", NodeKind::Date)]),
    );
    let report = migrate(&old, &new, &store(&[("q", "last year".into())]));
    assert_eq!(report.kept[0].reason, KeptReason::OtherType);
    assert_eq!(report.kept[0].label, old.node("q").unwrap().label);
    // A value that the new type takes may have been given under it.
    let migration = Migration::between(&old, &new);
    let answers = store(&[("q", "2026-11-25".into())]);
    assert_eq!(migration.read(&answers).answer(&top("q")), Some("2026-11-25".into()));
}

#[test]
fn choices_are_renamed_in_every_kind_of_select() {
    let with_crimson = |kind: NodeKind| {
        let mut definition = definition(vec![row("q", kind)]);
        let list = definition.choices.get_mut("colours").unwrap();
        list[0] = choice("crimson");
        list[0].other.insert("renamed_from".to_owned(), "red".to_owned());
        Form::compile(definition).unwrap()
    };
    let rank = || NodeKind::Rank {
        list: "colours".to_owned(),
    };
    let set = |names: [&str; 2]| Value::Choices(names.map(str::to_owned).into());
    for (kind, before, after) in [
        (one_colour as fn() -> NodeKind, "red".into(), "crimson".into()),
        (colours, set(["red", "blue"]), set(["crimson", "blue"])),
        (rank, "blue red".into(), "blue crimson".into()),
    ] {
        let (old, new) = (form(vec![row("q", kind())]), with_crimson(kind()));
        let answers = store(&[("q", before)]);
        assert_eq!(
            Migration::between(&old, &new).read(&answers).answer(&top("q")),
            Some(after)
        );
        assert_eq!(migrate(&old, &new, &answers).carried.len(), 1);
    }
}

#[test]
fn a_renamed_repeat_shows_instances_of_both_names() {
    let repeat = |name: &str| row(name, NodeKind::Repeat);
    let old = form(vec![repeat("members"), within(0, row("age", NodeKind::Integer))]);
    let new = form(vec![
        renamed("members", repeat("people")),
        within(0, renamed("age", row("years", NodeKind::Integer))),
    ]);
    let (first, second) = (InstanceId::new("1"), InstanceId::new("2"));
    let mut answers = AnswerMap::default();
    answers.add_instance("members", None, &first).unwrap();
    answers
        .put_answer(&AnswerPath::within(&first, "age"), &40.into())
        .unwrap();
    answers.add_instance("people", None, &second).unwrap();
    answers
        .put_answer(&AnswerPath::within(&second, "years"), &9.into())
        .unwrap();
    let migration = Migration::between(&old, &new);
    let mut read = migration.read(&mut answers);
    assert_eq!(read.instances("people", None), [first.clone(), second.clone()]);
    assert_eq!(read.answer(&AnswerPath::within(&first, "years")), Some(40.into()));
    assert_eq!(read.answer(&AnswerPath::within(&second, "years")), Some(9.into()));
    read.remove_instance("people", &first).unwrap();
    assert_eq!(read.instances("people", None), [second]);
}

#[test]
fn what_left_or_entered_a_repeat_is_kept_where_it_was() {
    let old = form(vec![
        row("members", NodeKind::Repeat),
        within(0, row("age", NodeKind::Integer)),
        row("phone", NodeKind::Text),
    ]);
    let new = form(vec![
        row("members", NodeKind::Repeat),
        within(0, row("phone", NodeKind::Text)),
        row("age", NodeKind::Integer),
    ]);
    let member = InstanceId::new("1");
    let mut answers = store(&[("phone", "0900".into())]);
    answers.add_instance("members", None, &member).unwrap();
    answers
        .put_answer(&AnswerPath::within(&member, "age"), &40.into())
        .unwrap();
    let report = migrate(&old, &new, &answers);
    let kept: Vec<(String, KeptReason)> = report
        .kept
        .iter()
        .map(|kept| (kept.path.to_string(), kept.reason))
        .collect();
    assert_eq!(
        kept,
        [
            ("1/age".to_owned(), KeptReason::OtherRepeat),
            ("phone".to_owned(), KeptReason::OtherRepeat)
        ]
    );
    assert!(report.kept_instances.is_empty());
}

#[test]
fn names_that_become_ambiguous_or_unique_keep_their_answers() {
    let group = |name: &str| row(name, NodeKind::Group);
    let alone = form(vec![group("a"), within(0, row("age", NodeKind::Integer))]);
    let both = form(vec![
        group("a"),
        within(0, row("age", NodeKind::Integer)),
        group("b"),
        within(2, row("age", NodeKind::Integer)),
    ]);
    let answers = store(&[("age", 40.into())]);
    let there = Migration::between(&alone, &both);
    assert_eq!(there.read(&answers).answer(&top("a/age")), Some(40.into()));
    assert_eq!(there.read(&answers).answer(&top("b/age")), None);
    let answers = store(&[("a/age", 40.into()), ("b/age", 9.into())]);
    let back = Migration::between(&both, &alone);
    assert_eq!(back.read(&answers).answer(&top("age")), Some(40.into()));
    let report = migrate(&both, &alone, &answers);
    assert_eq!((report.carried.len(), report.kept.len()), (1, 1));
}

#[test]
fn a_session_of_the_new_form_works_over_old_answers() {
    let mut total = row("total", NodeKind::Calculate);
    total.calculation = Some("${people} * 2".to_owned());
    let mut school = row("school", NodeKind::Text);
    school.relevant = Some("${people} > 3".to_owned());
    let old = form(vec![row("size", NodeKind::Integer)]);
    let new = form(vec![renamed("size", row("people", NodeKind::Integer)), total, school]);
    let migration = Migration::between(&old, &new);
    let mut answers = store(&[("size", 4.into())]);
    let mut session = Session::new(&new, migration.read(&mut answers), context());
    assert_eq!(session.value(&top("people")), Some(4.into()));
    assert_eq!(session.value(&top("total")), Some("8".into()));
    assert!(session.is_relevant(&top("school")));
    session.answer(&top("people"), 2.into()).unwrap();
    assert_eq!(session.value(&top("total")), Some("4".into()));
    session.clear(&top("people")).unwrap();
    assert_eq!(
        session.value(&top("people")),
        None,
        "a cleared answer does not come back under its old name"
    );
}

#[test]
fn a_projector_of_the_new_form_counts_old_answers() {
    let rows = |smartphone: FormNode| vec![row("members", NodeKind::Repeat), within(0, smartphone)];
    let old = form(rows(row("smartphone", one_colour())));
    let new = form(rows(renamed("smartphone", row("phones", colours()))));
    let indicator = IndicatorExpressions::compile(
        &new,
        "count(${members}[selected(phones, 'red')])",
        "count(${members})",
        &BTreeMap::new(),
    )
    .unwrap();
    let projector = Projector::new(Arc::new(new.clone()), vec![indicator], "true()").unwrap();
    let mut answers = AnswerMap::default();
    for (number, colour) in [("1", "red"), ("2", "blue"), ("3", "red")] {
        let member = InstanceId::new(number);
        answers.add_instance("members", None, &member).unwrap();
        let path = AnswerPath::within(&member, "smartphone");
        answers.put_answer(&path, &colour.into()).unwrap();
    }
    let migration = Migration::between(&old, &new);
    let projection = projector.project(&migration.read(&answers), &[]);
    let value = projection.indicators[0].value;
    assert_eq!((value.y, value.x), (2.0, 3.0));
}
