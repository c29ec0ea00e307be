//! Functions on dates and times (ODK XForms specification, "Date functions").

use super::super::calendar::{Moment, milliseconds_of_day};
use super::{EvaluationError, Expression, Object, Scope};

pub(super) fn today(scope: &Scope<'_>, _: &[Expression]) -> Result<Object, EvaluationError> {
    let date = scope.context.now.date();
    Ok(Object::Text(date.map_or_else(String::new, |date| date.to_string())))
}

pub(super) fn now(scope: &Scope<'_>, _: &[Expression]) -> Result<Object, EvaluationError> {
    Ok(Object::Text(scope.context.now.to_date_time_text()))
}

/// The moment that an argument means: ISO text, or days since 1970 as a number; none where it means neither.
fn moment(scope: &Scope<'_>, argument: &Expression) -> Result<Option<Moment>, EvaluationError> {
    let offset = scope.context.now.utc_offset_minutes;
    Ok(match scope.evaluate(argument)? {
        Object::Number(days) => Moment::from_days(days, offset),
        Object::Boolean(_) => None,
        other => {
            let text = other.to_text(scope.tree);
            Moment::parse(&text, offset).or_else(|| {
                let days = scope.text_number(&text);
                Moment::from_days(days, offset)
            })
        }
    })
}

/// `date(x)` and `date-time(x)`: x as ISO 8601 text; blank where x is no date.
pub(super) fn date(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let moment = moment(scope, &arguments[0])?;
    Ok(Object::Text(moment.map_or_else(String::new, Moment::to_text)))
}

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
