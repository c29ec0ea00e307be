//! Writes what was planned into the log.

use std::collections::BTreeMap;

use sqlx::sqlite::SqliteConnection;
use sync_core::device::DevicePublicKey;
use sync_core::exchange::delivery::KeptAttestation;
use sync_core::exchange::intake::{self, HamletKey, Plan, PlannedResponse, SetAside, Stored};
use sync_core::exchange::{LogMark, Refusal, RefusalReason};
use sync_core::{Change, ChangeHash};

use super::{change, is_erased};
use crate::clock;
use crate::rounds::added;
use crate::store::StoreError;
use crate::sync::archive::{self, Place};
use crate::sync::attestations::Attestations;
use crate::sync::quarantine;
use crate::sync::source::{Origin, Source, UPSTREAM};

/// Writes a plan into the log and into quarantine, and gives what became of changes where it is not what was planned: they
/// contradict what was logged since the plan was made, their response was erased, or they are in quarantine. `device_keys`
/// has the number of every device whose changes are in the plan. Idempotent: what is there already stays as it is.
pub(in crate::sync) async fn write(
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
            let mut has_logged = false;
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
                } else if log.append(&entry).await? {
                    has_logged = true;
                } else {
                    set_aside.push(SetAside {
                        number: *number,
                        reason: RefusalReason::Contradiction,
                        admitted: admitted.clone(),
                    });
                }
            }
            if has_logged {
                let (round, unit) = &response.unit;
                added::take_in(log.connection, *round, unit, response.hamlet.0).await?;
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
pub(in crate::sync) struct Log<'c> {
    connection: &'c mut SqliteConnection,
    /// The last entry's number, 0 where there is none.
    seq: i64,
    /// Its mark.
    mark: LogMark,
}

impl<'c> Log<'c> {
    pub(in crate::sync) async fn open(connection: &'c mut SqliteConnection) -> Result<Self, StoreError> {
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
    pub(in crate::sync) fn next(&self, hash: &ChangeHash) -> (i64, LogMark) {
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

    /// Moves waiting changes of a response into the log as far as what they depend on is there, and into quarantine where
    /// another change has their number by now.
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
        let mut logged: Vec<(Vec<u8>, Vec<u8>, Option<i64>)> =
            sqlx::query_as("SELECT hash, bytes, segment_key FROM change_log WHERE response_key = $1 ORDER BY seq")
                .bind(response_key)
                .fetch_all(&mut *self.connection)
                .await?;
        archive::fill(self.connection, &mut logged, |(hash, bytes, segment)| Place {
            hash,
            bytes,
            segment: *segment,
        })
        .await?;
        let logged = logged.iter().map(|(_, bytes, _)| change(bytes, "change_log"));
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
                // The hub that brought it may have been set back since to when it had not got it.
                carried_by: carried_by.filter(|neighbour| *neighbour == UPSTREAM),
                attestation_key: Some(attestation_key),
            };
            origins.insert(change.hash(), (device_key, attestation_key, origin));
            stored.waiting.push(change);
        }
        let released = intake::released(response.id, stored).map_err(|error| StoreError::Damaged {
            table: "change_log",
            reason: error.to_string(),
        })?;
        let contradictory: Vec<ChangeHash> = released.contradictory.iter().map(Change::hash).collect();
        quarantine::move_waiting(self.connection, &contradictory, RefusalReason::Contradiction).await?;
        for change in &released.log {
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
