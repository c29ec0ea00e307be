//! Opening interviews, what is done in them, and ending visits.

use serde_json::{Value, json};
use survey_forms::session::Severity;
use sync_core::Change;
use sync_core::exchange::OutgoingChange;
use sync_core::response::{Edit, ResponseError, Visit};

use crate::household::Outgoing;
use crate::interview::audit::{Audit, AuditEvent, AuditRequest, EventKind, Position};
use crate::interview::{Layout, Names, OpenInterview, Opening, draft};
use crate::outcome;
use crate::phone::{Phone, Turn, instance_ids};
use crate::problem::PhoneError;
use crate::record::{self, DraftStep, Kept, Record, RecordId, UnitChange, Visibility};
use crate::requests::Request;

impl Phone {
    /// Opens a unit's interview; the one that is open stays so.
    pub(crate) fn open_interview(&mut self, unit: &str, turn: &mut Turn) -> Result<Value, PhoneError> {
        if let Some(open) = &mut self.open {
            if open.unit == unit {
                open.log_place(turn.milliseconds());
                self.keep_events(turn);
                return self.told_interview(turn);
            }
            // One that was only looked at is closed without a trace.
            if open.is_touched() {
                return Err(PhoneError::OtherInterview(open.unit.clone()));
            }
        }
        self.require_known(unit)?;
        let mut open = self.glanced(unit, turn)?;
        self.begin_log(&mut open, Vec::new());
        open.log_place(turn.milliseconds());
        self.open = Some(open);
        self.told_interview(turn)
    }

    /// Opens the interview that was open when the app was closed.
    pub(crate) fn reopen(
        &mut self,
        unit: &str,
        record: RecordId,
        started_at: i64,
        (steps, events): (Kept<DraftStep>, Kept<AuditEvent>),
        turn: &mut Turn,
    ) -> Result<(), PhoneError> {
        let mut open = self.opened(unit, Some(record), started_at, steps, turn)?;
        self.begin_log(&mut open, events);
        self.open = Some(open);
        Ok(())
    }

    /// A unit's interview to look at, without opening it.
    pub(crate) fn glanced(&self, unit: &str, turn: &mut Turn) -> Result<OpenInterview, PhoneError> {
        self.opened(unit, None, turn.milliseconds(), Vec::new(), turn)
    }

    fn opened(
        &self,
        unit: &str,
        record: Option<RecordId>,
        started_at: i64,
        steps: Vec<(RecordId, DraftStep)>,
        turn: &mut Turn,
    ) -> Result<OpenInterview, PhoneError> {
        let form = self.loaded_form()?;
        let (round, _) = self.enrolled()?;
        let reading = match self.households.get(unit) {
            Some(household) => household.response(round, unit)?.read(),
            None => Default::default(),
        };
        let opening = Opening {
            form: form.form,
            context: self.context(unit, turn.now),
            reading,
            layout: self.settings.layout,
            steps,
            record,
            started_at,
            instance_ids: instance_ids(turn.secret()),
        };
        OpenInterview::new(unit, opening)
    }

    /// `Interview` of the protocol.
    pub(crate) fn told_interview(&self, turn: &Turn) -> Result<Value, PhoneError> {
        let open = self.open.as_ref().ok_or(PhoneError::NoInterview)?;
        let view = open.view(&self.address(&open.unit), &self.names(), turn.milliseconds());
        Ok(serde_json::to_value(view)?)
    }

    /// A request about the open interview.
    pub(crate) fn in_interview(&mut self, request: Request, turn: &mut Turn) -> Result<Value, PhoneError> {
        let open = self.open.as_mut().ok_or(PhoneError::NoInterview)?;
        let now = turn.milliseconds();
        // What happens is told the log after where it happens, and before where that leads to.
        open.log_return(now);
        match request {
            Request::Answer { path, value } => {
                let refused = open.answer(&path, value, turn.now);
                open.log_place(now);
                self.keep_steps(turn);
                self.keep_events(turn);
                return Ok(json!({ "interview": self.told_interview(turn)?, "refused": refused }));
            }
            Request::AddInstance { repeat, parent } => {
                let instance = survey_forms::answers::InstanceId::new(turn.identity());
                open.add_instance(&repeat, parent.as_ref(), &instance)?;
                self.keep_steps(turn);
            }
            Request::RemoveInstance { repeat, instance } => {
                let node = open.node_of_instance(&instance);
                open.remove_instance(&repeat, &instance)?;
                open.log_removal(node, now);
                self.keep_steps(turn);
            }
            Request::AnswerAsPrevious { instance } => {
                open.answer_as_previous(&instance, turn.now);
                self.keep_steps(turn);
            }
            Request::Next => open.place = open.next(),
            Request::Back => open.place = open.previous(),
            Request::GoTo { step } => {
                open.go_to(&step)?;
                open.log_jump(now);
            }
            Request::Enter { instance } => open.enter(&instance)?,
            _ => {}
        }
        if let Some(open) = &mut self.open {
            open.log_place(now);
        }
        self.keep_events(turn);
        self.told_interview(turn)
    }

