//! What [`super::check`] finds.

use std::fmt;
use std::ops::Range;

use super::functions::MAX_UUID_LENGTH;
use super::pattern::PatternError;

/// A mistake in an expression that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The bytes of the expression's text at fault.
    pub span: Range<usize>,
    /// What is wrong there.
    pub kind: FindingKind,
}

/// How bad a [`Finding`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The expression can be evaluated, but surely does not say what was meant.
    Warning,
    /// The expression can never work.
    Error,
}

/// What is wrong in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FindingKind {
    /// A value where the named function or operator needs nodes.
    NeedsNodes(&'static str),
    /// A number compared with text that is no number.
    NumberComparedWithText(String),
    /// A date compared with text that is no date.
    DateComparedWithText(String),
    /// A truth value compared with text.
    TruthComparedWithText(String),
    /// `<`, `>` and their like with text that is no number or date.
    OrderOfText(String),
    /// Text where a number is computed with.
    NotANumber(String),
    /// `selected('choice', ${question})`.
    SelectedTurnedRound(String),
    /// `selected(${question}, 'two choices')`.
    SeveralChoices(String),
    /// Text where a date is needed.
    NotADate(String),
    /// Text where a time of day is needed.
    NotATime(String),
    /// A letter that `format-date()` does not know; none at the end of the pattern.
    UnknownDateLetter(Option<char>),
    /// A pattern of `regex()` that cannot be used.
    BadPattern(PatternError),
    /// A word of which there are few.
    NotOneOf {
        /// What is written.
        written: String,
        /// What there is.
        known: &'static [&'static str],
    },
    /// `uuid()` with too great a length.
    LongUuid,
    /// A function whose arguments come in pairs, with half a pair.
    OddArguments(&'static str),
}

impl Finding {
    /// How bad it is.
    pub fn severity(&self) -> Severity {
        match self.kind {
            FindingKind::NeedsNodes(_)
            | FindingKind::NotADate(_)
            | FindingKind::NotATime(_)
            | FindingKind::BadPattern(_)
            | FindingKind::NotOneOf { .. }
            | FindingKind::LongUuid
            | FindingKind::OddArguments(_) => Severity::Error,
            FindingKind::NumberComparedWithText(_)
            | FindingKind::DateComparedWithText(_)
            | FindingKind::TruthComparedWithText(_)
            | FindingKind::OrderOfText(_)
            | FindingKind::NotANumber(_)
            | FindingKind::SelectedTurnedRound(_)
            | FindingKind::SeveralChoices(_)
            | FindingKind::UnknownDateLetter(_) => Severity::Warning,
        }
    }

    /// Two lines that show the place: the line of `source` in which the fault begins and carets under it.
    pub fn caret(&self, source: &str) -> String {
        let before = source.get(..self.span.start).unwrap_or("");
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = source.get(line_start..).and_then(|rest| rest.split('\n').next());
        let line = line.unwrap_or("");
        let indent = before.get(line_start..).map_or(0, |text| text.chars().count());
        let fault = source.get(self.span.clone()).and_then(|fault| fault.split('\n').next());
        let width = fault.map_or(1, |fault| fault.chars().count().max(1));
        format!("{line}\n{}{}", " ".repeat(indent), "^".repeat(width))
    }

