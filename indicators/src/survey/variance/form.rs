//! What one stratum adds to covariances.

use crate::survey::design::{JointMatrix, Rule, Stage, Stratum, add_product};
use crate::survey::undefined::Undefined;

/// Units of one stratum that have a value, with their totals; all other units of the stratum have zero.
#[derive(Debug, Default)]
pub(super) struct PresentUnits {
    /// Positions among the units of the stage.
    pub(super) units: Vec<u32>,
    /// p totals for each of them.
    pub(super) totals: Vec<f64>,
}

impl PresentUnits {
    pub(super) fn clear(&mut self) {
        self.units.clear();
        self.totals.clear();
    }
}

/// Scratch of [`add_form`], kept over strata.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    mean: Vec<f64>,
    centred: Vec<f64>,
    inclusion_sums: Vec<f64>,
}

/// Adds what a stratum gives to the p × p covariances.
///
/// `first_unit` is the position of the stratum's first unit among those of the stage.
pub(super) fn add_form(
    stage: &Stage,
    (stratum, first_unit): (&Stratum, u32),
    joint: Option<&JointMatrix>,
    (units, totals): (&[u32], &[f64]),
    scratch: &mut Scratch,
    covariance: &mut [f64],
) -> Result<(), Undefined> {
    if units.is_empty() {
        return Ok(());
    }
    let size = totals.len() / units.len();
    let inclusion = |unit: u32| {
        stage
            .inclusion
            .as_ref()
            .map_or(0.0, |inclusion| inclusion[unit as usize])
    };
    match stratum.rule {
        Rule::Nothing => {}
        Rule::Undefined => return Err(Undefined::SingleUnit),
        Rule::Uncentred => {
            for (&unit, of_unit) in units.iter().zip(totals.chunks_exact(size)) {
                add_product(of_unit, of_unit, stratum.scale * (1.0 - inclusion(unit)), covariance);
            }
        }
        Rule::Centred => {
            let sampled = f64::from(stratum.sampled);
            sum_columns(totals, size, &mut scratch.mean);
            for mean in &mut scratch.mean {
                *mean /= sampled;
            }
            scratch.centred.resize(size, 0.0);
            let mut present = 0.0;
            for (&unit, of_unit) in units.iter().zip(totals.chunks_exact(size)) {
                for ((centred, total), mean) in scratch.centred.iter_mut().zip(of_unit).zip(&scratch.mean) {
                    *centred = total - mean;
                }
                let weight = 1.0 - inclusion(unit);
                present += weight;
                add_product(&scratch.centred, &scratch.centred, stratum.scale * weight, covariance);
            }
            let all = match &stage.inclusion {
                Some(inclusion) => inclusion[first_unit as usize..stratum.units_end as usize]
                    .iter()
                    .map(|probability| 1.0 - probability)
                    .sum(),
                None => sampled,
            };
            if units.len() < stratum.sampled as usize {
                add_product(
                    &scratch.mean,
                    &scratch.mean,
                    stratum.scale * (all - present),
                    covariance,
                );
            }
        }
        Rule::Pairs {
            constant,
            slope,
            yates_grundy,
        } => {
            sum_columns(totals, size, &mut scratch.mean);
            scratch.inclusion_sums.clear();
            scratch.inclusion_sums.resize(size, 0.0);
            for (&unit, of_unit) in units.iter().zip(totals.chunks_exact(size)) {
                for (sum, total) in scratch.inclusion_sums.iter_mut().zip(of_unit) {
                    *sum += inclusion(unit) * total;
                }
            }
            let (sums, weighted) = (&scratch.mean, &scratch.inclusion_sums);
            let scale = stratum.scale;
            add_product(sums, sums, scale * constant, covariance);
            add_product(sums, weighted, scale * slope, covariance);
            add_product(weighted, sums, scale * slope, covariance);
            let all: f64 = stage.inclusion.as_ref().map_or(0.0, |inclusion| {
                inclusion[first_unit as usize..stratum.units_end as usize].iter().sum()
            });
            for (&unit, of_unit) in units.iter().zip(totals.chunks_exact(size)) {
                let probability = inclusion(unit);
                let pair_with_itself = constant + 2.0 * slope * probability;
                let own = if yates_grundy {
                    // What pairs with all the others take away.
                    let sampled = f64::from(stratum.sampled);
                    let others = constant * (sampled - 1.0) + slope * ((sampled - 2.0) * probability + all);
                    -others
                } else {
                    1.0 - probability
                };
                add_product(of_unit, of_unit, scale * (own - pair_with_itself), covariance);
            }
        }
        Rule::Matrix => {
            if let Some(joint) = joint {
                joint.add_form(units, totals, covariance);
            }
        }
    }
    Ok(())
}

fn sum_columns(totals: &[f64], size: usize, sums: &mut Vec<f64>) {
    sums.clear();
    sums.resize(size, 0.0);
    for of_unit in totals.chunks_exact(size) {
        for (sum, total) in sums.iter_mut().zip(of_unit) {
            *sum += total;
        }
    }
}
