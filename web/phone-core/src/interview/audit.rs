//! How the answers of a visit came about (paradata): which page was shown from when to when, when each question was
//! answered, jumps, and where the phone was, where the form's row `audit` asks for it.
//!
//! The words are those of ODK Collect, so that tools which read its `audit.csv` read these files too: its documentation
//! "Form Audit Log" and its sources `AuditEvent` and `AuditEventLogger` for the events, ODK XForms, "Client Audit Logs" for
//! the file. It differs from Collect in one thing. Pages here mostly hold many questions, and of such a page Collect tells
//! only how long it was shown. Here each question that was answered on it has an event `question` of its own within that of
//! the page, from what was done before on the page to the last change of the answer: the time that the question took.

mod file;
mod following;

use serde::{Deserialize, Serialize};
use survey_forms::answers::AnswerPath;
use survey_forms::model::{Form, Metadata, NodeKind};

use crate::record::RecordId;

/// What happened, by Collect's name for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum EventKind {
    FormStart,
    FormResume,
    FormSave,
    FormExit,
    FormFinalize,
    Question,
    GroupQuestions,
    AddRepeat,
    DeleteRepeat,
    EndScreen,
    Jump,
    ConstraintError,
    LocationTrackingEnabled,
    LocationTrackingDisabled,
    LocationPermissionsGranted,
    LocationPermissionsNotGranted,
}

impl EventKind {
    /// Whether the event has an end as well as a start.
    fn is_interval(self) -> bool {
        matches!(
            self,
            Self::Question | Self::GroupQuestions | Self::AddRepeat | Self::EndScreen | Self::Jump
        )
    }
}

/// One event. Times are milliseconds since 1970-01-01T00:00:00Z by the phone's clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct AuditEvent {
    pub(crate) kind: EventKind,
    /// The path of what it is about in the filled form; empty where it is about the whole form.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) node: String,
    pub(crate) start: i64,
    /// None while it goes on, and for events without duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) end: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) position: Option<Position>,
    /// The answer at the start, where the form asks to track changes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) old: String,
    /// The answer at the end.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) new: String,
}

/// Where the phone was: latitude and longitude in degrees (WGS 84), accuracy in metres.
pub(crate) type Position = (f64, f64, f64);

/// How positions are to be taken (parameters `location-priority`, `location-min-interval` and `location-max-age`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LocationParameters {
    /// `high-accuracy`, `balanced`, `low-power` or `no-power`.
    pub(crate) priority: String,
    /// How long to wait between two, in milliseconds.
    pub(crate) min_interval: i64,
    /// How long one counts, in milliseconds.
    pub(crate) max_age: i64,
}

/// What the form's row `audit` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuditRequest {
    pub(crate) locations: Option<LocationParameters>,
    /// `track-changes`: whether answers stand in the file.
    tracks_changes: bool,
    /// `identify-user`: whether the volunteer's name stands in the file.
    identifies_user: bool,
    /// `track-changes-reasons`: whether the file has a column for reasons. Nobody is asked for them: Collect asks who changes
    /// a finished form, and here a form is never finished for good.
    has_reasons: bool,
}

impl AuditRequest {
    /// What a form asks for; nothing where it has no row `audit`.
    pub(crate) fn of(form: &Form) -> Option<Self> {
        let mut rows = form.nodes().iter();
        let row = rows.find(|row| row.kind == NodeKind::Metadata(Metadata::Audit))?;
        let given = |name: &str| row.parameters.get(name).map(String::as_str);
        let milliseconds = |name: &str| given(name)?.parse::<i64>().ok()?.checked_mul(1000);
        let locations = given("location-priority").and_then(|priority| {
            Some(LocationParameters {
                priority: priority.to_owned(),
                min_interval: milliseconds("location-min-interval")?.max(0),
                max_age: milliseconds("location-max-age")?.max(0),
            })
        });
        Some(Self {
            locations,
            tracks_changes: given("track-changes") == Some("true"),
            identifies_user: given("identify-user") == Some("true"),
            has_reasons: given("track-changes-reasons").is_some(),
        })
    }
}

/// What is shown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shown {
    /// The place's name.
    pub(crate) place: String,
    pub(crate) kind: EventKind,
    pub(crate) node: String,
    /// The question, where it is the only one, and its answer.
    pub(crate) only: Option<(AnswerPath, String)>,
}

