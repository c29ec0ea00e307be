//! Reads XML text into a [`Tree`], and names a tree's nodes by paths.
//!
//! The tree has the nodes that the DOM has (WHATWG DOM Standard), so that paths mean the same here and in ODK Web
//! Forms: a CDATA section is a text node of its own, the document type is a node, white space outside the outermost
//! element is none. Of a document type nothing but its presence is kept: entities that it declares are refused, so that
//! no short document can unfold into a long one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::document_error::{DocumentError, DocumentErrorKind};
use super::names;
use super::tree::{Name, NodeId, NodeKind, QuestionIndex, Tree, TreeBuilder};

/// The longest document that is read, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 64 << 20;
/// How deeply elements may nest.
pub const MAX_ELEMENT_DEPTH: usize = 256;
/// How many nodes a document may have, attributes included.
pub const MAX_NODES: usize = 4_000_000;
/// How many attributes an element may have.
pub const MAX_ATTRIBUTES: usize = 1_000;

/// How many prefixes a document may bind, and how many bindings may be in force at one place.
pub const MAX_PREFIXES: usize = 1_000;

/// Reads a document.
///
/// Where it is a whole XForm (`h:html` with `h:head` and `model` inside), absolute paths start at its primary instance,
/// see [`Tree::start`], and `instance()` and `jr:itext()` find the instances and translations of its model.
///
/// # Errors
/// Where the text is no well-formed XML, or passes a limit; each error has line and column.
pub fn parse(xml: &str) -> Result<Tree, DocumentError> {
    if xml.len() > MAX_DOCUMENT_BYTES {
        return Err(DocumentError::at(xml, 0, DocumentErrorKind::TooLong(xml.len())));
    }
    let xml = xml.strip_prefix('\u{feff}').unwrap_or(xml);
    DocumentReader {
        xml,
        builder: TreeBuilder::new(Arc::new(QuestionIndex::default())),
        names: HashMap::new(),
        bindings: Vec::new(),
        prefixes: Vec::new(),
        open: Vec::new(),
        text: String::new(),
        nodes: 0,
        has_element: false,
    }
    .read()
}

struct DocumentReader<'x> {
    xml: &'x str,
    builder: TreeBuilder,
    /// Names are shared between nodes.
    names: HashMap<Name, Arc<Name>>,
    /// The prefixes bound around the current place, innermost last.
    bindings: Vec<(String, String)>,
    /// The first binding of each prefix in the document.
    prefixes: Vec<(String, String)>,
    /// How many bindings there were outside each open element.
    open: Vec<usize>,
    /// Text that is not yet a node.
    text: String,
    nodes: usize,
    has_element: bool,
}

