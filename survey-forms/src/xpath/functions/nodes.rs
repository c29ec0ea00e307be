//! Functions on node sets (XPath 1.0 §4.1 and `lang` of §4.3; ODK XForms specification, "Node set functions").

use std::collections::HashSet;

use super::super::ast::{Path, PathStart};
use super::super::tree::{NodeId, NodeKind, Tree};
use super::text::words;
use super::{EvaluationError, Expression, Object, Scope};

pub(super) fn last(scope: &Scope<'_>, _: &[Expression]) -> Result<Object, EvaluationError> {
    Ok(Object::Number(scope.size as f64))
}

/// `position()`, or ODK's `position(node)`: the node's place among its siblings of the same name, from 1.
pub(super) fn position(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let Some(argument) = arguments.first() else {
        return Ok(Object::Number(scope.position as f64));
    };
    let tree = scope.tree;
    let Some(node) = scope.nodes(argument, "position()")?.first().copied() else {
        return Ok(Object::Number(f64::NAN));
    };
    let siblings = tree.parent(node).into_iter().flat_map(|parent| tree.children(parent));
    let before = siblings
        .take_while(|sibling| *sibling <= node)
        .filter(|sibling| tree.kind(*sibling) == tree.kind(node) && tree.name(*sibling) == tree.name(node));
    Ok(Object::Number(before.count() as f64))
}

pub(super) fn count(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    Ok(Object::Number(scope.nodes(&arguments[0], "count()")?.len() as f64))
}

pub(super) fn count_non_empty(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let nodes = scope.nodes(&arguments[0], "count-non-empty()")?;
    let mut filled = 0_u32;
    for node in nodes {
        filled += u32::from(!scope.node_text(node)?.is_empty());
    }
    Ok(Object::Number(f64::from(filled)))
}

pub(super) fn current(scope: &Scope<'_>, _: &[Expression]) -> Result<Object, EvaluationError> {
    Ok(Object::Nodes(vec![scope.origin]))
}

/// `id(x)`: the elements whose attribute `id` is one of the words of x.
pub(super) fn id(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let tree = scope.tree;
    let text = match scope.evaluate(&arguments[0])? {
        Object::Nodes(nodes) => {
            let texts: Result<Vec<_>, _> = nodes.iter().map(|node| scope.node_text(*node)).collect();
            texts?.join(" ")
        }
        other => other.to_text(tree),
    };
    let words: HashSet<&str> = words(&text).collect();
    let is_id = |node: &NodeId| {
        tree.kind(*node) == NodeKind::Attribute
            && matches!(tree.name(*node).local.as_str(), "id")
            && words.contains(tree.value(*node))
    };
    let mut nodes: Vec<NodeId> = tree
        .document_of(scope.node)
        .filter(is_id)
        .filter_map(|node| tree.parent(node))
        .collect();
    nodes.dedup();
    Ok(Object::Nodes(nodes))
}

/// The first node of the optional argument, or the context node.
fn named_node(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Option<NodeId>, EvaluationError> {
    let node = match arguments.first() {
        Some(argument) => scope.nodes(argument, "a name function")?.first().copied(),
        None => Some(scope.node),
    };
    // The declaration of a namespace has no name of its own in ODK Web Forms; XPath 1.0 §5.4 gives it that of the prefix.
    Ok(node.filter(|node| scope.tree.kind(*node) != NodeKind::Namespace))
}

pub(super) fn local_name(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let node = named_node(scope, arguments)?;
    Ok(Object::Text(
        node.map_or_else(String::new, |node| scope.tree.name(node).local.clone()),
    ))
}

pub(super) fn namespace_uri(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let node = named_node(scope, arguments)?;
    let uri = node.and_then(|node| scope.tree.name(node).namespace.clone());
    Ok(Object::Text(uri.unwrap_or_default()))
}

pub(super) fn name(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let node = named_node(scope, arguments)?;
    Ok(Object::Text(node.map_or_else(String::new, |node| {
        let name = scope.tree.name(node);
        match &name.prefix {
            Some(prefix) => format!("{prefix}:{}", name.local),
            None => name.local.clone(),
        }
    })))
}

/// `lang(x)`: whether the nearest `xml:lang` is x or a regional form of it, whatever the case.
pub(super) fn lang(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let wanted = scope.text(&arguments[0])?.to_lowercase();
    if wanted.is_empty() {
        return Ok(Object::Boolean(false));
    }
    let tree = scope.tree;
    let mut place = Some(scope.node);
    while let Some(node) = place {
        let language = tree
            .below(node)
            .take_while(|inner| matches!(tree.kind(*inner), NodeKind::Attribute | NodeKind::Namespace))
            .find(|inner| {
                let name = tree.name(*inner);
                name.local == "lang" && name.prefix.as_deref() == Some("xml")
            });
        if let Some(language) = language {
            let found = tree.value(language).to_lowercase();
            let matches = found == wanted
                || found
                    .strip_prefix(&wanted)
                    .is_some_and(|region| region.starts_with('-'));
            return Ok(Object::Boolean(matches));
        }
        place = tree.parent(node);
    }
    Ok(Object::Boolean(false))
}

/// `indexed-repeat(target, group, index, …)`: the target inside the group's instance of that number (from 1); further
/// pairs choose inside the instance chosen by the group around them, in whatever order they are written.
pub(super) fn indexed_repeat(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let tree = scope.tree;
    let depth = |node: NodeId| std::iter::successors(Some(node), |node| tree.parent(*node)).count();
    let mut pairs = Vec::new();
    for pair in arguments[1..].chunks(2) {
        let [group, index] = pair else {
            return Err(EvaluationError::OddArguments("indexed-repeat()"));
        };
        let index = scope.number(index)?;
        let instances = everywhere(scope, group)?;
        let Some(first) = instances.first().copied() else {
            return Ok(Object::Nodes(Vec::new()));
        };
        pairs.push((depth(first), instances, index));
    }
    pairs.sort_by_key(|(depth, ..)| *depth);
    let mut chosen = None;
    for (_, instances, index) in pairs {
        let inside = instances
            .into_iter()
            .filter(|instance| chosen.is_none_or(|chosen| tree.contains(chosen, *instance)));
        let Some(instance) = inside.zip(1_u32..).find(|(_, number)| f64::from(*number) == index) else {
            return Ok(Object::Nodes(Vec::new()));
        };
        chosen = Some(instance.0);
    }
    let targets = everywhere(scope, &arguments[0])?;
    Ok(Object::Nodes(
        targets
            .into_iter()
            .filter(|target| chosen.is_none_or(|chosen| tree.contains(chosen, *target)))
            .collect(),
    ))
}

/// The nodes of an argument; a bare `${question}` means the question in every instance, not only in the own one.
fn everywhere(scope: &Scope<'_>, argument: &Expression) -> Result<Vec<NodeId>, EvaluationError> {
    if let Expression::Path(Path {
        start: PathStart::Question(name),
        predicates,
        steps,
    }) = argument
        && predicates.is_empty()
        && steps.is_empty()
    {
        let nodes = scope.tree.referenced(name, Tree::ROOT);
        let nodes = nodes.ok_or_else(|| EvaluationError::UnknownQuestion(name.clone()))?;
        return Ok(nodes.to_vec());
    }
    scope.nodes(argument, "indexed-repeat()")
}
