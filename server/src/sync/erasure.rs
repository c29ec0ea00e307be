//! Erases a response: every byte of its answers, here and in what is written from here on.

use std::collections::BTreeSet;

use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnection;
use sync_core::exchange::forwarding::ForwardedErasure;
use sync_core::exchange::intake::{HamletKey, Unit};
use sync_core::exchange::{ErasedResponse, tombstone_hash};
use sync_core::identity::{ResponseId, RoundId};
use uuid::Uuid;

use super::archive;
use super::log::{Log, json};
use crate::clock;
use crate::rounds::added;
use crate::store::{Store, StoreError};

/// Why a response is not erased.
#[derive(Debug, thiserror::Error)]
pub enum ErasureError {
    /// The round's frame has no such unit.
    #[error("the round has no unit {0}")]
    UnknownUnit(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ErasureError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::UnknownUnit(unit) => format!("đợt khảo sát không có hộ {unit}"),
            Self::Store(source) => source.vietnamese(),
        }
    }
}

/// What was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasure {
    /// Changes that were deleted, waiting ones and those in quarantine among them.
    pub changes: u64,
    /// Whether the response was erased before already; then nothing was to be done but to delete what may be left.
    pub already: bool,
    /// Whether something of it was in the archive. What lay beside it there was taken out with it, and is packed again.
    pub from_archive: bool,
}

/// Erases the response of a unit, whether there is one yet or not: what phones still have of it is refused from now on,
/// and deleted there at the next contact. When it returns, no byte of the answers is left in the database's files.
///
/// # Errors
/// [`ErasureError`]; nothing is erased then. [`StoreError::Busy`] when a reader keeps the write-ahead log in use: the
/// response is erased, but its bytes may still be in that file, and calling again removes them.
pub async fn erase(store: &Store, unit: Unit, reason: String) -> Result<Erasure, ErasureError> {
    let (round, code) = unit.clone();
    let erasure = store
        .writer
        .write(move |connection| Box::pin(async move { delete(connection, &unit, &reason).await }))
        .await?
        .ok_or(ErasureError::UnknownUnit(code))?;
    if erasure.from_archive {
        archive::compact_closed(store, round).await?;
    }
    store.writer.empty_log().await?;
    Ok(erasure)
}

