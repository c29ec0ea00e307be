//! Splits the text of an expression into tokens (XPath 1.0 §3.7).

use std::ops::Range;

use thiserror::Error;

use crate::Phrase;

/// The longest expression that is read, in bytes.
pub const MAX_EXPRESSION_BYTES: usize = 65_536;

/// Why the text of an expression cannot be read, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{kind} (at byte {offset})")]
pub struct SyntaxError {
    /// The byte of the expression's text at which reading failed.
    pub offset: usize,
    /// What is wrong there.
    pub kind: SyntaxErrorKind,
}

/// What is wrong in the text of an expression.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SyntaxErrorKind {
    /// The text is longer than [`MAX_EXPRESSION_BYTES`].
    #[error("the expression has {0} bytes; at most {MAX_EXPRESSION_BYTES} are allowed")]
    TooLong(usize),
    /// Brackets, calls or operators are nested deeper than [`super::MAX_DEPTH`].
    #[error(
        "the expression is nested too deeply; at most {} levels are allowed",
        super::MAX_DEPTH
    )]
    TooDeep,
    /// A quote is opened and not closed.
    #[error("the text that starts here lacks its closing quote")]
    OpenQuote,
    /// `${` without a name and `}`.
    #[error("a question reference is written ${{name}}")]
    BadReference,
    /// A character that begins no token.
    #[error("{0:?} is not part of an expression")]
    BadCharacter(char),
    /// A token where another kind of token belongs.
    #[error("expected {expected}, found {}", .found.as_deref().unwrap_or("the end"))]
    Unexpected {
        /// What would be right.
        expected: Phrase,
        /// What is there; none at the end.
        found: Option<String>,
    },
    /// A function that the table does not list.
    #[error("there is no function {0}()")]
    UnknownFunction(String),
    /// A function with too few or too many arguments.
    #[error("{name}() takes {expected}, not {found}")]
    WrongArity {
        /// The function.
        name: &'static str,
        /// How many it takes, in words.
        expected: String,
        /// How many are written.
        found: usize,
    },
    /// An axis that XPath does not have.
    #[error("there is no axis {0}::")]
    UnknownAxis(String),
}

impl SyntaxError {
    /// Two lines that show the place: the line of `source` that holds the error and a caret under it.
    pub fn caret(&self, source: &str) -> String {
        let mut offset = self.offset.min(source.len());
        while !source.is_char_boundary(offset) {
            offset -= 1;
        }
        let (before, after) = source.split_at(offset);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line_before = &before[start..];
        let line_after = after.split('\n').next().unwrap_or("");
        format!(
            "{line_before}{line_after}\n{}^",
            " ".repeat(line_before.chars().count())
        )
    }

    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        format!("{} (tại byte {})", self.kind.vietnamese(), self.offset)
    }
}

impl SyntaxErrorKind {
    /// The error in Vietnamese, without its place.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::TooLong(bytes) => {
                format!("biểu thức dài {bytes} byte; tối đa {MAX_EXPRESSION_BYTES} byte")
            }
            Self::TooDeep => format!("biểu thức lồng quá sâu; tối đa {} tầng", super::MAX_DEPTH),
            Self::OpenQuote => "chuỗi bắt đầu ở đây thiếu dấu nháy đóng".to_owned(),
            Self::BadReference => "tham chiếu câu hỏi phải viết là ${tên}".to_owned(),
            Self::BadCharacter(character) => format!("ký tự {character:?} không thuộc biểu thức"),
            Self::Unexpected { expected, found } => {
                let found = found.as_deref().unwrap_or("chỗ kết thúc");
                format!("cần {}, nhưng gặp {found}", expected.vietnamese)
            }
            Self::UnknownFunction(name) => format!("không có hàm {name}()"),
            Self::WrongArity { name, expected, found } => {
                format!("hàm {name}() nhận {expected} đối số, không phải {found}")
            }
            Self::UnknownAxis(name) => format!("không có trục {name}::"),
        }
    }
}

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    Number(f64),
    Literal(String),
    /// `$name`
    Variable(String),
    /// `${name}`
    Question(String),
    /// `${last-saved#name}`
    LastSaved(String),
    /// A name; whether it is an operator, a function, an axis or a node test is for the parser to decide.
    Name {
        prefix: Option<String>,
        local: String,
    },
    /// `prefix:*`
    AnyWithPrefix(String),
    /// Punctuation and operators other than names.
    Symbol(&'static str),
}

impl Token {
    /// Whether an operand may end with the token (XPath 1.0 §3.7).
    fn ends_operand(&self) -> bool {
        match self {
            Self::Symbol(symbol) => matches!(*symbol, ")" | "]" | "." | ".."),
            Self::Name { prefix: None, local } => !matches!(local.as_str(), "and" | "or" | "div" | "mod"),
            _ => true,
        }
    }

    /// The token as shown in messages.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Number(number) => super::object::number_to_text(*number),
            Self::Literal(text) => format!("text {text:?}"),
            Self::Variable(name) => format!("${name}"),
            Self::Question(name) => format!("${{{name}}}"),
            Self::LastSaved(name) => format!("${{{LAST_SAVED}{name}}}"),
            Self::Name { prefix: None, local } => local.clone(),
            Self::Name {
                prefix: Some(prefix),
                local,
            } => format!("{prefix}:{local}"),
            Self::AnyWithPrefix(prefix) => format!("{prefix}:*"),
            Self::Symbol(symbol) => (*symbol).to_owned(),
        }
    }
}

/// Longest first, so that `<=` is not read as `<` and `=`.
const SYMBOLS: [&str; 22] = [
    "::", "//", "..", "!=", "<=", ">=", "(", ")", "[", "]", "@", ",", "/", "|", "+", "-", "=", "<", ">", "*", ".", ":",
];

