//! The document that expressions are about: a tree in document order, built once, whose leaves' values may change.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use super::names::{self, Prefixes};
use super::secondary::SecondaryInstances;

/// A node of one [`Tree`] or of the secondary instances beside it; nodes compare in document order, those of secondary
/// instances after all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(super) u32);

/// Set in the id of a node that stands in a secondary instance.
pub(super) const SECONDARY: u32 = 1 << 31;

impl NodeId {
    /// The place in the array of its own store.
    pub(super) fn index(self) -> usize {
        (self.0 & !SECONDARY) as usize
    }

    pub(super) fn is_secondary(self) -> bool {
        self.0 & SECONDARY != 0
    }
}

/// The kind of a node (XPath 1.0 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // each variant is the standard's node type of that name
pub enum NodeKind {
    Root,
    /// `<!DOCTYPE …>`. XPath 1.0 has no such node; the DOM, over which ODK's engine works, counts it among a document's
    /// children.
    DocumentType,
    Element,
    Attribute,
    Text,
    Comment,
    ProcessingInstruction,
    Namespace,
}

/// The name of a node.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Name {
    /// The prefix as written, if there is one.
    pub prefix: Option<String>,
    /// The namespace's URI, if the node is in one.
    pub namespace: Option<String>,
    /// The local part; empty for nodes without a name.
    pub local: String,
}

impl Name {
    /// A name outside every namespace.
    pub fn local(local: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            local: local.into(),
            ..Self::default()
        })
    }
}

/// What a tree knows about the form it was built from: the questions by name, and the labels of choices.
#[derive(Debug, Default)]
pub struct QuestionIndex {
    /// Position of each question, group and repeat in the form, by name.
    pub positions: HashMap<String, usize>,
    /// Labels by the question's position, the choice's name and the language's code.
    pub choice_labels: BTreeMap<usize, BTreeMap<String, BTreeMap<String, String>>>,
    /// The languages' codes, the default one first.
    pub languages: Vec<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    pub(super) name: Arc<Name>,
    /// The text of a leaf; empty for a node with children.
    pub(super) value: String,
    pub(super) parent: Option<NodeId>,
    /// One past the last node of this node's subtree.
    pub(super) end: u32,
    pub(super) relevant: bool,
    pub(super) repeat_instance: bool,
}

/// A document tree.
///
/// Nodes stand in document order in one array: attributes after their element, then its children. So a subtree is a
/// range, and comparing identities compares document order.
#[derive(Debug, Clone)]
pub struct Tree {
    nodes: Vec<Node>,
    index: Arc<QuestionIndex>,
    /// The nodes made from each question of the form, in document order.
    by_position: Vec<Vec<NodeId>>,
    /// Where absolute paths start.
    start: NodeId,
    /// What the document's prefixes stand for.
    prefixes: Prefixes,
    secondary: Arc<SecondaryInstances>,
}

impl Tree {
    /// The root, the parent of the outermost element.
    pub const ROOT: NodeId = NodeId(0);

