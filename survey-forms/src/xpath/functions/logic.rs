//! Truth values and choices between values (XPath 1.0 §4.3; ODK XForms specification, "Control flow" and "Boolean").

use super::{EvaluationError, Expression, Object, Scope};

pub(super) fn boolean(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    Ok(Object::Boolean(scope.boolean(&arguments[0])?))
}

pub(super) fn not(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    Ok(Object::Boolean(!scope.boolean(&arguments[0])?))
}

pub(super) fn always_true(_: &Scope<'_>, _: &[Expression]) -> Result<Object, EvaluationError> {
    Ok(Object::Boolean(true))
}

pub(super) fn always_false(_: &Scope<'_>, _: &[Expression]) -> Result<Object, EvaluationError> {
    Ok(Object::Boolean(false))
}

/// `boolean-from-string(x)`: true for `1` and `true` only.
pub(super) fn boolean_from_string(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let text = scope.text(&arguments[0])?;
    Ok(Object::Boolean(text == "1" || text == "true"))
}

pub(super) fn if_then_else(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let chosen = if scope.boolean(&arguments[0])? { 1 } else { 2 };
    scope.evaluate(&arguments[chosen])
}

/// `coalesce(a, b, …)`: the first value that is not blank, as text; NaN counts as blank.
pub(super) fn coalesce(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let mut text = String::new();
    for argument in arguments {
        text = scope.evaluate(argument)?.to_answer(scope.tree);
        if !text.is_empty() {
            break;
        }
    }
    Ok(Object::Text(text))
}

/// `once(x)`: the question's own value if it has one, else x; NaN gives blank.
pub(super) fn once(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let own = scope.tree.text_of(scope.node);
    if !own.is_empty() {
        return Ok(Object::Text(own.into_owned()));
    }
    Ok(Object::Text(scope.evaluate(&arguments[0])?.to_answer(scope.tree)))
}

/// `depend(x, …)`: x; the other arguments only say what else the expression is to be computed after (JavaRosa).
pub(super) fn depend(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    scope.evaluate(&arguments[0])
}

/// `checklist(least, most, a, b, …)`: whether the number of true values lies within the bounds; a bound of -1 is none.
/// A node set counts once for each of its nodes that is not blank.
pub(super) fn checklist(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let (least, most) = (scope.number(&arguments[0])?, scope.number(&arguments[1])?);
    let mut count = 0.0;
    for argument in &arguments[2..] {
        count += truths(scope, argument)?.into_iter().filter(|holds| *holds).count() as f64;
    }
    Ok(Object::Boolean(within(count, least, most)))
}

/// `weighted-checklist(least, most, a, weight, …)`: as `checklist`, with the sum of the true values' weights.
pub(super) fn weighted_checklist(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let (least, most) = (scope.number(&arguments[0])?, scope.number(&arguments[1])?);
    let mut total = 0.0;
    for pair in arguments[2..].chunks(2) {
        let [condition, weight] = pair else {
            return Err(EvaluationError::OddArguments("weighted-checklist()"));
        };
        let weights = match scope.evaluate(weight)? {
            Object::Nodes(nodes) => nodes
                .iter()
                .map(|node| scope.text_number(&scope.tree.text_of(*node)))
                .collect(),
            other => vec![other.to_number(scope.tree, scope.context.now.utc_offset_minutes)],
        };
        let truths = truths(scope, condition)?;
        // A weight without a value of its own cannot be judged.
        if truths.len() < weights.len() {
            return Ok(Object::Boolean(false));
        }
        for (holds, weight) in truths.into_iter().zip(weights) {
            if holds {
                total += weight;
            }
        }
    }
    Ok(Object::Boolean(within(total, least, most)))
}

fn truths(scope: &Scope<'_>, argument: &Expression) -> Result<Vec<bool>, EvaluationError> {
    Ok(match scope.evaluate(argument)? {
        Object::Nodes(nodes) => nodes
            .iter()
            .map(|node| !super::text::trimmed(&scope.tree.text_of(*node)).is_empty())
            .collect(),
        other => vec![other.to_boolean()],
    })
}

fn within(count: f64, least: f64, most: f64) -> bool {
    (least == -1.0 || count >= least) && (most == -1.0 || count <= most)
}
