//! One occasion on which a hub reaches its upstream, and the task that looks for the next.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use sync_core::ChangeHash;
use sync_core::exchange::delivery::{Authors, Delivery, KeptAttestation, Taken};
use sync_core::exchange::forwarding::{ForwardResponse, ForwardedErasure};
use sync_core::exchange::intake::HamletKey;
use sync_core::exchange::{CarriedChanges, Limits, admit_carried, wire};
use tokio::sync::Notify;

use super::error::HubError;
use super::piece;
use super::upstream::{Kept, Unsettled, Upstream, encoded, unsettled};
use crate::clock;
use crate::devices::{RosterDevice, enrolled_authors, import_roster, roster_of};
use crate::estimates::Projector;
use crate::store::{Store, StoreError};
use crate::sync::carrying::{self, CarriedEntries};
use crate::sync::{Bringer, Together, erase, take};

/// The number of `change_log.carried_by` for what came from the upstream.
const UPSTREAM: i64 = 0;
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
/// before is brought.
///
/// # Errors
/// [`HubError`]; what was exchanged until then stays, and the next occasion goes on from there.
pub(crate) async fn reach(store: &Store, upstream: &Upstream, retry: bool) -> Result<Reached, HubError> {
    let mut reached = Reached::default();
    let mut first = match retry {
        true => carrying::read_by_hash(&store.readers, &unsettled(&store.readers, RETRIED).await?).await?,
        false => CarriedEntries::default(),
    };
    loop {
        let more = exchange(store, upstream, std::mem::take(&mut first), &mut reached).await?;
        if !more {
            return Ok(reached);
        }
    }
}

/// One request and what its answer brings; gives whether there is more.
async fn exchange(
    store: &Store,
    upstream: &Upstream,
    first: CarriedEntries,
    reached: &mut Reached,
) -> Result<bool, HubError> {
    let limits = Limits::default();
    let kept = Kept::load(&store.readers).await?;
    let after = kept.state.forwarded.map_or(0, |cursor| cursor.sequence().cast_signed());
    let without = (!kept.state.everything).then_some(UPSTREAM);
    let piece = piece::read(&store.readers, after, None, without, &first).await?;
    let roster = encoded(&roster_of(&store.readers, None).await?)?.into_bytes();
    let digest: [u8; 32] = Sha256::digest(&roster).into();
    let roster = (kept.roster_sent != Some(digest)).then_some(roster);

    let (until, more) = (piece.until, piece.more);
    let request = kept.state.request(piece, roster, kept.roster_known, clock::now());
    let hashes: Vec<Option<ChangeHash>> = request.carried.hashes().collect();
    let (link, token) = (upstream.link.clone(), upstream.token.clone());
    let answer: ForwardResponse = tokio::task::spawn_blocking(move || {
        let answer = link.exchange(&token, &wire::encode(&request)?, &limits)?;
        Ok::<_, HubError>(wire::decode(&answer, &limits)?)
    })
    .await
    .map_err(|_| StoreError::ShuttingDown)??;

    let unsettled = settlements(&hashes, &answer);
    reached.exchanges += 1;
    reached.brought += hashes.len() as u64;
    reached.waiting += answer.waiting.len() as u64;
    reached.refused += answer.refused.len() as u64;

    let (state, more) = kept.state.after(until, more, &answer);
    let roster_known = match &answer.roster {
        Some(roster) => {
            import_roster(store, read_roster(roster)?, None).await?;
            Some(Sha256::digest(roster).into())
        }
        None => kept.roster_known,
    };
    erase_all(store, answer.erased, None).await?;
    let kept = Kept {
        state,
        roster_sent: Some(digest),
        roster_known,
    };
    let brought: Vec<ChangeHash> = hashes.into_iter().flatten().collect();
    let taken = take_from_upstream(store, answer.carried, &limits, kept.save(&brought, unsettled)?).await?;
    reached.new += u64::from(taken.logged);
    reached.not_taken += taken.refused.len() as u64;
    Ok(more)
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

/// Takes in what the upstream has logged. Who may write where, and until when, was its decision: here an author must only
/// be known, and the unit in the frame. `kept` is written together with it: a log that has something of an upstream's
/// without the cursor behind it would not notice that the upstream lost it.
async fn take_from_upstream(
    store: &Store,
    carried: CarriedChanges,
    limits: &Limits,
    kept: Together,
) -> Result<Taken, HubError> {
    let limits = *limits;
    let (verdicts, attestations) = tokio::task::spawn_blocking(move || {
        let verdicts = admit_carried(&carried, &limits)?;
        Ok::<_, HubError>((verdicts, kept_attestations(&carried)))
    })
    .await
    .map_err(|_| StoreError::ShuttingDown)??;
    let devices = verdicts.iter().flatten().map(|admitted| admitted.device);
    let (_, device_keys) = enrolled_authors(&store.readers, devices).await?;
    let hamlets: Vec<i64> = sqlx::query_scalar("SELECT hamlet_key FROM frame_hamlet")
        .fetch_all(&store.readers)
        .await
        .map_err(StoreError::from)?;
    let everywhere: BTreeSet<HamletKey> = hamlets.into_iter().map(HamletKey).collect();
    let known: BTreeMap<_, _> = device_keys
        .keys()
        .map(|device| (*device, Ok(everywhere.clone())))
        .collect();
    let delivery = Delivery::new(verdicts, attestations, Authors::enrolled(known));
    let bringer = Bringer {
        carried_by: Some(UPSTREAM),
        together: Some(kept),
    };
    Ok(take(store, delivery, device_keys, bringer).await?)
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
        let hamlet: Option<i64> = sqlx::query_scalar(
            "SELECT hamlet_key FROM sampled_unit JOIN round USING (round_key)
             WHERE round.id = $1 AND sampled_unit.code = $2",
        )
        .bind(erasure.round.0)
        .bind(&erasure.unit)
        .fetch_optional(&store.readers)
        .await
        .map_err(StoreError::from)?;
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
