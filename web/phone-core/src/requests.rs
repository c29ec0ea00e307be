//! Requests by name, and what they take. The names and shapes that pages use are those of
//! `web/phone/src/core/protocol.ts`; the others are between the worker and the core.

use std::collections::BTreeMap;

use serde::Deserialize;
use survey_forms::answers::{AnswerPath, InstanceId, Value};

use crate::interview::Layout;
use crate::phone::Language;
use crate::record::RecordId;
use crate::supervision::MadeDecision;

/// The number of a request's part.
pub(crate) type PartNumber = usize;

/// What is asked.
#[derive(Debug, Deserialize)]
#[expect(
    clippy::enum_variant_names,
    reason = "a request of the core is about the next request to the server"
)]
#[serde(
    tag = "name",
    content = "argument",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
pub(crate) enum Request {
    /// The key that a PIN opens the storage with.
    DeriveKey {
        pin: String,
        salt: PartNumber,
        memory_kib: u32,
        iterations: u32,
    },
    /// Hands in the storage: the records' contents are the parts after the first.
    Start {
        language: Language,
        records: Vec<RecordId>,
        #[serde(default)]
        damaged: Vec<RecordId>,
    },
    /// Begins to enrol with an invitation.
    BeginEnrolment {
        code: String,
        /// The name that is taken of a team's invitation.
        #[serde(default)]
        name: Option<String>,
    },
    /// Begins to ask whom an invitation is for.
    BeginInvitation {
        code: String,
    },
    /// What the server said to that.
    Invited,
    /// Begins an exchange.
    BeginSync,
    /// What to ask the server next.
    NextRequest,
    /// What the server answered.
    AnswerRequest {
        status: u16,
        #[serde(default)]
        headers: BTreeMap<String, String>,
        body: PartNumber,
    },
    /// No answer came.
    RequestFailed {
        reason: Failure,
    },
    SyncState,
    /// Everything unsent as one bundle.
    Bundle,
    Frames {
        first: u32,
        count: u32,
    },
    /// Makes a change of what was answered in the open interview, and leaves it open.
    LeaveDraft,

    /// The phones to which this one can give without network.
    Colleagues,
    /// What is to be given to a colleague by the device's key, or sealed to the server, as one file.
    Give {
        to: Option<String>,
    },
    GiveFrames {
        to: Option<String>,
        first: u32,
        count: u32,
    },
    /// What a colleague gives.
    Receive {
        bytes: PartNumber,
    },
    /// Forgets the frames that were taken.
    BeginFrames,
    ReceiveFrame {
        text: String,
    },

    Assignment,
    SetLanguage {
        language: Language,
    },
    RenameVolunteer {
        name: String,
    },
    Households,
    Outcomes,
    FailedVisit {
        unit: String,
        outcome: String,
        call_back_at: Option<i64>,
        /// Latitude and longitude in degrees, accuracy in metres.
        position: Option<(f64, f64, f64)>,
    },
    Conflicts {
        unit: String,
    },

    /// Adds a household that is not on the list.
    AddHousehold {
        hamlet: String,
        address: String,
    },
    /// Says better where an added household is to be found.
    CorrectAddress {
        unit: String,
        address: String,
    },

    Settle {
        unit: String,
        path: AnswerPath,
        value: Option<Value>,
    },

    OpenInterview {
        unit: String,
    },
    Interview,
    Answer {
        path: AnswerPath,
        value: Option<Value>,
    },
    /// Answers with a file, which is kept until the server has it.
    KeepAttachment {
        path: AnswerPath,
        name: String,
        #[serde(rename = "type")]
        media_type: String,
        bytes: PartNumber,
    },
    /// A file that this phone has.
    Attachment {
        name: String,
    },
    AddInstance {
        repeat: String,
        parent: Option<InstanceId>,
    },
    RemoveInstance {
        repeat: String,
        instance: InstanceId,
    },
    Next,
    Back,
    GoTo {
        step: String,
    },
    Enter {
        instance: InstanceId,
    },
    SetFormLanguage {
        language: String,
    },
    SetLayout {
        layout: Layout,
    },
    LeaveInterview,

    /// Answers everything open in a roster instance that may be answered as in the one before.
    AnswerAsPrevious {
        instance: InstanceId,
    },

    /// Whether positions may be recorded during interviews.
    ConsentToPositions {
        agreed: bool,
    },
    /// Where the phone is during the open interview.
    Locate {
        /// Latitude and longitude in degrees, accuracy in metres; none where the browser does not say.
        position: Option<(f64, f64, f64)>,
    },

    /// How far a leader's team is.
    Team,
    /// A leader decides about units.
    Decide {
        units: Vec<String>,
        decision: MadeDecision,
    },
    /// A leader's decisions that wait, or that the server refused.
    Decisions,
    /// Somebody has read that a decision was refused.
    DismissDecision {
        id: String,
    },
    /// A household's answers to read.
    Answers {
        unit: String,
    },
}

/// Why no answer of the server came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Failure {
    /// The server cannot be reached.
    Network,
    /// Something else answered in its place: the page of a network that wants to be logged in to.
    Portal,
    /// Nothing came for a long time.
    Timeout,
}