    /// Begins an interview's log, where the form asks for one. `kept` is what it had before the app was closed.
    fn begin_log(&self, open: &mut OpenInterview, kept: Vec<(RecordId, AuditEvent)>) {
        let opening = match open.is_new {
            true => EventKind::FormStart,
            false => EventKind::FormResume,
        };
        let may_locate = self.settings.position_consent == Some(true);
        let request = AuditRequest::of(open.session.form());
        open.audit = request.map(|request| Audit::new(request, opening, may_locate, kept));
    }

    /// Keeps what was logged since this was last called. Whoever only looks at a form leaves no trace.
    pub(crate) fn keep_events(&mut self, turn: &mut Turn) {
        let Some(mut open) = self.open.take() else { return };
        if let Some(audit) = &mut open.audit
            && open.record.is_some()
        {
            audit.keep(|record, event| {
                let record = record.unwrap_or_else(|| self.new_record());
                turn.store.put(record, &Record::AuditEvent(event.clone()));
                record
            });
        }
        self.open = Some(open);
    }

    /// Whether the form asks for positions during interviews.
    pub(crate) fn asks_positions(&self) -> bool {
        let request = self.form.as_ref().and_then(|form| AuditRequest::of(form.form));
        request.is_some_and(|request| request.locations.is_some())
    }

    /// Remembers whether positions may be recorded.
    pub(crate) fn consent_to_positions(&mut self, agreed: bool, turn: &mut Turn) -> Result<Value, PhoneError> {
        self.settings.position_consent = Some(agreed);
        turn.store
            .put(record::SETTINGS, &Record::Settings(self.settings.clone()));
        if let Some(audit) = self.open.as_mut().and_then(|open| open.audit.as_mut()) {
            audit.consent(agreed, turn.milliseconds());
        }
        self.keep_events(turn);
        self.told_assignment()
    }

    /// Takes where the phone is, for the log of the open interview.
    pub(crate) fn locate(&mut self, position: Option<Position>, turn: &mut Turn) {
        if let Some(audit) = self.open.as_mut().and_then(|open| open.audit.as_mut()) {
            audit.locate(position, turn.milliseconds());
        }
        self.keep_events(turn);
    }

    /// Keeps what was done in the open interview since this was last called.
    pub(crate) fn keep_steps(&mut self, turn: &mut Turn) {
        let Some(mut open) = self.open.take() else { return };
        let new = open.session.store_mut().take_new();
        if !new.is_empty() {
            if open.record.is_none() {
                let record = self.new_record();
                open.record = Some(record);
                let draft = Record::Draft {
                    unit: open.unit.clone(),
                    started_at: open.started_at,
                };
                turn.store.put(record, &draft);
                turn.store.draft(true);
            }
            let initial = std::mem::take(&mut open.initial);
            for step in initial.into_iter().chain(new) {
                let record = self.new_record();
                turn.store.put(record, &Record::DraftStep(step.clone()));
                open.steps.push((record, step));
            }
        }
        self.open = Some(open);
    }

    /// Ends the visit.
    pub(crate) fn leave_interview(&mut self, turn: &mut Turn) -> Result<Value, PhoneError> {
        self.end_visit(turn)?;
        self.told_households(turn)
    }

    /// Makes a change of what was answered, and leaves the interview open for more.
    pub(crate) fn leave_draft(&mut self, turn: &mut Turn) -> Result<(), PhoneError> {
        let Some(open) = &self.open else { return Ok(()) };
        if !open.is_touched() {
            return Ok(());
        }
        let (unit, place, layout) = (open.unit.clone(), open.place.clone(), open.layout);
        self.end_visit(turn)?;
        let mut open = self.glanced(&unit, turn)?;
        self.begin_log(&mut open, Vec::new());
        (open.place, open.layout) = (place, layout);
        self.open = Some(open);
        Ok(())
    }

    /// What was answered on the visit becomes one change, the visit itself with it.
    fn end_visit(&mut self, turn: &mut Turn) -> Result<(), PhoneError> {
        let Some(mut open) = self.open.take() else {
            return Ok(());
        };
        if !open.is_touched() {
            return self.release_held(&open.unit, turn);
        }
        let (_, key) = self.enrolled()?;
        open.session.set_now(turn.now);
        // A draft takes everything, so that this cannot fail; the end of filling is lost where it does.
        let _ = open.session.finish(turn.now);
        let mut steps: Vec<DraftStep> = open.steps.iter().map(|(_, step)| step.clone()).collect();
        steps.extend(open.session.store_mut().take_new());
        // What is only to be asked again is not missing.
        let problems = open.session.validate();
        let complete = problems.iter().all(|problem| problem.severity != Severity::Error);
        let outcome = open.outcome().unwrap_or_else(|| match complete {
            true => outcome::COMPLETED.to_owned(),
            false => outcome::PARTLY.to_owned(),
        });
        for record in open.records() {
            turn.store.delete(record);
        }
        self.drop_unnamed(&open, turn);
        let log = open.audit.take().map(|mut audit| {
            audit.finish(complete, turn.milliseconds());
            audit.file(&self.volunteer())
        });
        let audit = log.map(|log| self.keep_log(&open.unit, log, turn));
        let id = turn.identity();
        let visit = Visit {
            device: key.actor().to_string(),
            started_at: open.started_at,
            ended_at: turn.milliseconds(),
            outcome,
            call_back_at: None,
            position: None,
            audit,
        };
        turn.store.draft(self.holds_attachments());
        self.write_change(turn, &open.unit, |edit| {
            draft::write(edit, &steps)?;
            edit.record_visit(&id, &visit)
        })?;
        self.release_held(&open.unit, turn)
    }

