//! The four kinds of results and the conversions between them (XPath 1.0 §1, §3.2 and §4).

use super::calendar;
use super::tree::{NodeId, Tree};

/// The result of an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Object {
    /// A truth value.
    Boolean(bool),
    /// A double-precision number.
    Number(f64),
    /// Text; dates and times are ISO 8601 text, as in an ODK XForms instance.
    Text(String),
    /// Nodes in document order, without repetition.
    Nodes(Vec<NodeId>),
}

impl Object {
    /// Conversion to a truth value (XPath 1.0 §4.3): false for zero, NaN, empty text and the empty node set.
    pub fn to_boolean(&self) -> bool {
        match self {
            Self::Boolean(value) => *value,
            Self::Number(number) => *number != 0.0 && !number.is_nan(),
            Self::Text(text) => !text.is_empty(),
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

/// Text as a number (XPath 1.0 §4.4): an optional minus and decimal digits between optional white space; NaN for
/// anything else except an ISO 8601 date or date with time, which becomes days since 1970-01-01T00:00Z.
pub fn text_to_number(text: &str, utc_offset_minutes: i32) -> f64 {
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && digits.bytes().any(|byte| byte.is_ascii_digit());
    if plain {
        return text.parse().unwrap_or(f64::NAN);
    }
    calendar::Moment::parse(text, utc_offset_minutes).map_or(f64::NAN, |moment| moment.days())
}
