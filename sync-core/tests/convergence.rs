//! Whatever people write on replicas that meet in any order, the replicas come to say the same, and nothing that
//! somebody wrote is out of sight unless somebody who had seen it replaced it.

#![allow(clippy::unwrap_used, reason = "a step that fails is a failed test")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use survey_forms::answers::{AnswerPath, Answers, AnswersMut, InstanceId, Value};
use sync_core::device::DeviceKey;
use sync_core::identity::{ResponseId, RoundId};
use sync_core::response::{Response, ResponseError};
use sync_core::{Change, ChangeHash};
use uuid::Uuid;

const REPEAT: &str = "members";
const QUESTIONS: [&str; 3] = ["fibre_available", "smartphone", "age"];

/// One step of a day in the field.
#[derive(Debug, Clone)]
enum Step {
    Answer {
        replica: usize,
        member: Option<u8>,
        question: usize,
        value: Option<u8>,
    },
    Tick {
        replica: usize,
        choices: Vec<u8>,
    },
    AddMember {
        replica: usize,
        member: u8,
    },
    /// Some of one replica's changes reach another, in a shuffled order and some of them twice.
    Deliver {
        from: usize,
        to: usize,
        order: Vec<prop::sample::Index>,
    },
    /// Two replicas meet and exchange all.
    Meet {
        from: usize,
        to: usize,
    },
}

fn step(replicas: usize) -> impl Strategy<Value = Step> {
    let replica = 0..replicas;
    prop_oneof![
        6 => (replica.clone(), prop::option::of(0..3u8), 0..QUESTIONS.len(), prop::option::weighted(0.8, 0..4u8))
            .prop_map(|(replica, member, question, value)| Step::Answer { replica, member, question, value }),
        1 => (replica.clone(), prop::collection::vec(0..4u8, 0..3))
            .prop_map(|(replica, choices)| Step::Tick { replica, choices }),
        2 => (replica.clone(), 0..3u8).prop_map(|(replica, member)| Step::AddMember { replica, member }),
        3 => (replica.clone(), replica.clone(), prop::collection::vec(any::<prop::sample::Index>(), 1..8))
            .prop_map(|(from, to, order)| Step::Deliver { from, to, order }),
        2 => (replica.clone(), replica).prop_map(|(from, to)| Step::Meet { from, to }),
    ]
}

fn day() -> impl Strategy<Value = (usize, Vec<Step>)> {
    (2..=6usize).prop_flat_map(|replicas| (Just(replicas), prop::collection::vec(step(replicas), 1..60)))
}

/// What an independent observer knows: who wrote what, and which earlier writings each had seen.
#[derive(Default)]
struct Observer {
    writes: BTreeMap<AnswerPath, Vec<(ChangeHash, Option<Value>)>>,
    replaced: BTreeSet<(AnswerPath, ChangeHash)>,
}

impl Observer {
    fn saw(&mut self, response: &Response, path: &AnswerPath, value: Option<Value>, change: ChangeHash) {
        let writes = self.writes.entry(path.clone()).or_default();
        for (earlier, _) in writes
            .iter()
            .filter(|(earlier, _)| response.has(earlier) && *earlier != change)
        {
            self.replaced.insert((path.clone(), *earlier));
        }
        writes.push((change, value));
    }

    /// The writings of `path` that nobody who had seen them replaced.
    fn standing(&self, path: &AnswerPath) -> Vec<Option<Value>> {
        let mut values = Vec::new();
        for (change, value) in &self.writes[path] {
            if !self.replaced.contains(&(path.clone(), *change)) && !values.contains(value) {
                values.push(value.clone());
            }
        }
        values
    }
}

struct Field {
    replicas: Vec<Response>,
    keys: Vec<DeviceKey>,
    observer: Observer,
    written: Vec<Change>,
    time: i64,
}

impl Field {
    fn new(replicas: usize) -> Self {
        let id = ResponseId::of(RoundId(Uuid::nil()), "28249-01-0001");
        Self {
            replicas: (0..replicas).map(|_| Response::new(id).unwrap()).collect(),
            keys: (0..replicas)
                .map(|replica| DeviceKey::from_secret(&[replica as u8 + 1; 32]))
                .collect(),
            observer: Observer::default(),
            written: Vec::new(),
            time: 1_000,
        }
    }

