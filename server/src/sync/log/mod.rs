//! The append-only log of changes, in SQL.
//!
//! | room | does |
//! | --- | --- |
//! | [`frame`] | what is surveyed, and what was decided about it |
//! | [`append`] | writes what was planned into the log |
//! | [`read`] | reads changes, from their rows or from the archive |
//!
//! Here is the log's end: entries, marks and cursors.

mod append;
mod frame;
mod read;

use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnection;
use sync_core::exchange::answering::CursorState;
use sync_core::exchange::{Cursor, LogMark};
use sync_core::identity::ResponseId;
use sync_core::{Change, ChangeHash};

use crate::store::StoreError;

pub(super) use append::{Log, write};
pub(super) use frame::frame;
pub(super) use read::{PULL_BYTES, group, read, stored_responses};
pub use read::{changes_of, clocks_of, responses_after};

/// Whether a response was erased.
pub(super) async fn is_erased(connection: &mut SqliteConnection, response: ResponseId) -> Result<bool, StoreError> {
    let erased: Option<i64> =
        sqlx::query_scalar("SELECT erasure.seq FROM response JOIN erasure USING (response_key) WHERE response.id = $1")
            .bind(response.0)
            .fetch_optional(connection)
            .await?;
    Ok(erased.is_some())
}

/// Whether the log has all these entries with these marks.
pub(crate) async fn cursor_state(
    readers: &SqlitePool,
    cursors: impl Iterator<Item = Cursor>,
) -> Result<CursorState, StoreError> {
    for cursor in cursors {
        let Ok(seq) = i64::try_from(cursor.sequence()) else {
            return Ok(CursorState::Foreign);
        };
        if mark_of(readers, seq).await? != Some(cursor.mark()) {
            return Ok(CursorState::Foreign);
        }
    }
    Ok(CursorState::Known)
}

/// The mark of an entry, zeros where it was written before there were marks; none where there is no such entry.
async fn mark_of(readers: &SqlitePool, seq: i64) -> Result<Option<LogMark>, StoreError> {
    let mark: Option<Vec<u8>> = sqlx::query_scalar(
        "SELECT mark FROM change_log WHERE seq = $1 UNION ALL SELECT mark FROM erasure WHERE seq = $1
         UNION ALL SELECT mark FROM erased_entry WHERE seq = $1",
    )
    .bind(seq)
    .fetch_optional(readers)
    .await?;
    Ok(mark.map(|bytes| bytes.try_into().map(LogMark).unwrap_or_default()))
}

/// The cursor of an entry.
pub(crate) async fn entry(readers: &SqlitePool, seq: i64) -> Result<Cursor, StoreError> {
    let mark = mark_of(readers, seq).await?.unwrap_or_default();
    Ok(Cursor(seq.unsigned_abs(), mark))
}

/// The last entry of the log; none where it is empty.
pub(crate) async fn head(readers: &SqlitePool) -> Result<Option<Cursor>, StoreError> {
    match log_head(readers).await? {
        0 => Ok(None),
        head => Ok(Some(entry(readers, head).await?)),
    }
}

/// The last sequence number of the log.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub async fn log_head(readers: &SqlitePool) -> Result<i64, StoreError> {
    let head =
        "SELECT MAX(COALESCE((SELECT MAX(seq) FROM change_log), 0), COALESCE((SELECT MAX(seq) FROM erasure), 0))";
    Ok(sqlx::query_scalar(head).fetch_one(readers).await?)
}

/// A stored hash.
pub(crate) fn stored_hash(bytes: Vec<u8>, table: &'static str) -> Result<ChangeHash, StoreError> {
    let hash = bytes.try_into().map_err(|_| StoreError::Damaged {
        table,
        reason: "a hash has not 32 bytes".to_owned(),
    })?;
    Ok(ChangeHash(hash))
}

/// A stored change.
pub(super) fn change(bytes: &[u8], table: &'static str) -> Result<Change, StoreError> {
    Change::try_from(bytes).map_err(|error| StoreError::Damaged {
        table,
        reason: error.to_string(),
    })
}

pub(super) fn json<T: serde::Serialize>(list: &T) -> Result<String, StoreError> {
    serde_json::to_string(list).map_err(|error| StoreError::Database(sqlx::Error::Encode(Box::new(error))))
}
