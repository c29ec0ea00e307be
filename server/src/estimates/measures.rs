//! How a round measures its indicators: the registry's expressions compiled against the round's form.

use std::collections::BTreeSet;
use std::sync::Arc;

use indicators::estimators::Measure;
use survey_forms::model::{Form, NodeKind};
use survey_forms::projection::{IndicatorExpressions, OpenConflict, Projector};
use sync_core::response::Reading;

use super::Reduced;
use crate::registry::Indicator;

/// The column of a form's settings that holds the expression which tells whether a unit responded.
const RESPONDENT: &str = "respondent_expression";

/// The measured indicators of a round.
pub struct Measures {
    /// Their places in the registry.
    pub registry_positions: Vec<usize>,
    projector: Projector,
    /// Questions that nobody answers: what the phone notes by itself (start, end, device) and what is computed.
    evidence: BTreeSet<String>,
}

/// An indicator's expression that does not fit the form.
#[derive(Debug, thiserror::Error)]
#[error("indicator {indicator}: {source}")]
pub struct MeasuresError {
    /// The indicator's code.
    pub indicator: String,
    /// What is wrong with the expression.
    pub source: survey_forms::projection::ExpressionError,
}

impl MeasuresError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        format!("chỉ tiêu {}: {}", self.indicator, self.source.vietnamese())
    }
}

impl Measures {
    /// Compiles the registry's expressions.
    ///
    /// # Errors
    /// [`MeasuresError`] for the first expression that does not fit the form.
    pub fn compile(form: Form, registry: &[Indicator]) -> Result<Self, MeasuresError> {
        let mut registry_positions = Vec::new();
        let mut expressions = Vec::new();
        for (position, indicator) in registry.iter().enumerate() {
            let Some(measurement) = &indicator.measurement else {
                continue;
            };
            let compiled = IndicatorExpressions::compile(
                &form,
                &measurement.numerator,
                &measurement.denominator,
                &measurement.parameters,
            )
            .map_err(|source| MeasuresError {
                indicator: indicator.code.clone(),
                source,
            })?;
            registry_positions.push(position);
            expressions.push(compiled);
        }
        // Everybody of whom there is a response counts, unless the form's author says otherwise.
        let respondent = form
            .settings()
            .other
            .get(RESPONDENT)
            .map_or("true()", String::as_str)
            .to_owned();
        let evidence = form
            .nodes()
            .iter()
            .filter(|node| matches!(node.kind, NodeKind::Metadata(_)) || node.calculation.is_some())
            .map(|node| node.name.clone())
            .collect();
        let projector = Projector::new(Arc::new(form), expressions, &respondent).map_err(|source| MeasuresError {
            indicator: RESPONDENT.to_owned(),
            source,
        })?;
        Ok(Self {
            registry_positions,
            projector,
            evidence,
        })
    }

    /// How many indicators are measured.
    pub fn len(&self) -> usize {
        self.registry_positions.len()
    }

    /// Whether nothing is measured.
    pub fn is_empty(&self) -> bool {
        self.registry_positions.is_empty()
    }

    /// Every indicator of the plan is a share.
    pub fn kinds(&self) -> Vec<Measure> {
        vec![Measure::Proportion; self.len()]
    }

    /// Reduces a response to its numbers.
    pub fn reduce(&self, reading: &Reading) -> Reduced {
        let conflicts: Vec<OpenConflict> = reading
            .conflicts
            .iter()
            .filter(|conflict| !self.evidence.contains(&conflict.path.question))
            .map(|conflict| OpenConflict {
                path: conflict.path.clone(),
                values: conflict.values(),
            })
            .collect();
        let projection = self.projector.project(&reading.answers, &conflicts);
        let mut reduced = Reduced {
            responded: projection.responded,
            exact: true,
            conflicts: u32::try_from(conflicts.len()).unwrap_or(u32::MAX),
            ..Reduced::default()
        };
        for (number, values) in (0u32..).zip(&projection.indicators) {
            reduced.values.push((values.value.y, values.value.x));
            reduced.exact &= values.exact;
            if values.possible.len() > 1 {
                reduced
                    .possible
                    .push((number, values.possible.iter().map(|pair| (pair.y, pair.x)).collect()));
            }
        }
        reduced
    }
}
