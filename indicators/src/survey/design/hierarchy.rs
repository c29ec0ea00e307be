//! Rows sorted into the strata and units of each stage.

use super::columns::{DesignColumns, Joint, Selection};
use super::joint::JointMatrix;
use super::outline::{check_nesting, outline, sorted_rows};
use super::rules::Rule;
use super::stages::{Stage, StageContext};
use crate::survey::error::SurveyError;

/// Rows sorted by (stratum, unit) of all stages, with the boundaries of each.
#[derive(Debug, Clone)]
pub(super) struct Hierarchy {
    order: Vec<u32>,
    /// Only stages that add to the variance.
    stages: Vec<Stage>,
    first_unit_ends: Vec<u32>,
    first_stratum_ends: Vec<u32>,
    /// Ends of the smallest clusters of several rows, `None` if there are none.
    smallest_cluster_ends: Option<Vec<u32>>,
    joint: Option<JointMatrix>,
    is_census: bool,
}

impl Hierarchy {
    pub(super) fn build(columns: &DesignColumns<'_>) -> Result<Self, SurveyError> {
        let order = sorted_rows(columns);
        let outlines = outline(columns, &order);
        for (position, (stage, outline)) in columns.stages.iter().zip(&outlines).enumerate() {
            check_nesting(stage, position, columns.labels, outline, &order)?;
        }
        let mut hierarchy = Hierarchy {
            joint: None,
            is_census: true,
            stages: Vec::new(),
            first_unit_ends: outlines
                .first()
                .map(|first| first.unit_ends.clone())
                .unwrap_or_default(),
            first_stratum_ends: outlines
                .first()
                .map(|first| first.stratum_ends.clone())
                .unwrap_or_default(),
            smallest_cluster_ends: outlines
                .iter()
                .rev()
                .find(|outline| outline.unit_ends.len() < order.len())
                .map(|outline| outline.unit_ends.clone()),
            order,
        };
        // The share sampled, over all stages so far, of the unit in which a stratum lies.
        let mut shares = vec![1.0];
        for (position, (stage, outline)) in columns.stages.iter().zip(outlines).enumerate() {
            let context = StageContext {
                number: position + 1,
                columns: stage,
                policy: columns.single_units,
                order: &hierarchy.order,
            };
            let (built, below) = context.build(outline, &shares)?;
            if position == 0
                && let Selection::UnequalProbabilities {
                    inclusion,
                    joint: Joint::Exact { probabilities, form },
                } = &stage.selection
            {
                let joint = JointMatrix::new(probabilities, inclusion, *form, &hierarchy.order, &built.unit_ends)?;
                hierarchy.joint = Some(joint);
            }
            if built.strata.iter().any(|stratum| stratum.rule != Rule::Nothing) {
                hierarchy.is_census = false;
            }
            // Nothing is known to be observed whole below a stage whose shares are zero or not one.
            if below.iter().any(|&share| share < 1.0) {
                hierarchy.is_census = false;
            }
            hierarchy.stages.push(built);
            if below.iter().all(|&share| share == 0.0) {
                break;
            }
            shares = below;
        }
        Ok(hierarchy)
    }

    pub(super) fn order(&self) -> &[u32] {
        &self.order
    }

    pub(super) fn stages(&self) -> &[Stage] {
        &self.stages
    }

    pub(super) fn joint_matrix(&self) -> Option<&JointMatrix> {
        self.joint.as_ref()
    }

    pub(super) fn is_census(&self) -> bool {
        self.is_census
    }

    pub(super) fn first_stage_unit_ends(&self) -> &[u32] {
        &self.first_unit_ends
    }

    pub(super) fn first_stage_stratum_ends(&self) -> &[u32] {
        &self.first_stratum_ends
    }

    pub(super) fn smallest_cluster_ends(&self) -> Option<&[u32]> {
        self.smallest_cluster_ends.as_deref()
    }

    /// Visits the first-stage units in order: their number and that of their stratum, from 1, their rows, and whether the
    /// stratum was not taken whole.
    pub(super) fn visit_first_stage(&self, mut visit: impl FnMut(u32, u32, &[u32], bool)) {
        let mut rows_start = 0;
        let mut stratum = 0;
        let rules = self.stages.first().map_or(&[][..], |stage| &stage.strata);
        for (unit, &end) in self.first_unit_ends.iter().enumerate() {
            while self.first_stratum_ends[stratum] as usize <= unit {
                stratum += 1;
            }
            let is_sampled = rules.get(stratum).is_some_and(|stratum| stratum.scale > 0.0);
            let rows = &self.order[rows_start..end as usize];
            visit(unit as u32 + 1, stratum as u32 + 1, rows, is_sampled);
            rows_start = end as usize;
        }
    }
}
