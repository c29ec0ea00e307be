//! The document that expressions are about: a tree in document order, built once, whose leaves' values may change.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

/// A node of one [`Tree`]; nodes compare in document order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

impl NodeId {
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// The kind of a node (XPath 1.0 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // each variant is the standard's node type of that name
pub enum NodeKind {
    Root,
    Element,
    Attribute,
    Text,
    Comment,
    ProcessingInstruction,
    Namespace,
}

/// The name of a node.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Name {
    /// The prefix that expressions use for the node's namespace, if it is in one.
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
struct Node {
    kind: NodeKind,
    name: Arc<Name>,
    /// The text of a leaf; empty for a node with children.
    value: String,
    parent: Option<NodeId>,
    /// One past the last node of this node's subtree.
    end: u32,
    relevant: bool,
    repeat_instance: bool,
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

    /// The node's kind.
    pub fn kind(&self, node: NodeId) -> NodeKind {
        self.nodes[node.index()].kind
    }

    /// The node's name.
    pub fn name(&self, node: NodeId) -> &Name {
        &self.nodes[node.index()].name
    }

    /// The node's parent; an attribute's parent is its element.
    pub fn parent(&self, node: NodeId) -> Option<NodeId> {
        self.nodes[node.index()].parent
    }

    /// The node's string value (XPath 1.0 §5): of an element with children, all text below it.
    pub fn text_of(&self, node: NodeId) -> Cow<'_, str> {
        let own = &self.nodes[node.index()];
        let below = node.0 + 1..own.end;
        if below.is_empty() || !own.value.is_empty() || !matches!(own.kind, NodeKind::Element | NodeKind::Root) {
            return Cow::Borrowed(&own.value);
        }
        let mut text = String::new();
        for inner in below.map(|index| &self.nodes[index as usize]) {
            if matches!(inner.kind, NodeKind::Text | NodeKind::Element) && inner.relevant {
                text.push_str(&inner.value);
            }
        }
        Cow::Owned(text)
    }

    /// Replaces the value of a leaf.
    pub(crate) fn set_value(&mut self, node: NodeId, value: String) {
        self.nodes[node.index()].value = value;
    }

    /// The value of a leaf.
    pub(crate) fn value(&self, node: NodeId) -> &str {
        &self.nodes[node.index()].value
    }

    /// Whether expressions see the node; false for questions that are not to be asked now.
    pub fn is_relevant(&self, node: NodeId) -> bool {
        self.nodes[node.index()].relevant
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
        let mut place = Some(origin);
        while let Some(node) = place {
            let own = &self.nodes[node.index()];
            if own.repeat_instance {
                let from = nodes.partition_point(|other| *other <= node);
                let to = nodes.partition_point(|other| other.0 < own.end);
                if from < to || nodes.first().is_some_and(|other| self.is_in_repeat(*other, &own.name)) {
                    return Some(&nodes[from..to]);
                }
            }
            place = own.parent;
        }
        Some(nodes)
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
    pub(crate) fn below(&self, node: NodeId) -> impl DoubleEndedIterator<Item = NodeId> + use<> {
        (node.0 + 1..self.nodes[node.index()].end).map(NodeId)
    }

    /// Every node in document order.
    pub(crate) fn all(&self) -> impl DoubleEndedIterator<Item = NodeId> + use<> {
        (0..u32::try_from(self.nodes.len()).unwrap_or(u32::MAX)).map(NodeId)
    }

    /// Whether `node` stands in the subtree of `ancestor`, or is it.
    pub(crate) fn contains(&self, ancestor: NodeId, node: NodeId) -> bool {
        (ancestor.0..self.nodes[ancestor.index()].end).contains(&node.0)
    }

    /// The node's children in document order, attributes and namespaces left out.
    pub fn children(&self, node: NodeId) -> Children<'_> {
        Children {
            tree: self,
            rest: node.0 + 1..self.nodes[node.index()].end,
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
            let own = &self.tree.nodes[node.index()];
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
