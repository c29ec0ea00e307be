//! Reads changes, from their rows or from the archive.

use std::collections::BTreeMap;

use serde_bytes::ByteBuf;
use sqlx::SqlitePool;
use sync_core::exchange::ResponseChanges;
use sync_core::exchange::answering::{LogQuery, Read};
use sync_core::exchange::intake::Stored;
use sync_core::identity::{ResponseId, RoundId};
use sync_core::{Change, ChangeHash};
use uuid::Uuid;

use super::{change, entry, json, log_head, stored_hash};
use crate::store::StoreError;
use crate::sync::archive::{self, Place};
use crate::sync::erasure::erased;

/// Bytes of changes in one answer, before compression; at least one change is sent.
pub(in crate::sync) const PULL_BYTES: usize = 4 << 20;
/// Changes in one answer at most.
const PULL_CHANGES: i64 = 10_000;

/// What the database has of these responses.
pub(in crate::sync) async fn stored_responses(
    readers: &SqlitePool,
    ids: impl IntoIterator<Item = ResponseId>,
) -> Result<BTreeMap<ResponseId, Stored>, StoreError> {
    let ids: Vec<String> = ids.into_iter().map(|id| id.0.simple().to_string()).collect();
    let ids = json(&ids)?;
    let mut stored: BTreeMap<ResponseId, Stored> = BTreeMap::new();
    type Logged = (Uuid, Vec<u8>, Vec<u8>, Option<i64>);
    let mut snapshot = readers.begin().await?;
    let mut logged: Vec<Logged> = sqlx::query_as(
        "SELECT response.id, change_log.hash, change_log.bytes, change_log.segment_key FROM json_each($1) AS wanted
         JOIN response ON response.id = unhex(wanted.value)
         JOIN change_log USING (response_key) ORDER BY change_log.seq",
    )
    .bind(&ids)
    .fetch_all(&mut *snapshot)
    .await?;
    archive::fill(&mut snapshot, &mut logged, |(_, hash, bytes, segment)| Place {
        hash,
        bytes,
        segment: *segment,
    })
    .await?;
    for (id, _, bytes, _) in logged {
        stored
            .entry(ResponseId(id))
            .or_default()
            .logged
            .push(change(&bytes, "change_log")?);
    }
    let waiting: Vec<(Uuid, Vec<u8>)> = sqlx::query_as(
        "SELECT response.id, waiting_change.bytes FROM json_each($1) AS wanted
         JOIN response ON response.id = unhex(wanted.value)
         JOIN waiting_change USING (response_key)",
    )
    .bind(&ids)
    .fetch_all(&mut *snapshot)
    .await?;
    for (id, bytes) in waiting {
        stored
            .entry(ResponseId(id))
            .or_default()
            .waiting
            .push(change(&bytes, "waiting_change")?);
    }
    Ok(stored)
}

/// The changes that a query asks for. `device_key` is that of the reader.
pub(in crate::sync) async fn read(readers: &SqlitePool, query: &LogQuery, device_key: i64) -> Result<Read, StoreError> {
    let after = query.after.map_or(0, |cursor| cursor.sequence());
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let head = log_head(readers).await?;
    if head <= after {
        return Ok(Read {
            cursor: query.after,
            head: query.after,
            ..Read::default()
        });
    }
    let left_out = query.without.map_or(-1, |_| device_key);
    let hamlets: Vec<i64> = query.scope.iter().map(|hamlet| hamlet.0).collect();
    type Row = (i64, Uuid, String, Vec<u8>, Vec<u8>, Option<i64>);
    let mut snapshot = readers.begin().await?;
    let mut rows: Vec<Row> = sqlx::query_as(
        "SELECT change_log.seq, round.id, response.unit, change_log.hash, change_log.bytes, change_log.segment_key
         FROM json_each($1) AS scope
         JOIN change_log ON change_log.hamlet_key = scope.value AND change_log.seq > $2 AND change_log.seq <= $3
         JOIN response USING (response_key)
         JOIN round USING (round_key)
         WHERE change_log.device_key <> $4
         ORDER BY change_log.seq LIMIT $5",
    )
    .bind(json(&hamlets)?)
    .bind(after)
    .bind(head)
    .bind(left_out)
    .bind(PULL_CHANGES)
    .fetch_all(&mut *snapshot)
    .await?;
    archive::fill(&mut snapshot, &mut rows, |(_, _, _, hash, bytes, segment)| Place {
        hash,
        bytes,
        segment: *segment,
    })
    .await?;
    drop(snapshot);

    let mut more = rows.len() as i64 == PULL_CHANGES;
    let mut changes = Vec::with_capacity(rows.len());
    let mut bytes = 0;
    let mut last = after;
    for (seq, round, unit, _, change, _) in rows {
        bytes += change.len();
        if bytes > PULL_BYTES && last > after {
            more = true;
            break;
        }
        last = seq;
        changes.push((RoundId(round), unit, ByteBuf::from(change)));
    }
    // Entries of other hamlets at the end count as read, or a reader would look at them again and again.
    let end = if more { last } else { head };
    Ok(Read {
        responses: group(changes),
        erased: erased(readers, &query.scope, after, end).await?,
        cursor: Some(entry(readers, end).await?),
        head: Some(entry(readers, head).await?),
        more,
    })
}

