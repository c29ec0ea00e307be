//! The list of households: what the phone shows before any form is opened, and visits without an interview.

use serde_json::{Value, json};
use survey_forms::answers::{AnswerMap, AnswerPath, Value as Answer};
use survey_forms::session::Session;
use sync_core::response::{Response, Visit};
use sync_core::unit::AddedUnit;

use crate::assignment::Unit;
use crate::household::{Household, Summary};
use crate::interview::Names;
use crate::interview::draft::{self, DraftAnswers};
use crate::outcome::{self, Sense};
use crate::phone::{LoadedForm, Phone, Turn};
use crate::problem::PhoneError;
use crate::record::Record;
use crate::supervision::ReviewState;

/// What the list has of a household besides its response.
struct Listed<'a> {
    unit: &'a str,
    hamlet: &'a str,
    address: &'a str,
    added: bool,
    /// What the assignment has of it.
    assigned: Option<&'a Unit>,
}

impl Phone {
    /// `Household[]` of the protocol: the assigned households, those that were added in the field since, and those with
    /// answers on the phone that are assigned no longer.
    pub(crate) fn told_households(&mut self, turn: &mut Turn) -> Result<Value, PhoneError> {
        self.renew_summaries(turn)?;
        let (_, assignment) = self.assignment.as_ref().ok_or(PhoneError::NotEnrolled)?;
        let assigned = assignment.units.iter();
        let assigned = assigned.map(|unit| Listed {
            unit: &unit.code,
            hamlet: &unit.hamlet,
            address: self.added_address(&unit.code).unwrap_or(&unit.address),
            added: unit.added,
            assigned: Some(unit),
        });
        let is_assigned = |code: &str| assignment.units.iter().any(|unit| unit.code == code);
        let others = self.households.iter().filter(|(code, _)| !is_assigned(code));
        let others = others.filter_map(|(code, household)| {
            let added = AddedUnit::parse(code);
            let hamlet = added.map_or("", |added| added.hamlet());
            let is_ours = assignment.device.hamlets.iter().any(|ours| ours.code == hamlet);
            let address = self.added_address(code).filter(|_| is_ours);
            let begun = household.summary.as_ref().is_some_and(|summary| summary.begun);
            (begun || address.is_some()).then_some(Listed {
                unit: code,
                hamlet: if is_ours { hamlet } else { "" },
                address: address.unwrap_or(""),
                added: added.is_some(),
                assigned: None,
            })
        });
        let lines = assigned.chain(others);
        let names = self.names();
        Ok(lines.map(|listed| self.line(&listed, &names)).collect())
    }

