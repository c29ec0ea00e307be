//! What officials decide: changes are released into the log, or discarded.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sqlx::sqlite::SqliteConnection;
use sync_core::ChangeHash;
use sync_core::device::DevicePublicKey;
use sync_core::exchange::delivery::Delivery;
use sync_core::exchange::intake::Unit;
use sync_core::exchange::{Admitted, RefusalReason};
use sync_core::identity::{ResponseId, RoundId};
use uuid::Uuid;

use super::super::delivery::take;
use super::super::log::{change, json};
use super::super::source::{Origin, Source};
use super::word;
use crate::clock;
use crate::hex;
use crate::store::{Store, StoreError};

/// Who decides, and why; both are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Official {
    /// Who, as the official names themselves.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// Which changes in quarantine are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Those with these hashes.
    Hashes(Vec<ChangeHash>),
    /// All of a device.
    Device(DevicePublicKey),
    /// All of a unit.
    Unit(Unit),
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum QuarantineError {
    /// No change in quarantine has this hash.
    #[error("no change {0} is in quarantine; `khaosat quarantine list` shows those that are")]
    Unknown(ChangeHash),
    /// Its author wrote another change under its number, which is in the log: both cannot be.
    #[error("change {0} contradicts one that is in the log and cannot be released; read it, and discard it or keep it")]
    Contradiction(ChangeHash),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl QuarantineError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::Unknown(hash) => format!("không có thay đổi {hash} trong khu chờ xét; xem `khaosat quarantine list`"),
            Self::Contradiction(hash) => format!(
                "thay đổi {hash} mâu thuẫn với một thay đổi đã có nên không nhận được; hãy đọc rồi bỏ hoặc để lại"
            ),
            Self::Store(source) => source.vietnamese(),
        }
    }
}

/// What releasing did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Released {
    /// Changes that are in the log now.
    pub logged: u64,
    /// Changes that wait for others, as any change that comes early does.
    pub waiting: u64,
    /// Changes that stay in quarantine, by hash, and why: they contradict the log, or the frame has no such unit.
    pub kept: BTreeMap<String, RefusalReason>,
}

/// Changes that an official lets in.
#[derive(Debug, Clone)]
pub(crate) struct Release {
    pub(in crate::sync) official: Official,
    /// How each came first.
    pub(in crate::sync) origins: BTreeMap<ChangeHash, Origin>,
}

/// Lets changes in, as if their authors might write them: by the same intake as any others, so that they wait for what they
/// depend on, and cannot contradict the log.
///
/// # Errors
/// [`QuarantineError`]; nothing is released then.
pub async fn release(store: &Store, selection: &Selection, official: Official) -> Result<Released, QuarantineError> {
    let mut admitted = Vec::new();
    let mut origins = BTreeMap::new();
    let mut released = Released::default();
    for found in select(store, selection).await? {
        let hash = found.admitted.change.hash();
        if found.reason != word(RefusalReason::Contradiction) {
            origins.insert(hash, found.origin);
            admitted.push(Ok(found.admitted));
        } else if matches!(selection, Selection::Hashes(_)) {
            return Err(QuarantineError::Contradiction(hash));
        } else {
            released.kept.insert(hash.to_string(), RefusalReason::Contradiction);
        }
    }
    let numbered: Vec<ChangeHash> = admitted
        .iter()
        .flatten()
        .map(|admitted: &Admitted| admitted.change.hash())
        .collect();
    if numbered.is_empty() {
        return Ok(released);
    }
    // Their attestations are in the database already.
    let delivery = Delivery::new(admitted, Vec::new());
    let taken = take(store, delivery, Source::Quarantine(Release { official, origins })).await?;
    released.waiting = taken.waiting.len() as u64;
    released.logged = u64::from(taken.accepted);
    for refusal in taken.refused {
        if let Some(hash) = numbered.get(refusal.change as usize) {
            released.kept.insert(hash.to_string(), refusal.reason);
        }
    }
    Ok(released)
}

/// Discards changes: their bytes are deleted, a record of who discarded which and why stays. Counts them.
///
/// # Errors
/// [`QuarantineError`]; nothing is discarded then. [`StoreError::Busy`] when a reader keeps the write-ahead log in use: the
/// changes are discarded, but their bytes may still be in that file until it is emptied.
pub async fn discard(store: &Store, hashes: &[ChangeHash], official: Official) -> Result<u64, QuarantineError> {
    let discarded = loop {
        let found = select(store, &Selection::Hashes(hashes.to_vec())).await?;
        let wanted: Vec<ChangeHash> = found.iter().map(|found| found.admitted.change.hash()).collect();
        let official = official.clone();
        let discarded = store
            .writer
            .write(move |connection| {
                Box::pin(async move {
                    if !are_quarantined(connection, &wanted).await? {
                        return Ok(None);
                    }
                    record(connection, &wanted, &official, false).await?;
                    let deleted = sqlx::query(
                        "DELETE FROM quarantined_change WHERE hash IN (SELECT unhex(value) FROM json_each($1))",
                    )
                    .bind(listed(&wanted)?)
                    .execute(connection)
                    .await?;
                    Ok(Some(deleted.rows_affected()))
                })
            })
            .await?;
        // Anew where another official decided about one of them in the meantime.
        if let Some(discarded) = discarded {
            break discarded;
        }
    };
    store.writer.empty_log().await?;
    Ok(discarded)
}