    fn take(&mut self, step: &Step) {
        self.time += 1;
        match step {
            Step::Answer {
                replica,
                member,
                question,
                value,
            } => {
                let instance = member.map(instance);
                let path = AnswerPath {
                    instance: instance.clone(),
                    question: QUESTIONS[*question].to_owned(),
                };
                let value = value.map(|value| Value::Integer(i64::from(value)));
                if let Some(instance) = &instance
                    && !self.replicas[*replica]
                        .read()
                        .answers
                        .instances(REPEAT, None)
                        .contains(instance)
                {
                    return;
                }
                let change = self.edit(*replica, |edit| match &value {
                    Some(value) => edit.put_answer(&path, value),
                    None => edit.clear_answer(&path),
                });
                if let Some(change) = change {
                    self.observer.saw(&self.replicas[*replica], &path, value, change.hash());
                }
            }
            Step::Tick { replica, choices } => {
                let names = choices.iter().map(|choice| format!("choice{choice}")).collect();
                self.edit(*replica, |edit| {
                    edit.put_answer(&AnswerPath::top("needs"), &Value::Choices(names))
                });
            }
            Step::AddMember { replica, member } => {
                // A member's identity is made once, by one device: the same number on two replicas is another person.
                let instance = InstanceId::new(format!("{member}-{replica}"));
                self.edit(*replica, |edit| edit.add_instance(REPEAT, None, &instance));
            }
            Step::Deliver { from, to, order } => {
                let changes = self.replicas[*from].changes();
                if !changes.is_empty() {
                    let some: Vec<Change> = order.iter().map(|index| index.get(&changes).clone()).collect();
                    self.replicas[*to].apply(some).unwrap();
                }
            }
            Step::Meet { from, to } => {
                let other = self.replicas[*from].clone();
                self.replicas[*to].merge(&other).unwrap();
            }
        }
    }

