//! Simple random sampling without replacement.

use super::{Draw, InclusionProbability, SampleGenerator, SamplingError, check_size};

/// Draws `size` of `units` so that every set of that many has the same chance.
///
/// Selection in one pass: unit k is taken with the chance (still wanted) / (still to come); C. T. Fan, M. E. Muller &
/// I. Rezucha (1962), "Development of Sampling Plans by Using Sequential (Item by Item) Selection Techniques and Digital
/// Computers", Journal of the American Statistical Association 57, 387–402, method 1.
///
/// # Errors
/// [`SamplingError::SampleSize`] unless 1 ≤ size ≤ units.
pub fn simple_random(units: usize, size: usize, generator: &mut SampleGenerator) -> Result<Draw, SamplingError> {
    check_size(size, units)?;
    Ok(Draw {
        selected: choose(units as u64, size as u64, generator)
            .into_iter()
            .map(|position| position as usize)
            .collect(),
        probabilities: vec![InclusionProbability::new(size as u128, units as u128); units],
    })
}

/// The positions of `size` of `units`, ascending; `size` is at most `units`.
pub(super) fn choose(units: u64, size: u64, generator: &mut SampleGenerator) -> Vec<u64> {
    let mut wanted = size;
    let mut selected = Vec::new();
    for position in 0..units {
        if wanted == 0 {
            break;
        }
        if generator.below(units - position) < wanted {
            selected.push(position);
            wanted -= 1;
        }
    }
    selected
}
