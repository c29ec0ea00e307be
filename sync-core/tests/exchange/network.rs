//! Phones exchange with one server over a network that loses, repeats, delays and reorders what they send. In the end
//! everything that was written is acknowledged exactly once and every replica says the same.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::Index;
use serde_bytes::ByteBuf;
use survey_forms::answers::{AnswerPath, AnswersMut, Value};
use sync_core::device::{DeviceKey, DevicePublicKey};
use sync_core::exchange::message::PROTOCOL_VERSION;
use sync_core::exchange::{Client, Limits, OutgoingChange, ResponseChanges, SyncRequest, SyncResponse, admit, wire};
use sync_core::identity::{ResponseId, RoundId};
use sync_core::response::Response;
use sync_core::{Change, ChangeHash};
use uuid::Uuid;

const ROUND: RoundId = RoundId(Uuid::from_u128(7));
const UNITS: [&str; 3] = ["A1", "A2", "A3"];
const QUESTIONS: [&str; 3] = ["fibre_available", "smartphone", "note"];
/// Changes in one answer of the server: small, so that reading takes several answers.
const PULL: usize = 3;

/// What becomes of a message and of its answer.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Arrives,
    RequestLost,
    AnswerLost,
    /// The request comes twice in a row; the device hears the second answer.
    ArrivesTwice,
    /// The device gives the request up; it reaches the server at some later time.
    Late,
}

#[derive(Debug, Clone)]
enum Step {
    Answer {
        phone: usize,
        unit: usize,
        question: usize,
        value: String,
    },
    /// Sends one piece of at most `piece` bytes; `meanwhile` is an answer that is written while the piece is under way.
    Exchange {
        phone: usize,
        piece: usize,
        fate: Fate,
        meanwhile: Option<String>,
    },
    /// One of the late requests reaches the server.
    LateArrival(Index),
    /// Two phones exchange by hand, so that one comes to build on changes that the server has not seen.
    Meet { from: usize, to: usize, unit: usize },
}

fn step(phones: usize) -> impl Strategy<Value = Step> {
    let phone = 0..phones;
    let fate = prop_oneof![
        3 => Just(Fate::Arrives),
        2 => Just(Fate::RequestLost),
        2 => Just(Fate::AnswerLost),
        1 => Just(Fate::ArrivesTwice),
        2 => Just(Fate::Late),
    ];
    let text = "[a-zà-ỹ]{0,12}";
    prop_oneof![
        5 => (phone.clone(), 0..UNITS.len(), 0..QUESTIONS.len(), text)
            .prop_map(|(phone, unit, question, value)| Step::Answer { phone, unit, question, value }),
        5 => (phone.clone(), 1..900usize, fate, prop::option::weighted(0.2, text))
            .prop_map(|(phone, piece, fate, meanwhile)| Step::Exchange { phone, piece, fate, meanwhile }),
        2 => any::<Index>().prop_map(Step::LateArrival),
        2 => (phone.clone(), phone, 0..UNITS.len()).prop_map(|(from, to, unit)| Step::Meet { from, to, unit }),
    ]
}

fn day() -> impl Strategy<Value = (usize, Vec<Step>)> {
    (1..=4usize).prop_flat_map(|phones| (Just(phones), prop::collection::vec(step(phones), 1..50)))
}

/// A server reduced to what the exchange asks of it: admission, a log, and changes that wait for others.
#[derive(Default)]
struct Server {
    log: Vec<(String, DevicePublicKey, Change)>,
    responses: BTreeMap<String, Response>,
    waiting: Vec<(String, DevicePublicKey, Change)>,
}

