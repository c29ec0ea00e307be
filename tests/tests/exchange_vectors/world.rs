//! The exchanges of the vectors: two devices, three households, one server, and what can become of a change.

use std::collections::BTreeSet;

use serde_bytes::ByteBuf;
use serde_json::{Value as Json, json};
use survey_forms::answers::{AnswerPath, AnswersMut as _, InstanceId, Value};
use sync_core::Change;
use sync_core::exchange::intake::Unit;
use sync_core::exchange::packing::Form;
use sync_core::exchange::wire::{self, Message as _};
use sync_core::exchange::{Attestation, OutgoingChange, ResponseChanges, SyncRequest, SyncResponse};
use sync_core::identity::{ResponseId, RoundId};
use sync_core::response::{Visit, genesis};
use uuid::{Uuid, uuid};

use super::device::Device;
use super::server::{ELSEWHERE, HAMLET, Server};
use super::told;

const ROUND: Uuid = uuid!("0199c2a4-7c00-7000-8000-000000000001");
const LATER_ROUND: Uuid = uuid!("0199c2a4-7c00-7000-8000-000000000002");
/// The first is the secret of RFC 8032, section 7.1, test 1.
const SECRETS: [[u8; 32]; 2] = [
    [
        0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49,
        0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
    ],
    [2; 32],
];
const CODES: [&str; 2] = ["K7QF-M2XD-9TRA", "mã có dấu"];
/// How many entries the log has in the backup.
const BACKUP: usize = 5;

fn unit(round: Uuid, code: &str) -> Unit {
    (RoundId(round), code.to_owned())
}

fn note() -> AnswerPath {
    AnswerPath::top("note")
}

/// The exchanges so far.
struct World {
    server: Server,
    exchanges: Vec<Json>,
    /// All changes, each once, with the device that wrote it and its unit.
    changes: Vec<(usize, Unit, Change)>,
    /// The hash and mark of every entry that the log had before the server was set back.
    log: Vec<Json>,
}

impl World {
    /// Keeps a change for the vectors.
    fn written(&mut self, device: usize, outgoing: &OutgoingChange) {
        let unit = (outgoing.round, outgoing.unit.clone());
        self.changes.push((device, unit, outgoing.change.clone()));
    }

    /// A device's exchange, which the vectors get under this name.
    fn exchange(&mut self, name: &str, number: usize, device: &mut Device) -> SyncResponse {
        let request = device.request();
        let answer = self.send(name, number, device, &request);
        device.receive(answer.clone());
        answer
    }

    /// Sends a request and keeps both messages in both forms.
    fn send(&mut self, name: &str, number: usize, device: &Device, request: &SyncRequest) -> SyncResponse {
        let packed = wire::encode(request).unwrap();
        let answer = self.server.answer(&packed, device.key.public());
        let plain = SyncRequest {
            answer_form: Form::Plain,
            ..request.clone()
        };
        let plain = told::with_plain_changes(&plain.to_cbor().unwrap(), &request.responses);
        let request_cbor = request.to_cbor().unwrap();
        let answer_cbor = answer.to_cbor().unwrap();
        self.exchanges.push(json!({
            "name": name,
            "device": number,
            "request": {
                "fields": told::fields(&request_cbor),
                "groups": told::groups(&request.responses),
                "packed": { "cbor": told::bytes(&request_cbor), "brotli": told::bytes(&packed) },
                "plain": { "cbor": told::bytes(&plain) },
            },
            "answer": {
                "fields": told::fields(&answer_cbor),
                "groups": told::groups(&answer.responses),
                "packed": { "cbor": told::bytes(&answer_cbor) },
                "plain": {
                    "cbor": told::bytes(&told::with_plain_changes(&answer_cbor, &answer.responses)),
                    "brotli": told::bytes(&wire::encode_answer(&answer, Form::Plain).unwrap()),
                },
            },
        }));
        answer
    }
}