/// The log of a visit.
#[derive(Debug)]
pub(crate) struct Audit {
    request: AuditRequest,
    /// In the order in which they began, with where they are kept.
    events: Vec<(Option<RecordId>, AuditEvent)>,
    /// Those that are kept otherwise than they are.
    unkept: Vec<usize>,
    /// How the visit begins, until the volunteer does something in it.
    opening: Option<EventKind>,
    /// Whether the volunteer agreed that positions are recorded.
    may_locate: bool,
    /// What is shown, and its event.
    shown: Option<(Shown, usize)>,
    /// The question of the page that was answered last, and its event.
    answered: Option<(AnswerPath, usize)>,
    /// When something was last done on the page.
    touched_at: i64,
    /// What positions came lately, and when.
    positions: Vec<(i64, Position)>,
    /// Whether the browser gives positions, once that is known.
    permitted: Option<bool>,
}

impl Audit {
    /// A log that begins, or goes on after the app was closed in the middle of the visit.
    pub(crate) fn new(
        request: AuditRequest,
        opening: EventKind,
        may_locate: bool,
        kept: Vec<(RecordId, AuditEvent)>,
    ) -> Self {
        let mut audit = Self {
            request,
            events: kept.into_iter().map(|(record, event)| (Some(record), event)).collect(),
            unkept: Vec::new(),
            opening: Some(opening),
            may_locate,
            shown: None,
            answered: None,
            touched_at: 0,
            positions: Vec::new(),
            permitted: None,
        };
        // What was going on when the app was closed ended with the last thing that is known of.
        let last = audit
            .events
            .iter()
            .map(|(_, event)| event.end.unwrap_or(event.start))
            .max();
        for number in 0..audit.events.len() {
            if let (Some((_, event)), Some(last)) = (audit.events.get_mut(number), last)
                && event.kind.is_interval()
                && event.end.is_none()
            {
                event.end = Some(last);
                audit.changed(number);
            }
        }
        audit
    }

    /// How positions are to be taken, where the form asks for them.
    pub(crate) fn locations(&self) -> Option<&LocationParameters> {
        self.request.locations.as_ref()
    }

    /// The volunteer does something: from here on the visit goes on.
    pub(crate) fn wake(&mut self, now: i64) {
        let Some(opening) = self.opening.take() else { return };
        self.instant(opening, String::new(), now);
        if self.request.locations.is_some() {
            self.tell_tracking(now);
        }
    }

    /// Whether a page is shown.
    pub(crate) fn shows_something(&self) -> bool {
        self.shown.is_some()
    }

    /// A page is shown; nothing happens where it is the one that is shown already.
    pub(crate) fn show(&mut self, shown: Shown, now: i64) {
        if self
            .shown
            .as_ref()
            .is_some_and(|(before, _)| before.place == shown.place)
        {
            return;
        }
        self.close(now);
        let old = shown.only.as_ref().map(|(_, value)| value.clone()).unwrap_or_default();
        let mut event = self.event(shown.kind, shown.node.clone(), now);
        if self.request.tracks_changes {
            (event.old, event.new) = (old.clone(), old);
        }
        let number = self.push(event);
        self.shown = Some((shown, number));
        self.touched_at = now;
    }

    /// An answer was given, changed or taken away.
    pub(crate) fn answer(&mut self, path: &AnswerPath, node: String, old: String, new: String, now: i64) {
        let new = if self.request.tracks_changes {
            new
        } else {
            String::new()
        };
        let is_only = |(shown, _): &&(Shown, usize)| shown.only.as_ref().is_some_and(|(only, _)| only == path);
        if let Some((_, number)) = self.shown.as_ref().filter(is_only) {
            self.change(*number, |event| event.new = new);
        } else if let Some((_, number)) = self.answered.as_ref().filter(|(before, _)| before == path) {
            self.change(*number, |event| {
                event.new = new;
                event.end = Some(now.max(event.start));
            });
        } else {
            let mut event = self.event(EventKind::Question, node, self.touched_at.min(now));
            event.end = Some(now);
            event.new = new;
            if self.request.tracks_changes {
                event.old = old;
            }
            self.give_position(&mut event, now);
            let number = self.push(event);
            self.answered = Some((path.clone(), number));
        }
        self.touched_at = now;
    }

    /// Something without duration happened.
    pub(crate) fn instant(&mut self, kind: EventKind, node: String, now: i64) {
        let event = self.event(kind, node, now);
        self.push(event);
    }

    /// The volunteer went straight to another place.
    pub(crate) fn jump(&mut self, now: i64) {
        self.close(now);
        let mut event = self.event(EventKind::Jump, String::new(), now);
        event.end = Some(now);
        self.push(event);
    }

