//! Households that are not on the frame's list and were added in the field: which hamlet their codes name, and their rows
//! in the table of surveyed units.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnection, SqliteExecutor};
use sync_core::identity::RoundId;
use sync_core::unit::AddedUnit;

use super::Round;
use crate::duplicates::Pair;
use crate::store::StoreError;

/// Added households of a hamlet at most: more than any hamlet's list can lack by mistake.
const PER_HAMLET: i64 = 500;

/// The hamlets of a round of which households are surveyed, of those with the codes in a JSON list, and how many households
/// were added to each. Only a surveyed hamlet can have added ones: whoever walks there has its list.
pub(crate) const SURVEYED_HAMLETS: &str = "SELECT frame_hamlet.code, hamlet_key,
         (SELECT COUNT(*) FROM sampled_unit WHERE sampled_unit.hamlet_key = frame_hamlet.hamlet_key AND added)
     FROM json_each($2) AS wanted
     JOIN frame_hamlet ON frame_hamlet.round_key = $1 AND frame_hamlet.code = wanted.value
     WHERE EXISTS (SELECT 1 FROM sampled_unit WHERE sampled_unit.hamlet_key = frame_hamlet.hamlet_key AND NOT added)";

/// Of codes that are not in the table of surveyed units, those that households of surveyed hamlets may be added under.
#[derive(Debug, Default)]
pub(crate) struct Addable {
    /// By code, the database's number of the hamlet.
    pub(crate) hamlets: BTreeMap<String, i64>,
    /// Those of them with which their hamlet would have too many.
    pub(crate) crowded: BTreeSet<String>,
}

/// Looks these codes up.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub(crate) async fn addable<'a>(
    readers: &SqlitePool,
    round_key: i64,
    codes: impl Iterator<Item = &'a str>,
) -> Result<Addable, StoreError> {
    let mut wanted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for code in codes {
        if let Some(unit) = AddedUnit::parse(code) {
            wanted.entry(unit.hamlet()).or_default().insert(code);
        }
    }
    let mut addable = Addable::default();
    if wanted.is_empty() {
        return Ok(addable);
    }
    let hamlets: Vec<&str> = wanted.keys().copied().collect();
    let found: Vec<(String, i64, i64)> = sqlx::query_as(SURVEYED_HAMLETS)
        .bind(round_key)
        .bind(serde_json::json!(hamlets).to_string())
        .fetch_all(readers)
        .await?;
    for (hamlet, hamlet_key, added) in found {
        let codes = wanted.remove(hamlet.as_str()).unwrap_or_default();
        for (position, code) in (added..).zip(codes) {
            addable.hamlets.insert(code.to_owned(), hamlet_key);
            if position >= PER_HAMLET {
                addable.crowded.insert(code.to_owned());
            }
        }
    }
    Ok(addable)
}

/// The database's number of the hamlet in which a unit is surveyed: one of the table, or one that would be added.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub(crate) async fn hamlet_of(
    executor: impl SqliteExecutor<'_>,
    round: RoundId,
    code: &str,
) -> Result<Option<i64>, StoreError> {
    let hamlet = AddedUnit::parse(code).map(|unit| unit.hamlet());
    let found = sqlx::query_scalar(
        "SELECT hamlet_key FROM sampled_unit JOIN round USING (round_key)
         WHERE round.id = $1 AND sampled_unit.code = $2
         UNION ALL
         SELECT hamlet_key FROM frame_hamlet JOIN round USING (round_key)
         WHERE round.id = $1 AND frame_hamlet.code = $3
           AND EXISTS (SELECT 1 FROM sampled_unit WHERE sampled_unit.hamlet_key = frame_hamlet.hamlet_key AND NOT added)
         LIMIT 1",
    )
    .bind(round.0)
    .bind(code)
    .bind(hamlet)
    .fetch_optional(executor)
    .await?;
    Ok(found)
}

/// Takes a household into the table of surveyed units if its code says that it was added, and it is not there yet.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub(crate) async fn take_in(
    connection: &mut SqliteConnection,
    round: RoundId,
    code: &str,
    hamlet_key: i64,
) -> Result<(), StoreError> {
    if AddedUnit::parse(code).is_none() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO sampled_unit (round_key, code, hamlet_key, address, added)
         SELECT round_key, $2, $3, '', TRUE FROM round WHERE round.id = $1 ON CONFLICT DO NOTHING",
    )
    .bind(round.0)
    .bind(code)
    .bind(hamlet_key)
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps the address that the response of an added household says. One that was erased has no row any more.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub(crate) async fn set_address(
    connection: &mut SqliteConnection,
    response_key: i64,
    address: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE sampled_unit SET address = $2
         WHERE added AND address <> $2
           AND (round_key, code) = (SELECT round_key, unit FROM response WHERE response_key = $1)",
    )
    .bind(response_key)
    .bind(address)
    .execute(connection)
    .await?;
    Ok(())
}

/// Those of the pairs' responses that no estimate counts: of households that were added where households had been drawn.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub(crate) async fn uncounted_responses(readers: &SqlitePool, pairs: &[Pair]) -> Result<BTreeSet<i64>, StoreError> {
    let responses: BTreeSet<i64> = pairs.iter().flat_map(|pair| [pair.first, pair.second]).collect();
    let found: Vec<i64> = sqlx::query_scalar(
        "SELECT response_key FROM json_each($1) AS wanted
         JOIN response ON response.response_key = wanted.value
         JOIN sampled_unit ON sampled_unit.round_key = response.round_key AND sampled_unit.code = response.unit
         JOIN frame_hamlet ON frame_hamlet.hamlet_key = response.hamlet_key
         WHERE sampled_unit.added AND frame_hamlet.households >
             (SELECT COUNT(*) FROM sampled_unit AS listed WHERE listed.hamlet_key = frame_hamlet.hamlet_key AND NOT listed.added)",
    )
    .bind(serde_json::json!(responses).to_string())
    .fetch_all(readers)
    .await?;
    Ok(found.into_iter().collect())
}

/// An added household as officials see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AddedHousehold {
    /// The unit's code.
    pub unit: String,
    /// The code of its hamlet.
    pub hamlet: String,
    /// The hamlet's name.
    pub hamlet_name: String,
    /// Where it is to be found, as its response says.
    pub address: String,
    /// Whether estimates count it: where all households of its hamlet are surveyed.
    pub counted: bool,
}

/// The added households of a round, by hamlet.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub async fn added_households(readers: &SqlitePool, round: &Round) -> Result<Vec<AddedHousehold>, StoreError> {
    let rows: Vec<(String, String, String, String, bool)> = sqlx::query_as(
        "SELECT sampled_unit.code, frame_hamlet.code, frame_hamlet.name, sampled_unit.address,
             (SELECT COUNT(*) FROM sampled_unit AS listed
              WHERE listed.hamlet_key = frame_hamlet.hamlet_key AND NOT listed.added) >= frame_hamlet.households
         FROM sampled_unit JOIN frame_hamlet USING (hamlet_key)
         WHERE sampled_unit.round_key = $1 AND sampled_unit.added
         ORDER BY frame_hamlet.code, sampled_unit.address, sampled_unit.code",
    )
    .bind(round.key)
    .fetch_all(readers)
    .await?;
    let household = |(unit, hamlet, hamlet_name, address, counted)| AddedHousehold {
        unit,
        hamlet,
        hamlet_name,
        address,
        counted,
    };
    Ok(rows.into_iter().map(household).collect())
}
