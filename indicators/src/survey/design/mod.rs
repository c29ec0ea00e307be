//! A survey's design, read from columns with one entry per sampled element.

mod checks;
mod collapse;
mod columns;
mod hierarchy;
mod joint;
mod outline;
mod rules;
mod stages;

pub(crate) use checks::check_length;
pub use columns::{DesignColumns, Joint, Labels, PairForm, Selection, SingleUnits, StageColumns};
pub(crate) use joint::{JointMatrix, add_product};
pub(crate) use rules::Rule;
pub(crate) use stages::{Stage, Stratum};

use super::domain::Domain;
use super::error::SurveyError;
use hierarchy::Hierarchy;

/// A checked design, with its rows sorted once so that each estimate is a pass over them.
///
/// Takes 12 bytes per row, and for each stage that adds to the variance up to 20 per unit and 40 per stratum.
#[derive(Debug, Clone)]
pub struct SurveyDesign {
    weights: Vec<f64>,
    hierarchy: Hierarchy,
}

/// What a domain reaches of the first stage.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reach {
    /// Units with a row of positive weight in the domain.
    units: u64,
    /// Their strata.
    strata: u64,
    /// Whether any of these strata was not taken whole.
    is_sampled: bool,
}

impl Reach {
    pub(crate) fn degrees_of_freedom(&self) -> u64 {
        self.units - self.strata
    }

    /// Whether the domain lies in one unit of several: a ratio's linearised values then add up to zero in it, whatever
    /// the other units are like.
    pub(crate) fn is_single_unit(&self) -> bool {
        self.units == 1 && self.is_sampled
    }
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
        self.reach(domain).degrees_of_freedom()
    }

    /// The first-stage units and strata that a domain reaches.
    pub(crate) fn reach(&self, domain: &Domain<'_>) -> Reach {
        let of_all = self.reaches(1, |row| domain.contains(row).then_some(0));
        of_all.first().copied().unwrap_or_default()
    }

    /// The same for many domains in one pass: `domain` says in which one, if any, a row is.
    pub(crate) fn reaches(&self, domains: usize, domain: impl Fn(usize) -> Option<usize>) -> Vec<Reach> {
        let mut reaches = vec![Reach::default(); domains];
        // For each domain, the unit and the stratum (counted from 1) in which it was met last.
        let (mut last_unit, mut last_stratum) = (vec![0_u32; domains], vec![0_u32; domains]);
        self.hierarchy.visit_first_stage(|unit, stratum, rows, is_sampled| {
            for &row in rows {
                let row = row as usize;
                if self.weights[row] > 0.0
                    && let Some(domain) = domain(row)
                    && std::mem::replace(&mut last_unit[domain], unit) != unit
                {
                    let reach = &mut reaches[domain];
                    reach.units += 1;
                    reach.strata += u64::from(std::mem::replace(&mut last_stratum[domain], stratum) != stratum);
                    reach.is_sampled |= is_sampled;
                }
            }
        });
        reaches
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
