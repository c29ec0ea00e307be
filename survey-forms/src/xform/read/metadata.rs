//! The metadata of the filled form: its identity and name, and its entities (ODK XForms, "Metadata"; ODK Entities
//! specification).

use super::outline::{Outline, Slot};
use super::references::{References, is_same};
use super::report::Report;
use super::tree::Element;
use crate::Phrase;
use crate::model::{EntityDeclaration, FormNode, Settings};
use crate::xform::paths::{Context, Style};

/// The name of the group of metadata.
const META: &str = "meta";

/// Whether an element is metadata, which becomes no row.
pub(super) fn is_meta(outline: &Outline<'_>, slot: &Slot<'_>) -> bool {
    let has_entity = slot.children.iter().any(|child| is_named(outline, *child, "entity"));
    slot.name == META && (slot.parent.is_none() || has_entity)
}

fn is_named(outline: &Outline<'_>, slot: usize, name: &str) -> bool {
    outline.get(slot).is_some_and(|slot| slot.name == name)
}

/// The elements of the form's own metadata.
fn children<'o, 'x>(outline: &'o Outline<'x>) -> impl Iterator<Item = (usize, &'o Slot<'x>)> {
    let meta = outline.child(None, META).and_then(|meta| outline.get(meta));
    let children = meta.into_iter().flat_map(|meta| meta.children.iter());
    children.filter_map(|child| Some((*child, outline.get(*child)?)))
}

/// Reads what names and identifies a filled form; its name is still as written.
pub(super) fn settings(outline: &Outline<'_>, settings: &mut Settings, report: &mut Report) {
    settings.omit_instance_id = true;
    for (_, slot) in children(outline) {
        let bind = |name: &str| slot.bind.and_then(|bind| bind.get(name)).map(str::trim);
        match slot.name.as_str() {
            "instanceID" => {
                settings.omit_instance_id = false;
                match (bind("jr:preload"), bind("calculate")) {
                    (Some("uid"), _) => {}
                    (Some(other), _) => settings.instance_id = Some(other.to_owned()),
                    (None, None) => {}
                    (None, Some(calculation)) => {
                        const USUAL: [&str; 2] = ["concat('uuid:', uuid())", "concat('uuid:',uuid())"];
                        if !USUAL.iter().any(|usual| is_same(usual, calculation)) {
                            let what = Phrase::new(
                                "a filled form gets a random identity, not this one",
                                "phiếu nhận mã định danh ngẫu nhiên, không phải mã này",
                            );
                            report.changed(slot.spot(), what, calculation);
                        }
                    }
                }
            }
            "instanceName" => settings.instance_name = bind("calculate").map(str::to_owned),
            "audit" | "entity" | "deprecatedID" => {}
            name => {
                let what = Phrase::new(
                    "this metadata is left out; add a row of its type to the form",
                    "siêu dữ liệu này bị bỏ; hãy thêm hàng có loại tương ứng vào biểu mẫu",
                );
                report.changed(slot.spot(), what, name);
            }
        }
    }
}

/// The log of filling.
pub(super) fn audit(outline: &Outline<'_>) -> Option<usize> {
    let mut children = children(outline);
    children.find(|(_, slot)| slot.name == "audit").map(|(slot, _)| slot)
}

/// Where expressions of the form's own metadata stand.
pub(super) const CONTEXT: Context = Context {
    container: None,
    between: 1,
};

/// The entities in the order of the instance, each with the position of the group that holds it.
pub(super) fn entities<'x>(
    outline: &Outline<'x>,
    position: &dyn Fn(usize) -> Option<usize>,
    references: &References<'_>,
    report: &mut Report,
) -> Vec<(Option<usize>, EntityDeclaration)> {
    let mut found = Vec::new();
    for (entity, slot) in outline.slots.iter().enumerate() {
        let Some(meta) = slot.parent.and_then(|meta| outline.get(meta)) else {
            continue;
        };
        if slot.name != "entity" || meta.name != META {
            continue;
        }
        let container = match meta.parent {
            None => None,
            Some(container) => match position(container) {
                Some(container) => Some(container),
                None => continue,
            },
        };
        let context = Context { container, between: 2 };
        let attribute = |name: &str| slot.attribute_binds.iter().find(|(known, _)| known == name);
        let calculated = |bind: Option<&Element>| {
            let written = bind.and_then(|bind| bind.get("calculate"))?;
            Some(references.convert(written, context, Style::default()))
        };
        let of_attribute = |name: &str| calculated(attribute(name).map(|(_, bind)| *bind));
        let given = |name: &str| {
            slot.element
                .get(name)
                .is_some_and(|value| !value.is_empty() && value != "0")
        };
        let label = outline
            .child(Some(entity), "label")
            .and_then(|label| outline.get(label));
        let create_if = of_attribute("create");
        let update_if = of_attribute("update");
        let entity_id = of_attribute("id").filter(|_| given("update") || update_if.is_some());
        if given("create") && entity_id.is_some() && create_if.is_none() {
            let what = Phrase::new(
                "the entity is only updated here; add create_if to create it too",
                "thực thể chỉ được cập nhật; hãy thêm create_if để tạo mới",
            );
            report.changed(slot.spot(), what, slot.element.get("dataset").unwrap_or_default());
        }
        found.push((
            container,
            EntityDeclaration {
                list_name: slot.element.get("dataset").unwrap_or_default().to_owned(),
                label: calculated(label.and_then(|label| label.bind)),
                entity_id,
                create_if,
                update_if,
                row: slot.element.spot.line,
            },
        ));
    }
    found
}

/// Puts the list before the property of every saved answer where the form has several lists: that of the innermost
/// group around the answer that has an entity.
pub(super) fn name_lists(nodes: &mut [FormNode], entities: &[(Option<usize>, EntityDeclaration)]) {
    if entities.len() < 2 {
        return;
    }
    let parents: Vec<Option<usize>> = nodes.iter().map(|node| node.parent).collect();
    for node in nodes {
        let Some(property) = &node.save_to else { continue };
        let mut around = node.parent;
        let list = loop {
            if let Some((_, declaration)) = entities.iter().find(|(container, _)| *container == around) {
                break Some(&declaration.list_name);
            }
            match around {
                Some(position) => around = parents.get(position).copied().flatten(),
                None => break None,
            }
        };
        if let Some(list) = list {
            node.save_to = Some(format!("{list}#{property}"));
        }
    }
}
