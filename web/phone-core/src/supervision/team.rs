//! What a leader's pages show: how far the team is, and the interviews with what is unusual about them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::flags::{self, Flag, Subject};
use super::standing::{ReviewState, StandingReview};
use crate::assignment::Unit;
use crate::household::{Household, Summary};
use crate::outcome::Sense;
use crate::phone::{Phone, Turn};
use crate::problem::PhoneError;

/// A household with all that is known of it.
struct Known<'a> {
    unit: &'a Unit,
    summary: &'a Summary,
    status: &'static str,
    assignee: Option<String>,
    review: Option<StandingReview>,
}

/// What one person did, as far as it has reached this phone.
#[derive(Default)]
struct Work {
    /// Households that are theirs to do, and of these those that need a visit.
    assigned: usize,
    left: usize,
    /// Households whose last interview they held and finished.
    done: usize,
    visits: usize,
    failed: usize,
    /// Of theirs, those where somebody should have come again by now.
    due: usize,
    last_heard: Option<i64>,
}

impl Known<'_> {
    /// Whether no further visit is needed.
    fn is_done(&self) -> bool {
        matches!(self.status, "finished" | "sent" | "closed")
    }

    /// Whether somebody should have come again by now.
    fn is_due(&self, now: i64) -> bool {
        self.status == "call_back" && self.summary.call_back_at.is_some_and(|at| at <= now)
    }

    /// Whether there is an interview to look at.
    fn is_interviewed(&self) -> bool {
        self.summary.begun && self.summary.sense() == Sense::Interview
    }

    /// The actor of whoever held the last interview.
    fn interviewer(&self) -> Option<&str> {
        let mut visits = self.summary.evidence.iter().flat_map(|evidence| &evidence.visits);
        let last = visits.rfind(|visit| flags::is_interview(visit));
        last.map(|visit| visit.device.as_str())
    }
}

impl Phone {
    /// `Team` of the protocol.
    pub(crate) fn team(&mut self, turn: &mut Turn) -> Result<Value, PhoneError> {
        self.renew_summaries(turn)?;
        let assignment = self.led()?;
        let (nothing, unread) = (Household::default(), Summary::default());
        let known: Vec<Known<'_>> = assignment
            .units
            .iter()
            .map(|unit| {
                let household = self.households.get(&unit.code).unwrap_or(&nothing);
                Known {
                    unit,
                    summary: household.summary.as_ref().unwrap_or(&unread),
                    status: self.status_of(&unit.code, Some(unit)),
                    assignee: self.assignee_of(unit),
                    review: self.review_of(unit, household),
                }
            })
            .collect();
        let subjects: Vec<Subject<'_>> = known
            .iter()
            .map(|known| Subject {
                unit: &known.unit.code,
                hamlet: &known.unit.hamlet,
                address: &known.unit.address,
                summary: known.summary,
                refused: self.refused(&known.unit.code),
            })
            .collect();
        let flags = flags::flags(&subjects);
        let now = turn.milliseconds();
        Ok(json!({
            "hamlets": self.told_hamlets(&known, now),
            "people": self.told_people(&known, now)?,
            "interviews": self.told_interviews(&known, &flags),
            "queue": self.told_decisions(),
        }))
    }

