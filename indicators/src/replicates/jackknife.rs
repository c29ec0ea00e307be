//! The jackknife: each replicate leaves out one PSU.

use super::first_stage::SampledStratum;
use super::multipliers::{Kind, check_weights};
use super::{FirstStage, Replicates, ReplicatesError};
use crate::variance::LonelyPsu;

/// One replicate: what the units of one stratum, that of the unit left out, are multiplied by.
#[derive(Debug, Clone)]
struct Deletion {
    stratum: usize,
    left_out: u32,
    /// Multiplier of the other units of the stratum.
    others: f64,
    /// Multiplier of the units of other strata.
    elsewhere: f64,
}

/// The replicates of a jackknife.
#[derive(Debug, Clone)]
pub(super) struct Deletions {
    deletions: Vec<Deletion>,
    psus_of_stratum: Vec<Vec<u32>>,
}

impl Deletions {
    pub(super) fn fill(&self, replicate: usize, multipliers: &mut [f64]) {
        let deletion = &self.deletions[replicate];
        multipliers.fill(deletion.elsewhere);
        for &psu in &self.psus_of_stratum[deletion.stratum] {
            multipliers[psu as usize] = deletion.others;
        }
        multipliers[deletion.left_out as usize] = 0.0;
    }
}

impl Replicates {
    /// The stratified jackknife (JKn; JK1 for a sample without strata): one replicate per PSU, in which it is left out and
    /// the others of its stratum are multiplied by n/(n − 1); its squared difference counts (1 − n/N)·(n − 1)/n. Strata
    /// taken completely have no replicates. (Wolter, *Introduction to Variance Estimation*, 2nd edition, 2007, chapter 4;
    /// as `as.svrepdesign(type = "JKn")` in the R package survey.)
    ///
    /// A stratum with one PSU follows `lonely`: [`LonelyPsu::Certainty`] gives it no replicate; [`LonelyPsu::Adjust`] one
    /// in which it is left out and all others are multiplied by H/(H − 1), H being the number of strata, that counts
    /// (H − 1)/H; [`LonelyPsu::Fail`] is an error.
    ///
    /// # Errors
    /// [`ReplicatesError::Weight`] or [`ReplicatesError::Length`] for the weights; [`ReplicatesError::LonelyPsu`];
    /// [`ReplicatesError::NothingSampled`] if no replicate is left.
    pub fn jackknife(weights: &[f64], stage: &FirstStage, lonely: LonelyPsu) -> Result<Self, ReplicatesError> {
        check_weights(weights, stage.rows())?;
        let mut deletions = Vec::with_capacity(stage.psus);
        let mut scales = Vec::with_capacity(stage.psus);
        let mut degrees_of_freedom = 0;
        let strata = stage.strata.len() as f64;
        for (stratum, SampledStratum { code, psus, .. }) in stage.strata.iter().enumerate() {
            let correction = stage.strata[stratum].correction();
            if correction <= 0.0 {
                continue;
            }
            if let [left_out] = psus[..] {
                match lonely {
                    LonelyPsu::Certainty => {}
                    LonelyPsu::Adjust if strata > 1.0 => {
                        let elsewhere = strata / (strata - 1.0);
                        deletions.push(Deletion {
                            stratum,
                            left_out,
                            others: 0.0,
                            elsewhere,
                        });
                        scales.push(1.0 / elsewhere);
                        degrees_of_freedom += 1;
                    }
                    LonelyPsu::Adjust | LonelyPsu::Fail => return Err(ReplicatesError::LonelyPsu { stratum: *code }),
                }
                continue;
            }
            let sampled = psus.len() as f64;
            for &left_out in psus {
                deletions.push(Deletion {
                    stratum,
                    left_out,
                    others: sampled / (sampled - 1.0),
                    elsewhere: 1.0,
                });
                scales.push(correction * (sampled - 1.0) / sampled);
            }
            degrees_of_freedom += psus.len() - 1;
        }
        if deletions.is_empty() {
            return Err(ReplicatesError::NothingSampled);
        }
        let psus_of_stratum = stage.strata.iter().map(|stratum| stratum.psus.clone()).collect();
        let kind = Kind::Deletions(Deletions {
            deletions,
            psus_of_stratum,
        });
        Ok(Replicates::of_psus(weights, stage, kind, scales, degrees_of_freedom))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_by_hand() {
        let stage = FirstStage::new(&[0, 1, 1, 2, 3, 4], Some(&[0, 0, 0, 0, 1, 1]), None).unwrap();
        let replicates = Replicates::jackknife(&[2.0; 6], &stage, LonelyPsu::Fail).unwrap();
        assert_eq!((replicates.count(), replicates.degrees_of_freedom()), (5, 3));
        assert_eq!(replicates.weights(1).unwrap(), [3.0, 0.0, 0.0, 3.0, 2.0, 2.0]);
        assert_eq!(replicates.weights(4).unwrap(), [2.0, 2.0, 2.0, 2.0, 4.0, 0.0]);
        assert_eq!(replicates.scales(), [2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0, 0.5, 0.5]);
        assert_eq!(replicates.weights(5), None);
    }

    #[test]
    fn lonely_psus_follow_the_policy() {
        let stage = FirstStage::new(&[0, 1, 2], Some(&[0, 0, 7]), None).unwrap();
        let jackknife = |lonely| Replicates::jackknife(&[1.0; 3], &stage, lonely);
        assert_eq!(
            jackknife(LonelyPsu::Fail).unwrap_err(),
            ReplicatesError::LonelyPsu { stratum: 7 }
        );
        assert_eq!(jackknife(LonelyPsu::Certainty).unwrap().count(), 2);
        let adjusted = jackknife(LonelyPsu::Adjust).unwrap();
        assert_eq!(adjusted.weights(2).unwrap(), [2.0, 2.0, 0.0]);
        assert_eq!(adjusted.scales()[2], 0.5);
        let census = FirstStage::new(&[0, 1], None, Some(&[2.0, 2.0])).unwrap();
        assert_eq!(
            Replicates::jackknife(&[1.0; 2], &census, LonelyPsu::Fail).unwrap_err(),
            ReplicatesError::NothingSampled
        );
        assert!(Replicates::jackknife(&[1.0], &census, LonelyPsu::Fail).is_err());
        assert!(matches!(
            Replicates::jackknife(&[1.0, f64::NAN], &census, LonelyPsu::Fail).unwrap_err(),
            ReplicatesError::Weight { row: 1, .. }
        ));
    }
}
