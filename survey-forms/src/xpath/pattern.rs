//! Regular expressions of `regex()`: patterns as Java and JavaScript write them, matched in linear time.
//!
//! Forms are written for JavaRosa (`java.util.regex`) and ODK Web Forms (JavaScript). [`Pattern::new`] translates what
//! both allow and the matcher writes otherwise, and refuses by name what cannot be matched in linear time (looking
//! ahead or behind, references to groups, possessive quantifiers), for a pattern that takes exponential time would
//! freeze a phone.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use regex_lite::{Regex, RegexBuilder};
use thiserror::Error;

/// The largest compiled pattern, in bytes.
const MAX_COMPILED_BYTES: usize = 1 << 20;
/// The longest pattern, in bytes.
const MAX_PATTERN_BYTES: usize = 4_096;

/// A pattern that is ready for matching.
#[derive(Debug, Clone)]
pub struct Pattern {
    whole: Regex,
    part: Regex,
}

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PatternError {
    /// The pattern is too long.
    #[error("it is longer than {MAX_PATTERN_BYTES} bytes")]
    TooLong,
    /// `(?=…)`, `(?!…)`, `(?<=…)` or `(?<!…)`.
    #[error("looking ahead or behind, {0}…), is not supported; write two conditions joined by 'and' instead")]
    LookAround(String),
    /// `\1` or `\k<name>`.
    #[error("a reference to a group, {0}, is not supported")]
    GroupReference(String),
    /// `a++`, `a*+` or `a?+`.
    #[error("a possessive quantifier, {0}, is not supported; leave out its second +")]
    Possessive(String),
    /// `\p{…}` of something that the table of classes does not list.
    #[error("there is no class {0} here; use \\p{{L}}, \\p{{Lu}}, \\p{{Ll}}, \\p{{M}}, \\p{{N}}, \\p{{P}} or \\p{{Z}}")]
    UnknownClass(String),
    /// `[a-z&&[…]]`.
    #[error("an intersection of classes, &&, is not supported")]
    Intersection,
    /// Anything else, in the words of the matcher.
    #[error("{0}")]
    Malformed(String),
}

impl PatternError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::TooLong => format!("mẫu dài quá {MAX_PATTERN_BYTES} byte"),
            Self::LookAround(written) => {
                format!("không hỗ trợ nhìn trước hay nhìn sau {written}…); hãy viết hai điều kiện nối bằng 'and'")
            }
            Self::GroupReference(written) => format!("không hỗ trợ tham chiếu nhóm {written}"),
            Self::Possessive(written) => format!("không hỗ trợ lượng từ chiếm giữ {written}; hãy bỏ dấu + thứ hai"),
            Self::UnknownClass(written) => format!(
                "không có lớp ký tự {written}; dùng \\p{{L}}, \\p{{Lu}}, \\p{{Ll}}, \\p{{M}}, \\p{{N}}, \\p{{P}} hoặc \\p{{Z}}"
            ),
            Self::Intersection => "không hỗ trợ phép giao lớp ký tự &&".to_owned(),
            Self::Malformed(reason) => format!("mẫu viết sai: {reason}"),
        }
    }
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Where the pattern is malformed, too large, or cannot be matched in linear time.
    pub fn new(pattern: &str) -> Result<Self, PatternError> {
        if pattern.len() > MAX_PATTERN_BYTES {
            return Err(PatternError::TooLong);
        }
        let translated = Translator::new(pattern).translate()?;
        Ok(Self {
            // Alone first, for a stray bracket must not pair with those around it.
            part: compile(&translated)?,
            whole: compile(&format!("^(?:{translated})$"))?,
        })
    }

    /// Whether the whole text matches.
    pub fn matches_whole(&self, text: &str) -> bool {
        self.whole.is_match(text)
    }

    /// Whether any part of the text matches.
    pub fn matches_part(&self, text: &str) -> bool {
        self.part.is_match(text)
    }
}

fn compile(pattern: &str) -> Result<Regex, PatternError> {
    RegexBuilder::new(pattern)
        .size_limit(MAX_COMPILED_BYTES)
        .build()
        .map_err(|error| PatternError::Malformed(error.to_string()))
}

/// Writes a pattern in the matcher's own syntax.
struct Translator<'p> {
    rest: std::iter::Peekable<std::str::Chars<'p>>,
    output: String,
    in_class: bool,
}

impl<'p> Translator<'p> {
    fn new(pattern: &'p str) -> Self {
        Self {
            rest: pattern.chars().peekable(),
            output: String::new(),
            in_class: false,
        }
    }