async fn delete(
    connection: &mut SqliteConnection,
    (round, code): &Unit,
    reason: &str,
) -> Result<Option<Erasure>, StoreError> {
    let id = ResponseId::of(*round, code);
    let hamlet = added::hamlet_of(&mut *connection, *round, code).await?;
    sqlx::query(
        "INSERT INTO response (id, round_key, unit, hamlet_key)
         SELECT $1, round_key, $3, $4 FROM round WHERE round.id = $2 AND $4 IS NOT NULL ON CONFLICT DO NOTHING",
    )
    .bind(id.0)
    .bind(round.0)
    .bind(code)
    .bind(hamlet)
    .execute(&mut *connection)
    .await?;
    let response: Option<(i64, i64)> = sqlx::query_as("SELECT response_key, hamlet_key FROM response WHERE id = $1")
        .bind(id.0)
        .fetch_optional(&mut *connection)
        .await?;
    let Some((response_key, hamlet_key)) = response else {
        return Ok(None);
    };
    let already: Option<i64> = sqlx::query_scalar("SELECT seq FROM erasure WHERE response_key = $1")
        .bind(response_key)
        .fetch_optional(&mut *connection)
        .await?;
    if already.is_some() {
        return Ok(Some(Erasure {
            changes: 0,
            already: true,
            from_archive: false,
        }));
    }
    // Asked before the last entries are perhaps deleted.
    let (seq, mark) = Log::open(connection).await?.next(&tombstone_hash(id));
    let from_archive = archive::dissolve(connection, response_key).await?;
    let mut changes = 0;
    for (statement, counts) in [
        (
            "INSERT INTO erased_entry (seq, mark) SELECT seq, mark FROM change_log WHERE response_key = $1",
            false,
        ),
        ("DELETE FROM projection WHERE response_key = $1", false),
        ("DELETE FROM attachment WHERE response_key = $1", false),
        // What the response added to its hamlet could be told by comparing the hamlet's sums of two hours.
        (
            "DELETE FROM earlier_sums WHERE hamlet_key = (SELECT hamlet_key FROM response WHERE response_key = $1)",
            false,
        ),
        (
            "DELETE FROM suspected_duplicate WHERE first_key = $1 OR second_key = $1",
            false,
        ),
        // The row of an added household holds the address that its response said.
        (
            "DELETE FROM sampled_unit
             WHERE added AND (round_key, code) = (SELECT round_key, unit FROM response WHERE response_key = $1)",
            false,
        ),
        ("DELETE FROM change_log WHERE response_key = $1", true),
        ("DELETE FROM waiting_change WHERE response_key = $1", true),
        (
            "DELETE FROM quarantined_change WHERE response_id = (SELECT id FROM response WHERE response_key = $1)",
            true,
        ),
        // What was found of it may tell of it.
        (
            "DELETE FROM supervision_decision
             WHERE response_id = (SELECT id FROM response WHERE response_key = $1) AND state IS NOT NULL",
            false,
        ),
        (
            "DELETE FROM quarantine_decision WHERE response_id = (SELECT id FROM response WHERE response_key = $1)",
            false,
        ),
    ] {
        let done = sqlx::query(statement)
            .bind(response_key)
            .execute(&mut *connection)
            .await?;
        changes += if counts { done.rows_affected() } else { 0 };
    }
    // What signed nothing but this response's changes.
    sqlx::query(
        "DELETE FROM attestation WHERE NOT EXISTS
             (SELECT 1 FROM change_log WHERE change_log.attestation_key = attestation.attestation_key)
         AND NOT EXISTS
             (SELECT 1 FROM waiting_change WHERE waiting_change.attestation_key = attestation.attestation_key)
         AND NOT EXISTS
             (SELECT 1 FROM quarantined_change WHERE quarantined_change.attestation_key = attestation.attestation_key)",
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO erasure (seq, mark, response_key, hamlet_key, erased_at, reason) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(seq)
    .bind(mark.0.as_slice())
    .bind(response_key)
    .bind(hamlet_key)
    .bind(clock::now())
    .bind(reason)
    .execute(connection)
    .await?;
    Ok(Some(Erasure {
        changes,
        already: false,
        from_archive,
    }))
}

/// The tombstones among the entries after `after` up to `end` in these hamlets.
pub(super) async fn erased(
    readers: &SqlitePool,
    scope: &BTreeSet<HamletKey>,
    after: i64,
    end: i64,
) -> Result<Vec<ErasedResponse>, StoreError> {
    let rows: Vec<(Uuid, String)> = sqlx::query_as(
        "SELECT round.id, response.unit FROM json_each($1) AS scope
         JOIN erasure ON erasure.hamlet_key = scope.value AND erasure.seq > $2 AND erasure.seq <= $3
         JOIN response USING (response_key) JOIN round USING (round_key)
         ORDER BY erasure.seq",
    )
    .bind(json(&scope.iter().map(|hamlet| hamlet.0).collect::<Vec<_>>())?)
    .bind(after)
    .bind(end)
    .fetch_all(readers)
    .await?;
    let rows = rows.into_iter();
    Ok(rows
        .map(|(round, unit)| ErasedResponse {
            round: RoundId(round),
            unit,
        })
        .collect())
}

/// The same with their reasons, for another installation; in all hamlets where none are named.
pub(crate) async fn forwarded_erasures(
    readers: &SqlitePool,
    hamlets: Option<&[i64]>,
    after: i64,
    end: i64,
) -> Result<Vec<ForwardedErasure>, StoreError> {
    let rows: Vec<(Uuid, String, String)> = sqlx::query_as(
        "SELECT round.id, response.unit, erasure.reason FROM erasure
         JOIN response USING (response_key) JOIN round USING (round_key)
         WHERE erasure.seq > $1 AND erasure.seq <= $2
             AND ($3 IS NULL OR erasure.hamlet_key IN (SELECT value FROM json_each($3)))
         ORDER BY erasure.seq",
    )
    .bind(after)
    .bind(end)
    .bind(hamlets.map(|hamlets| json(&hamlets)).transpose()?)
    .fetch_all(readers)
    .await?;
    let rows = rows.into_iter();
    Ok(rows
        .map(|(round, unit, reason)| ForwardedErasure {
            round: RoundId(round),
            unit,
            reason,
        })
        .collect())
}
