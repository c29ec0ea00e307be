//! What is surveyed, and what was decided about it.

use std::collections::BTreeSet;

use sqlx::SqlitePool;
use sync_core::exchange::intake::{Frame, HamletKey, RoundState, Unit};
use sync_core::identity::{ResponseId, RoundId};
use uuid::Uuid;

use super::json;
use crate::store::StoreError;
use crate::sync::quarantine;

/// The state of all rounds, and the hamlets of those of these units that are surveyed.
pub(in crate::sync) async fn frame(readers: &SqlitePool, units: &BTreeSet<Unit>) -> Result<Frame, StoreError> {
    let rounds: Vec<(Uuid, i64, bool)> = sqlx::query_as("SELECT id, round_key, open FROM round")
        .fetch_all(readers)
        .await?;
    let mut frame = Frame::default();
    for (id, round_key, open) in rounds {
        let round = RoundId(id);
        let state = if open { RoundState::Open } else { RoundState::Closed };
        frame.rounds.insert(round, state);
        let codes: Vec<&str> = units
            .iter()
            .filter(|(of, _)| *of == round)
            .map(|(_, code)| code.as_str())
            .collect();
        if codes.is_empty() {
            continue;
        }
        let found: Vec<(String, i64)> = sqlx::query_as(
            "SELECT code, hamlet_key FROM sampled_unit
             WHERE round_key = $1 AND code IN (SELECT value FROM json_each($2))",
        )
        .bind(round_key)
        .bind(json(&codes)?)
        .fetch_all(readers)
        .await?;
        let found = found.into_iter();
        frame
            .units
            .extend(found.map(|(code, hamlet)| ((round, code), HamletKey(hamlet))));
        // By their ids, of which there is an index: a request must not look at all responses.
        let ids = codes
            .iter()
            .map(|code| ResponseId::of(round, code).0.simple().to_string());
        let erased: Vec<String> = sqlx::query_scalar(
            "SELECT response.unit FROM json_each($1) AS wanted
             JOIN response ON response.id = unhex(wanted.value)
             JOIN erasure USING (response_key)",
        )
        .bind(json(&ids.collect::<Vec<_>>())?)
        .fetch_all(readers)
        .await?;
        frame.erased.extend(erased.into_iter().map(|code| (round, code)));
        frame
            .discarded
            .extend(quarantine::discarded(readers, round_key, &codes).await?);
    }
    Ok(frame)
}
