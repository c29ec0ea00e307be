//! What one change writes, read without the rest of its response: for a person who decides whether it is taken.

use std::borrow::Cow;
use std::collections::BTreeMap;

use automerge::legacy::{Key, ObjectId, OpType};
use automerge::{Change, ScalarValue};
use serde::Serialize;
use survey_forms::answers::Value;

use super::document::value_of;
use super::{genesis, read_question};
use crate::identity::ResponseId;

/// One value that a change sets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Written {
    /// Where: `answers`, or `members` or `visits` with the entry's key; an entry that another change made is named by that
    /// change's operation, for its key is not in this one.
    pub within: String,
    /// The question, or what else has a value there.
    pub key: String,
    /// The value; none where it is cleared.
    pub value: Option<Value>,
}

/// What a change writes into a response, in the order in which it does.
pub fn written_by(change: &Change, response: ResponseId) -> Vec<Written> {
    let genesis = genesis::actor(response);
    let decoded = change.decode();
    let mut made: BTreeMap<u64, String> = BTreeMap::new();
    let mut written = Vec::new();
    for (counter, operation) in (decoded.start_op.get()..).zip(&decoded.operations) {
        let (ObjectId::Id(object), Key::Map(key)) = (&operation.obj, &operation.key) else {
            continue;
        };
        let (number, actor) = (object.0, &object.1);
        let map = usize::try_from(number)
            .ok()
            .and_then(|number| genesis::MAPS.get(number.wrapping_sub(1)));
        let within = match map {
            Some(map) if *actor == genesis => (*map).to_owned(),
            _ if actor == change.actor_id() && made.contains_key(&number) => made[&number].clone(),
            _ => format!("{number}@{actor}"),
        };
        match &operation.action {
            OpType::Make(_) => {
                made.insert(counter, format!("{within}/{key}"));
            }
            OpType::Put(scalar) => written.push(Written {
                within,
                key: read_question(key),
                value: shown(scalar),
            }),
            _ => {}
        }
    }
    written
}

/// A value as an answer; what no answer can be, as text.
fn shown(scalar: &ScalarValue) -> Option<Value> {
    match scalar {
        ScalarValue::Timestamp(time) => Some(Value::Integer(*time)),
        ScalarValue::Boolean(ticked) => Some(Value::Text(ticked.to_string())),
        other => value_of(&automerge::Value::Scalar(Cow::Borrowed(other))).flatten(),
    }
}
