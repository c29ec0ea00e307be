//! Laws of migration, over random forms, changes and answers.

use std::collections::BTreeSet;

use proptest::prelude::*;
use survey_forms::answers::{AnswerMap, AnswerPath, Answers as _, AnswersMut as _, InstanceId, Value};
use survey_forms::migration::{MigratedAnswers, Migration, diff, migrate};
use survey_forms::model::{Form, FormNode, NodeKind};

use super::{choice, colours, definition, one_colour, renamed, row, within};

const GROUP: usize = 0;
const REPEAT: usize = 1;

/// One question of a random form.
#[derive(Debug, Clone)]
struct Question {
    number: usize,
    kind: NodeKind,
    /// None at the top, else the position of the group or repeat.
    parent: Option<usize>,
    is_renamed: bool,
    is_computed: bool,
}

fn kind() -> impl Strategy<Value = NodeKind> {
    prop_oneof![
        Just(NodeKind::Text),
        Just(NodeKind::Integer),
        Just(NodeKind::Decimal),
        Just(NodeKind::Date),
        Just(NodeKind::Note),
        Just(NodeKind::Geopoint),
        Just(NodeKind::Hidden),
        Just(one_colour()),
        Just(colours()),
    ]
}

/// The questions of a form, in any order, each there or not.
fn questions() -> impl Strategy<Value = Vec<Question>> {
    let question = |number: usize| {
        let parent = prop_oneof![Just(None), Just(Some(GROUP)), Just(Some(REPEAT))];
        let parts = (kind(), parent, any::<bool>(), prop::bool::weighted(0.1));
        let question = parts.prop_map(move |(kind, parent, is_renamed, is_computed)| Question {
            number,
            kind,
            parent,
            is_renamed,
            is_computed,
        });
        prop::option::weighted(0.8, question)
    };
    let all: Vec<_> = (0..6).map(question).collect();
    all.prop_map(|all| all.into_iter().flatten().collect::<Vec<Question>>())
        .prop_shuffle()
}

/// Choices that any value may be the name of, so that selects take what they are given.
fn form_of(questions: &[Question], repeat: FormNode, with_renames: bool) -> Form {
    let mut rows = vec![row("contact", NodeKind::Group), repeat];
    for question in questions {
        let name = format!("q{}", question.number);
        let mut made = if with_renames && question.is_renamed {
            renamed(&name, row(&format!("{name}_new"), question.kind.clone()))
        } else {
            row(&name, question.kind.clone())
        };
        if with_renames && question.is_computed {
            made.calculation = Some("1 + 1".to_owned());
        }
        rows.push(match question.parent {
            Some(parent) => within(parent, made),
            None => made,
        });
    }
    let mut definition = definition(rows);
    let names = (0..200).map(|number| choice(&format!("v{number}")));
    definition.choices.insert("colours".to_owned(), names.collect());
    Form::compile(definition).unwrap()
}

fn repeat_row(is_renamed: bool) -> FormNode {
    if is_renamed {
        renamed("members", row("people", NodeKind::Repeat))
    } else {
        row("members", NodeKind::Repeat)
    }
}

/// Every place at which a form has an answer.
fn places(form: &Form, instances: &[InstanceId]) -> Vec<(AnswerPath, NodeKind)> {
    let mut places = Vec::new();
    for (position, node) in form.nodes().iter().enumerate() {
        if node.is_container() {
            continue;
        }
        let key = form.key(position);
        match form.repeat_of(position) {
            None => places.push((AnswerPath::top(key), node.kind.clone())),
            Some(_) => {
                let inside = instances.iter().map(|instance| AnswerPath::within(instance, key));
                places.extend(inside.map(|path| (path, node.kind.clone())));
            }
        }
    }
    places
}

/// A value that the type takes, different for each number.
fn value(kind: &NodeKind, number: usize) -> Value {
    match kind {
        NodeKind::Integer => Value::Integer(number as i64),
        NodeKind::Decimal => Value::Decimal(number as f64 + 0.5),
        NodeKind::Date => Value::Text(format!("{:04}-01-01", 1000 + number)),
        NodeKind::Geopoint => Value::Text(format!("10.{number} 106.5 0 {number}")),
        NodeKind::SelectMultiple { .. } => Value::Choices(BTreeSet::from([format!("v{number}")])),
        _ => Value::Text(format!("v{number}")),
    }
}

