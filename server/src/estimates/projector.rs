//! Follows the log: every changed response is read, reduced to numbers, stored and counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use sync_core::identity::ResponseId;
use sync_core::response::Response;
use tokio::sync::Notify;
use uuid::Uuid;

use super::history::Before;
use super::live::{Change, Live, LiveRound};
use super::suspects::Suspects;
use super::{Events, Listing, Measures, Reduced};
use crate::clock;
use crate::duplicates;
use crate::rounds::{Round, added};
use crate::store::{Store, StoreError};
use crate::sync::{changes_of, responses_after};

/// Log entries that are projected together.
const PIECE: i64 = 2_000;

/// How long the log may have grown unnoticed: a command such as `khaosat bundle read` writes from another process.
const LOOK_AROUND: Duration = Duration::from_secs(5);

/// The background work that keeps estimates current.
#[derive(Clone, Default)]
pub struct Projector {
    news: Arc<Notify>,
}

impl Projector {
    /// Tells that the log has grown.
    pub fn wake(&self) {
        self.news.notify_one();
    }

    /// Follows the log until the server stops: until `events` are closed, which it notices when it is woken.
    pub async fn run(self, store: Store, live: Arc<Live>, events: Events) {
        while !events.is_closed() {
            match advance(&store, &live, &events).await {
                Ok(true) => {}
                Ok(false) => {
                    let _ = tokio::time::timeout(LOOK_AROUND, self.news.notified()).await;
                }
                Err(StoreError::ShuttingDown) => return,
                Err(error) => {
                    tracing::error!(%error, "responses could not be projected; trying again");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }
}

/// One response as it goes through the projection.
struct Work {
    response_key: i64,
    id: ResponseId,
    round_key: i64,
    hamlet_key: i64,
    before: Option<Reduced>,
    erased: bool,
    listing: Listing,
    /// How far the stored projections of its round go.
    projected: i64,
}

/// What the projection found in a response.
struct Projected {
    change: Change,
    /// Where the household is to be found, if it was added in the field.
    address: Option<String>,
}

/// Projects the next piece of the log, and says whether there was anything to do.
///
/// # Errors
/// [`StoreError`] when the database fails; then nothing is counted and the piece is done again.
pub(crate) async fn advance(store: &Store, live: &Live, events: &Events) -> Result<bool, StoreError> {
    if follow_duplicates(store, live).await? {
        publish(live, events).await;
        return Ok(true);
    }
    let (from, counted, measures): (i64, BTreeMap<i64, i64>, BTreeMap<i64, Arc<Measures>>) = {
        let rounds = live.read().await;
        let from = rounds.iter().map(|live| live.sequence).min();
        let Some(from) = from else { return Ok(false) };
        (
            from,
            rounds.iter().map(|live| (live.round.key, live.sequence)).collect(),
            rounds
                .iter()
                .map(|live| (live.round.key, Arc::clone(&live.measures)))
                .collect(),
        )
    };
    let (keys, last) = responses_after(&store.readers, from, PIECE).await?;
    if keys.is_empty() {
        return Ok(false);
    }
    let all = load(store, &keys).await?;
    let is_overtaken = |work: &&Work| {
        counted
            .get(&work.round_key)
            .is_some_and(|counted| work.projected > *counted)
    };
    let overtaken: BTreeSet<i64> = all.iter().filter(is_overtaken).map(|work| work.round_key).collect();
    if !overtaken.is_empty() {
        // A command such as `khaosat estimate` has projected meanwhile: what is stored is not what is counted here.
        put(live, load_anew(store, live, &overtaken).await?).await;
        publish(live, events).await;
        return Ok(true);
    }
    let (erased, work): (Vec<Work>, Vec<Work>) = all.into_iter().partition(|work| work.erased);
    let changes = changes_of(&store.readers, &keys).await?;
    let changed = tokio::task::spawn_blocking(move || reduce(work, changes, &measures))
        .await
        .map_err(|_| StoreError::ShuttingDown)?;
    let addresses: Vec<(i64, String)> = changed
        .iter()
        .filter_map(|(_, changed)| Some((changed.change.response_key, changed.address.clone()?)))
        .collect();
    let changed: Vec<(i64, Change)> = changed
        .into_iter()
        .map(|(round_key, changed)| (round_key, changed.change))
        .collect();
    let rows: Vec<(i64, i64, i64, i64, Vec<u8>)> = changed
        .iter()
        .map(|(round_key, change)| {
            let conflicts = i64::from(change.after.conflicts);
            Ok((
                change.response_key,
                change.hamlet_key,
                *round_key,
                conflicts,
                change.after.to_bytes()?,
            ))
        })
        .collect::<Result<_, StoreError>>()?;
    let before = before(live, &changed).await?;
    let now = clock::now();
    store
        .writer
        .write(move |connection| {
            Box::pin(async move {
                for before in &before {
                    before.keep(connection, now).await?;
                }
                for (response_key, hamlet_key, round_key, conflicts, reduced) in rows {
                    sqlx::query(
                        // A response that was erased since it was read must not come back.
                        "INSERT INTO projection (response_key, hamlet_key, round_key, conflicts, reduced)
                         SELECT $1, $2, $3, $4, $5 WHERE NOT EXISTS (SELECT 1 FROM erasure WHERE response_key = $1)
                         ON CONFLICT (response_key) DO UPDATE SET conflicts = excluded.conflicts, reduced = excluded.reduced",
                    )
                    .bind(response_key)
                    .bind(hamlet_key)
                    .bind(round_key)
                    .bind(conflicts)
                    .bind(reduced)
                    .execute(&mut *connection)
                    .await?;
                }
                for (response_key, address) in addresses {
                    added::set_address(connection, response_key, &address).await?;
                }
                sqlx::query(
                    "INSERT INTO projection_progress (round_key, seq) SELECT round_key, $1 FROM round WHERE TRUE
                     ON CONFLICT (round_key) DO UPDATE SET seq = excluded.seq",
                )
                .bind(last)
                .execute(&mut *connection)
                .await?;
                Ok(())
            })
        })
        .await?;

    // What an erased response contributed is not kept anywhere, so its round is summed up anew.
    let without_erased: BTreeSet<i64> = erased.iter().map(|work| work.round_key).collect();
    let anew = load_anew(store, live, &without_erased).await?;
    let mut rounds = live.write().await;
    for (round_key, change) in changed {
        if let Some(live) = rounds.iter_mut().find(|live| live.round.key == round_key) {
            live.apply(change);
        }
    }
    for loaded in anew {
        if let Some(live) = rounds.iter_mut().find(|live| live.round.key == loaded.round.key) {
            *live = loaded;
        }
    }
    for live in rounds.iter_mut() {
        live.sequence = last;
        live.last_received_at = Some(now);
    }
    drop(rounds);
    events.publish(last);
    Ok(true)
}

/// The sums, before they change, of the hamlets whose responses have changed.
async fn before(live: &Live, changed: &[(i64, Change)]) -> Result<Vec<Before>, StoreError> {
    let rounds = live.read().await;
    let of_round = |live: &LiveRound| {
        let changed = changed.iter().filter(|(round_key, _)| *round_key == live.round.key);
        let hamlets: BTreeSet<i64> = changed.map(|(_, change)| change.hamlet_key).collect();
        Before::of(live, &hamlets)
    };
    rounds.iter().map(of_round).collect()
}

/// Rounds as the stored projections have them.
async fn load_anew(store: &Store, live: &Live, round_keys: &BTreeSet<i64>) -> Result<Vec<LiveRound>, StoreError> {
    let wanted: Vec<Round> = {
        let rounds = live.read().await;
        let wanted = rounds.iter().filter(|live| round_keys.contains(&live.round.key));
        wanted.map(|live| live.round.clone()).collect()
    };
    let mut anew = Vec::with_capacity(wanted.len());
    for round in wanted {
        let loaded = LiveRound::load(store, round).await;
        anew.push(loaded.map_err(|error| StoreError::Damaged {
            table: "round",
            reason: error.to_string(),
        })?);
    }
    Ok(anew)
}

/// Puts rounds that were loaded anew in the place of the old ones.
async fn put(live: &Live, anew: Vec<LiveRound>) {
    let mut rounds = live.write().await;
    for loaded in anew {
        if let Some(live) = rounds.iter_mut().find(|live| live.round.key == loaded.round.key) {
            *live = loaded;
        }
    }
}

/// Tells pages how far the figures go.
async fn publish(live: &Live, events: &Events) {
    if let Some(sequence) = live.read().await.iter().map(|live| live.sequence).min() {
        events.publish(sequence);
    }
}

/// Counts by the pairs of suspected duplicates as they are now, and says whether they had changed: a command writes them
/// from another process.
async fn follow_duplicates(store: &Store, live: &Live) -> Result<bool, StoreError> {
    let counted: Vec<(i64, i64)> = {
        let rounds = live.read().await;
        rounds
            .iter()
            .map(|live| (live.round.key, live.duplicates_revision()))
            .collect()
    };
    let mut has_changed = false;
    for (round_key, revision) in counted {
        if duplicates::revision(&store.readers, round_key).await? == revision {
            continue;
        }
        has_changed = true;
        let suspects = Suspects::load(store, round_key).await?;
        let (keys, sequence) = {
            let rounds = live.read().await;
            let Some(live) = rounds.iter().find(|live| live.round.key == round_key) else {
                continue;
            };
            (live.responses_of_duplicates(&suspects), live.sequence)
        };
        let work = load(store, &keys).await?;
        let hamlets = work.iter().map(|work| work.hamlet_key).collect();
        keep_before(store, live, round_key, &hamlets).await?;
        if work.iter().any(|work| work.projected > sequence) {
            put(live, load_anew(store, live, &BTreeSet::from([round_key])).await?).await;
            continue;
        }
        let projected = work.into_iter();
        let projected = projected
            .filter_map(|work| Some((work.response_key, (work.hamlet_key, work.before?))))
            .collect();
        let mut rounds = live.write().await;
        if let Some(live) = rounds.iter_mut().find(|live| live.round.key == round_key) {
            live.take_duplicates(suspects, &projected);
        }
    }
    Ok(has_changed)
}

/// Writes down the sums of these hamlets before they change.
async fn keep_before(store: &Store, live: &Live, round_key: i64, hamlets: &BTreeSet<i64>) -> Result<(), StoreError> {
    let before = match live.read().await.iter().find(|live| live.round.key == round_key) {
        Some(live) => Before::of(live, hamlets)?,
        None => return Ok(()),
    };
    let job = store
        .writer
        .write(move |connection| Box::pin(async move { before.keep(connection, clock::now()).await }));
    job.await
}

async fn load(store: &Store, keys: &[i64]) -> Result<Vec<Work>, StoreError> {
    type Row = (i64, Uuid, i64, i64, Option<Vec<u8>>, bool, i64, Option<bool>);
    let keys =
        serde_json::to_string(keys).map_err(|error| StoreError::Database(sqlx::Error::Encode(Box::new(error))))?;
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT response.response_key, response.id, response.round_key, response.hamlet_key, projection.reduced,
             erasure.seq IS NOT NULL, COALESCE(projection_progress.seq, 0),
             CASE WHEN sampled_unit.added THEN frame_hamlet.households <=
                 (SELECT COUNT(*) FROM sampled_unit AS listed WHERE listed.hamlet_key = frame_hamlet.hamlet_key AND NOT listed.added)
             END
         FROM json_each($1) AS wanted
         JOIN response ON response.response_key = wanted.value
         JOIN frame_hamlet ON frame_hamlet.hamlet_key = response.hamlet_key
         LEFT JOIN sampled_unit ON sampled_unit.round_key = response.round_key AND sampled_unit.code = response.unit
         LEFT JOIN projection ON projection.response_key = response.response_key
         LEFT JOIN erasure ON erasure.response_key = response.response_key
         LEFT JOIN projection_progress ON projection_progress.round_key = response.round_key",
    )
    .bind(keys)
    .fetch_all(&store.readers)
    .await?;
    rows.into_iter()
        .map(
            |(response_key, id, round_key, hamlet_key, before, erased, projected, counts)| {
                let before = before.map(|bytes| Reduced::from_bytes(&bytes)).transpose()?;
                Ok(Work {
                    response_key,
                    id: ResponseId(id),
                    round_key,
                    hamlet_key,
                    before,
                    erased,
                    listing: match counts {
                        None => Listing::Listed,
                        Some(true) => Listing::Added,
                        Some(false) => Listing::AddedUncounted,
                    },
                    projected,
                })
            },
        )
        .collect()
}

fn reduce(
    work: Vec<Work>,
    mut changes: BTreeMap<i64, Vec<sync_core::Change>>,
    measures: &BTreeMap<i64, Arc<Measures>>,
) -> Vec<(i64, Projected)> {
    let mut changed = Vec::with_capacity(work.len());
    for Work {
        response_key,
        id,
        round_key,
        hamlet_key,
        before,
        listing,
        ..
    } in work
    {
        let Some(measures) = measures.get(&round_key) else {
            continue;
        };
        let history = changes.remove(&response_key).unwrap_or_default();
        // Changes are applied once before they are logged, so this fails only where the database was damaged. One damaged
        // response must not hold up all others.
        let response = match Response::restored(id, history) {
            Ok(response) => response,
            Err(error) => {
                tracing::error!(response = %id, %error, "a stored response does not load and is not counted");
                continue;
            }
        };
        let reading = response.read();
        let after = Reduced {
            listing,
            ..measures.reduce(&reading)
        };
        let is_added = listing != Listing::Listed;
        changed.push((
            round_key,
            Projected {
                change: Change {
                    response_key,
                    hamlet_key,
                    before,
                    after,
                },
                address: is_added.then(|| reading.address.unwrap_or_default()),
            },
        ));
    }
    changed
}
