//! The values that open conflicts leave possible: sums over a roster agree with trying every combination, and where there
//! are too many combinations the answer says so and still contains every value.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test's own helpers fail by panicking

use std::collections::BTreeMap;

use proptest::prelude::*;
use survey_forms::answers::{AnswerMap, AnswerPath, AnswersMut, InstanceId, Value};
use survey_forms::model::{ChoiceLists, Form, FormDefinition, FormNode, Language, NodeKind, Settings};
use survey_forms::projection::{ExpressionError, IndicatorExpressions, IndicatorValues, OpenConflict, Projector};

/// A household: agree, and for each member age, a device asked from 6 years, and hours asked of those with a device.
fn form() -> Form {
    let row = |name: &str, kind, parent| FormNode::new(name, kind, parent);
    let agree = row("agree", NodeKind::Text, None);
    let members = row("members", NodeKind::Repeat, None);
    let age = row("age", NodeKind::Integer, Some(1));
    let mut device = row("device", NodeKind::Text, Some(1));
    device.relevant = Some("${age} >= 6".into());
    let mut hours = row("hours", NodeKind::Integer, Some(1));
    hours.relevant = Some("${device} = 'own'".into());
    let mut long = row("long", NodeKind::Calculate, Some(1));
    long.calculation = Some("if(${hours} > 2, 'yes', 'no')".into());
    let mut size = row("size", NodeKind::Calculate, None);
    size.calculation = Some("count(${members}[age >= 18])".into());
    Form::compile(FormDefinition {
        settings: Settings::default(),
        languages: vec![Language {
            code: "vi".into(),
            name: "vi".into(),
        }],
        nodes: vec![agree, members, age, device, hours, long, size],
        choices: ChoiceLists::new(),
        external_choices: ChoiceLists::new(),
        osm_tags: ChoiceLists::new(),
        entities: Vec::new(),
    })
    .unwrap()
}

fn compile(form: &Form, numerator: &str, denominator: &str) -> IndicatorExpressions {
    IndicatorExpressions::compile(form, numerator, denominator, &BTreeMap::new()).unwrap()
}

fn project(
    form: &Form,
    expressions: &[(&str, &str)],
    answers: &AnswerMap,
    open: &[OpenConflict],
) -> Vec<IndicatorValues> {
    let indicators = expressions
        .iter()
        .map(|(numerator, denominator)| compile(form, numerator, denominator));
    let projector = Projector::new(form.clone().into(), indicators.collect(), "${agree} = 'yes'").unwrap();
    projector.project(answers, open).indicators
}

fn pairs(values: &IndicatorValues) -> Vec<(f64, f64)> {
    values.possible.iter().map(|ratio| (ratio.y, ratio.x)).collect()
}

