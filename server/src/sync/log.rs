//! The append-only log of changes and what stands beside it, in SQL.

use std::collections::{BTreeMap, BTreeSet};

use serde_bytes::ByteBuf;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnection;
use sync_core::device::DevicePublicKey;
use sync_core::exchange::answering::{CursorState, LogQuery, Read};
use sync_core::exchange::delivery::KeptAttestation;
use sync_core::exchange::intake::{self, Frame, HamletKey, Plan, PlannedResponse, RoundState, SetAside, Stored, Unit};
use sync_core::exchange::{Cursor, LogMark, Refusal, RefusalReason, ResponseChanges};
use sync_core::identity::{ResponseId, RoundId};
use sync_core::{Change, ChangeHash};
use uuid::Uuid;

use super::attestations::Attestations;
use super::erasure::erased;
use super::quarantine;
use super::source::{Origin, Source};
use crate::clock;
use crate::store::StoreError;

/// Bytes of changes in one answer, before compression; at least one change is sent.
pub(super) const PULL_BYTES: usize = 4 << 20;
/// Changes in one answer at most.
const PULL_CHANGES: i64 = 10_000;

/// The state of all rounds, and the hamlets of those of these units that are surveyed.
pub(super) async fn frame(readers: &SqlitePool, units: &BTreeSet<Unit>) -> Result<Frame, StoreError> {
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

/// What the database has of these responses.
pub(super) async fn stored_responses(
    readers: &SqlitePool,
    ids: impl IntoIterator<Item = ResponseId>,
) -> Result<BTreeMap<ResponseId, Stored>, StoreError> {
    let ids: Vec<String> = ids.into_iter().map(|id| id.0.simple().to_string()).collect();
    let ids = json(&ids)?;
    let mut stored: BTreeMap<ResponseId, Stored> = BTreeMap::new();
    let logged: Vec<(Uuid, Vec<u8>)> = sqlx::query_as(
        "SELECT response.id, change_log.bytes FROM json_each($1) AS wanted
         JOIN response ON response.id = unhex(wanted.value)
         JOIN change_log USING (response_key) ORDER BY change_log.seq",
    )
    .bind(&ids)
    .fetch_all(readers)
    .await?;
    for (id, bytes) in logged {
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
    .fetch_all(readers)
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

/// Writes a plan into the log and into quarantine, and gives what became of changes where it is not what was planned: they
/// contradict what was logged since the plan was made, their response was erased, or they are in quarantine. `device_keys`
/// has the number of every device whose changes are in the plan. Idempotent: what is there already stays as it is.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    device_keys: &BTreeMap<DevicePublicKey, i64>,
    plan: &Plan,
    attestations: &[KeptAttestation],
    source: &Source,
) -> Result<Vec<Refusal>, StoreError> {
    let now = clock::now();
    let mut told = Vec::new();
    let mut set_aside = plan.set_aside.clone();
    let mut attestations = Attestations::new(device_keys, attestations);
    if !plan.responses.is_empty() {
        let mut log = Log::open(&mut *connection).await?;
        for response in &plan.responses {
            let response_key = response_key(log.connection, response).await?;
            if is_erased(log.connection, response.id).await? {
                let changes = response.log.iter().chain(&response.wait);
                told.extend(changes.map(|(change, _)| Refusal::new(*change, RefusalReason::Erased)));
                continue;
            }
            for (waits, (number, admitted)) in response
                .log
                .iter()
                .map(|change| (false, change))
                .chain(response.wait.iter().map(|change| (true, change)))
            {
                let origin = source.origin(&admitted.change.hash(), now);
                let attestation_key = match origin.attestation_key {
                    Some(key) => key,
                    None => attestations.key(log.connection, admitted).await?,
                };
                let entry = Entry {
                    response_key,
                    hamlet: response.hamlet,
                    device_key: attestations.device_key(admitted)?,
                    attestation_key,
                    origin,
                    change: &admitted.change,
                };
                if waits {
                    log.keep_waiting(&entry).await?;
                } else if !log.append(&entry).await? {
                    set_aside.push(SetAside {
                        number: *number,
                        reason: RefusalReason::Contradiction,
                        admitted: admitted.clone(),
                    });
                }
            }
            log.release(response, response_key).await?;
        }
    }
    told.extend(quarantine::keep(connection, &set_aside, &mut attestations, source, now).await?);
    Ok(told)
}

/// One change on its way into the log.
struct Entry<'a> {
    response_key: i64,
    hamlet: HamletKey,
    device_key: i64,
    attestation_key: i64,
    origin: Origin,
    change: &'a Change,
}

/// The log's end, inside the one writer.
pub(super) struct Log<'c> {
    connection: &'c mut SqliteConnection,
    /// The last entry's number, 0 where there is none.
    seq: i64,
    /// Its mark.
    mark: LogMark,
}

