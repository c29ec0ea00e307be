//! Hamlets first, then households within them.

use super::simple_random::choose;
use super::systematic::equidistant;
use super::{InclusionProbability, Method, SampleGenerator, SamplingError, Value, stratified};

/// How households are drawn within a hamlet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondStage {
    /// Simple random sampling without replacement.
    SimpleRandom,
    /// At equal distances along the hamlet's list.
    Systematic,
}

/// A hamlet of a two-stage sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectedHamlet {
    /// Its position in the frame of hamlets.
    pub position: usize,
    /// The probability of the hamlet.
    pub hamlet_probability: InclusionProbability,
    /// The probability of each of its households, both stages together.
    pub household_probability: InclusionProbability,
    /// The households drawn, by their positions in the hamlet's list from 0, ascending.
    pub households: Vec<u64>,
}

/// A two-stage sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TwoStageDraw {
    /// The hamlets drawn, in the frame's order.
    pub hamlets: Vec<SelectedHamlet>,
    /// The inclusion probability of a household of each hamlet of the frame, drawn or not.
    pub household_probabilities: Vec<InclusionProbability>,
}

/// Draws `stratum_sizes[h]` hamlets of each stratum h by `first`, then `households_per_hamlet` households of each (all of
/// them where there are fewer).
///
/// `households` has each hamlet's number of households, which is its measure of size as well. With hamlets proportional
/// to size and the same number from each, every household of a stratum has the same probability except in certain or
/// small hamlets (Kish, *Survey Sampling*, 1965, section 7.2). The first stage uses the streams of [`stratified()`]; hamlet
/// i uses stream 2^32 + i for its households.
///
/// # Errors
/// [`SamplingError`] as [`stratified()`], and when a hamlet's households or the number to draw are out of range.
pub fn two_stage(
    first: Method,
    second: SecondStage,
    strata: &[usize],
    households: &[u64],
    stratum_sizes: &[usize],
    households_per_hamlet: u64,
    seed: u64,
) -> Result<TwoStageDraw, SamplingError> {
    let out_of_range = |value, given: u64| SamplingError::OutOfRange {
        value,
        given: given as f64,
    };
    if !(1..=super::LARGEST_SIZE).contains(&households_per_hamlet) {
        return Err(out_of_range(Value::ClusterSize, households_per_hamlet));
    }
    for (hamlet, count) in households.iter().enumerate() {
        if !(1..=super::LARGEST_SIZE).contains(count) {
            return Err(out_of_range(Value::Size(hamlet), *count));
        }
    }
    let drawn = stratified(first, strata, households, stratum_sizes, seed)?;
    let within = |hamlet: usize| {
        let count = households[hamlet];
        InclusionProbability::new(u128::from(households_per_hamlet.min(count)), u128::from(count))
    };
    let household_probabilities: Vec<_> = (0..households.len())
        .map(|hamlet| drawn.probabilities[hamlet].and_then(within(hamlet)))
        .collect();
    let hamlets = drawn.selected.iter().map(|hamlet| {
        let (count, wanted) = (households[*hamlet], households_per_hamlet.min(households[*hamlet]));
        let mut generator = SampleGenerator::new(seed, (1 << 32) + *hamlet as u64);
        let chosen = match second {
            SecondStage::SimpleRandom => choose(count, wanted, &mut generator),
            SecondStage::Systematic => {
                let start = generator.below(count);
                let hit = equidistant((0..count).map(|_| 1), count, wanted, start);
                hit.into_iter().map(|place| place as u64).collect()
            }
        };
        SelectedHamlet {
            position: *hamlet,
            hamlet_probability: drawn.probabilities[*hamlet],
            household_probability: household_probabilities[*hamlet],
            households: chosen,
        }
    });
    Ok(TwoStageDraw {
        hamlets: hamlets.collect(),
        household_probabilities,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hamlets_by_size_and_equal_numbers_give_every_household_one_probability() {
        let households = [120, 95, 210, 64, 88, 143, 77, 103];
        let strata = [0; 8];
        let draw = two_stage(
            Method::ProportionalToSize,
            SecondStage::SimpleRandom,
            &strata,
            &households,
            &[3],
            15,
            5,
        )
        .unwrap();
        // 3 of 900, 15 of each: 3·M/900 · 15/M = 1/20 for all.
        assert!(
            draw.household_probabilities
                .iter()
                .all(|each| each.fraction() == (1, 20))
        );
        assert_eq!(draw.hamlets.len(), 3);
        for hamlet in &draw.hamlets {
            assert_eq!(hamlet.households.len(), 15);
            assert!(hamlet.households.windows(2).all(|pair| pair[0] < pair[1]));
            assert!(hamlet.households.iter().all(|each| *each < households[hamlet.position]));
        }
    }

    #[test]
    fn a_small_hamlet_gives_all_it_has() {
        let households = [4, 50];
        for second in [SecondStage::SimpleRandom, SecondStage::Systematic] {
            let draw = two_stage(Method::SimpleRandom, second, &[0, 0], &households, &[2], 10, 9).unwrap();
            assert_eq!(draw.hamlets[0].households, [0, 1, 2, 3]);
            assert!(draw.hamlets[0].household_probability.is_certain());
            assert_eq!(draw.hamlets[1].households.len(), 10);
            assert_eq!(draw.hamlets[1].household_probability.fraction(), (1, 5));
        }
        let none = two_stage(Method::SimpleRandom, SecondStage::Systematic, &[0], &[4], &[1], 0, 9);
        assert!(none.is_err());
    }
}