    fn translate(mut self) -> Result<String, PatternError> {
        let mut class_start = false;
        while let Some(character) = self.rest.next() {
            let at_class_start = std::mem::take(&mut class_start);
            match character {
                '\\' => self.escape()?,
                '[' if self.in_class => self.output.push_str("\\["),
                '[' => {
                    self.in_class = true;
                    self.output.push('[');
                    if self.rest.next_if_eq(&'^').is_some() {
                        self.output.push('^');
                    }
                    class_start = true;
                }
                // The first bracket of a class is an ordinary character in Java.
                ']' if at_class_start => self.output.push_str("\\]"),
                ']' => {
                    self.in_class = false;
                    self.output.push(']');
                }
                '&' if self.in_class && self.rest.peek() == Some(&'&') => return Err(PatternError::Intersection),
                '&' | '~' if self.in_class => {
                    self.output.push('\\');
                    self.output.push(character);
                }
                '(' if !self.in_class => self.group()?,
                '*' | '+' | '?' | '}' if !self.in_class => {
                    self.output.push(character);
                    if self.rest.next_if_eq(&'+').is_some() {
                        return Err(PatternError::Possessive(format!("{character}+")));
                    }
                }
                '{' if !self.in_class && !self.is_counted() => self.output.push_str("\\{"),
                other => self.output.push(other),
            }
        }
        Ok(self.output)
    }

    /// Whether `{` begins a count such as `{2,5}`; elsewhere it is an ordinary character in JavaScript.
    fn is_counted(&mut self) -> bool {
        self.rest.peek().is_some_and(char::is_ascii_digit)
    }

    fn group(&mut self) -> Result<(), PatternError> {
        self.output.push('(');
        if self.rest.next_if_eq(&'?').is_none() {
            return Ok(());
        }
        self.output.push('?');
        match self.rest.peek() {
            Some('=' | '!') => Err(self.look_around("(?")),
            Some('<') => {
                self.rest.next();
                if matches!(self.rest.peek(), Some('=' | '!')) {
                    return Err(self.look_around("(?<"));
                }
                self.output.push('<');
                Ok(())
            }
            Some('>') => Err(PatternError::Possessive("(?>".to_owned())),
            _ => Ok(()),
        }
    }

    fn look_around(&mut self, opening: &str) -> PatternError {
        PatternError::LookAround(opening.chars().chain(self.rest.next()).collect())
    }

    fn escape(&mut self) -> Result<(), PatternError> {
        let Some(escaped) = self.rest.next() else {
            return Err(PatternError::Malformed("the pattern ends with \\".to_owned()));
        };
        match escaped {
            '1'..='9' if !self.in_class => return Err(PatternError::GroupReference(format!("\\{escaped}"))),
            'k' => return Err(PatternError::GroupReference("\\k".to_owned())),
            'p' | 'P' => return self.class(escaped == 'P'),
            // The end of the text, with and without a line end before it.
            'Z' => self.output.push_str("\\z"),
            'd' | 'D' | 'w' | 'W' | 's' | 'S' | 'b' | 'B' | 'A' | 'z' | 'n' | 'r' | 't' | 'f' | 'v' | 'a' => {
                self.output.push('\\');
                self.output.push(escaped);
            }
            'x' | 'u' => {
                self.output.push('\\');
                self.output.push(escaped);
            }
            // `\Q…\E` quotes in Java.
            'Q' => {
                let quoted: String = self.rest.by_ref().collect();
                let (inside, after) = quoted.split_once("\\E").unwrap_or((&quoted, ""));
                self.output.push_str(&regex_lite::escape(inside));
                let mut rest = Translator::new(after);
                rest.in_class = self.in_class;
                self.output.push_str(&rest.translate()?);
            }
            letter if letter.is_ascii_alphanumeric() => {
                return Err(PatternError::Malformed(format!("there is no escape \\{letter}")));
            }
            other => self
                .output
                .push_str(&regex_lite::escape(other.encode_utf8(&mut [0; 4]))),
        }
        Ok(())
    }

    /// `\p{…}`: the class's ranges, written out, for the matcher has no tables of Unicode.
    fn class(&mut self, negated: bool) -> Result<(), PatternError> {
        let name: String = if self.rest.next_if_eq(&'{').is_some() {
            self.rest.by_ref().take_while(|character| *character != '}').collect()
        } else {
            self.rest.next().into_iter().collect()
        };
        let contains = class_of(&name).ok_or_else(|| PatternError::UnknownClass(format!("\\p{{{name}}}")))?;
        let ranges = ranges_of(|character| contains(character) != negated);
        if !self.in_class {
            self.output.push('[');
        }
        for range in ranges {
            // Writing to a String cannot fail.
            let _ = write!(
                self.output,
                "\\u{{{:x}}}-\\u{{{:x}}}",
                *range.start() as u32,
                *range.end() as u32
            );
        }
        if !self.in_class {
            self.output.push(']');
        }
        Ok(())
    }
}

