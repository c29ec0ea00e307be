//! Joining strata of a single sampled unit with their neighbours.

use super::columns::{DesignColumns, Selection, StageColumns};
use super::hierarchy::Hierarchy;
use super::outline::{Outline, outline};
use super::rules::Rule;
use crate::survey::error::SurveyError;

/// Columns in which strata have been joined, stage by stage.
pub(super) struct Collapsed {
    stages: Vec<CollapsedStage>,
}

/// Units keep their identity: a code of their own, whatever the stratum.
struct CollapsedStage {
    clusters: Vec<u32>,
    strata: Vec<u32>,
    population: Option<Vec<f64>>,
}

/// `None` if no stratum needs to be joined.
pub(super) fn collapse(hierarchy: &Hierarchy, columns: &DesignColumns<'_>) -> Option<Collapsed> {
    let undefined = |rule: &Rule| *rule == Rule::Undefined;
    let stages = hierarchy.stages();
    if !stages
        .iter()
        .any(|stage| stage.strata.iter().any(|stratum| undefined(&stratum.rule)))
    {
        return None;
    }
    let order = hierarchy.order();
    let outlines = outline(columns, order);
    let collapsed = columns.stages.iter().zip(&outlines).enumerate();
    let collapsed = collapsed.map(|(position, (stage, outline))| {
        let kinds: Vec<Kind> = match stages.get(position) {
            Some(built) => built
                .strata
                .iter()
                .map(|stratum| match stratum.rule {
                    Rule::Undefined => Kind::Single,
                    Rule::Nothing => Kind::Whole,
                    _ => Kind::Several,
                })
                .collect(),
            // Stages that add nothing stay as they are.
            None => vec![Kind::Whole; outline.stratum_ends.len()],
        };
        collapse_stage(stage, outline, order, &join(&kinds, &outline.parents))
    });
    Some(Collapsed {
        stages: collapsed.collect(),
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Single,
    Several,
    Whole,
}

/// For each stratum, the first stratum of those that it is joined with (itself, if none). A single one takes the next one
/// of the same unit above that was not taken whole; the last takes the one before.
fn join(kinds: &[Kind], parents: &[u32]) -> Vec<usize> {
    let mut joined: Vec<usize> = (0..kinds.len()).collect();
    // The stratum that is still looking for a partner, and the last one that was not taken whole.
    let mut waiting: Option<usize> = None;
    let mut before: Option<usize> = None;
    for stratum in 0..kinds.len() {
        if stratum > 0 && parents[stratum] != parents[stratum - 1] {
            join_last(&mut joined, waiting.take(), before.take());
        }
        match (kinds[stratum], waiting) {
            (Kind::Whole, _) => {}
            (_, Some(first)) => {
                joined[stratum] = first;
                waiting = None;
                before = Some(stratum);
            }
            (Kind::Single, None) => waiting = Some(stratum),
            (Kind::Several, None) => before = Some(stratum),
        }
    }
    join_last(&mut joined, waiting, before);
    joined
}

fn join_last(joined: &mut [usize], waiting: Option<usize>, before: Option<usize>) {
    if let (Some(last), Some(before)) = (waiting, before) {
        joined[last] = joined[before];
    }
}

fn collapse_stage(stage: &StageColumns<'_>, outline: &Outline, order: &[u32], joined: &[usize]) -> CollapsedStage {
    let population = match &stage.selection {
        Selection::WithoutReplacement { population } => Some(*population),
        _ => None,
    };
    let mut result = CollapsedStage {
        clusters: vec![0; order.len()],
        strata: vec![0; order.len()],
        population: population.map(<[f64]>::to_vec),
    };
    // Rows of a stratum are consecutive in the sorted order.
    let mut sizes = vec![0.0; joined.len()];
    let mut rows_start = 0;
    let mut unit = 0_u32;
    let mut rows_of = Vec::with_capacity(joined.len());
    for (stratum, &units_end) in outline.stratum_ends.iter().enumerate() {
        let stratum_start = rows_start;
        while unit < units_end {
            let rows_end = outline.unit_ends[unit as usize] as usize;
            for &row in &order[rows_start..rows_end] {
                result.clusters[row as usize] = unit;
                result.strata[row as usize] = joined[stratum] as u32;
            }
            rows_start = rows_end;
            unit += 1;
        }
        if let Some(population) = population {
            sizes[joined[stratum]] += population[order[stratum_start] as usize];
        }
        rows_of.push(stratum_start..rows_start);
    }
    if let Some(population) = &mut result.population {
        for (stratum, rows) in rows_of.into_iter().enumerate() {
            for &row in &order[rows] {
                population[row as usize] = sizes[joined[stratum]];
            }
        }
    }
    result
}

impl Collapsed {
    pub(super) fn rebuild(&self, columns: &DesignColumns<'_>) -> Result<Hierarchy, SurveyError> {
        let stages = self
            .stages
            .iter()
            .zip(&columns.stages)
            .map(|(collapsed, stage)| StageColumns {
                clusters: Some(&collapsed.clusters),
                strata: Some(&collapsed.strata),
                selection: match &collapsed.population {
                    Some(population) => Selection::WithoutReplacement { population },
                    None => stage.selection.clone(),
                },
            });
        Hierarchy::build(&DesignColumns {
            weights: columns.weights,
            stages: stages.collect(),
            labels: columns.labels,
            single_units: columns.single_units,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_strata_find_their_neighbours() {
        use Kind::{Several, Single, Whole};
        let same = |length: usize| vec![0; length];
        assert_eq!(join(&[Single, Single, Several, Single], &same(4)), [0, 0, 2, 2]);
        assert_eq!(join(&[Single, Several, Several], &same(3)), [0, 0, 2]);
        // Strata taken whole are passed over, and those of another unit above too.
        assert_eq!(join(&[Single, Whole, Several], &same(3)), [0, 1, 0]);
        assert_eq!(join(&[Several, Single, Several], &[0, 1, 1]), [0, 1, 1]);
        // Three single ones in a row: the third joins the pair.
        assert_eq!(join(&[Single, Single, Single], &same(3)), [0, 0, 0]);
        // Nobody to join with.
        assert_eq!(join(&[Single, Whole], &same(2)), [0, 1]);
    }
}
