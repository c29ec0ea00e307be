//! What the server answered.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_bytes::ByteBuf;
use serde_json::Value;
use sync_core::exchange::{
    ErasedResponse, Limits, OutgoingChange, Received, Rekeying, ResponseChanges, SyncResponse, reconciliation, wire,
};
use sync_core::identity::RoundId;
use sync_core::{Change, ChangeHash};

use super::{Ask, Told};
use crate::assignment::Assignment;
use crate::phone::{Language, LoadedForm, Phone, Turn};
use crate::problem::PhoneError;
use crate::record::{self, Record, UnitChange};

/// What an enrolled phone is told.
#[derive(Deserialize)]
struct Enrolment {
    token: String,
    round: RoundId,
}

impl Phone {
    /// Takes the server's answer to what was asked last.
    pub(crate) fn answer_request(
        &mut self,
        status: u16,
        headers: &BTreeMap<String, String>,
        body: &[u8],
        turn: &mut Turn,
    ) -> Value {
        let Some(ask) = self.exchange.asked.take() else {
            return self.sync_state();
        };
        let outcome = match (ask, status) {
            (Ask::Invitation, 200) => self.take_invited(body),
            (Ask::Enrol, 200 | 201) => self.take_enrolment(body, turn),
            (Ask::Rotate, 200 | 201) => self.take_rotation(body, turn),
            (Ask::Assignment, 200) => self.take_assignment(headers, body, turn),
            (Ask::Assignment, 304) if self.assignment.is_some() => {
                self.assignment_came(turn);
                Ok(())
            }
            (Ask::Form, 200) => self.take_form(headers, body, turn),
            (Ask::Sync, 200) => self.take_sync(body, turn),
            (Ask::Bundles, 200) => {
                let batch = std::mem::take(&mut self.exchange.brought);
                self.take_delivered(&batch, body, turn)
            }
            (Ask::Decisions, 200) => self.take_decided(body, turn),
            (Ask::Logs, 200) => {
                let logs = std::mem::take(&mut self.exchange.logs);
                self.take_logged(&logs, body, turn)
            }
            // What was erased is kept nowhere.
            (Ask::Attachment(record), 200..=204 | 410) => {
                self.forget_file(record, turn);
                Ok(())
            }
            _ => {
                let problem = self.problem_of(status, body);
                self.take_refusal(ask, status, &problem, turn);
                Ok(())
            }
        };
        if let Err(error) = outcome {
            if ask == Ask::Sync {
                self.client.disconnected();
            }
            let told = serde_json::from_value(error.told(self.language));
            self.stop(told.ok());
        }
        self.sync_state()
    }

    /// Ends the exchange with a problem.
    fn stop(&mut self, problem: Option<Told>) {
        self.exchange.running = None;
        self.exchange.problem = problem;
    }

