//! Projections: a response reduced to the numbers that indicators need.
//!
//! An indicator is a ratio of two totals; its numerator and denominator are expressions over the form, written in the
//! indicator registry. A projection holds the pair (y, x) of one response for each indicator, and, where people's
//! concurrent answers differ, every pair that is possible under some way to settle them.

mod additive;
mod expressions;
mod possible;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::answers::{AnswerPath, Answers, Value};
use crate::data::FormData;
use crate::instance::Instance;
use crate::model::Form;
use crate::xpath::{EvaluationContext, Expression, Moment, Tree, Variables};

pub use expressions::{ExpressionError, ExpressionRole, IndicatorExpressions};

use expressions::Compiled;

/// What one response contributes to an indicator.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// To the numerator's total.
    pub y: f64,
    /// To the denominator's total.
    pub x: f64,
}

impl Ratio {
    /// What a response contributes that does not count: nothing.
    pub const ZERO: Self = Self { y: 0.0, x: 0.0 };
}

/// A question of a response with concurrent answers that differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenConflict {
    /// The question.
    pub path: AnswerPath,
    /// The answers among which a person will choose; none stands for "unanswered".
    pub values: Vec<Option<Value>>,
}

/// A response reduced to numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Projection {
    /// Whether the unit counts as a respondent with the answers as they stand.
    pub responded: bool,
    /// Every value that `responded` can take over the ways to settle the open conflicts; just the one above where they
    /// do not touch it.
    pub possible_responded: BTreeSet<bool>,
    /// One entry an indicator, in the order in which the projector was given them.
    pub indicators: Vec<IndicatorValues>,
}

/// What a response contributes to one indicator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IndicatorValues {
    /// With the answers as they stand, the store's winning one where they differ; zero for a nonrespondent.
    pub value: Ratio,
    /// Every distinct pair over all ways to settle the open conflicts that the indicator depends on, in ascending order
    /// of x, then y, `value` among them. Empty where no open conflict touches the indicator.
    pub possible: Vec<Ratio>,
    /// Whether `possible` is exactly the reachable set. Where there are too many ways to try, `possible` holds instead
    /// the corners of a rectangle that contains the reachable set; a side without a bound is infinite.
    pub exact: bool,
}

/// Reduces responses of one form to the numbers of some indicators.
///
/// Made once for a round; projecting a response evaluates only expressions that were parsed before.
#[derive(Debug)]
pub struct Projector {
    form: Arc<Form>,
    context: EvaluationContext,
    respondent: Compiled,
    indicators: Vec<IndicatorExpressions>,
    /// The rows that any of the expressions depends on, in the order of computing.
    order: Vec<usize>,
}

impl Projector {
    /// A projector for `indicators`; `respondent` is the expression that tells whether a response counts at all, such as
    /// `${consent} = 'yes' and ${visit_outcome} = 'completed'`.
    ///
    /// # Errors
    /// When the respondent's expression cannot be read, refers to a question that the form does not have, or asks for
    /// the clock.
    pub fn new(
        form: Arc<Form>,
        indicators: Vec<IndicatorExpressions>,
        respondent: &str,
    ) -> Result<Self, ExpressionError> {
        // A projection must not change from day to day: expressions that ask for the clock were refused before.
        let now = Moment {
            unix_milliseconds: 0,
            utc_offset_minutes: 0,
        };
        let language = form
            .languages()
            .first()
            .map_or_else(String::new, |language| language.code.clone());
        let respondent = Compiled::new(&form, ExpressionRole::Respondent, respondent, &Variables::new())?;
        let matters = |position: &usize| {
            respondent.depends_on.contains(position)
                || indicators
                    .iter()
                    .any(|indicator| indicator.depends_on_position(*position))
        };
        Ok(Self {
            context: EvaluationContext::new(now, language),
            order: form.dependencies().order().iter().copied().filter(matters).collect(),
            respondent,
            form,
            indicators,
        })
    }

    /// Reduces one response.
    ///
    /// `open_conflicts` are the response's unsettled questions. A conflict takes part in an indicator only if the
    /// indicator's expressions, the respondent's expression, or the relevance and calculations behind them depend on it.
    pub fn project(&self, answers: &impl Answers, open_conflicts: &[OpenConflict]) -> Projection {
        let mut instance = Instance::new(
            &self.form,
            answers,
            &FormData::own(&self.form),
            &self.context,
            &self.order,
        );
        let responded = self.is_true(&instance, &self.respondent.expression, &self.respondent.variables);
        let possible_responded = self.possible_responded(&mut instance, open_conflicts, responded);
        let indicators = self
            .indicators
            .iter()
            .map(|indicator| {
                let value = if responded {
                    self.ratio(&instance, indicator)
                } else {
                    Ratio::ZERO
                };
                if open_conflicts.is_empty() {
                    return IndicatorValues {
                        value,
                        possible: Vec::new(),
                        exact: true,
                    };
                }
                self.possible(&mut instance, indicator, open_conflicts, value)
            })
            .collect();
        Projection {
            responded,
            possible_responded,
            indicators,
        }
    }

    fn evaluate(&self, instance: &Instance, expression: &Expression, variables: &Variables) -> f64 {
        let object = crate::xpath::evaluate(expression, &instance.tree, Tree::ROOT, &self.context, variables);
        // An expression that cannot be evaluated, and one over blanks, contributes nothing.
        let number = object.map_or(f64::NAN, |object| object.to_number(&instance.tree, 0));
        if number.is_nan() { 0.0 } else { number }
    }

    fn is_true(&self, instance: &Instance, expression: &Expression, variables: &Variables) -> bool {
        crate::xpath::evaluate(expression, &instance.tree, Tree::ROOT, &self.context, variables)
            .is_ok_and(|object| object.to_boolean())
    }

    fn ratio(&self, instance: &Instance, indicator: &IndicatorExpressions) -> Ratio {
        let side = |side: &Compiled| self.evaluate(instance, &side.expression, &side.variables);
        Ratio {
            y: side(&indicator.numerator),
            x: side(&indicator.denominator),
        }
    }
}
