//! The rescaled bootstrap: each replicate draws PSUs again, with replacement.

use super::multipliers::{Kind, check_weights};
use super::{FirstStage, Replicates, ReplicatesError};
use crate::sampling::SampleGenerator;
use crate::variance::LonelyPsu;

/// How to draw bootstrap samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BootstrapSettings {
    /// Number of replicates, from 2 to 100,000.
    pub replicates: usize,
    /// The same seed gives the same replicates on every platform.
    pub seed: u64,
    /// PSUs to draw in each stratum, from 1 to n − 1; `None` draws n − 1.
    pub draws: Option<u32>,
    /// Strata with one PSU: [`LonelyPsu::Certainty`] leaves their weights as they are, anything else is an error.
    pub lonely: LonelyPsu,
}

/// Most replicates.
const MOST: usize = 100_000;

/// The replicates of a bootstrap: drawn anew, from the seed and the replicate's number, whenever they are needed.
#[derive(Debug, Clone)]
pub(super) struct Resampling {
    seed: u64,
    strata: Vec<ResampledStratum>,
}

#[derive(Debug, Clone)]
struct ResampledStratum {
    psus: Vec<u32>,
    draws: u32,
    /// 1 − λ.
    rest: f64,
    /// λ·n/m, for each time that a PSU is drawn.
    each: f64,
}

impl Resampling {
    pub(super) fn fill(&self, replicate: usize, multipliers: &mut [f64]) {
        let mut choice = SampleGenerator::new(self.seed, replicate as u64);
        // What is taken with certainty is in no stratum here.
        multipliers.fill(1.0);
        for stratum in &self.strata {
            for &psu in &stratum.psus {
                multipliers[psu as usize] = stratum.rest;
            }
            for _ in 0..stratum.draws {
                if let Some(drawn) = choice.one_of(&stratum.psus) {
                    multipliers[drawn as usize] += stratum.each;
                }
            }
        }
    }
}

impl Replicates {
    /// The rescaled bootstrap (Rao & Wu 1988, *Journal of the American Statistical Association* 83, 231–241; as weights:
    /// Rao, Wu & Yue 1992, *Survey Methodology* 18, 209–217). Of n PSUs of a stratum m are drawn with replacement; one
    /// drawn t times is multiplied by 1 − λ + λ·t·n/m with λ² = m·(1 − n/N)/(n − 1). With m = n − 1 and without finite
    /// population correction that is t·n/(n − 1), as `type = "subbootstrap"` in R. Each squared difference counts
    /// 1/(R − 1).
    ///
    /// # Errors
    /// [`ReplicatesError::Weight`] or [`ReplicatesError::Length`] for the weights; [`ReplicatesError::ReplicateCount`];
    /// [`ReplicatesError::Draws`] naming the stratum; [`ReplicatesError::LonelyPsu`]; [`ReplicatesError::NothingSampled`].
    pub fn bootstrap(
        weights: &[f64],
        stage: &FirstStage,
        settings: &BootstrapSettings,
    ) -> Result<Self, ReplicatesError> {
        check_weights(weights, stage.rows())?;
        let &BootstrapSettings {
            replicates,
            seed,
            draws,
            lonely,
        } = settings;
        if !(2..=MOST).contains(&replicates) {
            return Err(ReplicatesError::ReplicateCount { replicates, most: MOST });
        }
        let mut strata = Vec::with_capacity(stage.strata.len());
        let mut within_strata = 0;
        for stratum in &stage.strata {
            let correction = stratum.correction();
            let sampled = stratum.psus.len();
            if correction <= 0.0 {
                continue;
            }
            if sampled == 1 {
                if lonely == LonelyPsu::Certainty {
                    continue;
                }
                return Err(ReplicatesError::LonelyPsu { stratum: stratum.code });
            }
            let draws = draws.unwrap_or(sampled as u32 - 1);
            if draws == 0 || draws as usize >= sampled {
                return Err(ReplicatesError::Draws {
                    stratum: stratum.code,
                    draws,
                    most: sampled - 1,
                });
            }
            let (drawn, sampled) = (f64::from(draws), sampled as f64);
            let lambda = (drawn * correction / (sampled - 1.0)).sqrt();
            strata.push(ResampledStratum {
                psus: stratum.psus.clone(),
                draws,
                rest: 1.0 - lambda,
                each: lambda * sampled / drawn,
            });
            within_strata += stratum.psus.len() - 1;
        }
        if strata.is_empty() {
            return Err(ReplicatesError::NothingSampled);
        }
        let scales = vec![1.0 / (replicates as f64 - 1.0); replicates];
        let degrees_of_freedom = within_strata.min(replicates - 1);
        let kind = Kind::Resampling(Resampling { seed, strata });
        Ok(Replicates::of_psus(weights, stage, kind, scales, degrees_of_freedom))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(draws: Option<u32>) -> BootstrapSettings {
        BootstrapSettings {
            replicates: 20,
            seed: 5,
            draws,
            lonely: LonelyPsu::Fail,
        }
    }

    #[test]
    fn each_sample_keeps_the_sum_of_its_strata() {
        let stage = FirstStage::new(
            &[0, 1, 2, 3, 4],
            Some(&[0, 0, 0, 1, 1]),
            Some(&[9.0, 9.0, 9.0, 2.0, 2.0]),
        )
        .unwrap();
        for draws in [None, Some(1)] {
            let replicates = Replicates::bootstrap(&[1.0; 5], &stage, &settings(draws)).unwrap();
            let mut seen = std::collections::BTreeSet::new();
            for replicate in 0..20 {
                let weights = replicates.weights(replicate).unwrap();
                assert!((weights[..3].iter().sum::<f64>() - 3.0).abs() < 1e-14);
                assert!(weights.iter().all(|&weight| weight >= 0.0));
                // The second stratum was taken completely.
                assert_eq!(weights[3..], [1.0, 1.0]);
                seen.insert(format!("{weights:?}"));
            }
            assert!(seen.len() > 1);
        }
    }

    #[test]
    fn plain_draws_are_multiples() {
        let stage = FirstStage::new(&[0, 1, 2, 3], None, None).unwrap();
        let replicates = Replicates::bootstrap(&[3.0; 4], &stage, &settings(None)).unwrap();
        let weights = replicates.weights(7).unwrap();
        // 3 drawn of 4: each time counts 4/3 of 3.
        assert!(weights.iter().all(|weight| (weight / 4.0).fract().abs() < 1e-12));
        assert_eq!(replicates.weights(7), replicates.weights(7));
        assert_eq!(replicates.degrees_of_freedom(), 3);
    }

    #[test]
    fn what_cannot_be_drawn_is_named() {
        let pair = FirstStage::new(&[0, 1], None, None).unwrap();
        for draws in [0, 2] {
            let error = Replicates::bootstrap(&[1.0; 2], &pair, &settings(Some(draws))).unwrap_err();
            assert!(matches!(error, ReplicatesError::Draws { most: 1, .. }));
        }
        let lonely = FirstStage::new(&[0], None, None).unwrap();
        assert!(matches!(
            Replicates::bootstrap(&[1.0], &lonely, &settings(None)).unwrap_err(),
            ReplicatesError::LonelyPsu { stratum: 0 }
        ));
        for replicates in [0, 1, MOST + 1] {
            let settings = BootstrapSettings {
                replicates,
                ..settings(None)
            };
            assert!(Replicates::bootstrap(&[1.0; 2], &pair, &settings).is_err());
        }
    }
}