impl Server {
    fn answer(&mut self, bytes: &[u8]) -> Vec<u8> {
        let limits = Limits::default();
        let request = wire::decode_request(bytes, &limits).unwrap();
        let reader = request.attestations.first().map(|attestation| attestation.device);
        for verdict in admit(&request, &limits).unwrap() {
            let admitted = verdict.expect("phones write nothing that is refused");
            self.waiting.push((admitted.unit, admitted.device, admitted.change));
        }
        self.log_what_is_ready();

        let new: Vec<_> = self
            .log
            .iter()
            .enumerate()
            .skip(request.cursor as usize)
            .take(PULL)
            .collect();
        let cursor = new.last().map_or(request.cursor, |(number, _)| *number as u64 + 1);
        let responses = new
            .into_iter()
            .filter(|(_, (_, author, _))| Some(*author) != reader)
            .map(|(_, (unit, _, change))| ResponseChanges {
                round: ROUND,
                unit: unit.clone(),
                changes: vec![ByteBuf::from(change.raw_bytes())],
            })
            .collect();
        let response = SyncResponse {
            version: PROTOCOL_VERSION,
            accepted: request.change_count() as u32,
            waiting: 0,
            refused: Vec::new(),
            responses,
            cursor,
            more: cursor < self.log.len() as u64,
            server_time: 0,
        };
        wire::encode(&response).unwrap()
    }

    fn log_what_is_ready(&mut self) {
        loop {
            let responses = &mut self.responses;
            let mut has = |unit: &str, hash: &ChangeHash| {
                let response = responses
                    .entry(unit.to_owned())
                    .or_insert_with(|| Response::new(ResponseId::of(ROUND, unit)).unwrap());
                response.has(hash)
            };
            self.waiting.retain(|(unit, _, change)| !has(unit, &change.hash()));
            let ready = self
                .waiting
                .iter()
                .position(|(unit, _, change)| change.deps().iter().all(|dependency| has(unit, dependency)));
            let Some(ready) = ready else { return };
            let (unit, author, change) = self.waiting.remove(ready);
            self.responses.get_mut(&unit).unwrap().apply([change.clone()]).unwrap();
            self.log.push((unit, author, change));
        }
    }
}

struct Phone {
    key: DeviceKey,
    client: Client,
    responses: BTreeMap<String, Response>,
    written: Vec<ChangeHash>,
    acknowledged: usize,
}

impl Phone {
    fn new(number: usize) -> Self {
        Self {
            key: DeviceKey::from_secret(&[number as u8 + 1; 32]),
            client: Client::new(0),
            responses: BTreeMap::new(),
            written: Vec::new(),
            acknowledged: 0,
        }
    }

    fn open(&mut self, unit: &str) -> &mut Response {
        self.responses
            .entry(unit.to_owned())
            .or_insert_with(|| Response::new(ResponseId::of(ROUND, unit)).unwrap())
    }

    fn answer(&mut self, unit: &str, question: &str, value: &str) {
        let actor = self.key.actor();
        let ((), change) = self
            .open(unit)
            .edit(&actor, 1_760_000_000, |edit| {
                edit.put_answer(&AnswerPath::top(question), &Value::Text(value.to_owned()))
            })
            .unwrap();
        if let Some(change) = change {
            self.written.push(change.hash());
            self.client.enqueue(OutgoingChange {
                round: ROUND,
                unit: unit.to_owned(),
                change,
            });
        }
    }

    fn request(&mut self, piece: usize) -> SyncRequest {
        self.client.request(&self.key, 0, piece)
    }

    fn receive(&mut self, answer: &[u8]) {
        let received = self
            .client
            .receive(wire::decode(answer, &Limits::default()).unwrap(), 0);
        self.acknowledged += received.acknowledged;
        for group in received.responses {
            let changes = group
                .changes
                .iter()
                .map(|bytes| Change::from_bytes(bytes.to_vec()).unwrap());
            let changes: Vec<Change> = changes.collect();
            self.open(&group.unit).apply(changes).unwrap();
        }
    }
}

struct Field {
    server: Server,
    phones: Vec<Phone>,
    late: Vec<Vec<u8>>,
}

