//! Trimming of extreme weights.

use super::base::check_weights;
use super::{WeightSummary, WeightsError};

/// What weights are trimmed to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrimmingBounds {
    /// Smallest weight, at least 0.
    pub lower: f64,
    /// Largest weight; may be infinite.
    pub upper: f64,
    /// Whether to trim again until no weight is outside the bounds after what was cut off has been spread.
    pub strict: bool,
}

/// Trimmed weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Trimmed {
    /// The new weights, one per row.
    pub weights: Vec<f64>,
    /// Passes made: 0 if no weight was outside, at most 1 unless strict.
    pub passes: usize,
    /// Rows that were cut to a bound in any pass.
    pub trimmed_rows: usize,
    /// The weights before.
    pub before: Option<WeightSummary>,
    /// The weights after.
    pub after: Option<WeightSummary>,
}

/// Most passes of strict trimming; what is left shrinks by a constant factor with each.
const MOST_PASSES: usize = 10_000;

/// Cuts weights to the bounds and adds what was cut off to the other rows in equal parts, so that the sum stays (as
/// `trimWeights` in the R package survey; on the trade of variance against bias see Potter 1990, *Proceedings of the
/// Survey Research Methods Section*, American Statistical Association, 225–230). Rows of weight 0 are left alone. What was
/// calibrated before no longer meets its totals: calibrate again.
///
/// # Errors
/// [`WeightsError::Value`] for a weight that is negative or not finite; [`WeightsError::TrimmingBounds`];
/// [`WeightsError::NothingLeftToTrim`] if no row is left to take up what was cut off.
pub fn trim(weights: &[f64], bounds: TrimmingBounds) -> Result<Trimmed, WeightsError> {
    check_weights(weights)?;
    let TrimmingBounds { lower, upper, strict } = bounds;
    if !(lower >= 0.0 && lower < upper) {
        return Err(WeightsError::TrimmingBounds { lower, upper });
    }
    let total: f64 = weights.iter().sum();
    let nothing_left = WeightsError::NothingLeftToTrim { lower, upper, total };
    let mut new = weights.to_vec();
    let mut ever = vec![false; weights.len()];
    let mut passes = 0;
    // A row at a bound takes its part in the next pass and is cut again, so the last passes move only rounding.
    let margin = 4.0 * f64::EPSILON;
    loop {
        let outside: Vec<bool> = (new.iter().zip(weights))
            .map(|(&new, &old)| old > 0.0 && (new > upper * (1.0 + margin) || new < lower * (1.0 - margin)))
            .collect();
        if !outside.contains(&true) || (passes == 1 && !strict) {
            break;
        }
        if passes == MOST_PASSES {
            return Err(nothing_left);
        }
        passes += 1;
        let mut cut_off = 0.0;
        for (row, weight) in new.iter_mut().enumerate().filter(|(row, _)| outside[*row]) {
            let bound = weight.clamp(lower, upper);
            cut_off += *weight - bound;
            *weight = bound;
            ever[row] = true;
        }
        let inside: Vec<usize> = (0..new.len())
            .filter(|&row| weights[row] > 0.0 && !outside[row])
            .collect();
        // Where every row was cut, those that were cut to the other bound take it up.
        let has_room = |row: &usize| {
            weights[*row] > 0.0
                && if cut_off > 0.0 {
                    new[*row] < upper
                } else {
                    new[*row] > lower
                }
        };
        let takers = if inside.is_empty() {
            (0..new.len()).filter(has_room).collect()
        } else {
            inside
        };
        if takers.is_empty() && cut_off != 0.0 {
            return Err(nothing_left);
        }
        for &row in &takers {
            new[row] += cut_off / takers.len() as f64;
        }
    }
    // Raising many small weights can take more from the others than they have.
    if new.iter().any(|&weight| weight < 0.0) {
        return Err(nothing_left);
    }
    Ok(Trimmed {
        passes,
        trimmed_rows: ever.iter().filter(|&&row| row).count(),
        before: WeightSummary::of(weights),
        after: WeightSummary::of(&new),
        weights: new,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_off_is_spread_evenly() {
        let bounds = TrimmingBounds {
            lower: 0.0,
            upper: 10.0,
            strict: false,
        };
        let once = trim(&[1.0, 9.0, 22.0, 0.0, 4.0], bounds).unwrap();
        assert_eq!(once.weights, [5.0, 13.0, 10.0, 0.0, 8.0]);
        assert_eq!((once.passes, once.trimmed_rows), (1, 1));
        // Strictly: 36 in all, two rows at 10 leave 16, of which the others keep their difference of 3.
        let strict = trim(&[1.0, 9.0, 22.0, 0.0, 4.0], TrimmingBounds { strict: true, ..bounds }).unwrap();
        for (weight, expected) in strict.weights.iter().zip([6.5, 10.0, 10.0, 0.0, 9.5]) {
            assert!((weight - expected).abs() < 1e-13);
        }
        assert_eq!(strict.trimmed_rows, 2);
        // Every row is outside: raised by 6 and cut by 5, so 1 comes off the row that is not at the lower bound.
        let both = trim(
            &[2.0, 30.0],
            TrimmingBounds {
                lower: 8.0,
                upper: 25.0,
                strict: true,
            },
        );
        assert_eq!(both.unwrap().weights, [8.0, 24.0]);
        let untouched = trim(&[1.0, 2.0], bounds).unwrap();
        assert_eq!((untouched.passes, untouched.weights), (0, vec![1.0, 2.0]));
    }

    #[test]
    fn bounds_must_leave_room() {
        let trimmed = |lower, upper, strict| trim(&[4.0, 8.0], TrimmingBounds { lower, upper, strict });
        assert!(matches!(
            trimmed(0.0, 5.0, true).unwrap_err(),
            WeightsError::NothingLeftToTrim { total: 12.0, .. }
        ));
        for (lower, upper) in [(3.0, 3.0), (-1.0, 3.0), (f64::NAN, 3.0), (0.0, f64::NAN)] {
            let error = trimmed(lower, upper, false).unwrap_err();
            assert!(matches!(error, WeightsError::TrimmingBounds { .. }));
            assert!(error.vietnamese().starts_with("trọng số được cắt về"));
        }
        assert!(
            trim(
                &[1.0, f64::INFINITY],
                TrimmingBounds {
                    lower: 0.0,
                    upper: 1.0,
                    strict: true
                }
            )
            .is_err()
        );
    }
}