    /// How many nodes there are, the root included.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Always false: every tree has a root.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    fn node(&self, node: NodeId) -> &Node {
        if node.is_secondary() {
            self.secondary.node(node)
        } else {
            &self.nodes[node.index()]
        }
    }

    /// The secondary instances that `instance()` and `pulldata()` look into.
    pub fn secondary(&self) -> &SecondaryInstances {
        &self.secondary
    }

    /// The same, to be set in another tree of the form.
    pub(crate) fn shared_secondary(&self) -> Arc<SecondaryInstances> {
        self.secondary.clone()
    }

    /// Sets the secondary instances; they are shared, not copied, so one store serves every session of a form.
    pub fn set_secondary(&mut self, instances: Arc<SecondaryInstances>) {
        self.secondary = instances;
    }

    /// Where absolute paths start: [`Tree::ROOT`], or in a whole XForm the element `instance` of its primary instance,
    /// for that is the document that an XForm's expressions are about (ODK XForms specification, "Instance").
    pub fn start(&self) -> NodeId {
        self.start
    }

    /// Sets where absolute paths start; [`Tree::ROOT`] makes them start at the document itself, in a whole XForm too.
    pub fn set_start(&mut self, start: NodeId) {
        self.start = start;
    }

    /// Makes a prefix stand for a namespace in expressions, whatever the document binds it to.
    pub fn bind_prefix(&mut self, prefix: &str, uri: &str) {
        let others = self.prefixes.iter().filter(|(bound, _)| bound != prefix).cloned();
        self.prefixes = std::iter::once((prefix.to_owned(), uri.to_owned()))
            .chain(others)
            .collect();
    }

    pub(super) fn set_prefixes(&mut self, prefixes: Prefixes) {
        self.prefixes = prefixes;
    }

    /// Says what prefixes in expressions stand for, as (prefix, URI), before what the document binds them to.
    pub fn bind_prefixes(&mut self, prefixes: &[(String, String)]) {
        self.prefixes = prefixes.iter().chain(self.prefixes.iter()).cloned().collect();
    }

    /// What a prefix stands for in expressions: what the document binds it to, else its usual meaning in XForms.
    pub(super) fn namespace_of_prefix(&self, prefix: &str) -> Option<&str> {
        names::namespace_of_prefix(&self.prefixes, prefix)
    }

    /// Whether the document is a whole XForm, see [`Tree::start`].
    pub(super) fn is_form_document(&self) -> bool {
        self.start != Self::ROOT
    }

    /// The node's kind.
    pub fn kind(&self, node: NodeId) -> NodeKind {
        self.node(node).kind
    }

    /// The node's name.
    pub fn name(&self, node: NodeId) -> &Name {
        &self.node(node).name
    }

    /// The node's name, shared.
    pub(super) fn shared_name(&self, node: NodeId) -> Arc<Name> {
        self.node(node).name.clone()
    }

    /// The node's parent; an attribute's parent is its element.
    pub fn parent(&self, node: NodeId) -> Option<NodeId> {
        self.node(node).parent
    }

    /// The node's string value (XPath 1.0 §5): of an element with children, all text below it.
    pub fn text_of(&self, node: NodeId) -> Cow<'_, str> {
        let own = self.node(node);
        let below = node.0 + 1..own.end;
        if below.is_empty() || !own.value.is_empty() || !matches!(own.kind, NodeKind::Element | NodeKind::Root) {
            return Cow::Borrowed(&own.value);
        }
        // Borrowed while there is one piece of text, as in nearly every element.
        let mut text = Cow::Borrowed("");
        for inner in below.map(|index| self.node(NodeId(index))) {
            let counts = matches!(inner.kind, NodeKind::Text | NodeKind::Element) && inner.relevant;
            if !counts || inner.value.is_empty() {
                continue;
            }
            if text.is_empty() {
                text = Cow::Borrowed(inner.value.as_str());
            } else {
                text.to_mut().push_str(&inner.value);
            }
        }
        text
    }

    /// Replaces the value of a leaf.
    pub(crate) fn set_value(&mut self, node: NodeId, value: String) {
        self.nodes[node.index()].value = value;
    }

    /// The value of a leaf.
    pub(crate) fn value(&self, node: NodeId) -> &str {
        &self.node(node).value
    }

    /// Whether expressions see the node; false for questions that are not to be asked now.
    pub fn is_relevant(&self, node: NodeId) -> bool {
        self.node(node).relevant
    }

    pub(crate) fn set_relevant(&mut self, node: NodeId, relevant: bool) {
        self.nodes[node.index()].relevant = relevant;
    }

    /// What the tree knows about its form.
    pub fn index(&self) -> &QuestionIndex {
        &self.index
    }

    /// The nodes made from the form's question, group or repeat at `position`, in document order.
    pub fn nodes_of(&self, position: usize) -> &[NodeId] {
        self.by_position.get(position).map_or(&[], Vec::as_slice)
    }

    /// The nodes that `${name}` means at `origin`: those within the innermost repeat instance around `origin` whose repeat
    /// holds the question, else all of the document. None where the form has no such question.
    pub fn referenced(&self, name: &str, origin: NodeId) -> Option<&[NodeId]> {
        let nodes = self.nodes_of(*self.index.positions.get(name)?);
        Some(self.within_instance(nodes, origin).unwrap_or(nodes))
    }

    /// As [`Self::referenced`], but none where no repeat instance around `origin` is of a repeat that holds the question.
    pub(super) fn referenced_inside(&self, name: &str, origin: NodeId) -> Option<&[NodeId]> {
        self.within_instance(self.nodes_of(*self.index.positions.get(name)?), origin)
    }

    fn within_instance<'n>(&self, nodes: &'n [NodeId], origin: NodeId) -> Option<&'n [NodeId]> {
        let mut place = Some(origin);
        while let Some(node) = place {
            let own = self.node(node);
            if own.repeat_instance {
                let from = nodes.partition_point(|other| *other <= node);
                let to = nodes.partition_point(|other| other.0 < own.end);
                if from < to || nodes.first().is_some_and(|other| self.is_in_repeat(*other, &own.name)) {
                    return Some(&nodes[from..to]);
                }
            }
            place = own.parent;
        }
        None
    }

    /// Whether a node stands inside an instance of the repeat of that name; names of repeats are unique in a form.
    fn is_in_repeat(&self, node: NodeId, name: &Name) -> bool {
        let mut ancestors = std::iter::successors(self.parent(node), |node| self.parent(*node));
        ancestors.any(|ancestor| {
            let own = &self.nodes[ancestor.index()];
            own.repeat_instance && *own.name == *name
        })
    }

    /// The nodes of `node`'s subtree without itself, attributes included.
    pub(crate) fn below(&self, node: NodeId) -> impl DoubleEndedIterator<Item = NodeId> + ExactSizeIterator + use<> {
        (node.0 + 1..self.node(node).end).map(NodeId)
    }

    /// Every node of the document in which `node` stands, in document order.
    pub(crate) fn document_of(&self, node: NodeId) -> impl DoubleEndedIterator<Item = NodeId> + use<> {
        let range = if node.is_secondary() {
            let outermost = std::iter::successors(Some(node), |node| self.parent(*node)).last();
            outermost.map_or(0..0, |outermost| outermost.0..self.node(outermost).end)
        } else {
            0..u32::try_from(self.nodes.len()).unwrap_or(u32::MAX)
        };
        range.map(NodeId)
    }

    /// Whether `node` stands in the subtree of `ancestor`, or is it.
    pub(crate) fn contains(&self, ancestor: NodeId, node: NodeId) -> bool {
        (ancestor.0..self.node(ancestor).end).contains(&node.0)
    }

    /// The node's children in document order, attributes and namespaces left out.
    pub fn children(&self, node: NodeId) -> Children<'_> {
        Children {
            tree: self,
            rest: node.0 + 1..self.node(node).end,
        }
    }
}

