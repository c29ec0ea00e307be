//! What people see: the controls that ask the questions (ODK XForms, "Body").

use super::binds::{self, Event};
use super::element::Element;
use super::itext::{self, RowText};
use super::paths::{Paths, Style};
use super::rows::{self, Row};
use super::{entities, itemset, texts, types};
use crate::model::{Choice, FormNode, Metadata, NodeKind, searches};

/// The controls inside a group or repeat, or at the top of the form.
pub(super) fn controls(paths: &Paths<'_>, container: Option<usize>) -> Vec<Element> {
    let mut controls = Vec::new();
    for row in rows::inside(paths.form, container) {
        let Row::Node(position) = row else { continue };
        let Some(node) = paths.form.nodes().get(position) else {
            continue;
        };
        match node.kind {
            NodeKind::Group => controls.extend(group(paths, position, node)),
            NodeKind::Repeat => controls.push(repeat(paths, position, node)),
            _ if types::is_shown(node) => controls.push(question(paths, position, node)),
            _ => {}
        }
    }
    controls
}

/// The control of a group; none where it has no label and nothing in it is shown, for apps refuse empty groups.
fn group(paths: &Paths<'_>, position: usize, node: &FormNode) -> Option<Element> {
    let inside = controls(paths, Some(position));
    if inside.is_empty() && node.label.is_empty() {
        return None;
    }
    let mut group = Element::new("group").with("ref", paths.of(position));
    if let Some(appearance) = &node.appearance {
        group.set("appearance", appearance);
    }
    set_attributes(paths, position, node, &mut group);
    if !node.label.is_empty() {
        group.push(label(paths, position, node));
    }
    group.extend(inside);
    Some(group)
}

fn repeat(paths: &Paths<'_>, position: usize, node: &FormNode) -> Element {
    let path = paths.of(position);
    let mut repeat = Element::new("repeat").with("nodeset", &path);
    if let Some(appearance) = &node.appearance {
        repeat.set(
            "appearance",
            paths.insert(appearance, paths.context(position), Style::default()),
        );
    }
    if let Some(count) = &node.repeat_count {
        let count = if node.needs_count_element() {
            // The element with the number stands beside the repeat.
            let around = paths.context(position);
            paths.beside(&node.count_element_name(), around)
        } else {
            paths.insert(count, paths.context(position), Style::default())
        };
        repeat.set("jr:count", count);
    }
    set_attributes(paths, position, node, &mut repeat);
    repeat.extend(controls(paths, Some(position)));
    repeat.extend(new_instance_actions(paths, position));
    Element::new("group")
        .with("ref", path)
        .containing([label(paths, position, node), repeat])
}

/// What puts computed defaults into a new instance of a repeat; repeats inside it do so themselves.
fn new_instance_actions(paths: &Paths<'_>, repeat: usize) -> Vec<Element> {
    let mut actions = Vec::new();
    new_instance_actions_in(paths, repeat, &mut actions);
    actions
}

fn new_instance_actions_in(paths: &Paths<'_>, group: usize, actions: &mut Vec<Element>) {
    for position in paths.form.children(group) {
        let Some(node) = paths.form.nodes().get(*position) else {
            continue;
        };
        match node.kind {
            NodeKind::Repeat => {}
            NodeKind::Group => new_instance_actions_in(paths, *position, actions),
            _ => actions.extend(binds::default_actions(paths, *position, node, Event::NewRepeat)),
        }
    }
    actions.extend(entities::new_identities(paths, group));
}

fn question(paths: &Paths<'_>, position: usize, node: &FormNode) -> Element {
    let context = paths.context(position);
    let mut control = Element::new(types::control(&node.kind).unwrap_or("input")).with("ref", paths.of(position));
    if let Some(media_type) = types::media_type(&node.kind) {
        control.set("mediatype", media_type);
    }
    if let Some(appearance) = &node.appearance {
        control.set("appearance", paths.insert(appearance, context, Style::default()));
    }
    set_attributes(paths, position, node, &mut control);
    for (attribute, value) in types::control_parameters(node) {
        control.set(attribute, value);
    }
    control.push(label(paths, position, node));
    control.extend(hint(paths, position, node));
    match &node.kind {
        NodeKind::SelectOneExternal { list } => control.set("query", itemset::query(paths, position, node, list)),
        NodeKind::Osm { tags: Some(list) } => control.extend(osm_tags(paths, list)),
        _ if searches(node) => control.extend(searched_choices(paths, node)),
        _ => control.extend(itemset::element(paths, position, node)),
    }
    control.extend(triggered_actions(paths, position, node));
    control
}

