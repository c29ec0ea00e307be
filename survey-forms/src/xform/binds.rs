//! What is known of each answer (`<bind>`), and what is done to it (`<setvalue>` and the like).

use super::element::Element;
use super::itext::{self, RowText};
use super::paths::{Context, Paths, Style};
use super::rows::{self, Row};
use super::{entities, types};
use crate::model::{FormNode, Metadata, NodeKind, Translations, UNTYPED, needs_translation, save_to};

/// Something that happens to a form (ODK XForms, "Event Types").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// A new form is opened.
    FirstLoad,
    /// A form is opened, new or not.
    Load,
    /// An instance of a repeat is added.
    NewRepeat,
    /// Somebody changes the answer to the question that the action stands in.
    ValueChanged,
}

impl Event {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::FirstLoad => "odk-instance-first-load",
            Self::Load => "odk-instance-load",
            Self::NewRepeat => "odk-new-repeat",
            Self::ValueChanged => "xforms-value-changed",
        }
    }
}

/// An action on the element at a path.
pub(super) fn action(name: &str, path: &str, event: Event) -> Element {
    Element::new(name).with("ref", path).with("event", event.name())
}

/// An action that sets a value; an empty value clears.
pub(super) fn set_value(path: &str, event: Event, value: &str) -> Element {
    let action = action("setvalue", path, event);
    if value.is_empty() {
        action
    } else {
        action.with("value", value)
    }
}

/// The binds and actions of the model, in the form's order.
pub(super) fn elements(paths: &Paths<'_>) -> Vec<Element> {
    let mut elements = Vec::new();
    let mut left: Vec<Row> = rows::inside(paths.form, None);
    left.reverse();
    while let Some(row) = left.pop() {
        match row {
            Row::Node(position) => {
                let Some(node) = paths.form.nodes().get(position) else {
                    continue;
                };
                elements.extend(of_row(paths, position, node));
                elements.extend(default_actions(paths, position, node, Event::FirstLoad));
                elements.extend(recordings(paths, position, node));
                if node.is_container() {
                    left.extend(rows::inside(paths.form, Some(position)).into_iter().rev());
                }
            }
            Row::Count(position) => {
                let Some(node) = paths.form.nodes().get(position) else {
                    continue;
                };
                let count = paths.insert(
                    node.repeat_count.as_deref().unwrap_or_default(),
                    paths.context(position),
                    Style::default(),
                );
                let path = format!("{}/{}", paths.below(node.parent), node.count_element_name());
                let bind = Element::new("bind").with("nodeset", path).with("type", "string");
                elements.push(bind.with("readonly", "true()").with("calculate", count));
            }
            Row::Meta(container) => elements.extend(entities::binds(paths, container)),
        }
    }
    elements
}

/// The bind of a row; groups without conditions and rows without a data type need none.
pub(super) fn of_row(paths: &Paths<'_>, position: usize, node: &FormNode) -> Option<Element> {
    bind(paths, node, &paths.of(position), paths.context(position), &|text| {
        format!("jr:itext('{}')", itext::row_text_id(paths, position, text))
    })
}

pub(super) fn bind(
    paths: &Paths<'_>,
    node: &FormNode,
    path: &str,
    context: Context,
    text_reference: &dyn Fn(RowText) -> String,
) -> Option<Element> {
    let mut bind = Element::new("bind").with("nodeset", path);
    let mut is_empty = true;
    let mut set = |name: &str, value: String| {
        is_empty = false;
        bind.set(name, value);
    };
    let untyped = node.attributes.bind.contains_key(UNTYPED);
    if !node.is_container() && !untyped {
        set("type", types::data_type(node).to_owned());
    }
    if let Some((preload, parameter)) = types::preload(&node.kind) {
        set("jr:preload", preload.to_owned());
        set("jr:preloadParams", parameter.to_owned());
    }
    if node.kind == NodeKind::Note {
        set("readonly", "true()".to_owned());
    }
    // A triggered calculation stands in the trigger's control.
    let calculation = node.calculation.as_ref().filter(|_| node.triggers.is_empty());
    for (name, expression) in [
        ("required", node.required.as_ref()),
        ("relevant", node.relevant.as_ref()),
        ("constraint", node.constraint.as_ref()),
        ("calculate", calculation),
        ("readonly", node.read_only.as_ref()),
    ] {
        if let Some(expression) = expression {
            set(name, paths.insert(expression, context, Style::default()));
        }
    }
    for (name, message, text) in [
        ("jr:constraintMsg", &node.constraint_message, RowText::ConstraintMessage),
        ("jr:requiredMsg", &node.required_message, RowText::RequiredMessage),
    ] {
        if let Some(value) = message_value(message, || text_reference(text)) {
            set(name, value);
        }
    }
    match node.no_app_message.as_plain() {
        Some(plain) => set("jr:noAppErrorString", paths.insert(plain, context, Style::default())),
        None if node.no_app_message.is_empty() => {}
        None => set("jr:noAppErrorString", text_reference(RowText::NoAppMessage)),
    }
    for (name, value) in types::bind_parameters(node) {
        set(&name, value.to_owned());
    }
    let property = node
        .save_to
        .as_deref()
        .and_then(|written| save_to(paths.form.definition(), written));
    if let Some((_, property)) = property {
        set("entities:saveto", property.to_owned());
    }
    let given = node.attributes.bind.iter().filter(|(name, _)| *name != UNTYPED);
    for (name, value) in given {
        set(name, paths.insert(value, context, Style::default()));
    }
    (!is_empty).then_some(bind)
}

fn message_value(message: &Translations, reference: impl FnOnce() -> String) -> Option<String> {
    match message.as_plain() {
        Some(plain) if !needs_translation(message) => Some(plain.to_owned()),
        _ if message.is_empty() => None,
        _ => Some(reference()),
    }
}

/// What puts a computed default into a new form, or into a new instance of a repeat.
pub(super) fn default_actions(paths: &Paths<'_>, position: usize, node: &FormNode, event: Event) -> Option<Element> {
    if !node.has_dynamic_default() || node.is_container() {
        return None;
    }
    let default = types::default(node)?;
    let value = paths.insert(&default, paths.context(position), Style::default());
    Some(set_value(&paths.of(position), event, &value))
}

/// What the device records when a form is opened.
fn recordings(paths: &Paths<'_>, position: usize, node: &FormNode) -> Option<Element> {
    let path = paths.of(position);
    match node.kind {
        NodeKind::Metadata(Metadata::BackgroundAudio) => {
            let mut recording = action("odk:recordaudio", &path, Event::Load);
            if let Some(quality) = node.parameters.get("quality") {
                recording.set("odk:quality", quality);
            }
            Some(recording)
        }
        NodeKind::Metadata(Metadata::StartGeopoint) => Some(action("odk:setgeopoint", &path, Event::FirstLoad)),
        _ => None,
    }
}