impl Field {
    fn take(&mut self, step: Step) {
        match step {
            Step::Answer {
                phone,
                unit,
                question,
                value,
            } => {
                self.phones[phone].answer(UNITS[unit], QUESTIONS[question], &value);
            }
            Step::Exchange {
                phone,
                piece,
                fate,
                meanwhile,
            } => {
                let phone = &mut self.phones[phone];
                let request = phone.request(piece);
                let bytes = wire::encode(&request).unwrap();
                if let Some(text) = meanwhile {
                    phone.answer(UNITS[0], QUESTIONS[0], &text);
                }
                match fate {
                    Fate::Arrives => phone.receive(&self.server.answer(&bytes)),
                    Fate::RequestLost => phone.client.disconnected(),
                    Fate::AnswerLost => {
                        self.server.answer(&bytes);
                        phone.client.disconnected();
                    }
                    Fate::ArrivesTwice => {
                        self.server.answer(&bytes);
                        phone.receive(&self.server.answer(&bytes));
                    }
                    Fate::Late => {
                        phone.client.disconnected();
                        self.late.push(bytes);
                    }
                }
            }
            Step::LateArrival(which) => {
                if !self.late.is_empty() {
                    let which = which.index(self.late.len());
                    let bytes = self.late.swap_remove(which);
                    self.server.answer(&bytes);
                }
            }
            Step::Meet { from, to, unit } => {
                let other = self.phones[from].open(UNITS[unit]).clone();
                self.phones[to].open(UNITS[unit]).merge(&other).unwrap();
            }
        }
    }

    /// The network is good again: everybody exchanges until nobody has anything left.
    fn finish(&mut self) {
        for _ in 0..2 {
            for phone in &mut self.phones {
                loop {
                    let request = phone.request(300);
                    phone.receive(&self.server.answer(&wire::encode(&request).unwrap()));
                    if !phone.client.pending() {
                        break;
                    }
                }
            }
        }
        // What was late may come when nobody expects it any more.
        for bytes in std::mem::take(&mut self.late) {
            self.server.answer(&bytes);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn everything_is_acknowledged_once_and_replicas_converge((phones, steps) in day()) {
        let mut field = Field {
            server: Server::default(),
            phones: (0..phones).map(Phone::new).collect(),
            late: Vec::new(),
        };
        for step in steps {
            field.take(step);
        }
        field.finish();

        let mut written = BTreeSet::new();
        for phone in &field.phones {
            prop_assert_eq!(phone.acknowledged, phone.written.len());
            prop_assert_eq!(phone.client.unacknowledged(), 0);
            prop_assert!(phone.client.refused().is_empty());
            prop_assert_eq!(phone.client.cursor(), field.server.log.len() as u64);
            written.extend(phone.written.iter().copied());
        }
        let logged: Vec<ChangeHash> = field.server.log.iter().map(|(_, _, change)| change.hash()).collect();
        prop_assert_eq!(logged.len(), written.len(), "a change is logged twice or not at all");
        prop_assert_eq!(logged.into_iter().collect::<BTreeSet<_>>(), written);
        prop_assert!(field.server.waiting.is_empty());

        // A phone that begins now, with nothing, comes to say the same as everybody else.
        let mut newcomer = Phone::new(9);
        loop {
            let request = newcomer.request(300);
            newcomer.receive(&field.server.answer(&wire::encode(&request).unwrap()));
            if !newcomer.client.pending() {
                break;
            }
        }
        field.phones.push(newcomer);
        for (unit, expected) in &field.server.responses {
            for phone in &mut field.phones {
                let replica = phone.open(unit);
                prop_assert_eq!(replica.heads(), expected.heads());
                prop_assert_eq!(replica.read().answers, expected.read().answers);
                prop_assert_eq!(replica.read().conflicts, expected.read().conflicts);
            }
        }
    }
}

#[test]
fn a_piece_holds_what_fits_and_at_least_one_change() {
    let mut phone = Phone::new(0);
    for number in 0..5 {
        phone.answer("A1", "note", &format!("{number}"));
    }
    let sizes: Vec<usize> = (0..5)
        .map(|number| {
            let change = phone.responses["A1"].changes()[number].raw_bytes().len();
            assert!(change > 1);
            change
        })
        .collect();
    assert_eq!(phone.request(1).change_count(), 1);
    assert_eq!(phone.request(sizes[0]).change_count(), 1);
    assert_eq!(phone.request(sizes[0] + sizes[1]).change_count(), 2);
    assert_eq!(phone.request(sizes[0] + sizes[1] + sizes[2] - 1).change_count(), 2);
    assert_eq!(phone.request(usize::MAX).change_count(), 5);
    assert_eq!(
        phone.client.unacknowledged(),
        5,
        "asking for a piece acknowledges nothing"
    );
}
