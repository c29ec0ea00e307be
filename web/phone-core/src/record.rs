//! What is kept on the phone, in pieces that are each read and written whole. The worker encrypts them.
//!
//! A response is in one [`Record::Unit`] as far as the server has it, and what it does not have is in records of its own,
//! so that a damaged record costs either something that the server still has, or one change.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use survey_forms::answers::{AnswerPath, InstanceId, Value};
use sync_core::device::DeviceKey;
use sync_core::exchange::{CarriedAttestation, ClientState};
use sync_core::identity::RoundId;

use crate::household::Summary;
use crate::interview::Layout;
use crate::interview::audit::AuditEvent;
use crate::supervision::DecisionRecord;

/// The number of a record. Those below [`FIRST_FREE`] have one subject each.
pub(crate) type RecordId = u64;

/// Things with where each is kept.
pub(crate) type Kept<T> = Vec<(RecordId, T)>;

/// Who this phone is.
pub(crate) const IDENTITY: RecordId = 1;
/// How far it has read the server's log.
pub(crate) const PROGRESS: RecordId = 2;
/// What it is to do.
pub(crate) const ASSIGNMENT: RecordId = 3;
/// The form.
pub(crate) const FORM: RecordId = 4;
/// How its user likes it.
pub(crate) const SETTINGS: RecordId = 5;
/// The first number of the other records.
pub(crate) const FIRST_FREE: RecordId = 100;

/// A record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Record {
    /// [`IDENTITY`].
    Identity(Identity),
    /// [`PROGRESS`].
    Progress(Progress),
    /// [`ASSIGNMENT`]: as the server wrote it, with its entity tag.
    Assignment { tag: String, json: String },
    /// [`FORM`]: its definition as JSON, with its entity tag.
    Form { tag: String, json: String },
    /// [`SETTINGS`].
    Settings(Settings),
    /// A unit's response without what is in other records.
    Unit(UnitRecord),
    /// A change that this phone wrote and the server may not have.
    Outgoing(UnitChange),
    /// A change of somebody else that came while the unit's interview was open: its author's answers meet those of the
    /// interview when that ends.
    Held(UnitChange),
    /// A change of somebody else that this phone carries to the server.
    Carried(CarriedRecord),
    /// A bundle of somebody else, sealed to the server, that this phone carries there.
    Parcel(ByteBuf),
    /// A picture, a recording or another file that an answer names, until the server has it.
    Attachment(AttachmentRecord),
    /// An open interview.
    Draft { unit: String, started_at: i64 },
    /// What was done in the open interview.
    DraftStep(DraftStep),
    /// How it came about.
    AuditEvent(AuditEvent),
    /// A leader's decision, until the server has answered and, where it refused, somebody has read that.
    Decision(DecisionRecord),
}

/// A change of a unit's response.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct UnitChange {
    pub(crate) unit: String,
    pub(crate) change: ByteBuf,
}

/// See [`Record::Carried`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CarriedRecord {
    pub(crate) unit: String,
    pub(crate) change: ByteBuf,
    /// Its author's signature, with which the server believes it.
    pub(crate) attestation: CarriedAttestation,
    pub(crate) visibility: Visibility,
    /// Whether the server has answered for it. Then it is here only to be seen.
    pub(crate) delivered: bool,
}

/// Whether a carried change is part of what the phone shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Visibility {
    /// As if the server had sent it.
    Shown,
    /// When the interview of its household ends.
    Held,
    /// Not before the server sends it: its author is not known here to write there.
    Aside,
}

/// See [`Record::Attachment`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AttachmentRecord {
    pub(crate) unit: String,
    /// The answer: the beginning of the content's hash, and an extension.
    pub(crate) name: String,
    pub(crate) media_type: String,
    pub(crate) bytes: ByteBuf,
    /// Whether it is the log of a visit, which no answer names.
    #[serde(default)]
    pub(crate) is_log: bool,
}

/// See [`Record::Unit`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct UnitRecord {
    pub(crate) unit: String,
    pub(crate) changes: Vec<ByteBuf>,
    /// The unit's line in the list, so that the list is there before any response is opened.
    pub(crate) summary: Option<Summary>,
    /// Why the server did not take a change for good, as it said.
    pub(crate) refused: Option<String>,
}

/// See [`Record::Identity`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// The secret half of the device's key.
    pub(crate) secret: Secret,
    /// The code with which it enrols, until it has.
    pub(crate) code: Option<String>,
    /// The name that it takes of a team's invitation.
    pub(crate) name: Option<String>,
    /// How the server knows it again; none before it has enrolled.
    pub(crate) token: Option<String>,
    pub(crate) round: Option<RoundId>,
    /// The keys that it had before and that the server knows it to have succeeded, the oldest first.
    pub(crate) predecessors: Vec<Secret>,
    /// A key that is about to take the place of the one in use.
    pub(crate) next: Option<Secret>,
    /// The name that the user chose, where it is another than the invitation's.
    pub(crate) volunteer: Option<String>,
    /// Whether the server said that the device was revoked.
    pub(crate) revoked: bool,
}

/// The secret half of a key: 32 bytes that are never printed.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Secret(#[serde(with = "serde_bytes")] pub(crate) [u8; 32]);

/// Keys by their secrets. Deriving one takes a millisecond or two on a cheap phone, and most requests need it.
#[derive(Default)]
pub(crate) struct Keys(RefCell<BTreeMap<[u8; 32], DeviceKey>>);

impl Keys {
    /// The key with this secret.
    pub(crate) fn key(&self, secret: &Secret) -> DeviceKey {
        let mut derived = self.0.borrow_mut();
        derived
            .entry(secret.0)
            .or_insert_with(|| DeviceKey::from_secret(&secret.0))
            .clone()
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// See [`Record::Progress`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Progress {
    pub(crate) client: ClientState,
    /// When the last exchange ended well, in milliseconds since 1970-01-01T00:00:00Z.
    pub(crate) last_success: Option<i64>,
    /// When the assignment was last asked for.
    pub(crate) assignment_asked_at: Option<i64>,
    /// How far the phone's clock was ahead of the server's then, in milliseconds.
    pub(crate) clock_ahead: Option<i64>,
    /// Damaged records in whose place the log has been read again since.
    pub(crate) mended: Vec<RecordId>,
}

/// See [`Record::Settings`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    pub(crate) layout: Layout,
    /// The language in which forms are shown, where it is not the pages'.
    pub(crate) form_language: Option<String>,
    /// Whether the user agreed that positions are recorded during interviews; none before anybody asked.
    pub(crate) position_consent: Option<bool>,
}

/// One thing that was done to the answers in the open interview.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum DraftStep {
    Put {
        path: AnswerPath,
        value: Value,
    },
    Clear {
        path: AnswerPath,
    },
    Add {
        repeat: String,
        parent: Option<InstanceId>,
        instance: InstanceId,
    },
    Remove {
        repeat: String,
        instance: InstanceId,
    },
    /// A person decides between the answers of several people, also where the decision is what is shown already.
    Settle {
        path: AnswerPath,
        value: Option<Value>,
    },
}

impl Record {
    /// The record as bytes (CBOR, RFC 8949).
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // Writing to memory does not fail, and every record is plain data.
        let _ = ciborium::into_writer(self, &mut bytes);
        bytes
    }

    /// The record of these bytes; none where they are damaged, or of a version that this one does not know.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        ciborium::from_reader(bytes).ok()
    }
}
