//! Who may write where: the devices that wrote what somebody carries here, with their scopes.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::SqlitePool;
use sync_core::device::DevicePublicKey;
use sync_core::exchange::RefusalReason;
use sync_core::exchange::delivery::Authors;
use sync_core::exchange::intake::HamletKey;

use crate::hex;
use crate::store::StoreError;

/// Those of these devices that are enrolled here, and the database's number of each.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub(crate) async fn enrolled_authors(
    readers: &SqlitePool,
    devices: impl Iterator<Item = DevicePublicKey>,
) -> Result<(Authors, BTreeMap<DevicePublicKey, i64>), StoreError> {
    let keys: BTreeSet<String> = devices.map(|device| hex::encode(&device.0)).collect();
    let keys =
        serde_json::to_string(&keys).map_err(|error| StoreError::Database(sqlx::Error::Encode(Box::new(error))))?;
    type Row = (i64, Vec<u8>, Option<i64>, Option<i64>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT device.device_key, device.public_key, device.revoked_at, device_scope.hamlet_key
         FROM json_each($1) AS wanted
         JOIN device ON device.public_key = unhex(wanted.value)
         LEFT JOIN device_scope USING (device_key)",
    )
    .bind(keys)
    .fetch_all(readers)
    .await?;
    let mut known = BTreeMap::new();
    let mut device_keys = BTreeMap::new();
    for (device_key, public_key, revoked_at, hamlet_key) in rows {
        let public_key = public_key.try_into().map_err(|_| StoreError::Damaged {
            table: "device",
            reason: "a public key has not 32 bytes".to_owned(),
        })?;
        let device = DevicePublicKey(public_key);
        device_keys.insert(device, device_key);
        let scope = known.entry(device).or_insert_with(|| match revoked_at {
            Some(_) => Err(RefusalReason::RevokedDevice),
            None => Ok(BTreeSet::new()),
        });
        if let Ok(scope) = scope {
            scope.extend(hamlet_key.map(HamletKey));
        }
    }
    Ok((Authors::enrolled(known), device_keys))
}