impl DocumentReader<'_> {
    fn read(mut self) -> Result<Tree, DocumentError> {
        let mut reader = Reader::from_str(self.xml);
        loop {
            let offset = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
            let event = reader.read_event().map_err(|error| {
                let place = usize::try_from(reader.error_position()).unwrap_or(offset);
                self.error(place, DocumentErrorKind::NotWellFormed(error.to_string()))
            })?;
            if !matches!(event, Event::Text(_) | Event::GeneralRef(_)) {
                self.flush_text(offset)?;
            }
            match event {
                Event::Start(start) => {
                    self.element(&start, offset)?;
                }
                Event::Empty(start) => {
                    self.element(&start, offset)?;
                    self.close();
                }
                Event::End(_) => self.close(),
                Event::Text(part) => {
                    let text = part.xml10_content();
                    if self.open.is_empty() && !text.trim_matches(is_xml_space).is_empty() {
                        return Err(self.error(offset, DocumentErrorKind::TextOutside));
                    }
                    self.text += &text;
                }
                Event::GeneralRef(reference) => {
                    let character = match reference.resolve_char_ref() {
                        Ok(Some(character)) if is_xml_character(character) => Some(character),
                        Ok(None) => predefined_entity(&reference),
                        _ => None,
                    };
                    let character = character
                        .ok_or_else(|| self.error(offset, DocumentErrorKind::UnknownEntity(reference.to_string())))?;
                    if self.open.is_empty() {
                        return Err(self.error(offset, DocumentErrorKind::TextOutside));
                    }
                    self.text.push(character);
                }
                Event::CData(part) => {
                    if self.open.is_empty() {
                        return Err(self.error(offset, DocumentErrorKind::TextOutside));
                    }
                    let text = part.xml10_content().into_owned();
                    self.leaf(NodeKind::Text, Arc::default(), text, offset)?;
                }
                Event::Comment(part) => {
                    let text = part.xml10_content().into_owned();
                    self.leaf(NodeKind::Comment, Arc::default(), text, offset)?;
                }
                Event::PI(part) => {
                    let name = Name::local(part.target());
                    let text = part.content().trim_start_matches(is_xml_space).to_owned();
                    self.leaf(NodeKind::ProcessingInstruction, name, text, offset)?;
                }
                Event::DocType(_) => {
                    if self.has_element {
                        return Err(self.error(offset, DocumentErrorKind::LateDocumentType));
                    }
                    self.leaf(NodeKind::DocumentType, Arc::default(), String::new(), offset)?;
                }
                Event::Decl(_) => {}
                Event::Eof => break,
            }
        }
        if !self.open.is_empty() {
            return Err(self.error(self.xml.len(), DocumentErrorKind::Unclosed));
        }
        if !self.has_element {
            return Err(self.error(self.xml.len(), DocumentErrorKind::NoElement));
        }
        let mut tree = self.builder.finish();
        tree.set_prefixes(self.prefixes.into());
        if let Some(instance) = primary_instance(&tree) {
            tree.set_start(instance);
        }
        Ok(tree)
    }

    fn error(&self, offset: usize, kind: DocumentErrorKind) -> DocumentError {
        DocumentError::at(self.xml, offset, kind)
    }

    fn count(&mut self, offset: usize) -> Result<(), DocumentError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(self.error(offset, DocumentErrorKind::TooManyNodes));
        }
        Ok(())
    }

    fn leaf(&mut self, kind: NodeKind, name: Arc<Name>, value: String, offset: usize) -> Result<(), DocumentError> {
        self.count(offset)?;
        self.builder.leaf(kind, name, value);
        Ok(())
    }

    fn flush_text(&mut self, offset: usize) -> Result<(), DocumentError> {
        let text = std::mem::take(&mut self.text);
        if text.is_empty() || self.open.is_empty() {
            return Ok(());
        }
        self.leaf(NodeKind::Text, Arc::default(), text, offset)
    }

    fn close(&mut self) {
        self.builder.close();
        if let Some(bound) = self.open.pop() {
            self.bindings.truncate(bound);
        }
    }

    fn element(&mut self, start: &BytesStart<'_>, offset: usize) -> Result<(), DocumentError> {
        if self.open.is_empty() && self.has_element {
            return Err(self.error(offset, DocumentErrorKind::SecondElement));
        }
        self.has_element = true;
        if self.open.len() >= MAX_ELEMENT_DEPTH {
            return Err(self.error(offset, DocumentErrorKind::TooDeep));
        }
        let attributes = self.attributes(start, offset)?;
        self.open.push(self.bindings.len());
        for (key, uri) in &attributes {
            let Some(prefix) = declared_prefix(key) else { continue };
            if self.bindings.len() >= MAX_PREFIXES || self.prefixes.len() >= MAX_PREFIXES {
                return Err(self.error(offset, DocumentErrorKind::TooManyPrefixes));
            }
            self.bindings.push((prefix.to_owned(), uri.clone()));
            if !prefix.is_empty() && !self.prefixes.iter().any(|(bound, _)| bound == prefix) {
                self.prefixes.push((prefix.to_owned(), uri.clone()));
            }
        }
        let name = self.name(start.name().as_ref(), false, offset)?;
        self.count(offset)?;
        self.builder.open(name);
        for (key, value) in attributes {
            let (kind, name) = match declared_prefix(&key) {
                Some(prefix) => (NodeKind::Namespace, Name::local(prefix)),
                None => (NodeKind::Attribute, self.name(&key, true, offset)?),
            };
            self.leaf(kind, name, value, offset)?;
        }
        Ok(())
    }

    /// The attributes as written, with normalized values (XML 1.0 §3.3.3).
    fn attributes(&self, start: &BytesStart<'_>, offset: usize) -> Result<Vec<(String, String)>, DocumentError> {
        let mut attributes: Vec<(String, String)> = Vec::new();
        let mut keys = HashSet::new();
        for attribute in start.attributes().with_checks(false) {
            let attribute =
                attribute.map_err(|error| self.error(offset, DocumentErrorKind::NotWellFormed(error.to_string())))?;
            let key: &str = attribute.key.as_ref();
            if attributes.len() >= MAX_ATTRIBUTES {
                return Err(self.error(offset, DocumentErrorKind::TooManyAttributes));
            }
            if !keys.insert(key.to_owned()) {
                return Err(self.error(offset, DocumentErrorKind::RepeatedAttribute(key.to_owned())));
            }
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| self.error(offset, DocumentErrorKind::NotWellFormed(error.to_string())))?;
            attributes.push((key.to_owned(), value.into_owned()));
        }
        Ok(attributes)
    }

    /// The shared name of what is written as `written`.
    fn name(&mut self, written: &str, attribute: bool, offset: usize) -> Result<Arc<Name>, DocumentError> {
        let (prefix, local) = written
            .split_once(':')
            .map_or((None, written), |(prefix, local)| (Some(prefix), local));
        let is_name = |text: &str| !text.is_empty() && super::name_length(text) == text.len();
        if !is_name(local) || !prefix.is_none_or(is_name) {
            return Err(self.error(offset, DocumentErrorKind::BadName(written.to_owned())));
        }
        let bound = |prefix: &str| {
            let bound = self.bindings.iter().rev().find(|(bound, _)| bound == prefix);
            bound.map(|(_, uri)| uri.as_str())
        };
        let namespace = match prefix {
            Some(prefix) => Some(
                bound(prefix)
                    .or_else(|| names::usual_namespace(prefix))
                    .ok_or_else(|| self.error(offset, DocumentErrorKind::UnboundPrefix(prefix.to_owned())))?,
            ),
            // A default namespace is for elements only (Namespaces in XML 1.0 §6.2).
            None if attribute => None,
            None => bound(""),
        };
        let name = Name {
            prefix: prefix.map(str::to_owned),
            namespace: namespace.filter(|uri| !uri.is_empty()).map(str::to_owned),
            local: local.to_owned(),
        };
        if let Some(shared) = self.names.get(&name) {
            return Ok(shared.clone());
        }
        let shared = Arc::new(name.clone());
        self.names.insert(name, shared.clone());
        Ok(shared)
    }
}

