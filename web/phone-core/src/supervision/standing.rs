//! How a household stands: by what the server told last, and by what was decided here since.

use serde::{Deserialize, Serialize};

use super::decisions::{Judgement, Outcome};
use crate::assignment::Unit;
use crate::household::Household;
use crate::phone::Phone;

/// How an interview stands; the words are those of ODK Central's review states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReviewState {
    /// Nobody has said anything about it as it is now.
    Received,
    /// It goes back to whoever made it.
    HasIssues,
    /// It is good.
    Approved,
    /// It is of no use.
    Rejected,
}

/// What was found of an interview as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct StandingReview {
    pub(crate) state: ReviewState,
    pub(crate) reason: String,
    /// Who decided, where that is known.
    pub(crate) by: Option<String>,
    /// Whether the server does not have it yet.
    pub(crate) unsent: bool,
}

impl Phone {
    /// The actor of whoever is to do a unit; nobody where whoever comes is.
    pub(crate) fn assignee_of(&self, unit: &Unit) -> Option<String> {
        let decided = self.decisions.values().rev().find_map(|kept| match &kept.judgement {
            Judgement::Assign { assignee } if kept.unit == unit.code && kept.counts() => Some(assignee.clone()),
            _ => None,
        });
        decided.unwrap_or_else(|| unit.assignee.clone())
    }

    /// What was found of a unit's interview, if that is about everything that this phone has of it.
    pub(crate) fn review_of(&self, unit: &Unit, household: &Household) -> Option<StandingReview> {
        for kept in self.decisions.values().rev() {
            let Judgement::Review { state, reason, seen } = &kept.judgement else {
                continue;
            };
            if kept.unit != unit.code || !kept.counts() {
                continue;
            }
            let is_current = household.hashes().all(|hash| seen.contains(&hash.to_string()));
            return (is_current && *state != ReviewState::Received).then(|| StandingReview {
                state: *state,
                reason: reason.clone(),
                by: None,
                unsent: kept.outcome == Outcome::Waiting,
            });
        }
        // What this phone has written since is not in what was reviewed.
        let review = unit.review.as_ref().filter(|_| household.outgoing.is_empty())?;
        Some(StandingReview {
            state: review.state,
            reason: review.reason.clone(),
            by: review.by.clone(),
            unsent: false,
        })
    }

    /// Whether the server told of a review of a unit, which new changes end.
    pub(crate) fn has_told_review(&self, code: &str) -> bool {
        let units = self.assignment.iter().flat_map(|(_, assignment)| &assignment.units);
        let mut units = units.filter(|unit| unit.code == code);
        units.next().is_some_and(|unit| unit.review.is_some())
    }
}
