//! Recognises expressions that add up over the instances of a repeat, each instance by itself.
//!
//! For such an expression, conflicts in different instances (two members of one household) cannot influence one
//! another's contribution, so the possible totals are the sums of the possible contributions: additions instead of a
//! product of all combinations.

use std::collections::BTreeSet;

use crate::model::{Form, NodeKind};
use crate::xpath::{Axis, BinaryOperator, Expression, NodeTest, Path, PathStart, Step};

/// The repeat, if `expression` is a sum of `count(${repeat}[…])` and `sum(${repeat}[…]/question)` over one repeat and
/// everything in `depends_on` is local to an instance.
pub(super) fn repeat_counted_over(form: &Form, expression: &Expression, depends_on: &BTreeSet<usize>) -> Option<usize> {
    let repeat = repeat_of_sum(form, expression)?;
    depends_on
        .iter()
        .all(|position| is_local(form, *position, repeat))
        .then_some(repeat)
}

fn repeat_of_sum(form: &Form, expression: &Expression) -> Option<usize> {
    match expression {
        Expression::Binary(BinaryOperator::Add, left, right) => {
            let repeat = repeat_of_sum(form, left)?;
            (repeat_of_sum(form, right)? == repeat).then_some(repeat)
        }
        Expression::Call(call) => {
            let Some(Expression::Path(path)) = call.arguments.first() else {
                return None;
            };
            let fits = match call.function.name {
                "count" => path.steps.is_empty(),
                "sum" => matches!(path.steps.as_slice(), [step] if is_plain_child(step)),
                _ => false,
            };
            let PathStart::Question(name) = &path.start else {
                return None;
            };
            let repeat = form.position(name)?;
            let is_repeat = form
                .nodes()
                .get(repeat)
                .is_some_and(|node| node.kind == NodeKind::Repeat);
            let local = path
                .predicates
                .iter()
                .all(|predicate| reads_locally(form, predicate, repeat, Place::Instance));
            (fits && is_repeat && local).then_some(repeat)
        }
        _ => None,
    }
}

fn is_plain_child(step: &Step) -> bool {
    step.axis == Axis::Child && matches!(step.test, NodeTest::Name { .. }) && step.predicates.is_empty()
}

/// Where an expression stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// In a predicate on the instances, evaluated from outside: `${…}` means the whole document.
    Instance,
    /// In a question inside the repeat: `${…}` means the own instance.
    Question,
}

/// Whether a row's relevance and calculation look at nothing of other instances; rows outside the repeat must not look
/// into it at all.
fn is_local(form: &Form, position: usize, repeat: usize) -> bool {
    let Some(formulas) = form.formulas(position) else {
        return false;
    };
    // Of rows in repeats inside this one it is not known which instances they look at.
    let around = |inner: &usize| {
        form.nodes()
            .get(*inner)
            .and_then(|row| row.parent)
            .and_then(|row| form.repeat_of(row))
    };
    let own = form.repeat_of(position);
    if own != Some(repeat) && std::iter::successors(own, around).any(|outer| outer == repeat) {
        return false;
    }
    let inside = form.repeat_of(position) == Some(repeat) && position != repeat;
    let expressions = [&formulas.relevant, &formulas.calculation];
    let mut expressions = expressions.into_iter().flatten();
    if inside {
        expressions.all(|expression| reads_locally(form, expression, repeat, Place::Question))
    } else {
        form.dependencies()
            .direct(position)
            .all(|needed| form.repeat_of(needed) != Some(repeat))
    }
}

/// Whether every path of the expression stays in the own instance or outside the repeat.
fn reads_locally(form: &Form, expression: &Expression, repeat: usize, place: Place) -> bool {
    let mut local = true;
    expression.walk(&mut |inner| match inner {
        Expression::Path(path) => local &= is_local_path(form, path, repeat, place),
        // Other instances may be counted or chosen by these.
        Expression::Call(call) => {
            local &= !matches!(
                call.function.name,
                "position" | "last" | "indexed-repeat" | "current" | "id"
            );
        }
        // A bare number would choose an instance by its place: `${members}[1]`.
        _ => {}
    });
    let may_be_a_number = matches!(
        expression,
        Expression::Number(_) | Expression::Variable(_) | Expression::Negate(_)
    ) || matches!(expression, Expression::Binary(operator, ..) if is_arithmetic(*operator))
        || matches!(expression, Expression::Call(call) if !is_truth(call.function.name));
    local && (place == Place::Question || !may_be_a_number)
}

fn is_arithmetic(operator: BinaryOperator) -> bool {
    matches!(
        operator,
        BinaryOperator::Add
            | BinaryOperator::Subtract
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Remainder
    )
}

fn is_truth(function: &str) -> bool {
    matches!(
        function,
        "not" | "boolean" | "selected" | "true" | "false" | "contains" | "starts-with" | "ends-with" | "regex"
    )
}

fn is_local_path(form: &Form, path: &Path, repeat: usize, place: Place) -> bool {
    let plain_steps = path.steps.iter().all(is_plain_child);
    match &path.start {
        PathStart::Question(name) => {
            let Some(position) = form.position(name) else {
                return false;
            };
            let inside = form.repeat_of(position) == Some(repeat);
            let own = place == Place::Question && position != repeat;
            path.predicates.is_empty() && path.steps.is_empty() && (!inside || own)
        }
        // In a predicate a plain name is a question of the instance; `.` in a question is its own value.
        PathStart::Context => match place {
            Place::Instance => plain_steps && path.steps.len() == 1,
            Place::Question => path
                .steps
                .iter()
                .all(|step| step.axis == Axis::SelfNode && step.predicates.is_empty()),
        },
        PathStart::Root | PathStart::LastSaved(_) | PathStart::Expression(_) => false,
    }
}