    /// The finding in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match &self.kind {
            FindingKind::NeedsNodes(place) => {
                format!("{place} cần câu hỏi hoặc nhóm (tập nút) ở đây, không phải một giá trị")
            }
            FindingKind::NumberComparedWithText(text) => {
                format!("so sánh một số với {text:?}, không phải số, nên không bao giờ khớp")
            }
            FindingKind::DateComparedWithText(text) => {
                format!("so sánh một ngày với {text:?}, không phải ngày (viết YYYY-MM-DD), nên không bao giờ khớp")
            }
            FindingKind::TruthComparedWithText(text) => format!(
                "so sánh giá trị đúng/sai với chữ {text:?}: chữ nào không rỗng cũng là đúng; dùng true(), false() hoặc not()"
            ),
            FindingKind::OrderOfText(text) => {
                format!("{text:?} không phải số hay ngày nên không so lớn bé được; phép so luôn sai")
            }
            FindingKind::NotANumber(text) => format!("{text:?} không phải số; kết quả không có giá trị"),
            FindingKind::SelectedTurnedRound(text) => {
                format!("selected() nhận câu hỏi trước rồi mới đến lựa chọn: selected(${{câu_hỏi}}, {text:?})")
            }
            FindingKind::SeveralChoices(text) => {
                format!("tên lựa chọn không có dấu cách nên {text:?} không bao giờ được chọn")
            }
            FindingKind::NotADate(text) => format!("{text:?} không phải ngày; hãy viết YYYY-MM-DD"),
            FindingKind::NotATime(text) => format!("{text:?} không phải giờ; hãy viết HH:MM:SS"),
            FindingKind::UnknownDateLetter(Some(letter)) => {
                format!("không có %{letter}; dùng {DATE_LETTERS}")
            }
            FindingKind::UnknownDateLetter(None) => format!("sau % phải có một chữ: {DATE_LETTERS}"),
            FindingKind::BadPattern(reason) => reason.vietnamese(),
            FindingKind::NotOneOf { written, known } => {
                format!("không có {written:?}; dùng một trong: {}", known.join(", "))
            }
            FindingKind::LongUuid => format!("uuid() cho tối đa {MAX_UUID_LENGTH} ký tự"),
            FindingKind::OddArguments(function) => format!("{function}() cần các đối số theo từng cặp"),
        }
    }
}

/// The letters of `format-date()`, as messages list them.
const DATE_LETTERS: &str = "%Y %y %m %n %b %d %e %H %h %M %S %3 %a";

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            FindingKind::NeedsNodes(place) => {
                write!(f, "{place} needs questions or groups (a node set) here, not a value")
            }
            FindingKind::NumberComparedWithText(text) => {
                write!(
                    f,
                    "a number is compared with {text:?}, which is none, so it never matches"
                )
            }
            FindingKind::DateComparedWithText(text) => write!(
                f,
                "a date is compared with {text:?}, which is none (write YYYY-MM-DD), so it never matches"
            ),
            FindingKind::TruthComparedWithText(text) => write!(
                f,
                "a truth value is compared with the text {text:?}: any text but the blank one is true; use true(), false() \
                 or not()"
            ),
            FindingKind::OrderOfText(text) => write!(
                f,
                "{text:?} is no number or date, so nothing is less or greater; the comparison is always false"
            ),
            FindingKind::NotANumber(text) => write!(f, "{text:?} is not a number; the result has no value"),
            FindingKind::SelectedTurnedRound(text) => write!(
                f,
                "selected() takes the question first and then the choice: selected(${{question}}, {text:?})"
            ),
            FindingKind::SeveralChoices(text) => {
                write!(f, "the name of a choice has no spaces, so {text:?} is never selected")
            }
            FindingKind::NotADate(text) => write!(f, "{text:?} is not a date; write YYYY-MM-DD"),
            FindingKind::NotATime(text) => write!(f, "{text:?} is not a time of day; write HH:MM:SS"),
            FindingKind::UnknownDateLetter(Some(letter)) => {
                write!(f, "there is no %{letter}; use {DATE_LETTERS}")
            }
            FindingKind::UnknownDateLetter(None) => write!(f, "a letter belongs after %: {DATE_LETTERS}"),
            FindingKind::BadPattern(reason) => write!(f, "the pattern cannot be used: {reason}"),
            FindingKind::NotOneOf { written, known } => {
                write!(f, "there is no {written:?}; use one of {}", known.join(", "))
            }
            FindingKind::LongUuid => write!(f, "uuid() gives at most {MAX_UUID_LENGTH} characters"),
            FindingKind::OddArguments(function) => write!(f, "{function}() needs its arguments in pairs"),
        }
    }
}
