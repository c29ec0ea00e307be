//! Rounding counts to multiples of a base.

use super::PublicationError;
use crate::sampling::SampleGenerator;

/// The nearest multiple of `base`, halves upwards. Hundepool et al., *Statistical Disclosure Control* (2012), section 5.4:
/// conventional rounding. It protects little where totals are rounded apart, as they should be.
///
/// # Errors
/// [`PublicationError::Base`] for a base of 0.
pub fn round_to_base(count: u64, base: u64) -> Result<u64, PublicationError> {
    let rest = count.checked_rem(base).ok_or(PublicationError::Base)?;
    let down = count - rest;
    Ok(match rest >= base - rest {
        true => down.saturating_add(base),
        false => down,
    })
}

/// The multiple of `base` below or above, above with the chance remainder/base, so that the expectation is the count
/// itself. Hundepool et al. (2012), section 5.4: unbiased random rounding. Multiples stay as they are. Each cell and each
/// total is rounded by itself; round a cell once and keep the result, since the average of many roundings is the count.
///
/// # Errors
/// [`PublicationError::Base`] for a base of 0.
pub fn round_at_random(count: u64, base: u64, generator: &mut SampleGenerator) -> Result<u64, PublicationError> {
    let rest = count.checked_rem(base).ok_or(PublicationError::Base)?;
    let down = count - rest;
    Ok(match generator.below(base) < rest {
        true => down.saturating_add(base),
        false => down,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_go_to_the_nearest_multiple() {
        let rounded = [0, 2, 3, 5, 7, 8, 12, 13].map(|count| round_to_base(count, 5).unwrap());
        assert_eq!(rounded, [0, 0, 5, 5, 5, 10, 10, 15]);
        // A half goes up.
        assert_eq!([1, 2, 3].map(|count| round_to_base(count, 4).unwrap()), [0, 4, 4]);
        assert_eq!(round_to_base(7, 0), Err(PublicationError::Base));
        assert_eq!(round_to_base(7, 1), Ok(7));
    }

    #[test]
    fn random_rounding_has_the_count_as_its_expectation() {
        let mut generator = SampleGenerator::new(5, 0);
        let draws = 30_000_u64;
        for count in [10, 11, 12, 13, 14_u64] {
            let rounded: Vec<u64> = (0..draws)
                .map(|_| round_at_random(count, 5, &mut generator).unwrap())
                .collect();
            assert!(rounded.iter().all(|value| [10, 15].contains(value)));
            let mean = rounded.iter().sum::<u64>() as f64 / draws as f64;
            // Four standard errors of a mean of two values 5 apart: 4·5·√(p(1 − p)/30000).
            let p = (count - 10) as f64 / 5.0;
            assert!(
                (mean - count as f64).abs() <= 20.0 * (p * (1.0 - p) / draws as f64).sqrt(),
                "{count}: {mean}"
            );
        }
        assert!(round_at_random(3, 0, &mut generator).is_err());
    }
}
