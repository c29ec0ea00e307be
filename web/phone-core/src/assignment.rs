//! What the server gives an enrolled phone to do.

use serde::Deserialize;
use sync_core::bundle::RecipientKey;
use sync_core::device::DevicePublicKey;
use sync_core::identity::RoundId;

use crate::phone::Language;
use crate::supervision::ReviewState;

/// `GET /api/v1/rounds/{round}/assignment`, as far as the phone uses it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Assignment {
    pub(crate) device: Device,
    pub(crate) round: Round,
    pub(crate) form: FormReference,
    pub(crate) units: Vec<Unit>,
    /// The devices that write in the same hamlets.
    pub(crate) teammates: Vec<Teammate>,
    /// The key to which bundles for the server are sealed, as `khaosat bundle key` prints it.
    pub(crate) sealing_key: String,
}

/// This device, as the server knows it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Device {
    pub(crate) name: String,
    /// Whether its user leads the team of its hamlets.
    #[serde(default)]
    pub(crate) leader: bool,
    pub(crate) hamlets: Vec<Hamlet>,
}

#[derive(Debug, Clone, Deserialize, serde::Serialize)]
pub(crate) struct Hamlet {
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) commune: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Round {
    pub(crate) id: RoundId,
    pub(crate) name: Text,
    pub(crate) open: bool,
    pub(crate) simulated: bool,
}

/// A text in both languages.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Text {
    vi: String,
    en: String,
}

impl Text {
    pub(crate) fn get(&self, language: Language) -> &str {
        match language {
            Language::Vietnamese => &self.vi,
            Language::English => &self.en,
        }
    }
}

/// Which form, in which version.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct FormReference {
    /// The entity tag of its definition.
    pub(crate) tag: String,
    pub(crate) title: String,
    pub(crate) version: String,
}

/// A household to visit.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Unit {
    pub(crate) code: String,
    pub(crate) hamlet: String,
    pub(crate) address: String,
    /// Whether it was not on the list and somebody added it in the field.
    #[serde(default)]
    pub(crate) added: bool,
    /// Who is to do it, by actor; whoever comes, where nobody is named.
    #[serde(default)]
    pub(crate) assignee: Option<String>,
    /// What was found of its interview as the server has it.
    #[serde(default)]
    pub(crate) review: Option<Review>,
}

/// What was found of an interview.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Review {
    pub(crate) state: ReviewState,
    pub(crate) reason: String,
    /// The name of the leader who decided; nothing, where an official did.
    #[serde(default)]
    pub(crate) by: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Teammate {
    /// The device's actor in hexadecimal.
    pub(crate) actor: String,
    pub(crate) name: String,
    /// The device's public key in hexadecimal; empty in what an older server wrote.
    #[serde(default)]
    pub(crate) public_key: String,
    #[serde(default)]
    pub(crate) leader: bool,
    /// The hamlets of this phone's in which it may write now.
    #[serde(default)]
    pub(crate) hamlets: Vec<String>,
}

impl Teammate {
    /// The device's public key, if it is one.
    pub(crate) fn key(&self) -> Option<DevicePublicKey> {
        let mut key = [0; 32];
        if self.public_key.len() != 2 * key.len() || !self.public_key.is_ascii() {
            return None;
        }
        for (place, byte) in key.iter_mut().enumerate() {
            let digits = self.public_key.get(2 * place..2 * place + 2)?;
            *byte = u8::from_str_radix(digits, 16).ok()?;
        }
        Some(DevicePublicKey(key))
    }
}

impl Assignment {
    /// The server's key for sealing; none where it is not one.
    pub(crate) fn recipient(&self) -> Option<RecipientKey> {
        self.sealing_key.parse().ok()
    }
}
