//! How the vectors tell values: bytes in hexadecimal, changes by their hash.

use automerge::legacy::OpType;
use automerge::{ObjType, ROOT, ReadDoc as _, ScalarValue, Value};
use ciborium::Value as Cbor;
use khaosat::hex;
use serde_json::{Map, Value as Json, json};
use sync_core::exchange::ResponseChanges;
use sync_core::exchange::packing::{Form, pack};
use sync_core::response::{Response, genesis};
use sync_core::{Change, ChangeHash};

/// Bytes.
pub(crate) fn bytes(bytes: &[u8]) -> Json {
    Json::from(hex::encode(bytes))
}

/// The fields of a message but its changes.
pub(crate) fn fields(cbor: &[u8]) -> Json {
    fn json(value: Cbor) -> Json {
        match value {
            Cbor::Integer(number) => Json::from(i64::try_from(number).unwrap()),
            Cbor::Bytes(told) => bytes(&told),
            Cbor::Text(text) => Json::from(text),
            Cbor::Bool(bool) => Json::from(bool),
            Cbor::Array(items) => items.into_iter().map(json).collect(),
            Cbor::Map(members) => {
                let members = members.into_iter();
                let members: Map<String, Json> = members
                    .map(|(name, value)| (name.into_text().unwrap(), json(value)))
                    .collect();
                Json::from(members)
            }
            other => panic!("messages have no {other:?}"),
        }
    }
    let mut fields = json(ciborium::from_reader(cbor).unwrap());
    fields.as_object_mut().unwrap().remove("changes").unwrap();
    fields
}

/// A message's CBOR with its changes in the plain form.
pub(crate) fn with_plain_changes(cbor: &[u8], groups: &[ResponseChanges]) -> Vec<u8> {
    let Ok(Cbor::Map(mut members)) = ciborium::from_reader(cbor) else {
        panic!("a message is a map");
    };
    for (name, value) in &mut members {
        if name.as_text() == Some("changes") {
            *value = Cbor::Bytes(pack(groups, Form::Plain));
        }
    }
    let mut written = Vec::new();
    ciborium::into_writer(&Cbor::Map(members), &mut written).unwrap();
    written
}

/// The changes of a message by response, each by its hash.
pub(crate) fn groups(groups: &[ResponseChanges]) -> Json {
    let hash = |chunk: &[u8]| Change::from_bytes(chunk.to_vec()).unwrap().hash();
    let group = |group: &ResponseChanges| {
        let changes: Json = group.changes.iter().map(|chunk| bytes(&hash(chunk).0)).collect();
        json!({ "round": group.round.to_string(), "unit": group.unit, "changes": changes })
    };
    groups.iter().map(group).collect()
}

/// A group of changes in both forms, each change as its bytes.
pub(crate) fn packing(name: &str, groups: &[ResponseChanges]) -> Json {
    let group = |group: &ResponseChanges| {
        let changes: Json = group.changes.iter().map(|chunk| bytes(chunk)).collect();
        json!({ "round": group.round.to_string(), "unit": group.unit, "changes": changes })
    };
    json!({
        "name": name,
        "groups": groups.iter().map(group).collect::<Json>(),
        "packed": bytes(&pack(groups, Form::Packed)),
        "plain": bytes(&pack(groups, Form::Plain)),
    })
}

/// A change, as Automerge reads it.
pub(crate) fn change(change: &Change) -> Json {
    let told = change.decode();
    let hashes = |hashes: &[ChangeHash]| hashes.iter().map(|hash| bytes(&hash.0)).collect::<Json>();
    let operation = |operation: &automerge::legacy::Op| {
        let (action, value) = match &operation.action {
            OpType::Make(ObjType::Map) => ("make map", json!({ "type": 0, "value": null })),
            OpType::Put(value) => ("set", scalar(value)),
            other => panic!("responses have no {other:?}"),
        };
        json!({
            "map": operation.obj.to_string(),
            "key": match &operation.key {
                automerge::legacy::Key::Map(key) => key.to_string(),
                automerge::legacy::Key::Seq(_) => panic!("responses have no lists"),
            },
            "action": action,
            "type": value["type"],
            "value": value["value"],
            "replaces": operation.pred.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    };
    json!({
        "chunk": bytes(change.raw_bytes()),
        "hash": bytes(&change.hash().0),
        "author": bytes(change.actor_id().to_bytes()),
        "sequence": change.seq(),
        "start": change.start_op().get(),
        "time": change.timestamp(),
        "dependencies": hashes(change.deps()),
        "others": change.other_actor_ids().iter().map(|actor| bytes(actor.to_bytes())).collect::<Json>(),
        "operations": told.operations.iter().map(operation).collect::<Json>(),
    })
}

fn scalar(value: &ScalarValue) -> Json {
    let (kind, value) = match value {
        ScalarValue::Null => (0, Json::Null),
        ScalarValue::Boolean(false) => (1, Json::from(false)),
        ScalarValue::Boolean(true) => (2, Json::from(true)),
        ScalarValue::Uint(number) => (3, Json::from(*number)),
        ScalarValue::Int(number) => (4, Json::from(*number)),
        ScalarValue::F64(number) => (5, Json::from(*number)),
        ScalarValue::Str(text) => (6, Json::from(text.as_str())),
        ScalarValue::Timestamp(time) => (9, Json::from(*time)),
        other => panic!("responses have no {other:?}"),
    };
    json!({ "type": kind, "value": value })
}

/// What Automerge shows of the map `answers`: a value for each key, or where there is a conflict the list of those that
/// differ, sorted by their JSON.
pub(crate) fn answers(response: &Response) -> Json {
    let mut document = genesis::document(response.id()).unwrap();
    document.apply_changes(response.changes()).unwrap();
    let (_, map) = document.get(ROOT, genesis::ANSWERS).unwrap().unwrap();
    let value = |value: &Value<'_>| match value {
        Value::Scalar(value) => scalar(value)["value"].to_string(),
        Value::Object(_) => panic!("an answer is a scalar"),
    };
    let mut answers = Map::new();
    for key in document.keys(&map) {
        let all = document.get_all(&map, key.as_str()).unwrap();
        let mut values: Vec<String> = all.iter().map(|(found, _)| value(found)).collect();
        values.sort_unstable();
        values.dedup();
        let values: Vec<Json> = values
            .iter()
            .map(|value| serde_json::from_str(value).unwrap())
            .collect();
        let shown = match values.as_slice() {
            [value] => value.clone(),
            values => Json::from(values),
        };
        answers.insert(key, shown);
    }
    Json::from(answers)
}
