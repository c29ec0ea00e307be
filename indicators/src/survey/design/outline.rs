//! Rows in order, and where the units and strata of each stage end.

use super::columns::{DesignColumns, Labels, StageColumns};
use crate::survey::error::SurveyError;
use std::cmp::Ordering;

/// The units and strata of one stage before it is known what they add.
pub(super) struct Outline {
    pub(super) unit_ends: Vec<u32>,
    /// Ends in numbers of units, and the unit above in which the stratum lies.
    pub(super) stratum_ends: Vec<u32>,
    pub(super) parents: Vec<u32>,
}

/// (stratum, unit) of a row at one stage; a row without a cluster is its own unit.
fn key(stage: &StageColumns<'_>, row: u32) -> (u32, u32) {
    let at = |codes: Option<&[u32]>, otherwise| codes.map_or(otherwise, |codes| codes[row as usize]);
    (at(stage.strata, 0), at(stage.clusters, row))
}

pub(super) fn sorted_rows(columns: &DesignColumns<'_>) -> Vec<u32> {
    let mut order: Vec<u32> = (0..columns.weights.len() as u32).collect();
    order.sort_unstable_by(|&one, &other| {
        columns
            .stages
            .iter()
            .map(|stage| key(stage, one).cmp(&key(stage, other)))
            .find(|&ordering| ordering != Ordering::Equal)
            .unwrap_or_else(|| one.cmp(&other))
    });
    order
}

/// Finds where units and strata of every stage end.
pub(super) fn outline(columns: &DesignColumns<'_>, order: &[u32]) -> Vec<Outline> {
    let empty = || Outline {
        unit_ends: Vec::new(),
        stratum_ends: Vec::new(),
        parents: Vec::new(),
    };
    let mut outlines: Vec<Outline> = columns.stages.iter().map(|_| empty()).collect();
    let row_count = order.len();
    for position in 1..=row_count {
        // The first stage at which this row and the one before it lie apart, and whether in different strata of it.
        let mut apart = None;
        if position < row_count {
            for (stage, columns) in columns.stages.iter().enumerate() {
                let (one, other) = (key(columns, order[position - 1]), key(columns, order[position]));
                if one != other {
                    apart = Some((stage, one.0 != other.0));
                    break;
                }
            }
        } else {
            apart = Some((0, true));
        }
        let Some((first, strata_apart)) = apart else { continue };
        for stage in first..outlines.len() {
            let parent = if stage == 0 {
                0
            } else {
                // The unit above ends here too when an earlier stage is apart; it was counted just before.
                let above = outlines[stage - 1].unit_ends.len();
                above as u32 - u32::from(stage > first)
            };
            let outline = &mut outlines[stage];
            outline.unit_ends.push(position as u32);
            if stage > first || strata_apart {
                outline.stratum_ends.push(outline.unit_ends.len() as u32);
                outline.parents.push(parent);
            }
        }
    }
    outlines
}

/// The first row of each unit, in the sorted order.
fn first_rows<'a>(unit_ends: &'a [u32], order: &'a [u32]) -> impl Iterator<Item = u32> + 'a {
    std::iter::once(0)
        .chain(unit_ends.iter().copied())
        .take(unit_ends.len())
        .map(|start| order[start as usize])
}

/// No cluster may lie in two strata of the same unit above.
pub(super) fn check_nesting(
    stage: &StageColumns<'_>,
    position: usize,
    labels: Labels,
    outline: &Outline,
    order: &[u32],
) -> Result<(), SurveyError> {
    let (Some(clusters), Some(strata)) = (stage.clusters, stage.strata) else {
        return Ok(());
    };
    if position == 0 && labels == Labels::WithinStrata {
        return Ok(());
    }
    let mut units = Vec::with_capacity(outline.unit_ends.len());
    let mut stratum = 0;
    for (unit, row) in first_rows(&outline.unit_ends, order).enumerate() {
        while outline.stratum_ends[stratum] as usize <= unit {
            stratum += 1;
        }
        units.push((outline.parents[stratum], clusters[row as usize], row));
    }
    units.sort_unstable();
    for pair in units.windows(2) {
        if let [(parent, cluster, row), (next_parent, next_cluster, next_row)] = *pair
            && (parent, cluster) == (next_parent, next_cluster)
        {
            return Err(SurveyError::ClusterInTwoStrata {
                row: next_row as usize,
                stage: position + 1,
                cluster,
                stratum: strata[next_row as usize],
                other_stratum: strata[row as usize],
                other_row: row as usize,
            });
        }
    }
    Ok(())
}
