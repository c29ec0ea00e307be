//! Functions on text (XPath 1.0 §4.2; ODK XForms specification, "String functions"). Lengths and places count
//! characters (Unicode scalar values).

use std::collections::HashMap;

use super::super::pattern::Pattern;
use super::{EvaluationError, Expression, Object, Scope};

/// White space of XML (XPath 1.0 §3.7), narrower than ASCII's.
const XML_SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// Text without white space around it.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(XML_SPACE)
}

/// The words of a text, separated by white space.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(XML_SPACE).filter(|word| !word.is_empty())
}

fn argument_or_context(scope: &Scope<'_>, arguments: &[Expression]) -> Result<String, EvaluationError> {
    match arguments.first() {
        Some(argument) => scope.text(argument),
        None => Ok(scope.tree.text_of(scope.node).into_owned()),
    }
}

pub(super) fn string(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    Ok(Object::Text(argument_or_context(scope, arguments)?))
}

/// The text of every argument; a node set gives the text of each of its nodes.
pub(super) fn texts(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Vec<String>, EvaluationError> {
    let mut texts = Vec::new();
    for argument in arguments {
        match scope.evaluate(argument)? {
            Object::Nodes(nodes) => {
                for node in nodes {
                    texts.push(scope.node_text(node)?.into_owned());
                }
            }
            other => texts.push(other.to_text(scope.tree)),
        }
    }
    Ok(texts)
}

pub(super) fn concat(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    Ok(Object::Text(texts(scope, arguments)?.concat()))
}

pub(super) fn join(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let separator = scope.text(&arguments[0])?;
    Ok(Object::Text(texts(scope, &arguments[1..])?.join(&separator)))
}

fn two(scope: &Scope<'_>, arguments: &[Expression]) -> Result<(String, String), EvaluationError> {
    Ok((scope.text(&arguments[0])?, scope.text(&arguments[1])?))
}

pub(super) fn contains(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let (text, part) = two(scope, arguments)?;
    Ok(Object::Boolean(text.contains(&part)))
}

pub(super) fn starts_with(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let (text, part) = two(scope, arguments)?;
    Ok(Object::Boolean(text.starts_with(&part)))
}

pub(super) fn ends_with(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let (text, part) = two(scope, arguments)?;
    Ok(Object::Boolean(text.ends_with(&part)))
}

pub(super) fn substring_before(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let (text, part) = two(scope, arguments)?;
    let before = text.split_once(&part).map_or("", |(before, _)| before);
    Ok(Object::Text(before.to_owned()))
}

pub(super) fn substring_after(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let (text, part) = two(scope, arguments)?;
    let after = text.split_once(&part).map_or("", |(_, after)| after);
    Ok(Object::Text(after.to_owned()))
}

/// `substring(text, from, length?)`: places from 1; both numbers are rounded halves up and may be NaN or infinite.
pub(super) fn substring(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let text = scope.text(&arguments[0])?;
    let from = (scope.number(&arguments[1])? + 0.5).floor();
    let to = match arguments.get(2) {
        Some(length) => from + (scope.number(length)? + 0.5).floor(),
        None => f64::INFINITY,
    };
    let kept = text.chars().zip(1_u32..).filter(|(_, place)| {
        let place = f64::from(*place);
        place >= from && place < to
    });
    Ok(Object::Text(kept.map(|(character, _)| character).collect()))
}

/// `substr(text, from, to?)`: places from 0, `to` not included; negative places count from the end.
pub(super) fn substr(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let text = scope.text(&arguments[0])?;
    let length = text.chars().count() as f64;
    let place = |number: f64| {
        if number < 0.0 {
            (length + number).max(0.0)
        } else {
            number
        }
    };
    let from = place(scope.number(&arguments[1])?);
    let to = match arguments.get(2) {
        Some(to) => place(scope.number(to)?),
        None => length,
    };
    let kept = text.chars().zip(0_u32..).filter(|(_, index)| {
        let index = f64::from(*index);
        index >= from && index < to
    });
    Ok(Object::Text(kept.map(|(character, _)| character).collect()))
}

pub(super) fn string_length(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    Ok(Object::Number(
        argument_or_context(scope, arguments)?.chars().count() as f64
    ))
}

pub(super) fn normalize_space(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let text = argument_or_context(scope, arguments)?;
    Ok(Object::Text(words(&text).collect::<Vec<_>>().join(" ")))
}

/// `translate(text, from, to)`: each character of `from` becomes the one at its place in `to`, or goes where `to` is
/// shorter; of a character that occurs twice in `from`, the first counts.
pub(super) fn translate(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let text = scope.text(&arguments[0])?;
    let from = scope.text(&arguments[1])?;
    let to = scope.text(&arguments[2])?;
    let mut to = to.chars();
    let mut map = HashMap::new();
    for character in from.chars() {
        let target = to.next();
        map.entry(character).or_insert(target);
    }
    Ok(Object::Text(
        text.chars()
            .filter_map(|character| map.get(&character).copied().unwrap_or(Some(character)))
            .collect(),
    ))
}

/// `regex(text, pattern)`: whether the text matches, the whole of it or a part as the context says. Matching takes linear
/// time, so a form cannot freeze a phone with it. A pattern that is written out is compiled once, with its call; this is
/// for others.
pub(super) fn regex(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let pattern = scope.text(&arguments[1])?;
    match Pattern::new(&pattern) {
        Ok(compiled) => scope.matches(arguments, &compiled),
        Err(reason) => Err(EvaluationError::BadPattern { pattern, reason }),
    }
}