/// A token and the bytes of the source that it stands on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LocatedToken {
    pub(crate) span: Range<usize>,
    pub(crate) token: Token,
}

/// The tokens of `source`.
pub(crate) fn tokens(source: &str) -> Result<Vec<LocatedToken>, SyntaxError> {
    if source.len() > MAX_EXPRESSION_BYTES {
        return Err(SyntaxError {
            offset: MAX_EXPRESSION_BYTES,
            kind: SyntaxErrorKind::TooLong(source.len()),
        });
    }
    let mut found: Vec<LocatedToken> = Vec::new();
    let mut offset = 0;
    while let Some(first) = source[offset..].chars().next() {
        if first.is_whitespace() {
            offset += first.len_utf8();
            continue;
        }
        let rest = &source[offset..];
        let (token, length) = match operator_name(rest) {
            // After an operand a name can only be an operator, so `1and1` is three tokens.
            Some(operator) if found.last().is_some_and(|last| last.token.ends_operand()) => (
                Token::Name {
                    prefix: None,
                    local: operator.to_owned(),
                },
                operator.len(),
            ),
            _ => token_at(rest, first).map_err(|kind| SyntaxError { offset, kind })?,
        };
        let span = offset..offset + length;
        offset = span.end;
        found.push(LocatedToken { span, token });
    }
    Ok(found)
}

/// The operator at the start of `rest` where a number follows it directly, as in `and1` or `mod-2`.
fn operator_name(rest: &str) -> Option<&'static str> {
    ["and", "or", "div", "mod"].into_iter().find(|name| {
        rest.strip_prefix(name)
            .is_some_and(|after| after.starts_with(|next: char| next.is_ascii_digit() || matches!(next, '-' | '.')))
    })
}

/// What stands before a question's name where the answer of the form saved last is meant.
pub(crate) const LAST_SAVED: &str = "last-saved#";

/// The token at the start of `rest` and its length in bytes.
fn token_at(rest: &str, first: char) -> Result<(Token, usize), SyntaxErrorKind> {
    if first == '"' || first == '\'' {
        let end = rest[1..].find(first).ok_or(SyntaxErrorKind::OpenQuote)?;
        return Ok((Token::Literal(rest[1..=end].to_owned()), end + 2));
    }
    if first.is_ascii_digit() || (first == '.' && rest[1..].starts_with(|next: char| next.is_ascii_digit())) {
        let length = number_length(rest);
        // Digits and at most one point always parse; too many digits for a double become its largest value.
        let number = rest[..length].parse::<f64>().unwrap_or(f64::MAX).min(f64::MAX);
        return Ok((Token::Number(number), length));
    }
    if let Some(after) = rest.strip_prefix("${") {
        let end = after.find('}').ok_or(SyntaxErrorKind::BadReference)?;
        let written = after[..end].trim();
        let last_saved = written.strip_prefix(LAST_SAVED);
        let name = last_saved.unwrap_or(written);
        if name.is_empty() || name_length(name) != name.len() {
            return Err(SyntaxErrorKind::BadReference);
        }
        let token = match last_saved {
            Some(name) => Token::LastSaved(name.to_owned()),
            None => Token::Question(name.to_owned()),
        };
        return Ok((token, end + 3));
    }
    if let Some(after) = rest.strip_prefix('$') {
        let (name, length) = qualified_name(after).ok_or(SyntaxErrorKind::BadReference)?;
        return match name {
            Token::Name { .. } => Ok((Token::Variable(after[..length].to_owned()), length + 1)),
            _ => Err(SyntaxErrorKind::BadReference),
        };
    }
    if let Some((name, length)) = qualified_name(rest) {
        return Ok((name, length));
    }
    SYMBOLS
        .iter()
        .find(|symbol| rest.starts_with(**symbol))
        .map(|symbol| (Token::Symbol(symbol), symbol.len()))
        .ok_or(SyntaxErrorKind::BadCharacter(first))
}

/// Length of `Digits ('.' Digits?)? | '.' Digits`.
fn number_length(text: &str) -> usize {
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(0);
    if text[whole..].starts_with('.') {
        whole + 1 + digits(whole + 1)
    } else {
        whole
    }
}

/// A name with an optional prefix, or `prefix:*`.
fn qualified_name(text: &str) -> Option<(Token, usize)> {
    let first = name_length(text);
    if first == 0 {
        return None;
    }
    let name = text[..first].to_owned();
    let after = &text[first..];
    if let Some(local) = after.strip_prefix(':')
        && !local.starts_with(':')
    {
        if local.starts_with('*') {
            return Some((Token::AnyWithPrefix(name), first + 2));
        }
        let second = name_length(local);
        if second > 0 {
            let token = Token::Name {
                prefix: Some(name),
                local: local[..second].to_owned(),
            };
            return Some((token, first + 1 + second));
        }
    }
    Some((
        Token::Name {
            prefix: None,
            local: name,
        },
        first,
    ))
}

/// Length of the name (XML Namespaces 1.0, NCName) at the start of `text`; 0 if there is none.
pub(crate) fn name_length(text: &str) -> usize {
    let mut length = 0;
    for (position, character) in text.char_indices() {
        let fits = character.is_alphabetic()
            || character == '_'
            || (position > 0 && (character.is_alphanumeric() || matches!(character, '-' | '.' | '\u{b7}')))
            || (position > 0 && ('\u{300}'..='\u{36f}').contains(&character));
        if !fits {
            break;
        }
        length = position + character.len_utf8();
    }
    length
}
