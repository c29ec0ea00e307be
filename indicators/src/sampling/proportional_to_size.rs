//! Systematic sampling with probabilities proportional to size.

use super::systematic::equidistant;
use super::{Draw, InclusionProbability, SampleGenerator, SamplingError, Value, check_size};

/// The largest measure of size.
pub const LARGEST_SIZE: u64 = u32::MAX as u64;

/// Draws `size` units with probabilities proportional to their measures of size, systematically along the frame's order,
/// after taking out the units that are so large that they are certain ([`certainty_units`]).
///
/// W. G. Madow (1949), "On the Theory of Systematic Sampling, II", Annals of Mathematical Statistics 20, 333–354; Särndal,
/// Swensson & Wretman (1992), section 3.6.2.
///
/// # Errors
/// [`SamplingError`] when a size is not from 1 to [`LARGEST_SIZE`], the sizes add up to more than 64 bits hold, or the
/// sample is empty or larger than the frame.
pub fn proportional_to_size(
    sizes: &[u64],
    size: usize,
    generator: &mut SampleGenerator,
) -> Result<Draw, SamplingError> {
    let certain = certainty_units(sizes, size)?;
    let left = || (0..sizes.len()).filter(|unit| !certain[*unit]);
    let rest = left().map(|unit| sizes[unit]).sum::<u64>();
    let drawn = (size - certain.iter().filter(|certain| **certain).count()) as u64;
    let probability = |unit: usize| match certain[unit] {
        true => InclusionProbability::CERTAIN,
        false => InclusionProbability::new(u128::from(sizes[unit]) * u128::from(drawn), u128::from(rest)),
    };
    let mut selected: Vec<usize> = (0..sizes.len()).filter(|unit| certain[*unit]).collect();
    if drawn > 0 {
        let start = generator.below(rest);
        let hit = equidistant(left().map(|unit| sizes[unit]), rest, drawn, start);
        let positions: Vec<usize> = left().collect();
        selected.extend(hit.into_iter().map(|place| positions[place]));
        selected.sort_unstable();
    }
    Ok(Draw {
        selected,
        probabilities: (0..sizes.len()).map(probability).collect(),
    })
}

/// Which units are certain: those whose size times the sample reaches the total. They are taken out, sample and total
/// become smaller, and more may become certain, until none does (Särndal, Swensson & Wretman 1992, section 3.6.2).
///
/// Returns one entry a unit. Their number is at most `size`; where it equals it, nothing is left to chance.
///
/// # Errors
/// As [`proportional_to_size()`].
pub fn certainty_units(sizes: &[u64], size: usize) -> Result<Vec<bool>, SamplingError> {
    check_size(size, sizes.len())?;
    let mut total = 0_u64;
    for (unit, measure) in sizes.iter().enumerate() {
        if !(1..=LARGEST_SIZE).contains(measure) {
            return Err(SamplingError::OutOfRange {
                value: Value::Size(unit),
                given: *measure as f64,
            });
        }
        total = total.checked_add(*measure).ok_or(SamplingError::TotalTooLarge)?;
    }
    let mut certain = vec![false; sizes.len()];
    let mut wanted = size as u128;
    loop {
        let threshold = u128::from(total);
        let (mut found, mut taken) = (0, 0);
        for (unit, measure) in sizes.iter().enumerate() {
            if !certain[unit] && wanted > 0 && u128::from(*measure) * wanted >= threshold {
                certain[unit] = true;
                found += 1;
                taken += measure;
            }
        }
        if found == 0 {
            return Ok(certain);
        }
        // Among the units left, at most `wanted` can reach total/wanted, so that this never falls below 0.
        wanted -= found;
        total -= taken;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_units_are_certain_and_make_others_certain() {
        // 4 of 100: 60 reaches 25. Then 3 of 40: 20 reaches 40/3. Then 2 of 20: 10 reaches 10. Then 1 of 10: none.
        let sizes = [60, 20, 10, 4, 3, 2, 1];
        assert_eq!(
            certainty_units(&sizes, 4),
            Ok(vec![true, true, true, false, false, false, false])
        );
        let draw = proportional_to_size(&sizes, 4, &mut SampleGenerator::new(3, 0)).unwrap();
        assert_eq!(draw.selected[..3], [0, 1, 2]);
        assert_eq!(draw.selected.len(), 4);
        let fractions: Vec<_> = draw
            .probabilities
            .iter()
            .map(|probability| probability.fraction())
            .collect();
        assert_eq!(fractions, [(1, 1), (1, 1), (1, 1), (2, 5), (3, 10), (1, 5), (1, 10)]);
    }

    #[test]
    fn equal_units_and_full_samples_need_no_luck() {
        assert_eq!(certainty_units(&[5, 5, 5], 3), Ok(vec![true; 3]));
        assert_eq!(certainty_units(&[5, 5, 5], 2), Ok(vec![false; 3]));
        let draw = proportional_to_size(&[1, 2, 3], 3, &mut SampleGenerator::new(0, 0)).unwrap();
        assert_eq!(draw.selected, [0, 1, 2]);
        assert!(draw.probabilities.iter().all(|probability| probability.is_certain()));
    }

    #[test]
    fn sizes_out_of_range_are_named() {
        let error = certainty_units(&[5, 0, 5], 1).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the size of unit 1 is 0; it must be a whole number from 1 to 2^32 − 1"
        );
        assert_eq!(
            error.vietnamese(),
            "kích thước của đơn vị 1 là 0; phải là số nguyên từ 1 đến 2^32 − 1"
        );
        assert!(certainty_units(&[LARGEST_SIZE + 1], 1).is_err());
        assert!(certainty_units(&[1], 2).is_err());
        assert!(certainty_units(&[], 0).is_err());
    }
}