impl<'c> Log<'c> {
    pub(super) async fn open(connection: &'c mut SqliteConnection) -> Result<Self, StoreError> {
        let last: Option<(i64, Vec<u8>)> = sqlx::query_as(
            "SELECT seq, mark FROM (SELECT * FROM (SELECT seq, mark FROM change_log ORDER BY seq DESC LIMIT 1)
                 UNION ALL SELECT * FROM (SELECT seq, mark FROM erasure ORDER BY seq DESC LIMIT 1))
             ORDER BY seq DESC LIMIT 1",
        )
        .fetch_optional(&mut *connection)
        .await?;
        let (seq, mark) = last.unwrap_or_default();
        Ok(Self {
            connection,
            seq,
            mark: mark.try_into().map(LogMark).unwrap_or_default(),
        })
    }

    /// The number and the mark of the next entry, if it has this hash.
    pub(super) fn next(&self, hash: &ChangeHash) -> (i64, LogMark) {
        (self.seq + 1, self.mark.then(hash))
    }

    /// Appends a change, and says whether it is in the log now. It is not when its author's sequence number is taken by
    /// another change.
    async fn append(&mut self, entry: &Entry<'_>) -> Result<bool, StoreError> {
        let hash = entry.change.hash();
        let (seq, mark) = self.next(&hash);
        let appended = sqlx::query(
            "INSERT INTO change_log (response_key, hamlet_key, hash, device_key, author_seq, attestation_key,
                 received_at, clock_ahead, bytes, mark, seq, carried_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING",
        )
        .bind(entry.response_key)
        .bind(entry.hamlet.0)
        .bind(hash.0.as_slice())
        .bind(entry.device_key)
        .bind(i64::try_from(entry.change.seq()).unwrap_or(i64::MAX))
        .bind(entry.attestation_key)
        .bind(entry.origin.received_at)
        .bind(entry.origin.clock_ahead)
        .bind(entry.change.raw_bytes())
        .bind(mark.0.as_slice())
        .bind(seq)
        .bind(entry.origin.carried_by)
        .execute(&mut *self.connection)
        .await?
        .rows_affected();
        if appended > 0 {
            (self.seq, self.mark) = (seq, mark);
            return Ok(true);
        }
        self.is_logged(hash).await
    }

    async fn is_logged(&mut self, hash: ChangeHash) -> Result<bool, StoreError> {
        let found: Option<i64> = sqlx::query_scalar("SELECT seq FROM change_log WHERE hash = $1")
            .bind(hash.0.as_slice())
            .fetch_optional(&mut *self.connection)
            .await?;
        Ok(found.is_some())
    }

    async fn keep_waiting(&mut self, entry: &Entry<'_>) -> Result<(), StoreError> {
        let hash = entry.change.hash();
        sqlx::query(
            "INSERT INTO waiting_change
                 (hash, response_key, device_key, attestation_key, received_at, clock_ahead, bytes, carried_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        )
        .bind(hash.0.as_slice())
        .bind(entry.response_key)
        .bind(entry.device_key)
        .bind(entry.attestation_key)
        .bind(entry.origin.received_at)
        .bind(entry.origin.clock_ahead)
        .bind(entry.change.raw_bytes())
        .bind(entry.origin.carried_by)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Moves waiting changes of a response into the log as far as what they depend on is there.
    async fn release(&mut self, response: &PlannedResponse, response_key: i64) -> Result<(), StoreError> {
        type Row = (i64, i64, i64, Option<i64>, Option<i64>, Vec<u8>);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT device_key, attestation_key, received_at, clock_ahead, carried_by, bytes FROM waiting_change
             WHERE response_key = $1",
        )
        .bind(response_key)
        .fetch_all(&mut *self.connection)
        .await?;
        if rows.is_empty() {
            return Ok(());
        }
        let logged: Vec<Vec<u8>> =
            sqlx::query_scalar("SELECT bytes FROM change_log WHERE response_key = $1 ORDER BY seq")
                .bind(response_key)
                .fetch_all(&mut *self.connection)
                .await?;
        let logged = logged.iter().map(|bytes| change(bytes, "change_log"));
        let mut stored = Stored {
            logged: logged.collect::<Result<_, _>>()?,
            waiting: Vec::new(),
        };
        let mut origins = BTreeMap::new();
        for (device_key, attestation_key, received_at, clock_ahead, carried_by, bytes) in rows {
            let change = change(&bytes, "waiting_change")?;
            let origin = Origin {
                received_at,
                clock_ahead,
                carried_by,
                attestation_key: Some(attestation_key),
            };
            origins.insert(change.hash(), (device_key, attestation_key, origin));
            stored.waiting.push(change);
        }
        let released = intake::released(response.id, stored).map_err(|error| StoreError::Damaged {
            table: "change_log",
            reason: error.to_string(),
        })?;
        for change in &released {
            let hash = change.hash();
            let Some((device_key, attestation_key, origin)) = origins.get(&hash) else {
                continue;
            };
            let entry = Entry {
                response_key,
                hamlet: response.hamlet,
                device_key: *device_key,
                attestation_key: *attestation_key,
                origin: *origin,
                change,
            };
            if !self.append(&entry).await? {
                tracing::warn!(response = %response.id, "a waiting change reuses a sequence number; it stays waiting");
                continue;
            }
            sqlx::query("DELETE FROM waiting_change WHERE hash = $1")
                .bind(hash.0.as_slice())
                .execute(&mut *self.connection)
                .await?;
        }
        Ok(())
    }
}

