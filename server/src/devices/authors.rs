//! Who may write where: the devices that wrote a delivery's changes, with their scopes.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::SqlitePool;
use sync_core::device::DevicePublicKey;
use sync_core::exchange::RefusalReason;

use super::Caller;
use crate::hex;
use crate::store::StoreError;

/// A device that may write.
#[derive(Debug, Clone)]
pub(crate) struct Author {
    /// The database's number of the device.
    pub(crate) device_key: i64,
    /// The database's numbers of the hamlets that it may write.
    pub(crate) hamlets: BTreeSet<i64>,
}

/// The devices that may have written a delivery.
#[derive(Debug, Clone)]
pub(crate) struct Authors {
    known: BTreeMap<DevicePublicKey, Result<Author, RefusalReason>>,
    /// Why nothing of any other device is taken.
    others: RefusalReason,
}

impl Authors {
    /// A device that brings what it wrote itself. Carrying other devices' changes is a hub's work.
    pub(crate) fn only(caller: &Caller) -> Self {
        let author = Author {
            device_key: caller.device_key,
            hamlets: caller.hamlets.clone(),
        };
        Self {
            known: BTreeMap::from([(caller.device, Ok(author))]),
            others: RefusalReason::ForeignAuthor,
        }
    }

    /// Those of these devices that are enrolled here.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub(crate) async fn enrolled(
        readers: &SqlitePool,
        devices: impl Iterator<Item = DevicePublicKey>,
    ) -> Result<Self, StoreError> {
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
        for (device_key, public_key, revoked_at, hamlet_key) in rows {
            let public_key = public_key.try_into().map_err(|_| StoreError::Damaged {
                table: "device",
                reason: "a public key has not 32 bytes".to_owned(),
            })?;
            let author = known
                .entry(DevicePublicKey(public_key))
                .or_insert_with(|| match revoked_at {
                    Some(_) => Err(RefusalReason::RevokedDevice),
                    None => Ok(Author {
                        device_key,
                        hamlets: BTreeSet::new(),
                    }),
                });
            if let Ok(author) = author {
                author.hamlets.extend(hamlet_key);
            }
        }
        Ok(Self {
            known,
            others: RefusalReason::UnknownDevice,
        })
    }

    /// The author with this key, if anything of it is taken.
    pub(crate) fn find(&self, device: &DevicePublicKey) -> Result<&Author, RefusalReason> {
        match self.known.get(device) {
            Some(author) => author.as_ref().map_err(|reason| *reason),
            None => Err(self.others),
        }
    }
}
