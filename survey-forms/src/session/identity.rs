//! Who fills in the form, on which device.

use serde::{Deserialize, Serialize};

use crate::model::Metadata;

/// What the app knows of its device and user, for metadata questions (XLSForm reference, "Metadata"). What is none stays
/// unanswered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Identity {
    /// The user's name.
    pub username: Option<String>,
    /// The user's e-mail address.
    pub email: Option<String>,
    /// The device's telephone number.
    pub phone_number: Option<String>,
    /// The subscriber's identity on the SIM card.
    pub subscriber_id: Option<String>,
    /// The SIM card's serial number.
    pub sim_serial: Option<String>,
}

impl Identity {
    /// What a metadata question records of the device or user; the schemes of URIs are those of ODK Collect
    /// (`PropertyManager`). None for metadata of other kinds.
    pub(super) fn recorded(&self, metadata: Metadata, device_id: Option<&str>) -> Option<String> {
        let (scheme, text) = match metadata {
            Metadata::DeviceId | Metadata::UriDeviceId => ("", device_id),
            Metadata::Username => ("", self.username.as_deref()),
            Metadata::Email => ("", self.email.as_deref()),
            Metadata::PhoneNumber => ("", self.phone_number.as_deref()),
            Metadata::SubscriberId => ("", self.subscriber_id.as_deref()),
            Metadata::SimSerial => ("", self.sim_serial.as_deref()),
            Metadata::UriUsername => ("username:", self.username.as_deref()),
            Metadata::UriEmail => ("mailto:", self.email.as_deref()),
            Metadata::UriPhoneNumber => ("tel:", self.phone_number.as_deref()),
            Metadata::UriSubscriberId => ("imsi:", self.subscriber_id.as_deref()),
            Metadata::UriSimSerial => ("simserial:", self.sim_serial.as_deref()),
            Metadata::Start
            | Metadata::End
            | Metadata::Today
            | Metadata::Audit
            | Metadata::StartGeopoint
            | Metadata::BackgroundGeopoint
            | Metadata::BackgroundAudio => return None,
        };
        text.map(|text| format!("{scheme}{text}"))
    }
}