/// The characters of a named class, from the standard library's own tables of Unicode: of the general categories those
/// that forms use, and Java's names of ASCII classes.
fn class_of(name: &str) -> Option<fn(char) -> bool> {
    Some(match name {
        "L" | "Letter" | "IsL" | "IsLetter" | "IsAlphabetic" | "Alphabetic" | "LC" => {
            |c| c.is_alphabetic() && !is_mark(c)
        }
        "Lu" | "Uppercase_Letter" | "IsLu" | "IsUppercase" | "Uppercase" => char::is_uppercase,
        "Ll" | "Lowercase_Letter" | "IsLl" | "IsLowercase" | "Lowercase" => char::is_lowercase,
        "M" | "Mn" | "Mark" | "IsM" => is_mark,
        "N" | "Nd" | "Number" | "IsN" | "IsDigit" => char::is_numeric,
        "Z" | "Zs" | "Separator" | "IsWhite_Space" => |c| c.is_whitespace() && !c.is_control(),
        "P" | "Punctuation" | "IsP" | "IsPunctuation" => is_punctuation,
        "Alpha" => |c| c.is_ascii_alphabetic(),
        "Digit" => |c| c.is_ascii_digit(),
        "Alnum" => |c| c.is_ascii_alphanumeric(),
        "Upper" => |c| c.is_ascii_uppercase(),
        "Lower" => |c| c.is_ascii_lowercase(),
        "Punct" => |c| c.is_ascii_punctuation(),
        "Space" => |c| matches!(c, '\t'..='\r' | ' '),
        "ASCII" => |c| c.is_ascii(),
        _ => return None,
    })
}

/// The blocks of combining marks of Latin and general use; Vietnamese in decomposed form needs the first.
fn is_mark(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// ASCII punctuation that is no symbol, and the blocks of general punctuation.
fn is_punctuation(character: char) -> bool {
    match character {
        '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~' => false,
        '\u{a1}' | '\u{a7}' | '\u{ab}' | '\u{b6}' | '\u{b7}' | '\u{bb}' | '\u{bf}' => true,
        '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}' | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' => true,
        other => other.is_ascii_punctuation(),
    }
}

fn ranges_of(contains: impl Fn(char) -> bool) -> Vec<RangeInclusive<char>> {
    let mut ranges: Vec<RangeInclusive<char>> = Vec::new();
    let mut previous = None;
    for character in '\0'..=char::MAX {
        if contains(character) {
            match (ranges.last_mut(), previous) {
                (Some(range), Some(true)) => *range = *range.start()..=character,
                _ => ranges.push(character..=character),
            }
            previous = Some(true);
        } else {
            previous = Some(false);
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(pattern: &str, text: &str) -> bool {
        Pattern::new(pattern).unwrap().matches_whole(text)
    }

    #[test]
    fn patterns_of_real_forms_match_as_in_java_and_javascript() {
        for (pattern, text, matches) in [
            (r"^0\d{9}$", "0912345678", true),
            (r"0\d{9}", "09123456789", false),
            (r"[A-Z]{2}\-?\d+\/\d+", "HH-12/3", true),
            (r"[\w\.\-\_]+@[a-z0-9]+\.[a-z]{2,}", "a.b_c@xa.vn", true),
            (r"[[a]+", "[a[", true),
            (r"[]a]+", "]a]", true),
            (r"a|bc", "bc", true),
            (r"\p{L}+( \p{L}+)*", "Nguyễn Thị Đào", true),
            (r"\p{Lu}\p{Ll}+", "Đào", true),
            (r"[\p{L}\p{M}']+", "Thi\u{323}", true),
            (r"\P{N}+", "abc", true),
            (r"[^\p{L}]+", "123", true),
            (r"\Qa.b\E+", "a.bbb", true),
            (r"a{x", "a{x", true),
            (r"(?i)abc", "ABC", true),
            (r"(?<year>\d{4})", "2026", true),
            (r"", "", true),
            (r"\u00e9", "é", true),
        ] {
            assert_eq!(whole(pattern, text), matches, "{pattern} {text}");
        }
        assert!(Pattern::new("[0-9]{3}").unwrap().matches_part("1234"));
    }

    #[test]
    fn what_needs_backtracking_is_refused_by_name() {
        for pattern in [r"^(?!0)\d+", r"(?<=a)b", r"(?=.*\d).+", r"(?<!x)y"] {
            assert!(
                matches!(Pattern::new(pattern), Err(PatternError::LookAround(_))),
                "{pattern}"
            );
        }
        assert!(matches!(Pattern::new(r"(a)\1"), Err(PatternError::GroupReference(_))));
        assert!(matches!(Pattern::new(r"\d++"), Err(PatternError::Possessive(_))));
        assert!(matches!(Pattern::new(r"\p{Greek}"), Err(PatternError::UnknownClass(_))));
        assert!(matches!(Pattern::new(r"[a-z&&[^b]]"), Err(PatternError::Intersection)));
        for pattern in ["(", "[a", "a{2,1}", "*", "\\", "(?:(?:a{1000}){1000})"] {
            let error = Pattern::new(pattern).unwrap_err();
            assert!(!error.vietnamese().is_empty(), "{pattern}");
        }
    }

    #[test]
    fn patterns_that_explode_elsewhere_stay_linear() {
        let text = "a".repeat(50_000) + "!";
        assert!(!whole("(a+)+", &text));
        assert!(!whole("(a|aa)+", &text));
        assert!(!whole("(.*a){8}", &text));
    }
}
