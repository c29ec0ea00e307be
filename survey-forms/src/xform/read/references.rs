//! Paths of expressions written as `${question}` again, where the writer would write just that path for the reference.

use std::collections::HashMap;

use crate::model::{Form, INSTANCE_ID, NodeKind};
use crate::xform::element::{Content, Element};
use crate::xform::paths::{Context, Paths, Style};
use crate::xform::texts;
use crate::xpath::functions::LAST_SAVED_INSTANCE;
use crate::xpath::name_length;

/// The most paths of one expression that are written as references; further ones stay paths.
const MAX_REFERENCES: usize = 200;
/// The most bytes of an expression in which references are looked for; the paths of a longer one stay paths.
const MAX_LENGTH: usize = 1 << 15;

/// The rows of a form by name.
pub(super) struct References<'f> {
    paths: Paths<'f>,
    /// The position of each name that one row has; none where several have it.
    unique: HashMap<&'f str, Option<usize>>,
    has_identity: bool,
}

/// A path in a text that may be a reference.
struct Candidate {
    /// With the space that the writer puts on either side.
    start: usize,
    end: usize,
    reference: String,
}

impl<'f> References<'f> {
    /// `outline` is a form of the same rows, without their expressions.
    pub(super) fn new(outline: &'f Form) -> Self {
        let mut unique = HashMap::new();
        for (position, node) in outline.nodes().iter().enumerate() {
            let known = unique.entry(node.name.as_str()).or_insert(Some(position));
            if *known != Some(position) {
                *known = None;
            }
        }
        Self {
            paths: Paths { form: outline },
            unique,
            has_identity: !outline.settings().omit_instance_id,
        }
    }

    /// Where the expressions of the row at `position` stand.
    pub(super) fn context(&self, position: usize) -> Context {
        self.paths.context(position)
    }

    /// Whether no other row has that name.
    pub(super) fn is_unique(&self, name: &str) -> bool {
        matches!(self.unique.get(name), Some(Some(_)))
    }

    /// An expression with references for paths.
    pub(super) fn convert(&self, text: &str, context: Context, style: Style) -> String {
        self.convert_to(text, text, &|written| self.paths.insert(written, context, style))
    }

    /// A text with references for paths, wherever `write` makes `expected` of it again.
    fn convert_to(&self, text: &str, expected: &str, write: &dyn Fn(&str) -> String) -> String {
        let candidates = match text.len() <= MAX_LENGTH {
            true => self.candidates(text),
            false => Vec::new(),
        };
        let all: Vec<&Candidate> = candidates.iter().collect();
        let converted = replaced(text, &all);
        if all.is_empty() || is_same(&write(&converted), expected) {
            return converted.trim().to_owned();
        }
        let mut kept: Vec<&Candidate> = Vec::new();
        for candidate in &candidates {
            kept.push(candidate);
            if !is_same(&write(&replaced(text, &kept)), expected) {
                kept.pop();
            }
        }
        replaced(text, &kept).trim().to_owned()
    }

    /// The filter of a list made of the answers to `question`, which the writer starts at each instance of the repeat.
    pub(super) fn filter_of_answers(&self, filter: &str, question: &str, context: Context) -> String {
        let all_instances = |from_current| Style {
            from_current,
            all_instances: true,
        };
        let path = self
            .paths
            .insert(&format!("${{{question}}}"), context, all_instances(false));
        let repeat = match self.paths.form.nodes().iter().find(|node| node.name == question) {
            Some(node) if node.kind == NodeKind::Repeat => path.trim(),
            _ => path.trim().rsplit_once('/').map_or("", |(repeat, _)| repeat),
        };
        if repeat.is_empty() {
            return filter.trim().to_owned();
        }
        let write = |text: &str| {
            let written = self.paths.insert(text, context, all_instances(true));
            written
                .replace(&format!("current()/{repeat}"), ".")
                .replace(repeat, ".")
        };
        let mut converted = String::new();
        let mut rest = filter;
        while let Some(start) = rest.find("./") {
            let (before, step) = rest.split_at(start);
            let name = &step[2..2 + name_length(&step[2..])];
            let is_start = !before.ends_with(['.', ']', ')', '/']);
            if is_start && self.is_unique(name) {
                converted.push_str(before.strip_suffix(' ').unwrap_or(before));
                converted.push_str(&format!("${{{name}}}"));
                let after = &step[2 + name.len()..];
                rest = after.strip_prefix(' ').unwrap_or(after);
            } else {
                converted.push_str(before);
                converted.push_str("./");
                rest = &step[2..];
            }
        }
        converted.push_str(rest);
        match is_same(&write(&converted), filter) {
            true => self.convert_to(&converted, filter, &write),
            false => self.convert_to(filter, filter, &write),
        }
    }

