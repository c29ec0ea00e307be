//! The append-only log of changes and what stands beside it, in SQL.

use std::collections::BTreeMap;

use serde_bytes::ByteBuf;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnection;
use sync_core::device::AttestationSignature;
use sync_core::exchange::ResponseChanges;
use sync_core::identity::{ResponseId, RoundId};
use sync_core::response::{Response, ResponseError};
use sync_core::{Change, ChangeHash};
use uuid::Uuid;

use super::intake::{Plan, PlannedResponse};
use crate::clock;
use crate::devices::{Author, Authors};
use crate::store::StoreError;

/// Bytes of changes in one answer, before compression; at least one change is sent.
const PULL_BYTES: usize = 4 << 20;
/// Changes in one answer at most.
const PULL_CHANGES: i64 = 10_000;

/// A surveyed unit as the scope check needs it.
#[derive(Debug, Clone, Copy)]
pub(super) struct SurveyedUnit {
    pub(super) hamlet_key: i64,
}

/// What the database has of one response.
#[derive(Debug, Default)]
pub(super) struct StoredResponse {
    pub(super) logged: Vec<Change>,
    pub(super) waiting: Vec<Change>,
}

/// An attestation, ready to be kept.
#[derive(Debug)]
pub(crate) struct KeptAttestation {
    /// The signed hashes, one after the other.
    pub(crate) hashes: Vec<u8>,
    /// The signature.
    pub(crate) signature: AttestationSignature,
}

/// A device that was just heard from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard {
    pub(super) device_key: i64,
    /// How far its clock is ahead of the server's, in milliseconds.
    pub(super) clock_ahead: i64,
}

impl Heard {
    /// Keeps when, and how wrong its clock is.
    pub(super) async fn write(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        sqlx::query("UPDATE device SET last_heard_at = $2, clock_ahead = $3 WHERE device_key = $1")
            .bind(self.device_key)
            .bind(clock::now())
            .bind(self.clock_ahead)
            .execute(&mut *connection)
            .await?;
        Ok(())
    }
}

/// The rounds by name: number, and whether open.
pub(super) async fn rounds(readers: &SqlitePool) -> Result<BTreeMap<RoundId, (i64, bool)>, StoreError> {
    let rows: Vec<(Uuid, i64, bool)> = sqlx::query_as("SELECT id, round_key, open FROM round")
        .fetch_all(readers)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(id, key, open)| (RoundId(id), (key, open)))
        .collect())
}

/// The surveyed units of one round among these codes.
pub(super) async fn surveyed_units(
    readers: &SqlitePool,
    round_key: i64,
    codes: &[&str],
) -> Result<Vec<(String, SurveyedUnit)>, StoreError> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT code, hamlet_key FROM sampled_unit
         WHERE round_key = $1 AND code IN (SELECT value FROM json_each($2))",
    )
    .bind(round_key)
    .bind(json(&codes)?)
    .fetch_all(readers)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(code, hamlet_key)| (code, SurveyedUnit { hamlet_key }))
        .collect())
}

/// What the database has of these responses.
pub(super) async fn stored_responses(
    readers: &SqlitePool,
    ids: impl Iterator<Item = ResponseId>,
) -> Result<BTreeMap<ResponseId, StoredResponse>, StoreError> {
    let ids: Vec<String> = ids.map(|id| id.0.simple().to_string()).collect();
    let ids = json(&ids)?;
    let mut stored: BTreeMap<ResponseId, StoredResponse> = BTreeMap::new();
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

/// Writes a plan into the log, and gives the numbers of changes that turned out to contradict what another request
/// logged in the meantime. Idempotent: what is there already stays as it is.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    authors: &Authors,
    attestations: &[KeptAttestation],
    plan: &Plan,
) -> Result<Vec<u32>, StoreError> {
    let now = clock::now();
    let mut contradictions = Vec::new();
    let mut attestation_keys: BTreeMap<usize, i64> = BTreeMap::new();
    for response in &plan.responses {
        let response_key = response_key(connection, response).await?;
        for (waits, (number, admitted)) in response
            .log
            .iter()
            .map(|change| (false, change))
            .chain(response.wait.iter().map(|change| (true, change)))
        {
            let Ok(Author { device_key, .. }) = authors.find(&admitted.device) else {
                contradictions.push(*number);
                continue;
            };
            let device_key = *device_key;
            let attestation_key = match attestation_keys.get(&admitted.attestation) {
                Some(key) => *key,
                None => {
                    let key = keep_attestation(connection, device_key, attestations.get(admitted.attestation)).await?;
                    attestation_keys.insert(admitted.attestation, key);
                    key
                }
            };
            let entry = Entry {
                response_key,
                hamlet_key: response.hamlet_key,
                device_key,
                attestation_key,
                received_at: now,
                change: &admitted.change,
            };
            if waits {
                entry.keep_waiting(connection).await?;
            } else if !entry.append(connection).await? {
                contradictions.push(*number);
            }
        }
        release(connection, response, response_key).await?;
    }
    Ok(contradictions)
}