/// Everything that is in `tests/vectors/exchanges.json`.
pub(crate) fn vectors() -> Json {
    let (household, neighbour) = (unit(ROUND, "28249-01-0007"), unit(ROUND, "28249-01-0012"));
    let later = unit(LATER_ROUND, "28249-01-0007");
    let elsewhere = unit(ROUND, "28270-01-0001");
    let unknown = unit(ROUND, "hộ không có");
    let here = [&household, &neighbour, &later].map(|unit| (unit.clone(), HAMLET));
    let mut world = World {
        server: Server::new(here.into_iter().chain([(elsewhere.clone(), ELSEWHERE)])),
        exchanges: Vec::new(),
        changes: Vec::new(),
        log: Vec::new(),
    };
    let [mut first, mut second] = SECRETS.map(|secret| Device::new(&secret));

    let write = |world: &mut World, number: usize, device: &mut Device, outgoing: OutgoingChange| {
        world.written(number, &outgoing);
        device.client.enqueue(outgoing);
    };
    let say = |world: &mut World, number: usize, device: &mut Device, unit: &Unit, text: &str| {
        let outgoing = device.edit(unit, |edit| edit.put_answer(&note(), &text.into()));
        world.written(number, &outgoing);
        device.client.enqueue(outgoing);
    };

    let outgoing = household_answers(&mut first, &household);
    write(&mut world, 0, &mut first, outgoing);
    let outgoing = household_members(&mut first, &household);
    write(&mut world, 0, &mut first, outgoing);
    say(&mut world, 0, &mut first, &neighbour, "vắng nhà");
    world.exchange("a device begins and brings its first answers", 0, &mut first);

    say(&mut world, 1, &mut second, &household, "cổng đỏ");
    let tile = second.edit(&household, |edit| {
        edit.put_answer(&AnswerPath::top("roof"), &"tile".into())?;
        edit.put_answer(&AnswerPath::top("household_size"), &Value::Integer(5))
    });
    write(&mut world, 1, &mut second, tile);
    say(&mut world, 1, &mut second, &later, "năm sau");
    let answer = world.exchange(
        "another answers the same household, and there is more than fits",
        1,
        &mut second,
    );
    assert!(answer.more && answer.acknowledged.is_some());
    world.exchange("it reads on", 1, &mut second);
    world.exchange("the first learns of it, without its own changes", 0, &mut first);

    let settled = first.edit(&household, |edit| edit.settle(&note(), Some(&"cổng xanh".into())));
    write(&mut world, 0, &mut first, settled);
    say(&mut world, 0, &mut first, &neighbour, "đã gặp");
    world.exchange("a conflict is settled", 0, &mut first);

    let early = second.edit(&neighbour, |edit| edit.put_answer(&note(), &"sớm".into()));
    let later_on = second.edit(&neighbour, |edit| edit.put_answer(&note(), &"sau".into()));
    let outside = second.edit(&elsewhere, |edit| edit.put_answer(&note(), &"ấp khác".into()));
    let nowhere = second.edit(&unknown, |edit| edit.put_answer(&note(), &"không đâu".into()));
    for outgoing in [&early, &later_on, &outside, &nowhere] {
        world.written(1, outgoing);
    }
    for outgoing in [later_on, outside, nowhere] {
        second.client.enqueue(outgoing);
    }
    let request = second.request();
    let request = signed_one_by_one(&second, request);
    let answer = world.send(
        "one change waits for another, two are refused, each signed by itself",
        1,
        &second,
        &request,
    );
    assert_eq!((answer.accepted, answer.waiting.len(), answer.refused.len()), (0, 1, 2));
    second.receive(answer);
    second.client.enqueue(early);
    world.exchange("what was waited for comes", 1, &mut second);

    world.server.erase(&neighbour);
    say(&mut world, 0, &mut first, &neighbour, "muộn");
    let answer = world.exchange(
        "a response was erased, and one of its changes comes too late",
        0,
        &mut first,
    );
    assert_eq!((answer.erased.len(), answer.refused.len()), (1, 1));

    say(&mut world, 0, &mut first, &household, "sau bản sao lưu");
    world.exchange("it writes on", 0, &mut first);
    world.log = world
        .server
        .marks()
        .map(|(hash, mark)| json!({ "hash": told::bytes(&hash.0), "mark": told::bytes(&mark.0) }))
        .collect();
    world.server.set_back(BACKUP);
    let answer = world.exchange("the server was set back to a backup", 0, &mut first);
    assert!(answer.unknown_cursor);
    while first.client.pending() {
        world.exchange(
            "the device reads from the start, and offers again what is missing",
            0,
            &mut first,
        );
    }
    let answered = first.responses.iter().map(|((round, unit), response)| {
        json!({ "round": round.to_string(), "unit": unit, "answers": told::answers(response) })
    });

    let units = [&household, &neighbour, &later, &elsewhere, &unknown];
    json!({
        "devices": SECRETS.iter().zip(CODES).map(|(secret, code)| device(secret, code)).collect::<Json>(),
        "responses": units.map(response),
        "changes": world.changes.iter().map(written).collect::<Json>(),
        "log": world.log,
        "exchanges": world.exchanges,
        "packings": packings(&world.changes),
        "answers": answered.collect::<Json>(),
    })
}

