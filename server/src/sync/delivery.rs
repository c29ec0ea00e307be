//! Takes changes into the log, whichever way they came: by a phone's request or in a bundle.

use std::collections::BTreeMap;

use sqlx::sqlite::SqliteConnection;
use sync_core::device::DevicePublicKey;
use sync_core::exchange::delivery::{Delivery, Taken};

use super::log;
use crate::store::{Job, Store, StoreError};

/// What is written in the transaction that takes a delivery in: all of it is there afterwards, or nothing.
pub(crate) type Together = Box<dyn for<'c> FnOnce(&'c mut SqliteConnection) -> Job<'c, ()> + Send>;

/// Who brings a delivery.
#[derive(Default)]
pub(crate) struct Bringer {
    /// The neighbour that need not be brought these changes again: a number of `change_log.carried_by`.
    pub(crate) carried_by: Option<i64>,
    /// What is to be kept of the bringer himself.
    pub(crate) together: Option<Together>,
}

/// Takes a delivery in. When it returns, what was taken is durable; taking it again changes nothing. `device_keys` has
/// the database's number of every device whose changes may be taken.
///
/// # Errors
/// [`StoreError`] when the database fails; nothing is kept then.
pub(crate) async fn take(
    store: &Store,
    delivery: Delivery,
    device_keys: BTreeMap<DevicePublicKey, i64>,
    bringer: Bringer,
) -> Result<Taken, StoreError> {
    let frame = log::frame(&store.readers, &delivery.units()).await?;
    let sorted = delivery.sort(&frame);
    let stored = log::stored_responses(&store.readers, &sorted.responses()).await?;
    // Reading histories keeps a core busy, so it leaves the threads that serve connections.
    let planned = tokio::task::spawn_blocking(move || sorted.plan(&stored))
        .await
        .map_err(|_| StoreError::ShuttingDown)?;
    store
        .writer
        .write(move |connection| {
            Box::pin(async move {
                if let Some(together) = bringer.together {
                    together(connection).await?;
                }
                let (plan, attestations) = planned.plan();
                let late = log::write(connection, &device_keys, plan, attestations, bringer.carried_by).await?;
                Ok((planned, late))
            })
        })
        .await
        .map(|(planned, late)| planned.written(late))
}
