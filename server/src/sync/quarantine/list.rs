//! What is in quarantine, for the person who decides.

use serde::Serialize;
use sync_core::exchange::delivery::written_at;
use sync_core::identity::ResponseId;
use sync_core::response::{Written, written_by};
use uuid::Uuid;

use super::super::log::change;
use crate::clock;
use crate::hex;
use crate::store::{Store, StoreError};

/// A change in quarantine.
#[derive(Debug, Clone, Serialize)]
pub struct ListedChange {
    /// Its hash, 64 hexadecimal digits.
    pub hash: String,
    /// The public key of its author's device.
    pub device: String,
    /// The device's name.
    pub device_name: String,
    /// The round.
    pub round: Uuid,
    /// The unit's code, as it was told.
    pub unit: String,
    /// Why it was refused.
    pub reason: String,
    /// When it came, by the server's clock.
    pub received_at: String,
    /// When it was written: by the server's clock where the author's was compared with it, else by the author's own.
    pub written_at: String,
    /// How far the author's clock was ahead when the change came, in milliseconds; none where somebody else brought it.
    pub clock_ahead: Option<i64>,
    /// What it writes.
    pub writes: Vec<Written>,
}

/// Everything in quarantine, each device's together, in the order in which it came.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub async fn list(store: &Store) -> Result<Vec<ListedChange>, StoreError> {
    type Row = (
        Vec<u8>,
        Uuid,
        Uuid,
        String,
        Vec<u8>,
        String,
        String,
        i64,
        Option<i64>,
        Vec<u8>,
    );
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT quarantined_change.hash, quarantined_change.response_id, round.id, quarantined_change.unit,
             device.public_key, device.name, quarantined_change.reason, quarantined_change.received_at,
             quarantined_change.clock_ahead, quarantined_change.bytes
         FROM quarantined_change JOIN round USING (round_key) JOIN device USING (device_key)
         ORDER BY device.device_key, quarantined_change.received_at, quarantined_change.rowid",
    )
    .fetch_all(&store.readers)
    .await?;
    let mut listed = Vec::with_capacity(rows.len());
    for (hash, response, round, unit, device, device_name, reason, received_at, clock_ahead, bytes) in rows {
        let change = change(&bytes, "quarantined_change")?;
        listed.push(ListedChange {
            hash: hex::encode(&hash),
            device: hex::encode(&device),
            device_name,
            round,
            unit,
            reason,
            received_at: clock::rfc3339(received_at),
            written_at: clock::rfc3339(written_at(&change, clock_ahead.unwrap_or(0))),
            clock_ahead,
            writes: written_by(&change, ResponseId(response)),
        });
    }
    Ok(listed)
}
