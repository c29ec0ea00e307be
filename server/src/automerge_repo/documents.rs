//! Responses as one device may see them.

use std::collections::BTreeSet;

use sqlx::SqlitePool;
use sync_core::exchange::intake::HamletKey;
use sync_core::identity::ResponseId;
use sync_core::response::Response;
use uuid::Uuid;

use crate::store::StoreError;
use crate::sync::changes_of;

/// A response of one of these hamlets as it is now; none where there is none, or none there.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub(super) async fn read(
    readers: &SqlitePool,
    id: ResponseId,
    hamlets: &BTreeSet<HamletKey>,
) -> Result<Option<Response>, StoreError> {
    let key: Option<i64> = sqlx::query_scalar(
        "SELECT response_key FROM response WHERE id = $1 AND hamlet_key IN (SELECT value FROM json_each($2))",
    )
    .bind(id.0)
    .bind(list(hamlets)?)
    .fetch_optional(readers)
    .await?;
    let Some(key) = key else { return Ok(None) };
    // One whose only changes wait for others has nothing to show yet.
    let Some(changes) = changes_of(readers, &[key]).await?.remove(&key) else {
        return Ok(None);
    };
    let restored = tokio::task::spawn_blocking(move || Response::restored(id, changes)).await;
    let response = restored
        .map_err(|_| StoreError::ShuttingDown)?
        .map_err(|error| StoreError::Damaged {
            table: "change_log",
            reason: error.to_string(),
        })?;
    Ok(Some(response))
}

/// The responses of these hamlets that changed after one sequence number and up to another.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub(super) async fn changed(
    readers: &SqlitePool,
    after: i64,
    up_to: i64,
    hamlets: &BTreeSet<HamletKey>,
) -> Result<Vec<ResponseId>, StoreError> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "SELECT DISTINCT response.id FROM json_each($1) AS scope
         JOIN change_log ON change_log.hamlet_key = scope.value AND change_log.seq > $2 AND change_log.seq <= $3
         JOIN response USING (response_key)",
    )
    .bind(list(hamlets)?)
    .bind(after)
    .bind(up_to)
    .fetch_all(readers)
    .await?;
    Ok(ids.into_iter().map(ResponseId).collect())
}

fn list(hamlets: &BTreeSet<HamletKey>) -> Result<String, StoreError> {
    let keys: Vec<i64> = hamlets.iter().map(|hamlet| hamlet.0).collect();
    serde_json::to_string(&keys).map_err(|error| StoreError::Database(sqlx::Error::Encode(Box::new(error))))
}