/// Whether all these changes are in quarantine.
async fn are_quarantined(connection: &mut SqliteConnection, hashes: &[ChangeHash]) -> Result<bool, StoreError> {
    let hashes: BTreeSet<ChangeHash> = hashes.iter().copied().collect();
    let there: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM quarantined_change WHERE hash IN (SELECT unhex(value) FROM json_each($1))",
    )
    .bind(listed(&hashes.iter().copied().collect::<Vec<_>>())?)
    .fetch_one(connection)
    .await?;
    Ok(there.unsigned_abs() == hashes.len() as u64)
}

/// Records that changes are released, before they are: once they are in the log nothing else says what they were.
pub(in crate::sync) async fn record_release(
    connection: &mut SqliteConnection,
    release: &Release,
) -> Result<(), StoreError> {
    let hashes: Vec<ChangeHash> = release.origins.keys().copied().collect();
    record(connection, &hashes, &release.official, true).await
}

/// Takes that back for those that turned out to have to stay in quarantine.
pub(in crate::sync) async fn take_back_release(
    connection: &mut SqliteConnection,
    release: &Release,
) -> Result<(), StoreError> {
    let hashes: Vec<ChangeHash> = release.origins.keys().copied().collect();
    sqlx::query(
        "DELETE FROM quarantine_decision WHERE hash IN (SELECT unhex(value) FROM json_each($1))
         AND released AND hash IN (SELECT hash FROM quarantined_change)",
    )
    .bind(listed(&hashes)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps who decided what about changes that are in quarantine.
async fn record(
    connection: &mut SqliteConnection,
    hashes: &[ChangeHash],
    official: &Official,
    released: bool,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO quarantine_decision (hash, response_id, round_key, unit, device_key, refused_for, released,
             decided_at, decided_by, reason)
         SELECT hash, response_id, round_key, unit, device_key, reason, $2, $3, $4, $5 FROM quarantined_change
         WHERE hash IN (SELECT unhex(value) FROM json_each($1))
         ON CONFLICT (hash) DO UPDATE SET refused_for = excluded.refused_for, released = excluded.released,
             decided_at = excluded.decided_at, decided_by = excluded.decided_by, reason = excluded.reason",
    )
    .bind(listed(hashes)?)
    .bind(released)
    .bind(clock::now())
    .bind(&official.name)
    .bind(&official.reason)
    .execute(connection)
    .await?;
    Ok(())
}

/// A change in quarantine.
struct Found {
    admitted: Admitted,
    origin: Origin,
    reason: String,
}

async fn select(store: &Store, selection: &Selection) -> Result<Vec<Found>, QuarantineError> {
    type Row = (Uuid, Uuid, String, Vec<u8>, i64, String, i64, Option<i64>, Vec<u8>);
    let (hashes, device, round, unit) = match selection {
        Selection::Hashes(hashes) => (listed(hashes)?, None, None, None),
        Selection::Device(device) => (listed(&[])?, Some(device.0.to_vec()), None, None),
        Selection::Unit((round, unit)) => (listed(&[])?, None, Some(round.0), Some(unit.as_str())),
    };
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT quarantined_change.response_id, round.id, quarantined_change.unit, device.public_key,
             quarantined_change.attestation_key, quarantined_change.reason, quarantined_change.received_at,
             quarantined_change.clock_ahead, quarantined_change.bytes
         FROM quarantined_change JOIN round USING (round_key) JOIN device USING (device_key)
         WHERE quarantined_change.hash IN (SELECT unhex(value) FROM json_each($1))
             OR device.public_key = $2 OR (round.id = $3 AND quarantined_change.unit = $4)
         ORDER BY quarantined_change.received_at",
    )
    .bind(hashes)
    .bind(device)
    .bind(round)
    .bind(unit)
    .fetch_all(&store.readers)
    .await
    .map_err(StoreError::from)?;
    let mut found = Vec::with_capacity(rows.len());
    for (response, round, unit, device, attestation_key, reason, received_at, clock_ahead, bytes) in rows {
        let admitted = Admitted {
            response: ResponseId(response),
            round: RoundId(round),
            unit,
            device: crate::devices::public_key_of(device)?,
            attestation: 0,
            change: change(&bytes, "quarantined_change")?,
        };
        let origin = Origin {
            carried_by: None,
            received_at,
            clock_ahead,
            attestation_key: Some(attestation_key),
        };
        found.push(Found {
            admitted,
            origin,
            reason,
        });
    }
    if let Selection::Hashes(hashes) = selection {
        let there = |hash: &ChangeHash| found.iter().any(|found| found.admitted.change.hash() == *hash);
        if let Some(unknown) = hashes.iter().find(|hash| !there(hash)) {
            return Err(QuarantineError::Unknown(*unknown));
        }
    }
    Ok(found)
}

fn listed(hashes: &[ChangeHash]) -> Result<String, StoreError> {
    json(&hashes.iter().map(|hash| hex::encode(&hash.0)).collect::<Vec<_>>())
}
