//! A response reduced to the numbers that indicators need, as it is stored.

use indicators::summary::Contribution;
use serde::{Deserialize, Serialize};

use crate::store::StoreError;

/// How a response's unit came into the survey, and what follows for estimates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Listing {
    /// It is one of the frame's list.
    #[default]
    Listed,
    /// It was added in the field to a hamlet of which all households are surveyed: it counts with the hamlet, which has one
    /// household more by it.
    Added,
    /// It was added in the field to a hamlet of which households were drawn. Nobody knows with which probability it would have
    /// been drawn, so no estimate counts it.
    AddedUncounted,
}

/// What one response contributes to each measured indicator, in the registry's order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Reduced {
    /// Whether the unit responded, by the winning answers.
    pub responded: bool,
    /// Numerator and denominator of each indicator, by the winning answers; zeros for a unit that did not respond.
    pub values: Vec<(f64, f64)>,
    /// For indicators that open conflicts touch: the indicator's number and every pair that some settlement leads to.
    pub possible: Vec<(u32, Vec<(f64, f64)>)>,
    /// Whether `possible` holds exactly the reachable pairs and not just pairs around them.
    pub exact: bool,
    /// Open conflicts of the response, whether they touch an indicator or not.
    pub conflicts: u32,
    /// How its unit came into the survey.
    #[serde(default)]
    pub listing: Listing,
}

impl Reduced {
    /// Whether its hamlet's sums have it.
    fn is_counted(&self) -> bool {
        self.responded && self.listing != Listing::AddedUncounted
    }

    /// What the response adds to its hamlet's sums, or none where the unit did not respond or no estimate counts it.
    pub fn contributions(&self) -> Option<Vec<Contribution>> {
        self.is_counted()
            .then(|| self.values.iter().copied().map(contribution).collect())
    }

    /// The same for a response that is known to be a duplicate of another: it counts zero, and the unit responded still.
    pub fn contributions_of_duplicate(&self) -> Option<Vec<Contribution>> {
        self.is_counted().then(|| vec![Contribution::NONE; self.values.len()])
    }

    /// The pairs that some settlement leads to for one indicator, if conflicts touch it.
    pub fn options(&self, indicator: usize) -> Option<Vec<Contribution>> {
        if self.listing == Listing::AddedUncounted {
            return None;
        }
        let (_, pairs) = self.possible.iter().find(|(number, _)| *number as usize == indicator)?;
        Some(pairs.iter().copied().map(contribution).collect())
    }

    /// What the response counts for one indicator now.
    pub fn counted(&self, indicator: usize) -> Contribution {
        match self.values.get(indicator) {
            Some(pair) if self.is_counted() => contribution(*pair),
            _ => Contribution::NONE,
        }
    }

    /// The stored form, CBOR.
    ///
    /// # Errors
    /// [`StoreError`], in practice never.
    pub fn to_bytes(&self) -> Result<Vec<u8>, StoreError> {
        let mut bytes = Vec::new();
        ciborium::into_writer(self, &mut bytes).map_err(|error| damaged(&error))?;
        Ok(bytes)
    }

    /// From the stored form.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when the bytes are not what this version writes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoreError> {
        ciborium::from_reader(bytes).map_err(|error| damaged(&error))
    }
}

fn contribution((numerator, denominator): (f64, f64)) -> Contribution {
    Contribution { numerator, denominator }
}

fn damaged(error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Damaged {
        table: "projection",
        reason: error.to_string(),
    }
}
