//! Whatever is answered, added and removed, a session that computed only what each change touched is in the state of one
//! opened over the same store.

use std::cell::Cell;

use proptest::prelude::*;
use survey_forms::answers::{AnswerMap, AnswerPath, InstanceId, Value};
use survey_forms::model::{Form, FormNode, NodeKind};
use survey_forms::session::Session;

use super::{context, definition};

/// How a random row is made.
#[derive(Debug, Clone)]
struct Row {
    shape: u8,
    parent: u8,
    calculation: Option<(u8, u8, u8)>,
    relevance: Option<(u8, u8, u8)>,
}

/// What is done to a session.
#[derive(Debug, Clone)]
enum Step {
    Answer(u8, u8, Option<i64>),
    Add(u8, u8),
    Remove(u8, u8),
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let expression = || proptest::option::of((any::<u8>(), any::<u8>(), any::<u8>()));
    let row = (
        0..10_u8,
        any::<u8>(),
        expression(),
        proptest::option::weighted(0.3, (any::<u8>(), any::<u8>(), any::<u8>())),
    );
    let row = row.prop_map(|(shape, parent, calculation, relevance)| Row {
        shape,
        parent,
        calculation,
        relevance,
    });
    proptest::collection::vec(row, 3..14)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (any::<u8>(), any::<u8>(), proptest::option::weighted(0.8, 0..4_i64))
            .prop_map(|(question, place, number)| Step::Answer(question, place, number)),
        3 => (any::<u8>(), any::<u8>()).prop_map(|(repeat, place)| Step::Add(repeat, place)),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(repeat, place)| Step::Remove(repeat, place)),
    ];
    proptest::collection::vec(step, 1..25)
}

/// An expression of the row at `position`, over the row that the numbers choose.
fn expression(nodes: &[FormNode], (form, one, other): (u8, u8, u8), truth: bool) -> String {
    let name = |choice: u8| nodes[usize::from(choice) % nodes.len()].name.clone();
    let repeats: Vec<&FormNode> = nodes.iter().filter(|node| node.kind == NodeKind::Repeat).collect();
    let repeat = repeats
        .get(usize::from(other) % repeats.len().max(1))
        .map(|node| node.name.clone());
    let (one, other) = (name(one), name(other));
    let value = match form % 10 {
        0 => format!("${{{one}}} + 1"),
        1 => format!("sum(${{{one}}})"),
        2 => format!("coalesce(${{{one}}}, ${{{other}}})"),
        3 => repeat.map_or("2".into(), |repeat| format!("count(${{{repeat}}})")),
        4 => repeat.map_or("3".into(), |repeat| {
            format!("indexed-repeat(${{{one}}}, ${{{repeat}}}, 2)")
        }),
        5 => "position(..)".into(),
        6 => format!("count(//{one}[. > 1])"),
        8 => format!("once(${{{one}}})"),
        7 => format!("concat(../{one}, ../../{other})"),
        _ => repeat.map_or("4".into(), |repeat| format!("sum(/data/{repeat}[{one} > 0]/{other})")),
    };
    if truth { format!("({value}) != 1") } else { value }
}

/// A form without circles: expressions that would make one are left out again.
fn random_form(rows: &[Row]) -> Form {
    let mut nodes: Vec<FormNode> = Vec::new();
    for (position, row) in rows.iter().enumerate() {
        let containers: Vec<usize> = (0..nodes.len())
            .filter(|position| nodes[*position].is_container())
            .collect();
        let choice = usize::from(row.parent) % (containers.len() + 1);
        let parent = containers.get(choice).copied();
        let kind = match row.shape {
            0 => NodeKind::Group,
            1..=3 => NodeKind::Repeat,
            _ => NodeKind::Integer,
        };
        nodes.push(FormNode::new(format!("n{position}"), kind, parent));
    }
    // Every container holds something.
    for position in 0..nodes.len() {
        if nodes[position].is_container() {
            let name = format!("leaf{position}");
            nodes.push(FormNode::new(name, NodeKind::Integer, Some(position)));
        }
    }
    for (position, row) in rows.iter().enumerate() {
        let mut tries: Vec<FormNode> = Vec::new();
        if let Some(relevance) = row.relevance {
            let mut node = nodes[position].clone();
            node.relevant = Some(expression(&nodes, relevance, true));
            tries.push(node);
        }
        if let Some(calculation) = row.calculation {
            let mut node = tries.last().unwrap_or(&nodes[position]).clone();
            let text = Some(expression(&nodes, calculation, false));
            match node.kind {
                NodeKind::Repeat if row.shape == 1 => node.repeat_count = text,
                NodeKind::Integer if row.shape < 8 => node.calculation = text,
                _ => {}
            }
            tries.push(node);
        }
        for node in tries {
            let before = std::mem::replace(&mut nodes[position], node);
            if Form::compile(definition(nodes.clone())).is_err() {
                nodes[position] = before;
            }
        }
    }
    Form::compile(definition(nodes)).unwrap()
}

