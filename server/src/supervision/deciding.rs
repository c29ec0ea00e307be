//! Taking decisions, in the order in which they come.

use std::collections::BTreeSet;

use sqlx::sqlite::SqliteConnection;
use sync_core::device::DevicePublicKey;
use sync_core::identity::{ResponseId, RoundId};
use uuid::Uuid;

use super::decision::{Decision, Judgement, REASON_CHARACTERS, Refusal, Review};
use crate::clock;
use crate::devices::public_key_of;
use crate::hex;
use crate::store::{Store, StoreError};

/// Decisions about one unit at most: far more than people make, and an end for a program gone wrong.
const MAX_OF_UNIT: i64 = 1_000;

/// Who decides.
#[derive(Debug, Clone)]
pub enum Decider {
    /// A team's leader, by the database's number of the device: within its hamlets, while the round is open.
    Leader(i64),
    /// An official, by name: anywhere, at any time.
    Official(String),
}

/// Takes decisions about units of a round, and says of each whether it was taken. None is where the leader is none any more;
/// nothing is taken then.
///
/// A decision that was taken before is taken again without effect. Of two about the same unit the one that comes later
/// counts; both are kept.
///
/// # Errors
/// [`StoreError`] when the database fails; nothing is taken then.
pub async fn decide(
    store: &Store,
    round: RoundId,
    decider: Decider,
    decisions: Vec<Decision>,
) -> Result<Option<Vec<Result<(), Refusal>>>, StoreError> {
    store
        .writer
        .write(move |connection| {
            Box::pin(async move {
                let Some(mut desk) = Desk::open(connection, round, decider).await? else {
                    return Ok(None);
                };
                let mut verdicts = Vec::with_capacity(decisions.len());
                for decision in decisions {
                    verdicts.push(desk.take(decision).await?);
                }
                Ok(Some(verdicts))
            })
        })
        .await
}

/// Where decisions of one round by one decider are taken.
struct Desk<'c> {
    connection: &'c mut SqliteConnection,
    round: RoundId,
    round_key: i64,
    open: bool,
    decider: Decider,
}

/// A decision in the database's terms.
#[derive(Debug, PartialEq, Eq)]
struct Kept {
    round_key: i64,
    unit: String,
    device_key: Option<i64>,
    official: String,
    assignee: Option<i64>,
    state: Option<String>,
    reason: String,
}

impl<'c> Desk<'c> {
    /// None where the round is unknown or the leader is none (any more).
    async fn open(
        connection: &'c mut SqliteConnection,
        round: RoundId,
        decider: Decider,
    ) -> Result<Option<Self>, StoreError> {
        // Looked up again in the writing transaction: the role may have ended since the request came.
        if let Decider::Leader(device_key) = decider {
            let leads: Option<bool> =
                sqlx::query_scalar("SELECT leader FROM device WHERE device_key = $1 AND revoked_at IS NULL")
                    .bind(device_key)
                    .fetch_optional(&mut *connection)
                    .await?;
            if leads != Some(true) {
                return Ok(None);
            }
        }
        let found: Option<(i64, bool)> = sqlx::query_as("SELECT round_key, open FROM round WHERE id = $1")
            .bind(round.0)
            .fetch_optional(&mut *connection)
            .await?;
        Ok(found.map(|(round_key, open)| Self {
            connection,
            round,
            round_key,
            open,
            decider,
        }))
    }

