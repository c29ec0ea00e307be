//! Passes over the strata and units of every stage.

use super::StagesUsed;
use super::form::{PresentUnits, Scratch, add_form};
use crate::survey::design::{Rule, Stage, Stratum, SurveyDesign};
use crate::survey::undefined::Undefined;

/// A stratum with where its units and their rows begin.
pub(super) struct Position<'a> {
    pub(super) stratum: &'a Stratum,
    pub(super) first_unit: u32,
    pub(super) first_row: usize,
}

/// The strata of a stage. Where joint probabilities span all strata, these are one.
pub(super) fn positions(stage: &Stage) -> impl Iterator<Item = Position<'_>> {
    let is_matrix = stage.strata.first().is_some_and(|stratum| stratum.rule == Rule::Matrix);
    // The form of joint probabilities needs no more of a stratum than its units.
    let strata = if is_matrix {
        &stage.strata[stage.strata.len() - 1..]
    } else {
        &stage.strata[..]
    };
    strata.iter().scan(0_u32, |first_unit, stratum| {
        let position = Position {
            stratum,
            first_unit: *first_unit,
            first_row: match *first_unit {
                0 => 0,
                unit => stage.unit_ends[unit as usize - 1] as usize,
            },
        };
        *first_unit = stratum.units_end;
        Some(position)
    })
}

pub(super) fn stages_used(design: &SurveyDesign, used: StagesUsed) -> &[Stage] {
    match used {
        StagesUsed::All => design.stages(),
        StagesUsed::First => &design.stages()[..design.stages().len().min(1)],
    }
}

/// Covariances of the totals of columns, which are in the order of the design's rows.
pub(super) fn covariance(design: &SurveyDesign, columns: &[&[f64]], used: StagesUsed) -> Result<Vec<f64>, Undefined> {
    let size = columns.len();
    let mut covariance = vec![0.0; size * size];
    let mut present = PresentUnits::default();
    let mut scratch = Scratch::default();
    let mut totals = vec![0.0; size];
    let order = design.order();
    for stage in stages_used(design, used) {
        for position in positions(stage) {
            if position.stratum.rule == Rule::Nothing {
                continue;
            }
            present.clear();
            let mut start = position.first_row;
            for unit in position.first_unit..position.stratum.units_end {
                let end = stage.unit_ends[unit as usize] as usize;
                totals.fill(0.0);
                for &row in &order[start..end] {
                    for (total, column) in totals.iter_mut().zip(columns) {
                        *total += column[row as usize];
                    }
                }
                if totals.iter().any(|&total| total != 0.0) {
                    present.units.push(unit);
                    present.totals.extend_from_slice(&totals);
                }
                start = end;
            }
            add_form(
                stage,
                (position.stratum, position.first_unit),
                design.joint_matrix(),
                (&present.units, &present.totals),
                &mut scratch,
                &mut covariance,
            )?;
        }
    }
    Ok(covariance)
}
