//! Functions on dates and times (ODK XForms specification, "Date functions").

use super::super::calendar::{Moment, milliseconds_of_day};
use super::super::object::{DateValue, DateWriting};
use super::{EvaluationError, Expression, Object, Scope};

pub(super) fn today(scope: &Scope<'_>, _: &[Expression]) -> Result<Object, EvaluationError> {
    Ok(Object::Date(DateValue {
        moment: Some(scope.context.now.local_midnight()),
        written: DateWriting::Shortest,
    }))
}

pub(super) fn now(scope: &Scope<'_>, _: &[Expression]) -> Result<Object, EvaluationError> {
    Ok(Object::Date(DateValue {
        moment: Some(scope.context.now),
        written: DateWriting::WithTime,
    }))
}

/// The moment that a value means: ISO text, or days since 1970 as a number; none where it means neither.
fn moment_of(scope: &Scope<'_>, object: &Object) -> Option<Moment> {
    let offset = scope.context.now.utc_offset_minutes;
    match object {
        Object::Number(days) => Moment::from_days(*days, offset),
        Object::Boolean(_) => None,
        Object::Date(date) => date.moment,
        Object::Text(_) | Object::Nodes(_) => {
            let text = object.to_text(scope.tree);
            Moment::parse(&text, offset).or_else(|| Moment::from_days(scope.text_number(&text), offset))
        }
    }
}

fn moment(scope: &Scope<'_>, argument: &Expression) -> Result<Option<Moment>, EvaluationError> {
    let object = scope.evaluate(argument)?;
    Ok(moment_of(scope, &object))
}

/// `date(x)` and `date-time(x)`: x as a date; blank for blank text and truth values.
pub(super) fn date(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let object = scope.evaluate(&arguments[0])?;
    let blank = match &object {
        Object::Boolean(_) => true,
        Object::Text(_) | Object::Nodes(_) => object.to_text(scope.tree).is_empty(),
        Object::Number(_) | Object::Date(_) => false,
    };
    if blank {
        return Ok(Object::Text(String::new()));
    }
    Ok(Object::Date(DateValue {
        moment: moment_of(scope, &object),
        written: DateWriting::Shortest,
    }))
}

/// `format-date(x, pattern)`: see [`Moment::format`]; blank where x is no date.
pub(super) fn format_date(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let pattern = scope.text(&arguments[1])?;
    let moment = moment(scope, &arguments[0])?;
    Ok(Object::Text(
        moment.map_or_else(String::new, |moment| moment.format(&pattern)),
    ))
}

pub(super) fn decimal_date_time(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let moment = moment(scope, &arguments[0])?;
    Ok(Object::Number(moment.map_or(f64::NAN, Moment::days)))
}

/// `decimal-time(x)`: the time of day as a share of the day, moved to the place's offset from UTC.
pub(super) fn decimal_time(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    const MINUTES_A_DAY: f64 = 1440.0;
    let text = scope.text(&arguments[0])?;
    let time = text.split_once('T').map_or(text.as_str(), |(_, time)| time);
    let here = scope.context.now.utc_offset_minutes;
    Ok(Object::Number(milliseconds_of_day(time).map_or(
        f64::NAN,
        |(of_day, offset)| {
            let minutes = of_day as f64 / 60_000.0 + f64::from(here - offset.unwrap_or(here));
            (minutes / MINUTES_A_DAY).rem_euclid(1.0)
        },
    )))
}
