//! The side that asks and learns the difference.

use automerge::ChangeHash;

use super::error::{Fault, ReconciliationError};
use super::estimate;
use super::limits::Limits;
use super::message::{Answer, CELL_BYTES_LEAST, Request, claim};
use super::peeling::Peeling;
use super::set::{ChangeSet, Salt, SetDigest};

/// What two sets do not have in common; each list ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Changes that the responder has and the initiator lacks: to be asked for.
    pub missing_here: Vec<ChangeHash>,
    /// Changes that the initiator has and the responder lacks: to be sent.
    pub missing_there: Vec<ChangeHash>,
}

/// What comes next in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Send the next [`Initiator::request`].
    Ask,
    /// The session has ended with this result.
    Reconciled(Difference),
}

/// The initiator's side of one session: a phone, a hub, or a phone that meets another.
///
/// Life of a session: carry [`request`](Self::request) to the responder and its answer to [`receive`](Self::receive);
/// while that says [`Step::Ask`], again. A request or an answer that was lost is asked for again with the same bytes. After
/// an error the session has ended without a result and the caller exchanges everything, as with cursor 0. Changes made
/// while it lasts are not part of it, and are sent as always.
#[derive(Debug)]
pub struct Initiator {
    set: ChangeSet,
    digest: SetDigest,
    limits: Limits,
    request: Request,
    /// The digest of the responder's set by its first answer, and its cells.
    there: Option<(SetDigest, Peeling)>,
    answers: u16,
    ended: bool,
}

impl Initiator {
    /// A session over the changes that the initiator has of what is compared. Both sides must mean the same: the same
    /// rounds and hamlets.
    ///
    /// # Errors
    /// [`ReconciliationError::TooManyChanges`].
    pub fn new(set: ChangeSet, salt: Salt, limits: Limits) -> Result<Self, ReconciliationError> {
        limits.checked(&set)?;
        let digest = set.digest(&salt);
        let request = Request {
            salt,
            claim: claim(&digest),
            first: 0,
            count: limits
                .first_cells
                .min(limits.answer_cells)
                .clamp(1, limits.cells.max(1)),
        };
        Ok(Self {
            set,
            digest,
            limits,
            request,
            there: None,
            answers: 0,
            ended: false,
        })
    }

    /// The request that waits for an answer: the same bytes until one is received.
    pub fn request(&self) -> Vec<u8> {
        self.request.encode()
    }

    /// Bytes of the next answer at most; who reads it need read no more.
    pub fn answer_bytes(&self) -> usize {
        self.limits.answer_bytes()
    }

    /// Takes the responder's answer.
    ///
    /// # Errors
    /// [`ReconciliationError`]; the session has ended then.
    pub fn receive(&mut self, answer: &[u8]) -> Result<Step, ReconciliationError> {
        if self.ended {
            return Err(ReconciliationError::Ended);
        }
        let step = self.step(answer);
        self.ended = step != Ok(Step::Ask);
        step
    }

    fn step(&mut self, answer: &[u8]) -> Result<Step, ReconciliationError> {
        self.answers = self.answers.saturating_add(1);
        let answer = Answer::decode(answer, &self.request, &self.limits)?;
        if answer.digest == self.digest {
            return Ok(Step::Reconciled(Difference::default()));
        }
        if answer.cells.is_empty() {
            return Err(ReconciliationError::Malformed {
                byte: Answer::CELLS_AT,
                fault: Fault::NoCells,
            });
        }
        let salt = self.request.salt;
        let mut peeling = match self.there.take() {
            Some((digest, peeling)) if digest == answer.digest => peeling,
            // The responder's set has changed since, and cells of different sets do not go together.
            Some(_) if answer.first > 0 => {
                let all = self.request.first.saturating_add(self.request.count);
                return self.ask(0, all);
            }
            _ => Peeling::new(salt),
        };
        if let Some(difference) = peeling.extend(&self.set, &answer.cells)? {
            let there = self.set.changed(&difference.missing_there, &difference.missing_here);
            return if there.digest(&salt) == answer.digest {
                Ok(Step::Reconciled(difference))
            } else {
                Err(ReconciliationError::Unverified)
            };
        }

        let came = peeling.cells();
        let differing = estimate::differing(peeling.surplus(), self.changes_of_both(&answer));
        let wanted = estimate::cells(differing, came);
        let limit = self.limits.cells;
        let too_different = ReconciliationError::TooDifferent {
            estimate: differing.ceil() as u64,
        };
        // Fewer cells than differing hashes never do.
        if came >= limit
            || differing > f64::from(limit)
            || self.costs_more_than_everything(&answer, differing, wanted - came)
        {
            return Err(too_different);
        }
        self.there = Some((answer.digest, peeling));
        self.ask(came, wanted.min(limit) - came)
    }

    /// Asks for `count` cells from `first`, or for as many as may come at once.
    fn ask(&mut self, first: u16, count: u16) -> Result<Step, ReconciliationError> {
        if self.answers >= self.limits.answers {
            return Err(ReconciliationError::TooManyAnswers {
                limit: self.limits.answers,
            });
        }
        self.request.first = first;
        self.request.count = count.min(self.limits.answer_cells).max(1);
        Ok(Step::Ask)
    }

    /// Changes of this side and of the other, those that both have counted twice.
    fn changes_of_both(&self, answer: &Answer) -> f64 {
        self.set.len() as f64 + f64::from(answer.changes)
    }

    /// Whether the cells that are still needed are more bytes than the changes that both sides have.
    fn costs_more_than_everything(&self, answer: &Answer, differing: f64, cells: u16) -> bool {
        let Some(change_bytes) = self.limits.change_bytes else {
            return false;
        };
        let common = (self.changes_of_both(answer) - differing).max(0.0) / 2.0;
        f64::from(cells) * CELL_BYTES_LEAST as f64 > common * f64::from(change_bytes)
    }
}
