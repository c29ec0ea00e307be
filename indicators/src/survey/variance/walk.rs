//! Passes over the strata and units of every stage.

use super::StagesUsed;
use super::form::{PresentUnits, Scratch, add_form};
use crate::survey::design::{Rule, Stage, Stratum, SurveyDesign};
use crate::survey::undefined::Undefined;

/// A stratum with where its units and their rows begin.
struct Position<'a> {
    stratum: &'a Stratum,
    first_unit: u32,
    first_row: usize,
}

/// The strata of a stage. Where joint probabilities span all strata, these are one.
fn positions(stage: &Stage) -> impl Iterator<Item = Position<'_>> {
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

fn stages_used(design: &SurveyDesign, used: StagesUsed) -> &[Stage] {
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

/// One unit's total for one of many domains.
#[derive(Debug, Clone, Copy)]
struct Entry {
    domain: u32,
    unit: u32,
    total: f64,
}

/// What [`walk_entries`] needs of many statistics, each of which has a value in few rows: in every row, at most one does.
pub(in crate::survey) trait EntrySink {
    /// The statistic that a row has a value for, and the value.
    fn entry(&self, row: usize) -> Option<(u32, f64)>;
}

/// Variances of many statistics over domains that do not overlap, in one pass per stage.
pub(in crate::survey) fn walk_entries(
    design: &SurveyDesign,
    domains: usize,
    sink: &impl EntrySink,
    used: StagesUsed,
) -> Vec<Result<f64, Undefined>> {
    let mut variances = vec![Ok(0.0); domains];
    let mut entries: Vec<Entry> = Vec::new();
    let mut scratch = Scratch::default();
    // Where the entry of a domain in the unit at hand is, if there is one.
    let mut places: Vec<Option<(u32, usize)>> = vec![None; domains];
    let (mut units, mut totals) = (Vec::new(), Vec::new());
    let order = design.order();
    for stage in stages_used(design, used) {
        places.fill(None);
        for position in positions(stage) {
            if position.stratum.rule == Rule::Nothing {
                continue;
            }
            entries.clear();
            let mut start = position.first_row;
            for unit in position.first_unit..position.stratum.units_end {
                let end = stage.unit_ends[unit as usize] as usize;
                for &row in &order[start..end] {
                    let Some((domain, value)) = sink.entry(row as usize) else {
                        continue;
                    };
                    let place = &mut places[domain as usize];
                    match *place {
                        Some((of_unit, index)) if of_unit == unit => entries[index].total += value,
                        _ => {
                            *place = Some((unit, entries.len()));
                            entries.push(Entry {
                                domain,
                                unit,
                                total: value,
                            });
                        }
                    }
                }
                start = end;
            }
            entries.sort_by_key(|entry| entry.domain);
            for of_domain in entries.chunk_by(|one, next| one.domain == next.domain) {
                units.clear();
                totals.clear();
                for entry in of_domain.iter().filter(|entry| entry.total != 0.0) {
                    units.push(entry.unit);
                    totals.push(entry.total);
                }
                let Some(variance) = of_domain.first().map(|entry| &mut variances[entry.domain as usize]) else {
                    continue;
                };
                if let Ok(sum) = variance {
                    let mut part = [0.0];
                    let added = add_form(
                        stage,
                        (position.stratum, position.first_unit),
                        design.joint_matrix(),
                        (&units, &totals),
                        &mut scratch,
                        &mut part,
                    );
                    *variance = added.map(|()| *sum + part[0]);
                }
            }
        }
    }
    for variance in &mut variances {
        match *variance {
            Ok(value) if !value.is_finite() => *variance = Err(Undefined::TooLarge),
            Ok(value) if value < 0.0 => *variance = Err(Undefined::NegativeVariance),
            _ => {}
        }
    }
    variances
}
