//! One unit on the phone: its response, what of it the server does not have, and its line in the list.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use survey_forms::answers::{AnswerPath, Answers as _, AnswersMut, Value};
use survey_forms::model::{Form, NodeKind};
use survey_forms::session::{Session, Severity};
use survey_forms::xpath::EvaluationContext;
use sync_core::identity::{ResponseId, RoundId};
use sync_core::response::{Conflict, Reading, Response, ResponseError};
use sync_core::{Change, ChangeHash};

use crate::carrying::Carried;
use crate::outcome::{self, Sense};
use crate::phone::Turn;
use crate::record::{AttachmentRecord, RecordId, UnitRecord, Visibility};
use crate::supervision::Evidence;

/// A unit with what the phone knows of it.
#[derive(Debug, Default)]
pub(crate) struct Household {
    /// Where [`UnitRecord`] is kept, once there is one.
    pub(crate) record: Option<RecordId>,
    /// The changes that the server has, or that came from it.
    pub(crate) changes: Vec<ByteBuf>,
    /// What this phone wrote and the server may not have.
    pub(crate) outgoing: Vec<Outgoing>,
    /// What others wrote and gave to this phone, for the server.
    pub(crate) carried: Vec<Carried>,
    /// What came while the unit's interview is open.
    pub(crate) held: Vec<(RecordId, ByteBuf)>,
    /// Files that the server does not have.
    pub(crate) attachments: Vec<(RecordId, AttachmentRecord)>,
    pub(crate) summary: Option<Summary>,
    /// Why the server did not take a change for good.
    pub(crate) refused: Option<String>,
}

/// A change in the outbox.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) record: RecordId,
    pub(crate) change: Change,
}

/// What the list shows of a response. It follows from the response and the form.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// The entity tag of the form by which it was made.
    pub(crate) form: String,
    pub(crate) person: Option<String>,
    /// The name of the last visit's outcome.
    pub(crate) outcome: Option<String>,
    /// Whether there are answers.
    pub(crate) begun: bool,
    /// Whether nothing is missing or wrong.
    pub(crate) complete: bool,
    pub(crate) conflicts: usize,
    pub(crate) visits: usize,
    /// When the last visit ended, in milliseconds since 1970-01-01T00:00:00Z, by its phone's clock.
    pub(crate) visited_at: Option<i64>,
    pub(crate) call_back_at: Option<i64>,
    /// Latitude and longitude in degrees.
    pub(crate) location: Option<(f64, f64)>,
    /// Where a household is to be found that was added in the field.
    pub(crate) address: Option<String>,
    /// What supervision looks at; nothing in what an earlier version of the app kept.
    #[serde(default)]
    pub(crate) evidence: Option<Evidence>,
}

impl Household {
    /// Whether the server lacks something of it.
    pub(crate) fn is_unsent(&self) -> bool {
        !self.outgoing.is_empty() || !self.attachments.is_empty()
    }

    /// The response with everything that is to be seen of it now: what came while its interview is open is not.
    ///
    /// # Errors
    /// In practice never.
    pub(crate) fn response(&self, round: RoundId, unit: &str) -> Result<Response, ResponseError> {
        let mut response = Response::new(ResponseId::of(round, unit))?;
        let known = self
            .changes
            .iter()
            .filter_map(|bytes| Change::try_from(&bytes[..]).ok());
        let carried = self.carried.iter();
        let carried = carried.filter(|carried| carried.kept.visibility == Visibility::Shown);
        let carried = carried.map(|carried| carried.change.clone());
        let outgoing = self.outgoing.iter().map(|outgoing| outgoing.change.clone());
        // What does not fit was set aside when it came, and is again. What the server has comes first: where something
        // contradicts it, it is not the server's that is left out.
        let _ = response.apply(known);
        let _ = response.apply(carried.chain(outgoing));
        Ok(response)
    }

    /// The changes that the server has, or that came from it and are seen.
    pub(crate) fn hashes_in_log(&self) -> impl Iterator<Item = ChangeHash> {
        let known = self.changes.iter();
        let known = known.filter_map(|bytes| Change::try_from(&bytes[..]).ok());
        known.map(|change| change.hash())
    }

    /// Every change on the phone, what is carried for others among them.
    pub(crate) fn all_hashes(&self) -> impl Iterator<Item = ChangeHash> {
        let carried = self.carried.iter().map(|carried| carried.change.hash());
        self.hashes().chain(carried)
    }

    /// Whether something of it is carried for others.
    pub(crate) fn is_carried(&self) -> bool {
        self.carried.iter().any(|carried| !carried.kept.delivered)
    }

    /// Every change on the phone, seen or not, but for what is carried for others.
    pub(crate) fn hashes(&self) -> impl Iterator<Item = ChangeHash> {
        let held = self.held.iter().filter_map(|(_, bytes)| hash_of(bytes));
        held.chain(self.shown_hashes())
    }