    fn take_refusal(&mut self, ask: Ask, status: u16, problem: &Told, turn: &mut Turn) {
        match ask {
            // What was written can still be brought; nothing else is told to such a phone any more.
            Ask::Assignment | Ask::Form | Ask::Decisions if problem.is("device-revoked") => {
                if let Some(identity) = &mut self.identity {
                    identity.revoked = true;
                }
                self.save_identity(turn);
                return;
            }
            Ask::Rotate if problem.is("device-succeeded") => {
                if let Some(identity) = &mut self.identity {
                    // The other phone was quicker: this one needs an invitation of its own.
                    identity.next = None;
                }
                self.save_identity(turn);
            }
            Ask::Enrol if (400..500).contains(&status) => {
                if let Some(identity) = &mut self.identity {
                    identity.code = None;
                }
                self.save_identity(turn);
            }
            Ask::Sync => {
                // A smaller piece may pass where this one was too much.
                let again = status == 413 && self.can_shrink();
                self.client.disconnected();
                if again {
                    return;
                }
            }
            Ask::Bundles if status == 413 && self.can_shrink() => {
                self.client.disconnected();
                let brought = std::mem::take(&mut self.exchange.brought);
                if let Some(run) = &mut self.exchange.running {
                    run.tried.retain(|record| !brought.records.contains(record));
                }
                return;
            }
            // What this phone wrote itself is sent all the same.
            Ask::Bundles => {
                self.exchange.problem = Some(problem.clone());
                return;
            }
            // The others are tried all the same, and the problem is told in the end.
            Ask::Attachment(_) | Ask::Logs if (400..500).contains(&status) => {
                self.exchange.problem = Some(problem.clone());
                return;
            }
            Ask::Decisions if problem.is("not-a-leader") => {
                self.refuse_decisions(problem, turn);
                self.renew_assignment(turn);
                return;
            }
            Ask::Decisions if (400..500).contains(&status) => {
                self.exchange.problem = Some(problem.clone());
                if let Some(run) = &mut self.exchange.running {
                    run.decisions_tried = true;
                }
                return;
            }
            Ask::Invitation
            | Ask::Enrol
            | Ask::Rotate
            | Ask::Assignment
            | Ask::Form
            | Ask::Attachment(_)
            | Ask::Logs
            | Ask::Decisions => {}
        }
        self.stop(Some(problem.clone()));
    }

    /// The problem that an answer tells, or one of ours where it tells none.
    fn problem_of(&self, status: u16, body: &[u8]) -> Told {
        let told = serde_json::from_slice::<Told>(body).ok();
        let told = told.filter(|told| !told.detail.is_empty());
        told.unwrap_or_else(|| {
            let (vi, en) = (
                format!("Máy chủ trả lời mã {status}. Máy sẽ thử lại; phiếu vẫn an toàn trên máy."),
                format!("The server answered with status {status}. The phone tries again; answers are safe on it."),
            );
            Told::new(
                self.language,
                "unexpected-status",
                ("Máy chủ chưa nhận được", &vi),
                ("The server did not take it", &en),
            )
        })
    }

    fn take_enrolment(&mut self, body: &[u8], turn: &mut Turn) -> Result<(), PhoneError> {
        let enrolment: Enrolment = serde_json::from_slice(body)?;
        if let Some(identity) = &mut self.identity {
            let is_other_round = identity.round.is_some_and(|round| round != enrolment.round);
            identity.token = Some(enrolment.token);
            identity.code = None;
            identity.name = None;
            if is_other_round {
                // Answers of another round stay in their records; they are sent by a phone of that round only.
                return Err(PhoneError::Refused {
                    vi: "Mã mời này thuộc đợt khảo sát khác với phiếu đang có trên máy.".to_owned(),
                    en: "This invitation is for another round than that of the answers on the phone.".to_owned(),
                });
            }
            identity.round = Some(enrolment.round);
        }
        self.save_identity(turn);
        self.client.begin_again();
        Ok(())
    }

    fn take_assignment(
        &mut self,
        headers: &BTreeMap<String, String>,
        body: &[u8],
        turn: &mut Turn,
    ) -> Result<(), PhoneError> {
        let assignment: Assignment = serde_json::from_slice(body)?;
        let tag = headers.get("etag").cloned().unwrap_or_default();
        let json = String::from_utf8_lossy(body).into_owned();
        let record = Record::Assignment { tag: tag.clone(), json };
        turn.store.put(record::ASSIGNMENT, &record);
        self.assignment = Some((tag, assignment));
        self.assignment_came(turn);
        Ok(())
    }

    fn assignment_came(&mut self, turn: &mut Turn) {
        if let Some(run) = &mut self.exchange.running {
            run.assignment_due = false;
        }
        self.progress.assignment_asked_at = Some(turn.milliseconds());
        self.save_progress(turn);
        // What the server took is in the assignment by now.
        self.forget_accepted(turn);
    }

