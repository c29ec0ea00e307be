//! Conflicts: questions to which several people gave different answers without knowing of each other.

use automerge::{ActorId, Automerge, ChangeHash, ObjId, ReadDoc};
use survey_forms::answers::{AnswerPath, Value};

use super::document::value_of;

/// One question of one response with two or more concurrent different answers.
///
/// It stays open until a person [settles](super::Edit::settle) it.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// The question.
    pub path: AnswerPath,
    /// Who says what, the winning answer (the one that reading shows) first. Equal answers of several people stand
    /// side by side; at least two different ones are here.
    pub claims: Vec<Claim>,
}

impl Conflict {
    /// The different answers, the winning one first, each once.
    pub fn values(&self) -> Vec<Option<Value>> {
        let mut values: Vec<Option<Value>> = Vec::new();
        for claim in &self.claims {
            if !values.contains(&claim.value) {
                values.push(claim.value.clone());
            }
        }
        values
    }
}

/// One person's side of a conflict.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The answer; none where the person cleared it.
    pub value: Option<Value>,
    /// The device that wrote it.
    pub actor: ActorId,
    /// When, by that device's clock, in seconds since 1970-01-01T00:00:00Z.
    pub time: i64,
    /// The change that holds it.
    pub change: Option<ChangeHash>,
}

/// The conflict at `key` of `object`, if the concurrent answers there differ.
pub(super) fn at(document: &Automerge, object: &ObjId, key: &str, path: AnswerPath) -> Option<Conflict> {
    let mut claims: Vec<Claim> = document
        .get_all(object, key)
        .ok()?
        .into_iter()
        .filter_map(|(value, operation)| {
            let value = value_of(&value)?;
            let ObjId::Id(_, actor, _) = &operation else {
                return None;
            };
            let change = document.hash_for_opid(&operation);
            let time = change
                .and_then(|hash| document.get_change_meta_by_hash(&hash))
                .map_or(0, |metadata| metadata.timestamp);
            Some(Claim {
                value,
                actor: actor.clone(),
                time,
                change,
            })
        })
        .collect();
    // Automerge lists the winner last.
    claims.reverse();
    let differ = claims.windows(2).any(|pair| pair[0].value != pair[1].value);
    differ.then_some(Conflict { path, claims })
}
