//! What the strata of a stage add to the variance.

use super::columns::{Joint, PairForm, Selection, SingleUnits, StageColumns};
use super::outline::Outline;
use super::rules::{Rule, single_unit_rule};
use crate::survey::error::{Column, Requirement, SurveyError, Within};

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

/// What is needed to say what the strata of a stage add.
pub(super) struct StageContext<'a> {
    /// The stage, from 1.
    pub(super) number: usize,
    pub(super) columns: &'a StageColumns<'a>,
    pub(super) policy: SingleUnits,
    /// Rows in the sorted order.
    pub(super) order: &'a [u32],
}

impl StageContext<'_> {
    /// The stage, and the share sampled of each of its units over all stages so far.
    pub(super) fn build(&self, outline: Outline, shares: &[f64]) -> Result<(Stage, Vec<f64>), SurveyError> {
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
