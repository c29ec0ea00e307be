//! Checks of columns that need no sorting: lengths and single numbers.

use super::columns::{DesignColumns, Joint, Selection, StageColumns};
use crate::survey::error::{Column, Requirement, SurveyError};

/// Rows are numbered with 32 bits.
const MOST_ROWS: usize = (u32::MAX - 1) as usize;

/// Sums of weights stay finite up to here, whatever the number of rows.
const LARGEST_WEIGHT: f64 = 9_007_199_254_740_992.0;

pub(super) fn check_columns(columns: &DesignColumns<'_>) -> Result<(), SurveyError> {
    let rows = columns.weights.len();
    if rows == 0 {
        return Err(SurveyError::NoRows);
    }
    if rows > MOST_ROWS {
        return Err(SurveyError::TooManyRows { rows, most: MOST_ROWS });
    }
    if columns.stages.is_empty() {
        return Err(SurveyError::NoStages);
    }
    check_numbers(columns.weights, Requirement::Weight, || Column::Weight)?;
    for (position, stage) in columns.stages.iter().enumerate() {
        check_stage(stage, position + 1, rows)?;
    }
    Ok(())
}

fn check_stage(columns: &StageColumns<'_>, stage: usize, rows: usize) -> Result<(), SurveyError> {
    if let Some(clusters) = columns.clusters {
        check_length(clusters.len(), rows, || Column::Cluster { stage })?;
    }
    if let Some(strata) = columns.strata {
        check_length(strata.len(), rows, || Column::Stratum { stage })?;
    }
    match &columns.selection {
        Selection::WithReplacement => Ok(()),
        // Compared with the number sampled once that is known.
        Selection::WithoutReplacement { population } => {
            check_length(population.len(), rows, || Column::PopulationSize { stage })
        }
        Selection::UnequalProbabilities { inclusion, joint } => {
            let column = || Column::InclusionProbability { stage };
            check_length(inclusion.len(), rows, column)?;
            check_numbers(inclusion, Requirement::Probability, column)?;
            match joint {
                Joint::Brewer => Ok(()),
                _ if stage > 1 => Err(SurveyError::JointProbabilitiesBelowFirstStage { stage }),
                Joint::HartleyRao {
                    mean_probability: Some(mean),
                    ..
                } => {
                    check_length(mean.len(), rows, || Column::JointProbability)?;
                    check_numbers(mean, Requirement::Probability, || Column::JointProbability)
                }
                Joint::Overton(_) | Joint::HartleyRao { .. } | Joint::Exact { .. } => Ok(()),
            }
        }
    }
}

pub(crate) fn check_length(given: usize, expected: usize, column: impl Fn() -> Column) -> Result<(), SurveyError> {
    if given == expected {
        Ok(())
    } else {
        Err(SurveyError::Length {
            column: column(),
            given,
            expected,
        })
    }
}

fn check_numbers(values: &[f64], must: Requirement, column: impl Fn() -> Column) -> Result<(), SurveyError> {
    let wrong = values.iter().position(|&value| !match must {
        Requirement::Probability => value > 0.0 && value <= 1.0,
        _ => (0.0..=LARGEST_WEIGHT).contains(&value),
    });
    match wrong {
        None => Ok(()),
        Some(row) => Err(SurveyError::Number {
            row,
            column: column(),
            value: values[row],
            must,
        }),
    }
}
