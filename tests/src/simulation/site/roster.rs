//! The devices that an installation knows, as it tells its neighbours.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sync_core::device::DevicePublicKey;

use super::data::Data;

/// One device.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct RosterDevice {
    key: DevicePublicKey,
    scope: BTreeSet<i64>,
    is_revoked: bool,
    /// The hamlets that were withdrawn, and when.
    withdrawn: Vec<(i64, i64)>,
    successor: Option<DevicePublicKey>,
}

/// The devices that one neighbour tells another of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::simulation) struct Roster {
    devices: Vec<RosterDevice>,
    /// The hamlets that the neighbour answers for: nothing counts that it says of others.
    within: Option<BTreeSet<i64>>,
}

impl Roster {
    /// The devices that an installation tells of: all, or those that may write, or have written, in these hamlets.
    pub(super) fn of(data: &Data, hamlets: Option<&BTreeSet<i64>>) -> Self {
        let concerns = |key: &DevicePublicKey, scope: &BTreeSet<i64>| {
            hamlets.is_none_or(|hamlets| {
                let mut log = data.log.iter().filter(|entry| entry.device() == *key);
                !scope.is_disjoint(hamlets) || log.any(|entry| hamlets.contains(&entry.hamlet()))
            })
        };
        let devices = data.known.iter().filter(|(key, scope)| concerns(key, scope));
        let devices = devices.map(|(key, scope)| RosterDevice {
            key: *key,
            scope: within(scope, hamlets),
            is_revoked: data.revoked.contains(key),
            withdrawn: scope
                .iter()
                .filter_map(|hamlet| Some((*hamlet, *data.withdrawn.get(&(*key, *hamlet))?)))
                .collect(),
            successor: data.successors.get(key).copied(),
        });
        Self {
            devices: devices.collect(),
            within: None,
        }
    }

    /// The same, from somebody who answers for these hamlets only.
    pub(super) fn within(self, hamlets: &BTreeSet<i64>) -> Self {
        Self {
            within: Some(hamlets.clone()),
            ..self
        }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).unwrap()
    }

    /// What becomes of an installation's data by it.
    pub(super) fn import(&self, data: &mut Data) {
        let answers_for = |hamlet: &i64| self.within.as_ref().is_none_or(|within| within.contains(hamlet));
        for device in &self.devices {
            let here = data.known.entry(device.key).or_default();
            here.extend(device.scope.iter().filter(|hamlet| answers_for(hamlet)));
            let answers_for_all = here.iter().all(answers_for);
            if device.is_revoked && answers_for_all && !data.revoked.contains(&device.key) {
                data.revoke(device.key);
            }
            for (hamlet, at) in device.withdrawn.iter().filter(|(hamlet, _)| answers_for(hamlet)) {
                data.withdrawn.entry((device.key, *hamlet)).or_insert(*at);
            }
        }
        for device in &self.devices {
            if let Some(successor) = device.successor {
                data.successors.entry(device.key).or_insert(successor);
            }
        }
    }
}

fn within(scope: &BTreeSet<i64>, hamlets: Option<&BTreeSet<i64>>) -> BTreeSet<i64> {
    match hamlets {
        Some(hamlets) => scope.intersection(hamlets).copied().collect(),
        None => scope.clone(),
    }
}