/// Everything that can be seen of a session.
fn state(session: &Session<'_, AnswerMap>) -> Vec<String> {
    let form = session.form();
    let mut seen = Vec::new();
    let mut places: Vec<Option<InstanceId>> = vec![None];
    for (position, node) in form.nodes().iter().enumerate() {
        if node.kind == NodeKind::Repeat {
            let mut of_repeat = Vec::new();
            for place in &places {
                for id in session.instances(form.key(position), place.as_ref()) {
                    if place.is_some() || form.instances(session.store(), position).contains(&id) {
                        of_repeat.push(Some(id));
                    }
                }
            }
            seen.push(format!("{}: {of_repeat:?}", node.name));
            places.extend(of_repeat);
        }
    }
    places.sort();
    places.dedup();
    for (position, _) in form.nodes().iter().enumerate() {
        for place in &places {
            let path = AnswerPath {
                instance: place.clone(),
                question: form.key(position).to_owned(),
            };
            if form.repeat_of(position).is_some() == place.is_some() {
                seen.push(format!(
                    "{path}: {} {:?}",
                    session.is_relevant(&path),
                    session.value(&path)
                ));
            }
        }
    }
    seen
}

fn opened(form: &Form, store: AnswerMap) -> Session<'_, AnswerMap> {
    Session::new(form, store, context())
}

fn take(session: &mut Session<'_, AnswerMap>, step: &Step, number: usize) {
    let form = session.form();
    let leaves: Vec<usize> = (0..form.nodes().len())
        .filter(|position| form.nodes()[*position].is_asked())
        .collect();
    let repeats: Vec<usize> = (0..form.nodes().len())
        .filter(|position| form.nodes()[*position].kind == NodeKind::Repeat)
        .collect();
    let pick = |from: &[usize], choice: u8| from.get(usize::from(choice) % from.len().max(1)).copied();
    let instances = |session: &Session<'_, AnswerMap>, repeat: Option<usize>| -> Vec<Option<InstanceId>> {
        match repeat {
            None => vec![None],
            Some(repeat) => form.instances(session.store(), repeat).into_iter().map(Some).collect(),
        }
    };
    match step {
        Step::Answer(question, place, number) => {
            let Some(position) = pick(&leaves, *question) else {
                return;
            };
            let places = instances(session, form.repeat_of(position));
            let Some(place) = places.get(usize::from(*place) % places.len().max(1)) else {
                return;
            };
            let path = AnswerPath {
                instance: place.clone(),
                question: form.key(position).to_owned(),
            };
            // Refusals (calculated, not relevant, out of sight) change nothing, which is checked as well.
            let _ = match number {
                Some(number) => session.answer(&path, Value::Integer(*number)),
                None => session.clear(&path),
            };
        }
        Step::Add(repeat, place) => {
            let Some(repeat) = pick(&repeats, *repeat) else { return };
            let around = form.nodes()[repeat].parent.and_then(|parent| form.repeat_of(parent));
            let places = instances(session, around);
            let Some(place) = places.get(usize::from(*place) % places.len().max(1)) else {
                return;
            };
            let id = InstanceId::new(format!("added{number}"));
            let _ = session.add_instance(form.key(repeat), place.as_ref(), &id);
        }
        Step::Remove(repeat, place) => {
            let Some(repeat) = pick(&repeats, *repeat) else { return };
            let all = form.instances(session.store(), repeat);
            if let Some(id) = all.get(usize::from(*place) % all.len().max(1)) {
                let _ = session.remove_instance(form.key(repeat), id);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_state_is_that_of_a_new_session(rows in rows(), steps in steps()) {
        let form = random_form(&rows);
        let next = Cell::new(0);
        let mut session = opened(&form, AnswerMap::default()).with_instance_ids(|| {
            next.set(next.get() + 1);
            InstanceId::new(format!("made{}", next.get()))
        });
        session.begin().unwrap();
        for (number, step) in steps.iter().enumerate() {
            take(&mut session, step, number);
            let fresh = opened(&form, session.store().clone());
            prop_assert_eq!(state(&session), state(&fresh), "after {:?}", step);
        }
    }
}
