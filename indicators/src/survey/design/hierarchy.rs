//! Rows sorted into the strata and units of each stage.

use super::columns::{DesignColumns, Joint, Labels, PairForm, Selection, SingleUnits, StageColumns};
use super::joint::JointMatrix;
use super::rules::{Rule, single_unit_rule};
use crate::survey::error::{Column, Requirement, SurveyError, Within};
use std::cmp::Ordering;

/// A stratum of a stage: consecutive units of that stage.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stratum {
    /// Where its units end; they begin where those of the stratum before end.
    pub(crate) units_end: u32,
    /// n, the number of units sampled.
    pub(crate) sampled: u32,
    /// What its units make of their totals.
    pub(crate) rule: Rule,
    /// What that is multiplied by: finite population correction, n / (n − 1), and the shares sampled at the stages above.
    pub(crate) scale: f64,
}

/// One stage of sampling.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) strata: Vec<Stratum>,
    /// Where the rows of each unit end, in the sorted order.
    pub(crate) unit_ends: Vec<u32>,
    /// π of each unit, where units were drawn with unequal probabilities.
    pub(crate) inclusion: Option<Vec<f64>>,
}

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

/// The units and strata of one stage before it is known what they add.
pub(super) struct Outline {
    pub(super) unit_ends: Vec<u32>,
    /// Ends in numbers of units, and the unit above in which the stratum lies.
    pub(super) stratum_ends: Vec<u32>,
    pub(super) parents: Vec<u32>,
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

/// (stratum, unit) of a row at one stage; a row without a cluster is its own unit.
fn key(stage: &StageColumns<'_>, row: u32) -> (u32, u32) {
    let at = |codes: Option<&[u32]>, otherwise| codes.map_or(otherwise, |codes| codes[row as usize]);
    (at(stage.strata, 0), at(stage.clusters, row))
}

fn sorted_rows(columns: &DesignColumns<'_>) -> Vec<u32> {
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
fn check_nesting(
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

/// What is needed to say what the strata of a stage add.
struct StageContext<'a> {
    /// The stage, from 1.
    number: usize,
    columns: &'a StageColumns<'a>,
    policy: SingleUnits,
    order: &'a [u32],
}

impl StageContext<'_> {
    /// The stage, and the share sampled of each of its units over all stages so far.
    fn build(&self, outline: Outline, shares: &[f64]) -> Result<(Stage, Vec<f64>), SurveyError> {
        let inclusion = self.inclusion(&outline)?;
        let mut strata = Vec::with_capacity(outline.stratum_ends.len());
        let mut below = Vec::with_capacity(outline.unit_ends.len());
        // Strata of the same unit above, and how many of them have a variance.
        let mut group: Option<(u32, usize)> = None;
        let mut units_start = 0_u32;
        for (&units_end, &parent) in outline.stratum_ends.iter().zip(&outline.parents) {
            if group.is_none_or(|(of, _)| of != parent) {
                if let Some((_, start)) = group {
                    self.settle_average(&mut strata[start..]);
                }
                group = Some((parent, strata.len()));
            }
            let share = shares[parent as usize];
            let units = units_start..units_end;
            let stratum = self.stratum(&outline, units.clone(), share, inclusion.as_deref(), &mut below)?;
            strata.push(stratum);
            units_start = units_end;
        }
        if let Some((_, start)) = group {
            self.settle_average(&mut strata[start..]);
        }
        let stage = Stage {
            strata,
            unit_ends: outline.unit_ends,
            inclusion,
        };
        Ok((stage, below))
    }

    /// π of each unit, the same in all its rows.
    fn inclusion(&self, outline: &Outline) -> Result<Option<Vec<f64>>, SurveyError> {
        let Selection::UnequalProbabilities { inclusion, .. } = &self.columns.selection else {
            return Ok(None);
        };
        let column = || Column::InclusionProbability { stage: self.number };
        let mut start = 0;
        let mut of_units = Vec::with_capacity(outline.unit_ends.len());
        for &end in &outline.unit_ends {
            let rows = &self.order[start as usize..end as usize];
            of_units.push(self.same(rows, inclusion, column, Within::Cluster)?);
            start = end;
        }
        Ok(Some(of_units))
    }

    fn rows(&self, outline: &Outline, units: &std::ops::Range<u32>) -> &[u32] {
        let start = match units.start {
            0 => 0,
            unit => outline.unit_ends[unit as usize - 1],
        };
        &self.order[start as usize..outline.unit_ends[units.end as usize - 1] as usize]
    }

    fn same(
        &self,
        rows: &[u32],
        values: &[f64],
        column: impl Fn() -> Column,
        within: Within,
    ) -> Result<f64, SurveyError> {
        let other_row = rows[0] as usize;
        let other_value = values[other_row];
        match rows.iter().find(|&&row| values[row as usize] != other_value) {
            None => Ok(other_value),
            // NaN differs from itself and is told by the check of numbers.
            Some(&row) if row as usize == other_row => Ok(other_value),
            Some(&row) => Err(SurveyError::Varies {
                row: row as usize,
                column: column(),
                value: values[row as usize],
                other_value,
                other_row,
                within,
            }),
        }
    }

    fn stratum(
        &self,
        outline: &Outline,
        units: std::ops::Range<u32>,
        share: f64,
        inclusion: Option<&[f64]>,
        below: &mut Vec<f64>,
    ) -> Result<Stratum, SurveyError> {
        let sampled = units.end - units.start;
        let n = f64::from(sampled);
        let of_units = inclusion.map(|inclusion| &inclusion[units.start as usize..units.end as usize]);
        // The finite population correction, where it is the same for all units.
        let correction = match &self.columns.selection {
            Selection::WithReplacement => {
                below.extend(units.clone().map(|_| 0.0));
                1.0
            }
            Selection::WithoutReplacement { population } => {
                let rows = self.rows(outline, &units);
                let column = || Column::PopulationSize { stage: self.number };
                let size = self.same(rows, population, column, Within::Stratum)?;
                if size.is_nan() || size < n {
                    return Err(SurveyError::Number {
                        row: rows[0] as usize,
                        column: column(),
                        value: size,
                        must: Requirement::AtLeast(u64::from(sampled)),
                    });
                }
                below.extend(units.clone().map(|_| share * (n / size)));
                if size.is_finite() { (size - n) / size } else { 1.0 }
            }
            Selection::UnequalProbabilities { .. } => {
                below.extend(
                    of_units
                        .iter()
                        .copied()
                        .flatten()
                        .map(|probability| share * probability),
                );
                1.0
            }
        };
        let taken_whole =
            correction <= 0.0 || of_units.is_some_and(|units| units.iter().all(|&probability| probability >= 1.0));
        let exact = matches!(
            self.columns.selection,
            Selection::UnequalProbabilities {
                joint: Joint::Exact { .. },
                ..
            }
        );
        let (rule, factor) = if exact {
            (Rule::Matrix, 1.0)
        } else if taken_whole || share == 0.0 {
            (Rule::Nothing, 0.0)
        } else if sampled == 1 {
            (single_unit_rule(self.policy), 1.0)
        } else {
            self.several_units(outline, &units, of_units)?
        };
        Ok(Stratum {
            units_end: units.end,
            sampled,
            rule,
            scale: correction * factor * share,
        })
    }

    /// The rule of a stratum of several units, and n / (n − 1) where it applies.
    fn several_units(
        &self,
        outline: &Outline,
        units: &std::ops::Range<u32>,
        of_units: Option<&[f64]>,
    ) -> Result<(Rule, f64), SurveyError> {
        let n = f64::from(units.end - units.start);
        let pairs = |constant: f64, slope: f64, form: PairForm| Rule::Pairs {
            constant: constant / (n - 1.0),
            slope: slope / (n - 1.0),
            yates_grundy: form == PairForm::YatesGrundy,
        };
        let Selection::UnequalProbabilities { joint, .. } = &self.columns.selection else {
            return Ok((Rule::Centred, n / (n - 1.0)));
        };
        Ok(match joint {
            Joint::Brewer | Joint::Exact { .. } => (Rule::Centred, n / (n - 1.0)),
            // 1 − (n − (π_i + π_j)/2) / (n − 1)
            Joint::Overton(form) => (pairs(-1.0, 0.5, *form), 1.0),
            // 1 − (n − π_i − π_j + p̄) / (n − 1)
            Joint::HartleyRao { mean_probability, form } => {
                let mean = match mean_probability {
                    Some(means) => {
                        let rows = self.rows(outline, units);
                        self.same(rows, means, || Column::JointProbability, Within::Stratum)?
                    }
                    None => of_units.unwrap_or_default().iter().sum::<f64>() / n,
                };
                (pairs(-1.0 - mean, 1.0, *form), 1.0)
            }
        })
    }

    /// Lets the strata of one unit above stand for those among them that have a single unit.
    fn settle_average(&self, strata: &mut [Stratum]) {
        if self.policy != SingleUnits::Average {
            return;
        }
        let single = |stratum: &Stratum| stratum.sampled == 1 && stratum.scale > 0.0;
        let singles = strata.iter().filter(|stratum| single(stratum)).count();
        if singles == strata.len() {
            for stratum in strata {
                stratum.rule = Rule::Undefined;
            }
        } else if singles > 0 {
            let ratio = strata.len() as f64 / (strata.len() - singles) as f64;
            for stratum in strata {
                stratum.scale *= ratio;
            }
        }
    }
}
