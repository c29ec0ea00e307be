//! The data that expressions look things up in: secondary instances (ODK XForms, "Secondary Instances").

use super::element::Element;
use super::itext;
use super::paths::LAST_SAVED_INSTANCE;
use super::types;
use crate::model::lexical;
use crate::model::{Choice, ChoiceSource, DataFile, Form, FormNode, FormProblem, NodeKind, Place, ProblemKind};

/// A secondary instance that is not written into the form but comes beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source<'f> {
    pub(crate) id: &'f str,
    /// Where it comes from: a file, or what the app remembers.
    pub(crate) address: String,
    pub(crate) row: u32,
    /// Whether the row exists for nothing else.
    is_declaration: bool,
}

/// Every instance that the rows use and that comes beside the form, in the order of use, one for each use.
fn uses(form: &Form) -> Vec<Source<'_>> {
    let mut uses = Vec::new();
    let mut last_saved = false;
    for node in form.nodes() {
        let mut add = |id, address, is_declaration| {
            uses.push(Source {
                id,
                address,
                row: node.row,
                is_declaration,
            });
        };
        if let NodeKind::ExternalData(format) = node.kind {
            let file = format!("{}.{}", node.name, format.extension());
            add(&node.name, types::file_address(&file, format), true);
            continue;
        }
        for text in expressions(node) {
            for id in pulled_files(text) {
                add(id, types::file_address(&format!("{id}.csv"), DataFile::Csv), false);
            }
        }
        if let Some(source @ ChoiceSource::File { name, format }) = node.kind.choice_source()
            && let Some(id) = source.instance_id()
        {
            add(id, types::file_address(name, format), false);
        }
        last_saved |= expressions(node).any(|text| lexical::references(text).any(|reference| reference.last_saved));
    }
    if last_saved {
        uses.push(Source {
            id: LAST_SAVED_INSTANCE,
            address: "jr://instance/last-saved".to_owned(),
            row: 0,
            is_declaration: false,
        });
    }
    uses
}

/// The instances that come beside the form, each once.
pub(crate) fn external(form: &Form) -> Vec<Source<'_>> {
    let mut found: Vec<Source<'_>> = Vec::new();
    for used in uses(form) {
        if !found.iter().any(|other| other.id == used.id) {
            found.push(used);
        }
    }
    found
}

/// Reports instances of one identity that come from different places.
pub(crate) fn check(form: &Form, problems: &mut Vec<FormProblem>) {
    let mut seen: Vec<Source<'_>> = Vec::new();
    for used in uses(form) {
        let clash = seen.iter().find(|other| {
            let declared_twice = other.is_declaration && used.is_declaration;
            other.id == used.id && (other.address != used.address || declared_twice)
        });
        if let Some(other) = clash {
            problems.push(FormProblem {
                place: Place::new("survey", Some(used.row), Some("type")),
                kind: ProblemKind::InstanceClash {
                    name: used.id.to_owned(),
                    first: other.address.clone(),
                    second: used.address.clone(),
                },
            });
        }
        seen.push(used);
    }
    let lists = form.definition().choices.keys().filter(|list| !is_searched(form, list));
    for list in lists {
        if let Some(other) = seen.iter().find(|other| other.id == list.as_str()) {
            problems.push(FormProblem {
                place: Place::new("survey", Some(other.row), Some("type")),
                kind: ProblemKind::InstanceClash {
                    name: list.clone(),
                    first: other.address.clone(),
                    second: "choices".to_owned(),
                },
            });
        }
    }
}

/// The elements `<instance>` besides the primary one.
pub(super) fn elements(form: &Form) -> Vec<Element> {
    let beside = external(form).into_iter();
    let mut elements: Vec<Element> = beside
        .map(|source| {
            Element::new("instance")
                .with("id", source.id)
                .with("src", source.address)
        })
        .collect();
    let lists = form.definition().choices.iter();
    elements.extend(
        lists
            .filter(|(list, _)| !is_searched(form, list))
            .map(|(list, choices)| of_list(list, choices)),
    );
    elements
}

fn of_list(list: &str, choices: &[Choice]) -> Element {
    let is_translated = itext::list_is_translated(choices);
    let items = choices.iter().enumerate().map(|(index, choice)| {
        let mut item = Element::new("item");
        if is_translated {
            item.push(Element::new("itextId").with_text(&itext::choice_text_id(list, index)));
        }
        item.push(Element::new("name").with_text(&choice.name));
        if let Some(label) = choice.label.as_plain()
            && !is_translated
        {
            item.push(Element::new("label").with_text(label));
        }
        item.extend(
            choice
                .other
                .iter()
                .map(|(column, value)| Element::new(column).with_text(value)),
        );
        item
    });
    let root = Element::new("root").containing(items);
    Element::new("instance").with("id", list).containing([root])
}

/// Whether the question takes its choices from a file by the appearance `search(…)`.
pub(super) fn searches(node: &FormNode) -> bool {
    let appearance = node.appearance.as_deref().unwrap_or_default();
    let call = appearance.find("search(").map(|start| &appearance[start..]);
    node.kind.choice_source().is_some() && call.is_some_and(|call| call.contains(')'))
}

/// Whether a list is used with `search(…)`, so that its choices stand in the body.
pub(super) fn is_searched(form: &Form, list: &str) -> bool {
    form.nodes()
        .iter()
        .any(|node| searches(node) && node.list() == Some(list))
}

/// The expressions of a row that may look into other instances.
fn expressions(node: &FormNode) -> impl Iterator<Item = &str> {
    let all = [
        &node.calculation,
        &node.constraint,
        &node.read_only,
        &node.required,
        &node.relevant,
        &node.choice_filter,
        &node.default,
    ];
    all.into_iter().flatten().map(String::as_str)
}

/// The files that `pulldata('file', …)` looks into.
fn pulled_files(text: &str) -> impl Iterator<Item = &str> {
    let calls = text
        .match_indices("pulldata")
        .map(|(start, word)| &text[start + word.len()..]);
    calls.filter_map(|rest| {
        let arguments = rest.trim_start().strip_prefix('(')?;
        let (first, _) = arguments.split_once(',')?;
        Some(first.trim().trim_matches(['\'', '"']).trim())
    })
}
