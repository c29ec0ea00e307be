//! The log's entries with their attestations, for whoever carries them to another installation.

use std::collections::HashMap;

use serde_bytes::ByteBuf;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnection;
use sync_core::ChangeHash;
use sync_core::device::{AttestationSignature, DevicePublicKey};
use sync_core::exchange::CarriedAttestation;
use sync_core::identity::RoundId;
use uuid::Uuid;

use super::archive::{self, Place};
use super::log::{json, stored_hash};
use crate::store::StoreError;

/// The number of what waits, and so is in no entry of the log.
pub(crate) const WAITING: i64 = 0;

/// Which entries to read.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    /// The database's numbers of the hamlets; all where there are none.
    pub(crate) hamlets: Option<Vec<i64>>,
    /// Only entries behind this number.
    pub(crate) after: i64,
    /// Only entries up to this number.
    pub(crate) until: i64,
    /// The neighbour whose changes are left out, because it brought them: a number of `change_log.carried_by`.
    pub(crate) without: Option<i64>,
}

/// Changes of the log in its order, with the attestations that sign them.
#[derive(Debug, Default)]
pub(crate) struct CarriedEntries {
    entries: Vec<Entry>,
    attestations: HashMap<i64, CarriedAttestation>,
}

/// Its number, round, unit, hash, bytes, segment of the archive and the number of its attestation.
type Entry = (i64, Uuid, String, Vec<u8>, Vec<u8>, Option<i64>, i64);

/// One of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CarriedEntry<'a> {
    /// Its number in the log, or [`WAITING`].
    pub(crate) seq: i64,
    /// Its hash.
    pub(crate) hash: &'a [u8],
    /// The round.
    pub(crate) round: RoundId,
    /// The surveyed unit's code.
    pub(crate) unit: &'a str,
    /// The change's chunk.
    pub(crate) bytes: &'a [u8],
    /// Who signed it.
    pub(crate) attestation: &'a CarriedAttestation,
}

/// The first so many of the selected entries.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub(crate) async fn read(
    readers: &SqlitePool,
    selection: &Selection,
    limit: i64,
) -> Result<CarriedEntries, StoreError> {
    let hamlets = selection.hamlets.as_ref().map(json).transpose()?;
    let mut snapshot = readers.begin().await?;
    let entries: Vec<Entry> = sqlx::query_as(
        "SELECT change_log.seq, round.id, response.unit, change_log.hash, change_log.bytes,
             change_log.segment_key, change_log.attestation_key
         FROM change_log JOIN response USING (response_key) JOIN round USING (round_key)
         WHERE change_log.seq > $1 AND change_log.seq <= $2
             AND ($3 IS NULL OR change_log.hamlet_key IN (SELECT value FROM json_each($3)))
             AND ($4 IS NULL OR change_log.carried_by IS NOT $4)
         ORDER BY change_log.seq LIMIT $5",
    )
    .bind(selection.after)
    .bind(selection.until)
    .bind(hamlets)
    .bind(selection.without)
    .bind(limit)
    .fetch_all(&mut *snapshot)
    .await?;
    CarriedEntries::whole(&mut snapshot, entries).await
}

/// The hashes of all changes up to an entry, in the order of the log.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub(crate) async fn hashes_until(readers: &SqlitePool, until: i64) -> Result<Vec<ChangeHash>, StoreError> {
    let hashes: Vec<Vec<u8>> = sqlx::query_scalar("SELECT hash FROM change_log WHERE seq <= $1 ORDER BY seq")
        .bind(until)
        .fetch_all(readers)
        .await?;
    let hashes = hashes.into_iter();
    hashes.map(|hash| stored_hash(hash, "change_log")).collect()
}

