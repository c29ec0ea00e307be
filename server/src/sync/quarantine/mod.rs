//! Changes that are refused for a reason that a person can decide about, until somebody does.

mod decisions;
mod list;

use std::collections::{BTreeMap, BTreeSet};

pub use decisions::{Official, QuarantineError, Released, Selection, discard, release};
pub(super) use decisions::{Release, record_release, take_back_release};
pub use list::{ListedChange, list};
use sqlx::sqlite::SqliteConnection;
use sqlx::{SqliteExecutor, SqlitePool};
use sync_core::ChangeHash;
use sync_core::exchange::intake::SetAside;
use sync_core::exchange::{Refusal, RefusalReason};

use super::attestations::Attestations;
use super::log::{is_erased, json, stored_hash};
use super::source::Source;
use crate::store::StoreError;

/// Bytes of one device's changes in quarantine at most: more than a volunteer writes in a whole round.
const DEVICE_BYTES: i64 = 64 << 20;
/// One device's changes in quarantine at most.
const DEVICE_CHANGES: i64 = 20_000;

/// Keeps changes in quarantine, and says what became of each: what is there already stays, and what does not fit is
/// refused without being kept. A change of an erased response, and one that was discarded, is never kept.
pub(super) async fn keep(
    connection: &mut SqliteConnection,
    set_aside: &[SetAside],
    attestations: &mut Attestations<'_>,
    source: &Source,
    now: i64,
) -> Result<Vec<Refusal>, StoreError> {
    let mut told = Vec::with_capacity(set_aside.len());
    let mut rooms: BTreeMap<i64, Room> = BTreeMap::new();
    for change in set_aside {
        let device_key = attestations.device_key(&change.admitted)?;
        let room = match rooms.entry(device_key) {
            std::collections::btree_map::Entry::Occupied(room) => room.into_mut(),
            std::collections::btree_map::Entry::Vacant(place) => place.insert(Room::of(connection, device_key).await?),
        };
        told.push(keep_one(connection, change, room, attestations, source, now).await?);
    }
    Ok(told)
}

async fn keep_one(
    connection: &mut SqliteConnection,
    set_aside: &SetAside,
    room: &mut Room,
    attestations: &mut Attestations<'_>,
    source: &Source,
    now: i64,
) -> Result<Refusal, StoreError> {
    let SetAside {
        number,
        reason,
        admitted,
    } = set_aside;
    let hash = admitted.change.hash();
    if is_erased(connection, admitted.response).await? {
        return Ok(Refusal::new(*number, RefusalReason::Erased));
    }
    let discarded: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM quarantine_decision WHERE hash = $1 AND NOT released)")
            .bind(hash.0.as_slice())
            .fetch_one(&mut *connection)
            .await?;
    if discarded {
        return Ok(Refusal::new(*number, RefusalReason::Discarded));
    }
    let quarantined = Refusal {
        quarantined: true,
        ..Refusal::new(*number, *reason)
    };
    let there = sqlx::query("UPDATE quarantined_change SET reason = $2 WHERE hash = $1")
        .bind(hash.0.as_slice())
        .bind(word(*reason))
        .execute(&mut *connection)
        .await?;
    if there.rows_affected() > 0 {
        return Ok(quarantined);
    }
    if !room.takes(admitted.change.raw_bytes().len()) {
        return Ok(Refusal::new(*number, *reason));
    }
    let origin = source.origin(&hash, now);
    let attestation_key = match origin.attestation_key {
        Some(key) => key,
        None => attestations.key(connection, admitted).await?,
    };
    // Perhaps another delivery of the moment let it in.
    sqlx::query(
        "INSERT INTO quarantined_change (hash, response_id, round_key, unit, device_key, attestation_key, reason,
             received_at, clock_ahead, bytes)
         SELECT $1, $2, round_key, $4, $5, $6, $7, $8, $9, $10 FROM round WHERE round.id = $3
             AND NOT EXISTS (SELECT 1 FROM change_log WHERE hash = $1)
             AND NOT EXISTS (SELECT 1 FROM waiting_change WHERE hash = $1)",
    )
    .bind(hash.0.as_slice())
    .bind(admitted.response.0)
    .bind(admitted.round.0)
    .bind(&admitted.unit)
    .bind(attestations.device_key(admitted)?)
    .bind(attestation_key)
    .bind(word(*reason))
    .bind(origin.received_at)
    .bind(origin.clock_ahead)
    .bind(admitted.change.raw_bytes())
    .execute(connection)
    .await?;
    Ok(quarantined)
}

