//! Moves the bytes of changes between the log's rows and segments.

use serde_bytes::ByteBuf;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnection;
use sync_core::exchange::archive::{Segment, segments};
use sync_core::identity::RoundId;
use uuid::Uuid;

use super::reading::{Place, fill};
use crate::hex;
use crate::store::{Store, StoreError};
use crate::sync::log::{group, json};

/// What compacting a round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compaction {
    /// Changes that were moved into segments.
    pub changes: u64,
    /// Their bytes before.
    pub bytes_before: u64,
    /// The bytes of the segments.
    pub bytes_after: u64,
}

/// Packs the changes of a round hamlet by hamlet, each segment in a transaction of its own. Answers, hashes, signatures and
/// cursors stay what they are. It may be interrupted, and run again when more has come.
///
/// # Errors
/// [`StoreError`] when the database fails; what was packed until then stays packed.
pub async fn compact(store: &Store, round_key: i64) -> Result<Compaction, StoreError> {
    let hamlets: Vec<i64> = sqlx::query_scalar("SELECT hamlet_key FROM frame_hamlet WHERE round_key = $1")
        .bind(round_key)
        .fetch_all(&store.readers)
        .await?;
    let mut done = Compaction::default();
    for hamlet in hamlets {
        // Again from the start where a response was erased in between, so that it does not live on in a segment.
        while !compact_hamlet(store, hamlet, &mut done).await? {}
    }
    Ok(done)
}

/// The same where the round is closed; nothing is done where it is open.
///
/// # Errors
/// As [`compact`].
pub(in crate::sync) async fn compact_closed(store: &Store, round: RoundId) -> Result<(), StoreError> {
    let closed: Option<i64> = sqlx::query_scalar("SELECT round_key FROM round WHERE id = $1 AND NOT open")
        .bind(round.0)
        .fetch_optional(&store.readers)
        .await?;
    if let Some(round_key) = closed {
        compact(store, round_key).await?;
    }
    Ok(())
}

/// Whether everything of the hamlet was packed that can be: false where rows changed in between.
async fn compact_hamlet(store: &Store, hamlet_key: i64, done: &mut Compaction) -> Result<bool, StoreError> {
    let changes = unpacked(&store.readers, hamlet_key).await?;
    let packed = tokio::task::spawn_blocking(move || segments(&group(changes)))
        .await
        .map_err(|_| StoreError::ShuttingDown)?;
    for segment in packed {
        let (changes, bytes_after) = (segment.hashes.len() as u64, segment.packed.len() as u64);
        let moved = store
            .writer
            .write(move |connection| Box::pin(async move { keep(connection, &segment).await }))
            .await?;
        let Some(bytes_before) = moved else { return Ok(false) };
        done.changes += changes;
        done.bytes_before += bytes_before;
        done.bytes_after += bytes_after;
    }
    Ok(true)
}

async fn unpacked(readers: &SqlitePool, hamlet_key: i64) -> Result<Vec<(RoundId, String, ByteBuf)>, StoreError> {
    // By response and then in the order of the log, since what is alike packs best side by side.
    let rows: Vec<(Uuid, String, Vec<u8>)> = sqlx::query_as(
        "SELECT round.id, response.unit, change_log.bytes
         FROM change_log JOIN response USING (response_key) JOIN round USING (round_key)
         WHERE change_log.hamlet_key = $1 AND change_log.segment_key IS NULL
         ORDER BY change_log.response_key, change_log.seq",
    )
    .bind(hamlet_key)
    .fetch_all(readers)
    .await?;
    let rows = rows.into_iter();
    Ok(rows
        .map(|(round, unit, bytes)| (RoundId(round), unit, ByteBuf::from(bytes)))
        .collect())
}

/// Puts a segment in the place of its changes' bytes, and gives how many those were; none, and nothing is done, where the
/// log no longer has one of them in its row.
async fn keep(connection: &mut SqliteConnection, segment: &Segment) -> Result<Option<u64>, StoreError> {
    let hashes: Vec<String> = segment.hashes.iter().map(|hash| hex::encode(&hash.0)).collect();
    let hashes = json(&hashes)?;
    let (there, bytes): (i64, i64) = sqlx::query_as(
        "SELECT COUNT(*), COALESCE(SUM(LENGTH(bytes)), 0) FROM change_log
         WHERE segment_key IS NULL AND hash IN (SELECT unhex(value) FROM json_each($1))",
    )
    .bind(&hashes)
    .fetch_one(&mut *connection)
    .await?;
    if there.unsigned_abs() != segment.hashes.len() as u64 {
        return Ok(None);
    }
    let segment_key = sqlx::query("INSERT INTO archive_segment (packed) VALUES ($1)")
        .bind(&segment.packed)
        .execute(&mut *connection)
        .await?
        .last_insert_rowid();
    sqlx::query(
        "UPDATE change_log SET bytes = x'', segment_key = $1 WHERE hash IN (SELECT unhex(value) FROM json_each($2))",
    )
    .bind(segment_key)
    .bind(&hashes)
    .execute(connection)
    .await?;
    Ok(Some(bytes.unsigned_abs()))
}

/// Brings back into their rows the changes of every segment that has one of this response, and says whether there was any.
///
/// # Errors
/// [`StoreError`] when the database fails or a segment is damaged.
pub(in crate::sync) async fn dissolve(
    connection: &mut SqliteConnection,
    response_key: i64,
) -> Result<bool, StoreError> {
    let segments: Vec<i64> = sqlx::query_scalar(
        "SELECT DISTINCT segment_key FROM change_log WHERE response_key = $1 AND segment_key IS NOT NULL",
    )
    .bind(response_key)
    .fetch_all(&mut *connection)
    .await?;
    for segment_key in &segments {
        type Row = (i64, Vec<u8>, Vec<u8>, Option<i64>);
        let mut rows: Vec<Row> =
            sqlx::query_as("SELECT seq, hash, bytes, segment_key FROM change_log WHERE segment_key = $1")
                .bind(segment_key)
                .fetch_all(&mut *connection)
                .await?;
        fill(connection, &mut rows, |(_, hash, bytes, segment)| Place {
            hash,
            bytes,
            segment: *segment,
        })
        .await?;
        for (seq, _, bytes, _) in rows {
            sqlx::query("UPDATE change_log SET bytes = $2, segment_key = NULL WHERE seq = $1")
                .bind(seq)
                .bind(bytes)
                .execute(&mut *connection)
                .await?;
        }
        sqlx::query("DELETE FROM archive_segment WHERE segment_key = $1")
            .bind(segment_key)
            .execute(&mut *connection)
            .await?;
    }
    Ok(!segments.is_empty())
}