    /// Whether a text that is this expression is written as its value.
    pub(super) fn is_output(&self, expression: &str, value: &str, context: Context) -> bool {
        let bare = |text: String| text.split_whitespace().collect::<String>();
        let written = texts::content(&self.paths, expression, Some(context));
        let expected = Element::new("output").with("value", value);
        match written.as_slice() {
            [Content::Element(only)] => bare(only.to_string()) == bare(expected.to_string()),
            _ => false,
        }
    }

    /// The paths of a text that lead to one row whose name is its own.
    fn candidates(&self, text: &str) -> Vec<Candidate> {
        let bytes = text.as_bytes();
        let at = |place: usize| bytes.get(place).copied();
        let mut found = Vec::new();
        let mut place = 0;
        let mut literal = None;
        while place < bytes.len() && found.len() < MAX_REFERENCES {
            let Some(byte) = at(place) else { break };
            if literal.is_none() && matches!(byte, b'\'' | b'"') {
                literal = Some(byte);
                place += 1;
                // A path that fills a literal with a space at both ends is how references in literals are written.
                if at(place) != Some(b' ') {
                    continue;
                }
            } else if literal == Some(byte) {
                literal = None;
                place += 1;
                continue;
            }
            let begins = match literal {
                None => true,
                Some(_) => at(place) == Some(b' '),
            };
            let start = place + usize::from(literal.is_some());
            let rest = text.get(start..).unwrap_or_default();
            let before = text.get(..start).unwrap_or_default();
            let path = match begins
                && matches!(rest.as_bytes().first(), Some(b'/' | b'.' | b'c' | b'i'))
                && (literal.is_some() || may_begin_after(before))
            {
                true => path_length(rest),
                false => None,
            };
            let Some(length) = path else {
                let step = text
                    .get(place..)
                    .and_then(|rest| rest.chars().next())
                    .map_or(1, char::len_utf8);
                place += step;
                continue;
            };
            let mut end = start + length;
            let path = &rest[..length];
            let is_alone = literal.is_none() || at(end) == Some(b' ');
            if is_alone && let Some(reference) = self.reference(path) {
                // The writer puts a space on both sides; a space between two paths belongs to one of them.
                let earliest = found.last().map_or(0, |last: &Candidate| last.end);
                let is_spaced = start > earliest && at(start - 1) == Some(b' ');
                let is_written = is_spaced && (end == bytes.len() || at(end) == Some(b' '));
                let start = start - usize::from(is_written);
                end += usize::from(is_written && end < bytes.len());
                found.push(Candidate { start, end, reference });
            }
            place = end.max(place + 1);
        }
        found
    }

    /// The reference that a path may be.
    fn reference(&self, path: &str) -> Option<String> {
        let (path, last_saved) = match last_saved(path) {
            Some(rest) => (rest, true),
            None => (path, false),
        };
        let name = path.rsplit('/').next()?;
        match self.unique.get(name) {
            Some(Some(_)) => {}
            None if name == INSTANCE_ID && self.has_identity => {}
            _ => return None,
        }
        Some(match last_saved {
            true => format!("${{last-saved#{name}}}"),
            false => format!("${{{name}}}"),
        })
    }
}

