//! What figures were at an earlier time.
//!
//! Before a hamlet's sums change for the first time within an hour, they are written down. The sums as they were when an hour
//! began are then the first ones written down since, or the present ones where nothing was: constant work for each
//! change, and exact.

use std::collections::{BTreeMap, BTreeSet};

use indicators::summary::PsuSummary;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnection;

use super::live::LiveRound;
use crate::store::StoreError;

/// Milliseconds of an hour.
const HOUR: i64 = 3_600_000;

/// How long sums are kept, in milliseconds: a week and a day.
const KEPT: i64 = 8 * 24 * HOUR;

/// The beginning of the hour in which an instant lies; both in milliseconds since 1970-01-01T00:00:00Z.
pub(super) fn hour_of(instant: i64) -> i64 {
    instant.div_euclid(HOUR) * HOUR
}

/// The sums of hamlets before they change, as they are written down.
pub(super) struct Before {
    /// Up to where in the log the sums go.
    sequence: i64,
    /// By hamlet, how many added households counted and the sums.
    sums: Vec<(i64, u64, Vec<u8>)>,
}

/// What a hamlet was at an earlier time.
pub(super) struct Earlier {
    /// Its sums.
    pub(super) summary: PsuSummary,
    /// How many households that were added in the field counted with it.
    pub(super) added: u64,
}

impl Before {
    /// The present sums of these hamlets, by their numbers in the database.
    ///
    /// # Errors
    /// [`StoreError`], in practice never.
    pub(super) fn of(live: &LiveRound, hamlets: &BTreeSet<i64>) -> Result<Self, StoreError> {
        let mut sums = Vec::new();
        for hamlet in hamlets {
            let Some((summary, added)) = live.summary(*hamlet) else {
                continue;
            };
            let mut bytes = Vec::new();
            ciborium::into_writer(summary, &mut bytes).map_err(|error| damaged(&error))?;
            sums.push((*hamlet, added, bytes));
        }
        Ok(Self {
            sequence: live.sequence,
            sums,
        })
    }

    /// Writes down those of which nothing has been written in the hour of `now`.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub(super) async fn keep(&self, connection: &mut SqliteConnection, now: i64) -> Result<(), StoreError> {
        for (hamlet, added, sums) in &self.sums {
            let kept = sqlx::query(
                // What was erased since these sums were made is in them still.
                "INSERT INTO earlier_sums (hamlet_key, hour, sums, added)
                 SELECT $1, $2, $3, $5 WHERE NOT EXISTS (SELECT 1 FROM erasure WHERE hamlet_key = $1 AND seq > $4)
                 ON CONFLICT DO NOTHING",
            )
            .bind(hamlet)
            .bind(hour_of(now))
            .bind(sums)
            .bind(self.sequence)
            .bind(i64::try_from(*added).unwrap_or(i64::MAX))
            .execute(&mut *connection)
            .await?;
            if kept.rows_affected() > 0 {
                sqlx::query("DELETE FROM earlier_sums WHERE hamlet_key = $1 AND hour < $2")
                    .bind(hamlet)
                    .bind(now - KEPT)
                    .execute(&mut *connection)
                    .await?;
            }
        }
        Ok(())
    }
}

/// The sums that hamlets of a round had when the hour of an instant began, by their numbers in the database, where they have
/// changed since. Nothing is known of a time before the last eight days; of a hamlet of which a response was erased since,
/// only what came after that.
///
/// # Errors
/// [`StoreError`] when the database fails or holds what is none of ours.
pub(super) async fn earlier(
    readers: &SqlitePool,
    round_key: i64,
    instant: i64,
) -> Result<BTreeMap<i64, Earlier>, StoreError> {
    let rows: Vec<(i64, Vec<u8>, i64)> = sqlx::query_as(
        "SELECT frame_hamlet.hamlet_key, sums, added FROM frame_hamlet
         JOIN earlier_sums ON earlier_sums.hamlet_key = frame_hamlet.hamlet_key
          AND hour = (SELECT MIN(hour) FROM earlier_sums AS later
                      WHERE later.hamlet_key = frame_hamlet.hamlet_key AND later.hour >= $2)
         WHERE frame_hamlet.round_key = $1",
    )
    .bind(round_key)
    .bind(hour_of(instant))
    .fetch_all(readers)
    .await?;
    rows.into_iter()
        .map(|(hamlet, sums, added)| {
            let summary = ciborium::from_reader(sums.as_slice()).map_err(|error| damaged(&error))?;
            let added = added.unsigned_abs();
            Ok((hamlet, Earlier { summary, added }))
        })
        .collect()
}

fn damaged(error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Damaged {
        table: "earlier_sums",
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_begins_before_all_of_its_instants() {
        assert_eq!((hour_of(HOUR), hour_of(2 * HOUR - 1), hour_of(-1)), (HOUR, HOUR, -HOUR));
    }
}