    fn told_hamlets(&self, known: &[Known<'_>], now: i64) -> Value {
        let assignment = self.assignment.iter().map(|(_, assignment)| assignment);
        let hamlets = assignment.flat_map(|assignment| &assignment.device.hamlets);
        let told = hamlets.map(|hamlet| {
            let units: Vec<&Known<'_>> = known.iter().filter(|known| known.unit.hamlet == hamlet.code).collect();
            let count = |is: &dyn Fn(&Known<'_>) -> bool| units.iter().filter(|known| is(known)).count();
            let has =
                |state| move |known: &Known<'_>| known.review.as_ref().is_some_and(|review| review.state == state);
            json!({
                "code": hamlet.code,
                "name": hamlet.name,
                "commune": hamlet.commune,
                "households": units.len(),
                "done": count(&|known| known.is_done()),
                "closed": count(&|known| known.status == "closed"),
                "callBacks": count(&|known| known.status == "call_back"),
                "due": count(&|known| known.is_due(now)),
                "approved": count(&has(ReviewState::Approved)),
                "sentBack": count(&has(ReviewState::HasIssues)),
                "rejected": count(&has(ReviewState::Rejected)),
            })
        });
        told.collect()
    }

    fn told_people(&self, known: &[Known<'_>], now: i64) -> Result<Value, PhoneError> {
        let (_, key) = self.enrolled()?;
        let own = key.actor().to_string();
        let names = self.names();
        let earlier: Vec<String> = names.own.iter().map(ToString::to_string).collect();
        // What this phone did by an earlier key is the same person's.
        let actor_of = |device: &str| match earlier.iter().any(|actor| actor == device) {
            true => own.clone(),
            false => device.to_owned(),
        };
        let mut work: BTreeMap<String, Work> = BTreeMap::new();
        for known in known {
            if let Some(assignee) = &known.assignee {
                let theirs = work.entry(actor_of(assignee)).or_default();
                theirs.assigned += 1;
                theirs.left += usize::from(!known.is_done());
                theirs.due += usize::from(known.is_due(now));
            }
            if let Some(interviewer) = known.interviewer().filter(|_| known.is_done()) {
                work.entry(actor_of(interviewer)).or_default().done += 1;
            }
            for visit in known.summary.evidence.iter().flat_map(|evidence| &evidence.visits) {
                let theirs = work.entry(actor_of(&visit.device)).or_default();
                theirs.visits += 1;
                theirs.failed += usize::from(!flags::is_interview(visit));
                theirs.last_heard = theirs.last_heard.max(Some(visit.ended_at));
            }
        }
        let (_, assignment) = self.assignment.as_ref().ok_or(PhoneError::NotEnrolled)?;
        let volunteer = self.identity.as_ref().and_then(|identity| identity.volunteer.as_ref());
        let own_hamlets = assignment.device.hamlets.iter().map(|hamlet| hamlet.code.clone());
        let mut people = vec![(
            own.clone(),
            volunteer.unwrap_or(&assignment.device.name).clone(),
            true,
            own_hamlets.collect::<Vec<String>>(),
        )];
        for mate in &assignment.teammates {
            people.push((mate.actor.clone(), mate.name.clone(), mate.leader, mate.hamlets.clone()));
        }
        let told = people.into_iter().filter_map(|(actor, name, leader, hamlets)| {
            let work = work.remove(&actor).unwrap_or_default();
            // Whoever works here no more is told for what they did.
            if hamlets.is_empty() && work.visits == 0 {
                return None;
            }
            Some(json!({
                "own": actor == own,
                "actor": actor,
                "name": name,
                "leader": leader,
                "hamlets": hamlets,
                "assigned": work.assigned,
                "left": work.left,
                "done": work.done,
                "visits": work.visits,
                "failed": work.failed,
                "due": work.due,
                "lastHeard": work.last_heard,
                "flag": flags::failed_visits(work.visits, work.failed, self.language),
            }))
        });
        Ok(told.collect())
    }

    fn told_interviews(&self, known: &[Known<'_>], flags: &BTreeMap<&str, Vec<Flag>>) -> Value {
        let interviewed = known.iter().filter(|known| known.is_interviewed());
        let told = interviewed.map(|known| {
            let flags = flags.get(known.unit.code.as_str()).into_iter().flatten();
            let flags = flags.map(|flag| json!({ "kind": flag.kind(), "text": flag.text(self.language) }));
            json!({
                "unit": known.unit.code,
                "hamlet": known.unit.hamlet,
                "address": known.unit.address,
                "person": known.summary.person,
                "complete": known.summary.complete && !known.summary.is_partial(),
                "interviewer": known.interviewer().map(|actor| self.name_of(actor)),
                "visitedAt": known.summary.visited_at,
                "review": known.review,
                "flags": flags.collect::<Value>(),
            })
        });
        told.collect()
    }
}