/// Several answers of every type in one change.
fn household_answers(device: &mut Device, unit: &Unit) -> OutgoingChange {
    device.edit(unit, |edit| {
        edit.put_answer(&note(), &"cổng xanh, nhà ở cuối ấp".into())?;
        edit.put_answer(&AnswerPath::top("household_size"), &Value::Integer(4))?;
        edit.put_answer(&AnswerPath::top("balance"), &Value::Integer(-5_000_000_000))?;
        edit.put_answer(&AnswerPath::top("area"), &Value::Decimal(72.5))?;
        edit.put_answer(&AnswerPath::top("roof"), &"tile".into())?;
        edit.clear_answer(&AnswerPath::top("roof"))?;
        let tools = BTreeSet::from(["radio".to_owned(), "television".to_owned()]);
        edit.put_answer(&AnswerPath::top("tools"), &Value::Choices(tools))
    })
}

/// Maps that a change makes, and a visit.
fn household_members(device: &mut Device, unit: &Unit) -> OutgoingChange {
    let author = device.key.actor().to_string();
    device.edit(unit, |edit| {
        for (name, born) in [("9f86d081", 1957), ("884c7d65", 1984)] {
            let member = InstanceId::new(name);
            edit.add_instance("members", None, &member)?;
            edit.put_answer(&AnswerPath::within(&member, "birth_year"), &Value::Integer(born))?;
            edit.put_answer(&AnswerPath::within(&member, "smartphone"), &"own".into())?;
        }
        edit.record_visit(
            "b4b147bc",
            &Visit {
                device: author,
                started_at: 1_760_000_000_123,
                ended_at: 1_760_000_900_456,
                outcome: "completed".to_owned(),
                call_back_at: None,
                position: None,
                audit: None,
            },
        )
    })
}

/// The request with one attestation for each change.
fn signed_one_by_one(device: &Device, request: SyncRequest) -> SyncRequest {
    let chunks = request.responses.iter().flat_map(|group| &group.changes);
    let hashes = chunks.map(|chunk| Change::from_bytes(chunk.to_vec()).unwrap().hash());
    let attestations = (0..).zip(hashes).map(|(first, hash)| Attestation {
        device: device.key.public(),
        first,
        count: 1,
        signature: device.key.attest(&[hash]),
    });
    SyncRequest {
        attestations: attestations.collect(),
        ..request
    }
}

fn device(secret: &[u8; 32], code: &str) -> Json {
    let device = Device::new(secret);
    json!({
        "secret": told::bytes(secret),
        "public_key": told::bytes(&device.key.public().0),
        "actor": told::bytes(device.key.actor().to_bytes()),
        "enrolment": { "code": code, "signature": told::bytes(&device.key.sign_enrolment(code)) },
    })
}

fn response((round, unit): &Unit) -> Json {
    let id = ResponseId::of(*round, unit);
    let genesis: Vec<Change> = genesis::document(id).unwrap().get_changes(&[]);
    json!({
        "round": round.to_string(),
        "unit": unit,
        "response": id.to_string(),
        "genesis": told::bytes(genesis[0].raw_bytes()),
        "genesis_hash": told::bytes(&genesis[0].hash().0),
    })
}

fn written((device, (round, unit), change): &(usize, Unit, Change)) -> Json {
    let mut told = told::change(change);
    told["device"] = json!(device);
    told["round"] = json!(round.to_string());
    told["unit"] = json!(unit);
    told
}

/// Changes in both forms which no exchange of two phones has.
fn packings(changes: &[(usize, Unit, Change)]) -> Json {
    let group = |unit: &Unit, chunks: Vec<&[u8]>| ResponseChanges {
        round: unit.0,
        unit: unit.1.clone(),
        changes: chunks.into_iter().map(|chunk| ByteBuf::from(chunk.to_vec())).collect(),
    };
    let household = &changes[0].1;
    let of_household: Vec<&[u8]> = changes
        .iter()
        .filter(|(_, unit, _)| unit == household)
        .map(|(_, _, change)| change.raw_bytes())
        .collect();
    let one_by_one = changes
        .iter()
        .map(|(_, unit, change)| group(unit, vec![change.raw_bytes()]));
    let mixed = [&b"no change"[..], of_household[0], &[0xff; 200], of_household[1]];
    json!([
        told::packing("nothing", &[]),
        told::packing("a group without changes", &[group(household, Vec::new())]),
        told::packing("the changes of one response", &[group(household, of_household.clone())]),
        told::packing("every change in a group of its own", &one_by_one.collect::<Vec<_>>()),
        told::packing(
            "changes in columns between bytes that are none",
            &[group(household, mixed.to_vec())]
        ),
    ])
}
