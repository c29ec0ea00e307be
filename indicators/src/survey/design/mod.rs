//! A survey's design, read from columns with one entry per sampled element.

mod checks;
mod collapse;
mod columns;
mod hierarchy;
mod joint;
mod rules;

pub use columns::{DesignColumns, Joint, Labels, PairForm, Selection, SingleUnits, StageColumns};
pub(crate) use checks::check_length;
pub(crate) use hierarchy::{Stage, Stratum};
pub(crate) use joint::{JointMatrix, add_product};
pub(crate) use rules::Rule;

use super::domain::Domain;
use super::error::SurveyError;
use hierarchy::Hierarchy;

/// A checked design, with its rows sorted once so that each estimate is a pass over them.
///
/// Takes 12 bytes per row, and up to 36 per unit of each stage that adds to the variance.
#[derive(Debug, Clone)]
pub struct SurveyDesign {
    weights: Vec<f64>,
    hierarchy: Hierarchy,
}

/// The smallest sampled clusters of a domain.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SmallestClusters {
    pub(crate) number: u64,
    /// Σ w.
    pub(crate) weights: f64,
    /// Σ w².
    pub(crate) squared_weights: f64,
}

impl SurveyDesign {
    /// Checks columns and takes them as a design. Sorts the rows: O(n log n), or O(n) where they come sorted by stratum
    /// and unit.
    ///
    /// # Errors
    /// [`SurveyError`] names the first row and column found wrong: a column of another length, a weight that is missing
    /// (NaN), infinite or negative, a cluster in two strata, a population smaller than the sample, probabilities outside
    /// 0 to 1, or values that differ where they must be the same.
    pub fn new(columns: &DesignColumns<'_>) -> Result<Self, SurveyError> {
        checks::check_columns(columns)?;
        let mut hierarchy = Hierarchy::build(columns)?;
        if columns.single_units == SingleUnits::Collapse
            && let Some(collapsed) = collapse::collapse(&hierarchy, columns)
        {
            hierarchy = collapsed.rebuild(columns)?;
        }
        Ok(SurveyDesign {
            weights: columns.weights.to_vec(),
            hierarchy,
        })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.weights.len()
    }

    /// Sampling weights, in the order of the rows given.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Number of first-stage units.
    pub fn first_stage_units(&self) -> usize {
        self.hierarchy.first_stage_unit_ends().len()
    }

    /// Number of first-stage strata; joined ones count once.
    pub fn first_stage_strata(&self) -> usize {
        self.hierarchy.first_stage_stratum_ends().len()
    }

    /// First-stage units minus strata, counting those that have a row of positive weight in the domain. As `degf` in R.
    pub fn degrees_of_freedom(&self, domain: &Domain<'_>) -> u64 {
        let (mut units, mut strata) = (0, 0);
        self.hierarchy.visit_first_stage(|_, rows, new_stratum: &mut bool| {
            if rows
                .iter()
                .any(|&row| self.weights[row as usize] > 0.0 && domain.contains(row as usize))
            {
                units += 1;
                strata += u64::from(std::mem::replace(new_stratum, false));
            }
        });
        units - strata
    }

    /// Degrees of freedom of each of `domains` domains, into which `codes` divides the rows; in one pass.
    pub(crate) fn degrees_of_freedom_by_code(&self, codes: &[u32], domains: usize) -> Vec<u64> {
        let mut degrees = vec![0; domains];
        // For each domain, the unit and the stratum (counted from 1) in which it was met last.
        let (mut last_unit, mut last_stratum) = (vec![0_u32; domains], vec![0_u32; domains]);
        let (mut unit, mut stratum) = (0, 0);
        self.hierarchy.visit_first_stage(|_, rows, new_stratum: &mut bool| {
            unit += 1;
            stratum += u32::from(std::mem::replace(new_stratum, false));
            for &row in rows {
                let domain = codes[row as usize] as usize;
                if domain < domains && self.weights[row as usize] > 0.0 && last_unit[domain] != unit {
                    last_unit[domain] = unit;
                    if std::mem::replace(&mut last_stratum[domain], stratum) == stratum {
                        degrees[domain] += 1;
                    }
                }
            }
        });
        degrees
    }

    /// The smallest sampled clusters of each of many domains: the units of the last stage that holds several rows together,
    /// or the rows themselves. Members of one are hardly independent. `domain` says to which domain, if any, a row counts;
    /// each cluster counts with the mean weight of its rows.
    pub(crate) fn smallest_clusters(
        &self,
        domains: usize,
        domain: impl Fn(usize) -> Option<usize>,
    ) -> Vec<SmallestClusters> {
        let mut found = vec![SmallestClusters::default(); domains];
        // Σ w and number of rows of each domain in the cluster at hand, and the domains met there.
        let mut at_hand = vec![(0.0, 0_u32); domains];
        let mut met = Vec::new();
        let mut ends = self.hierarchy.smallest_cluster_ends().map(<[u32]>::iter);
        let mut end = 0;
        for (position, &row) in self.order().iter().enumerate() {
            let row = row as usize;
            if position >= end {
                end = ends
                    .as_mut()
                    .map_or(Some(position + 1), |ends| ends.next().map(|&end| end as usize))
                    .unwrap_or(usize::MAX);
            }
            if self.weights[row] > 0.0
                && let Some(domain) = domain(row)
            {
                let (sum, rows) = &mut at_hand[domain];
                if *rows == 0 {
                    met.push(domain);
                }
                *sum += self.weights[row];
                *rows += 1;
            }
            if position + 1 == end {
                for domain in met.drain(..) {
                    let (sum, rows) = std::mem::take(&mut at_hand[domain]);
                    let mean = sum / f64::from(rows);
                    let clusters = &mut found[domain];
                    clusters.number += 1;
                    clusters.weights += mean;
                    clusters.squared_weights += mean * mean;
                }
            }
        }
        found
    }

    /// Rows in the order of stratum, unit, stratum of the next stage, and so on.
    pub(crate) fn order(&self) -> &[u32] {
        self.hierarchy.order()
    }

    /// Stages that add to the variance.
    pub(crate) fn stages(&self) -> &[Stage] {
        self.hierarchy.stages()
    }

    /// Joint probabilities of the first stage, if given.
    pub(crate) fn joint_matrix(&self) -> Option<&JointMatrix> {
        self.hierarchy.joint_matrix()
    }

    /// Whether every element of the population was observed, so that no estimate has a sampling error.
    pub fn is_census(&self) -> bool {
        self.hierarchy.is_census()
    }
}
