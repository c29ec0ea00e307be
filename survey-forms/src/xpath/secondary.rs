//! Secondary instances: the documents beside a form's own that `instance()` and `pulldata()` look into (ODK XForms
//! specification, "Secondary instances").
//!
//! All of them stand in one array that every session of a form shares. Their node ids have the highest bit set, so a
//! node id stays four bytes, and one comparison still gives document order.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use super::secondary_error::{SecondaryInstanceError, SecondaryInstanceErrorKind};
use super::tree::{Name, Node, NodeId, NodeKind, SECONDARY, Tree};
use super::{axes, csv_table, document, geojson};

/// How many nodes all secondary instances of a form may have together.
pub const MAX_SECONDARY_NODES: usize = 4_000_000;

/// Nodes by their text.
type Index = HashMap<Box<str>, Vec<NodeId>>;

/// The items of one name below one parent, by the text of their children of another name.
#[derive(Debug)]
struct ColumnIndex {
    item: String,
    column: String,
    rows: Index,
}

/// The secondary instances of a form; built once a form with [`SecondaryInstancesBuilder`] and shared.
#[derive(Debug, Default)]
pub struct SecondaryInstances {
    nodes: Vec<Node>,
    by_id: BTreeMap<String, NodeId>,
    /// Made when first needed, and kept: a list of 10,000 rows is searched at every keystroke.
    indexes: Mutex<HashMap<NodeId, Vec<ColumnIndex>>>,
}

impl SecondaryInstances {
    /// The element `instance` of that id, whose children are the document's; none where there is no such instance.
    pub fn instance(&self, id: &str) -> Option<NodeId> {
        self.by_id.get(id).copied()
    }

    /// The ids of all instances.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.by_id.keys().map(String::as_str)
    }

    /// The id of the instance whose element `node` is.
    pub(super) fn id_of(&self, node: NodeId) -> Option<&str> {
        let found = self.by_id.iter().find(|(_, instance)| **instance == node);
        found.map(|(id, _)| id.as_str())
    }

    pub(super) fn node(&self, node: NodeId) -> &Node {
        &self.nodes[node.index()]
    }

    /// The children of `parent` called `item` that have a child called `column` with exactly that text, in document
    /// order. All names are outside every namespace.
    pub(super) fn lookup(&self, tree: &Tree, parent: NodeId, item: &str, column: &str, text: &str) -> Vec<NodeId> {
        // A thread that panicked cannot have left the map half changed: it is only ever added to.
        let mut indexes = self.indexes.lock().unwrap_or_else(PoisonError::into_inner);
        let of_parent = indexes.entry(parent).or_default();
        let is_wanted = |index: &ColumnIndex| index.item == item && index.column == column;
        let rows = match of_parent.iter().position(is_wanted) {
            Some(place) => of_parent.get(place),
            None => {
                of_parent.push(ColumnIndex {
                    item: item.to_owned(),
                    column: column.to_owned(),
                    rows: rows_by_text(tree, parent, item, column),
                });
                of_parent.last()
            }
        };
        rows.and_then(|index| index.rows.get(text)).cloned().unwrap_or_default()
    }
}

fn rows_by_text(tree: &Tree, parent: NodeId, item: &str, column: &str) -> Index {
    let mut index = Index::new();
    let called = |node: NodeId, name: &str| {
        tree.kind(node) == NodeKind::Element
            && tree.name(node).local == name
            && axes::has_prefix(tree, node, None, None)
    };
    for row in tree.children(parent).filter(|node| called(*node, item)) {
        for cell in tree.children(row).filter(|node| called(*node, column)) {
            let rows = index.entry(tree.text_of(cell).into()).or_default();
            if rows.last() != Some(&row) {
                rows.push(row);
            }
        }
    }
    index
}

/// Builds the [`SecondaryInstances`] of a form.
#[derive(Debug, Default)]
pub struct SecondaryInstancesBuilder {
    nodes: Vec<Node>,
    by_id: BTreeMap<String, NodeId>,
    names: HashMap<String, Arc<Name>>,
}

