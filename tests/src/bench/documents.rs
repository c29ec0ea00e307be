//! Response documents against bare Automerge documents that do the same operations.

use std::collections::HashMap;
use std::time::Instant;

use automerge::legacy::{Key, ObjectId, OpId, OpType};
use automerge::transaction::{CommitOptions, Transactable as _};
use automerge::{ActorId, Automerge, ObjId, ObjType, ROOT, ReadDoc as _, ScalarValue};
use survey_forms::answers::{AnswerPath, Answers as _, AnswersMut as _, InstanceId, Value};
use survey_forms::model::Form;
use sync_core::device::DeviceKey;
use sync_core::identity::{ResponseId, RoundId};
use sync_core::response::{Reading, Response, ResponseError, Visit, genesis};
use sync_core::{Change, ChangeHash};
use uuid::Uuid;

use super::survey::{QUESTION, ROSTER, another, household, visit};
use super::table::{Better, Comparison};
use crate::installation::repository;

/// Households whose responses are made, loaded and changed in one repetition.
const HOUSEHOLDS: usize = 300;
/// Measured repetitions; one more goes before them to warm up.
const REPETITIONS: usize = 9;
/// The time of every change, in seconds since 1970-01-01T00:00:00Z.
const TIME: i64 = 1_762_736_400;

/// One household's response as a list of answers and as a list of Automerge operations.
struct Subject {
    id: ResponseId,
    members: Vec<InstanceId>,
    answers: Vec<(AnswerPath, Value)>,
    visits: Vec<(String, Visit)>,
    operations: Vec<Operation>,
    /// The change that both ways make.
    interview: Vec<u8>,
    /// A later change by another device.
    correction: Vec<u8>,
    genesis: Vec<u8>,
}

/// One operation; objects are numbered: 0 to 2 the maps of the genesis, then those that the operations make.
struct Operation {
    object: usize,
    key: String,
    /// None where it makes a map.
    value: Option<ScalarValue>,
}

/// Measures documents per second.
pub fn measure() -> Vec<Comparison> {
    let workbook = std::fs::read(repository().join("forms/household.xlsx")).unwrap();
    let form = survey_forms::xlsform::read(&workbook).unwrap();
    let interviewer = DeviceKey::from_secret(&[1; 32]).actor();
    let corrector = DeviceKey::from_secret(&[2; 32]).actor();
    let subjects: Vec<Subject> = (0..HOUSEHOLDS)
        .map(|number| Subject::new(&form, &format!("28249-01-{number:04}"), &interviewer, &corrector))
        .collect();

    let mut pairs: [Vec<(f64, f64)>; 4] = Default::default();
    for repetition in 0..=REPETITIONS {
        let created = by_turns(
            || {
                subjects
                    .iter()
                    .map(|subject| subject.create(&interviewer))
                    .collect::<Vec<_>>()
            },
            || {
                subjects
                    .iter()
                    .map(|subject| subject.create_bare(&interviewer))
                    .collect::<Vec<_>>()
            },
        );
        let loaded = by_turns(
            || subjects.iter().map(Subject::load).collect::<Vec<_>>(),
            || subjects.iter().map(Subject::load_bare).collect::<Vec<_>>(),
        );
        let (mut ours, mut bare) = (loaded.ours, loaded.bare);
        let applied = by_turns(
            || {
                for (subject, response) in subjects.iter().zip(&mut ours) {
                    response.apply([parse(&subject.correction)]).unwrap();
                }
            },
            || {
                for (subject, document) in subjects.iter().zip(&mut bare) {
                    document.apply_changes([parse(&subject.correction)]).unwrap();
                }
            },
        );
        let read = by_turns(
            || ours.iter().map(Response::read).collect::<Vec<_>>(),
            || bare.iter().map(|document| document.hydrate(None)).collect::<Vec<_>>(),
        );
        assert_eq!(created.ours, created.bare, "both ways must make the very same changes");
        for (response, document) in ours.iter().zip(&bare) {
            assert_eq!(response.heads(), document.get_heads());
        }
        if repetition > 0 {
            let rates = [created.rates, loaded.rates, applied.rates, read.rates];
            for (pairs, rates) in pairs.iter_mut().zip(rates) {
                pairs.push(rates);
            }
        }
    }
    let what = [
        ("create: one interview, one change", "bare Automerge, same operations"),
        ("load: from change bytes", "bare Automerge, same changes"),
        ("apply: one correction", "bare Automerge, same change"),
        ("read: answers, conflicts, visits", "bare Automerge, hydrate"),
    ];
    what.into_iter()
        .zip(pairs)
        .map(|((what, against), pairs)| Comparison {
            what: what.to_owned(),
            against: against.to_owned(),
            unit: "documents/s",
            better: Better::Higher,
            pairs,
        })
        .collect()
}

/// What the same work gave both ways.
struct ByTurns<A, B> {
    ours: A,
    bare: B,
    /// Documents per second.
    rates: (f64, f64),
}

fn by_turns<A, B>(ours: impl FnOnce() -> A, bare: impl FnOnce() -> B) -> ByTurns<A, B> {
    let start = Instant::now();
    let ours = ours();
    let between = Instant::now();
    let bare = bare();
    let end = Instant::now();
    let rate = |from: Instant, to: Instant| HOUSEHOLDS as f64 / (to - from).as_secs_f64();
    ByTurns {
        ours,
        bare,
        rates: (rate(start, between), rate(between, end)),
    }
}