/// The prefix that an attribute binds: empty for `xmlns`; none for other attributes.
fn declared_prefix(key: &str) -> Option<&str> {
    if key == "xmlns" {
        return Some("");
    }
    key.strip_prefix("xmlns:")
}

fn predefined_entity(name: &str) -> Option<char> {
    // XML 1.0 §4.6.
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "apos" => '\'',
        "quot" => '"',
        _ => return None,
    })
}

fn is_xml_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

/// XML 1.0 §2.2, production 2.
fn is_xml_character(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// The model of an XForm document: `h:html/h:head/model`.
pub(super) fn model(tree: &Tree) -> Option<NodeId> {
    let html = child(tree, Tree::ROOT, "html", names::XHTML)?;
    let head = child(tree, html, "head", names::XHTML)?;
    child(tree, head, "model", names::XFORMS)
}

fn primary_instance(tree: &Tree) -> Option<NodeId> {
    child(tree, model(tree)?, "instance", names::XFORMS)
}

fn child(tree: &Tree, parent: NodeId, local: &str, namespace: &str) -> Option<NodeId> {
    tree.children(parent).find(|node| {
        let name = tree.name(*node);
        tree.kind(*node) == NodeKind::Element && name.local == local && name.namespace.as_deref() == Some(namespace)
    })
}

/// The path of a node as the DOM counts: `/` for the document, `/node()[2]/node()[1]` for children of every kind,
/// `/node()[2]/@id` for an attribute, `/node()[2]/@xmlns:jr` for the declaration of a namespace. In a secondary instance
/// the path starts with `instance('id')`. Read back by [`super::node_at`].
pub fn path_of(tree: &Tree, node: NodeId) -> String {
    let mut steps = Vec::new();
    let mut place = node;
    while let Some(parent) = tree.parent(place) {
        steps.push(match tree.kind(place) {
            NodeKind::Attribute => {
                let name = tree.name(place);
                match &name.prefix {
                    Some(prefix) => format!("/@{prefix}:{}", name.local),
                    None => format!("/@{}", name.local),
                }
            }
            NodeKind::Namespace if tree.name(place).local.is_empty() => "/@xmlns".to_owned(),
            NodeKind::Namespace => format!("/@xmlns:{}", tree.name(place).local),
            _ => {
                let number = tree.children(parent).take_while(|child| *child <= place).count();
                format!("/node()[{number}]")
            }
        });
        place = parent;
    }
    let start = tree.secondary().id_of(place).map(|id| format!("instance('{id}')"));
    match (start, steps.is_empty()) {
        (None, true) => "/".to_owned(),
        (start, _) => {
            steps.reverse();
            start.unwrap_or_default() + &steps.concat()
        }
    }
}