/// Changes by response, in the order in which each response comes first.
pub(in crate::sync) fn group(changes: Vec<(RoundId, String, ByteBuf)>) -> Vec<ResponseChanges> {
    let mut responses: Vec<ResponseChanges> = Vec::new();
    let mut places: BTreeMap<(RoundId, String), usize> = BTreeMap::new();
    for (round, unit, change) in changes {
        let place = *places.entry((round, unit.clone())).or_insert_with(|| {
            responses.push(ResponseChanges {
                round,
                unit,
                changes: Vec::new(),
            });
            responses.len() - 1
        });
        if let Some(group) = responses.get_mut(place) {
            group.changes.push(change);
        }
    }
    responses
}

/// The responses with changes after `seq`: their numbers, and the last sequence number that was looked at.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub async fn responses_after(readers: &SqlitePool, seq: i64, limit: i64) -> Result<(Vec<i64>, i64), StoreError> {
    let rows: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT seq, response_key FROM change_log WHERE seq > $1
             UNION ALL SELECT seq, response_key FROM erasure WHERE seq > $1 ORDER BY seq LIMIT $2",
    )
    .bind(seq)
    .bind(limit)
    .fetch_all(readers)
    .await?;
    let last = rows.last().map_or(seq, |(seq, _)| *seq);
    let mut keys: Vec<i64> = rows.into_iter().map(|(_, key)| key).collect();
    keys.sort_unstable();
    keys.dedup();
    Ok((keys, last))
}

/// The logged changes of these responses, each response's in the order of the log.
///
/// # Errors
/// [`StoreError`] when the database fails or holds what is no change.
pub async fn changes_of(readers: &SqlitePool, responses: &[i64]) -> Result<BTreeMap<i64, Vec<Change>>, StoreError> {
    type Row = (i64, Vec<u8>, Vec<u8>, Option<i64>);
    let mut snapshot = readers.begin().await?;
    let mut rows: Vec<Row> = sqlx::query_as(
        "SELECT change_log.response_key, change_log.hash, change_log.bytes, change_log.segment_key
         FROM json_each($1) AS wanted
         JOIN change_log ON change_log.response_key = wanted.value ORDER BY change_log.seq",
    )
    .bind(json(&responses)?)
    .fetch_all(&mut *snapshot)
    .await?;
    archive::fill(&mut snapshot, &mut rows, |(_, hash, bytes, segment)| Place {
        hash,
        bytes,
        segment: *segment,
    })
    .await?;
    let mut changes: BTreeMap<i64, Vec<Change>> = BTreeMap::new();
    for (key, _, bytes, _) in rows {
        changes.entry(key).or_default().push(change(&bytes, "change_log")?);
    }
    Ok(changes)
}

/// How far the authors' clocks were ahead when these responses' changes were delivered, in milliseconds, where that is known.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub async fn clocks_of(readers: &SqlitePool, responses: &[i64]) -> Result<BTreeMap<ChangeHash, i64>, StoreError> {
    let rows: Vec<(Vec<u8>, i64)> = sqlx::query_as(
        "SELECT change_log.hash, change_log.clock_ahead FROM json_each($1) AS wanted
         JOIN change_log ON change_log.response_key = wanted.value WHERE change_log.clock_ahead IS NOT NULL",
    )
    .bind(json(&responses)?)
    .fetch_all(readers)
    .await?;
    rows.into_iter()
        .map(|(hash, clock_ahead)| Ok((stored_hash(hash, "change_log")?, clock_ahead)))
        .collect()
}