type Member = (Option<i64>, Option<&'static str>, Option<i64>);

fn member() -> impl Strategy<Value = Member> {
    let device = prop::option::of(prop::sample::select(vec!["own", "none"]));
    (prop::option::of(0_i64..30), device, prop::option::of(0_i64..5))
}

/// A household of the members' first versions, and a conflict wherever the second version differs.
fn household(members: &[(Member, Member)], agree: [&str; 2]) -> (AnswerMap, Vec<OpenConflict>) {
    let mut answers = AnswerMap::default();
    let mut open = Vec::new();
    let mut answer = |path: AnswerPath, first: Option<Value>, second: Option<Value>| {
        if let Some(value) = &first {
            answers.put_answer(&path, value).unwrap();
        }
        if first != second {
            let values = vec![first, second];
            open.push(OpenConflict { path, values });
        }
    };
    answer(AnswerPath::top("agree"), Some(agree[0].into()), Some(agree[1].into()));
    for (number, (first, second)) in members.iter().enumerate() {
        let id = InstanceId::new(number.to_string());
        answer(
            AnswerPath::within(&id, "age"),
            first.0.map(Value::Integer),
            second.0.map(Value::Integer),
        );
        answer(
            AnswerPath::within(&id, "device"),
            first.1.map(Value::from),
            second.1.map(Value::from),
        );
        answer(
            AnswerPath::within(&id, "hours"),
            first.2.map(Value::Integer),
            second.2.map(Value::Integer),
        );
    }
    for number in 0..members.len() {
        answers
            .add_instance("members", None, &InstanceId::new(number.to_string()))
            .unwrap();
    }
    (answers, open)
}

proptest! {
    #[test]
    fn sums_over_the_roster_agree_with_every_combination(
        members in prop::collection::vec((member(), member()), 0..4),
        agree in prop::sample::select(vec![["yes", "yes"], ["yes", "no"], ["no", "yes"], ["no", "no"]]),
    ) {
        let form = form();
        let (answers, open) = household(&members, agree);
        // The second of each pair has the same value, but its product is no sum over the roster.
        let counts = project(&form, &[
            ("count(${members}[device = 'own'])", "count(${members}[age >= 6 and device != ''])"),
            ("count(${members}[device = 'own']) * 1", "count(${members}[age >= 6 and device != '']) * 1"),
            ("count(${members}[long = 'yes'])", "count(${members}[hours >= 0])"),
            ("count(${members}[long = 'yes']) * 1", "count(${members}[hours >= 0]) * 1"),
            ("sum(${members}[hours >= 0]/hours)", "count(${members}[age < 6]) + count(${members}[device = 'own'])"),
            ("sum(${members}[hours >= 0]/hours) * 1", "count(${members}[age < 6 or device = 'own']) * 1"),
        ], &answers, &open);
        for pair in counts.chunks(2) {
            prop_assert_eq!(&pair[0], &pair[1]);
            prop_assert!(pair[0].exact);
            prop_assert!(pair[0].possible.is_empty() || pair[0].possible.contains(&pair[0].value));
        }
    }
}

#[test]
fn too_many_combinations_are_said_to_be_and_enclosed() {
    let form = form();
    let conflicted: (Member, Member) = ((Some(30), Some("own"), Some(1)), (Some(20), Some("none"), Some(4)));
    let (answers, open) = household(&[conflicted; 7], ["yes", "yes"]);
    // 2^21 ways. The mean number of hours is no sum over the roster; a count never leaves 0 … 7.
    let values = project(
        &form,
        &[
            ("number(count(${members}[long = 'yes']) > 3)", "1"),
            ("count(${members}[device = 'own'][position() = 1])", "count(${members})"),
            ("sum(${members}/hours) div 7", "1"),
            ("count(${members}[long = 'yes'])", "count(${members}[age >= 18])"),
        ],
        &answers,
        &open,
    );
    assert!(!values[0].exact);
    assert_eq!(pairs(&values[0]), [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)]);
    assert!(!values[1].exact);
    assert_eq!(pairs(&values[1]), [(0.0, 0.0), (7.0, 0.0), (0.0, 7.0), (7.0, 7.0)]);
    assert!(!values[2].exact);
    assert!(values[2].possible.iter().any(|ratio| ratio.y == f64::INFINITY));
    // As a sum over the roster the same conflicts are exact.
    assert!(values[3].exact);
    let expected: Vec<(f64, f64)> = (0..=7).map(|long| (f64::from(long), 7.0)).collect();
    assert_eq!(pairs(&values[3]), expected);
}

#[test]
fn a_count_that_looks_at_other_members_is_not_taken_for_a_sum() {
    let form = form();
    let conflicted: (Member, Member) = ((Some(30), None, None), (Some(10), None, None));
    let (answers, open) = household(&[conflicted; 2], ["yes", "yes"]);
    // Everybody counts in a household with two adults, nobody in another: 0 or 2, never 1.
    let values = project(
        &form,
        &[("count(${members}[${size} = 2])", "count(${members})")],
        &answers,
        &open,
    );
    assert!(values[0].exact);
    assert_eq!(pairs(&values[0]), [(0.0, 2.0), (2.0, 2.0)]);
}

#[test]
fn a_predicate_that_counts_other_members_is_not_taken_for_a_sum() {
    let form = form();
    let conflicted: (Member, Member) = ((Some(10), None, None), (Some(30), None, None));
    let (answers, open) = household(&[conflicted; 2], ["yes", "yes"]);
    let both_adult = "count(${members}[count(${members}[age >= 18]) = 2])";
    let values = project(&form, &[(both_adult, "count(${members})")], &answers, &open);
    assert!(values[0].exact);
    assert_eq!(pairs(&values[0]), [(0.0, 2.0), (2.0, 2.0)]);
}

