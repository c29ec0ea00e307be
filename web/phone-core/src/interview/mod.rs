//! The open interview: what was answered on this visit, and where in the form the person is.

mod answers;
pub(crate) mod audit;
pub(crate) mod draft;
mod hints;
mod places;
mod previous;
mod shapes;
mod view;

use serde::Serialize;
use survey_forms::answers::{AnswerPath, Answers as _, InstanceId, Value};
use survey_forms::model::Form;
use survey_forms::session::{AnswerError, Session};
use survey_forms::xpath::{EvaluationContext, Moment};
use sync_core::response::{Conflict, Reading};

pub(crate) use places::{Layout, Place};
pub(crate) use view::Names;

use crate::household;
use crate::problem::PhoneError;
use crate::record::{DraftStep, RecordId};
use audit::Audit;
use draft::DraftAnswers;

/// The interview that is open.
#[derive(Debug)]
pub(crate) struct OpenInterview {
    pub(crate) unit: String,
    /// When it was opened on this visit, in milliseconds since 1970-01-01T00:00:00Z, by the phone's clock.
    pub(crate) started_at: i64,
    /// Where that it is open is kept, once something was answered.
    pub(crate) record: Option<RecordId>,
    /// What was done, by where it is kept.
    pub(crate) steps: Vec<(RecordId, DraftStep)>,
    /// What was done before anything was answered: what the form puts there by itself is kept with the first answer.
    pub(crate) initial: Vec<DraftStep>,
    pub(crate) session: Session<'static, DraftAnswers>,
    /// Where the person is.
    pub(crate) place: Place,
    pub(crate) layout: Layout,
    /// What people disagreed about when the interview was opened, without what was settled since.
    pub(crate) conflicts: Vec<Conflict>,
    /// Whether the form had no answers when the interview was opened.
    pub(crate) is_new: bool,
    /// How the answers come about, where the form asks for it. An interview that is only looked at has none.
    pub(crate) audit: Option<Audit>,
}

/// An answer that the form did not take.
#[derive(Debug, Serialize)]
pub(crate) struct RefusedAnswer {
    path: AnswerPath,
    message: String,
}

impl From<RefusedAnswer> for PhoneError {
    fn from(refused: RefusedAnswer) -> Self {
        // The message is in the form's language.
        Self::Refused {
            vi: refused.message.clone(),
            en: refused.message,
        }
    }
}

/// What an interview is opened with.
pub(crate) struct Opening {
    pub(crate) form: &'static Form,
    pub(crate) context: EvaluationContext,
    pub(crate) reading: Reading,
    pub(crate) layout: Layout,
    /// What was done on this visit before the app was closed.
    pub(crate) steps: Vec<(RecordId, DraftStep)>,
    pub(crate) record: Option<RecordId>,
    pub(crate) started_at: i64,
    /// Draws the identities of roster instances that the form asks for.
    pub(crate) instance_ids: Box<dyn FnMut() -> InstanceId>,
}

impl OpenInterview {
    /// Opens a unit's form.
    ///
    /// # Errors
    /// In practice never: draft answers take everything.
    pub(crate) fn new(unit: &str, opening: Opening) -> Result<Self, PhoneError> {
        let Opening { form, context, .. } = opening;
        let done = opening.steps.iter().map(|(_, step)| step.clone());
        let store = DraftAnswers::new(opening.reading.answers.clone(), done);
        let is_new = opening.reading.answers == Default::default() && opening.steps.is_empty();
        let mut session = Session::new(form, store, context).with_instance_ids(opening.instance_ids);
        if is_new {
            session.begin().map_err(refused)?;
        }
        let mut interview = Self {
            unit: unit.to_owned(),
            started_at: opening.started_at,
            record: opening.record,
            steps: opening.steps,
            initial: Vec::new(),
            session,
            place: Place::default(),
            layout: opening.layout,
            conflicts: household::conflicts(form, &opening.reading),
            is_new,
            audit: None,
        };
        interview.initial = interview.session.store_mut().take_new();
        interview.place = interview.places(None).into_iter().next().unwrap_or_default();
        Ok(interview)
    }

    /// Every record that the interview is kept in.
    pub(crate) fn records(&self) -> impl Iterator<Item = RecordId> {
        let steps = self.steps.iter().map(|(record, _)| *record);
        let events = self.audit.iter().flat_map(Audit::records);
        self.record.into_iter().chain(steps).chain(events)
    }

    /// Whether anything was answered on this visit.
    pub(crate) fn is_touched(&self) -> bool {
        !self.steps.is_empty()
    }

    /// Gives an answer, or takes one away; what the form does not take is told.
    pub(crate) fn answer(&mut self, path: &AnswerPath, value: Option<Value>, now: Moment) -> Option<RefusedAnswer> {
        self.session.set_now(now);
        let old = self.session.value(path);
        let outcome = match value {
            Some(value) => self.session.answer(path, value),
            None => self.session.clear(path),
        };
        let Err(error) = outcome else {
            self.log_answer(path, old, now.unix_milliseconds);
            return None;
        };
        self.log_refusal(path, now.unix_milliseconds);
        let message = match error {
            AnswerError::Refused { refusal, .. } => match self.session.context().language.as_str() {
                "vi" => refusal.vietnamese(),
                _ => refusal.to_string(),
            },
            AnswerError::Store(never) => match never {},
        };
        Some(RefusedAnswer {
            path: path.clone(),
            message,
        })
    }

    /// Adds an instance to a roster and goes to its first page.
    ///
    /// # Errors
    /// [`PhoneError::Refused`] when the form has no such roster, or itself decides how many there are.
    pub(crate) fn add_instance(
        &mut self,
        repeat: &str,
        parent: Option<&InstanceId>,
        instance: &InstanceId,
    ) -> Result<(), PhoneError> {
        self.session.add_instance(repeat, parent, instance).map_err(refused)?;
        self.enter(instance)
    }

    /// Removes an instance from its roster, and goes there.
    ///
    /// # Errors
    /// As [`Self::add_instance`].
    pub(crate) fn remove_instance(&mut self, repeat: &str, instance: &InstanceId) -> Result<(), PhoneError> {
        let roster = self.roster_of(instance);
        self.session.remove_instance(repeat, instance).map_err(refused)?;
        if let Some(roster) = roster {
            self.place = roster;
        }
        Ok(())
    }

    /// A person decides between the answers of several people.
    pub(crate) fn settle(&mut self, path: &AnswerPath, value: Option<Value>, now: Moment) -> Option<RefusedAnswer> {
        let refused = self.answer(path, value.clone(), now);
        if refused.is_none() {
            let store = self.session.store_mut();
            store.settle(path, value);
            self.conflicts.retain(|conflict| conflict.path != *path);
        }
        refused
    }
}

/// What the form says against a request.
fn refused(error: AnswerError<std::convert::Infallible>) -> PhoneError {
    PhoneError::Refused {
        vi: error.vietnamese(),
        en: error.to_string(),
    }
}

impl OpenInterview {
    /// The name of the visit's outcome, where the form asks for it.
    pub(crate) fn outcome(&self) -> Option<String> {
        let path = AnswerPath::top(crate::outcome::QUESTION);
        self.session.store().answer(&path).map(|value| value.to_string())
    }
}
