//! Raising pairs, settling them and opening them again.

use sqlx::sqlite::SqliteConnection;
use sync_core::identity::{ResponseId, RoundId};

use super::{DuplicateError, Households, Pair, REASON_BYTES, Verdict, load};
use crate::clock;
use crate::store::Store;
use crate::sync::Official;

/// Two units, in the order in which somebody named them.
type Units = (String, String);

/// Whether a pair was raised now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Raised {
    /// It is suspected from now on.
    New,
    /// It was suspected before; what was said then stays.
    Before,
}

/// How to settle a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// They are two households.
    Different,
    /// They are one household.
    Same {
        /// The unit whose response stays.
        kept: String,
    },
}

/// Raises the suspicion that two units' responses are about one household.
///
/// # Errors
/// [`DuplicateError`]; nothing is raised then.
pub async fn suspect(
    store: &Store,
    round: RoundId,
    units: Units,
    official: Official,
) -> Result<Raised, DuplicateError> {
    let job = store.writer.write(move |connection| {
        Box::pin(async move {
            Ok(match responses(connection, round, &units).await {
                Ok(pair) => raise(connection, pair, &official, clock::now()).await,
                Err(error) => Err(error),
            })
        })
    });
    job.await?
}

/// Writes a pair down whose responses exist, and whose reason was checked or is checked here.
pub(super) async fn raise(
    connection: &mut SqliteConnection,
    pair: Pair,
    official: &Official,
    now: i64,
) -> Result<Raised, DuplicateError> {
    let reason = check_reason(&official.reason)?;
    let raised = sqlx::query(
        "INSERT INTO suspected_duplicate (first_key, second_key, round_key, reason, raised_by, raised_at)
         SELECT $1, $2, round_key, $3, $4, $5 FROM response WHERE response_key = $1
         ON CONFLICT DO NOTHING",
    )
    .bind(pair.first)
    .bind(pair.second)
    .bind(reason)
    .bind(&official.name)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(match raised.rows_affected() {
        0 => Raised::Before,
        _ => Raised::New,
    })
}

/// The reason as it is kept.
pub(super) fn check_reason(reason: &str) -> Result<&str, DuplicateError> {
    let reason = reason.trim();
    if reason.is_empty() {
        Err(DuplicateError::NoReason)
    } else if reason.len() > REASON_BYTES {
        Err(DuplicateError::LongReason)
    } else {
        Ok(reason)
    }
}

/// Settles a pair that was raised. Says whether that changed anything: settling it again in the same way does not.
///
/// Where they are the same, both must be responses that count until now, so that of each household exactly one stays,
/// whichever pairs are reopened later.
///
/// # Errors
/// [`DuplicateError`]; nothing is settled then.
pub async fn settle(
    store: &Store,
    round: RoundId,
    units: Units,
    settlement: Settlement,
    by: String,
) -> Result<bool, DuplicateError> {
    let job = store.writer.write(move |connection| {
        Box::pin(async move { Ok(settle_one(connection, round, &units, &settlement, &by).await) })
    });
    job.await?
}

async fn settle_one(
    connection: &mut SqliteConnection,
    round: RoundId,
    units: &Units,
    settlement: &Settlement,
    by: &str,
) -> Result<bool, DuplicateError> {
    let (first, second) = units;
    let both = || (first.clone(), second.clone());
    let (pairs, pair) = raised(connection, round, units).await?;
    let verdict = match settlement {
        Settlement::Different => Verdict::Different,
        Settlement::Same { kept } if kept == first || kept == second => Verdict::Same {
            kept: response(connection, round, kept).await?,
        },
        Settlement::Same { kept } => {
            return Err(DuplicateError::KeptElsewhere {
                kept: kept.clone(),
                first: first.clone(),
                second: second.clone(),
            });
        }
    };
    match pair.verdict {
        Some(before) if before == verdict => return Ok(false),
        Some(_) => {
            let (first, second) = both();
            return Err(DuplicateError::SettledOtherwise(first, second));
        }
        None => {}
    }
    let households = Households::of(&pairs);
    if households.are_same(&pair) {
        let (first, second) = both();
        return Err(DuplicateError::KnownSame(first, second));
    }
    if let Verdict::Same { .. } = verdict {
        if households.are_different(&pair) {
            let (first, second) = both();
            return Err(DuplicateError::KnownDifferent(first, second));
        }
        for response in [pair.first, pair.second] {
            let stays = households.stays_for(response);
            if stays != response {
                return Err(DuplicateError::KnownDuplicate {
                    duplicate: unit_of(connection, response).await?,
                    kept: unit_of(connection, stays).await?,
                });
            }
        }
    }
    write(connection, &pair, Some(verdict), Some(by)).await?;
    Ok(true)
}