#[test]
fn a_response_that_counts_by_its_members_is_not_taken_for_a_sum() {
    let form = form();
    let conflicted: (Member, Member) = ((Some(30), None, None), (Some(10), None, None));
    let (answers, open) = household(&[conflicted; 2], ["yes", "yes"]);
    // The household responds only where somebody is an adult, so (0, 2) cannot be: with no adult it contributes nothing.
    let indicator = compile(&form, "count(${members}[age >= 18])", "count(${members})");
    let projector = Projector::new(form.into(), vec![indicator], "${size} > 0").unwrap();
    let projection = projector.project(&answers, &open);
    assert_eq!(
        projection.possible_responded.into_iter().collect::<Vec<_>>(),
        [false, true]
    );
    assert_eq!(pairs(&projection.indicators[0]), [(0.0, 0.0), (1.0, 2.0), (2.0, 2.0)]);
}

#[test]
fn conflicts_about_what_is_gone_or_computed_change_nothing() {
    let form = form();
    let one: Member = (Some(30), Some("own"), Some(1));
    let (answers, _) = household(&[(one, one)], ["yes", "yes"]);
    let conflict = |path| OpenConflict {
        path,
        values: vec![Some(Value::from("yes")), None],
    };
    let gone = InstanceId::new("gone");
    let here = InstanceId::new("0");
    let open = [
        conflict(AnswerPath::within(&gone, "device")),
        conflict(AnswerPath::within(&here, "long")),
        conflict(AnswerPath::top("nowhere")),
    ];
    let values = project(
        &form,
        &[("count(${members}[long = 'yes'])", "count(${members})")],
        &answers,
        &open,
    );
    assert!(values[0].possible.is_empty() && values[0].exact);
}

#[test]
fn expressions_that_do_not_fit_the_form_are_refused_by_name() {
    let form = form();
    let refused = |numerator: &str| {
        let error = IndicatorExpressions::compile(&form, numerator, "1", &BTreeMap::new()).unwrap_err();
        assert!(error.vietnamese().starts_with("tử số"));
        error
    };
    let unknown = refused("count(${members}[devise = 'own'])");
    assert!(matches!(&unknown, ExpressionError::UnknownQuestion { name, .. } if name == "devise"));
    assert!(unknown.to_string().contains("did you mean \"device\""));
    assert!(matches!(
        refused("count(${members}[age > $limit])"),
        ExpressionError::UnknownParameter { .. }
    ));
    let by_clock = refused("count(${members}[age > 1 and today() > '2025-01-01'])");
    assert!(matches!(
        by_clock,
        ExpressionError::DependsOnClock { question: None, .. }
    ));
    assert!(refused("count(${members}").to_string().contains('^'));
}

/// Members with devices: what is said of one member's device must not leak into another member's.
#[test]
fn conflicts_in_nested_instances_agree_with_every_combination() {
    let row = |name: &str, kind, parent| FormNode::new(name, kind, parent);
    let mut many = row("many", NodeKind::Calculate, Some(1));
    many.calculation = Some("sum(${hours})".into());
    let form = Form::compile(FormDefinition {
        settings: Settings::default(),
        languages: vec![Language {
            code: "vi".into(),
            name: "vi".into(),
        }],
        nodes: vec![
            row("agree", NodeKind::Text, None),
            row("members", NodeKind::Repeat, None),
            row("devices", NodeKind::Repeat, Some(1)),
            row("hours", NodeKind::Integer, Some(2)),
            many,
        ],
        choices: ChoiceLists::new(),
        external_choices: ChoiceLists::new(),
        osm_tags: ChoiceLists::new(),
        entities: Vec::new(),
    })
    .unwrap();
    let mut answers = AnswerMap::default();
    answers.put_answer(&AnswerPath::top("agree"), &"yes".into()).unwrap();
    let mut open = Vec::new();
    for member in ["a", "b"] {
        let member_id = InstanceId::new(member);
        let device = InstanceId::new(format!("{member}-phone"));
        answers.add_instance("members", None, &member_id).unwrap();
        answers.add_instance("devices", Some(&member_id), &device).unwrap();
        let path = AnswerPath::within(&device, "hours");
        answers.put_answer(&path, &Value::Integer(1)).unwrap();
        open.push(OpenConflict {
            path,
            values: vec![Some(Value::Integer(1)), Some(Value::Integer(5))],
        });
    }
    let values = &project(
        &form,
        &[("count(${members}[many > 2])", "count(${members})")],
        &answers,
        &open,
    )[0];
    assert!(values.exact);
    assert_eq!(pairs(values), [(0.0, 2.0), (1.0, 2.0), (2.0, 2.0)]);
}
