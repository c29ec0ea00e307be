//! Changes that no phone of ours writes: rewritten operations, and chunks made byte by byte.

use automerge::legacy::{Key, ObjectId, Op, OpId, OpType, SortedVec};
use automerge::{ActorId, ScalarValue};
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};
use survey_forms::answers::{AnswerPath, AnswersMut};
use sync_core::device::DeviceKey;
use sync_core::exchange::message::{Attestation, PROTOCOL_VERSION};
use sync_core::exchange::packing::Form;
use sync_core::exchange::{ResponseChanges, SyncRequest};
use sync_core::identity::{ResponseId, RoundId};
use sync_core::response::{Response, genesis};
use sync_core::{Change, ChangeHash};
use uuid::Uuid;

/// The round of every forgery.
pub(crate) const ROUND: RoundId = RoundId(Uuid::from_u128(7));
/// The unit of every forgery.
pub(crate) const UNIT: &str = "A1";

/// The response of [`UNIT`].
pub(crate) fn response_id() -> ResponseId {
    ResponseId::of(ROUND, UNIT)
}

/// The key of a device.
pub(crate) fn device(number: u8) -> DeviceKey {
    DeviceKey::from_secret(&[number; 32])
}

/// An honest first change of a device to a unit.
pub(crate) fn answer(key: &DeviceKey, unit: &str, text: &str) -> Change {
    let mut response = Response::new(ResponseId::of(ROUND, unit)).unwrap();
    let edited = response.edit(&key.actor(), 1_760_000_000, |edit| {
        edit.put_answer(&AnswerPath::top("note"), &text.into())
    });
    edited.unwrap().1.unwrap()
}

/// A change of a device whose operations somebody rewrote; its checksum is right again.
pub(crate) fn rewritten(key: &DeviceKey, rewrite: impl FnOnce(&mut Vec<Op>)) -> Change {
    let mut change = answer(key, UNIT, "x").decode();
    rewrite(&mut change.operations);
    change.hash = None;
    change.into()
}

/// One operation on a map: by the number of the genesis's operation that made the map, or on the root.
pub(crate) fn operation(map: Option<u64>, key: &str, action: OpType) -> Op {
    let genesis = genesis::actor(response_id());
    Op {
        action,
        obj: map.map_or(ObjectId::Root, |counter| ObjectId::Id(OpId::new(counter, &genesis))),
        key: Key::Map(key.into()),
        pred: SortedVec::new(),
        insert: false,
    }
}

/// Puts a scalar into the map of answers.
pub(crate) fn put(value: impl Into<ScalarValue>) -> Op {
    operation(Some(1), "note", OpType::Put(value.into()))
}

/// A request with these changes of [`UNIT`], all signed by one device.
pub(crate) fn request(key: &DeviceKey, changes: &[Change]) -> SyncRequest {
    let hashes: Vec<ChangeHash> = changes.iter().map(Change::hash).collect();
    let bytes = changes.iter().map(|change| change.raw_bytes().to_vec()).collect();
    request_of_bytes(key, bytes, &hashes)
}

/// A request with these bytes as changes of [`UNIT`], and a signature under these hashes.
pub(crate) fn request_of_bytes(key: &DeviceKey, changes: Vec<Vec<u8>>, hashes: &[ChangeHash]) -> SyncRequest {
    let count = changes.len() as u32;
    SyncRequest {
        version: PROTOCOL_VERSION,
        cursor: None,
        acknowledged: None,
        restoring: false,
        reconciliation: None,
        answer_form: Form::Packed,
        device_time: 0,
        responses: vec![ResponseChanges {
            round: ROUND,
            unit: UNIT.to_owned(),
            changes: changes.into_iter().map(ByteBuf::from).collect(),
        }],
        attestations: vec![Attestation {
            device: key.public(),
            first: 0,
            count,
            signature: key.attest(hashes),
        }],
    }
}