    async fn take(&mut self, decision: Decision) -> Result<Result<(), Refusal>, StoreError> {
        let Some(hamlet_key) = self.hamlet_of(&decision.unit).await? else {
            return Ok(Err(Refusal::OutsideScope));
        };
        let (device_key, official) = match &self.decider {
            Decider::Leader(device_key) => (Some(*device_key), String::new()),
            Decider::Official(name) => (None, name.clone()),
        };
        let mut kept = Kept {
            round_key: self.round_key,
            unit: decision.unit.clone(),
            device_key,
            official,
            assignee: None,
            state: None,
            reason: String::new(),
        };
        let mut seen = None;
        match decision.decision {
            Judgement::Assign(None) => {}
            Judgement::Assign(Some(actor)) => match self.assignee(&actor, hamlet_key).await? {
                Some(key) => kept.assignee = Some(key),
                None => return Ok(Err(Refusal::UnknownAssignee)),
            },
            Judgement::Review(review) => {
                seen = match hashes(&review) {
                    Ok(hashes) => hashes,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                kept.state = Some(review.state.word().to_owned());
                kept.reason = review.reason.trim().to_owned();
            }
        }
        if let Some(known) = self.known(decision.id).await? {
            return Ok(if known == kept { Ok(()) } else { Err(Refusal::IdInUse) });
        }
        if !self.open && matches!(self.decider, Decider::Leader(_)) {
            return Ok(Err(Refusal::RoundClosed));
        }
        let before: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM supervision_decision WHERE round_key = $1 AND unit = $2")
                .bind(self.round_key)
                .bind(&kept.unit)
                .fetch_one(&mut *self.connection)
                .await?;
        if before >= MAX_OF_UNIT {
            return Ok(Err(Refusal::TooMany));
        }
        let seen_seq = match &kept.state {
            None => 0,
            Some(_) => match self.seen(&kept.unit, seen).await? {
                Some(seq) => seq,
                None => return Ok(Err(Refusal::NoResponse)),
            },
        };
        self.keep(decision.id, decision.at, &kept, seen_seq).await?;
        Ok(Ok(()))
    }

    /// The decision with this identity.
    async fn known(&mut self, id: Uuid) -> Result<Option<Kept>, StoreError> {
        type Row = (i64, String, Option<i64>, String, Option<i64>, Option<String>, String);
        let row: Option<Row> = sqlx::query_as(
            "SELECT round_key, unit, device_key, official, assignee, state, reason FROM supervision_decision
             WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(&mut *self.connection)
        .await?;
        Ok(row.map(
            |(round_key, unit, device_key, official, assignee, state, reason)| Kept {
                round_key,
                unit,
                device_key,
                official,
                assignee,
                state,
                reason,
            },
        ))
    }

    /// The unit's hamlet, if the decider may decide there.
    async fn hamlet_of(&mut self, unit: &str) -> Result<Option<i64>, StoreError> {
        let leader = match self.decider {
            Decider::Leader(device_key) => Some(device_key),
            Decider::Official(_) => None,
        };
        let hamlet_key = sqlx::query_scalar(
            "SELECT hamlet_key FROM sampled_unit WHERE round_key = $1 AND code = $2
             AND ($3 IS NULL OR hamlet_key IN
                 (SELECT hamlet_key FROM device_scope WHERE device_key = $3 AND withdrawn_at IS NULL))",
        )
        .bind(self.round_key)
        .bind(unit)
        .bind(leader)
        .fetch_optional(&mut *self.connection)
        .await?;
        Ok(hamlet_key)
    }

    /// The number of the device with this actor, if a person works with it in the hamlet.
    async fn assignee(&mut self, actor: &str, hamlet_key: i64) -> Result<Option<i64>, StoreError> {
        let devices: Vec<(i64, Vec<u8>)> = sqlx::query_as(
            "SELECT device.device_key, device.public_key FROM device JOIN device_scope USING (device_key)
             WHERE device_scope.hamlet_key = $1 AND device_scope.withdrawn_at IS NULL AND device.revoked_at IS NULL
                 AND device.successor_key IS NULL AND device.device_key NOT IN (SELECT device_key FROM hub)",
        )
        .bind(hamlet_key)
        .fetch_all(&mut *self.connection)
        .await?;
        for (device_key, public_key) in devices {
            let key: DevicePublicKey = public_key_of(public_key)?;
            if key.actor().to_string() == actor {
                return Ok(Some(device_key));
            }
        }
        Ok(None)
    }

    /// The last entry of the log up to which a review is about the response: its very last where everything that is logged
    /// was seen, else none, so that the review is of the past when it comes. None where nothing is logged.
    async fn seen(&mut self, unit: &str, seen: Option<BTreeSet<Vec<u8>>>) -> Result<Option<i64>, StoreError> {
        let logged: Vec<(i64, Vec<u8>)> = sqlx::query_as(
            "SELECT change_log.seq, change_log.hash FROM response JOIN change_log USING (response_key)
             WHERE response.id = $1",
        )
        .bind(ResponseId::of(self.round, unit).0)
        .fetch_all(&mut *self.connection)
        .await?;
        let last = logged.iter().map(|(seq, _)| *seq).max();
        let is_seen = |hash: &Vec<u8>| seen.as_ref().is_none_or(|seen| seen.contains(hash));
        Ok(match logged.iter().all(|(_, hash)| is_seen(hash)) {
            true => last,
            false => Some(0),
        })
    }

    async fn keep(&mut self, id: Uuid, at: i64, kept: &Kept, seen_seq: i64) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO supervision_decision (id, round_key, unit, response_id, device_key, official, decided_at,
                 received_at, assignee, state, reason, seen_seq)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        )
        .bind(id)
        .bind(kept.round_key)
        .bind(&kept.unit)
        .bind(ResponseId::of(self.round, &kept.unit).0)
        .bind(kept.device_key)
        .bind(&kept.official)
        .bind(at)
        .bind(clock::now())
        .bind(kept.assignee)
        .bind(&kept.state)
        .bind(&kept.reason)
        .bind(seen_seq)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }
}

/// What a review says was seen, if the review is one.
fn hashes(review: &Review) -> Result<Option<BTreeSet<Vec<u8>>>, Refusal> {
    let reason = review.reason.trim();
    if reason.is_empty() && review.state.needs_reason() {
        return Err(Refusal::ReasonNeeded);
    }
    if reason.chars().count() > REASON_CHARACTERS {
        return Err(Refusal::ReasonTooLong);
    }
    let Some(seen) = &review.seen else { return Ok(None) };
    let hashes = seen.iter().map(|text| {
        let hash: Option<[u8; 32]> = hex::decode(text);
        hash.map(|hash| hash.to_vec()).ok_or(Refusal::MalformedSeen)
    });
    hashes.collect::<Result<_, _>>().map(Some)
}
