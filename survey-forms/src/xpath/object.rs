//! The four kinds of results and the conversions between them (XPath 1.0 §1, §3.2 and §4).

use super::calendar::Moment;
use super::tree::{NodeId, Tree};

/// The result of an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Object {
    /// A truth value.
    Boolean(bool),
    /// A double-precision number.
    Number(f64),
    /// Text; in an ODK XForms instance dates and times are ISO 8601 text too.
    Text(String),
    /// The result of a date function: a number of days that is written as a date.
    Date(DateValue),
    /// Nodes without repetition, in document order unless `randomize()` gave them.
    Nodes(Vec<NodeId>),
}

/// The result of a date function. It counts as a number, days since 1970-01-01T00:00Z, so it compares with dates however
/// they are written; its text is a date (as in ODK Web Forms' engine).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateValue {
    /// The moment; none where the function was given something that is no date.
    pub moment: Option<Moment>,
    /// How it is written.
    pub written: DateWriting,
}

/// How a [`DateValue`] is written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateWriting {
    /// ISO 8601: the date alone where it is midnight.
    Shortest,
    /// ISO 8601 with time and offset: `now()`.
    WithTime,
    /// Whole days since 1970-01-01: `number()` of a date.
    Days,
}

impl DateValue {
    fn to_text(self) -> String {
        let Some(moment) = self.moment else {
            return INVALID_DATE.to_owned();
        };
        match self.written {
            DateWriting::Shortest => moment.to_text(),
            DateWriting::WithTime => moment.to_date_time_text(),
            DateWriting::Days => number_to_text(moment.days().floor()),
        }
    }
}

/// The text of a date that is none, as ODK Web Forms' engine writes it.
const INVALID_DATE: &str = "Invalid Date";

/// The types of results (XPath 1.0 §1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // each variant is the standard's type of that name
pub enum ObjectType {
    Boolean,
    Number,
    String,
    NodeSet,
}

impl ObjectType {
    /// The standard's name of the type.
    pub fn name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Number => "number",
            Self::String => "string",
            Self::NodeSet => "node-set",
        }
    }
}

impl Object {
    /// The type; a date counts as text here, for that is how it goes into an instance, and `number()` of one as a number.
    pub fn object_type(&self) -> ObjectType {
        match self {
            Self::Boolean(_) => ObjectType::Boolean,
            Self::Number(_) => ObjectType::Number,
            Self::Date(date) if date.written == DateWriting::Days => ObjectType::Number,
            Self::Text(_) | Self::Date(_) => ObjectType::String,
            Self::Nodes(_) => ObjectType::NodeSet,
        }
    }

    /// The text that goes into an answer: as [`Self::to_text`], but blank for what is not a number or not a date.
    pub fn to_answer(&self, tree: &Tree) -> String {
        match self {
            Self::Number(number) if number.is_nan() => String::new(),
            Self::Date(date) if date.moment.is_none() => String::new(),
            other => other.to_text(tree),
        }
    }

    /// Conversion to a truth value (XPath 1.0 §4.3): false for zero, NaN, empty text and the empty node set.
    pub fn to_boolean(&self) -> bool {
        match self {
            Self::Boolean(value) => *value,
            Self::Number(number) => *number != 0.0 && !number.is_nan(),
            Self::Text(text) => !text.is_empty(),
            Self::Date(date) => match date.written {
                DateWriting::Days => date.moment.is_some(),
                _ => date.moment.is_some_and(|moment| moment.unix_milliseconds != 0),
            },
            Self::Nodes(nodes) => !nodes.is_empty(),
        }
    }

    /// Conversion to a number (XPath 1.0 §4.4); a date becomes days since 1970-01-01T00:00Z as in ODK XForms. A date
    /// without a time is midnight where the offset from UTC is `utc_offset_minutes`.
    pub fn to_number(&self, tree: &Tree, utc_offset_minutes: i32) -> f64 {
        match self {
            Self::Boolean(value) => f64::from(u8::from(*value)),
            Self::Number(number) => *number,
            Self::Text(text) => text_to_number(text, utc_offset_minutes),
            Self::Date(date) => date.moment.map_or(f64::NAN, Moment::days),
            Self::Nodes(nodes) => nodes.first().map_or(f64::NAN, |node| {
                text_to_number(&tree.text_of(*node), utc_offset_minutes)
            }),
        }
    }

    /// Conversion to text (XPath 1.0 §4.2): of a node set, the text of its first node.
    pub fn to_text(&self, tree: &Tree) -> String {
        match self {
            Self::Boolean(value) => value.to_string(),
            Self::Number(number) => number_to_text(*number),
            Self::Text(text) => text.clone(),
            Self::Date(date) => date.to_text(),
            Self::Nodes(nodes) => nodes
                .first()
                .map_or_else(String::new, |node| tree.text_of(*node).into_owned()),
        }
    }
}

/// A number as text (XPath 1.0 §4.2): decimal digits without exponent, `NaN`, `Infinity` or `-Infinity`; negative zero
/// is `0`.
pub fn number_to_text(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else if number == 0.0 {
        "0".to_owned()
    } else {
        number.to_string()
    }
}

/// Text as a number (XPath 1.0 §4.4): an optional minus and decimal digits between optional white space, and, as other
/// programs write small numbers so, an exponent; NaN for anything else except an ISO 8601 date or date with time, which
/// becomes days since 1970-01-01T00:00Z.
pub fn text_to_number(text: &str, utc_offset_minutes: i32) -> f64 {
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && digits.bytes().any(|byte| byte.is_ascii_digit());
    if plain || has_exponent(digits) {
        return text.parse().unwrap_or(f64::NAN);
    }
    Moment::parse(text, utc_offset_minutes).map_or(f64::NAN, |moment| moment.days())
}

/// Whether digits, a point perhaps, and an exponent are all there is.
fn has_exponent(digits: &str) -> bool {
    let Some((mantissa, exponent)) = digits.split_once(['e', 'E']) else {
        return false;
    };
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(&mantissa.replacen('.', "", 1)) && is_digits(exponent)
}