    /// Writes a change of a unit's response, for the server.
    ///
    /// # Errors
    /// When the phone has not enrolled, and what `edit` answers; nothing was written then.
    pub(crate) fn write_change(
        &mut self,
        turn: &mut Turn,
        unit: &str,
        edit: impl FnOnce(&mut Edit<'_>) -> Result<(), ResponseError>,
    ) -> Result<(), PhoneError> {
        let (round, key) = self.enrolled()?;
        let household = self.households.entry(unit.to_owned()).or_default();
        let mut response = household.response(round, unit)?;
        let seconds = turn.milliseconds().div_euclid(1000);
        let ((), change) = response.edit(&key.actor(), seconds, edit)?;
        if let Some(change) = change {
            self.send_change(turn, unit, change)?;
        }
        self.summarise(unit, &response, turn);
        Ok(())
    }

    /// Keeps a change of this phone's own until the server has it.
    pub(crate) fn send_change(&mut self, turn: &mut Turn, unit: &str, change: Change) -> Result<(), PhoneError> {
        let (round, key) = self.enrolled()?;
        let record = self.new_record();
        let kept = UnitChange {
            unit: unit.to_owned(),
            change: change.raw_bytes().to_vec().into(),
        };
        turn.store.put(record, &Record::Outgoing(kept));
        if let Some(sealed) = self.sealed(turn, &key, round, unit, &change)? {
            turn.store.seal(record, sealed);
        }
        self.client.enqueue(OutgoingChange {
            round,
            unit: unit.to_owned(),
            change: change.clone(),
        });
        let household = self.households.entry(unit.to_owned()).or_default();
        household.outgoing.push(Outgoing { record, change });
        Ok(())
    }

    /// Lets what came while the interview was open be seen.
    fn release_held(&mut self, unit: &str, turn: &mut Turn) -> Result<(), PhoneError> {
        let Some(household) = self.households.get_mut(unit) else {
            return Ok(());
        };
        let aside = household.carried.iter_mut();
        let aside: Vec<_> = aside
            .filter(|carried| carried.kept.visibility == Visibility::Held)
            .collect();
        if household.held.is_empty() && aside.is_empty() {
            return Ok(());
        }
        for carried in aside {
            carried.kept.visibility = Visibility::Shown;
            turn.store.put(carried.record, &Record::Carried(carried.kept.clone()));
        }
        for (record, change) in household.held.drain(..) {
            turn.store.delete(record);
            household.changes.push(change);
        }
        let Some(round) = self.round() else { return Ok(()) };
        let Some(household) = self.households.get(unit) else {
            return Ok(());
        };
        let response = household.response(round, unit)?;
        self.summarise(unit, &response, turn);
        Ok(())
    }

    /// The name of who uses the phone.
    fn volunteer(&self) -> String {
        let chosen = self.identity.as_ref().and_then(|identity| identity.volunteer.clone());
        let invited = self
            .assignment
            .as_ref()
            .map(|(_, assignment)| assignment.device.name.clone());
        chosen.or(invited).unwrap_or_default()
    }

    pub(crate) fn set_form_language(&mut self, language: &str, turn: &mut Turn) -> Result<Value, PhoneError> {
        self.settings.form_language = Some(language.to_owned());
        turn.store
            .put(record::SETTINGS, &Record::Settings(self.settings.clone()));
        if let Some(open) = &mut self.open {
            open.session.set_language(language);
        }
        self.told_interview(turn)
    }

    pub(crate) fn set_layout(&mut self, layout: Layout, turn: &mut Turn) -> Result<Value, PhoneError> {
        self.settings.layout = layout;
        turn.store
            .put(record::SETTINGS, &Record::Settings(self.settings.clone()));
        if let Some(open) = &mut self.open {
            open.layout = layout;
            open.place = open.here();
            open.log_place(turn.milliseconds());
        }
        self.keep_events(turn);
        self.told_interview(turn)
    }

    /// Who wrote what.
    pub(crate) fn names(&self) -> Names {
        let identity = self.identity.iter();
        let secrets = identity.flat_map(|identity| identity.predecessors.iter().chain([&identity.secret]));
        let own = secrets.map(|secret| self.keys.key(secret).actor());
        let teammates = self.assignment.iter().flat_map(|(_, assignment)| &assignment.teammates);
        Names {
            own: own.collect(),
            others: teammates.map(|mate| (mate.actor.clone(), mate.name.clone())).collect(),
        }
    }
}
