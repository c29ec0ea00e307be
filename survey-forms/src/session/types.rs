//! Whether a value is of its question's type (XLSForm reference, "Question types"; ODK XForms, "Data types").

use std::collections::BTreeSet;

use super::{Refusal, Session};
use crate::Phrase;
use crate::answers::{AnswerPath, AnswersMut, Value};
use crate::model::{FormNode, NodeKind};
use crate::xpath::{Date, Moment};

const INTEGER: Phrase = Phrase::new("a whole number", "số nguyên");
const DECIMAL: Phrase = Phrase::new("a number", "số");
const RANGE: Phrase = Phrase::new("a number of the scale", "một số của thang đo");
const DATE: Phrase = Phrase::new("a date YYYY-MM-DD", "ngày dạng NNNN-TT-NN");
const TIME: Phrase = Phrase::new("a time HH:MM:SS", "giờ dạng GG:PP:GG");
const DATE_TIME: Phrase = Phrase::new(
    "a date and time YYYY-MM-DDTHH:MM:SS",
    "ngày giờ dạng NNNN-TT-NNTGG:PP:GG",
);
const GEOPOINT: Phrase = Phrase::new("latitude longitude altitude accuracy", "vĩ độ, kinh độ, độ cao, sai số");
const GEOTRACE: Phrase = Phrase::new(
    "at least two points separated by ;",
    "ít nhất hai điểm cách nhau bằng dấu ;",
);
const GEOSHAPE: Phrase = Phrase::new(
    "at least four points separated by ;, the last the same as the first",
    "ít nhất bốn điểm cách nhau bằng dấu ;, điểm cuối trùng điểm đầu",
);
const ACKNOWLEDGED: Phrase = Phrase::new("OK", "OK");
const CHOICE: Phrase = Phrase::new("the name of a choice", "tên một lựa chọn");
const CHOICES: Phrase = Phrase::new("the names of choices", "tên các lựa chọn");
const RANKING: Phrase = Phrase::new(
    "the names of all choices in order, separated by spaces",
    "tên mọi lựa chọn theo thứ tự, cách nhau bằng dấu cách",
);
const FILE: Phrase = Phrase::new("the name of a file, without a folder", "tên tệp, không kèm thư mục");
const TEXT: Phrase = Phrase::new("text", "chữ");

