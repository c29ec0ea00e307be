//! What XLSForm tells by the looks of a text: whether a default is an expression, and where a text refers to questions.
//!
//! The tokens are those by which pyxform (4.5, `parsing/expression.py`) tells defaults apart, so that both read a
//! workbook alike. They are coarser than those of the expression grammar: any text has tokens.

use super::kind::NodeKind;
use crate::xpath::{LAST_SAVED, name_length};

/// A coarse token of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LexicalKind {
    /// `*`, `+`, `-`, ` mod `, ` div `.
    MathOperator,
    /// `|`.
    Union,
    /// `)`.
    CloseParenthesis,
    /// `/`.
    PathSeparator,
    /// Quoted text.
    Literal,
    /// White space.
    WhiteSpace,
    /// `${name}`.
    Reference,
    /// `name(`.
    FunctionCall,
    /// `name[`.
    PredicateStart,
    /// `]`.
    PredicateEnd,
    /// Anything else.
    Other,
}

/// A token with its place in the text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LexicalToken {
    pub(crate) kind: LexicalKind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// The coarse tokens of a text.
pub(crate) fn tokens(text: &str) -> Vec<LexicalToken> {
    let mut tokens = Vec::new();
    let mut start = 0;
    while let Some((kind, length)) = first_token(&text[start..]) {
        let end = start + length;
        tokens.push(LexicalToken { kind, start, end });
        start = end;
    }
    tokens
}

fn first_token(rest: &str) -> Option<(LexicalKind, usize)> {
    let first = rest.chars().next()?;
    if let Some(length) = date_length(rest)
        .or_else(|| time_length(rest))
        .or_else(|| number_length(rest))
    {
        return Some((LexicalKind::Other, length));
    }
    for word in [" mod ", " div "] {
        if rest.starts_with(word) {
            return Some((LexicalKind::MathOperator, word.len()));
        }
    }
    for word in [" and ", " or "] {
        if rest.starts_with(word) {
            return Some((LexicalKind::Other, word.len()));
        }
    }
    let kind = match first {
        '*' | '+' | '-' => LexicalKind::MathOperator,
        '|' => LexicalKind::Union,
        ')' => LexicalKind::CloseParenthesis,
        '/' => LexicalKind::PathSeparator,
        // `]` counts as any other bracket before it could end a predicate: that is how the oracle reads it.
        '=' | '!' | '<' | '>' | '(' | '.' | ',' | '[' | '{' | '}' => LexicalKind::Other,
        ']' => LexicalKind::PredicateEnd,
        '"' | '\'' => match rest[1..].find(first) {
            Some(length) => return Some((LexicalKind::Literal, length + 2)),
            None => LexicalKind::Other,
        },
        '$' => match reference_length(rest) {
            Some(length) => return Some((LexicalKind::Reference, length)),
            None => LexicalKind::Other,
        },
        _ if first.is_whitespace() => {
            let length = rest.find(|next: char| !next.is_whitespace()).unwrap_or(rest.len());
            return Some((LexicalKind::WhiteSpace, length));
        }
        _ => return Some(word(rest, first)),
    };
    Some((kind, first.len_utf8()))
}

/// A name, with what follows it where that makes it a call or the start of a predicate.
fn word(rest: &str, first: char) -> (LexicalKind, usize) {
    let length = qualified_name_length(rest);
    if length == 0 {
        return (LexicalKind::Other, first.len_utf8());
    }
    match rest[length..].chars().next() {
        Some('(') => (LexicalKind::FunctionCall, length + 1),
        Some('[') => (LexicalKind::PredicateStart, length + 1),
        _ => (LexicalKind::Other, length),
    }
}

/// The length of `${name}` or `${last-saved#name}` at the beginning of a text.
pub(crate) fn reference_length(text: &str) -> Option<usize> {
    let inner = text.strip_prefix("${")?;
    let name = inner.strip_prefix(LAST_SAVED).unwrap_or(inner);
    let length = name_length(name);
    let rest = name[length..].strip_prefix('}')?;
    (length > 0).then(|| text.len() - rest.len())
}

