//! The nodes that a step reaches (XPath 1.0 §2.2 and §2.3).

use super::ast::{Axis, NodeTest, Step};
use super::names;
use super::tree::{NodeId, NodeKind, Tree};

/// Appends the nodes of the step's axis that pass its node test and are to be asked now, in the axis's order: nearest
/// first on a reverse axis. Returns how many nodes were looked at.
pub(super) fn collect(tree: &Tree, node: NodeId, step: &Step, found: &mut Vec<NodeId>) -> u64 {
    let mut visited = 0_u64;
    let namespace = match &step.test {
        NodeTest::Name {
            prefix: Some(prefix), ..
        }
        | NodeTest::AnyWithPrefix(prefix) => tree.namespace_of_prefix(prefix),
        _ => None,
    };
    let mut visit = |candidate: NodeId| {
        visited += 1;
        if passes(tree, step, namespace, candidate) && tree.is_relevant(candidate) {
            found.push(candidate);
        }
    };
    let ancestors = |first: Option<NodeId>| std::iter::successors(first, |node| tree.parent(*node));
    let is_attribute = |node: &NodeId| matches!(tree.kind(*node), NodeKind::Attribute | NodeKind::Namespace);
    let own_attributes = |kind: NodeKind| {
        let own = tree.below(node).take_while(is_attribute);
        own.filter(move |attribute| tree.kind(*attribute) == kind)
    };
    let siblings = || tree.parent(node).into_iter().flat_map(|parent| tree.children(parent));
    match step.axis {
        Axis::Child => tree.children(node).for_each(&mut visit),
        Axis::SelfNode => visit(node),
        Axis::Parent => tree.parent(node).into_iter().for_each(&mut visit),
        Axis::Ancestor => ancestors(tree.parent(node)).for_each(&mut visit),
        Axis::AncestorOrSelf => ancestors(Some(node)).for_each(&mut visit),
        Axis::Attribute => own_attributes(NodeKind::Attribute).for_each(&mut visit),
        Axis::Namespace => own_attributes(NodeKind::Namespace).for_each(&mut visit),
        Axis::Descendant => tree.below(node).filter(|node| !is_attribute(node)).for_each(&mut visit),
        Axis::DescendantOrSelf => {
            visit(node);
            tree.below(node).filter(|node| !is_attribute(node)).for_each(&mut visit);
        }
        // An attribute has no siblings (XPath 1.0 §2.2).
        Axis::FollowingSibling | Axis::PrecedingSibling if is_attribute(&node) => {}
        Axis::FollowingSibling => siblings().filter(|sibling| *sibling > node).for_each(&mut visit),
        Axis::PrecedingSibling => {
            let before: Vec<NodeId> = siblings().take_while(|sibling| *sibling < node).collect();
            before.into_iter().rev().for_each(&mut visit);
        }
        Axis::Following => tree
            .document_of(node)
            .filter(|other| *other > node && !tree.contains(node, *other) && !is_attribute(other))
            .for_each(&mut visit),
        Axis::Preceding => tree
            .document_of(node)
            .rev()
            .filter(|other| *other < node && !tree.contains(*other, node) && !is_attribute(other))
            .for_each(&mut visit),
    }
    visited
}

/// Whether a node on an axis passes the step's node test (XPath 1.0 §2.3); `namespace` is what the test's prefix stands
/// for.
fn passes(tree: &Tree, step: &Step, namespace: Option<&str>, node: NodeId) -> bool {
    let kind = tree.kind(node);
    let principal = match step.axis {
        Axis::Attribute => NodeKind::Attribute,
        Axis::Namespace => NodeKind::Namespace,
        _ => NodeKind::Element,
    };
    match &step.test {
        NodeTest::Node => true,
        NodeTest::Text => kind == NodeKind::Text,
        NodeTest::Comment => kind == NodeKind::Comment,
        NodeTest::ProcessingInstruction(target) => {
            kind == NodeKind::ProcessingInstruction
                && target.as_ref().is_none_or(|target| *target == tree.name(node).local)
        }
        NodeTest::Any => kind == principal,
        NodeTest::AnyWithPrefix(prefix) => kind == principal && has_prefix(tree, node, Some(prefix), namespace),
        NodeTest::Name { prefix, local } => {
            let name = tree.name(node);
            kind == principal && name.local == *local && has_prefix(tree, node, prefix.as_deref(), namespace)
        }
    }
}

/// Whether a node's name is in the namespace that a prefix of an expression means. Without a prefix that is no namespace
/// (XPath 1.0 §2.3) or that of XForms; in a form's own document and in secondary instances it is whatever is written
/// without a prefix, for instances often declare a default namespace that expressions do not repeat.
pub(super) fn has_prefix(tree: &Tree, node: NodeId, prefix: Option<&str>, namespace: Option<&str>) -> bool {
    let name = tree.name(node);
    match (prefix, &name.namespace) {
        (None, None) => name.prefix.is_none(),
        (None, Some(own)) => {
            own == names::XFORMS || ((node.is_secondary() || tree.is_form_document()) && name.prefix.is_none())
        }
        (Some(_), Some(own)) => namespace == Some(own),
        // A tree built without namespaces still has its prefixes.
        (Some(prefix), None) => name.prefix.as_deref() == Some(prefix),
    }
}