    /// The volunteer agreed, or no longer agrees, that positions are recorded.
    pub(crate) fn consent(&mut self, agreed: bool, now: i64) {
        if self.may_locate == agreed || self.request.locations.is_none() {
            return;
        }
        self.may_locate = agreed;
        self.positions.clear();
        if self.opening.is_none() {
            self.tell_tracking(now);
        }
    }

    /// Where the phone is; none where the browser does not say.
    pub(crate) fn locate(&mut self, position: Option<Position>, now: i64) {
        if !self.may_locate || self.request.locations.is_none() {
            return;
        }
        let is_known = self.permitted.replace(position.is_some()) == Some(position.is_some());
        if let Some(position) = position {
            self.positions.push((now, position));
            self.forget_old_positions(now);
        }
        if !is_known && self.opening.is_none() {
            let kind = match position {
                Some(_) => EventKind::LocationPermissionsGranted,
                None => EventKind::LocationPermissionsNotGranted,
            };
            self.instant(kind, String::new(), now);
        }
    }

    /// Ends the log. `complete` says whether nothing in the form is missing or wrong.
    pub(crate) fn finish(&mut self, complete: bool, now: i64) {
        self.wake(now);
        self.close(now);
        self.instant(EventKind::FormSave, String::new(), now);
        self.instant(EventKind::FormExit, String::new(), now);
        if complete {
            self.instant(EventKind::FormFinalize, String::new(), now);
        }
    }

    /// Hands out what has to be kept, with the record in whose place it comes, and takes where each is kept now.
    pub(crate) fn keep(&mut self, mut put: impl FnMut(Option<RecordId>, &AuditEvent) -> RecordId) {
        for number in std::mem::take(&mut self.unkept) {
            if let Some((record, event)) = self.events.get_mut(number) {
                *record = Some(put(*record, event));
            }
        }
    }

    /// Where the events are kept.
    pub(crate) fn records(&self) -> impl Iterator<Item = RecordId> {
        self.events.iter().filter_map(|(record, _)| *record)
    }

    fn tell_tracking(&mut self, now: i64) {
        let kind = match self.may_locate {
            true => EventKind::LocationTrackingEnabled,
            false => EventKind::LocationTrackingDisabled,
        };
        self.instant(kind, String::new(), now);
    }

    fn event(&self, kind: EventKind, node: String, start: i64) -> AuditEvent {
        let mut event = AuditEvent {
            kind,
            node,
            start,
            end: None,
            position: None,
            old: String::new(),
            new: String::new(),
        };
        self.give_position(&mut event, start);
        event
    }

    /// The most accurate of the positions that still count, as in Collect.
    fn give_position(&self, event: &mut AuditEvent, now: i64) {
        let Some(parameters) = &self.request.locations else {
            return;
        };
        if event.position.is_some() {
            return;
        }
        let current = self
            .positions
            .iter()
            .filter(|(at, _)| (0..=parameters.max_age).contains(&(now - at)));
        let best = current.min_by(|(_, one), (_, other)| one.2.total_cmp(&other.2));
        event.position = best.map(|(_, position)| *position);
    }

    fn forget_old_positions(&mut self, now: i64) {
        let max_age = self
            .request
            .locations
            .as_ref()
            .map_or(0, |parameters| parameters.max_age);
        self.positions.retain(|(at, _)| (0..=max_age).contains(&(now - at)));
    }

    /// What is shown is left.
    fn close(&mut self, now: i64) {
        self.answered = None;
        let Some((_, number)) = self.shown.take() else { return };
        let Some((_, event)) = self.events.get(number) else {
            return;
        };
        let mut event = event.clone();
        // Where no position was known at its start, there may be one by now.
        self.give_position(&mut event, now);
        // A clock that was set back makes no event end before it began.
        event.end = Some(now.max(event.start));
        self.change(number, |kept| *kept = event);
    }

    fn push(&mut self, event: AuditEvent) -> usize {
        let number = self.events.len();
        self.events.push((None, event));
        self.changed(number);
        number
    }

    fn change(&mut self, number: usize, work: impl FnOnce(&mut AuditEvent)) {
        if let Some((_, event)) = self.events.get_mut(number) {
            work(event);
            self.changed(number);
        }
    }

    fn changed(&mut self, number: usize) {
        if !self.unkept.contains(&number) {
            self.unkept.push(number);
        }
    }
}

#[cfg(test)]
mod tests;
