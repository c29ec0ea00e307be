//! Fills a scenario in a session and compares it with what the engine said.

use std::cell::Cell;
use std::collections::BTreeSet;

use survey_forms::answers::{AnswerMap, AnswerPath, InstanceId, Value};
use survey_forms::model::{Form, NodeKind};
use survey_forms::session::{AnswerError, AnswerProblemKind, Refusal, Session};
use survey_forms::xpath::{EvaluationContext, Moment};

use crate::engine::{Said, State};
use crate::scenario::{Scenario, Step};

type Filling<'f> = Session<'f, AnswerMap>;

/// Returns how many times a question was compared; what differs is added to `differences`.
pub(crate) fn compare(scenario: &Scenario, verdict: &[State], differences: &mut Vec<String>) -> usize {
    let form = scenario.form();
    let now = Moment::parse("2026-11-25T08:00:00.000+07:00", 420).unwrap();
    let next = Cell::new(0);
    let ids = || {
        next.set(next.get() + 1);
        InstanceId::new(format!("i{}", next.get()))
    };
    let mut session =
        Session::new(&form, AnswerMap::default(), EvaluationContext::new(now, "en")).with_instance_ids(ids);
    session.begin().unwrap();
    let mut compared = check(&session, &verdict[0], &format!("{} opened", scenario.name), differences);
    // A refused answer is kept by the engine, which calls it invalid; both are compared again once it is mended.
    let mut refused: BTreeSet<&str> = BTreeSet::new();
    for (number, (step, said)) in scenario.steps.iter().zip(&verdict[1..]).enumerate() {
        let place = format!("{} step {} {step:?}", scenario.name, number + 1);
        match step {
            Step::Answer { reference, value } => {
                let path = path_of(&session, reference).unwrap_or_else(|| panic!("{place}: no such question"));
                let value = typed(&form, &path, value);
                match session.answer(&path, value) {
                    Ok(()) => {
                        refused.remove(reference.as_str());
                    }
                    Err(AnswerError::Refused {
                        refusal: Refusal::Constraint(_),
                        ..
                    }) => {
                        if said[reference].constraint {
                            differences.push(format!("{place}: only the session refuses it"));
                        }
                        refused.insert(reference);
                    }
                    Err(error) => panic!("{place}: {error}"),
                }
            }
            Step::Add { reference } => {
                let (around, name) = reference.rsplit_once('/').unwrap();
                let parent = instance_of(&session, around);
                let repeat = key_of(&form, &format!("{around}/{name}"));
                let id = InstanceId::new(format!("added{number}"));
                session.add_instance(&repeat, parent.as_ref(), &id).unwrap();
            }
            Step::Remove { reference } => {
                let instance = instance_of(&session, reference).unwrap();
                session.remove_instance(&key_of(&form, reference), &instance).unwrap();
            }
        }
        if refused.is_empty() {
            compared += check(&session, said, &place, differences);
        }
    }
    assert!(refused.is_empty(), "{}: the last answers are refused", scenario.name);
    compared
}

