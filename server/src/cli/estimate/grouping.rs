//! The domains that `--by` asks for.

use std::collections::BTreeMap;

use indicators::survey::Partition;

use crate::cli::Failure;
use crate::cli::microdata::Data;

/// Domains that divide the rows: everybody, the values of a column, or the pairs of values of two that occur together.
pub(super) struct Grouping {
    pub(super) columns: Vec<String>,
    /// The domain of each row; [`Partition::NONE`] where a value is missing.
    pub(super) codes: Vec<u32>,
    /// The values that make each domain, one per column.
    pub(super) labels: Vec<Vec<String>>,
}

/// Everybody, then what each `--by` asks for.
///
/// # Errors
/// A [`Failure`] for a column that the data do not have.
pub(super) fn groupings(data: &Data, by: &[String]) -> Result<Vec<Grouping>, Failure> {
    let everybody = Grouping {
        columns: Vec::new(),
        codes: vec![0; data.rows()],
        labels: vec![Vec::new()],
    };
    let mut groupings = vec![everybody];
    for argument in by {
        groupings.push(asked_for(data, argument)?);
    }
    Ok(groupings)
}

fn asked_for(data: &Data, argument: &str) -> Result<Grouping, Failure> {
    // A name may hold a comma.
    let columns: Vec<&str> = if data.has(argument) {
        vec![argument]
    } else {
        argument.split(',').map(str::trim).collect()
    };
    if let Some(unknown) = columns.iter().find(|column| !data.has(column)) {
        let problem = data.unknown(unknown);
        return Err(Failure::new(
            format!("--by: {}", problem.vi),
            format!("--by: {}", problem.en),
        ));
    }
    Ok(grouping(data, &columns))
}

/// The domains that the values of these columns make together.
pub(super) fn grouping(data: &Data, columns: &[&str]) -> Grouping {
    let coded: Vec<_> = columns.iter().map(|column| data.codes(column)).collect();
    let key = |row: usize| -> Option<Vec<u32>> { coded.iter().map(|column| column.codes[row]).collect() };
    let mut numbers: BTreeMap<Vec<u32>, u32> = (0..data.rows()).filter_map(key).map(|key| (key, 0)).collect();
    for (number, next) in numbers.values_mut().zip(0..) {
        *number = next;
    }
    let label = |key: &Vec<u32>| {
        let labels = key.iter().zip(&coded);
        labels
            .map(|(&code, column)| column.labels.get(code as usize).cloned().unwrap_or_default())
            .collect()
    };
    Grouping {
        codes: (0..data.rows())
            .map(|row| {
                key(row)
                    .and_then(|key| numbers.get(&key).copied())
                    .unwrap_or(Partition::NONE)
            })
            .collect(),
        labels: numbers.keys().map(label).collect(),
        columns: columns.iter().copied().map(str::to_owned).collect(),
    }
}
