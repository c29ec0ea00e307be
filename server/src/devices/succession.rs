//! Succession: the statement that one key takes the place of another, as JSON has it, and what the database keeps of it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnection;
use sync_core::device::{DevicePublicKey, SignatureError, Succession};

use super::public_key_of;
use crate::hex;
use crate::store::StoreError;

/// Bytes of a signature.
const SIGNATURE_BYTES: usize = 64;

/// A succession as devices and rosters write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatedSuccession {
    /// The public key that is no longer used, 64 hexadecimal digits.
    pub predecessor: String,
    /// The public key in its place, 64 hexadecimal digits.
    pub successor: String,
    /// The predecessor's signature, 128 hexadecimal digits.
    pub by_predecessor: String,
    /// The successor's signature, 128 hexadecimal digits.
    pub by_successor: String,
}

/// Why a stated succession is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SuccessionError {
    /// A field is not hexadecimal.
    #[error("{field}: {digits} hexadecimal digits are needed")]
    NoHex {
        /// The field's name.
        field: &'static str,
        /// How many digits it has.
        digits: usize,
    },
    /// It names one key twice.
    #[error("a key cannot take its own place; draw a new one")]
    SameKey,
    /// One of the two did not sign it.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl SuccessionError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::NoHex { field, digits } => format!("{field}: cần {digits} chữ số thập lục phân"),
            Self::SameKey => "khóa không thể thay thế chính nó; hãy tạo khóa mới".to_owned(),
            Self::Signature(error) => error.vietnamese(),
        }
    }
}

impl StatedSuccession {
    /// What is stated, if both signed it.
    ///
    /// # Errors
    /// [`SuccessionError`].
    pub fn verified(&self) -> Result<Succession, SuccessionError> {
        let stated = Succession {
            predecessor: DevicePublicKey(field("predecessor", &self.predecessor)?),
            successor: DevicePublicKey(field("successor", &self.successor)?),
            by_predecessor: field("by_predecessor", &self.by_predecessor)?,
            by_successor: field("by_successor", &self.by_successor)?,
        };
        if stated.predecessor == stated.successor {
            return Err(SuccessionError::SameKey);
        }
        stated.verify()?;
        Ok(stated)
    }

    /// What the database keeps of a succession; none where it keeps none.
    pub(super) fn kept(predecessor: &str, successor: Option<Vec<u8>>, signatures: Option<Vec<u8>>) -> Option<Self> {
        let signatures = signatures?;
        let (by_predecessor, by_successor) = signatures.split_at_checked(SIGNATURE_BYTES)?;
        Some(Self {
            predecessor: predecessor.to_owned(),
            successor: hex::encode(&successor?),
            by_predecessor: hex::encode(by_predecessor),
            by_successor: hex::encode(by_successor),
        })
    }
}

impl From<Succession> for StatedSuccession {
    fn from(succession: Succession) -> Self {
        Self {
            predecessor: succession.predecessor.to_string(),
            successor: succession.successor.to_string(),
            by_predecessor: hex::encode(&succession.by_predecessor),
            by_successor: hex::encode(&succession.by_successor),
        }
    }
}

fn field<const N: usize>(field: &'static str, text: &str) -> Result<[u8; N], SuccessionError> {
    hex::decode(text).ok_or(SuccessionError::NoHex { field, digits: N * 2 })
}

/// Keeps a succession between two devices that the database has, where the predecessor has no successor yet.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub(super) async fn keep(connection: &mut SqliteConnection, succession: &Succession) -> Result<(), StoreError> {
    let signatures = [succession.by_predecessor, succession.by_successor].concat();
    sqlx::query(
        "UPDATE device SET successor_key = successor.device_key, succession = $3
         FROM (SELECT device_key FROM device WHERE public_key = $2) AS successor
         WHERE device.public_key = $1 AND device.successor_key IS NULL",
    )
    .bind(succession.predecessor.0.as_slice())
    .bind(succession.successor.0.as_slice())
    .bind(signatures)
    .execute(connection)
    .await?;
    Ok(())
}

/// The keys that a device had before, as far as they were not revoked.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub(super) async fn predecessors(
    readers: &SqlitePool,
    device_key: i64,
) -> Result<BTreeSet<DevicePublicKey>, StoreError> {
    let keys: Vec<Vec<u8>> = sqlx::query_scalar(
        "WITH RECURSIVE predecessor (device_key) AS (
             SELECT device_key FROM device WHERE successor_key = $1
             UNION SELECT device.device_key FROM device JOIN predecessor ON device.successor_key = predecessor.device_key
         )
         SELECT device.public_key FROM predecessor JOIN device USING (device_key)
         WHERE device.revoked_at IS NULL AND device.device_key <> $1",
    )
    .bind(device_key)
    .fetch_all(readers)
    .await?;
    keys.into_iter().map(public_key_of).collect()
}