/// What is left of a device's share of the quarantine.
struct Room {
    changes: i64,
    bytes: i64,
}

impl Room {
    async fn of(connection: &mut SqliteConnection, device_key: i64) -> Result<Self, StoreError> {
        let (changes, bytes): (i64, i64) = sqlx::query_as(
            "SELECT COUNT(*), COALESCE(SUM(LENGTH(bytes)), 0) FROM quarantined_change WHERE device_key = $1",
        )
        .bind(device_key)
        .fetch_one(connection)
        .await?;
        Ok(Self {
            changes: DEVICE_CHANGES - changes,
            bytes: DEVICE_BYTES - bytes,
        })
    }

    /// Whether a change of so many bytes still fits; then its place is taken.
    fn takes(&mut self, bytes: usize) -> bool {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        if self.changes < 1 || self.bytes < bytes {
            return false;
        }
        self.changes -= 1;
        self.bytes -= bytes;
        true
    }
}

/// The name of a reason in messages and tables.
fn word(reason: RefusalReason) -> String {
    serde_json::to_value(reason)
        .ok()
        .and_then(|word| word.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// Moves what waits of a device, which is revoked, into quarantine: it must not enter the log when what it waits for comes.
pub(crate) async fn quarantine_waiting(connection: &mut SqliteConnection, device_key: i64) -> Result<(), StoreError> {
    let hashes: Vec<Vec<u8>> = sqlx::query_scalar("SELECT hash FROM waiting_change WHERE device_key = $1")
        .bind(device_key)
        .fetch_all(&mut *connection)
        .await?;
    let hashes = hashes.into_iter().map(|hash| stored_hash(hash, "waiting_change"));
    let hashes: Vec<ChangeHash> = hashes.collect::<Result<_, _>>()?;
    move_waiting(connection, &hashes, RefusalReason::RevokedDevice).await
}

/// Moves waiting changes into quarantine, for this reason.
pub(super) async fn move_waiting(
    connection: &mut SqliteConnection,
    hashes: &[ChangeHash],
    reason: RefusalReason,
) -> Result<(), StoreError> {
    if hashes.is_empty() {
        return Ok(());
    }
    let hashes = json(&hashes.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    sqlx::query(
        "INSERT INTO quarantined_change (hash, response_id, round_key, unit, device_key, attestation_key, reason,
             received_at, clock_ahead, bytes)
         SELECT waiting_change.hash, response.id, response.round_key, response.unit, waiting_change.device_key,
             waiting_change.attestation_key, $2, waiting_change.received_at, waiting_change.clock_ahead,
             waiting_change.bytes
         FROM waiting_change JOIN response USING (response_key)
         WHERE waiting_change.hash IN (SELECT unhex(value) FROM json_each($1))
         ON CONFLICT DO NOTHING",
    )
    .bind(&hashes)
    .bind(word(reason))
    .execute(&mut *connection)
    .await?;
    sqlx::query("DELETE FROM waiting_change WHERE hash IN (SELECT unhex(value) FROM json_each($1))")
        .bind(&hashes)
        .execute(connection)
        .await?;
    Ok(())
}

/// Those of these changes that were discarded.
pub(super) async fn discarded_of(
    executor: impl SqliteExecutor<'_>,
    hashes: &BTreeSet<ChangeHash>,
) -> Result<BTreeSet<ChangeHash>, StoreError> {
    let hashes: Vec<String> = hashes.iter().map(ToString::to_string).collect();
    let discarded: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT hash FROM json_each($1) AS wanted JOIN quarantine_decision ON hash = unhex(wanted.value)
         WHERE NOT released",
    )
    .bind(json(&hashes)?)
    .fetch_all(executor)
    .await?;
    let discarded = discarded.into_iter();
    discarded.map(|hash| stored_hash(hash, "quarantine_decision")).collect()
}

/// The changes of these units that were discarded.
pub(super) async fn discarded(
    readers: &SqlitePool,
    round_key: i64,
    units: &[&str],
) -> Result<Vec<ChangeHash>, StoreError> {
    let hashes: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT hash FROM quarantine_decision
         WHERE round_key = $1 AND unit IN (SELECT value FROM json_each($2)) AND NOT released",
    )
    .bind(round_key)
    .bind(json(&units)?)
    .fetch_all(readers)
    .await?;
    let hashes = hashes.into_iter();
    hashes.map(|hash| stored_hash(hash, "quarantine_decision")).collect()
}
