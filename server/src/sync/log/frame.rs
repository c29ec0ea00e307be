//! What is surveyed, and what was decided about it.

use std::collections::BTreeSet;

use sqlx::SqlitePool;
use sync_core::exchange::intake::{Frame, HamletKey, RoundState, Unit};
use sync_core::identity::{ResponseId, RoundId};
use uuid::Uuid;

use super::json;
use crate::rounds::added;
use crate::store::StoreError;
use crate::sync::quarantine;

/// The units of a round that are surveyed, of those with the codes in a JSON list.
const SURVEYED: &str = "SELECT code, hamlet_key FROM sampled_unit
     WHERE round_key = $1 AND code IN (SELECT value FROM json_each($2))";

/// The units of erased responses, of those with the ids in a JSON list of hexadecimal texts. By their ids, of which there is
/// an index: a request must not look at all responses.
const ERASED: &str = "SELECT response.unit FROM json_each($1) AS wanted
     JOIN response ON response.id = unhex(wanted.value)
     JOIN erasure USING (response_key)";

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
        let found: Vec<(String, i64)> = sqlx::query_as(SURVEYED)
            .bind(round_key)
            .bind(json(&codes)?)
            .fetch_all(readers)
            .await?;
        let found = found.into_iter();
        frame
            .units
            .extend(found.map(|(code, hamlet)| ((round, code), HamletKey(hamlet))));
        let is_listed = |code: &str| frame.units.contains_key(&(round, code.to_owned()));
        let unlisted: Vec<&str> = codes.iter().copied().filter(|code| !is_listed(code)).collect();
        let addable = added::addable(readers, round_key, unlisted.into_iter()).await?;
        let hamlets = addable.hamlets.into_iter();
        frame
            .units
            .extend(hamlets.map(|(code, hamlet)| ((round, code), HamletKey(hamlet))));
        frame
            .crowded
            .extend(addable.crowded.into_iter().map(|code| (round, code)));
        let ids = codes
            .iter()
            .map(|code| ResponseId::of(round, code).0.simple().to_string());
        let erased: Vec<String> = sqlx::query_scalar(ERASED)
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

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Row as _};

    use super::*;
    use crate::store::Store;

    /// What a request asks about its own units takes as long with a million responses as with none: no step of SQLite's plan
    /// reads a table from end to end.
    #[tokio::test]
    async fn no_request_looks_at_all_units_or_responses() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("khaosat.db")).await.unwrap();
        for question in [SURVEYED, ERASED, added::SURVEYED_HAMLETS] {
            let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {question}")))
                .bind("[]")
                .bind("[]")
                .fetch_all(&store.readers)
                .await
                .unwrap();
            let steps: Vec<String> = plan.iter().map(|step| step.get("detail")).collect();
            assert!(!steps.is_empty());
            for table in ["response", "sampled_unit", "erasure"] {
                let scans = steps.iter().any(|step| step.starts_with(&format!("SCAN {table}")));
                assert!(!scans, "{question}\n{steps:#?}");
            }
        }
        store.close().await;
    }
}
