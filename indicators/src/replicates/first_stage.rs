//! The first stage of a sample: which row is in which PSU, which PSU in which stratum.

use super::ReplicatesError;
use std::collections::BTreeMap;

/// A stratum of the first stage with its sampled PSUs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SampledStratum {
    pub(super) code: u32,
    /// Positions of its PSUs, in the order in which rows name them first.
    pub(super) psus: Vec<u32>,
    /// Its PSUs in the population, where sampled without replacement.
    pub(super) population: Option<f64>,
}

impl SampledStratum {
    /// 1 − n/N, or 1 where the population's number is not given.
    pub(super) fn correction(&self) -> f64 {
        let sampled = self.psus.len() as f64;
        self.population
            .map_or(1.0, |population| (population - sampled) / population)
    }
}

/// Strata and PSUs of the rows.
#[derive(Debug, Clone, PartialEq)]
pub struct FirstStage {
    /// Position of each row's PSU.
    pub(super) psu_of_row: Vec<u32>,
    /// Sorted by code.
    pub(super) strata: Vec<SampledStratum>,
    pub(super) psus: usize,
}

impl FirstStage {
    /// Takes one entry per row: the code of its cluster, of its stratum (`None` if the sample is not stratified) and, for
    /// the finite population correction, the number of clusters that its stratum has in the population (`None` for
    /// sampling with replacement). Codes are any numbers; a cluster's code is used in one stratum only.
    ///
    /// # Errors
    /// [`ReplicatesError`] naming the row: no rows, a column of another length, a cluster in two strata, a population
    /// smaller than the sample or not the same in all of a stratum.
    pub fn new(clusters: &[u32], strata: Option<&[u32]>, population: Option<&[f64]>) -> Result<Self, ReplicatesError> {
        let rows = clusters.len();
        if rows == 0 {
            return Err(ReplicatesError::NoRows);
        }
        for given in [strata.map(<[u32]>::len), population.map(<[f64]>::len)]
            .into_iter()
            .flatten()
        {
            if given != rows {
                return Err(ReplicatesError::Length { given, expected: rows });
            }
        }
        let stratum_of = |row: usize| strata.map_or(0, |strata| strata[row]);
        let mut known = BTreeMap::<u32, (u32, u32)>::new();
        let mut by_code = BTreeMap::<u32, SampledStratum>::new();
        let mut psu_of_row = Vec::with_capacity(rows);
        for (row, &cluster) in clusters.iter().enumerate() {
            let code = stratum_of(row);
            let next = known.len() as u32;
            let &mut (psu, stratum) = known.entry(cluster).or_insert((next, code));
            if stratum != code {
                return Err(ReplicatesError::ClusterInTwoStrata {
                    row,
                    cluster,
                    stratum: code,
                });
            }
            let entry = by_code.entry(code).or_insert_with(|| SampledStratum {
                code,
                psus: Vec::new(),
                population: population.map(|population| population[row]),
            });
            if psu == next {
                entry.psus.push(psu);
            }
            psu_of_row.push(psu);
        }
        if let Some(population) = population {
            for (row, &value) in population.iter().enumerate() {
                let stratum = &by_code[&stratum_of(row)];
                let sampled = stratum.psus.len();
                if stratum.population != Some(value) || !value.is_finite() || value < sampled as f64 {
                    return Err(ReplicatesError::PopulationSize {
                        row,
                        stratum: stratum.code,
                        value,
                        sampled,
                    });
                }
            }
        }
        Ok(FirstStage {
            psu_of_row,
            strata: by_code.into_values().collect(),
            psus: known.len(),
        })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.psu_of_row.len()
    }

    /// Number of PSUs.
    pub fn psus(&self) -> usize {
        self.psus
    }

    /// Number of strata; 1 if the sample is not stratified.
    pub fn strata(&self) -> usize {
        self.strata.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_find_their_psu() {
        let stage = FirstStage::new(&[9, 4, 9, 7], Some(&[2, 1, 2, 2]), Some(&[5.0, 3.0, 5.0, 5.0])).unwrap();
        assert_eq!(
            (stage.psu_of_row.as_slice(), stage.psus(), stage.strata()),
            (&[0, 1, 0, 2][..], 3, 2)
        );
        assert_eq!(stage.strata[1].psus, [0, 2]);
        assert_eq!(stage.strata[1].correction(), 0.6);
    }

    #[test]
    fn contradictions_are_named() {
        let twice = FirstStage::new(&[1, 1], Some(&[0, 5]), None).unwrap_err();
        assert!(
            twice.to_string().starts_with("row 1: cluster 1 is in stratum 5"),
            "{twice}"
        );
        for wrong in [1.0, f64::NAN, f64::INFINITY, 7.0] {
            let error = FirstStage::new(&[1, 2], None, Some(&[wrong.min(4.0), wrong])).unwrap_err();
            assert!(error.vietnamese().contains("tầng 0 được khai có"), "{error}");
        }
        assert_eq!(
            FirstStage::new(&[1], Some(&[]), None).unwrap_err(),
            ReplicatesError::Length { given: 0, expected: 1 }
        );
        assert_eq!(FirstStage::new(&[], None, None).unwrap_err(), ReplicatesError::NoRows);
    }
}