impl<S: AnswersMut> Session<'_, S> {
    pub(super) fn check_type(&self, row: &FormNode, path: &AnswerPath, value: &Value) -> Result<(), Refusal> {
        let expected = match &row.kind {
            NodeKind::Integer => INTEGER,
            NodeKind::Decimal => DECIMAL,
            NodeKind::Range => RANGE,
            NodeKind::Date => DATE,
            NodeKind::Time => TIME,
            NodeKind::DateTime => DATE_TIME,
            NodeKind::Geopoint => GEOPOINT,
            NodeKind::Geotrace => GEOTRACE,
            NodeKind::Geoshape => GEOSHAPE,
            NodeKind::Acknowledge => ACKNOWLEDGED,
            NodeKind::SelectOne { .. } | NodeKind::SelectOneExternal { .. } => CHOICE,
            NodeKind::SelectMultiple { .. } => CHOICES,
            NodeKind::Rank { .. } => RANKING,
            NodeKind::Image | NodeKind::Audio | NodeKind::Video | NodeKind::File | NodeKind::Osm { .. } => FILE,
            _ => TEXT,
        };
        let fits = match (&row.kind, value) {
            (NodeKind::Integer, value) => matches!(value, Value::Integer(_)),
            (NodeKind::Decimal, value) => number(value).is_some_and(f64::is_finite),
            (NodeKind::Range, value) => number(value).is_some_and(|number| is_on_scale(row, number)),
            (NodeKind::SelectMultiple { .. }, Value::Choices(names)) => {
                return self.check_choices(path, names.iter().map(String::as_str));
            }
            (_, Value::Text(text)) => match &row.kind {
                NodeKind::SelectMultiple { .. } => false,
                NodeKind::Date => Date::parse(text).is_some(),
                NodeKind::Time => is_time(text),
                NodeKind::DateTime => {
                    text.contains('T') && Moment::parse(text, self.context.now.utc_offset_minutes).is_some()
                }
                NodeKind::Geopoint => is_geopoint(text),
                NodeKind::Geotrace => points(text).is_some_and(|points| points.len() >= 2),
                NodeKind::Geoshape => points(text).is_some_and(|points| {
                    points.len() >= 4
                        && points.first().map(|point| place(point)) == points.last().map(|point| place(point))
                }),
                NodeKind::Acknowledge => text == "OK",
                NodeKind::SelectOne { .. } | NodeKind::SelectOneExternal { .. } => {
                    return self.check_choices(path, std::iter::once(text.as_str()));
                }
                NodeKind::Rank { .. } => return self.check_ranking(path, text),
                NodeKind::Image | NodeKind::Audio | NodeKind::Video | NodeKind::File | NodeKind::Osm { .. } => {
                    !text.contains(['/', '\\']) && text != "." && text != ".."
                }
                _ => true,
            },
            _ => false,
        };
        if fits {
            return Ok(());
        }
        Err(Refusal::WrongType {
            expected,
            found: value.to_string(),
        })
    }

    fn check_choices<'n>(&self, path: &AnswerPath, names: impl Iterator<Item = &'n str>) -> Result<(), Refusal> {
        // The choices of a file are not here to compare with.
        let Some(offered) = self.known_choices(path) else {
            return Ok(());
        };
        for name in names {
            if !offered.iter().any(|choice| choice.name == name) {
                return Err(Refusal::UnknownChoice(name.to_owned()));
            }
        }
        Ok(())
    }

    /// A ranking names offered choices, none twice, and all of them where it is known which these are.
    fn check_ranking(&self, path: &AnswerPath, text: &str) -> Result<(), Refusal> {
        let names: Vec<&str> = text.split_ascii_whitespace().collect();
        self.check_choices(path, names.iter().copied())?;
        let distinct: BTreeSet<&str> = names.iter().copied().collect();
        let offered = self.known_choices(path);
        let is_complete = offered.is_none_or(|offered| offered.len() == names.len());
        if distinct.len() == names.len() && is_complete {
            return Ok(());
        }
        Err(Refusal::WrongType {
            expected: RANKING,
            found: text.to_owned(),
        })
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(number) => Some(*number as f64),
        Value::Decimal(number) => Some(*number),
        _ => None,
    }
}

/// Whether a number is one that the scale offers: from `start` (1) to `end` (10) in steps of `step` (1).
fn is_on_scale(row: &FormNode, number: f64) -> bool {
    /// How far a step may be off, for steps such as 0.1 have no exact binary form.
    const TOLERANCE: f64 = 1e-9;
    let parameter = |name: &str, otherwise: f64| {
        let written = row.parameters.get(name);
        written.and_then(|text| text.parse::<f64>().ok()).unwrap_or(otherwise)
    };
    let (start, end) = (parameter("start", 1.0), parameter("end", 10.0));
    let step = parameter("step", 1.0).abs();
    let steps = (number - start).abs() / step;
    let is_within = number >= start.min(end) - TOLERANCE && number <= start.max(end) + TOLERANCE;
    is_within && (steps - steps.round()).abs() <= TOLERANCE * steps.max(1.0)
}

/// `HH:MM`, with seconds, their fraction and an offset from UTC as may be.
fn is_time(text: &str) -> bool {
    Moment::parse(&format!("2000-01-01T{text}"), 0).is_some()
}

/// The points of a line, if all are points.
fn points(text: &str) -> Option<Vec<&str>> {
    let text = text.trim();
    let text = text.strip_suffix(';').unwrap_or(text);
    let points: Vec<&str> = text.split(';').map(str::trim).collect();
    points.iter().all(|point| is_geopoint(point)).then_some(points)
}

/// Latitude and longitude of a point.
fn place(point: &str) -> Vec<&str> {
    point.split_ascii_whitespace().take(2).collect()
}

/// Two to four numbers: latitude and longitude in degrees, altitude and accuracy in metres.
fn is_geopoint(text: &str) -> bool {
    let numbers: Option<Vec<f64>> = text.split_ascii_whitespace().map(|part| part.parse().ok()).collect();
    let Some(numbers) = numbers else { return false };
    match numbers.as_slice() {
        [latitude, longitude, rest @ ..] => {
            latitude.abs() <= 90.0
                && longitude.abs() <= 180.0
                && rest.len() <= 2
                && rest.iter().all(|number| number.is_finite())
                && rest.get(1).is_none_or(|accuracy| *accuracy >= 0.0)
        }
        _ => false,
    }
}
