//! Texts that people read, with the values of questions in them.

use super::element::{Content, Element};
use super::paths::{Context, Paths, Style};
use crate::model::lexical::{self, LexicalKind, LexicalToken};

/// A text as the content of an element: `${question}` and looks into secondary instances become `<output>`.
pub(super) fn content(paths: &Paths<'_>, text: &str, context: Option<Context>) -> Vec<Content> {
    let mut found: Vec<(usize, usize, String)> = Vec::new();
    for (start, end) in instance_expressions(text) {
        let inner = &text[start..end];
        let value = match context {
            Some(context) => paths.insert(inner, context, Style::default()),
            None => inner.to_owned(),
        };
        found.push((start, end, value));
    }
    for reference in lexical::references(text) {
        let is_inside = found
            .iter()
            .any(|(start, end, _)| *start <= reference.start && reference.end <= *end);
        if !is_inside {
            let path = paths.reference(text, &reference, context, Style::default());
            found.push((reference.start, reference.end, path));
        }
    }
    found.sort();
    let mut content = Vec::new();
    let mut end = 0;
    for (start, stop, value) in found {
        push_text(&mut content, &text[end..start]);
        content.push(Content::Element(Element::new("output").with("value", value)));
        end = stop;
    }
    push_text(&mut content, &text[end..]);
    content
}

fn push_text(content: &mut Vec<Content>, text: &str) {
    if !text.is_empty() {
        content.push(Content::Text(text.to_owned()));
    }
}

/// Where `instance('…')/…` stands in a text: up to the first white space outside brackets.
fn instance_expressions(text: &str) -> Vec<(usize, usize)> {
    if !text.contains("instance(") {
        return Vec::new();
    }
    #[derive(PartialEq)]
    enum Within {
        Nothing,
        Call,
        Path,
        Predicate,
    }
    let mut found = Vec::new();
    let mut within = Within::Nothing;
    let (mut start, mut last): (usize, Option<LexicalToken>) = (0, None);
    for token in lexical::tokens(text) {
        let is_call = token.kind == LexicalKind::FunctionCall && &text[token.start..token.end] == "instance(";
        let before = last.map(|last| last.kind);
        let continues = match within {
            Within::Nothing => {
                if is_call {
                    within = Within::Call;
                    start = token.start;
                }
                is_call
            }
            Within::Call => match (before, token.kind) {
                (Some(LexicalKind::FunctionCall), LexicalKind::Literal)
                | (Some(LexicalKind::Literal), LexicalKind::CloseParenthesis) => true,
                (Some(LexicalKind::CloseParenthesis | LexicalKind::PredicateEnd), LexicalKind::PathSeparator) => {
                    within = Within::Path;
                    true
                }
                _ => false,
            },
            Within::Path if token.kind == LexicalKind::PredicateStart => {
                within = Within::Predicate;
                true
            }
            Within::Path => token.kind != LexicalKind::WhiteSpace,
            Within::Predicate => {
                if token.kind == LexicalKind::PredicateEnd {
                    within = Within::Call;
                }
                true
            }
        };
        if continues {
            last = Some(token);
        } else if within != Within::Nothing {
            within = Within::Nothing;
            found.extend(last.take().map(|last| (start, last.end)));
        }
    }
    if within != Within::Nothing {
        found.extend(last.map(|last| (start, last.end)));
    }
    // What only begins like one is text.
    found.retain(|(start, end)| text[*start..*end].contains(')'));
    found
}
