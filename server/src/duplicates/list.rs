//! The pairs as people see them.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Households, Pair, Verdict, load};
use crate::clock;
use crate::rounds::Round;
use crate::store::{Store, StoreError};
use crate::units::UnitTree;

/// How a pair stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nobody has settled it.
    Open,
    /// Two households.
    Different,
    /// One household; one of the two responses counts zero.
    Same,
    /// Nobody has settled it, but other pairs say that they are two households.
    KnownDifferent,
    /// Nobody has settled it, but other pairs say that they are one household.
    KnownSame,
}

/// A suspected pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedPair {
    /// The code of one unit, the smaller of the two.
    pub first: String,
    /// The code of the other unit.
    pub second: String,
    /// The code of its hamlet.
    pub first_hamlet: String,
    /// The code of the other unit's hamlet.
    pub second_hamlet: String,
    /// Why they may be one household.
    pub reason: String,
    /// Who or what raised it.
    pub raised_by: String,
    /// When, RFC 3339.
    pub raised_at: String,
    /// How it stands.
    pub standing: Standing,
    /// The unit whose response stays, where they are the same.
    pub kept: Option<String>,
    /// Who settled it.
    pub settled_by: Option<String>,
    /// When, RFC 3339.
    pub settled_at: Option<String>,
}

/// The pairs of a round in the order in which they were raised, those with a response in a unit (an administrative unit or a
/// hamlet) where one is named; none where the round has no such unit.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub async fn list(
    store: &Store,
    round: &Round,
    unit: Option<&str>,
    only_open: bool,
) -> Result<Option<Vec<ListedPair>>, StoreError> {
    let hamlets = match unit {
        None => None,
        Some(unit) => match hamlets_of(store, round, unit).await? {
            hamlets if hamlets.is_empty() => return Ok(None),
            hamlets => Some(hamlets),
        },
    };
    let households = Households::of(&load(&store.readers, round.key).await?);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT first_key, second_key, is_same, kept_key, one.unit, other.unit, one_hamlet.code, other_hamlet.code,
             reason, raised_by, raised_at, settled_by, settled_at
         FROM suspected_duplicate
         JOIN response AS one ON one.response_key = first_key
         JOIN response AS other ON other.response_key = second_key
         JOIN frame_hamlet AS one_hamlet ON one_hamlet.hamlet_key = one.hamlet_key
         JOIN frame_hamlet AS other_hamlet ON other_hamlet.hamlet_key = other.hamlet_key
         WHERE suspected_duplicate.round_key = $1
         ORDER BY raised_at, MIN(one.unit, other.unit), MAX(one.unit, other.unit)",
    )
    .bind(round.key)
    .fetch_all(&store.readers)
    .await?;
    let pairs = rows.into_iter().map(|row| listed(row, &households));
    let wanted = |pair: &ListedPair| {
        let is_there =
            |hamlets: &BTreeSet<String>| hamlets.contains(&pair.first_hamlet) || hamlets.contains(&pair.second_hamlet);
        hamlets.as_ref().is_none_or(is_there) && (!only_open || pair.standing == Standing::Open)
    };
    Ok(Some(pairs.filter(wanted).collect()))
}

type Row = (
    i64,
    i64,
    Option<bool>,
    Option<i64>,
    String,
    String,
    String,
    String,
    String,
    String,
    i64,
    Option<String>,
    Option<i64>,
);

fn listed(row: Row, households: &Households) -> ListedPair {
    let (first_key, second_key, is_same, kept_key, one, other, one_hamlet, other_hamlet, ..) = row;
    let (.., reason, raised_by, raised_at, settled_by, settled_at) = row;
    let kept = kept_key.map(|kept| if kept == first_key { one.clone() } else { other.clone() });
    // The numbers in the database follow the order in which responses came, which says nothing to people.
    let mut units = [(one, one_hamlet), (other, other_hamlet)];
    units.sort();
    let [(first, first_hamlet), (second, second_hamlet)] = units;
    let pair = Pair {
        first: first_key,
        second: second_key,
        verdict: match (is_same, kept_key) {
            (Some(true), Some(kept)) => Some(Verdict::Same { kept }),
            (Some(_), _) => Some(Verdict::Different),
            (None, _) => None,
        },
    };
    let standing = match pair.verdict {
        Some(Verdict::Same { .. }) => Standing::Same,
        Some(Verdict::Different) => Standing::Different,
        None if households.are_same(&pair) => Standing::KnownSame,
        None if households.are_different(&pair) => Standing::KnownDifferent,
        None => Standing::Open,
    };
    ListedPair {
        first,
        second,
        first_hamlet,
        second_hamlet,
        reason,
        raised_by,
        raised_at: clock::rfc3339(raised_at),
        standing,
        kept,
        settled_by,
        settled_at: settled_at.map(clock::rfc3339),
    }
}

/// The codes of the round's hamlets that lie in a unit, or of the hamlet itself.
async fn hamlets_of(store: &Store, round: &Round, unit: &str) -> Result<BTreeSet<String>, StoreError> {
    let tree = UnitTree::load(&store.readers, &round.root_code, &round.units_on).await?;
    let wanted = tree.find(unit);
    let hamlets: Vec<(String, String)> =
        sqlx::query_as("SELECT code, commune_code FROM frame_hamlet WHERE round_key = $1")
            .bind(round.key)
            .fetch_all(&store.readers)
            .await?;
    let lies_within = |commune: &str| {
        let is_wanted = |node: usize| Some(node) == wanted;
        tree.find(commune)
            .is_some_and(|node| is_wanted(node) || tree.path(node).into_iter().any(is_wanted))
    };
    Ok(hamlets
        .into_iter()
        .filter(|(code, commune)| code == unit || lies_within(commune))
        .map(|(code, _)| code)
        .collect())
}
