//! Visits: evidence of how an interview came about (paradata).

use automerge::transaction::Transactable;
use automerge::{Automerge, AutomergeError, ChangeHash, ObjId, ReadDoc, ScalarValue};
use serde::{Deserialize, Serialize};

use super::document::scalar;

/// One visit to the surveyed unit.
///
/// The times are the device's own clock, which may be wrong; they are evidence and never an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// The device that made the visit, as its actor in hexadecimal.
    pub device: String,
    /// When it began by the device's clock, in milliseconds since 1970-01-01T00:00:00Z.
    pub started_at: i64,
    /// When it ended by the device's clock, in milliseconds since 1970-01-01T00:00:00Z.
    pub ended_at: i64,
    /// What came of it: the name of a choice of the form's outcome question.
    pub outcome: String,
    /// When somebody should come again, as agreed or guessed, in milliseconds since 1970-01-01T00:00:00Z.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_back_at: Option<i64>,
    /// Where the device was, as a geopoint of ODK XForms (`latitude longitude altitude accuracy`, in degrees and metres),
    /// where whoever carried it agreed to tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
    /// The name of the attached file that says how its answers came about, where the form asks for one (ODK XForms, "Client
    /// Audit Logs").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<String>,
}

/// The changes that wrote a visit's times: by the clocks of their authors' devices the times are told. None where a time is
/// missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VisitSource {
    /// Of [`Visit::started_at`].
    pub started_at: Option<ChangeHash>,
    /// Of [`Visit::ended_at`].
    pub ended_at: Option<ChangeHash>,
}

impl VisitSource {
    pub(super) fn read(document: &Automerge, object: &ObjId) -> Self {
        let source = |key| {
            let (_, operation) = document.get(object, key).ok()??;
            document.hash_for_opid(&operation)
        };
        Self {
            started_at: source(STARTED_AT),
            ended_at: source(ENDED_AT),
        }
    }
}

const DEVICE: &str = "device";
const STARTED_AT: &str = "started_at";
const ENDED_AT: &str = "ended_at";
const OUTCOME: &str = "outcome";
const CALL_BACK_AT: &str = "call_back_at";
const POSITION: &str = "position";
const AUDIT: &str = "audit";

impl Visit {
    pub(super) fn write(&self, transaction: &mut impl Transactable, object: &ObjId) -> Result<(), AutomergeError> {
        transaction.put(object, DEVICE, self.device.as_str())?;
        transaction.put(object, STARTED_AT, ScalarValue::Timestamp(self.started_at))?;
        transaction.put(object, ENDED_AT, ScalarValue::Timestamp(self.ended_at))?;
        transaction.put(object, OUTCOME, self.outcome.as_str())?;
        if let Some(time) = self.call_back_at {
            transaction.put(object, CALL_BACK_AT, ScalarValue::Timestamp(time))?;
        }
        if let Some(position) = &self.position {
            transaction.put(object, POSITION, position.as_str())?;
        }
        if let Some(audit) = &self.audit {
            transaction.put(object, AUDIT, audit.as_str())?;
        }
        Ok(())
    }

    pub(super) fn read(document: &impl ReadDoc, object: &ObjId) -> Self {
        let text = |key| match scalar(document, object, key) {
            Some(ScalarValue::Str(text)) => Some(text.to_string()),
            _ => None,
        };
        let time = |key| match scalar(document, object, key) {
            Some(ScalarValue::Timestamp(time)) => Some(time),
            _ => None,
        };
        Self {
            device: text(DEVICE).unwrap_or_default(),
            started_at: time(STARTED_AT).unwrap_or(0),
            ended_at: time(ENDED_AT).unwrap_or(0),
            outcome: text(OUTCOME).unwrap_or_default(),
            call_back_at: time(CALL_BACK_AT),
            position: text(POSITION),
            audit: text(AUDIT),
        }
    }
}
