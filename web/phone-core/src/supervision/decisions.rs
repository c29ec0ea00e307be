//! A leader's decisions: made at once on the phone, kept until the server has answered, and told where it refused.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Builder;

use super::ReviewState;
use crate::assignment::Assignment;
use crate::exchange::Told;
use crate::phone::{Phone, Turn};
use crate::problem::PhoneError;
use crate::record::{Record, RecordId};

/// Decisions of one request to the server at most.
const BATCH: usize = 100;
/// Characters of a reason at most, as the server has it.
const REASON_CHARACTERS: usize = 500;

/// A decision on the phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DecisionRecord {
    /// The identity by which the server knows it again.
    pub(crate) id: String,
    /// When it was made, by this phone's clock.
    pub(crate) at: i64,
    pub(crate) unit: String,
    pub(crate) judgement: Judgement,
    pub(crate) outcome: Outcome,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Judgement {
    /// Who is to do the unit, by actor; or whoever comes.
    Assign { assignee: Option<String> },
    /// What was found of the interview, and the hashes of the changes that were looked at.
    Review {
        state: ReviewState,
        reason: String,
        seen: Vec<String>,
    },
}

/// What the server said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Outcome {
    /// Nothing yet.
    Waiting,
    /// It was taken; until the next assignment tells what came of it, this phone remembers.
    Accepted,
    /// It was not, for the reason that it told.
    Refused(String),
}

/// A decision as pages make it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MadeDecision {
    Assign { actor: Option<String> },
    Review { state: ReviewState, reason: String },
}

/// What the server answers.
#[derive(Deserialize)]
struct Answer {
    verdicts: Vec<Verdict>,
}

#[derive(Deserialize)]
struct Verdict {
    id: String,
    accepted: bool,
    #[serde(default)]
    detail: String,
}

impl DecisionRecord {
    /// Whether it counts on this phone.
    pub(super) fn counts(&self) -> bool {
        !matches!(self.outcome, Outcome::Refused(_))
    }

    /// The decision as the server reads it.
    fn written(&self) -> Value {
        let decision = match &self.judgement {
            Judgement::Assign { assignee } => json!({ "assign": assignee }),
            Judgement::Review { state, reason, seen } => {
                json!({ "review": { "state": state, "reason": reason, "seen": seen } })
            }
        };
        json!({ "id": self.id, "at": self.at, "unit": self.unit, "decision": decision })
    }
}

impl Phone {
    /// Decides about units. All of it is kept, or nothing.
    pub(crate) fn decide(
        &mut self,
        units: &[String],
        decision: &MadeDecision,
        turn: &mut Turn,
    ) -> Result<Value, PhoneError> {
        let assignment = self.led()?;
        let mut made = Vec::with_capacity(units.len());
        for code in units {
            let unit = assignment.units.iter().find(|unit| unit.code == *code);
            let unit = unit.ok_or_else(|| PhoneError::UnknownUnit(code.clone()))?;
            let judgement = match decision {
                MadeDecision::Assign { actor } => {
                    if let Some(actor) = actor {
                        self.require_worker(assignment, actor, &unit.hamlet)?;
                    }
                    Judgement::Assign {
                        assignee: actor.clone(),
                    }
                }
                MadeDecision::Review { state, reason } => self.judged(code, *state, reason)?,
            };
            made.push((code.clone(), judgement));
        }
        for (unit, judgement) in made {
            let mut random = [0; 16];
            random.copy_from_slice(&turn.secret()[..16]);
            let kept = DecisionRecord {
                id: Builder::from_random_bytes(random).into_uuid().to_string(),
                at: turn.milliseconds(),
                unit,
                judgement,
                outcome: Outcome::Waiting,
            };
            let record = self.new_record();
            turn.store.put(record, &Record::Decision(kept.clone()));
            self.decisions.insert(record, kept);
        }
        self.team(turn)
    }

    /// The assignment of a leader's phone.
    ///
    /// # Errors
    /// [`PhoneError::Refused`] on other phones.
    pub(super) fn led(&self) -> Result<&Assignment, PhoneError> {
        let (_, assignment) = self.assignment.as_ref().ok_or(PhoneError::NotEnrolled)?;
        match assignment.device.leader {
            true => Ok(assignment),
            false => Err(PhoneError::Refused {
                vi: "Máy này không phải của tổ trưởng; hãy liên hệ cán bộ xã.".to_owned(),
                en: "This phone is not a team leader's; ask the commune official.".to_owned(),
            }),
        }
    }

    /// That the device with this actor may work in the hamlet.
    fn require_worker(&self, assignment: &Assignment, actor: &str, hamlet: &str) -> Result<(), PhoneError> {
        let (_, key) = self.enrolled()?;
        let mut mates = assignment.teammates.iter();
        let works = |hamlets: &[String]| hamlets.iter().any(|code| code == hamlet);
        let may = key.actor().to_string() == actor || mates.any(|mate| mate.actor == actor && works(&mate.hamlets));
        if may {
            return Ok(());
        }
        Err(PhoneError::Refused {
            vi: "Người này không làm ở ấp, khu phố của hộ; hãy chọn người khác.".to_owned(),
            en: "This person does not work in the household's hamlet; choose somebody else.".to_owned(),
        })
    }

