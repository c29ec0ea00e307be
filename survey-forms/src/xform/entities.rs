//! The metadata of a filled form: its identity and name, and the entities that it creates or updates (ODK XForms,
//! "Metadata"; ODK Entities specification).

use super::binds::{self, Event};
use super::element::Element;
use super::itext;
use super::paths::{Context, Paths, Style};
use super::rows;
use crate::model::EntityDeclaration;

/// The element `meta` of a group, repeat or the form.
pub(super) fn meta(paths: &Paths<'_>, container: Option<usize>) -> Element {
    let form = paths.form;
    let mut meta = Element::new("meta");
    for declared in rows::entities_at(form, container) {
        if let Some(declaration) = form.definition().entities.get(declared) {
            meta.push(entity(declaration));
        }
    }
    if container.is_none() {
        let settings = form.settings();
        let logs = rows::audits(form).filter_map(|position| form.nodes().get(position));
        meta.extend(logs.map(|log| Element::new(&log.name)));
        if !settings.omit_instance_id {
            meta.push(Element::new("instanceID"));
        }
        if settings.instance_name.is_some() {
            meta.push(Element::new("instanceName"));
        }
    }
    meta
}

fn creates(declaration: &EntityDeclaration) -> bool {
    declaration.entity_id.is_none() || declaration.create_if.is_some()
}

fn entity(declaration: &EntityDeclaration) -> Element {
    let mut entity = Element::new("entity").with("dataset", &declaration.list_name);
    if creates(declaration) {
        entity.set("create", "1");
    }
    if declaration.entity_id.is_some() {
        entity.set("update", "1");
        for version in ["baseVersion", "trunkVersion", "branchId"] {
            entity.set(version, "");
        }
    }
    entity.set("id", "");
    if declaration.label.is_some() {
        entity.push(Element::new("label"));
    }
    entity
}

/// The binds and actions of the metadata.
pub(super) fn binds(paths: &Paths<'_>, container: Option<usize>) -> Vec<Element> {
    let form = paths.form;
    let path = format!("{}/meta", paths.below(container));
    let mut elements = Vec::new();
    for declared in rows::entities_at(form, container) {
        if let Some(declaration) = form.definition().entities.get(declared) {
            entity_binds(paths, container, &path, declaration, &mut elements);
        }
    }
    if container.is_some() {
        return elements;
    }
    let context = Context {
        container: None,
        between: 1,
    };
    for position in rows::audits(form) {
        let Some(log) = form.nodes().get(position) else {
            continue;
        };
        let path = format!("{path}/{}", log.name);
        let reference = |text| format!("jr:itext('{}')", itext::row_text_id(paths, position, text));
        elements.extend(binds::bind(paths, log, &path, context, &reference));
    }
    let settings = form.settings();
    if !settings.omit_instance_id {
        let bind = read_only(&format!("{path}/instanceID"));
        elements.push(bind.with("jr:preload", settings.instance_id.as_deref().unwrap_or("uid")));
    }
    if let Some(name) = &settings.instance_name {
        let bind = Element::new("bind")
            .with("nodeset", format!("{path}/instanceName"))
            .with("type", "string");
        elements.push(bind.with("calculate", paths.insert(name, context, Style::default())));
    }
    elements
}

fn read_only(path: &str) -> Element {
    Element::new("bind")
        .with("nodeset", path)
        .with("type", "string")
        .with("readonly", "true()")
}

fn entity_binds(
    paths: &Paths<'_>,
    container: Option<usize>,
    meta: &str,
    declaration: &EntityDeclaration,
    elements: &mut Vec<Element>,
) {
    let path = format!("{meta}/entity");
    // The elements `meta` and `entity` stand between the expression's own place and the group.
    let context = Context { container, between: 2 };
    let mut calculate = |name: &str, expression: &str| {
        let value = paths.insert(expression, context, Style::default());
        elements.push(read_only(&format!("{path}/{name}")).with("calculate", value));
    };
    if let Some(condition) = &declaration.create_if {
        calculate("@create", condition);
    }
    if let Some(id) = &declaration.entity_id {
        if let Some(condition) = &declaration.update_if {
            calculate("@update", condition);
        }
        let list = &declaration.list_name;
        for (attribute, version) in [
            ("@baseVersion", "__version"),
            ("@trunkVersion", "__trunkVersion"),
            ("@branchId", "__branchId"),
        ] {
            calculate(attribute, &format!("instance('{list}')/root/item[name={id}]/{version}"));
        }
        calculate("@id", id);
    } else {
        let id = format!("{path}/@id");
        elements.push(read_only(&id));
        elements.push(binds::set_value(&id, Event::FirstLoad, NEW_IDENTITY));
    }
    if let Some(label) = &declaration.label {
        let value = paths.insert(label, context, Style::default());
        elements.push(read_only(&format!("{path}/label")).with("calculate", value));
    }
}

/// The identity of a new entity.
const NEW_IDENTITY: &str = "uuid()";

/// What gives each new instance of a repeat the identity of its entity; `group` is the repeat or a group inside it.
pub(super) fn new_identities(paths: &Paths<'_>, group: usize) -> Vec<Element> {
    let form = paths.form;
    let created = rows::entities_at(form, Some(group)).filter(|declared| {
        let declaration = form.definition().entities.get(*declared);
        declaration.is_some_and(|declaration| declaration.entity_id.is_none())
    });
    let id = format!("{}/meta/entity/@id", paths.of(group));
    created
        .map(|_| binds::set_value(&id, Event::NewRepeat, NEW_IDENTITY))
        .collect()
}
