//! One occasion on which a hub reaches its upstream, and the task that looks for the next.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use sync_core::ChangeHash;
use sync_core::exchange::delivery::{Delivery, KeptAttestation, Taken};
use sync_core::exchange::forwarding::{Comparison, ForwardRequest, ForwardResponse, ForwardedErasure, ForwardingState};
use sync_core::exchange::intake::HamletKey;
use sync_core::exchange::{CarriedChanges, Limits, admit_carried, reconciliation, wire};
use tokio::sync::Notify;

use super::error::HubError;
use super::piece;
use super::upstream::{Kept, Settlement, Unsettled, Upstream, encoded, unsettled};
use crate::clock;
use crate::devices::{RosterDevice, import_roster, roster_of};
use crate::estimates::Projector;
use crate::rounds::added;
use crate::store::{Store, StoreError};
use crate::sync::carrying::{self, CarriedEntries};
use crate::sync::{Source, UPSTREAM, erase, forwarded_erasures, head, take};

/// How long a hub waits before it looks for its upstream again.
const INTERVAL: Duration = Duration::from_secs(15);
/// How long before it brings again what the upstream has not logged.
const RETRY: Duration = Duration::from_secs(15 * 60);
/// How many such changes it brings again at once.
const RETRIED: i64 = 2_000;

/// What an occasion did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Reached {
    /// Changes that the upstream was brought.
    pub(crate) brought: u64,
    /// Those of them that wait there for others.
    pub(crate) waiting: u64,
    /// Those that it refused.
    pub(crate) refused: u64,
    /// Changes that came from there and were not here before.
    pub(crate) new: u64,
    /// Changes from there that are not taken here.
    pub(crate) not_taken: u64,
    /// Messages.
    pub(crate) exchanges: u64,
}

/// Exchanges with the upstream until neither has more for the other. With `retry` also what the upstream has not logged
/// before is brought, and what waits here: the upstream may have what it waits for.
///
/// # Errors
/// [`HubError`]; what was exchanged until then stays, and the next occasion goes on from there.
pub(crate) async fn reach(store: &Store, upstream: &Upstream, retry: bool) -> Result<Reached, HubError> {
    let mut occasion = Occasion {
        store,
        upstream,
        reached: Reached::default(),
    };
    let readers = &store.readers;
    let mut first = match retry {
        true => carrying::read_by_hash(readers, &unsettled(readers, RETRIED).await?, None)
            .await?
            .and(carrying::read_waiting(readers, UPSTREAM, RETRIED).await?),
        false => CarriedEntries::default(),
    };
    let mut compared = false;
    loop {
        let state = Kept::load(readers).await?.state;
        let begins = state.everything && state.forwarded.is_none() && !std::mem::replace(&mut compared, true);
        if begins {
            occasion.compare().await?;
        }
        if !occasion.exchange(std::mem::take(&mut first)).await? {
            return Ok(occasion.reached);
        }
    }
}

/// One reaching of the upstream.
struct Occasion<'a> {
    store: &'a Store,
    upstream: &'a Upstream,
    reached: Reached,
}

/// A message that was answered.
struct Answered {
    /// What was kept before.
    kept: Kept,
    /// SHA-256 of the roster here.
    roster: [u8; 32],
    /// The changes that were brought; none for one whose bytes are damaged.
    brought: Vec<Option<ChangeHash>>,
    answer: ForwardResponse,
}

