//! Takes changes into the log, whichever way they came: by a phone's request, in a bundle, or out of quarantine.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::sqlite::SqliteConnection;
use sync_core::device::DevicePublicKey;
use sync_core::exchange::delivery::{Delivery, Taken};

use super::log;
use super::quarantine::{are_quarantined, record_release, take_back_release};
use super::source::Source;
use crate::devices::enrolled;
use crate::store::{Store, StoreError};

/// Takes a delivery in. When it returns, what was taken is durable; taking it again changes nothing.
///
/// # Errors
/// [`StoreError`] when the database fails; nothing is kept then.
pub(crate) async fn take(store: &Store, delivery: Delivery, source: Source) -> Result<Taken, StoreError> {
    let source = Arc::new(source);
    loop {
        if let Some(taken) = attempt(store, &delivery, &source).await? {
            return Ok(taken);
        }
    }
}

/// The same if nothing on which it depends changes meanwhile: who may write where, and that what an official releases is
/// still in quarantine. Otherwise nothing is taken.
///
/// # Errors
/// As [`take`].
pub(super) async fn attempt(
    store: &Store,
    delivery: &Delivery,
    source: &Arc<Source>,
) -> Result<Option<Taken>, StoreError> {
    let mut devices = delivery.devices();
    devices.extend(source.device());
    let frame = source.frame(log::frame(&store.readers, &delivery.units()).await?);
    let known = enrolled(&store.readers, &devices).await?;
    let authors = source.authors(&known);
    let sorted = delivery.clone().sort(&frame, &authors);
    let stored = log::stored_responses(&store.readers, sorted.responses()).await?;
    // Reading histories keeps a core busy, so it leaves the threads that serve connections.
    let planned = tokio::task::spawn_blocking(move || sorted.plan(&stored))
        .await
        .map_err(|_| StoreError::ShuttingDown)?;
    let source = Arc::clone(source);
    store
        .writer
        .write(move |connection| {
            Box::pin(async move {
                // Nothing enters the log of a device that was revoked, or of a hamlet that was withdrawn, since the plan
                // was made; nor what another official discarded.
                if source.authors(&enrolled(&mut *connection, &devices).await?) != authors
                    || !still_there(connection, &source).await?
                {
                    return Ok(None);
                }
                source.write(connection).await?;
                let device_keys: BTreeMap<DevicePublicKey, i64> = known
                    .into_iter()
                    .map(|(device, enrolled)| (device, enrolled.key))
                    .collect();
                let (plan, attestations) = planned.plan();
                if let Source::Quarantine(release) = &*source {
                    record_release(connection, release).await?;
                }
                let told = log::write(connection, &device_keys, plan, attestations, &source).await?;
                if let Source::Quarantine(release) = &*source {
                    take_back_release(connection, release).await?;
                }
                Ok(Some(planned.written(told)))
            })
        })
        .await
}

async fn still_there(connection: &mut SqliteConnection, source: &Source) -> Result<bool, StoreError> {
    match source {
        Source::Quarantine(release) => are_quarantined(connection, release.origins.keys().copied()).await,
        Source::Phone(_) | Source::Carried | Source::Hub(..) | Source::Upstream(_) => Ok(true),
    }
}