/// Opens a settled pair again: what was settled as a duplicate counts as before. Says whether that changed anything.
///
/// # Errors
/// [`DuplicateError`]; nothing is reopened then.
pub async fn reopen(store: &Store, round: RoundId, units: Units) -> Result<bool, DuplicateError> {
    let job = store
        .writer
        .write(move |connection| Box::pin(async move { Ok(reopen_one(connection, round, &units).await) }));
    job.await?
}

async fn reopen_one(connection: &mut SqliteConnection, round: RoundId, units: &Units) -> Result<bool, DuplicateError> {
    let (_, pair) = raised(connection, round, units).await?;
    if pair.verdict.is_some() {
        write(connection, &pair, None, None).await?;
    }
    Ok(pair.verdict.is_some())
}

async fn write(
    connection: &mut SqliteConnection,
    pair: &Pair,
    verdict: Option<Verdict>,
    by: Option<&str>,
) -> Result<(), DuplicateError> {
    let kept = match verdict {
        Some(Verdict::Same { kept }) => Some(kept),
        _ => None,
    };
    sqlx::query(
        "UPDATE suspected_duplicate SET is_same = $3, kept_key = $4, settled_by = $5, settled_at = $6
         WHERE first_key = $1 AND second_key = $2",
    )
    .bind(pair.first)
    .bind(pair.second)
    .bind(verdict.map(|verdict| verdict != Verdict::Different))
    .bind(kept)
    .bind(by)
    .bind(by.map(|_| clock::now()))
    .execute(connection)
    .await?;
    Ok(())
}

/// The pairs of the round, and the one of these units.
async fn raised(
    connection: &mut SqliteConnection,
    round: RoundId,
    units: &Units,
) -> Result<(Vec<Pair>, Pair), DuplicateError> {
    let wanted = responses(connection, round, units).await?;
    let round_key: i64 = sqlx::query_scalar("SELECT round_key FROM round WHERE id = $1")
        .bind(round.0)
        .fetch_one(&mut *connection)
        .await?;
    let pairs = load(&mut *connection, round_key).await?;
    let pair = pairs
        .iter()
        .find(|pair| (pair.first, pair.second) == (wanted.first, wanted.second));
    match pair.copied() {
        Some(pair) => Ok((pairs, pair)),
        None => Err(DuplicateError::NotSuspected(units.0.clone(), units.1.clone())),
    }
}

/// The pair of two units' responses, as if it was open.
async fn responses(
    connection: &mut SqliteConnection,
    round: RoundId,
    (first, second): &Units,
) -> Result<Pair, DuplicateError> {
    if first == second {
        return Err(DuplicateError::OneUnit(first.clone()));
    }
    let one = response(connection, round, first).await?;
    let other = response(connection, round, second).await?;
    Ok(Pair {
        first: one.min(other),
        second: one.max(other),
        verdict: None,
    })
}

/// The response of a unit.
pub(super) async fn response(
    connection: &mut SqliteConnection,
    round: RoundId,
    unit: &str,
) -> Result<i64, DuplicateError> {
    let key: Option<i64> = sqlx::query_scalar(
        "SELECT response_key FROM response WHERE id = $1
             AND EXISTS (SELECT 1 FROM change_log WHERE change_log.response_key = response.response_key)",
    )
    .bind(ResponseId::of(round, unit).0)
    .fetch_optional(connection)
    .await?;
    key.ok_or_else(|| DuplicateError::NoResponse(unit.to_owned()))
}

async fn unit_of(connection: &mut SqliteConnection, response: i64) -> Result<String, DuplicateError> {
    let unit = sqlx::query_scalar("SELECT unit FROM response WHERE response_key = $1")
        .bind(response)
        .fetch_one(connection)
        .await?;
    Ok(unit)
}