impl Occasion<'_> {
    /// One request and what its answer brings; gives whether there is more.
    async fn exchange(&mut self, first: CarriedEntries) -> Result<bool, HubError> {
        let kept = Kept::load(&self.store.readers).await?;
        let after = kept.state.forwarded.map_or(0, |cursor| cursor.sequence().cast_signed());
        let without = (!kept.state.everything).then_some(UPSTREAM);
        let piece = piece::read(&self.store.readers, after, None, without, &first).await?;
        let (until, more) = (piece.until, piece.more);
        let state = kept.state.clone();
        let answered = self
            .send(kept, |roster, known| state.request(piece, roster, known, clock::now()))
            .await?;
        let (state, more) = answered.kept.state.after(until, more, &answered.answer);
        self.settle(answered, state).await?;
        Ok(more)
    }

    /// Finds out what upstream has and lacks, and exchanges that, where there is something to compare. Where that does not
    /// succeed nothing is lost: the state is as before, and everything is brought.
    async fn compare(&mut self) -> Result<(), HubError> {
        let readers = &self.store.readers;
        let Some(here) = head(readers).await? else {
            return Ok(());
        };
        let hashes = carrying::hashes_until(readers, here.sequence().cast_signed()).await?;
        let mut salt = [0; 16];
        if hashes.is_empty() || getrandom::fill(&mut salt).is_err() {
            return Ok(());
        }
        let limits = reconciliation::Limits::default();
        let Ok(mut comparison) = Comparison::new(hashes, Some(here), reconciliation::Salt(salt), limits) else {
            return Ok(());
        };
        loop {
            let mut piece = piece::wanted(readers, comparison.to_bring(), None).await?;
            if comparison.brings_erasures() {
                piece.erased = forwarded_erasures(readers, None, 0, here.sequence().cast_signed()).await?;
            }
            let more = piece.more;
            let kept = Kept::load(readers).await?;
            let answered = self
                .send(kept, |roster, known| {
                    comparison.request(piece, roster, known, clock::now())
                })
                .await?;
            let brought = answered.brought.iter().flatten().copied().collect();
            let ended = comparison.after(&brought, more, &answered.answer);
            let unchanged = answered.kept.state.clone();
            match ended {
                Ok(Some(state)) => return self.settle(answered, state).await,
                Ok(None) => self.settle(answered, unchanged).await?,
                Err(error) => {
                    tracing::info!(%error, "everything is brought to the upstream");
                    return self.settle(answered, unchanged).await;
                }
            }
        }
    }

    /// Sends the request that is made of the roster here, where the upstream may not have it, and of the SHA-256 of
    /// upstream's.
    async fn send(
        &mut self,
        kept: Kept,
        request: impl FnOnce(Option<Vec<u8>>, Option<[u8; 32]>) -> ForwardRequest,
    ) -> Result<Answered, HubError> {
        let limits = Limits::default();
        let json = encoded(&roster_of(&self.store.readers, None).await?)?.into_bytes();
        let roster: [u8; 32] = Sha256::digest(&json).into();
        let request = request((kept.roster_sent != Some(roster)).then_some(json), kept.roster_known);
        let brought: Vec<Option<ChangeHash>> = request.carried.hashes().collect();
        let (link, token) = (self.upstream.link.clone(), self.upstream.token.clone());
        let answer: ForwardResponse = tokio::task::spawn_blocking(move || {
            let answer = link.exchange(&token, &wire::encode(&request)?, &limits)?;
            Ok::<_, HubError>(wire::decode(&answer, &limits)?)
        })
        .await
        .map_err(|_| StoreError::ShuttingDown)??;
        self.reached.exchanges += 1;
        self.reached.brought += brought.len() as u64;
        self.reached.waiting += answer.waiting.len() as u64;
        self.reached.refused += answer.refused.len() as u64;
        Ok(Answered {
            kept,
            roster,
            brought,
            answer,
        })
    }

    /// Takes in what an answer brought, and keeps this state together with it.
    async fn settle(&mut self, answered: Answered, state: ForwardingState) -> Result<(), HubError> {
        let Answered {
            kept,
            roster,
            brought,
            answer,
        } = answered;
        let unsettled = settlements(&brought, &answer);
        let roster_known = match &answer.roster {
            Some(roster) => {
                import_roster(self.store, read_roster(roster)?, None).await?;
                Some(Sha256::digest(roster).into())
            }
            None => kept.roster_known,
        };
        erase_all(self.store, answer.erased, None).await?;
        let kept = Kept {
            state,
            roster_sent: Some(roster),
            roster_known,
        };
        let hamlets: Vec<i64> = sqlx::query_scalar("SELECT hamlet_key FROM frame_hamlet")
            .fetch_all(&self.store.readers)
            .await
            .map_err(StoreError::from)?;
        let settlement = Settlement {
            kept,
            brought: brought.into_iter().flatten().collect(),
            unsettled,
            frame: hamlets.into_iter().map(HamletKey).collect(),
        };
        let taken = take_from_upstream(self.store, answer.carried, &Limits::default(), settlement).await?;
        self.reached.new += u64::from(taken.logged);
        self.reached.not_taken += taken.refused.len() as u64;
        Ok(())
    }
}

