//! Variances of many statistics over domains that do not overlap, in one pass per stage.

use super::form::{PresentUnits, Scratch, add_form};
use super::walk::{Position, positions, stages_used};
use super::{InfluenceRegression, StagesUsed};
use crate::survey::design::{Rule, Stage, SurveyDesign};
use crate::survey::undefined::Undefined;

/// Linearised values of many statistics, each of which has a value in few rows: in every row, at most one does.
pub(in crate::survey) trait EntrySink {
    /// The statistic that a row has a value for, and the value.
    fn entry(&self, row: usize) -> Option<(u32, f64)>;
}

/// What calibration takes away of each of many statistics: residuals reach the rows of other domains.
pub(in crate::survey) struct DomainRegression<'a> {
    form: &'a dyn InfluenceRegression,
    /// β of each domain, p numbers.
    coefficients: Vec<f64>,
}

impl<'a> DomainRegression<'a> {
    pub(in crate::survey) fn new(
        form: &'a dyn InfluenceRegression,
        rows: usize,
        domains: usize,
        sink: &impl EntrySink,
    ) -> Self {
        let terms = form.terms();
        let mut coefficients = vec![0.0; domains * terms];
        let mut moments = vec![0.0; terms];
        for row in 0..rows {
            if let Some((domain, value)) = sink.entry(row)
                && value != 0.0
            {
                form.moments(row, &mut moments);
                let sums = &mut coefficients[domain as usize * terms..][..terms];
                for (sum, moment) in sums.iter_mut().zip(&moments) {
                    *sum += moment * value;
                }
            }
        }
        if terms > 0 {
            for sums in coefficients.chunks_exact_mut(terms) {
                form.solve(sums);
            }
        }
        DomainRegression { form, coefficients }
    }

    fn of(&self, domain: u32) -> &[f64] {
        let terms = self.form.terms();
        &self.coefficients[domain as usize * terms..][..terms]
    }
}

/// One unit's total for one of many domains.
#[derive(Debug, Clone, Copy)]
struct Entry {
    domain: u32,
    unit: u32,
    total: f64,
}

/// The entries of a stratum, unit by unit.
struct Entries {
    list: Vec<Entry>,
    /// Where the entry of a domain in the unit at hand is, if there is one.
    places: Vec<Option<(u32, usize)>>,
}

impl Entries {
    fn add(&mut self, domain: u32, unit: u32, value: f64) {
        let place = &mut self.places[domain as usize];
        match *place {
            Some((of_unit, index)) if of_unit == unit => self.list[index].total += value,
            _ => {
                *place = Some((unit, self.list.len()));
                self.list.push(Entry {
                    domain,
                    unit,
                    total: value,
                });
            }
        }
    }
}

/// Sums over strata that the terms of a regression make.
struct TermSums {
    terms: usize,
    /// Totals of the terms in each unit of the stratum at hand.
    totals: Vec<f64>,
    /// p × p covariances of the terms' totals over all strata.
    everywhere: Vec<f64>,
    /// The same over the strata that each domain reaches.
    reached: Vec<f64>,
}