impl SecondaryInstancesBuilder {
    /// A store without instances.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an instance of rows, as `root/item/column`: each row lists its columns' names and texts. For choice lists.
    ///
    /// # Errors
    /// Where there is an instance of that id already, a column's name is no XML name, or a limit is passed.
    pub fn add_rows<'r, Row>(
        &mut self,
        id: &str,
        rows: impl IntoIterator<Item = Row>,
    ) -> Result<(), SecondaryInstanceError>
    where
        Row: IntoIterator<Item = (&'r str, &'r str)>,
    {
        let instance = self.open_instance(id)?;
        let root = self.add(id, NodeKind::Element, "root", "", instance)?;
        for (row, number) in rows.into_iter().zip(1..) {
            let item = self.add(id, NodeKind::Element, "item", "", root)?;
            for (column, text) in row {
                if !is_name(column) {
                    let kind = SecondaryInstanceErrorKind::BadColumn {
                        row: number,
                        column: column.to_owned(),
                    };
                    return Err(SecondaryInstanceError::new(id, kind));
                }
                self.add(id, NodeKind::Element, column, text, item)?;
            }
            self.close(item);
        }
        self.close(root);
        self.close(instance);
        Ok(())
    }

    /// Adds an instance from CSV text (RFC 4180; separated by commas, or by semicolons or tabs where the first row has
    /// some). The first row names the columns.
    ///
    /// # Errors
    /// As [`Self::add_rows`], and where the text is no CSV, with row and column.
    pub fn add_csv(&mut self, id: &str, text: &str) -> Result<(), SecondaryInstanceError> {
        let table = csv_table::read(text).map_err(|kind| SecondaryInstanceError::new(id, kind))?;
        let rows = table.rows.iter().map(|row| {
            let columns = table.columns.iter().map(String::as_str);
            // A short row's missing cells are blank, as in JavaRosa.
            columns.zip(row.iter().map(String::as_str).chain(std::iter::repeat("")))
        });
        self.add_rows(id, rows)
    }

    /// Adds an instance from GeoJSON text (RFC 7946): a collection of features, each an `item` with its `geometry` as
    /// ODK writes points, traces and shapes, its `id`, and its properties (ODK XForms specification, "Secondary
    /// instances – external").
    ///
    /// # Errors
    /// As [`Self::add_rows`], and where the text is no such collection, with the feature's number.
    pub fn add_geojson(&mut self, id: &str, text: &str) -> Result<(), SecondaryInstanceError> {
        let rows = geojson::read(text).map_err(|kind| SecondaryInstanceError::new(id, kind))?;
        let rows = rows
            .iter()
            .map(|row| row.iter().map(|(name, text)| (name.as_str(), text.as_str())));
        self.add_rows(id, rows)
    }

    /// Adds an instance from XML text, whose outermost element becomes the instance's child.
    ///
    /// # Errors
    /// As [`Self::add_rows`], and where the text is no XML, see [`document::parse`].
    pub fn add_xml(&mut self, id: &str, text: &str) -> Result<(), SecondaryInstanceError> {
        let tree = document::parse(text)
            .map_err(|error| SecondaryInstanceError::new(id, SecondaryInstanceErrorKind::Document(error)))?;
        self.add_children(id, &tree, Tree::ROOT)
    }

    /// Adds an instance from the children of a node of a document: of an element `instance` in a form's model.
    ///
    /// # Errors
    /// As [`Self::add_rows`].
    pub fn add_children(&mut self, id: &str, tree: &Tree, parent: NodeId) -> Result<(), SecondaryInstanceError> {
        let instance = self.open_instance(id)?;
        let mut copies = HashMap::from([(parent, instance)]);
        let is_outer = |node: NodeId| {
            let kind = tree.kind(node);
            tree.parent(node) == Some(parent)
                && matches!(kind, NodeKind::Attribute | NodeKind::Namespace | NodeKind::DocumentType)
        };
        for node in tree.below(parent).filter(|node| !is_outer(*node)) {
            let outer = tree.parent(node).and_then(|outer| copies.get(&outer)).copied();
            let Some(outer) = outer else { continue };
            let copy = self.push(
                id,
                tree.kind(node),
                tree.shared_name(node),
                tree.value(node),
                Some(outer),
            )?;
            copies.insert(node, copy);
            // Ancestors end with the last of what is below them.
            let mut place = Some(outer);
            while let Some(open) = place {
                self.close(open);
                place = self.nodes[open.index()].parent;
            }
        }
        Ok(())
    }

    /// The finished store.
    pub fn finish(self) -> Arc<SecondaryInstances> {
        Arc::new(SecondaryInstances {
            nodes: self.nodes,
            by_id: self.by_id,
            indexes: Mutex::default(),
        })
    }

    fn open_instance(&mut self, id: &str) -> Result<NodeId, SecondaryInstanceError> {
        if self.by_id.contains_key(id) {
            return Err(SecondaryInstanceError::new(id, SecondaryInstanceErrorKind::Repeated));
        }
        let name = self.name("instance");
        let instance = self.push(id, NodeKind::Element, name, "", None)?;
        self.by_id.insert(id.to_owned(), instance);
        self.add(id, NodeKind::Attribute, "id", id, instance)?;
        self.close(instance);
        Ok(instance)
    }

    fn add(
        &mut self,
        id: &str,
        kind: NodeKind,
        name: &str,
        value: &str,
        parent: NodeId,
    ) -> Result<NodeId, SecondaryInstanceError> {
        let name = self.name(name);
        self.push(id, kind, name, value, Some(parent))
    }

    fn push(
        &mut self,
        id: &str,
        kind: NodeKind,
        name: Arc<Name>,
        value: &str,
        parent: Option<NodeId>,
    ) -> Result<NodeId, SecondaryInstanceError> {
        let number = match u32::try_from(self.nodes.len()) {
            Ok(number) if self.nodes.len() < MAX_SECONDARY_NODES => number | SECONDARY,
            _ => return Err(SecondaryInstanceError::new(id, SecondaryInstanceErrorKind::TooLarge)),
        };
        self.nodes.push(Node {
            kind,
            name,
            value: value.to_owned(),
            parent,
            end: number + 1,
            relevant: true,
            repeat_instance: false,
        });
        Ok(NodeId(number))
    }

    /// Ends a node after what was added last.
    fn close(&mut self, node: NodeId) {
        let end = u32::try_from(self.nodes.len()).unwrap_or(SECONDARY - 1) | SECONDARY;
        self.nodes[node.index()].end = end;
    }

    fn name(&mut self, name: &str) -> Arc<Name> {
        if let Some(shared) = self.names.get(name) {
            return shared.clone();
        }
        let shared = Name::local(name);
        self.names.insert(name.to_owned(), shared.clone());
        shared
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && super::name_length(text) == text.len()
}