/// The children of a node, see [`Tree::children`].
#[derive(Debug)]
pub struct Children<'a> {
    tree: &'a Tree,
    rest: Range<u32>,
}

impl Iterator for Children<'_> {
    type Item = NodeId;

    fn next(&mut self) -> Option<NodeId> {
        while !self.rest.is_empty() {
            let node = NodeId(self.rest.start);
            let own = self.tree.node(node);
            self.rest.start = own.end;
            if !matches!(own.kind, NodeKind::Attribute | NodeKind::Namespace) {
                return Some(node);
            }
        }
        None
    }
}

/// Builds a [`Tree`] in document order.
#[derive(Debug)]
pub struct TreeBuilder {
    tree: Tree,
    open: Vec<NodeId>,
}

impl TreeBuilder {
    /// An empty document; `index` describes the form it will be built from, and may be empty.
    pub fn new(index: Arc<QuestionIndex>) -> Self {
        let questions = index.positions.len();
        let root = Node {
            kind: NodeKind::Root,
            name: Arc::default(),
            value: String::new(),
            parent: None,
            end: 1,
            relevant: true,
            repeat_instance: false,
        };
        Self {
            tree: Tree {
                nodes: vec![root],
                index,
                by_position: vec![Vec::new(); questions],
                start: Tree::ROOT,
                prefixes: Prefixes::default(),
                secondary: Arc::default(),
            },
            open: vec![Tree::ROOT],
        }
    }

    fn add(&mut self, kind: NodeKind, name: Arc<Name>, value: String) -> NodeId {
        let id = u32::try_from(self.tree.nodes.len()).unwrap_or(u32::MAX);
        self.tree.nodes.push(Node {
            kind,
            name,
            value,
            parent: self.open.last().copied(),
            end: id.saturating_add(1),
            relevant: true,
            repeat_instance: false,
        });
        NodeId(id)
    }

    /// Opens an element; what is added until [`TreeBuilder::close`] is inside it.
    pub fn open(&mut self, name: Arc<Name>) -> NodeId {
        let node = self.add(NodeKind::Element, name, String::new());
        self.open.push(node);
        node
    }

    /// Opens an element made from the form's question at `position`.
    pub(crate) fn open_question(&mut self, name: Arc<Name>, position: usize, repeat_instance: bool) -> NodeId {
        let node = self.open(name);
        self.tree.nodes[node.index()].repeat_instance = repeat_instance;
        if let Some(nodes) = self.tree.by_position.get_mut(position) {
            nodes.push(node);
        }
        node
    }

    /// Adds a leaf element made from the form's question at `position`.
    pub(crate) fn question(&mut self, name: Arc<Name>, position: usize, value: String) -> NodeId {
        let node = self.add(NodeKind::Element, name, value);
        if let Some(nodes) = self.tree.by_position.get_mut(position) {
            nodes.push(node);
        }
        node
    }

    /// Adds a leaf to the open element: an attribute (before any child), text, a comment or a processing instruction.
    pub fn leaf(&mut self, kind: NodeKind, name: Arc<Name>, value: impl Into<String>) -> NodeId {
        self.add(kind, name, value.into())
    }

    /// Closes the element opened last; does nothing where none is open.
    pub fn close(&mut self) {
        if self.open.len() > 1
            && let Some(node) = self.open.pop()
        {
            self.tree.nodes[node.index()].end = u32::try_from(self.tree.nodes.len()).unwrap_or(u32::MAX);
        }
    }

    /// The finished tree; elements still open are closed.
    pub fn finish(mut self) -> Tree {
        while self.open.len() > 1 {
            self.close();
        }
        self.tree.nodes[0].end = u32::try_from(self.tree.nodes.len()).unwrap_or(u32::MAX);
        self.tree
    }
}