async fn response_key(connection: &mut SqliteConnection, response: &PlannedResponse) -> Result<i64, StoreError> {
    sqlx::query(
        "INSERT INTO response (id, round_key, unit, hamlet_key)
         SELECT $1, round_key, $3, $4 FROM round WHERE round.id = $2 ON CONFLICT DO NOTHING",
    )
    .bind(response.id.0)
    .bind(response.unit.0.0)
    .bind(&response.unit.1)
    .bind(response.hamlet.0)
    .execute(&mut *connection)
    .await?;
    let key = sqlx::query_scalar("SELECT response_key FROM response WHERE id = $1").bind(response.id.0);
    Ok(key.fetch_one(&mut *connection).await?)
}

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

/// The changes that a query asks for. `device_key` is that of the reader.
pub(super) async fn read(readers: &SqlitePool, query: &LogQuery, device_key: i64) -> Result<Read, StoreError> {
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
    type Row = (i64, Uuid, String, Vec<u8>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT change_log.seq, round.id, response.unit, change_log.bytes
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
    .fetch_all(readers)
    .await?;

    let mut more = rows.len() as i64 == PULL_CHANGES;
    let mut changes = Vec::with_capacity(rows.len());
    let mut bytes = 0;
    let mut last = after;
    for (seq, round, unit, change) in rows {
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

/// The last entry of the log; none where it is empty.
pub(crate) async fn head(readers: &SqlitePool) -> Result<Option<Cursor>, StoreError> {
    match log_head(readers).await? {
        0 => Ok(None),
        head => Ok(Some(entry(readers, head).await?)),
    }
}

/// Changes by response, in the order in which each response comes first.
pub(super) fn group(changes: Vec<(RoundId, String, ByteBuf)>) -> Vec<ResponseChanges> {
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

/// The last sequence number of the log.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub async fn log_head(readers: &SqlitePool) -> Result<i64, StoreError> {
    let head =
        "SELECT MAX(COALESCE((SELECT MAX(seq) FROM change_log), 0), COALESCE((SELECT MAX(seq) FROM erasure), 0))";
    Ok(sqlx::query_scalar(head).fetch_one(readers).await?)
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
    let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(
        "SELECT change_log.response_key, change_log.bytes FROM json_each($1) AS wanted
         JOIN change_log ON change_log.response_key = wanted.value ORDER BY change_log.seq",
    )
    .bind(json(&responses)?)
    .fetch_all(readers)
    .await?;
    let mut changes: BTreeMap<i64, Vec<Change>> = BTreeMap::new();
    for (key, bytes) in rows {
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

/// A stored hash.
pub(super) fn stored_hash(bytes: Vec<u8>, table: &'static str) -> Result<ChangeHash, StoreError> {
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
