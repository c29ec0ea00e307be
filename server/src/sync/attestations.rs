//! Attestations in the database: kept once for each delivery of which something is kept.

use std::collections::BTreeMap;

use sqlx::sqlite::SqliteConnection;
use sync_core::device::DevicePublicKey;
use sync_core::exchange::Admitted;
use sync_core::exchange::delivery::KeptAttestation;

use crate::store::StoreError;

/// The attestations of a delivery, which are written when something that they sign is.
pub(super) struct Attestations<'a> {
    /// The database's number of each device whose changes are in the delivery.
    device_keys: &'a BTreeMap<DevicePublicKey, i64>,
    brought: &'a [KeptAttestation],
    /// The numbers of those that are written.
    keys: BTreeMap<usize, i64>,
}

impl<'a> Attestations<'a> {
    pub(super) fn new(device_keys: &'a BTreeMap<DevicePublicKey, i64>, brought: &'a [KeptAttestation]) -> Self {
        Self {
            device_keys,
            brought,
            keys: BTreeMap::new(),
        }
    }

    /// The database's number of a change's author.
    pub(super) fn device_key(&self, admitted: &Admitted) -> Result<i64, StoreError> {
        let key = self.device_keys.get(&admitted.device).copied();
        key.ok_or_else(|| missing("device", "the author of an admitted change has no number"))
    }

    /// The database's number of the attestation that signs a change.
    pub(super) async fn key(
        &mut self,
        connection: &mut SqliteConnection,
        admitted: &Admitted,
    ) -> Result<i64, StoreError> {
        if let Some(key) = self.keys.get(&admitted.attestation) {
            return Ok(*key);
        }
        let attestation = self
            .brought
            .get(admitted.attestation)
            .ok_or_else(|| missing("attestation", "an admitted change names one that was not brought"))?;
        let key = sqlx::query_scalar(
            "INSERT INTO attestation (device_key, hashes, signature) VALUES ($1, $2, $3) RETURNING attestation_key",
        )
        .bind(self.device_key(admitted)?)
        .bind(attestation.hashes.iter().flat_map(|hash| hash.0).collect::<Vec<u8>>())
        .bind(attestation.signature.0.as_slice())
        .fetch_one(connection)
        .await?;
        self.keys.insert(admitted.attestation, key);
        Ok(key)
    }
}

fn missing(table: &'static str, reason: &str) -> StoreError {
    StoreError::Damaged {
        table,
        reason: reason.to_owned(),
    }
}