    fn edit(
        &mut self,
        replica: usize,
        edit: impl FnOnce(&mut sync_core::response::Edit<'_>) -> Result<(), ResponseError>,
    ) -> Option<Change> {
        let actor = self.keys[replica].actor();
        let ((), change) = self.replicas[replica].edit(&actor, self.time, edit).unwrap();
        self.written.extend(change.clone());
        change
    }
}

fn instance(member: u8) -> InstanceId {
    InstanceId::new(format!("{member}-0"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn replicas_converge_and_lose_nothing((replicas, steps) in day(), shuffle in any::<prop::sample::Index>()) {
        let mut field = Field::new(replicas);
        for step in &steps {
            field.take(step);
        }

        // In the end everything reaches everyone, in a different order for each, and some of it twice.
        let mut orders = Vec::new();
        for replica in 0..replicas {
            let mut changes = field.written.clone();
            if !changes.is_empty() {
                let turn = (shuffle.index(changes.len()) + replica * 7) % changes.len();
                changes.rotate_left(turn);
                if replica % 2 == 1 {
                    changes.reverse();
                }
                changes.extend_from_slice(&field.written[..field.written.len() / 2]);
            }
            orders.push(changes);
        }
        for (replica, changes) in orders.into_iter().enumerate() {
            field.replicas[replica].apply(changes).unwrap();
        }

        let first = &field.replicas[0];
        let reading = first.read();
        for other in &field.replicas[1..] {
            prop_assert_eq!(first.heads(), other.heads());
            prop_assert_eq!(&reading.answers, &other.read().answers);
            prop_assert_eq!(&reading.conflicts, &other.read().conflicts);
        }
        for change in &field.written {
            prop_assert!(first.has(&change.hash()), "a change disappeared");
        }

        for path in field.observer.writes.keys() {
            let standing = field.observer.standing(path);
            let conflict = reading.conflicts.iter().find(|conflict| conflict.path == *path);
            match standing.as_slice() {
                [only] => {
                    prop_assert_eq!(reading.answers.answer(path), only.clone());
                    prop_assert!(conflict.is_none());
                }
                several => {
                    let claimed = conflict.map(|conflict| conflict.values()).unwrap_or_default();
                    prop_assert_eq!(claimed.len(), several.len());
                    for value in several {
                        prop_assert!(claimed.contains(value), "{} lost from the conflict at {}", value.as_ref().map_or("a clearing".into(), Value::to_string), path);
                    }
                    prop_assert_eq!(&reading.answers.answer(path), &claimed[0]);
                }
            }
        }

        // A response loaded from its changes alone says the same.
        let loaded = Response::with_changes(first.id(), first.changes()).unwrap();
        prop_assert_eq!(loaded.read().answers, reading.answers);
    }

    #[test]
    fn settling_ends_a_conflict_for_everybody((replicas, steps) in day()) {
        let mut field = Field::new(replicas);
        for step in &steps {
            field.take(step);
        }
        let everything = field.written.clone();
        field.replicas[0].apply(everything).unwrap();
        let official = DeviceKey::from_secret(&[99; 32]).actor();
        for conflict in field.replicas[0].read().conflicts {
            let chosen = conflict.values().pop().unwrap();
            let ((), change) = field.replicas[0]
                .edit(&official, 5_000, |edit| edit.settle(&conflict.path, chosen.as_ref()))
                .unwrap();
            prop_assert!(change.is_some());
            prop_assert_eq!(field.replicas[0].read().answers.answer(&conflict.path), chosen);
        }
        prop_assert!(field.replicas[0].read().conflicts.is_empty());
        let settled = field.replicas[0].clone();
        for other in &mut field.replicas[1..] {
            other.merge(&settled).unwrap();
            prop_assert!(other.read().conflicts.is_empty());
        }
    }
}

#[test]
fn two_phones_that_never_met_keep_both_peoples_answers() {
    let id = ResponseId::of(RoundId(Uuid::nil()), "28249-01-0001");
    let (an, binh) = (
        DeviceKey::from_secret(&[1; 32]).actor(),
        DeviceKey::from_secret(&[2; 32]).actor(),
    );
    let (mut ans, mut binhs) = (Response::new(id).unwrap(), Response::new(id).unwrap());

    let (mother, son) = (InstanceId::new("mother"), InstanceId::new("son"));
    ans.edit(&an, 1, |edit| {
        edit.put_answer(&AnswerPath::top("fibre_available"), &"yes".into())?;
        edit.add_instance(REPEAT, None, &mother)?;
        edit.put_answer(&AnswerPath::within(&mother, "smartphone"), &"own".into())
    })
    .unwrap();
    binhs
        .edit(&binh, 2, |edit| {
            edit.put_answer(&AnswerPath::top("fibre_available"), &"no".into())?;
            edit.put_answer(&AnswerPath::top("phone"), &"0900000000".into())?;
            edit.add_instance(REPEAT, None, &son)?;
            edit.put_answer(&AnswerPath::within(&son, "smartphone"), &"none".into())
        })
        .unwrap();

    ans.merge(&binhs).unwrap();
    let reading = ans.read();
    assert_eq!(reading.answers.instances(REPEAT, None).len(), 2);
    assert_eq!(
        reading.answers.answer(&AnswerPath::within(&mother, "smartphone")),
        Some("own".into())
    );
    assert_eq!(
        reading.answers.answer(&AnswerPath::within(&son, "smartphone")),
        Some("none".into())
    );
    assert_eq!(
        reading.answers.answer(&AnswerPath::top("phone")),
        Some("0900000000".into())
    );
    let [conflict] = reading.conflicts.as_slice() else {
        panic!("{:?}", reading.conflicts)
    };
    assert_eq!(conflict.path, AnswerPath::top("fibre_available"));
    let mut claims: Vec<_> = conflict
        .claims
        .iter()
        .map(|claim| (claim.actor.clone(), claim.value.clone(), claim.time))
        .collect();
    claims.sort_by(|one, other| one.0.cmp(&other.0));
    let mut expected = vec![(an, Some("yes".into()), 1), (binh, Some("no".into()), 2)];
    expected.sort_by(|one: &(_, Option<Value>, i64), other| one.0.cmp(&other.0));
    assert_eq!(claims, expected);
}

#[test]
fn equal_answers_of_two_people_are_no_conflict() {
    let id = ResponseId::of(RoundId(Uuid::nil()), "28249-01-0001");
    let mut replicas = [Response::new(id).unwrap(), Response::new(id).unwrap()];
    for (number, replica) in replicas.iter_mut().enumerate() {
        let actor = DeviceKey::from_secret(&[number as u8; 32]).actor();
        replica
            .edit(&actor, 1, |edit| {
                edit.put_answer(&AnswerPath::top("fibre_available"), &"yes".into())
            })
            .unwrap();
    }
    let [mut one, other] = replicas;
    one.merge(&other).unwrap();
    assert_eq!(one.read().conflicts, []);
}

#[test]
fn two_peoples_ticks_unite() {
    let id = ResponseId::of(RoundId(Uuid::nil()), "28249-01-0001");
    let path = AnswerPath::top("needs");
    let choices = |names: &[&str]| Value::Choices(names.iter().map(|name| (*name).to_owned()).collect());
    let mut one = Response::new(id).unwrap();
    let mut other = one.clone();
    one.edit(&DeviceKey::from_secret(&[1; 32]).actor(), 1, |edit| {
        edit.put_answer(&path, &choices(&["fraud"]))
    })
    .unwrap();
    other
        .edit(&DeviceKey::from_secret(&[2; 32]).actor(), 1, |edit| {
            edit.put_answer(&path, &choices(&["wifi", "vneid"]))
        })
        .unwrap();
    one.merge(&other).unwrap();
    assert_eq!(
        one.read().answers.answer(&path),
        Some(choices(&["fraud", "vneid", "wifi"]))
    );
    assert_eq!(one.read().conflicts, []);
}

#[test]
fn a_failed_edit_leaves_the_response_as_it_was() {
    let id = ResponseId::of(RoundId(Uuid::nil()), "28249-01-0001");
    let mut response = Response::new(id).unwrap();
    let before = response.heads();
    let outcome = response.edit(&DeviceKey::from_secret(&[1; 32]).actor(), 1, |edit| {
        edit.put_answer(&AnswerPath::top("phone"), &"1".into())?;
        edit.put_answer(&AnswerPath::within(&InstanceId::new("nobody"), "age"), &1.into())
    });
    assert!(matches!(outcome, Err(ResponseError::UnknownInstance { .. })));
    assert_eq!(response.heads(), before);
    assert_eq!(response.read().answers, Default::default());
}