fn check(session: &Filling<'_>, said: &State, place: &str, differences: &mut Vec<String>) -> usize {
    let form = session.form();
    let broken: BTreeSet<AnswerPath> = session
        .validate()
        .into_iter()
        .filter(|problem| problem.kind == AnswerProblemKind::Constraint)
        .map(|problem| problem.path)
        .collect();
    let mut compared = 0;
    for (reference, said) in said {
        // The engine's own rows: the identity of the filled form, and the numbers of instances that pyxform adds.
        if reference.starts_with("/data/meta/") || reference.ends_with("_count") {
            continue;
        }
        let path = path_of(session, reference).unwrap_or_else(|| panic!("{place}: {reference} is only in the engine"));
        let position = form.position(&path.question).unwrap();
        let row = &form.nodes()[position];
        let relevant = session.is_relevant(&path);
        let mut ours = Said {
            relevant,
            required: session.is_required(&path),
            readonly: session.is_read_only(&path),
            value: session.value(&path).map_or_else(String::new, |value| value.to_string()),
            constraint: !broken.contains(&path),
            choices: row.kind.choice_source().map(|_| {
                session
                    .choices(&path)
                    .iter()
                    .map(|choice| choice.name.clone())
                    .collect()
            }),
        };
        let mut theirs = said.clone();
        // Of what is not asked, and of notes and computed values, the engine says more than people see.
        if !relevant {
            (theirs.required, theirs.value, theirs.constraint) = (false, String::new(), true);
        }
        if !relevant || !row.is_asked() || row.calculation.is_some() {
            ours.readonly = theirs.readonly;
        }
        if row.kind == NodeKind::Decimal {
            // The engine writes 0 as 0.0.
            let number = |text: &str| text.parse::<f64>().ok();
            if number(&ours.value) == number(&theirs.value) {
                theirs.value = ours.value.clone();
            }
        }
        if matches!(row.kind, NodeKind::SelectMultiple { .. }) {
            (ours.value, theirs.value) = (sorted(&ours.value), sorted(&theirs.value));
        }
        if ours != theirs {
            differences.push(format!("{place}: {reference}\n   here: {ours:?}\n engine: {theirs:?}"));
        }
        compared += 1;
    }
    let ours = session.questions().len();
    let theirs = said
        .iter()
        .filter(|(reference, said)| {
            let path = path_of(session, reference);
            let row = path.and_then(|path| form.node(&path.question));
            said.relevant && row.is_some_and(|row| row.is_asked() || row.kind == NodeKind::Note)
        })
        .count();
    if ours != theirs {
        differences.push(format!(
            "{place}: {ours} questions are asked here, {theirs} in the engine"
        ));
    }
    compared
}

fn sorted(names: &str) -> String {
    let names: BTreeSet<&str> = names.split(' ').collect();
    names.into_iter().collect::<Vec<_>>().join(" ")
}

fn typed(form: &Form, path: &AnswerPath, text: &str) -> Value {
    match form.node(&path.question).unwrap().kind {
        NodeKind::Integer => text.parse().map_or_else(|_| Value::from(text), Value::Integer),
        NodeKind::Decimal => text.parse().map_or_else(|_| Value::from(text), Value::Decimal),
        NodeKind::SelectMultiple { .. } => Value::Choices(text.split_whitespace().map(str::to_owned).collect()),
        _ => Value::from(text),
    }
}

/// The rows that a reference passes, with the numbers of the instances.
fn steps(form: &Form, reference: &str) -> Option<Vec<(usize, Option<usize>)>> {
    let mut found: Vec<(usize, Option<usize>)> = Vec::new();
    for step in reference.strip_prefix("/data")?.split('/').skip(1) {
        let (name, number) = match step.split_once('[') {
            Some((name, rest)) => (name, Some(rest.trim_end_matches(']').parse().ok()?)),
            None => (step, None),
        };
        let rows = match found.last() {
            Some((row, _)) => form.children(*row),
            None => form.top(),
        };
        let row = rows.iter().find(|row| form.nodes()[**row].name == name)?;
        found.push((*row, number));
    }
    Some(found)
}

fn key_of(form: &Form, reference: &str) -> String {
    let (row, _) = *steps(form, reference).unwrap().last().unwrap();
    form.key(row).to_owned()
}

/// The innermost instance that a reference names.
fn instance_of(session: &Filling<'_>, reference: &str) -> Option<InstanceId> {
    let mut instance = None;
    for (row, number) in steps(session.form(), reference)? {
        if let Some(number) = number {
            let instances = session.instances(session.form().key(row), instance.as_ref());
            instance = Some(instances.get(number.checked_sub(1)?)?.clone());
        }
    }
    instance
}

fn path_of(session: &Filling<'_>, reference: &str) -> Option<AnswerPath> {
    let form = session.form();
    let (row, _) = *steps(form, reference)?.last()?;
    let instance = instance_of(session, reference);
    (instance.is_some() == form.repeat_of(row).is_some()).then(|| AnswerPath {
        instance,
        question: form.key(row).to_owned(),
    })
}