    /// Has the assignment asked for again, in this exchange or else in the next.
    fn renew_assignment(&mut self, turn: &mut Turn) {
        if let Some(run) = &mut self.exchange.running {
            run.assignment_due = true;
        }
        self.progress.assignment_asked_at = None;
        self.save_progress(turn);
    }

    /// Takes what the server says of decisions; what came of them the assignment tells.
    fn take_decided(&mut self, body: &[u8], turn: &mut Turn) -> Result<(), PhoneError> {
        let any = self.take_verdicts(body, turn)?;
        if let Some(run) = &mut self.exchange.running {
            run.decisions_tried = !any;
        }
        self.renew_assignment(turn);
        Ok(())
    }

    fn take_form(
        &mut self,
        headers: &BTreeMap<String, String>,
        body: &[u8],
        turn: &mut Turn,
    ) -> Result<(), PhoneError> {
        let json = String::from_utf8_lossy(body).into_owned();
        let tag = headers.get("etag").map_or("", |tag| tag.trim_matches('"')).to_owned();
        let form = LoadedForm::read(&tag, &json)?;
        turn.store.put(record::FORM, &Record::Form { tag, json });
        self.form = Some(form);
        Ok(())
    }

    fn take_sync(&mut self, body: &[u8], turn: &mut Turn) -> Result<(), PhoneError> {
        let response: SyncResponse = wire::decode_inflated(body, &Limits::default())?;
        let sent_at = self.exchange.running.as_ref().map_or(0, |run| run.sent_at);
        let received = self.client.receive(response, sent_at);
        if let Some(run) = &mut self.exchange.running {
            run.synced = true;
        }
        let moved = &mut self.exchange.moved;
        moved.sent += received.acknowledged;
        moved.to_send = moved.to_send.max(moved.sent + self.client.unacknowledged());
        moved.received += received.responses.len();
        self.progress.clock_ahead = Some(received.clock_ahead);
        self.take_received(received, turn)?;
        self.progress.client = self.client.state();
        self.save_progress(turn);
        Ok(())
    }

    fn take_received(&mut self, received: Received, turn: &mut Turn) -> Result<(), PhoneError> {
        let Received {
            left_outbox,
            responses,
            erased,
            unknown_cursor,
            whole_log,
            ..
        } = received;
        self.leave_outbox(&left_outbox, turn)?;
        for group in responses {
            self.take_changes(group, turn)?;
        }
        for erased in &erased {
            self.erase(erased, turn);
        }
        self.note_refused(&left_outbox, turn)?;
        if unknown_cursor {
            let here: Vec<ChangeHash> = self
                .households
                .values()
                .flat_map(|household| household.hashes())
                .collect();
            let mut salt = [0; 16];
            salt.copy_from_slice(&turn.secret()[..16]);
            self.client
                .reconcile(here, reconciliation::Salt(salt), reconciliation::Limits::default());
        }
        self.rekey(whole_log, turn)
    }

    /// What need not be sent any more is kept as what the server has.
    pub(super) fn leave_outbox(&mut self, left: &[ChangeHash], turn: &mut Turn) -> Result<(), PhoneError> {
        let mut touched = Vec::new();
        for (unit, household) in &mut self.households {
            let (gone, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut household.outgoing)
                .into_iter()
                .partition(|outgoing| left.contains(&outgoing.change.hash()));
            household.outgoing = kept;
            if gone.is_empty() {
                continue;
            }
            touched.push(unit.clone());
            for outgoing in gone {
                turn.store.delete(outgoing.record);
                turn.store.unseal(outgoing.record);
                household.changes.push(ByteBuf::from(outgoing.change.raw_bytes()));
            }
        }
        for unit in touched {
            self.keep_unit(&unit, turn);
            if self.has_told_review(&unit) {
                self.renew_assignment(turn);
            }
        }
        Ok(())
    }