/// One change on its way into the log.
struct Entry<'a> {
    response_key: i64,
    hamlet_key: i64,
    device_key: i64,
    attestation_key: i64,
    received_at: i64,
    change: &'a Change,
}

impl Entry<'_> {
    /// Appends the change, and says whether it is in the log now. It is not when its author's sequence number is taken by
    /// another change.
    async fn append(&self, connection: &mut SqliteConnection) -> Result<bool, StoreError> {
        let hash = self.change.hash();
        let appended = sqlx::query(
            "INSERT INTO change_log (response_key, hamlet_key, hash, device_key, author_seq, attestation_key,
                 received_at, bytes)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        )
        .bind(self.response_key)
        .bind(self.hamlet_key)
        .bind(hash.0.as_slice())
        .bind(self.device_key)
        .bind(i64::try_from(self.change.seq()).unwrap_or(i64::MAX))
        .bind(self.attestation_key)
        .bind(self.received_at)
        .bind(self.change.raw_bytes())
        .execute(&mut *connection)
        .await?
        .rows_affected();
        Ok(appended > 0 || is_logged(connection, hash).await?)
    }

    async fn keep_waiting(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO waiting_change (hash, response_key, device_key, attestation_key, received_at, bytes)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        )
        .bind(self.change.hash().0.as_slice())
        .bind(self.response_key)
        .bind(self.device_key)
        .bind(self.attestation_key)
        .bind(self.received_at)
        .bind(self.change.raw_bytes())
        .execute(&mut *connection)
        .await?;
        Ok(())
    }
}

async fn is_logged(connection: &mut SqliteConnection, hash: ChangeHash) -> Result<bool, StoreError> {
    let found: Option<i64> = sqlx::query_scalar("SELECT seq FROM change_log WHERE hash = $1")
        .bind(hash.0.as_slice())
        .fetch_optional(&mut *connection)
        .await?;
    Ok(found.is_some())
}

