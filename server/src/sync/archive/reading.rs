//! Brings archived changes back into the rows that name them.

use std::collections::BTreeMap;

use serde_bytes::ByteBuf;
use sqlx::sqlite::SqliteConnection;
use sync_core::ChangeHash;
use sync_core::exchange::archive;

use crate::store::StoreError;
use crate::sync::log::stored_hash;

const TABLE: &str = "archive_segment";

/// Where a row of the log has its change.
#[derive(Debug)]
pub(in crate::sync) struct Place<'r> {
    /// The change's hash.
    pub(in crate::sync) hash: &'r [u8],
    /// Its bytes; empty where they are in a segment.
    pub(in crate::sync) bytes: &'r mut Vec<u8>,
    /// That segment.
    pub(in crate::sync) segment: Option<i64>,
}

/// Fills in the bytes of rows whose changes are archived; one segment is unpacked at a time. The rows must have been read
/// in the same transaction, or a segment may be gone in between.
///
/// # Errors
/// [`StoreError::Damaged`] when a segment lacks a change that a row names, [`StoreError`] when the database fails.
pub(in crate::sync) async fn fill<R, F>(
    connection: &mut SqliteConnection,
    rows: &mut [R],
    place: F,
) -> Result<(), StoreError>
where
    F: for<'r> Fn(&'r mut R) -> Place<'r>,
{
    let mut wanted: BTreeMap<i64, Vec<&mut R>> = BTreeMap::new();
    for row in rows {
        if let Some(segment) = place(row).segment {
            wanted.entry(segment).or_default().push(row);
        }
    }
    for (segment, rows) in wanted {
        let mut changes = changes_of(connection, segment).await?;
        for row in rows {
            let Place { hash, bytes, .. } = place(row);
            let hash = stored_hash(hash.to_vec(), "change_log")?;
            let change = changes.remove(&hash);
            *bytes = change
                .ok_or_else(|| damaged(format!("segment {segment} lacks change {hash}")))?
                .into_vec();
        }
    }
    Ok(())
}

async fn changes_of(
    connection: &mut SqliteConnection,
    segment: i64,
) -> Result<BTreeMap<ChangeHash, ByteBuf>, StoreError> {
    let packed: Option<Vec<u8>> = sqlx::query_scalar("SELECT packed FROM archive_segment WHERE segment_key = $1")
        .bind(segment)
        .fetch_optional(connection)
        .await?;
    let packed = packed.ok_or_else(|| damaged(format!("there is no segment {segment}")))?;
    // Some milliseconds of work, which must not hold up other requests.
    tokio::task::spawn_blocking(move || archive::changes(&packed))
        .await
        .map_err(|_| StoreError::ShuttingDown)?
        .map_err(|error| damaged(format!("segment {segment}: {error}")))
}

fn damaged(reason: String) -> StoreError {
    StoreError::Damaged { table: TABLE, reason }
}