    /// The changes that are to be seen of it now.
    pub(crate) fn shown_hashes(&self) -> impl Iterator<Item = ChangeHash> {
        let kept = self.changes.iter().filter_map(hash_of);
        let outgoing = self.outgoing.iter().map(|outgoing| outgoing.change.hash());
        kept.chain(outgoing)
    }

    /// What came from the server is carried no longer: what of it was seen already, and the rest.
    pub(crate) fn meet_carried(&mut self, came: Vec<ByteBuf>, turn: &mut Turn) -> (Vec<ByteBuf>, Vec<ByteBuf>) {
        let (mut seen, mut unseen) = (Vec::new(), Vec::new());
        for bytes in came {
            let hash = Change::try_from(&bytes[..]).ok().map(|change| change.hash());
            let mut carried = self.carried.iter();
            let place = carried.position(|carried| Some(carried.change.hash()) == hash);
            let carried = place.map(|place| self.carried.remove(place));
            if let Some(carried) = &carried {
                turn.store.delete(carried.record);
                turn.store.unseal(carried.record);
            }
            match carried.is_some_and(|carried| carried.kept.visibility == Visibility::Shown) {
                true => seen.push(bytes),
                false => unseen.push(bytes),
            }
        }
        (seen, unseen)
    }

    /// What is kept of it in its own record.
    pub(crate) fn record(&self, unit: &str) -> UnitRecord {
        UnitRecord {
            unit: unit.to_owned(),
            changes: self.changes.clone(),
            summary: self.summary.clone(),
            refused: self.refused.clone(),
        }
    }
}

impl Summary {
    /// Reads a response by a form.
    pub(crate) fn of(form: &Form, tag: &str, reading: &Reading, context: &EvaluationContext) -> Self {
        let mut visits: Vec<_> = reading.visits.values().collect();
        visits.sort_by_key(|visit| visit.ended_at);
        let last = visits.last();
        let answers = reading.answers.clone();
        let session = Session::new(form, answers, context.clone());
        let begun = session.questions().iter().any(|asked| {
            // What the form itself put there is nobody's answer.
            let is_default = asked.node.default.is_some();
            !is_default && asked.takes_answer() && session.value(&asked.path).is_some()
        });
        let problems = session.validate();
        let outcome = match reading.answers.answer(&AnswerPath::top(outcome::QUESTION)) {
            Some(Value::Text(name)) => Some(name),
            _ => last.map(|visit| visit.outcome.clone()),
        };
        Self {
            form: tag.to_owned(),
            person: person(&session),
            begun,
            complete: begun && problems.iter().all(|problem| problem.severity != Severity::Error),
            conflicts: conflicts(form, reading).len(),
            visits: visits.len(),
            visited_at: last.map(|visit| visit.ended_at),
            call_back_at: last.and_then(|visit| visit.call_back_at),
            location: location(&session),
            address: reading.address.clone(),
            evidence: Some(Evidence::of(&session, &visits)),
            outcome,
        }
    }

    /// Whether the interview had to stop before its end.
    pub(crate) fn is_partial(&self) -> bool {
        self.outcome.as_deref() == Some(outcome::PARTLY)
    }

    /// Whether an interview took place, as the outcome says; a form without one is about interviews only.
    pub(crate) fn sense(&self) -> Sense {
        self.outcome.as_deref().map_or(Sense::Interview, outcome::sense)
    }
}

fn hash_of(bytes: &ByteBuf) -> Option<ChangeHash> {
    Change::try_from(&bytes[..]).ok().map(|change| change.hash())
}

/// The conflicts that people can settle: what the form or the phone records by itself differs between any two phones, and is
/// nobody's claim.
pub(crate) fn conflicts(form: &Form, reading: &Reading) -> Vec<Conflict> {
    let conflicts = reading.conflicts.iter();
    let is_asked = |conflict: &&Conflict| {
        let row = form.node(&conflict.path.question);
        row.is_some_and(|row| row.kind.is_asked())
    };
    conflicts.filter(is_asked).cloned().collect()
}

/// The first name that somebody gave: the first text answered that the form's author marked as identifying (column
/// `identifying`), outside rosters.
pub(crate) fn person<S: AnswersMut>(session: &Session<'_, S>) -> Option<String> {
    let asked = session.questions();
    let named = asked.iter().filter(|asked| {
        let marked = asked.node.other.get("identifying").is_some_and(|mark| mark == "yes");
        marked && asked.node.kind == NodeKind::Text && asked.path.instance.is_none()
    });
    named
        .filter_map(|asked| session.value(&asked.path))
        .map(|value| value.to_string())
        .next()
}

/// The first point answered outside rosters.
fn location<S: AnswersMut>(session: &Session<'_, S>) -> Option<(f64, f64)> {
    let asked = session.questions();
    let mut points = asked
        .iter()
        .filter(|asked| asked.node.kind == NodeKind::Geopoint && asked.path.instance.is_none())
        .filter_map(|asked| session.value(&asked.path));
    let point = points.next()?.to_string();
    let mut numbers = point.split_ascii_whitespace().map_while(|number| number.parse().ok());
    Some((numbers.next()?, numbers.next()?))
}
