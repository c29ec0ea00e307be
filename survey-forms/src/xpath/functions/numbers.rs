//! Functions on numbers (XPath 1.0 §4.4; ODK XForms specification, "Number functions").

use super::super::calendar::Moment;
use super::super::object::{DateValue, DateWriting};
use super::{EvaluationError, Expression, Object, Scope};

/// Defines functions of one number.
macro_rules! of_one_number {
    ($($(#[$doc:meta])* $name:ident = $body:expr;)*) => {
        $($(#[$doc])* pub(super) fn $name(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
            let body: fn(f64) -> f64 = $body;
            Ok(Object::Number(body(scope.number(&arguments[0])?)))
        })*
    };
}

of_one_number! {
    abs = f64::abs;
    acos = f64::acos;
    asin = f64::asin;
    atan = f64::atan;
    ceiling = f64::ceil;
    cos = f64::cos;
    exp = f64::exp;
    exp10 = |exponent| 10_f64.powf(exponent);
    floor = f64::floor;
    int = f64::trunc;
    log = f64::ln;
    log10 = f64::log10;
    sin = f64::sin;
    sqrt = f64::sqrt;
    tan = f64::tan;
}

pub(super) fn pi(_: &Scope<'_>, _: &[Expression]) -> Result<Object, EvaluationError> {
    Ok(Object::Number(std::f64::consts::PI))
}

pub(super) fn atan2(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let (y, x) = (scope.number(&arguments[0])?, scope.number(&arguments[1])?);
    Ok(Object::Number(y.atan2(x)))
}

pub(super) fn pow(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let (base, exponent) = (scope.number(&arguments[0])?, scope.number(&arguments[1])?);
    Ok(Object::Number(base.powf(exponent)))
}

/// `number(x)`: of a date in text the days since 1970 with their fraction, written as whole days.
pub(super) fn number(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let object = match arguments.first() {
        Some(argument) => scope.evaluate(argument)?,
        None => Object::Nodes(vec![scope.node]),
    };
    let offset = scope.context.now.utc_offset_minutes;
    if let Object::Text(_) | Object::Nodes(_) = &object
        && let Some(moment) = Moment::parse(&object.to_text(scope.tree), offset)
    {
        return Ok(Object::Date(DateValue {
            moment: Some(moment),
            written: DateWriting::Days,
        }));
    }
    Ok(match object {
        Object::Date(date) => Object::Date(DateValue {
            written: DateWriting::Days,
            ..date
        }),
        other => Object::Number(other.to_number(scope.tree, offset)),
    })
}

/// `round(x, places?)`: halves away from zero as in ODK Web Forms (XPath 1.0 §4.4 rounds them up), to that many decimal
/// places, or to tens, hundreds … where `places` is negative.
pub(super) fn round(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let number = scope.number(&arguments[0])?;
    let Some(places) = arguments.get(1) else {
        return Ok(Object::Number(number.round()));
    };
    let places = scope.number(places)?.trunc();
    if places.is_nan() {
        return Ok(Object::Number(f64::NAN));
    }
    if !number.is_finite() {
        return Ok(Object::Number(number));
    }
    // Through decimal text, for 2.15 × 10 is a little less than 21.5 in binary.
    let places = places.clamp(-300.0, 300.0) as i32;
    let scaled: f64 = format!("{number:e}")
        .split_once('e')
        .and_then(|(digits, exponent)| {
            let exponent: i32 = exponent.parse().ok()?;
            format!("{digits}e{}", exponent + places).parse().ok()
        })
        .unwrap_or(f64::NAN);
    let rounded: f64 = format!("{:.0}e{}", scaled.round(), -places).parse().unwrap_or(f64::NAN);
    Ok(Object::Number(rounded + 0.0))
}

/// The numbers of the arguments: each node of a node set by itself, other values as they are.
fn numbers(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Vec<f64>, EvaluationError> {
    let mut numbers = Vec::new();
    for argument in arguments {
        match scope.evaluate(argument)? {
            Object::Nodes(nodes) => {
                for node in nodes {
                    numbers.push(scope.text_number(&scope.node_text(node)?));
                }
            }
            other => numbers.push(other.to_number(scope.tree, scope.context.now.utc_offset_minutes)),
        }
    }
    Ok(numbers)
}

pub(super) fn sum(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let nodes = scope.nodes(&arguments[0], "sum()")?;
    let mut total = 0.0;
    for node in nodes {
        total += scope.text_number(&scope.node_text(node)?);
    }
    Ok(Object::Number(total))
}

pub(super) fn min(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    extreme(scope, arguments, |number, best| number < best)
}

pub(super) fn max(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    extreme(scope, arguments, |number, best| number > best)
}

/// The best of the numbers; NaN where there is none or one is not a number.
fn extreme(
    scope: &Scope<'_>,
    arguments: &[Expression],
    better: fn(f64, f64) -> bool,
) -> Result<Object, EvaluationError> {
    let numbers = numbers(scope, arguments)?;
    let best = numbers.iter().copied().reduce(|best, number| {
        if number.is_nan() || better(number, best) {
            number
        } else {
            best
        }
    });
    let best = if numbers.iter().any(|number| number.is_nan()) {
        None
    } else {
        best
    };
    Ok(Object::Number(best.unwrap_or(f64::NAN)))
}
