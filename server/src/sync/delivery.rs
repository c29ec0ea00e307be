//! Takes changes into the log, whichever way they came: by a phone's request, in a bundle, or out of quarantine.

use std::collections::BTreeMap;
use std::sync::Arc;

use sync_core::device::DevicePublicKey;
use sync_core::exchange::delivery::{Delivery, Taken};

use super::log;
use super::quarantine::{discarded_of, record_release, take_back_release};
use super::source::Source;
use crate::devices::enrolled;
use crate::store::{Store, StoreError};

/// Takes a delivery in. When it returns, what was taken is durable; taking it again changes nothing.
///
/// # Errors
/// [`StoreError`] when the database fails; nothing is kept then.
pub(crate) async fn take(store: &Store, delivery: Delivery, source: Source) -> Result<Taken, StoreError> {
    let mut devices = delivery.devices();
    devices.extend(source.device());
    let devices = Arc::new(devices);
    let source = Arc::new(source);
    let hashes = Arc::new(delivery.hashes());
    loop {
        // Before the frame, so that what is discarded between the two is found by the writer.
        let discarded = discarded_of(&store.readers, &hashes).await?;
        let frame = source.frame(log::frame(&store.readers, &delivery.units()).await?);
        let known = enrolled(&store.readers, &devices).await?;
        let authors = source.authors(&known);
        let sorted = delivery.clone().sort(&frame, &authors);
        let stored = log::stored_responses(&store.readers, sorted.responses()).await?;
        // Reading histories keeps a core busy, so it leaves the threads that serve connections.
        let planned = tokio::task::spawn_blocking(move || sorted.plan(&stored))
            .await
            .map_err(|_| StoreError::ShuttingDown)?;
        let (devices, source, hashes) = (Arc::clone(&devices), Arc::clone(&source), Arc::clone(&hashes));
        let taken = store
            .writer
            .write(move |connection| {
                Box::pin(async move {
                    // Nothing enters the log of a device that was revoked, or of a hamlet that was withdrawn, since the
                    // plan was made.
                    if source.authors(&enrolled(&mut *connection, &devices).await?) != authors {
                        return Ok(None);
                    }
                    // Nor what an official has discarded since, be it while another released it.
                    if discarded_of(&mut *connection, &hashes).await? != discarded {
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
            .await?;
        if let Some(taken) = taken {
            return Ok(taken);
        }
    }
}
