//! Asking whom an invitation is for, before enrolling: a team's has names to choose from.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sync_core::device::DeviceKey;

use super::Run;
use crate::phone::Phone;
use crate::problem::PhoneError;

/// Whom an invitation is for.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Invited {
    /// The free names of a team; none where the invitation is for one phone, which has its name already.
    names: Option<Vec<String>>,
}

impl Phone {
    /// Begins to ask the server whom an invitation is for.
    pub(crate) fn begin_invitation(&mut self, code: String) -> Value {
        self.begin(false);
        self.exchange.running = Some(Run {
            invitation: Some(code),
            ..Run::default()
        });
        self.sync_state()
    }

    /// What the server said last to that: `Invited` of the protocol.
    pub(crate) fn invited(&self) -> Value {
        json!(self.exchange.invited)
    }

    /// What the question sends. A phone that has tried to enrol by this code says so: the name that it took is its own.
    pub(super) fn invitation_question(&self) -> Result<Vec<u8>, PhoneError> {
        let code = self.exchange.running.as_ref().and_then(|run| run.invitation.as_ref());
        let tried = self.identity.as_ref().filter(|identity| identity.code.as_ref() == code);
        let key = tried.map(|identity| DeviceKey::from_secret(&identity.secret.0).public().to_string());
        Ok(serde_json::to_vec(&json!({ "code": code, "public_key": key }))?)
    }

    /// Takes the answer, and ends the exchange that was only about it.
    pub(super) fn take_invited(&mut self, body: &[u8]) -> Result<(), PhoneError> {
        self.exchange.invited = serde_json::from_slice(body)?;
        self.exchange.running = None;
        Ok(())
    }
}
