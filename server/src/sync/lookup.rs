//! What an exchange asks the log for.

use std::collections::BTreeSet;

use serde_bytes::ByteBuf;
use sqlx::SqlitePool;
use sync_core::ChangeHash;
use sync_core::exchange::Cursor;
use sync_core::exchange::answering::{Found, Query};
use sync_core::exchange::intake::HamletKey;
use sync_core::exchange::reconciliation::ChangeSet;
use sync_core::identity::RoundId;
use uuid::Uuid;

use super::archive::{self, Place};
use super::erasure::erased;
use super::log::{self, PULL_BYTES, group, json, stored_hash};
use crate::hex;
use crate::store::StoreError;

/// Looks up what an exchange asks for. `device_key` is that of the reader.
pub(super) async fn look_up(readers: &SqlitePool, query: &Query, device_key: i64) -> Result<Found, StoreError> {
    match query {
        Query::Entries(query) => Ok(Found::Entries(log::read(readers, query, device_key).await?)),
        Query::Set { scope } => {
            let (changes, head) = change_set(readers, scope).await?;
            let end = head.map_or(0, |head| head.sequence().cast_signed());
            Ok(Found::Set {
                changes,
                erased: erased(readers, scope, 0, end).await?,
                head,
            })
        }
        Query::Changes { hashes, scope } => changes(readers, hashes, scope).await,
    }
}

/// The hashes of all changes of these hamlets, and the last entry of the log then.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub(crate) async fn change_set(
    readers: &SqlitePool,
    scope: &BTreeSet<HamletKey>,
) -> Result<(ChangeSet, Option<Cursor>), StoreError> {
    // What is logged in the meantime is beyond the head, and read from there.
    let head = log::head(readers).await?;
    let hashes: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT change_log.hash FROM json_each($1) AS scope
         JOIN change_log ON change_log.hamlet_key = scope.value AND change_log.seq <= $2",
    )
    .bind(hamlets(scope)?)
    .bind(head.map_or(0, |head| head.sequence().cast_signed()))
    .fetch_all(readers)
    .await?;
    let hashes = hashes.into_iter();
    let changes: Result<ChangeSet, StoreError> = hashes.map(|hash| stored_hash(hash, "change_log")).collect();
    Ok((changes?, head))
}

/// The changes with these hashes, as far as they are of these hamlets and fit in one answer.
async fn changes(
    readers: &SqlitePool,
    hashes: &[ChangeHash],
    scope: &BTreeSet<HamletKey>,
) -> Result<Found, StoreError> {
    let head = log::head(readers).await?;
    let hashes: Vec<String> = hashes.iter().map(|hash| hex::encode(&hash.0)).collect();
    type Row = (Uuid, String, Vec<u8>, Vec<u8>, Option<i64>);
    let mut snapshot = readers.begin().await?;
    let mut rows: Vec<Row> = sqlx::query_as(
        "SELECT round.id, response.unit, change_log.hash, change_log.bytes, change_log.segment_key
         FROM json_each($1) AS wanted
         JOIN change_log ON change_log.hash = unhex(wanted.value)
         JOIN response USING (response_key)
         JOIN round USING (round_key)
         WHERE change_log.hamlet_key IN (SELECT value FROM json_each($2))
         ORDER BY change_log.seq",
    )
    .bind(json(&hashes)?)
    .bind(hamlets(scope)?)
    .fetch_all(&mut *snapshot)
    .await?;
    archive::fill(&mut snapshot, &mut rows, |(_, _, hash, bytes, segment)| Place {
        hash,
        bytes,
        segment: *segment,
    })
    .await?;
    let count = rows.len();
    let mut bytes = 0;
    let fitting: Vec<(RoundId, String, ByteBuf)> = rows
        .into_iter()
        .take_while(|(_, _, _, change, _)| {
            let first = bytes == 0;
            bytes += change.len();
            first || bytes <= PULL_BYTES
        })
        .map(|(round, unit, _, change, _)| (RoundId(round), unit, ByteBuf::from(change)))
        .collect();
    let more = fitting.len() < count;
    Ok(Found::Changes {
        responses: group(fitting),
        head,
        more,
    })
}

fn hamlets(scope: &BTreeSet<HamletKey>) -> Result<String, StoreError> {
    json(&scope.iter().map(|hamlet| hamlet.0).collect::<Vec<_>>())
}