    /// How far a household is: `HouseholdStatus` of the protocol.
    pub(crate) fn status_of(&self, code: &str, unit: Option<&Unit>) -> &'static str {
        let (nothing, unread) = (Household::default(), Summary::default());
        let household = self.households.get(code).unwrap_or(&nothing);
        let summary = household.summary.as_ref().unwrap_or(&unread);
        let is_open = self.is_being_answered(code);
        let review = unit.and_then(|unit| self.review_of(unit, household));
        let is_sent_back = review.is_some_and(|review| review.state == ReviewState::HasIssues);
        let carried = household.is_carried();
        let unsent = household.is_unsent() || is_open;
        if summary.conflicts > 0 || self.refused(code).is_some() {
            "attention"
        } else if is_open {
            "draft"
        } else {
            match summary.sense() {
                _ if is_sent_back => "attention",
                _ if !summary.begun && summary.visits == 0 => "not_started",
                Sense::ComeAgain => "call_back",
                Sense::Final => "closed",
                // An interview that had to stop goes on some other time, whatever the form still asks for.
                Sense::Interview if !summary.complete || summary.is_partial() => "draft",
                Sense::Interview if unsent || carried => "finished",
                Sense::Interview => "sent",
            }
        }
    }

    /// Whether a household's interview is open, and something was answered in it.
    fn is_being_answered(&self, unit: &str) -> bool {
        self.open
            .as_ref()
            .is_some_and(|open| open.unit == unit && open.is_touched())
    }

    /// Why the server did not take something of a unit, if so.
    pub(crate) fn refused(&self, unit: &str) -> Option<String> {
        let household = self.households.get(unit);
        let kept = household.and_then(|household| household.refused.clone());
        self.refusal_of(unit).or(kept)
    }

    fn line(&self, listed: &Listed<'_>, names: &Names) -> Value {
        let Listed {
            unit,
            hamlet,
            address,
            added,
            assigned,
        } = *listed;
        let (nothing, unread) = (Household::default(), Summary::default());
        let household = self.households.get(unit).unwrap_or(&nothing);
        let summary = household.summary.as_ref().unwrap_or(&unread);
        let refused = self.refused(unit);
        let status = self.status_of(unit, assigned);
        let unsent = household.is_unsent() || self.is_being_answered(unit);
        let assignee = assigned.and_then(|unit| self.assignee_of(unit));
        let is_mine = |actor: &String| names.own.iter().any(|own| own.to_string() == *actor);
        json!({
            "unit": unit,
            "hamlet": hamlet,
            "address": address,
            "added": added,
            "person": summary.person,
            "status": status,
            "outcome": summary.outcome.as_deref().map(|name| self.outcome_label(name)),
            "unsent": unsent,
            "carried": household.is_carried(),
            "conflicts": summary.conflicts,
            "refused": refused,
            "callBackAt": summary.call_back_at,
            "visitedAt": summary.visited_at,
            "visits": summary.visits,
            "location": summary.location,
            "mine": assignee.as_ref().is_some_and(is_mine),
            "assignee": assignee.as_deref().map(|actor| self.named(names, actor)),
            "review": assigned.and_then(|unit| self.review_of(unit, household)),
        })
    }

    /// Why the server did not take something of a unit that a person may still decide about.
    fn refusal_of(&self, unit: &str) -> Option<String> {
        let mut refused = self.client.refused().iter();
        let refused = refused.find(|refused| refused.outgoing.unit == unit)?;
        Some(match self.language {
            crate::phone::Language::Vietnamese => refused.reason.vietnamese().to_owned(),
            crate::phone::Language::English => refused.reason.to_string(),
        })
    }

    /// The name of whoever has a device, by actor; this phone's own as well.
    pub(crate) fn name_of(&self, actor: &str) -> String {
        self.named(&self.names(), actor)
    }

    fn named(&self, names: &Names, actor: &str) -> String {
        if names.own.iter().any(|own| own.to_string() == actor)
            && let (Some(identity), Some((_, assignment))) = (&self.identity, &self.assignment)
        {
            return identity.volunteer.as_ref().unwrap_or(&assignment.device.name).clone();
        }
        names.name_of(actor)
    }

    /// `AnswerList` of the protocol: a household's visits and answers, to read.
    pub(crate) fn told_answers(&mut self, unit: &str, turn: &mut Turn) -> Result<Value, PhoneError> {
        self.require_known(unit)?;
        self.renew_summaries(turn)?;
        let household = self.households.get(unit);
        let summary = household.and_then(|household| household.summary.as_ref());
        let evidence = summary.iter().flat_map(|summary| &summary.evidence);
        let visits = evidence.flat_map(|evidence| &evidence.visits).map(|visit| {
            json!({
                "author": self.name_of(&visit.device),
                "startedAt": visit.started_at,
                "endedAt": visit.ended_at,
                "outcome": self.outcome_label(&visit.outcome),
                "interview": outcome::sense(&visit.outcome) == Sense::Interview,
            })
        });
        Ok(json!({
            "unit": unit,
            "address": self.address(unit),
            "person": summary.and_then(|summary| summary.person.clone()),
            "visits": visits.collect::<Value>(),
            "sections": self.glanced(unit, turn)?.answers(&self.names()),
        }))
    }

    fn outcome_label(&self, name: &str) -> String {
        let Some(form) = &self.form else {
            return name.to_owned();
        };
        let row = form.form.node(outcome::QUESTION);
        let choices = row.map_or(&[][..], |row| form.form.choices(row));
        let choice = choices.iter().find(|choice| choice.name == name);
        let label = choice.and_then(|choice| choice.label.get(self.language.code(), form.form.languages()));
        label.unwrap_or(name).to_owned()
    }

    /// `VisitOutcome[]` of the protocol: the outcomes without an interview that the form knows.
    pub(crate) fn outcomes(&self) -> Result<Value, PhoneError> {
        let form = self.loaded_form()?;
        let row = form.form.node(outcome::QUESTION);
        let choices = row.map_or(&[][..], |row| form.form.choices(row)).iter();
        let failed = choices.filter(|choice| outcome::sense(&choice.name) != Sense::Interview);
        let told = failed.map(|choice| {
            json!({
                "name": choice.name,
                "label": self.outcome_label(&choice.name),
                "again": outcome::sense(&choice.name) == Sense::ComeAgain,
            })
        });
        Ok(told.collect())
    }

    /// Records a visit without an interview.
    pub(crate) fn failed_visit(
        &mut self,
        unit: &str,
        outcome: &str,
        call_back_at: Option<i64>,
        position: Option<(f64, f64, f64)>,
        turn: &mut Turn,
    ) -> Result<Value, PhoneError> {
        let form = self.loaded_form()?;
        let (round, key) = self.enrolled()?;
        self.require_closed(unit)?;
        let household = self.households.entry(unit.to_owned()).or_default();
        let response = household.response(round, unit)?;
        let answers = response.read().answers;
        let summary = household.summary.clone().unwrap_or_default();
        let interviewed = summary.begun && summary.sense() == Sense::Interview;
        if interviewed && summary.complete && !summary.is_partial() {
            return Err(PhoneError::AlreadyInterviewed);
        }
        // Where an interview has begun, its own outcome stands, and the visit is told beside it.
        let steps = match interviewed {
            true => Vec::new(),
            false => self.outcome_steps(&form, unit, answers, outcome, turn)?,
        };
        let (now, id) = (turn.milliseconds(), turn.identity());
        let visit = Visit {
            device: key.actor().to_string(),
            started_at: now,
            ended_at: now,
            outcome: outcome.to_owned(),
            call_back_at,
            position: position.map(|(latitude, longitude, accuracy)| format!("{latitude} {longitude} 0 {accuracy}")),
            audit: None,
        };
        self.write_change(turn, unit, |edit| {
            draft::write(edit, &steps)?;
            edit.record_visit(&id, &visit)
        })?;
        self.told_households(turn)
    }

    /// What answering the outcome question does, by the form.
    fn outcome_steps(
        &self,
        form: &LoadedForm,
        unit: &str,
        answers: AnswerMap,
        outcome: &str,
        turn: &mut Turn,
    ) -> Result<Vec<crate::record::DraftStep>, PhoneError> {
        let refused = |error: survey_forms::session::AnswerError<std::convert::Infallible>| PhoneError::Refused {
            vi: error.vietnamese(),
            en: error.to_string(),
        };
        let is_new = answers == AnswerMap::default();
        let mut session = Session::new(form.form, DraftAnswers::new(answers, []), self.context(unit, turn.now));
        if is_new {
            session.begin().map_err(refused)?;
        }
        let path = AnswerPath::top(outcome::QUESTION);
        session
            .answer(&path, Answer::Text(outcome.to_owned()))
            .map_err(refused)?;
        Ok(session.store_mut().take_new())
    }

    /// Works out the lines that were made by another version of the form.
    pub(crate) fn renew_summaries(&mut self, turn: &mut Turn) -> Result<(), PhoneError> {
        let Some(form) = self.form.clone() else {
            return Ok(());
        };
        let is_stale = |household: &Household| {
            household
                .summary
                .as_ref()
                .is_none_or(|summary| summary.form != form.tag || summary.evidence.is_none())
        };
        let stale = self.households.iter().filter(|(_, household)| is_stale(household));
        let stale: Vec<String> = stale.map(|(unit, _)| unit.clone()).collect();
        let Some(round) = self.round() else { return Ok(()) };
        for unit in stale {
            if let Some(household) = self.households.get(&unit) {
                let response = household.response(round, &unit)?;
                self.summarise(&unit, &response, turn);
            }
        }
        Ok(())
    }

    /// Works a unit's line out anew and keeps it with the unit.
    pub(crate) fn summarise(&mut self, unit: &str, response: &Response, turn: &mut Turn) {
        let summary = self.form.as_ref().map(|form| {
            let context = self.context(unit, turn.now);
            Summary::of(form.form, &form.tag, &response.read(), &context)
        });
        let record = match self.households.get(unit).and_then(|household| household.record) {
            Some(record) => record,
            None => self.new_record(),
        };
        if let Some(household) = self.households.get_mut(unit) {
            household.record = Some(record);
            household.summary = summary;
            turn.store.put(record, &Record::Unit(household.record(unit)));
        }
    }

    /// The address of a unit; nothing where it is not assigned and was not added.
    pub(crate) fn address(&self, unit: &str) -> String {
        if let Some(address) = self.added_address(unit) {
            return address.to_owned();
        }
        let units = self.assignment.iter().flat_map(|(_, assignment)| &assignment.units);
        let mut units = units.filter(|assigned| assigned.code == unit);
        units.next().map_or_else(String::new, |unit| unit.address.clone())
    }

    /// Whether the unit is on the list, or has answers here.
    pub(crate) fn require_known(&self, unit: &str) -> Result<(), PhoneError> {
        let units = self.assignment.iter().flat_map(|(_, assignment)| &assignment.units);
        let mut units = units.filter(|assigned| assigned.code == unit);
        if units.next().is_some() || self.households.contains_key(unit) {
            return Ok(());
        }
        Err(PhoneError::UnknownUnit(unit.to_owned()))
    }

    /// That the unit is known and its interview is not open.
    pub(crate) fn require_closed(&self, unit: &str) -> Result<(), PhoneError> {
        self.require_known(unit)?;
        match &self.open {
            Some(open) if open.unit == unit => Err(PhoneError::OtherInterview(unit.to_owned())),
            _ => Ok(()),
        }
    }
}
