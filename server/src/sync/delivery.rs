//! What becomes of changes whose authors are known, whichever way they came: by a phone's request or in a bundle.
//!
//! ```text
//! verdicts → scope of each author → intake (history) → log (durable)
//! ```

use std::collections::BTreeMap;

use sync_core::exchange::{Refusal, RefusalReason, Verdict};
use sync_core::identity::RoundId;

use super::intake::{check_scope, plan};
use super::log::{self, Heard, KeptAttestation, SurveyedUnit};
use crate::devices::Authors;
use crate::store::{Store, StoreError};

/// Changes and what is known of those who wrote them.
#[derive(Debug)]
pub(crate) struct Delivery {
    /// One verdict for each change.
    pub(crate) verdicts: Vec<Verdict>,
    /// The attestations that the admitted changes count.
    pub(crate) attestations: Vec<KeptAttestation>,
    /// Who may write where.
    pub(crate) authors: Authors,
    /// The device that brings them, where it was heard itself.
    pub(super) heard: Option<Heard>,
}

impl Delivery {
    /// Changes that somebody carried here, so that no device was heard.
    pub(crate) fn carried(verdicts: Vec<Verdict>, attestations: Vec<KeptAttestation>, authors: Authors) -> Self {
        Self {
            verdicts,
            attestations,
            authors,
            heard: None,
        }
    }
}

/// What became of them.
#[derive(Debug)]
pub(crate) struct Taken {
    /// Those that were not taken.
    pub(crate) refused: Vec<Refusal>,
    /// How many are kept until what they depend on comes, those that waited already among them.
    pub(crate) waiting: u32,
    /// How many were not in the log before and are now.
    pub(crate) logged: u32,
    /// Whether anything was written.
    pub(crate) changed: bool,
}

/// Takes a delivery in. When it returns, what was taken is durable; taking it again changes nothing.
///
/// # Errors
/// [`StoreError`] when the database fails; nothing is kept then.
pub(crate) async fn take(store: &Store, delivery: Delivery) -> Result<Taken, StoreError> {
    let Delivery {
        verdicts,
        attestations,
        authors,
        heard,
    } = delivery;
    let readers = &store.readers;
    let rounds = log::rounds(readers).await?;
    let mut codes: BTreeMap<RoundId, Vec<&str>> = BTreeMap::new();
    for admitted in verdicts.iter().flatten() {
        codes.entry(admitted.round).or_default().push(&admitted.unit);
    }
    let mut units: BTreeMap<(RoundId, String), SurveyedUnit> = BTreeMap::new();
    for (round, codes) in codes {
        let Some((round_key, _)) = rounds.get(&round) else {
            continue;
        };
        let found = log::surveyed_units(readers, *round_key, &codes).await?;
        units.extend(found.into_iter().map(|(code, unit)| ((round, code), unit)));
    }
    let (refused, groups) = check_scope(verdicts, &rounds, &units, &authors);
    let stored = log::stored_responses(readers, groups.keys().copied()).await?;
    // Reading histories keeps a core busy, so it leaves the threads that serve connections.
    let plan = tokio::task::spawn_blocking(move || plan(refused, groups, &stored))
        .await
        .map_err(|_| StoreError::ShuttingDown)?;

    let mut refused = plan.refused.clone();
    let (waiting, changed) = (plan.waiting, !plan.responses.is_empty());
    let planned: usize = plan.responses.iter().map(|response| response.log.len()).sum();
    let contradictions = store
        .writer
        .write(move |connection| {
            Box::pin(async move {
                if let Some(heard) = heard {
                    heard.write(connection).await?;
                }
                log::write(connection, &authors, &attestations, &plan).await
            })
        })
        .await?;
    let logged = planned.saturating_sub(contradictions.len());
    refused.extend(contradictions.into_iter().map(|change| Refusal {
        change,
        reason: RefusalReason::Contradiction,
    }));
    Ok(Taken {
        refused,
        waiting,
        logged: u32::try_from(logged).unwrap_or(u32::MAX),
        changed,
    })
}