    /// Keeps a unit's record as it is now; what the list shows of it has not changed.
    pub(crate) fn keep_unit(&mut self, unit: &str, turn: &mut Turn) {
        let record = match self.households.get(unit).and_then(|household| household.record) {
            Some(record) => record,
            None => self.new_record(),
        };
        if let Some(household) = self.households.get_mut(unit) {
            household.record = Some(record);
            turn.store.put(record, &Record::Unit(household.record(unit)));
        }
    }

    /// Takes other people's changes of a unit.
    fn take_changes(&mut self, group: ResponseChanges, turn: &mut Turn) -> Result<(), PhoneError> {
        let Some(round) = self.round() else { return Ok(()) };
        if group.round != round {
            return Ok(());
        }
        self.look_for_authors(&group);
        if self.has_told_review(&group.unit) {
            self.renew_assignment(turn);
        }
        let is_worked_on = self.is_worked_on(&group.unit);
        let household = self.households.entry(group.unit.clone()).or_default();
        let known: std::collections::HashSet<ChangeHash> = household.hashes().collect();
        let is_new = |bytes: &ByteBuf| {
            let change = Change::try_from(&bytes[..]);
            change.is_ok_and(|change| !known.contains(&change.hash()))
        };
        let new: Vec<ByteBuf> = group.changes.into_iter().filter(is_new).collect();
        // What a colleague gave before, and was carried, the server has now.
        let (seen, new) = household.meet_carried(new, turn);
        let is_seen = !seen.is_empty();
        household.changes.extend(seen);
        if is_worked_on {
            if is_seen {
                self.keep_unit(&group.unit, turn);
            }
            for change in new {
                let record = self.new_record();
                let kept = UnitChange {
                    unit: group.unit.clone(),
                    change: change.clone(),
                };
                turn.store.put(record, &Record::Held(kept));
                let household = self.households.entry(group.unit.clone()).or_default();
                household.held.push((record, change));
            }
            return Ok(());
        }
        household.changes.extend(new);
        self.show_changes(&group.unit, turn)
    }

    /// Whether the unit's interview is open and something was answered in it.
    pub(crate) fn is_worked_on(&self, unit: &str) -> bool {
        let mut open = self.open.iter();
        open.any(|open| open.unit == unit && open.is_touched())
    }

    /// Works out anew what is shown of a unit of which changes came.
    pub(crate) fn show_changes(&mut self, unit: &str, turn: &mut Turn) -> Result<(), PhoneError> {
        let Some(round) = self.round() else { return Ok(()) };
        let Some(household) = self.households.get(unit) else {
            return Ok(());
        };
        let response = household.response(round, unit)?;
        self.summarise(unit, &response, turn);
        // An interview that is only being looked at shows what came.
        if !self.is_worked_on(unit) && self.open.as_ref().is_some_and(|open| open.unit == unit) {
            let place = self.open.take().map(|open| open.place);
            let mut open = self.glanced(unit, turn)?;
            open.place = place.unwrap_or_default();
            self.open = Some(open);
        }
        Ok(())
    }

    /// Has the assignment asked for again where somebody wrote whose name is not known: a colleague who has enrolled since.
    fn look_for_authors(&mut self, group: &ResponseChanges) {
        let names = self.names();
        let is_stranger = |bytes: &ByteBuf| {
            let change = Change::try_from(&bytes[..]);
            change.is_ok_and(|change| !names.knows(change.actor_id()))
        };
        if group.changes.iter().any(is_stranger)
            && let Some(run) = &mut self.exchange.running
        {
            run.assignment_due = true;
        }
    }

    /// Notes why the server did not take changes that nobody can decide about any more.
    fn note_refused(&mut self, left: &[ChangeHash], turn: &mut Turn) -> Result<(), PhoneError> {
        let refused: Vec<(String, String)> = self
            .client
            .refused()
            .iter()
            .filter(|refused| left.contains(&refused.outgoing.change.hash()))
            .map(|refused| {
                let reason = match self.language {
                    Language::Vietnamese => refused.reason.vietnamese().to_owned(),
                    Language::English => refused.reason.to_string(),
                };
                (refused.outgoing.unit.clone(), reason)
            })
            .collect();
        for (unit, reason) in refused {
            if let Some(household) = self.households.get_mut(&unit) {
                household.refused = Some(reason);
            }
            self.keep_unit(&unit, turn);
        }
        Ok(())
    }