impl Subject {
    fn new(form: &Form, unit: &str, interviewer: &ActorId, corrector: &ActorId) -> Self {
        let id = ResponseId::of(RoundId(Uuid::nil()), unit);
        let mut filled = Response::new(id).unwrap();
        let fill = filled.edit(interviewer, TIME, |edit| {
            visit(form, edit, &household(unit), &interviewer.to_string());
            Ok::<_, ResponseError>(())
        });
        fill.unwrap();
        let reading = filled.read();
        let mut subject = Self {
            id,
            members: reading.answers.instances(ROSTER, None),
            answers: answers(form, &reading),
            visits: reading.visits.into_iter().collect(),
            operations: Vec::new(),
            interview: Vec::new(),
            correction: Vec::new(),
            genesis: genesis::document(id).unwrap().get_changes(&[])[0].raw_bytes().to_vec(),
        };
        let (mut response, change) = subject.edited(interviewer);
        subject.operations = operations(&change, id);
        subject.interview = change.raw_bytes().to_vec();
        let path = AnswerPath::within(&subject.members[0], QUESTION);
        let corrected = another(response.read().answers.answer(&path));
        let correct = response.edit(corrector, TIME + 60, |edit| edit.put_answer(&path, &corrected));
        subject.correction = correct.unwrap().1.unwrap().raw_bytes().to_vec();
        subject
    }

    fn edited(&self, actor: &ActorId) -> (Response, Change) {
        let mut response = Response::new(self.id).unwrap();
        let edit = response.edit(actor, TIME, |edit| {
            for member in &self.members {
                edit.add_instance(ROSTER, None, member)?;
            }
            for (path, value) in &self.answers {
                edit.put_answer(path, value)?;
            }
            for (id, visit) in &self.visits {
                edit.record_visit(id, visit)?;
            }
            Ok::<_, ResponseError>(())
        });
        let change = edit.unwrap().1.unwrap();
        (response, change)
    }

    fn create(&self, actor: &ActorId) -> ChangeHash {
        self.edited(actor).1.hash()
    }

    fn create_bare(&self, actor: &ActorId) -> ChangeHash {
        let mut document = Automerge::new().with_actor(genesis::actor(self.id));
        let mut transaction = document.transaction();
        let mut objects: Vec<ObjId> = [genesis::ANSWERS, genesis::MEMBERS, genesis::VISITS]
            .map(|map| transaction.put_object(ROOT, map, ObjType::Map).unwrap())
            .into();
        transaction.commit_with(CommitOptions::default().with_time(0));
        document.set_actor(actor.clone());
        let mut transaction = document.transaction();
        for operation in &self.operations {
            let object = objects[operation.object].clone();
            match &operation.value {
                Some(value) => transaction.put(&object, operation.key.as_str(), value.clone()).unwrap(),
                None => {
                    let made = transaction.put_object(&object, operation.key.as_str(), ObjType::Map);
                    objects.push(made.unwrap());
                }
            }
        }
        let hash = transaction.commit_with(CommitOptions::default().with_time(TIME)).0;
        document.get_change_by_hash(&hash.unwrap()).unwrap().hash()
    }

    fn load(&self) -> Response {
        Response::with_changes(self.id, [parse(&self.interview)]).unwrap()
    }

    fn load_bare(&self) -> Automerge {
        let mut document = Automerge::new();
        document
            .apply_changes([parse(&self.genesis), parse(&self.interview)])
            .unwrap();
        document
    }
}

fn parse(bytes: &[u8]) -> Change {
    Change::try_from(bytes).unwrap()
}

/// All answers with their addresses, those outside the roster first.
fn answers(form: &Form, reading: &Reading) -> Vec<(AnswerPath, Value)> {
    let instances = reading.answers.instances(ROSTER, None);
    std::iter::once(None)
        .chain(instances.into_iter().map(Some))
        .flat_map(|instance| {
            form.nodes()
                .iter()
                .map(move |node| (instance.clone(), node.name.clone()))
        })
        .filter_map(|(instance, question)| {
            let path = AnswerPath { instance, question };
            let value = reading.answers.answer(&path)?;
            Some((path, value))
        })
        .collect()
}

/// The operations of a change of the response.
fn operations(change: &Change, id: ResponseId) -> Vec<Operation> {
    let mut numbers: HashMap<OpId, usize> = (1..=3)
        .map(|counter| OpId(counter, genesis::actor(id)))
        .zip(0..)
        .collect();
    let decoded = change.decode();
    let first = decoded.start_op.get();
    (first..)
        .zip(&decoded.operations)
        .map(|(counter, operation)| {
            let (ObjectId::Id(object), Key::Map(key)) = (&operation.obj, &operation.key) else {
                panic!("a response document has maps only");
            };
            let object = numbers[object];
            let value = match &operation.action {
                OpType::Put(value) => Some(value.clone()),
                _ => {
                    let next = numbers.len();
                    numbers.insert(OpId(counter, change.actor_id().clone()), next);
                    None
                }
            };
            Operation {
                object,
                key: key.to_string(),
                value,
            }
        })
        .collect()
}
