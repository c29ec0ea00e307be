//! What counts of all decisions, and all of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sqlx::SqlitePool;
use sync_core::exchange::intake::HamletKey;

use super::decision::ReviewState;
use crate::clock;
use crate::devices::public_key_of;
use crate::store::StoreError;

/// How a unit stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Who is to do it; none where whoever comes is.
    pub assignee: Option<Person>,
    /// What was found of its interview as it is now; none where nothing was.
    pub review: Option<StandingReview>,
}

/// Somebody with a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// The device's actor in hexadecimal.
    pub actor: String,
    /// Its name for people.
    pub name: String,
}

/// A review that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StandingReview {
    /// The state.
    pub state: ReviewState,
    /// Why.
    pub reason: String,
    /// The leader's device; none where an official decided.
    pub by: Option<Person>,
    /// When the server learned of it, in milliseconds since 1970-01-01T00:00:00Z.
    pub received_at: i64,
}

/// How the units of a round stand of which anything was decided that counts, by their codes; those of certain hamlets, or
/// all. Whoever has lost the unit's hamlet or its device since is nobody's assignee any more.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub async fn standing(
    readers: &SqlitePool,
    round_key: i64,
    hamlets: Option<&BTreeSet<HamletKey>>,
) -> Result<BTreeMap<String, Standing>, StoreError> {
    let hamlets: Option<String> = hamlets.map(|hamlets| {
        let keys: Vec<String> = hamlets.iter().map(|hamlet| hamlet.0.to_string()).collect();
        format!("[{}]", keys.join(","))
    });
    let mut units: BTreeMap<String, Standing> = BTreeMap::new();
    // A key that was replaced is the same person's.
    let assigned: Vec<(String, Vec<u8>, String)> = sqlx::query_as(
        "WITH RECURSIVE held (unit, hamlet_key, device_key) AS (
             SELECT unit_assignee.unit, sampled_unit.hamlet_key, unit_assignee.assignee
             FROM unit_assignee JOIN sampled_unit
                 ON sampled_unit.round_key = unit_assignee.round_key AND sampled_unit.code = unit_assignee.unit
             WHERE unit_assignee.round_key = $1
                 AND ($2 IS NULL OR sampled_unit.hamlet_key IN (SELECT value FROM json_each($2)))
             UNION SELECT held.unit, held.hamlet_key, device.successor_key
             FROM held JOIN device USING (device_key) WHERE device.successor_key IS NOT NULL
         )
         SELECT held.unit, device.public_key, device.name
         FROM held JOIN device USING (device_key)
             JOIN device_scope USING (device_key, hamlet_key)
         WHERE device.successor_key IS NULL AND device.revoked_at IS NULL AND device_scope.withdrawn_at IS NULL",
    )
    .bind(round_key)
    .bind(&hamlets)
    .fetch_all(readers)
    .await?;
    for (unit, public_key, name) in assigned {
        units.entry(unit).or_default().assignee = Some(person(public_key, name)?);
    }
    type ReviewRow = (String, String, String, i64, Option<Vec<u8>>, Option<String>);
    let reviewed: Vec<ReviewRow> = sqlx::query_as(
        "SELECT review.unit, review.state, review.reason, review.received_at, device.public_key, device.name
         FROM review JOIN sampled_unit
             ON sampled_unit.round_key = review.round_key AND sampled_unit.code = review.unit
         LEFT JOIN device USING (device_key)
         WHERE review.round_key = $1
             AND ($2 IS NULL OR sampled_unit.hamlet_key IN (SELECT value FROM json_each($2)))",
    )
    .bind(round_key)
    .bind(&hamlets)
    .fetch_all(readers)
    .await?;
    for (unit, state, reason, received_at, public_key, name) in reviewed {
        let by = public_key.zip(name).map(|(key, name)| person(key, name)).transpose()?;
        units.entry(unit).or_default().review = Some(StandingReview {
            state: state_of(&state)?,
            reason,
            by,
            received_at,
        });
    }
    Ok(units)
}

/// A decision as it was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PastDecision {
    /// When the server learned of it.
    pub received_at: String,
    /// When it was made, by the clock of whoever made it.
    pub decided_at: String,
    /// Who decided: the leader's device's name, or the official's.
    pub by: String,
    /// The state; none where it is about who is to do the unit.
    pub state: Option<ReviewState>,
    /// Who is to do it, where that was decided and it is somebody.
    pub assignee: Option<String>,
    /// Why.
    pub reason: String,
}

/// Everything that was decided about a unit, the first first.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub async fn history(readers: &SqlitePool, round_key: i64, unit: &str) -> Result<Vec<PastDecision>, StoreError> {
    type Row = (i64, i64, String, Option<String>, Option<String>, String);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT decision.received_at, decision.decided_at, COALESCE(leader.name, decision.official), decision.state,
             assignee.name, decision.reason
         FROM supervision_decision AS decision
         LEFT JOIN device AS leader ON leader.device_key = decision.device_key
         LEFT JOIN device AS assignee ON assignee.device_key = decision.assignee
         WHERE decision.round_key = $1 AND decision.unit = $2 ORDER BY decision.decision_key",
    )
    .bind(round_key)
    .bind(unit)
    .fetch_all(readers)
    .await?;
    let decisions = rows.into_iter();
    decisions
        .map(|(received_at, decided_at, by, state, assignee, reason)| {
            Ok(PastDecision {
                received_at: clock::rfc3339(received_at),
                decided_at: clock::rfc3339(decided_at),
                by,
                state: state.as_deref().map(state_of).transpose()?,
                assignee,
                reason,
            })
        })
        .collect()
}

fn person(public_key: Vec<u8>, name: String) -> Result<Person, StoreError> {
    Ok(Person {
        actor: public_key_of(public_key)?.actor().to_string(),
        name,
    })
}

fn state_of(word: &str) -> Result<ReviewState, StoreError> {
    ReviewState::of_word(word).ok_or_else(|| StoreError::Damaged {
        table: "supervision_decision",
        reason: format!("there is no review state {word}"),
    })
}
