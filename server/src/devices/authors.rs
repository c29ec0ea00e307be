//! Who may write where: the devices that wrote what comes here, and what each may write.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::SqliteExecutor;
use sync_core::device::DevicePublicKey;
use sync_core::exchange::RefusalReason;
use sync_core::exchange::delivery::Author;
use sync_core::exchange::intake::HamletKey;

use crate::hex;
use crate::store::StoreError;

/// An enrolled device.
#[derive(Debug, Clone)]
pub(crate) struct Enrolled {
    /// The database's number of it.
    pub(crate) key: i64,
    /// What it may write, or why nothing of it is taken.
    pub(crate) author: Result<Author, RefusalReason>,
}

/// Those of these devices that are enrolled here.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub(crate) async fn enrolled(
    executor: impl SqliteExecutor<'_>,
    devices: &BTreeSet<DevicePublicKey>,
) -> Result<BTreeMap<DevicePublicKey, Enrolled>, StoreError> {
    let keys: Vec<String> = devices.iter().map(|device| hex::encode(&device.0)).collect();
    let keys =
        serde_json::to_string(&keys).map_err(|error| StoreError::Database(sqlx::Error::Encode(Box::new(error))))?;
    type Row = (i64, Vec<u8>, Option<i64>, Option<i64>, Option<i64>, Option<i64>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT device.device_key, device.public_key, device.revoked_at, device.clock_ahead,
             device_scope.hamlet_key, device_scope.withdrawn_at
         FROM json_each($1) AS wanted
         JOIN device ON device.public_key = unhex(wanted.value)
         LEFT JOIN device_scope USING (device_key)",
    )
    .bind(keys)
    .fetch_all(executor)
    .await?;
    let mut enrolled = BTreeMap::new();
    for (key, public_key, revoked_at, clock_ahead, hamlet_key, withdrawn_at) in rows {
        let device = public_key_of(public_key)?;
        let enrolled = enrolled.entry(device).or_insert_with(|| Enrolled {
            key,
            author: match revoked_at {
                Some(_) => Err(RefusalReason::RevokedDevice),
                None => Ok(Author {
                    hamlets: BTreeMap::new(),
                    clock_ahead: clock_ahead.unwrap_or(0),
                }),
            },
        });
        if let (Ok(author), Some(hamlet_key)) = (&mut enrolled.author, hamlet_key) {
            author.hamlets.insert(HamletKey(hamlet_key), withdrawn_at);
        }
    }
    Ok(enrolled)
}

/// A public key as the database has it.
///
/// # Errors
/// [`StoreError::Damaged`] when it is none.
pub(crate) fn public_key_of(bytes: Vec<u8>) -> Result<DevicePublicKey, StoreError> {
    let key = bytes.try_into().map_err(|_| StoreError::Damaged {
        table: "device",
        reason: "a public key has not 32 bytes".to_owned(),
    })?;
    Ok(DevicePublicKey(key))
}
