//! How many connections there are, of everybody and of each device.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections at the same time.
const CONNECTIONS: u32 = 64;
/// Connections of one device at the same time.
const OF_ONE_DEVICE: u32 = 4;

/// Counts the connections that are open.
#[derive(Clone)]
pub struct Viewers {
    turns: Arc<Semaphore>,
    devices: Arc<Mutex<BTreeMap<i64, u32>>>,
}

/// One connection's place, given back when dropped.
pub(super) struct Viewer {
    viewers: Viewers,
    device_key: i64,
    _turn: OwnedSemaphorePermit,
}

impl Viewers {
    /// A place for one more connection of this device, if there is any.
    pub(super) fn admit(&self, device_key: i64) -> Option<Viewer> {
        let turn = Arc::clone(&self.turns).try_acquire_owned().ok()?;
        let mut devices = self.devices();
        let open = devices.entry(device_key).or_default();
        if *open >= OF_ONE_DEVICE {
            return None;
        }
        *open += 1;
        drop(devices);
        Some(Viewer {
            viewers: self.clone(),
            device_key,
            _turn: turn,
        })
    }

    /// Waits until all connections have ended, or so long.
    pub async fn gone(&self, patience: Duration) {
        let _ = tokio::time::timeout(patience, self.turns.acquire_many(CONNECTIONS)).await;
    }

    fn devices(&self) -> MutexGuard<'_, BTreeMap<i64, u32>> {
        self.devices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Viewers {
    fn default() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(CONNECTIONS as usize)),
            devices: Arc::default(),
        }
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        let mut devices = self.viewers.devices();
        if let Some(open) = devices.get_mut(&self.device_key) {
            *open -= 1;
            if *open == 0 {
                devices.remove(&self.device_key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_device_takes_no_more_than_its_share_and_places_come_back() {
        let viewers = Viewers::default();
        let mut open: Vec<Viewer> = (0..OF_ONE_DEVICE).map(|_| viewers.admit(1).unwrap()).collect();
        assert!(viewers.admit(1).is_none());
        open.pop();
        open.push(viewers.admit(1).unwrap());
        let others = i64::from((CONNECTIONS - OF_ONE_DEVICE) / OF_ONE_DEVICE);
        for device in 2..2 + others {
            open.extend((0..OF_ONE_DEVICE).map(|_| viewers.admit(device).unwrap()));
        }
        assert!(viewers.admit(100).is_none());
        drop(open);
        assert!(viewers.admit(100).is_some());
        assert!(viewers.devices().is_empty());
    }
}
