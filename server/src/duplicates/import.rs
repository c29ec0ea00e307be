//! Pairs from CSV, as a program that looks for duplicates or an official's list gives them.

use std::collections::BTreeSet;

use sqlx::sqlite::SqliteConnection;
use sync_core::identity::RoundId;

use super::decisions::{Raised, check_reason, raise, response};
use super::{DuplicateError, Pair};
use crate::clock;
use crate::http::Text;
use crate::store::{Store, StoreError};
use crate::sync::Official;
use crate::table::{Faults, Table, TableError};

/// The columns of such a table.
const COLUMNS: [&str; 3] = ["first", "second", "reason"];

/// One row: two units that may be one household, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspicion {
    line: u64,
    first: String,
    second: String,
    reason: String,
}

/// Reads such a table.
///
/// # Errors
/// [`TableError`] with every row that names one unit twice, repeats an earlier row, or has no reason or one that is too
/// long.
pub fn read(bytes: &[u8]) -> Result<Vec<Suspicion>, TableError> {
    let table = Table::read(bytes, &COLUMNS)?;
    let mut faults = Faults::default();
    let mut seen = BTreeSet::new();
    let mut suspicions = Vec::new();
    for (line, cells) in table.rows() {
        let [first, second, reason] = COLUMNS.map(|column| cells.required(column, &mut faults));
        if !reason.is_empty()
            && let Err(error) = check_reason(&reason)
        {
            faults.cell(line, "reason", text(&error));
        }
        if !first.is_empty() && first == second {
            faults.cell(line, "second", text(&DuplicateError::OneUnit(second.clone())));
        }
        let pair = (first.clone().min(second.clone()), first.clone().max(second.clone()));
        if !first.is_empty() && !seen.insert(pair) {
            faults.repeated(line, "second", ("cặp", "the pair"), &format!("{first}, {second}"));
        }
        suspicions.push(Suspicion {
            line,
            first,
            second,
            reason,
        });
    }
    faults.or(suspicions)
}

fn text(error: &DuplicateError) -> Text {
    Text::new(error.vietnamese(), error.to_string())
}

/// Raises all of them, or none where a unit has no response. Says how many were not suspected before.
///
/// # Errors
/// [`StoreError`] when the database fails; inside, [`TableError`] with every row that names a unit without a response.
pub async fn import(
    store: &Store,
    round: RoundId,
    suspicions: Vec<Suspicion>,
    by: String,
) -> Result<Result<u64, TableError>, StoreError> {
    let job = store
        .writer
        .write(move |connection| Box::pin(async move { import_all(connection, round, suspicions, by).await }));
    job.await
}

async fn import_all(
    connection: &mut SqliteConnection,
    round: RoundId,
    suspicions: Vec<Suspicion>,
    by: String,
) -> Result<Result<u64, TableError>, StoreError> {
    let mut faults = Faults::default();
    let mut pairs = Vec::with_capacity(suspicions.len());
    for suspicion in suspicions {
        let mut keys = [0; 2];
        let units = [("first", &suspicion.first), ("second", &suspicion.second)];
        for (key, (column, unit)) in keys.iter_mut().zip(units) {
            match response(connection, round, unit).await {
                Ok(found) => *key = found,
                Err(DuplicateError::Store(error)) => return Err(error),
                Err(error) => faults.cell(suspicion.line, column, text(&error)),
            }
        }
        let [one, other] = keys;
        let pair = Pair {
            first: one.min(other),
            second: one.max(other),
            verdict: None,
        };
        pairs.push((pair, suspicion));
    }
    let pairs = match faults.or(pairs) {
        Ok(pairs) => pairs,
        Err(error) => return Ok(Err(error)),
    };
    let now = clock::now();
    let mut new = 0;
    for (pair, suspicion) in pairs {
        let official = Official {
            name: by.clone(),
            reason: suspicion.reason,
        };
        match raise(connection, pair, &official, now).await {
            Ok(raised) => new += u64::from(raised == Raised::New),
            Err(DuplicateError::Store(error)) => return Err(error),
            Err(error) => {
                // Its reason was checked when it was read.
                let mut faults = Faults::default();
                faults.cell(suspicion.line, "reason", text(&error));
                return Ok(faults.or(0));
            }
        }
    }
    Ok(Ok(new))
}