/// Of the changes that were brought, those that the upstream has not logged.
fn settlements(hashes: &[Option<ChangeHash>], answer: &ForwardResponse) -> Vec<Unsettled> {
    let hash = |number: u32| hashes.get(number as usize).copied().flatten();
    let waiting = answer.waiting.iter().map(|number| (hash(*number), None));
    let refused = answer
        .refused
        .iter()
        .map(|refusal| (hash(refusal.change), Some(refusal.reason.to_string())));
    waiting
        .chain(refused)
        .filter_map(|(hash, reason)| Some((hash?, reason)))
        .collect()
}

/// A roster as it travels between a hub and its upstream, who know each other by token: without a signature.
pub(super) fn read_roster(json: &[u8]) -> Result<Vec<RosterDevice>, HubError> {
    serde_json::from_slice(json).map_err(|error| HubError::RosterShape {
        line: error.line(),
        column: error.column(),
        reason: error.to_string(),
    })
}

async fn take_from_upstream(
    store: &Store,
    carried: CarriedChanges,
    limits: &Limits,
    settlement: Settlement,
) -> Result<Taken, HubError> {
    let limits = *limits;
    let delivery = tokio::task::spawn_blocking(move || {
        let verdicts = admit_carried(&carried, &limits)?;
        Ok::<_, HubError>(Delivery::new(verdicts, kept_attestations(&carried)))
    })
    .await
    .map_err(|_| StoreError::ShuttingDown)??;
    Ok(take(store, delivery, Source::Upstream(settlement)).await?)
}

/// The attestations of carried changes as they are kept.
pub(super) fn kept_attestations(carried: &CarriedChanges) -> Vec<KeptAttestation> {
    let attestations = carried.attestations.iter();
    attestations
        .map(|attestation| KeptAttestation {
            hashes: attestation.hashes().unwrap_or_default(),
            signature: attestation.signature,
        })
        .collect()
}

/// Erases what the other installation has erased, as far as it is of these hamlets (of all where none are named) and the
/// frame has it.
pub(super) async fn erase_all(
    store: &Store,
    erased: Vec<ForwardedErasure>,
    within: Option<&BTreeSet<HamletKey>>,
) -> Result<(), HubError> {
    for erasure in erased {
        let hamlet = added::hamlet_of(&store.readers, erasure.round, &erasure.unit).await?;
        let allowed = hamlet.is_some_and(|hamlet| within.is_none_or(|within| within.contains(&HamletKey(hamlet))));
        if allowed {
            erase(store, (erasure.round, erasure.unit), erasure.reason).await?;
        }
    }
    Ok(())
}

/// Reaches the upstream whenever something has arrived here, and otherwise now and then, for as long as the server runs.
/// Being offline is a hub's everyday life, so what fails is told once, until it succeeds again.
pub(crate) async fn follow(store: Store, upstream: Upstream, projector: Projector, arrivals: Arc<Notify>) {
    let mut retried: Option<Instant> = None;
    let mut told = false;
    loop {
        let retry = retried.is_none_or(|retried| retried.elapsed() >= RETRY);
        match reach(&store, &upstream, retry).await {
            Ok(reached) => {
                if retry {
                    retried = Some(Instant::now());
                }
                told = false;
                if reached.new > 0 {
                    projector.wake();
                }
                if reached.brought + reached.new + reached.not_taken > 0 {
                    tracing::info!(
                        brought = reached.brought,
                        waiting = reached.waiting,
                        refused = reached.refused,
                        new = reached.new,
                        not_taken = reached.not_taken,
                        "reached the upstream"
                    );
                }
            }
            Err(error) if !told => {
                tracing::warn!(%error, "the upstream was not reached; trying again and again");
                told = true;
            }
            Err(error) => tracing::debug!(%error, "the upstream was not reached"),
        }
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = arrivals.notified(), if !told => {}
        }
    }
}
