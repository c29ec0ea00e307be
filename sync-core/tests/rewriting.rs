//! A phone that was cloned or restored from a backup contradicts the log, takes a new key, and loses nothing: whatever two
//! people write with one key, and another with his own, in the end everybody shows what nobody has replaced knowingly.

#![allow(clippy::unwrap_used, reason = "a step that fails is a failed test")]

use std::collections::{BTreeMap, BTreeSet, HashSet};

use proptest::prelude::*;
use survey_forms::answers::{AnswerPath, Answers as _, AnswersMut as _, InstanceId, Value};
use sync_core::device::DeviceKey;
use sync_core::identity::{ResponseId, RoundId};
use sync_core::response::{Edit, OwnActors, Response, ResponseError, Rewritten, Visit};
use sync_core::{ActorId, Change, ChangeHash};
use uuid::Uuid;

const REPEAT: &str = "members";
const QUESTIONS: [&str; 2] = ["fibre_available", "age"];

fn actor(number: u8) -> ActorId {
    DeviceKey::from_secret(&[number; 32]).actor()
}

fn empty() -> Response {
    Response::new(ResponseId::of(RoundId(Uuid::nil()), "28249-01-0001")).unwrap()
}

fn write(
    response: &mut Response,
    device: u8,
    edit: impl FnOnce(&mut Edit<'_>) -> Result<(), ResponseError>,
) -> Option<Change> {
    response.edit(&actor(device), 7, edit).unwrap().1
}

fn answer(response: &mut Response, device: u8, question: &str, value: i64) -> Change {
    let path = AnswerPath::top(question);
    write(response, device, |edit| edit.put_answer(&path, &Value::Integer(value))).unwrap()
}

fn logged(log: &Response) -> HashSet<ChangeHash> {
    log.changes().iter().map(Change::hash).collect()
}

/// What the phone does that was device 1 and is device 3 now, when the log has what `log` has.
fn rewritten(phone: &mut Response, log: &Response) -> Rewritten {
    let _ = phone.apply(log.changes());
    let own = OwnActors {
        now: &actor(3),
        before: &[actor(1)],
        abandoned: &[],
        refused: &HashSet::new(),
    };
    phone.rewritten(&logged(log), own).unwrap()
}

/// The values that a question shows.
fn shown(response: &Response, path: &AnswerPath) -> BTreeSet<i64> {
    let reading = response.read();
    let conflict = reading.conflicts.iter().find(|conflict| conflict.path == *path);
    let values = match conflict {
        Some(conflict) => conflict.values(),
        None => vec![reading.answers.answer(path)],
    };
    let number = |value: Option<Value>| match value {
        Some(Value::Integer(number)) => Some(number),
        _ => None,
    };
    values.into_iter().filter_map(number).collect()
}

#[test]
fn what_a_refused_change_and_its_dependents_said_is_said_again() {
    let mut phone = empty();
    answer(&mut phone, 1, "age", 1);
    let mut log = phone.clone();
    answer(&mut log, 1, "fibre_available", 10);
    let refused = answer(&mut phone, 1, "age", 2);
    let dependent = answer(&mut phone, 1, "rooms", 3);

    let again = rewritten(&mut phone, &log);
    let dropped: Vec<ChangeHash> = again.replaced.iter().map(|replacement| replacement.dropped).collect();
    assert_eq!(dropped, [refused.hash(), dependent.hash()]);
    for replacement in &again.replaced {
        let written = replacement.written.as_ref().unwrap();
        assert_eq!((written.actor_id(), written.timestamp()), (&actor(3), 7));
    }
    // The log takes them, and nothing was overwritten that the phone had not seen.
    let written = again.replaced.into_iter().filter_map(|replacement| replacement.written);
    log.apply(written).unwrap();
    assert_eq!(log.heads(), again.response.heads());
    assert_eq!(log.read().conflicts, []);
    for (question, value) in [("age", 2), ("fibre_available", 10), ("rooms", 3)] {
        assert_eq!(shown(&log, &AnswerPath::top(question)), [value].into(), "{question}");
    }
}

#[test]
fn what_contradicts_a_change_that_only_waits_at_the_server_is_said_again() {
    let mut phone = empty();
    let refused = answer(&mut phone, 1, "age", 2);
    let dependent = answer(&mut phone, 1, "rooms", 3);
    // The log has nothing that these contradict: it refused the first for one of a copy's, which waits.
    let log = empty();
    let own = OwnActors {
        now: &actor(3),
        before: &[actor(1)],
        abandoned: &[],
        refused: &[refused.hash()].into(),
    };
    let again = phone.rewritten(&logged(&log), own).unwrap();
    let dropped: Vec<ChangeHash> = again.replaced.iter().map(|replacement| replacement.dropped).collect();
    assert_eq!(dropped, [refused.hash(), dependent.hash()]);
    let changes = again.response.changes();
    assert!(changes.iter().all(|change| *change.actor_id() != actor(1)));
    for (question, value) in [("age", 2), ("rooms", 3)] {
        assert_eq!(shown(&again.response, &AnswerPath::top(question)), [value].into());
    }
}

#[test]
fn operations_of_two_copies_that_have_one_name_are_told_apart() {
    // Both copies answer; each answer is operation 4 of device 1 there.
    let mut phone = empty();
    let mut copy = empty();
    answer(&mut phone, 1, "age", 2);
    let of_copy = answer(&mut copy, 1, "age", 3);
    // The first of the copy's changes came into the log, and the second, which replaces it, did not.
    answer(&mut copy, 1, "age", 4);
    let mut log = empty();
    log.apply([of_copy]).unwrap();
    // The phone met the copy, and writes for both.
    let _ = phone.apply(copy.changes());
    let own = OwnActors {
        now: &actor(3),
        before: &[],
        abandoned: &[actor(1)],
        refused: &HashSet::new(),
    };
    let again = phone.rewritten(&logged(&log), own).unwrap();
    assert_eq!(again.replaced.len(), 2);
    // The copy's 3 is replaced by its 4, the phone's 2 by nobody.
    assert_eq!(shown(&again.response, &AnswerPath::top("age")), [2, 4].into());
}

#[test]
fn two_answers_to_one_question_are_a_conflict_and_equal_ones_are_none() {
    let mut phone = empty();
    let mut log = phone.clone();
    answer(&mut log, 1, "age", 1);
    answer(&mut log, 1, "rooms", 5);
    answer(&mut phone, 1, "age", 2);
    answer(&mut phone, 1, "rooms", 5);
    let again = rewritten(&mut phone, &log);
    assert_eq!(shown(&again.response, &AnswerPath::top("age")), [1, 2].into());
    assert_eq!(shown(&again.response, &AnswerPath::top("rooms")), [5].into());
    // Whoever replaces one of two equal answers without having seen the other does not replace that.
    answer(&mut log, 1, "rooms", 6);
    let mut both = again.response;
    both.merge(&log).unwrap();
    assert_eq!(shown(&both, &AnswerPath::top("rooms")), [5, 6].into());
}

/// The person goes on while the phone has its new key, but does not know yet what the log has.
#[test]
fn what_the_new_key_wrote_before_is_kept_too() {
    let (mut phone, mut log) = (empty(), empty());
    answer(&mut log, 1, "rooms", 5);
    answer(&mut phone, 1, "age", 1);
    answer(&mut phone, 3, "age", 2);
    answer(&mut phone, 3, "fibre_available", 3);
    let again = rewritten(&mut phone, &log);
    let written = again.replaced.into_iter().filter_map(|replacement| replacement.written);
    log.apply(written).unwrap();
    assert_eq!(log.changes_of(&actor(3)).len(), 3);
    for (question, value) in [("age", 2), ("fibre_available", 3), ("rooms", 5)] {
        assert_eq!(shown(&log, &AnswerPath::top(question)), [value].into(), "{question}");
    }
}

/// The person saw 1, which another wrote, and said 2. That the log's side confirmed 1 in the meantime must not end it.
#[test]
fn an_answer_that_was_replaced_knowingly_stays_replaced() {
    let mut log = empty();
    answer(&mut log, 2, "age", 1);
    let mut phone = log.clone();
    answer(&mut log, 1, "rooms", 5);
    answer(&mut phone, 1, "age", 2);
    answer(&mut phone, 1, "age", 3);
    let again = rewritten(&mut phone, &log);
    assert_eq!(shown(&again.response, &AnswerPath::top("age")), [3].into());
}

/// Also an answer that came after the refused change was written, but before it was refused, was not seen by it.
#[test]
fn what_came_in_the_meantime_is_not_overwritten() {
    let mut phone = empty();
    let mut log = phone.clone();
    answer(&mut log, 1, "rooms", 5);
    answer(&mut phone, 1, "age", 2);
    let mut other = empty();
    let theirs = answer(&mut other, 2, "age", 9);
    phone.apply([theirs.clone()]).unwrap();
    log.apply([theirs]).unwrap();
    let again = rewritten(&mut phone, &log);
    assert_eq!(shown(&again.response, &AnswerPath::top("age")), [2, 9].into());
}

#[test]
fn a_settled_conflict_stays_settled() {
    let mut log = empty();
    let mut other = empty();
    answer(&mut log, 2, "age", 1);
    log.apply([answer(&mut other, 4, "age", 2)]).unwrap();
    let mut phone = log.clone();
    answer(&mut log, 1, "rooms", 5);
    let path = AnswerPath::top("age");
    let winner = phone.read().conflicts[0].values().remove(0);
    write(&mut phone, 1, |edit| edit.settle(&path, winner.as_ref())).unwrap();
    let again = rewritten(&mut phone, &log);
    assert_eq!(again.response.read().conflicts, []);
    assert_eq!(again.response.read().answers.answer(&path), winner);
}

/// Both phones made the same instance: its answers must not end in two maps of which one is out of sight.
#[test]
fn an_instance_that_both_made_is_one() {
    let member = InstanceId::new("m1");
    let within = |question: &str| AnswerPath {
        instance: Some(member.clone()),
        question: question.to_owned(),
    };
    let (mut phone, mut log) = (empty(), empty());
    for (response, name, age) in [(&mut log, "name", 1), (&mut phone, "rooms", 2)] {
        write(response, 1, |edit| {
            edit.add_instance(REPEAT, None, &member)?;
            edit.put_answer(&within(name), &Value::Integer(4))?;
            edit.put_answer(&within("age"), &Value::Integer(age))
        });
    }
    let again = rewritten(&mut phone, &log).response;
    assert_eq!(
        again.read().answers.instances(REPEAT, None),
        std::slice::from_ref(&member)
    );
    for (question, values) in [("name", vec![4]), ("rooms", vec![4]), ("age", vec![1, 2])] {
        assert_eq!(
            shown(&again, &within(question)),
            values.into_iter().collect(),
            "{question}"
        );
    }
}

#[test]
fn what_nothing_contradicts_is_not_written_again_unless_its_key_is_abandoned() {
    let log = empty();
    let mut phone = empty();
    let unsent = answer(&mut phone, 1, "age", 2);
    assert!(rewritten(&mut phone, &log).replaced.is_empty());
    let own = OwnActors {
        now: &actor(3),
        before: &[],
        abandoned: &[actor(1)],
        refused: &HashSet::new(),
    };
    let again = phone.rewritten(&logged(&log), own).unwrap();
    assert_eq!(again.replaced[0].dropped, unsent.hash());
    assert_eq!(again.response.changes_of(&actor(1)).len(), 0);
    assert_eq!(shown(&again.response, &AnswerPath::top("age")), [2].into());
}

/// One step of a day: phones 0 and 1 are clones of one another, 2 is somebody else's.
#[derive(Debug, Clone)]
enum Step {
    Answer {
        phone: usize,
        member: Option<prop::sample::Index>,
        question: usize,
        value: i64,
        settles: bool,
    },
    Add(usize),
    Remove(usize, prop::sample::Index),
    Visit(usize),
    Exchange(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let phone = 0..3usize;
    prop_oneof![
        8 => (phone.clone(), prop::option::of(any::<prop::sample::Index>()), 0..QUESTIONS.len(), 0..4i64, any::<bool>())
            .prop_map(|(phone, member, question, value, settles)| Step::Answer { phone, member, question, value, settles }),
        2 => phone.clone().prop_map(Step::Add),
        1 => (phone.clone(), any::<prop::sample::Index>()).prop_map(|(phone, member)| Step::Remove(phone, member)),
        1 => phone.clone().prop_map(Step::Visit),
        4 => phone.prop_map(Step::Exchange),
    ]
}

struct Phone {
    response: Response,
    actor: ActorId,
    before: Vec<ActorId>,
    abandoned: Vec<ActorId>,
    /// The writings that the person could have seen.
    seen: BTreeSet<usize>,
}

/// What is known without Automerge: who wrote what, and what each had seen.
#[derive(Default)]
struct Observer {
    writings: Vec<(AnswerPath, i64)>,
    replaced: BTreeSet<usize>,
    members: Vec<InstanceId>,
    removed: BTreeSet<InstanceId>,
    visits: Vec<String>,
}

struct Field {
    log: Response,
    log_seen: BTreeSet<usize>,
    phones: Vec<Phone>,
    succeeded: BTreeSet<ActorId>,
    keys: u8,
    /// Different for each edit, or clones that write the same would write one change.
    time: i64,
    observer: Observer,
}

impl Field {
    fn new() -> Self {
        let phone = |key: u8| Phone {
            response: empty(),
            actor: actor(key),
            before: Vec::new(),
            abandoned: Vec::new(),
            seen: BTreeSet::new(),
        };
        Self {
            log: empty(),
            log_seen: BTreeSet::new(),
            phones: vec![phone(1), phone(1), phone(2)],
            succeeded: BTreeSet::new(),
            keys: 10,
            time: 1,
            observer: Observer::default(),
        }
    }

    fn take(&mut self, step: &Step) {
        self.time += 1;
        let time = self.time;
        match step {
            Step::Answer {
                phone,
                member,
                question,
                value,
                settles,
            } => {
                let there = self.phones[*phone].response.read().answers.instances(REPEAT, None);
                let path = AnswerPath {
                    instance: member
                        .filter(|_| !there.is_empty())
                        .map(|member| member.get(&there).clone()),
                    question: QUESTIONS[*question].to_owned(),
                };
                self.answer(*phone, path, *value, *settles);
            }
            Step::Add(phone) => {
                let member = InstanceId::new(format!("m{}", self.observer.members.len()));
                let Phone { response, actor, .. } = &mut self.phones[*phone];
                response
                    .edit::<_, ResponseError>(actor, time, |edit| edit.add_instance(REPEAT, None, &member))
                    .unwrap();
                self.observer.members.push(member);
            }
            Step::Remove(phone, member) => {
                let Phone { response, actor, .. } = &mut self.phones[*phone];
                let there = response.read().answers.instances(REPEAT, None);
                if there.is_empty() {
                    return;
                }
                let member = member.get(&there).clone();
                response
                    .edit::<_, ResponseError>(actor, time, |edit| edit.remove_instance(REPEAT, &member))
                    .unwrap();
                self.observer.removed.insert(member);
            }
            Step::Visit(phone) => {
                let id = format!("v{}", self.observer.visits.len());
                let Phone { response, actor, .. } = &mut self.phones[*phone];
                let visit = Visit {
                    device: actor.to_string(),
                    started_at: 1,
                    ended_at: 2,
                    outcome: "complete".to_owned(),
                    call_back_at: None,
                    position: None,
                    audit: None,
                };
                response
                    .edit::<_, ResponseError>(actor, time, |edit| edit.record_visit(&id, &visit))
                    .unwrap();
                self.observer.visits.push(id);
            }
            Step::Exchange(phone) => self.exchange(*phone),
        }
    }

    fn answer(&mut self, phone: usize, path: AnswerPath, value: i64, settles: bool) {
        let time = self.time;
        let Phone {
            response, actor, seen, ..
        } = &mut self.phones[phone];
        let answer = Value::Integer(value);
        let ((), change) = response
            .edit::<_, ResponseError>(actor, time, |edit| match settles {
                true => edit.settle(&path, Some(&answer)),
                false => edit.put_answer(&path, &answer),
            })
            .unwrap();
        if change.is_none() {
            return;
        }
        let number = self.observer.writings.len();
        let earlier = seen
            .iter()
            .filter(|earlier| self.observer.writings[**earlier].0 == path);
        self.observer.replaced.extend(earlier);
        self.observer.writings.push((path, value));
        seen.insert(number);
    }

    /// Sends what the log lacks and takes in what it has; a phone that contradicts it takes a new key, or enrols anew where
    /// its clone has done so.
    fn exchange(&mut self, number: usize) {
        let phone = &mut self.phones[number];
        if self.succeeded.contains(&phone.actor) {
            phone.abandoned = vec![phone.actor.clone()];
            phone.abandoned.append(&mut phone.before);
            phone.actor = actor(self.keys);
            self.keys += 1;
            self.rewrite(number);
        }
        if !self.send(number) {
            let phone = &mut self.phones[number];
            self.succeeded.insert(phone.actor.clone());
            phone.before.push(std::mem::replace(&mut phone.actor, actor(self.keys)));
            self.keys += 1;
            self.rewrite(number);
            assert!(self.send(number), "what was written again is refused");
        }
        let phone = &mut self.phones[number];
        phone.response.apply(self.log.changes()).unwrap();
        self.log_seen.extend(&phone.seen);
        phone.seen.extend(&self.log_seen);
        assert_eq!(phone.response.heads(), self.log.heads());
    }

    /// Whether the log takes all that the phone wrote.
    fn send(&mut self, number: usize) -> bool {
        let phone = &self.phones[number];
        for change in phone.response.changes() {
            let own = *change.actor_id() == phone.actor || phone.before.contains(change.actor_id());
            if own && (self.log.apply([change.clone()]).is_err() || !self.log.has(&change.hash())) {
                return false;
            }
        }
        true
    }

    fn rewrite(&mut self, number: usize) {
        let phone = &mut self.phones[number];
        let _ = phone.response.apply(self.log.changes());
        let own = OwnActors {
            now: &phone.actor,
            before: &phone.before,
            abandoned: &phone.abandoned,
            refused: &HashSet::new(),
        };
        phone.response = phone.response.rewritten(&logged(&self.log), own).unwrap().response;
    }

    fn check(&self) {
        let reading = self.log.read();
        let mut standing: BTreeMap<&AnswerPath, BTreeSet<i64>> = BTreeMap::new();
        for (number, (path, value)) in self.observer.writings.iter().enumerate() {
            let hidden = path
                .instance
                .as_ref()
                .is_some_and(|member| self.observer.removed.contains(member));
            if !hidden && !self.observer.replaced.contains(&number) {
                standing.entry(path).or_default().insert(*value);
            }
        }
        for (path, values) in standing {
            assert_eq!(shown(&self.log, path), values, "{path:?}");
        }
        let members: BTreeSet<InstanceId> = reading.answers.instances(REPEAT, None).into_iter().collect();
        let expected = self
            .observer
            .members
            .iter()
            .filter(|member| !self.observer.removed.contains(*member));
        assert_eq!(members, expected.cloned().collect());
        let visits: BTreeSet<&String> = reading.visits.keys().collect();
        assert_eq!(visits, self.observer.visits.iter().collect());
        for phone in &self.phones {
            assert_eq!(phone.response.heads(), self.log.heads());
            assert_eq!(phone.response.read().answers, reading.answers);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn clones_lose_nothing_and_overwrite_nothing(steps in prop::collection::vec(step(), 1..40)) {
        let mut field = Field::new();
        for step in &steps {
            field.take(step);
        }
        for phone in [0, 1, 2, 0, 1] {
            field.exchange(phone);
        }
        field.check();
    }
}