fn set_attributes(paths: &Paths<'_>, position: usize, node: &FormNode, element: &mut Element) {
    for (name, value) in &node.attributes.control {
        element.set(name, paths.insert(value, paths.context(position), Style::default()));
    }
}

fn label(paths: &Paths<'_>, position: usize, node: &FormNode) -> Element {
    let label = Element::new("label");
    if itext::label_is_translated(&node.label, &node.media) {
        let id = itext::row_text_id(paths, position, RowText::Label);
        return label.with("ref", format!("jr:itext('{id}')"));
    }
    match node.label.as_plain() {
        Some(plain) => label.with_content(texts::content(paths, plain, Some(paths.context(position)))),
        None => label,
    }
}

fn hint(paths: &Paths<'_>, position: usize, node: &FormNode) -> Option<Element> {
    let hint = Element::new("hint");
    match node.hint.as_plain() {
        Some(plain) if node.guidance_hint.is_empty() => {
            Some(hint.with_content(texts::content(paths, plain, Some(paths.context(position)))))
        }
        _ if node.hint.is_empty() && node.guidance_hint.is_empty() => None,
        _ => {
            let id = itext::row_text_id(paths, position, RowText::Hint);
            Some(hint.with("ref", format!("jr:itext('{id}')")))
        }
    }
}

/// The choices of a list whose questions look them up by `search(…)`: they stand in the control.
fn searched_choices(paths: &Paths<'_>, node: &FormNode) -> Vec<Element> {
    let choices = paths.form.choices(node);
    let is_translated = itext::list_is_translated(choices);
    let item = |(index, choice): (usize, &Choice)| {
        let label = Element::new("label");
        let label = match choice.label.as_plain() {
            _ if is_translated => {
                let id = itext::choice_text_id(node.list().unwrap_or_default(), index);
                label.with("ref", format!("jr:itext('{id}')"))
            }
            Some(plain) if !node.label.is_empty() => label.with_content(texts::content(paths, plain, None)),
            _ => label,
        };
        let value = Element::new("value").with_text(&choice.name);
        Element::new("item").containing([label, value])
    };
    choices.iter().enumerate().map(item).collect()
}

fn osm_tags(paths: &Paths<'_>, list: &str) -> Vec<Element> {
    let lists = &paths.form.definition().osm_tags;
    let tag = |tag: &Choice| {
        let text = tag.label.get("", paths.form.languages()).unwrap_or_default();
        let label = Element::new("label").with_text(text);
        Element::new("tag").with("key", &tag.name).containing([label])
    };
    lists.get(list).into_iter().flatten().map(tag).collect()
}

/// What happens to other rows when the answer to this question changes.
fn triggered_actions(paths: &Paths<'_>, position: usize, node: &FormNode) -> Vec<Element> {
    let mut values = Vec::new();
    let mut places = Vec::new();
    for (target, other) in paths.form.nodes().iter().enumerate() {
        let triggers = other.triggers.iter().filter(|_| !other.is_container());
        for _ in triggers.filter(|trigger| **trigger == node.name) {
            let path = paths.of(target);
            if other.kind == NodeKind::Metadata(Metadata::BackgroundGeopoint) {
                places.push(binds::action("odk:setgeopoint", &path, Event::ValueChanged));
            } else {
                let calculation = other.calculation.as_deref().unwrap_or_default();
                let value = paths.insert(calculation, paths.context(position), Style::default());
                values.push(binds::set_value(&path, Event::ValueChanged, &value));
            }
        }
    }
    values.extend(places);
    values
}