/// A `${…}` in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reference<'a> {
    /// The question's name.
    pub(crate) name: &'a str,
    /// Whether the answer of the form saved last is meant.
    pub(crate) last_saved: bool,
    /// Where it begins, in bytes.
    pub(crate) start: usize,
    /// One past its last byte.
    pub(crate) end: usize,
}

/// The references in a text, those that are not well formed left out.
pub(crate) fn references(text: &str) -> impl Iterator<Item = Reference<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let start = from + text.get(from..)?.find("${")?;
            let Some(length) = reference_length(&text[start..]) else {
                from = start + 2;
                continue;
            };
            let end = start + length;
            from = end;
            let inner = &text[start + 2..end - 1];
            let (name, last_saved) = match inner.strip_prefix(LAST_SAVED) {
                Some(name) => (name, true),
                None => (inner, false),
            };
            return Some(Reference {
                name,
                last_saved,
                start,
                end,
            });
        }
    })
}

/// The place of the first `${` that does not begin a well-formed reference, in bytes.
#[cfg(feature = "workbook")]
pub(crate) fn malformed_reference(text: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = text[from..].find("${") {
        let start = from + found;
        match reference_length(&text[start..]) {
            Some(length) => from = start + length,
            // `${}` is no reference at all, not a broken one.
            None if text[start..].starts_with("${}") => from = start + 3,
            None => return Some(start),
        }
    }
    None
}

/// Whether the whole text is one reference.
pub(crate) fn is_reference(text: &str) -> bool {
    reference_length(text) == Some(text.len())
}

/// Whether a default is an expression: it calculates, refers to a question or calls a function. In dates and places a
/// hyphen is no minus.
pub(crate) fn is_dynamic_default(default: &str, kind: &NodeKind) -> bool {
    let hyphen_is_value = matches!(
        kind,
        NodeKind::Date | NodeKind::DateTime | NodeKind::Geopoint | NodeKind::Geotrace | NodeKind::Geoshape
    );
    for token in tokens(default) {
        if hyphen_is_value && token.kind == LexicalKind::MathOperator && &default[token.start..token.end] == "-" {
            return false;
        }
        if matches!(
            token.kind,
            LexicalKind::MathOperator | LexicalKind::Union | LexicalKind::Reference | LexicalKind::FunctionCall
        ) {
            return true;
        }
    }
    false
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// Length of a fixed pattern of digits (`d`) and other characters at the beginning of a text.
fn pattern_length(text: &str, pattern: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let fits = pattern.bytes().enumerate().all(|(place, expected)| {
        bytes.get(place).is_some_and(|found| match expected {
            b'd' => found.is_ascii_digit(),
            other => *found == other,
        })
    });
    fits.then_some(pattern.len())
}

fn date_length(text: &str) -> Option<usize> {
    let minus = usize::from(text.starts_with('-'));
    let length = minus + pattern_length(&text[minus..], "dddd-dd-dd")?;
    let time = text[length..].strip_prefix('T').and_then(time_length);
    Some(length + time.map_or(0, |time| time + 1))
}

fn time_length(text: &str) -> Option<usize> {
    let length = pattern_length(text, "dd:dd:dd")?;
    let rest = &text[length..];
    let zone = pattern_length(rest, "+dd:dd").or_else(|| pattern_length(rest, "-dd:dd"));
    let zone = zone.or_else(|| rest.starts_with('Z').then_some(1));
    Some(length + zone.unwrap_or(0))
}

fn number_length(text: &str) -> Option<usize> {
    let minus = usize::from(text.starts_with('-'));
    let rest = &text[minus..];
    let whole = digits(rest);
    let fraction = rest[whole..].strip_prefix('.').map(digits);
    match (whole, fraction) {
        (0, None | Some(0)) => None,
        (_, None) => Some(minus + whole),
        (_, Some(fraction)) => Some(minus + whole + 1 + fraction),
    }
}

fn qualified_name_length(text: &str) -> usize {
    let prefix = name_length(text);
    if prefix > 0
        && let Some(rest) = text[prefix..].strip_prefix(':')
    {
        let local = name_length(rest);
        if local > 0 {
            return prefix + 1 + local;
        }
    }
    prefix
}

/// Whether the text can name an XML element, with at most one prefix.
pub(crate) fn is_qualified_name(text: &str) -> bool {
    !text.is_empty() && qualified_name_length(text) == text.len()
}