/// The entries with these hashes, as far as the log has them and they are of these hamlets (of any where there are none).
///
/// # Errors
/// [`StoreError`] when the database fails.
pub(crate) async fn read_by_hash(
    readers: &SqlitePool,
    hashes: &[ChangeHash],
    hamlets: Option<&[i64]>,
) -> Result<CarriedEntries, StoreError> {
    let hashes: Vec<String> = hashes.iter().map(ToString::to_string).collect();
    let mut snapshot = readers.begin().await?;
    let entries: Vec<Entry> = sqlx::query_as(
        "SELECT change_log.seq, round.id, response.unit, change_log.hash, change_log.bytes,
             change_log.segment_key, change_log.attestation_key
         FROM json_each($1) AS wanted JOIN change_log ON change_log.hash = unhex(wanted.value)
         JOIN response USING (response_key) JOIN round USING (round_key)
         WHERE $2 IS NULL OR change_log.hamlet_key IN (SELECT value FROM json_each($2))
         ORDER BY change_log.seq",
    )
    .bind(json(&hashes)?)
    .bind(hamlets.map(|hamlets| json(&hamlets)).transpose()?)
    .fetch_all(&mut *snapshot)
    .await?;
    CarriedEntries::whole(&mut snapshot, entries).await
}

/// Changes that wait here for others, but for those that this neighbour brought: what they wait for may be where they are
/// carried to.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub(crate) async fn read_waiting(readers: &SqlitePool, without: i64, limit: i64) -> Result<CarriedEntries, StoreError> {
    let mut snapshot = readers.begin().await?;
    let entries: Vec<Entry> = sqlx::query_as(
        "SELECT $3, round.id, response.unit, waiting_change.hash, waiting_change.bytes, NULL, waiting_change.attestation_key
         FROM waiting_change JOIN response USING (response_key) JOIN round USING (round_key)
         WHERE waiting_change.carried_by IS NOT $1 ORDER BY waiting_change.received_at LIMIT $2",
    )
    .bind(without)
    .bind(limit)
    .bind(WAITING)
    .fetch_all(&mut *snapshot)
    .await?;
    CarriedEntries::whole(&mut snapshot, entries).await
}

impl CarriedEntries {
    /// These and others.
    pub(crate) fn and(mut self, others: Self) -> Self {
        self.entries.extend(others.entries);
        self.attestations.extend(others.attestations);
        self
    }

    /// Rows of the log with what they name: archived bytes and attestations.
    async fn whole(snapshot: &mut SqliteConnection, mut entries: Vec<Entry>) -> Result<Self, StoreError> {
        archive::fill(snapshot, &mut entries, |(_, _, _, hash, bytes, segment, _)| Place {
            hash,
            bytes,
            segment: *segment,
        })
        .await?;
        let mut keys: Vec<i64> = entries.iter().map(|(.., key)| *key).collect();
        keys.sort_unstable();
        keys.dedup();
        type Row = (i64, Vec<u8>, Vec<u8>, Vec<u8>);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT attestation.attestation_key, device.public_key, attestation.hashes, attestation.signature
             FROM json_each($1) AS wanted JOIN attestation ON attestation.attestation_key = wanted.value
             JOIN device USING (device_key)",
        )
        .bind(json(&keys)?)
        .fetch_all(snapshot)
        .await?;
        let mut attestations = HashMap::with_capacity(rows.len());
        for (key, device, hashes, signature) in rows {
            let (Ok(device), Ok(signature)) = (device.try_into(), signature.try_into()) else {
                return Err(damaged(format!(
                    "attestation {key} has a key or signature of a wrong length"
                )));
            };
            let attestation = CarriedAttestation {
                device: DevicePublicKey(device),
                hashes: ByteBuf::from(hashes),
                signature: AttestationSignature(signature),
            };
            attestations.insert(key, attestation);
        }
        match entries.iter().find(|(.., key)| !attestations.contains_key(key)) {
            Some((.., key)) => Err(damaged(format!("there is no attestation {key}"))),
            None => Ok(Self { entries, attestations }),
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// All of them, in the log's order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = CarriedEntry<'_>> {
        self.entries
            .iter()
            .filter_map(|(seq, round, unit, hash, bytes, _, attestation_key)| {
                Some(CarriedEntry {
                    seq: *seq,
                    hash,
                    round: RoundId(*round),
                    unit,
                    bytes,
                    attestation: self.attestations.get(attestation_key)?,
                })
            })
    }
}

fn damaged(reason: String) -> StoreError {
    StoreError::Damaged {
        table: "attestation",
        reason,
    }
}
