//! Balanced half-samples: each replicate takes one PSU of each pair.

use super::multipliers::{Kind, check_weights};
use super::{FirstStage, Hadamard, Replicates, ReplicatesError};

/// What to do with a stratum of more than two PSUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LargeStrata {
    /// Refuse it.
    #[default]
    Refuse,
    /// Divide an even number of PSUs into pairs, in the order in which rows name them, each pair taken as a stratum; an
    /// odd number is refused, since no half-sample of it is balanced. As `large = "split"` in R.
    Pair,
}

/// How to make half-samples.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BalancedSettings {
    /// Fay's factor ρ, from 0 to below 1: the PSU that is not taken is multiplied by ρ and the other by 2 − ρ. 0 is plain
    /// balanced repeated replication; 0.5 is usual where domains are small (Judkins 1990, *Journal of Official Statistics*
    /// 6, 223–239).
    pub fay_rho: f64,
    /// Strata of more than two PSUs.
    pub large_strata: LargeStrata,
}

/// The replicates of balanced half-samples.
#[derive(Debug, Clone)]
pub(super) struct HalfSamples {
    hadamard: Hadamard,
    /// The two PSUs of each pair; pair k follows row k + 1 of the Hadamard matrix, replicates its columns.
    pairs: Vec<[u32; 2]>,
    fay_rho: f64,
}

impl HalfSamples {
    pub(super) fn fill(&self, replicate: usize, multipliers: &mut [f64]) {
        for (pair, &[first, second]) in self.pairs.iter().enumerate() {
            // +1 takes the second, as the R package survey does for entries equal to the matrix's first.
            let (taken, other) = match self.hadamard.is_plus(pair + 1, replicate) {
                true => (second, first),
                false => (first, second),
            };
            multipliers[taken as usize] = 2.0 - self.fay_rho;
            multipliers[other as usize] = self.fay_rho;
        }
    }
}

impl Replicates {
    /// Balanced repeated replication (McCarthy 1969, *Review of the International Statistical Institute* 37, 239–264),
    /// with Fay's method where ρ > 0: as many replicates as the smallest Hadamard matrix of more rows than there are
    /// pairs, each squared difference counting 1/(R·(1 − ρ)²). Finite population corrections are not used, as in R.
    ///
    /// # Errors
    /// [`ReplicatesError::Weight`] or [`ReplicatesError::Length`] for the weights; [`ReplicatesError::Fay`];
    /// [`ReplicatesError::NotPaired`] naming the first stratum that is not a pair and may not be divided into pairs;
    /// [`ReplicatesError::ReplicateCount`] for more than 65,535 pairs.
    pub fn balanced(weights: &[f64], stage: &FirstStage, settings: &BalancedSettings) -> Result<Self, ReplicatesError> {
        check_weights(weights, stage.rows())?;
        let &BalancedSettings { fay_rho, large_strata } = settings;
        if !(0.0..1.0).contains(&fay_rho) {
            return Err(ReplicatesError::Fay { rho: fay_rho });
        }
        let pairing = large_strata == LargeStrata::Pair;
        let mut pairs = Vec::with_capacity(stage.psus / 2);
        for stratum in &stage.strata {
            let (found, rest) = stratum.psus.as_chunks::<2>();
            if !rest.is_empty() || (found.len() > 1 && !pairing) {
                return Err(ReplicatesError::NotPaired {
                    stratum: stratum.code,
                    psus: stratum.psus.len(),
                    pairing,
                });
            }
            pairs.extend_from_slice(found);
        }
        let hadamard = Hadamard::at_least(pairs.len() + 1).ok_or(ReplicatesError::ReplicateCount {
            replicates: pairs.len() + 1,
            most: 1 << 16,
        })?;
        let count = hadamard.order();
        let scale = 1.0 / (count as f64 * (1.0 - fay_rho) * (1.0 - fay_rho));
        let degrees_of_freedom = pairs.len();
        let kind = Kind::HalfSamples(HalfSamples {
            hadamard,
            pairs,
            fay_rho,
        });
        Ok(Replicates::of_psus(
            weights,
            stage,
            kind,
            vec![scale; count],
            degrees_of_freedom,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn balanced(
        clusters: &[u32],
        strata: &[u32],
        fay_rho: f64,
        large_strata: LargeStrata,
    ) -> Result<Replicates, ReplicatesError> {
        let stage = FirstStage::new(clusters, Some(strata), None).unwrap();
        let settings = BalancedSettings { fay_rho, large_strata };
        Replicates::balanced(&vec![1.0; clusters.len()], &stage, &settings)
    }

    #[test]
    fn every_psu_is_in_half_of_the_samples() {
        let replicates = balanced(&[0, 1, 2, 3, 4, 5], &[0, 0, 1, 1, 2, 2], 0.3, LargeStrata::Refuse).unwrap();
        assert_eq!((replicates.count(), replicates.degrees_of_freedom()), (4, 3));
        assert!((replicates.scales()[0] - 1.0 / (4.0 * 0.49)).abs() < 1e-15);
        let all: Vec<Vec<f64>> = (0..4).map(|replicate| replicates.weights(replicate).unwrap()).collect();
        for row in 0..6 {
            let (mut taken, mut total) = (0, 0.0);
            for weights in &all {
                taken += usize::from(weights[row] == 1.7);
                total += weights[row];
            }
            assert_eq!(taken, 2);
            assert!((total - 4.0).abs() < 1e-15);
        }
    }

    #[test]
    fn strata_must_pair_up() {
        let four = ([0, 1, 2, 3], [5; 4]);
        let refused = balanced(&four.0, &four.1, 0.0, LargeStrata::Refuse).unwrap_err();
        assert!(refused.to_string().starts_with("stratum 5 has 4 clusters"), "{refused}");
        assert_eq!(balanced(&four.0, &four.1, 0.0, LargeStrata::Pair).unwrap().count(), 4);
        let odd = balanced(&[0, 1, 2], &[5; 3], 0.0, LargeStrata::Pair).unwrap_err();
        assert!(odd.vietnamese().contains("hoặc một số chẵn"));
        let lonely = balanced(&[0], &[5], 0.0, LargeStrata::Pair).unwrap_err();
        assert!(matches!(lonely, ReplicatesError::NotPaired { psus: 1, .. }));
        for rho in [-0.1, 1.0, f64::NAN] {
            assert!(balanced(&[0, 1], &[0, 0], rho, LargeStrata::Refuse).is_err());
        }
    }
}
