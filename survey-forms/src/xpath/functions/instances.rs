//! Functions that look beside the form's own instance: into secondary instances, translations and the form's metadata
//! (ODK XForms specification, "Secondary instances", "Languages").

use super::super::document;
use super::super::tree::{NodeId, NodeKind, Tree};
use super::{EvaluationError, Expression, Object, Scope};

/// The children of `parent` that are elements of that name.
fn elements<'a>(tree: &'a Tree, parent: NodeId, local: &'a str) -> impl Iterator<Item = NodeId> + 'a {
    tree.children(parent)
        .filter(move |node| tree.kind(*node) == NodeKind::Element && tree.name(*node).local == local)
}

/// The value of an element's attribute without a prefix.
fn attribute<'a>(tree: &'a Tree, element: NodeId, local: &str) -> Option<&'a str> {
    tree.below(element)
        .take_while(|node| matches!(tree.kind(*node), NodeKind::Attribute | NodeKind::Namespace))
        .find(|node| {
            let name = tree.name(*node);
            tree.kind(*node) == NodeKind::Attribute && name.prefix.is_none() && name.local == local
        })
        .map(|node| tree.value(node))
}

/// The identity of the instance that holds the form saved last.
pub(crate) const LAST_SAVED_INSTANCE: &str = "__last-saved";

/// The element `instance` of that id: of the secondary instances beside the tree, else of a model in the document.
fn instance_element(tree: &Tree, id: &str) -> Result<NodeId, EvaluationError> {
    let in_model = || {
        let models: Vec<NodeId> = match document::model(tree) {
            Some(model) => vec![model],
            None => elements(tree, Tree::ROOT, "model").collect(),
        };
        models
            .into_iter()
            .flat_map(|model| elements(tree, model, "instance"))
            .find(|instance| attribute(tree, *instance, "id") == Some(id))
    };
    let found = tree.secondary().instance(id).or_else(in_model);
    found.ok_or_else(|| EvaluationError::UnknownInstance(id.to_owned()))
}

/// `instance(id)`: the element `instance` of that id, so that `instance('x')/root/item` are its rows.
pub(super) fn instance(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let id = scope.borrowed_text(&arguments[0])?;
    Ok(Object::Nodes(vec![instance_element(scope.tree, &id)?]))
}

/// The answers to a question in the form saved last; none where none was saved yet.
pub(in crate::xpath) fn last_saved(tree: &Tree, question: &str) -> Vec<NodeId> {
    let Some(instance) = tree.secondary().instance(LAST_SAVED_INSTANCE) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut left: Vec<NodeId> = tree.children(instance).collect();
    left.reverse();
    while let Some(node) = left.pop() {
        if tree.name(node).local == question {
            found.push(node);
        }
        let children: Vec<NodeId> = tree.children(node).collect();
        left.extend(children.into_iter().rev());
    }
    found
}

/// `pulldata(instance, column, key column, key)`: the text of `column` in the first row whose key column is `key`; blank
/// where there is no such row. The instance may be named as a CSV file.
pub(super) fn pulldata(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let tree = scope.tree;
    let id = scope.borrowed_text(&arguments[0])?;
    let column = scope.borrowed_text(&arguments[1])?;
    let key_column = scope.borrowed_text(&arguments[2])?;
    let key = scope.borrowed_text(&arguments[3])?;
    let instance = instance_element(tree, &id).or_else(|error| match id.strip_suffix(".csv") {
        Some(name) => instance_element(tree, name),
        None => Err(error),
    })?;
    for root in elements(tree, instance, "root") {
        let rows: Vec<NodeId> = if root.is_secondary() {
            tree.secondary().lookup(tree, root, "item", &key_column, &key)
        } else {
            let has_key = |item: &NodeId| elements(tree, *item, &key_column).any(|cell| tree.text_of(cell) == key);
            elements(tree, root, "item").filter(has_key).collect()
        };
        if let Some(cell) = rows.into_iter().find_map(|item| elements(tree, item, &column).next()) {
            return Ok(Object::Text(tree.text_of(cell).into_owned()));
        }
    }
    Ok(Object::Text(String::new()))
}

/// `jr:itext(id)`: the values of a text of the form's document in the caller's language, else in the form's default
/// language (the translation with the attribute `default`, else the first); of several forms of a text, all.
pub(super) fn itext(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let tree = scope.tree;
    let id = scope.borrowed_text(&arguments[0])?;
    let itext = document::model(tree).and_then(|model| elements(tree, model, "itext").next());
    let translations: Vec<NodeId> = itext.map_or_else(Vec::new, |itext| elements(tree, itext, "translation").collect());
    let in_language = |translation: &&NodeId| attribute(tree, **translation, "lang") == Some(&scope.context.language);
    let is_default = |translation: &&NodeId| attribute(tree, **translation, "default").is_some();
    let chosen = translations
        .iter()
        .find(in_language)
        .or_else(|| translations.iter().find(is_default))
        .or(translations.first());
    let text = chosen.and_then(|translation| {
        elements(tree, *translation, "text").find(|text| attribute(tree, *text, "id") == Some(&id))
    });
    Ok(Object::Nodes(
        text.map_or_else(Vec::new, |text| elements(tree, text, "value").collect()),
    ))
}

/// `version()`: the attribute `version` of the primary instance, blank without one.
pub(super) fn version(scope: &Scope<'_>, _: &[Expression]) -> Result<Object, EvaluationError> {
    let tree = scope.tree;
    let root = tree
        .children(tree.start())
        .find(|node| tree.kind(*node) == NodeKind::Element);
    let version = root.and_then(|root| attribute(tree, root, "version"));
    Ok(Object::Text(version.unwrap_or_default().to_owned()))
}

/// `property(name)`: of the device's properties `deviceid`; blank for others, for this platform keeps no personal
/// properties of its users' phones.
pub(super) fn property(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let name = scope.borrowed_text(&arguments[0])?;
    let device = scope.context.device_id.as_ref().filter(|_| name == "deviceid");
    Ok(Object::Text(device.cloned().unwrap_or_default()))
}