/// An Automerge chunk of this type (1 for a change) with a right checksum, and its hash. See the Automerge binary
/// format, section "chunk container".
pub(crate) fn chunk(kind: u8, contents: &[u8]) -> (Vec<u8>, ChangeHash) {
    let mut hashed = vec![kind];
    unsigned(contents.len() as u64, &mut hashed);
    hashed.extend_from_slice(contents);
    let hash: [u8; 32] = Sha256::digest(&hashed).into();
    let mut bytes = vec![0x85, 0x6f, 0x4a, 0x83];
    bytes.extend_from_slice(&hash[..4]);
    bytes.extend_from_slice(&hashed);
    (bytes, ChangeHash(hash))
}

/// The columns of a change of `count` equal operations, each of which sets a key of the map of answers to null, written
/// as runs (Automerge binary format, section "change chunks").
pub(crate) fn columns(count: i64, key: &str, map_actor: u64, predecessors: u64) -> Vec<(u64, Vec<u8>)> {
    let run = |value: &[u8]| {
        let mut column = Vec::new();
        signed(count, &mut column);
        column.extend_from_slice(value);
        column
    };
    let number = |value: u64| {
        let mut bytes = Vec::new();
        unsigned(value, &mut bytes);
        bytes
    };
    let mut text = number(key.len() as u64);
    text.extend_from_slice(key.as_bytes());
    let mut columns = vec![
        (0x01, run(&number(map_actor))),
        (0x02, run(&number(1))),
        (0x15, run(&text)),
        (0x34, number(count as u64)),
        (0x42, run(&number(1))),
        (0x56, run(&number(0))),
        (0x70, run(&number(predecessors))),
    ];
    if predecessors > 0 {
        let mut each = Vec::new();
        signed(count.saturating_mul(predecessors as i64), &mut each);
        each.push(0);
        columns.extend([(0x71, each.clone()), (0x73, each)]);
    }
    columns
}

/// A change chunk of `key` with these columns, starting at this operation counter, which names no actor but the genesis's.
pub(crate) fn change_chunk(key: &DeviceKey, start: u64, columns: &[(u64, Vec<u8>)]) -> (Vec<u8>, ChangeHash) {
    change_chunk_naming(key, start, &[genesis::actor(response_id())], columns)
}

/// The same of a change that names these actors.
pub(crate) fn change_chunk_naming(
    key: &DeviceKey,
    start: u64,
    others: &[ActorId],
    columns: &[(u64, Vec<u8>)],
) -> (Vec<u8>, ChangeHash) {
    let mut contents = vec![1];
    contents.extend_from_slice(&genesis::hash(response_id()).unwrap().0);
    let actor = |actor: &ActorId, contents: &mut Vec<u8>| {
        unsigned(actor.to_bytes().len() as u64, contents);
        contents.extend_from_slice(actor.to_bytes());
    };
    actor(&key.actor(), &mut contents);
    unsigned(1, &mut contents);
    unsigned(start, &mut contents);
    // Time 0, no message.
    contents.extend_from_slice(&[0, 0]);
    unsigned(others.len() as u64, &mut contents);
    for other in others {
        actor(other, &mut contents);
    }
    unsigned(columns.len() as u64, &mut contents);
    for (specification, data) in columns {
        unsigned(*specification, &mut contents);
        unsigned(data.len() as u64, &mut contents);
    }
    for (_, data) in columns {
        contents.extend_from_slice(data);
    }
    chunk(1, &contents)
}

fn unsigned(mut value: u64, bytes: &mut Vec<u8>) {
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            return bytes.push(byte);
        }
        bytes.push(byte | 0x80);
    }
}

fn signed(mut value: i64, bytes: &mut Vec<u8>) {
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if (value == 0 && byte & 0x40 == 0) || (value == -1 && byte & 0x40 != 0) {
            return bytes.push(byte);
        }
        bytes.push(byte | 0x80);
    }
}
