//! A key that another phone writes with too is replaced, and what the log did not take under it is written again
//! ([`sync_core::exchange::Rekeying`] says why and in which order).

use serde::Deserialize;
use serde_bytes::ByteBuf;
use serde_json::json;
use sync_core::device::{DeviceKey, Succession};
use sync_core::response::Response;

use super::hexadecimal;
use crate::phone::{Phone, Turn};
use crate::problem::PhoneError;
use crate::record::Secret;

/// What a phone with a new key is told.
#[derive(Deserialize)]
struct Rotation {
    token: String,
}

impl Phone {
    /// Draws a new key and keeps it beside the old one; the next request has the server put it in that one's place.
    pub(super) fn draw_key(&mut self, turn: &mut Turn) {
        let secret = Secret(turn.secret());
        if let Some(identity) = &mut self.identity {
            identity.next.get_or_insert(secret);
        }
        self.save_identity(turn);
    }

    /// What a rotation sends.
    pub(super) fn rotation(&self) -> Result<Vec<u8>, PhoneError> {
        let identity = self.identity.as_ref().ok_or(PhoneError::NotEnrolled)?;
        let next = identity.next.ok_or(PhoneError::NotEnrolled)?;
        let old = DeviceKey::from_secret(&identity.secret.0);
        let new = DeviceKey::from_secret(&next.0);
        let succession = Succession::sign(&old, &new);
        let request = json!({
            "predecessor": succession.predecessor.to_string(),
            "successor": succession.successor.to_string(),
            "by_predecessor": hexadecimal(&succession.by_predecessor),
            "by_successor": hexadecimal(&succession.by_successor),
        });
        Ok(serde_json::to_vec(&request)?)
    }

    /// The server has put the new key in the old one's place: it is the one in use from now on.
    pub(super) fn take_rotation(&mut self, body: &[u8], turn: &mut Turn) -> Result<(), PhoneError> {
        let rotation: Rotation = serde_json::from_slice(body)?;
        let identity = self.identity.as_mut().ok_or(PhoneError::NotEnrolled)?;
        let Some(next) = identity.next.take() else {
            return Ok(());
        };
        let old = std::mem::replace(&mut identity.secret, next);
        identity.predecessors.push(old);
        identity.token = Some(rotation.token);
        self.save_identity(turn);
        self.client.succeed(DeviceKey::from_secret(&old.0));
        self.progress.client = self.client.state();
        self.save_progress(turn);
        Ok(())
    }

    /// Writes again, by the key in use, what can not come in as it was written.
    pub(super) fn rewrite(&mut self, turn: &mut Turn) -> Result<(), PhoneError> {
        let (round, key) = self.enrolled()?;
        let units: Vec<String> = self.households.keys().cloned().collect();
        let mut dropped = Vec::new();
        for unit in units {
            let Some(household) = self.households.get(&unit) else {
                continue;
            };
            let response = household.response(round, &unit)?;
            let Some(rewritten) = self.client.rewrite(&response, &key)? else {
                continue;
            };
            if rewritten.replaced.is_empty() {
                continue;
            }
            let gone: Vec<_> = rewritten.replaced.iter().map(|replaced| replaced.dropped).collect();
            let written: Vec<_> = rewritten
                .replaced
                .into_iter()
                .filter_map(|replaced| replaced.written)
                .collect();
            self.replace(&unit, &rewritten.response, &gone, &written, turn)?;
            dropped.extend(gone);
        }
        let found = self.client.found_in_log();
        self.client.rewrote(dropped);
        self.leave_outbox(&found, turn)
    }

    /// Puts what was written in the place of what was dropped.
    fn replace(
        &mut self,
        unit: &str,
        response: &Response,
        gone: &[sync_core::ChangeHash],
        written: &[sync_core::Change],
        turn: &mut Turn,
    ) -> Result<(), PhoneError> {
        let household = self.households.entry(unit.to_owned()).or_default();
        household.outgoing.retain(|outgoing| {
            let stays = !gone.contains(&outgoing.change.hash());
            if !stays {
                turn.store.delete(outgoing.record);
                turn.store.unseal(outgoing.record);
            }
            stays
        });
        let unsent: Vec<_> = household
            .outgoing
            .iter()
            .map(|outgoing| outgoing.change.hash())
            .collect();
        let carried: Vec<_> = household.carried.iter().map(|carried| carried.change.hash()).collect();
        let is_new = |hash: &sync_core::ChangeHash| written.iter().any(|change| change.hash() == *hash);
        household.changes = response
            .changes()
            .into_iter()
            .filter(|change| !unsent.contains(&change.hash()) && !is_new(&change.hash()))
            .filter(|change| !carried.contains(&change.hash()))
            .map(|change| ByteBuf::from(change.raw_bytes()))
            .collect();
        for change in written {
            self.send_change(turn, unit, change.clone())?;
        }
        self.summarise(unit, response, turn);
        Ok(())
    }
}
