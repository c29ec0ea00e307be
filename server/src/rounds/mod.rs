//! Rounds: one survey campaign with its form, its frame and its sample.

pub(crate) mod added;
mod assignment;
mod create;
mod frame;
mod routes;

pub use added::{AddedHousehold, added_households};
pub use assignment::{Assignment, SupervisedUnit, UnitReview};
pub use create::{NewRound, RoundError, check_communes, create};
pub use frame::{FrameHamlet, SampledUnit, read_hamlets, read_households};
pub(crate) use routes::unknown_round;
pub use routes::{AssignedUnit, routes};

use sqlx::SqlitePool;
use sync_core::identity::RoundId;
use uuid::Uuid;

use crate::http::Text;
use crate::store::{Store, StoreError};

/// One round as the server keeps it.
#[derive(Debug, Clone)]
pub struct Round {
    /// The database's number.
    pub key: i64,
    /// Its name everywhere else.
    pub id: RoundId,
    /// Its name for people.
    pub name: Text,
    /// The date for which it asks, ISO 8601.
    pub reference_date: String,
    /// The day whose administrative units it uses, ISO 8601.
    pub units_on: String,
    /// The code of the unit that it surveys.
    pub root_code: String,
    /// The hash of its form.
    pub form_hash: Vec<u8>,
    /// Whether its answers are simulated.
    pub simulated: bool,
    /// Whether it takes responses.
    pub open: bool,
}

/// All rounds, the newest last.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub async fn load(readers: &SqlitePool) -> Result<Vec<Round>, StoreError> {
    type Row = (i64, Uuid, String, String, String, String, String, Vec<u8>, bool, bool);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT round_key, id, name_vi, name_en, reference_date, units_on, root_code, form_hash, simulated, open
         FROM round ORDER BY round_key",
    )
    .fetch_all(readers)
    .await?;
    Ok(rows
        .into_iter()
        .map(
            |(key, id, vi, en, reference_date, units_on, root_code, form_hash, simulated, open)| Round {
                key,
                id: RoundId(id),
                name: Text { vi, en },
                reference_date,
                units_on,
                root_code,
                form_hash,
                simulated,
                open,
            },
        )
        .collect())
}

/// A form's XLSForm workbook by the form's hash.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub async fn workbook(readers: &SqlitePool, form_hash: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(sqlx::query_scalar("SELECT workbook FROM form WHERE hash = $1")
        .bind(form_hash)
        .fetch_optional(readers)
        .await?)
}

/// Opens or closes a round: whether it takes answers.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub async fn set_open(store: &Store, round_key: i64, open: bool) -> Result<(), StoreError> {
    store
        .writer
        .write(move |connection| {
            Box::pin(async move {
                sqlx::query("UPDATE round SET open = $2 WHERE round_key = $1")
                    .bind(round_key)
                    .bind(open)
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .await
}