    fn judged(&self, unit: &str, state: ReviewState, reason: &str) -> Result<Judgement, PhoneError> {
        let reason = reason.trim();
        if reason.is_empty() && matches!(state, ReviewState::HasIssues | ReviewState::Rejected) {
            return Err(PhoneError::Refused {
                vi: "Hãy ghi lý do để người phỏng vấn biết phải sửa gì.".to_owned(),
                en: "Give a reason, so that the interviewer knows what to correct.".to_owned(),
            });
        }
        if reason.chars().count() > REASON_CHARACTERS {
            return Err(PhoneError::Refused {
                vi: "Lý do dài quá 500 chữ cái.".to_owned(),
                en: "The reason has more than 500 characters.".to_owned(),
            });
        }
        let household = self.households.get(unit);
        let seen: Vec<String> = household
            .iter()
            .flat_map(|household| household.shown_hashes())
            .map(|hash| hash.to_string())
            .collect();
        if seen.is_empty() {
            return Err(PhoneError::Refused {
                vi: "Hộ này chưa có phiếu để duyệt.".to_owned(),
                en: "There is no response of this household to review yet.".to_owned(),
            });
        }
        Ok(Judgement::Review {
            state,
            reason: reason.to_owned(),
            seen,
        })
    }

    /// Whether decisions wait for the server.
    pub(crate) fn has_waiting_decisions(&self) -> bool {
        self.decisions.values().any(|kept| kept.outcome == Outcome::Waiting)
    }

    /// The next decisions for the server, in the order in which they were made.
    pub(crate) fn decisions_to_send(&self) -> Result<Vec<u8>, PhoneError> {
        let waiting = self.decisions.values().filter(|kept| kept.outcome == Outcome::Waiting);
        let decisions: Vec<Value> = waiting.take(BATCH).map(DecisionRecord::written).collect();
        Ok(serde_json::to_vec(&json!({ "decisions": decisions }))?)
    }

    /// Takes what the server says of decisions, and whether it said anything of those that wait.
    pub(crate) fn take_verdicts(&mut self, body: &[u8], turn: &mut Turn) -> Result<bool, PhoneError> {
        let answer: Answer = serde_json::from_slice(body)?;
        let mut any = false;
        for verdict in answer.verdicts {
            for (record, kept) in &mut self.decisions {
                if kept.id == verdict.id && kept.outcome == Outcome::Waiting {
                    any = true;
                    kept.outcome = match verdict.accepted {
                        true => Outcome::Accepted,
                        false => Outcome::Refused(verdict.detail.clone()),
                    };
                    turn.store.put(*record, &Record::Decision(kept.clone()));
                }
            }
        }
        Ok(any)
    }

    /// The server takes no decisions of this phone at all.
    pub(crate) fn refuse_decisions(&mut self, problem: &Told, turn: &mut Turn) {
        for (record, kept) in &mut self.decisions {
            if kept.outcome == Outcome::Waiting {
                kept.outcome = Outcome::Refused(problem.detail().to_owned());
                turn.store.put(*record, &Record::Decision(kept.clone()));
            }
        }
    }

    /// Forgets the decisions that the assignment has by now.
    pub(crate) fn forget_accepted(&mut self, turn: &mut Turn) {
        self.forget_decisions(turn, |kept| kept.outcome == Outcome::Accepted);
    }

    /// Forgets what was found of a response that was erased.
    pub(crate) fn forget_reviews(&mut self, unit: &str, turn: &mut Turn) {
        self.forget_decisions(turn, |kept| {
            kept.unit == unit && matches!(kept.judgement, Judgement::Review { .. })
        });
    }

    /// Forgets the decisions of a kind.
    pub(crate) fn forget_decisions(&mut self, turn: &mut Turn, is_done: impl Fn(&DecisionRecord) -> bool) {
        self.decisions.retain(|record, kept| {
            let done = is_done(kept);
            if done {
                turn.store.delete(*record);
            }
            !done
        });
    }

    /// `DecisionQueue` of the protocol: what waits, and what was refused.
    pub(crate) fn told_decisions(&self) -> Value {
        let refused = self.decisions.values().filter_map(|kept| match &kept.outcome {
            Outcome::Refused(detail) => Some(json!({
                "id": kept.id,
                "unit": kept.unit,
                "address": self.address(&kept.unit),
                "detail": detail,
            })),
            _ => None,
        });
        let waiting = self.decisions.values().filter(|kept| kept.outcome == Outcome::Waiting);
        json!({ "waiting": waiting.count(), "refused": refused.collect::<Value>() })
    }

    /// Somebody has read that a decision was refused.
    pub(crate) fn dismiss_decision(&mut self, id: &str, turn: &mut Turn) -> Value {
        self.forget_decisions(turn, |kept| kept.id == id && !kept.counts());
        self.told_decisions()
    }

    /// Takes a stored decision up again.
    pub(crate) fn restore_decision(&mut self, record: RecordId, kept: DecisionRecord) {
        self.decisions.insert(record, kept);
    }
}
