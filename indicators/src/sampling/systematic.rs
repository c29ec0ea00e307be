//! Systematic sampling with equal probabilities.

use super::{Draw, InclusionProbability, SampleGenerator, SamplingError, check_size};

/// Draws `size` of `units` at equal distances along the frame's order, from a random start; the distance units/size need
/// not be whole (Särndal, Swensson & Wretman 1992, section 3.4, fractional interval method).
///
/// A frame sorted by place spreads the sample over the territory; a frame whose order has a period must not be used so.
///
/// # Errors
/// [`SamplingError::SampleSize`] unless 1 ≤ size ≤ units.
pub fn systematic(units: usize, size: usize, generator: &mut SampleGenerator) -> Result<Draw, SamplingError> {
    check_size(size, units)?;
    let (all, wanted) = (units as u64, size as u64);
    let start = generator.below(all);
    Ok(Draw {
        selected: equidistant((0..units).map(|_| 1), all, wanted, start),
        probabilities: vec![InclusionProbability::new(size as u128, units as u128); units],
    })
}

/// The units that the points start/size + k·total/size, k = 0 … size − 1, hit when each unit covers as much of the line
/// from 0 to `total` as its measure of size.
///
/// All in whole numbers: with the line stretched by `size`, unit i covers size·x_i, and the points are start + k·total for
/// a start from 0 to total − 1. Exactly size·x_i of the starts hit unit i (as long as that is at most `total`), so that
/// the probability is size·x_i/total without rounding.
pub(super) fn equidistant(sizes: impl Iterator<Item = u64>, total: u64, size: u64, start: u64) -> Vec<usize> {
    let (total, size) = (u128::from(total), u128::from(size));
    let mut point = u128::from(start);
    let mut covered = 0_u128;
    let mut selected = Vec::new();
    for (position, measure) in sizes.enumerate() {
        covered += u128::from(measure) * size;
        if point < covered {
            selected.push(position);
            point += total;
        }
    }
    selected
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every start in turn: how often each unit is hit.
    fn hits(sizes: &[u64], size: u64) -> Vec<u64> {
        let total = sizes.iter().sum();
        let mut hits = vec![0; sizes.len()];
        for start in 0..total {
            let selected = equidistant(sizes.iter().copied(), total, size, start);
            assert_eq!(selected.len() as u64, size, "start {start}");
            selected.into_iter().for_each(|unit| hits[unit] += 1);
        }
        hits
    }

    #[test]
    fn of_all_starts_exactly_the_inclusion_probability_hits_each_unit() {
        for units in 1..=40_u64 {
            for size in 1..=units {
                assert_eq!(hits(&vec![1; units as usize], size), vec![size; units as usize]);
            }
        }
    }

    #[test]
    fn of_all_starts_as_many_hit_a_unit_as_its_size_times_the_sample() {
        for (sizes, size) in [
            (vec![10, 20, 30, 40], 2),
            (vec![3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5], 3),
            (vec![7, 7, 7], 3),
            (vec![1, 998, 1], 1),
            (vec![120, 95, 210, 64, 88, 143, 77, 102], 3),
        ] {
            let expected: Vec<u64> = sizes.iter().map(|measure| measure * size).collect();
            assert_eq!(hits(&sizes, size), expected);
        }
    }

    #[test]
    fn the_interval_is_kept_along_the_frame() {
        let draw = systematic(100, 10, &mut SampleGenerator::new(1, 0)).unwrap();
        assert!(draw.selected.windows(2).all(|pair| pair[1] - pair[0] == 10));
        let draw = systematic(7, 3, &mut SampleGenerator::new(1, 0)).unwrap();
        assert!(
            draw.selected
                .windows(2)
                .all(|pair| [2, 3].contains(&(pair[1] - pair[0])))
        );
        assert_eq!(draw.probabilities[0].fraction(), (3, 7));
    }
}