/// Moves waiting changes of a response into the log as far as what they depend on is there.
///
/// It runs inside the one writer, so two requests that bring a change and its dependency at the same time cannot miss
/// each other.
async fn release(
    connection: &mut SqliteConnection,
    response: &PlannedResponse,
    response_key: i64,
) -> Result<(), StoreError> {
    type Row = (i64, i64, i64, Vec<u8>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT device_key, attestation_key, received_at, bytes FROM waiting_change WHERE response_key = $1",
    )
    .bind(response_key)
    .fetch_all(&mut *connection)
    .await?;
    if rows.is_empty() {
        return Ok(());
    }
    let logged: Vec<Vec<u8>> = sqlx::query_scalar("SELECT bytes FROM change_log WHERE response_key = $1 ORDER BY seq")
        .bind(response_key)
        .fetch_all(&mut *connection)
        .await?;
    let logged = logged
        .iter()
        .map(|bytes| change(bytes, "change_log"))
        .collect::<Result<Vec<_>, _>>()?;
    let damaged = |error: ResponseError| StoreError::Damaged {
        table: "change_log",
        reason: error.to_string(),
    };
    let mut document = Response::restored(response.id, logged).map_err(damaged)?;
    let mut waiting = BTreeMap::new();
    for (device_key, attestation_key, received_at, bytes) in rows {
        let change = change(&bytes, "waiting_change")?;
        waiting.insert(change.hash(), (device_key, attestation_key, received_at, change));
    }
    if let Err(error) = document.apply(waiting.values().map(|(_, _, _, change)| change.clone())) {
        tracing::warn!(response = %response.id, %error, "a waiting change cannot be; it is never logged");
    }
    // The document gives its changes in an order in which each comes after those that it depends on.
    for released in document.changes() {
        let Some((device_key, attestation_key, received_at, change)) = waiting.get(&released.hash()) else {
            continue;
        };
        let entry = Entry {
            response_key,
            hamlet_key: response.hamlet_key,
            device_key: *device_key,
            attestation_key: *attestation_key,
            received_at: *received_at,
            change,
        };
        if !entry.append(connection).await? {
            tracing::warn!(response = %response.id, "a waiting change reuses a sequence number; it stays waiting");
            continue;
        }
        sqlx::query("DELETE FROM waiting_change WHERE hash = $1")
            .bind(change.hash().0.as_slice())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn response_key(connection: &mut SqliteConnection, response: &PlannedResponse) -> Result<i64, StoreError> {
    sqlx::query(
        "INSERT INTO response (id, round_key, unit, hamlet_key) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(response.id.0)
    .bind(response.round_key)
    .bind(&response.unit)
    .bind(response.hamlet_key)
    .execute(&mut *connection)
    .await?;
    let key = sqlx::query_scalar("SELECT response_key FROM response WHERE id = $1").bind(response.id.0);
    Ok(key.fetch_one(&mut *connection).await?)
}

async fn keep_attestation(
    connection: &mut SqliteConnection,
    device_key: i64,
    attestation: Option<&KeptAttestation>,
) -> Result<i64, StoreError> {
    let attestation = attestation.ok_or_else(|| StoreError::Damaged {
        table: "attestation",
        reason: "an admitted change names an attestation that the request does not have".to_owned(),
    })?;
    let key = sqlx::query_scalar(
        "INSERT INTO attestation (device_key, hashes, signature) VALUES ($1, $2, $3) RETURNING attestation_key",
    )
    .bind(device_key)
    .bind(&attestation.hashes)
    .bind(attestation.signature.0.as_slice());
    Ok(key.fetch_one(&mut *connection).await?)
}

/// What a device gets to read.
#[derive(Debug, Default)]
pub(super) struct Pulled {
    pub(super) responses: Vec<ResponseChanges>,
    pub(super) cursor: u64,
    pub(super) more: bool,
}

/// Who reads the log, and from where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader {
    pub(super) device_key: i64,
    pub(super) cursor: u64,
    /// Whether the cursor was beyond the log when the request came: it is of another or of a restored server.
    pub(super) foreign_cursor: bool,
    /// Whether the device's own changes are sent too: a new or restored phone has none, any other has them all.
    pub(super) wants_own: bool,
}

/// The changes after the reader's cursor in these hamlets.
pub(super) async fn pull(
    readers: &SqlitePool,
    reader: &Reader,
    hamlets: impl Iterator<Item = i64>,
) -> Result<Pulled, StoreError> {
    if reader.foreign_cursor {
        // Start over rather than miss anything.
        return Ok(Pulled {
            more: true,
            ..Pulled::default()
        });
    }
    let cursor = i64::try_from(reader.cursor).unwrap_or(i64::MAX);
    let head = log_head(readers).await?;
    if head <= cursor {
        return Ok(Pulled {
            cursor: reader.cursor,
            ..Pulled::default()
        });
    }
    let left_out = if reader.wants_own { -1 } else { reader.device_key };
    let hamlets: Vec<i64> = hamlets.collect();
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
    .bind(cursor)
    .bind(head)
    .bind(left_out)
    .bind(PULL_CHANGES)
    .fetch_all(readers)
    .await?;

    let full = rows.len() as i64 == PULL_CHANGES;
    let mut pulled = Pulled {
        cursor: head.unsigned_abs(),
        more: false,
        responses: Vec::new(),
    };
    let mut bytes = 0;
    let mut places: BTreeMap<(Uuid, String), usize> = BTreeMap::new();
    let mut last = cursor;
    for (seq, round, unit, change) in rows {
        bytes += change.len();
        if bytes > PULL_BYTES && last > cursor {
            pulled.more = true;
            break;
        }
        last = seq;
        let place = *places.entry((round, unit.clone())).or_insert_with(|| {
            pulled.responses.push(ResponseChanges {
                round: RoundId(round),
                unit,
                changes: Vec::new(),
            });
            pulled.responses.len() - 1
        });
        if let Some(group) = pulled.responses.get_mut(place) {
            group.changes.push(ByteBuf::from(change));
        }
    }
    pulled.more |= full;
    if pulled.more {
        pulled.cursor = last.unsigned_abs();
    }
    Ok(pulled)
}

/// The last sequence number of the log.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub async fn log_head(readers: &SqlitePool) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar("SELECT COALESCE(MAX(seq), 0) FROM change_log")
        .fetch_one(readers)
        .await?)
}

/// The responses with changes after `seq`: their numbers, and the last sequence number that was looked at.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub async fn responses_after(readers: &SqlitePool, seq: i64, limit: i64) -> Result<(Vec<i64>, i64), StoreError> {
    let rows: Vec<(i64, i64)> =
        sqlx::query_as("SELECT seq, response_key FROM change_log WHERE seq > $1 ORDER BY seq LIMIT $2")
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

fn change(bytes: &[u8], table: &'static str) -> Result<Change, StoreError> {
    Change::try_from(bytes).map_err(|error| StoreError::Damaged {
        table,
        reason: error.to_string(),
    })
}

fn json<T: serde::Serialize>(list: &T) -> Result<String, StoreError> {
    serde_json::to_string(list).map_err(|error| StoreError::Database(sqlx::Error::Encode(Box::new(error))))
}