/// Whether a path may begin after a text: not after what it would only continue.
fn may_begin_after(before: &str) -> bool {
    let trimmed = before.trim_end();
    let is_name = |character: char| character.is_alphanumeric() || matches!(character, '_' | '.' | ':');
    match trimmed.chars().next_back() {
        None => true,
        Some(')' | ']') => false,
        Some(last) if is_name(last) => {
            let is_operator = |word: &str| {
                let rest = trimmed.strip_suffix(word);
                rest.is_some_and(|rest| {
                    !rest.ends_with(|character| is_name(character) || matches!(character, '-' | '/'))
                })
            };
            trimmed.len() < before.len() && ["and", "or", "div", "mod"].into_iter().any(is_operator)
        }
        Some(_) => true,
    }
}

/// What follows `instance('__last-saved')`.
fn last_saved(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("instance(")?.trim_start();
    let rest = rest.strip_prefix(['\'', '"'])?.strip_prefix(LAST_SAVED_INSTANCE)?;
    rest.strip_prefix(['\'', '"'])?.trim_start().strip_prefix(')')
}

/// The length of a path of names at the beginning of a text, from the root, from a parent, or of the form saved last.
fn path_length(text: &str) -> Option<usize> {
    let start = match last_saved(text) {
        Some(rest) => text.len() - rest.len(),
        None => 0,
    };
    let mut end = start;
    let rest = &text[start..];
    let prefix = match rest.strip_prefix("current()/") {
        Some(up) if start == 0 && up.starts_with("..") => rest.len() - up.len(),
        _ => 0,
    };
    let mut steps = rest.get(prefix..)?;
    let mut ups = 0;
    while start == 0
        && let Some(after) = steps.strip_prefix("..")
    {
        ups += 1;
        let after = after.strip_prefix('/')?;
        steps = after;
    }
    if ups == 0 {
        steps = steps.strip_prefix('/')?;
    }
    loop {
        let mut length = name_length(steps);
        // A name may have the prefix of a namespace.
        if let Some(local) = steps.get(length..).and_then(|rest| rest.strip_prefix(':'))
            && length > 0
        {
            let more = name_length(local);
            length += if more > 0 { more + 1 } else { 0 };
        }
        if length == 0 {
            // What continues with another step is no path of names.
            return None;
        }
        let after = &steps[length..];
        if after.starts_with('(') {
            return None;
        }
        end = end.max(text.len() - after.len());
        match after.strip_prefix('/') {
            Some(next) if name_length(next) > 0 => steps = next,
            Some(_) => return None,
            None => return Some(end),
        }
    }
}

/// The text with each candidate's reference in its place.
fn replaced(text: &str, candidates: &[&Candidate]) -> String {
    let mut written = String::with_capacity(text.len());
    let mut end = 0;
    for candidate in candidates {
        written.push_str(text.get(end..candidate.start).unwrap_or_default());
        written.push_str(&candidate.reference);
        end = candidate.end;
    }
    written.push_str(text.get(end..).unwrap_or_default());
    written
}

/// Whether two expressions say the same: white space counts only between words and in literals.
pub(super) fn is_same(left: &str, right: &str) -> bool {
    without_needless_space(left) == without_needless_space(right)
}

fn without_needless_space(expression: &str) -> String {
    let is_word = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-' | '.' | '$');
    let mut written = String::with_capacity(expression.len());
    let mut literal = None;
    let mut space = false;
    for character in expression.chars() {
        if literal.is_none() && character.is_whitespace() {
            space = true;
            continue;
        }
        if space && is_word(character) && written.chars().next_back().is_some_and(is_word) {
            written.push(' ');
        }
        space = false;
        written.push(character);
        match literal {
            Some(quote) if quote == character => literal = None,
            None if matches!(character, '\'' | '"') => literal = Some(character),
            _ => {}
        }
    }
    written
}