/// Variances of the totals of many domains' linearised values.
///
/// With a regression, a domain's residuals in a stratum that it reaches are made unit by unit; in all others they are
/// −Σ β_j a_kj, so that these add βᵀ V β, V being the terms' covariances over those strata.
pub(in crate::survey) fn variances_of_domains(
    design: &SurveyDesign,
    domains: usize,
    sink: &impl EntrySink,
    used: StagesUsed,
    regression: Option<&DomainRegression<'_>>,
) -> Vec<Result<f64, Undefined>> {
    let terms = regression.map_or(0, |regression| regression.form.terms());
    let mut variances = vec![Ok(0.0); domains];
    let mut entries = Entries {
        list: Vec::new(),
        places: vec![None; domains],
    };
    let mut sums = TermSums {
        terms,
        totals: Vec::new(),
        everywhere: vec![0.0; terms * terms],
        reached: vec![0.0; domains * terms * terms],
    };
    let mut scratch = Scratch::default();
    let mut present = PresentUnits::default();
    for stage in stages_used(design, used) {
        entries.places.fill(None);
        for position in positions(stage) {
            if position.stratum.rule == Rule::Nothing {
                continue;
            }
            gather(
                design,
                stage,
                &position,
                sink,
                regression,
                &mut entries,
                &mut sums.totals,
            );
            let mut form = |units: &[u32], totals: &[f64], part: &mut [f64]| {
                let stratum = (position.stratum, position.first_unit);
                add_form(
                    stage,
                    stratum,
                    design.joint_matrix(),
                    (units, totals),
                    &mut scratch,
                    part,
                )
            };
            let mut of_terms = vec![0.0; terms * terms];
            if terms > 0 {
                let units: Vec<u32> = (position.first_unit..position.stratum.units_end).collect();
                if let Err(reason) = form(&units, &sums.totals, &mut of_terms) {
                    // Every domain's residuals have a value here.
                    return vec![Err(reason); domains];
                }
                add(&of_terms, &mut sums.everywhere);
            }
            for of_domain in entries.list.chunk_by(|one, next| one.domain == next.domain) {
                let Some(domain) = of_domain.first().map(|entry| entry.domain) else {
                    continue;
                };
                present.clear();
                match regression {
                    None => {
                        for entry in of_domain.iter().filter(|entry| entry.total != 0.0) {
                            present.units.push(entry.unit);
                            present.totals.push(entry.total);
                        }
                    }
                    Some(regression) => {
                        residuals(of_domain, &position, &sums, regression.of(domain), &mut present);
                        let square = terms * terms;
                        add(&of_terms, &mut sums.reached[domain as usize * square..][..square]);
                    }
                }
                let variance = &mut variances[domain as usize];
                if let Ok(sum) = variance {
                    let mut part = [0.0];
                    *variance = form(&present.units, &present.totals, &mut part).map(|()| *sum + part[0]);
                }
            }
        }
    }
    if let Some(regression) = regression {
        add_unreached(&sums, regression, &mut variances);
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

/// Sums of a stratum's units, by domain, and of the terms.
fn gather(
    design: &SurveyDesign,
    stage: &Stage,
    position: &Position<'_>,
    sink: &impl EntrySink,
    regression: Option<&DomainRegression<'_>>,
    entries: &mut Entries,
    term_totals: &mut Vec<f64>,
) {
    entries.list.clear();
    term_totals.clear();
    let terms = regression.map_or(0, |regression| regression.form.terms());
    let mut of_row = vec![0.0; terms];
    let mut start = position.first_row;
    for unit in position.first_unit..position.stratum.units_end {
        let end = stage.unit_ends[unit as usize] as usize;
        let first_term = term_totals.len();
        term_totals.resize(first_term + terms, 0.0);
        for &row in &design.order()[start..end] {
            if let Some((domain, value)) = sink.entry(row as usize) {
                entries.add(domain, unit, value);
            }
            if let Some(regression) = regression {
                regression.form.explaining(row as usize, &mut of_row);
                add(&of_row, &mut term_totals[first_term..]);
            }
        }
        start = end;
    }
    entries.list.sort_by_key(|entry| entry.domain);
}

/// The residuals of one domain in all units of a stratum.
fn residuals(
    of_domain: &[Entry],
    position: &Position<'_>,
    sums: &TermSums,
    coefficients: &[f64],
    present: &mut PresentUnits,
) {
    present.units.extend(position.first_unit..position.stratum.units_end);
    for unit in 0..present.units.len() {
        let of_unit = &sums.totals[unit * sums.terms..][..sums.terms];
        let fitted: f64 = of_unit.iter().zip(coefficients).map(|(total, beta)| total * beta).sum();
        present.totals.push(-fitted);
    }
    for entry in of_domain {
        present.totals[(entry.unit - position.first_unit) as usize] += entry.total;
    }
}

/// Adds βᵀ V β of the strata that a domain does not reach.
fn add_unreached(sums: &TermSums, regression: &DomainRegression<'_>, variances: &mut [Result<f64, Undefined>]) {
    let terms = sums.terms;
    for (domain, variance) in variances.iter_mut().enumerate() {
        let Ok(variance) = variance else { continue };
        let beta = regression.of(domain as u32);
        let reached = &sums.reached[domain * terms * terms..][..terms * terms];
        let mut form = 0.0;
        for (cell, (everywhere, reached)) in sums.everywhere.iter().zip(reached).enumerate() {
            form += beta[cell / terms] * beta[cell % terms] * (everywhere - reached);
        }
        // Below zero by rounding alone, where a domain reaches all.
        *variance += form.max(0.0);
    }
}

fn add(values: &[f64], sums: &mut [f64]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}
