//! How much is missing.

use super::MissingError;

/// What is missing of one column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MissingShare {
    /// Rows without an answer.
    pub rows: usize,
    /// Their share of all rows, from 0 to 1.
    pub share: f64,
    /// Their share of the sum of weights; 0 if that is 0.
    pub weighted_share: f64,
}

/// What is missing of several columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Completeness {
    /// Whether each row has an answer in every column: the rows of a complete-case analysis.
    pub complete: Vec<bool>,
    /// What a complete-case analysis leaves out.
    pub incomplete: MissingShare,
    /// Each column, in the order given.
    pub columns: Vec<MissingShare>,
}

/// Counts missing answers. Leaving incomplete rows out is unbiased only where answers are missing completely at random, or
/// at random within the classes that weights were adjusted in (Little & Rubin, *Statistical Analysis with Missing Data*,
/// 3rd edition, 2019, sections 1.3 and 3.3); so the shares belong beside an estimate.
///
/// # Errors
/// [`MissingError::NoRows`]; [`MissingError::Weight`]; [`MissingError::Length`] or [`MissingError::Value`] naming the
/// column.
pub fn completeness(weights: &[f64], columns: &[&[Option<f64>]]) -> Result<Completeness, MissingError> {
    if weights.is_empty() {
        return Err(MissingError::NoRows);
    }
    if let Some(row) = weights
        .iter()
        .position(|&weight| !(weight >= 0.0 && weight.is_finite()))
    {
        return Err(MissingError::Weight {
            row,
            value: weights[row],
        });
    }
    let mut complete = vec![true; weights.len()];
    let mut shares = Vec::with_capacity(columns.len());
    for (column, values) in columns.iter().enumerate() {
        if values.len() != weights.len() {
            return Err(MissingError::Length {
                column,
                given: values.len(),
                expected: weights.len(),
            });
        }
        for (row, value) in values.iter().enumerate() {
            match *value {
                None => complete[row] = false,
                Some(value) if !value.is_finite() => return Err(MissingError::Value { row, column, value }),
                Some(_) => {}
            }
        }
        shares.push(share(weights, |row| values[row].is_none()));
    }
    Ok(Completeness {
        incomplete: share(weights, |row| !complete[row]),
        complete,
        columns: shares,
    })
}

fn share(weights: &[f64], is_missing: impl Fn(usize) -> bool) -> MissingShare {
    let (mut rows, mut missing, mut total) = (0_usize, 0.0, 0.0);
    for (row, weight) in weights.iter().enumerate() {
        total += weight;
        if is_missing(row) {
            rows += 1;
            missing += weight;
        }
    }
    MissingShare {
        rows,
        share: rows as f64 / weights.len() as f64,
        weighted_share: if total > 0.0 { missing / total } else { 0.0 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_by_hand() {
        let one = [Some(1.0), None, Some(2.0), None];
        let other = [Some(1.0), None, None, Some(0.0)];
        let counted = completeness(&[1.0, 2.0, 3.0, 4.0], &[&one, &other]).unwrap();
        assert_eq!(counted.complete, [true, false, false, false]);
        assert_eq!((counted.incomplete.rows, counted.incomplete.weighted_share), (3, 0.9));
        assert_eq!(
            (counted.columns[0].share, counted.columns[0].weighted_share),
            (0.5, 0.6)
        );
        assert_eq!(counted.columns[1].weighted_share, 0.5);
    }

    #[test]
    fn wrong_columns_are_named() {
        assert_eq!(completeness(&[], &[]).unwrap_err(), MissingError::NoRows);
        let short = completeness(&[1.0, 1.0], &[&[None]]).unwrap_err();
        assert!(short.vietnamese().starts_with("cột 0 có 1 giá trị"));
        assert!(matches!(
            completeness(&[1.0], &[&[Some(f64::NAN)]]).unwrap_err(),
            MissingError::Value { row: 0, column: 0, .. }
        ));
        assert!(matches!(
            completeness(&[-1.0], &[]).unwrap_err(),
            MissingError::Weight { row: 0, .. }
        ));
    }
}