/// Two versions and the answers to the first, with some to the second.
#[derive(Debug)]
struct Case {
    old: Form,
    new: Form,
    answers: AnswerMap,
    instances: Vec<InstanceId>,
}

fn case() -> impl Strategy<Value = Case> {
    let answered = || prop::collection::vec(prop::bool::weighted(0.7), 40);
    let answered_anew = prop::collection::vec(prop::bool::weighted(0.15), 40);
    (
        questions(),
        questions(),
        any::<bool>(),
        0..3_usize,
        answered(),
        answered_anew,
    )
        .prop_map(|(before, after, is_renamed, members, answered, answered_anew)| {
            let old = form_of(&before, repeat_row(false), false);
            let new = form_of(&after, repeat_row(is_renamed), true);
            let instances: Vec<InstanceId> = (0..members).map(|number| InstanceId::new(number.to_string())).collect();
            let mut answers = AnswerMap::default();
            for instance in &instances {
                answers.add_instance("members", None, instance).unwrap();
            }
            let mut number = 0;
            for (form, answered) in [(&old, &answered), (&new, &answered_anew)] {
                for ((path, kind), is_answered) in places(form, &instances).iter().zip(answered) {
                    if *is_answered {
                        number += 1;
                        answers.put_answer(path, &value(kind, number)).unwrap();
                    }
                }
            }
            Case {
                old,
                new,
                answers,
                instances,
            }
        })
}

/// What a form shows of a store, as text.
fn shown(form: &Form, read: &MigratedAnswers<'_, &AnswerMap>) -> BTreeSet<String> {
    let repeat = form
        .nodes()
        .iter()
        .position(|node| node.kind == NodeKind::Repeat)
        .unwrap();
    let instances = read.instances(form.key(repeat), None);
    let values = places(form, &instances)
        .into_iter()
        .filter_map(|(path, _)| read.answer(&path));
    values.map(|value| value.to_string()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn migrating_by_identity_is_the_identity(case in case()) {
        let migration = Migration::between(&case.old, &case.old);
        prop_assert!(migration.is_identity());
        let read = migration.read(&case.answers);
        let mut answered = 0;
        for (path, _) in places(&case.old, &case.instances) {
            prop_assert_eq!(read.answer(&path), case.answers.answer(&path));
            answered += usize::from(case.answers.answer(&path).is_some());
        }
        prop_assert_eq!(read.instances("members", None), case.answers.instances("members", None));
        let report = migrate(&case.old, &case.old, &case.answers);
        prop_assert_eq!(report.unchanged, answered);
        prop_assert!(report.carried.is_empty() && report.kept.is_empty() && report.kept_instances.is_empty());
        prop_assert!(diff(&case.old, &case.old).unwrap().changes.is_empty());
    }

    #[test]
    fn every_old_answer_is_visible_or_reported(case in case()) {
        let report = migrate(&case.old, &case.new, &case.answers);
        let migration = Migration::between(&case.old, &case.new);
        let read = migration.read(&case.answers);
        let shown = shown(&case.new, &read);
        let mut answered = 0;
        for (path, _) in places(&case.old, &case.instances) {
            let Some(value) = case.answers.answer(&path) else { continue };
            answered += 1;
            let is_kept = report.kept.iter().any(|kept| kept.path == path && kept.value == value);
            prop_assert!(is_kept || shown.contains(&value.to_string()), "{path} = {value} is lost");
        }
        prop_assert_eq!(report.unchanged + report.carried.len() + report.kept.len(), answered);
        for carried in &report.carried {
            prop_assert_eq!(case.answers.answer(&carried.from), Some(carried.before.clone()));
            prop_assert_eq!(read.answer(&carried.to), Some(carried.after.clone()));
        }
    }

    #[test]
    fn a_safe_difference_keeps_no_answer_from_view(case in case()) {
        let difference = diff(&case.old, &case.new).unwrap();
        let report = migrate(&case.old, &case.new, &case.answers);
        let removed = |question: &str| case.new.position(question).is_none();
        use survey_forms::migration::KeptReason;
        for kept in &report.kept {
            let is_expected = match kept.reason {
                KeptReason::QuestionRemoved => removed(&kept.path.question) || !difference.is_safe(),
                KeptReason::AnsweredAnew => true,
                KeptReason::OtherType | KeptReason::OtherRepeat | KeptReason::Computed => !difference.is_safe(),
            };
            prop_assert!(is_expected, "{:?}", kept);
        }
    }
}
