//! Reading all responses of a round, some at a time.

use sync_core::identity::ResponseId;
use sync_core::response::Response;
use uuid::Uuid;

use crate::rounds::Round;
use crate::store::{Store, StoreError};
use crate::sync::changes_of;

/// Responses that are read together.
const PIECE: i64 = 1_000;

/// A response as it is stored.
pub(super) struct Stored {
    pub(super) key: i64,
    pub(super) id: Uuid,
    pub(super) unit: String,
    pub(super) hamlet: String,
    /// Whether the household was added in the field.
    pub(super) added: bool,
    pub(super) response: Response,
}

/// The responses of a round after the one with the key `last`; none where that was the last.
pub(super) async fn after(store: &Store, round: &Round, last: i64) -> Result<Vec<Stored>, StoreError> {
    let rows: Vec<(i64, Uuid, String, String, bool)> = sqlx::query_as(
        "SELECT response.response_key, response.id, response.unit, frame_hamlet.code, COALESCE(sampled_unit.added, FALSE)
         FROM response JOIN frame_hamlet ON frame_hamlet.hamlet_key = response.hamlet_key
         LEFT JOIN sampled_unit ON sampled_unit.round_key = response.round_key AND sampled_unit.code = response.unit
         WHERE response.round_key = $1 AND response.response_key > $2 ORDER BY response.response_key LIMIT $3",
    )
    .bind(round.key)
    .bind(last)
    .bind(PIECE)
    .fetch_all(&store.readers)
    .await?;
    let keys: Vec<i64> = rows.iter().map(|(key, ..)| *key).collect();
    let mut changes = changes_of(&store.readers, &keys).await?;
    let stored = rows.into_iter().map(|(key, id, unit, hamlet, added)| {
        let changes = changes.remove(&key).unwrap_or_default();
        let response = Response::with_changes(ResponseId(id), changes).map_err(|error| StoreError::Damaged {
            table: "change_log",
            reason: error.to_string(),
        })?;
        Ok(Stored {
            key,
            id,
            unit,
            hamlet,
            added,
            response,
        })
    });
    stored.collect()
}