    /// Forgets every byte of a response that was erased.
    pub(crate) fn erase(&mut self, erased: &ErasedResponse, turn: &mut Turn) {
        if self.round() != Some(erased.round) {
            return;
        }
        if self.open.as_ref().is_some_and(|open| open.unit == erased.unit)
            && let Some(open) = self.open.take()
        {
            for record in open.records() {
                turn.store.delete(record);
            }
            turn.store.draft(self.holds_attachments());
        }
        self.forget_reviews(&erased.unit, turn);
        let Some(household) = self.households.remove(&erased.unit) else {
            return;
        };
        for record in household
            .record
            .iter()
            .chain(household.held.iter().map(|(record, _)| record))
            .chain(household.attachments.iter().map(|(record, _)| record))
        {
            turn.store.delete(*record);
        }
        let outgoing = household.outgoing.iter().map(|outgoing| outgoing.record);
        for record in outgoing.chain(household.carried.iter().map(|carried| carried.record)) {
            turn.store.delete(record);
            turn.store.unseal(record);
        }
    }

    /// Forgets all answers of a phone whose rights were taken away. What it has not delivered stays sealed to the server.
    pub(super) fn forget_answers(&mut self, turn: &mut Turn) -> Result<(), PhoneError> {
        // What is open is sealed with the rest.
        self.leave_draft(turn)?;
        self.open = None;
        for household in std::mem::take(&mut self.households).into_values() {
            let held = household.held.iter().map(|(record, _)| *record);
            let outgoing = household.outgoing.iter().map(|outgoing| outgoing.record);
            let files = household.attachments.iter().map(|(record, _)| *record);
            let carried = household.carried.iter().map(|carried| carried.record);
            let records = household.record.into_iter().chain(held).chain(outgoing);
            for record in records.chain(carried).chain(files) {
                turn.store.delete(record);
            }
        }
        for parcel in std::mem::take(&mut self.parcels) {
            turn.store.delete(parcel.record);
        }
        self.forget_decisions(turn, |_| true);
        self.assignment = None;
        turn.store.delete(record::ASSIGNMENT);
        self.form = None;
        turn.store.delete(record::FORM);
        Ok(())
    }

    /// What a new key needs, and what the log was found not to have.
    fn rekey(&mut self, whole_log: bool, turn: &mut Turn) -> Result<(), PhoneError> {
        let (round, key) = self.enrolled()?;
        match self.client.rekeying(&key) {
            Some(_) if self.open.as_ref().is_some_and(|open| open.is_touched()) => {
                let told = Told::new(
                    self.language,
                    "interview-open",
                    (
                        "Cần đóng phiếu đang mở",
                        "Máy cần thay khóa; hãy lưu và đóng phiếu đang mở rồi gửi lại.",
                    ),
                    (
                        "The open form must be closed",
                        "The phone needs a new key; save and close the open form, then send again.",
                    ),
                );
                self.stop(Some(told));
                return Ok(());
            }
            Some(Rekeying::NewKey) => self.draw_key(turn),
            Some(Rekeying::BeginAgain) => self.client.begin_again(),
            Some(Rekeying::Rewrite) => self.rewrite(turn)?,
            None => {}
        }
        if whole_log {
            let actor = key.actor();
            let mut written: Vec<OutgoingChange> = Vec::new();
            for (unit, household) in &self.households {
                let response = household.response(round, unit)?;
                written.extend(OutgoingChange::written_by(&actor, round, unit, &response));
            }
            let before = self.client.unacknowledged();
            self.client.offer(written);
            self.exchange.moved.to_send += self.client.unacknowledged().saturating_sub(before);
        }
        Ok(())
    }
}
