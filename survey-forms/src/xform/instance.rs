//! The empty form as it is filled: the primary instance (ODK XForms, "Primary Instance").

use super::element::Element;
use super::paths::{Paths, Style};
use super::rows::{self, Row};
use super::{entities, types};
use crate::model::{FormNode, NodeKind};

/// The outermost element with everything inside it.
pub(super) fn element(paths: &Paths<'_>) -> Element {
    let settings = paths.form.settings();
    let mut root = Element::new(&settings.root_name);
    for (name, value) in &settings.attributes {
        root.set(name, value);
    }
    root.set("id", settings.identity());
    let optional = [
        ("xmlns", settings.instance_namespace.as_deref()),
        (
            "version",
            Some(settings.version.as_str()).filter(|version| !version.is_empty()),
        ),
        ("odk:prefix", settings.compact_prefix.as_deref()),
        ("odk:delimiter", settings.compact_delimiter.as_deref()),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            root.set(name, value);
        }
    }
    root.extend(children(paths, None, false));
    root
}

/// The elements inside a group or repeat. Each repeat has a template, from which further instances are made, and one
/// instance; inside an instance the templates are not repeated.
fn children(paths: &Paths<'_>, container: Option<usize>, in_instance: bool) -> Vec<Element> {
    let mut elements = Vec::new();
    for row in rows::inside(paths.form, container) {
        match row {
            Row::Node(position) => {
                let Some(node) = paths.form.nodes().get(position) else {
                    continue;
                };
                let is_repeat = node.kind == NodeKind::Repeat;
                if is_repeat && !in_instance {
                    elements.push(template(paths, position, node));
                }
                elements.push(of_row(paths, position, node, is_repeat || in_instance));
            }
            Row::Count(position) => {
                let node = paths.form.nodes().get(position);
                elements.extend(node.map(|node| Element::new(node.count_element_name())));
            }
            Row::Meta(container) => elements.push(entities::meta(paths, container)),
        }
    }
    elements
}

/// The template of a repeat; templates of repeats directly inside it stand in it.
fn template(paths: &Paths<'_>, position: usize, node: &FormNode) -> Element {
    let mut element = Element::new(&node.name).with("jr:template", "");
    for row in rows::inside(paths.form, Some(position)) {
        match row {
            Row::Node(position) => {
                let Some(node) = paths.form.nodes().get(position) else {
                    continue;
                };
                element.push(match node.kind {
                    NodeKind::Repeat => template(paths, position, node),
                    _ => of_row(paths, position, node, false),
                });
            }
            Row::Count(position) => {
                let node = paths.form.nodes().get(position);
                element.extend(node.map(|node| Element::new(node.count_element_name())));
            }
            Row::Meta(container) => element.push(entities::meta(paths, container)),
        }
    }
    element
}

fn of_row(paths: &Paths<'_>, position: usize, node: &FormNode, in_instance: bool) -> Element {
    let mut element = Element::new(&node.name);
    if node.is_container() {
        element.extend(children(paths, Some(position), in_instance));
    } else if let Some(default) = types::static_default(node) {
        element = element.with_text(&default);
    }
    for (name, value) in &node.attributes.instance {
        element.set(name, paths.insert(value, paths.context(position), Style::default()));
    }
    element
}
