//! Reads an XML document into the tree that expressions are evaluated over, with the path of each node.
//!
//! Paths count as the document object model does: `/` is the document, `/node()[2]` its second child of any kind (a
//! document type declaration counts, text and CDATA sections are nodes of their own), `/node()[2]/@name` an attribute.

use std::collections::HashMap;
use std::sync::Arc;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};
use survey_forms::xpath::{Name, NodeId, NodeKind, QuestionIndex, Tree, TreeBuilder};

use super::Failure;

/// The largest document that is read, in bytes.
pub(super) const MAX_DOCUMENT_BYTES: u64 = 8 << 20;

/// Prefixes that expressions may use without saying what they mean.
const PREFIXES: [(&str, &str); 4] = [
    ("xhtml", "http://www.w3.org/1999/xhtml"),
    ("mathml", "http://www.w3.org/1998/Math/MathML"),
    ("jr", "http://openrosa.org/javarosa"),
    ("xml", "http://www.w3.org/XML/1998/namespace"),
];

/// The namespace of XForms, whose elements expressions call by names without a prefix.
const XFORMS: &str = "http://www.w3.org/2002/xforms";

/// The prefix of names whose namespace the expression has no prefix for, so that none reaches them by accident.
const UNNAMED: &str = "unnamed";

/// Which part of a document expressions see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// All of it.
    Whole,
    /// Of an XForm its primary instance: `/data/…` begins there. Paths are those in the whole document.
    PrimaryInstance,
}

/// A document.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) tree: Tree,
    nodes: HashMap<String, NodeId>,
    paths: HashMap<NodeId, String>,
}

impl Document {
    /// The node of that path.
    pub(super) fn node(&self, path: &str) -> Option<NodeId> {
        self.nodes.get(path).copied()
    }

    /// The node's path.
    pub(super) fn path(&self, node: NodeId) -> Option<&str> {
        self.paths.get(&node).map(String::as_str)
    }

    /// Reads a document; `prefixes` are those of the expressions, as (prefix, URI).
    pub(super) fn read(xml: &str, prefixes: &[(String, String)], extent: Extent) -> Result<Self, Failure> {
        let mut reader = quick_xml::Reader::from_str(xml);
        let mut reading = Reading::new(prefixes, extent);
        loop {
            let position = reader.buffer_position();
            let event = reader
                .read_event()
                .map_err(|error| broken(reader.error_position(), &error.to_string()))?;
            if event == Event::Eof {
                break;
            }
            let finished = reading.take(event).map_err(|reason| broken(position, &reason))?;
            if finished {
                return Ok(reading.finish());
            }
        }
        if reading.open.len() > 1 || !reading.has_element {
            return Err(broken(xml.len() as u64, "an element is not closed, or there is none"));
        }
        if extent == Extent::PrimaryInstance {
            return Err(Failure::new(
                "tài liệu không có phần tử instance; chỉ XForm mới có",
                "the document has no element instance; only an XForm has one",
            ));
        }
        Ok(reading.finish())
    }
}

fn broken(position: u64, reason: &str) -> Failure {
    Failure::new(
        format!("không đọc được XML tại byte {position}: {reason}"),
        format!("the XML cannot be read at byte {position}: {reason}"),
    )
}

/// An element that is being read.
struct OpenElement {
    path: String,
    /// How many children it has so far.
    children: usize,
    /// How many namespaces were bound outside it.
    bound: usize,
}

struct Reading<'a> {
    prefixes: &'a [(String, String)],
    extent: Extent,
    builder: TreeBuilder,
    nodes: Vec<(String, NodeId)>,
    open: Vec<OpenElement>,
    /// The namespaces in force: prefix and URI, the innermost last.
    namespaces: Vec<(String, String)>,
    text: String,
    nameless: Arc<Name>,
    has_element: bool,
}

impl<'a> Reading<'a> {
    fn new(prefixes: &'a [(String, String)], extent: Extent) -> Self {
        Self {
            prefixes,
            extent,
            builder: TreeBuilder::new(Arc::new(QuestionIndex::default())),
            nodes: vec![("/".to_owned(), Tree::ROOT)],
            open: vec![OpenElement {
                path: String::new(),
                children: 0,
                bound: 0,
            }],
            namespaces: Vec::new(),
            text: String::new(),
            nameless: Name::local(""),
            has_element: false,
        }
    }

    fn finish(self) -> Document {
        let paths = self.nodes.iter().map(|(path, node)| (*node, path.clone())).collect();
        Document {
            tree: self.builder.finish(),
            paths,
            nodes: self.nodes.into_iter().collect(),
        }
    }

    /// Takes the next part of the document; true where nothing after it counts.
    fn take(&mut self, event: Event<'_>) -> Result<bool, String> {
        match event {
            Event::Text(part) => self.text += &part.xml10_content(),
            Event::GeneralRef(reference) => self.text.push(character(&reference)?),
            other => {
                self.end_text();
                return self.take_node(other);
            }
        }
        Ok(false)
    }

    fn take_node(&mut self, event: Event<'_>) -> Result<bool, String> {
        match event {
            Event::Start(start) => self.start(&start)?,
            Event::Empty(start) => {
                self.start(&start)?;
                self.end();
            }
            Event::End(end) => {
                if self.extent == Extent::PrimaryInstance && end.local_name().as_ref() == "instance" {
                    return Ok(true);
                }
                self.end();
            }
            Event::CData(part) => {
                let value = part.xml10_content().into_owned();
                self.leaf(NodeKind::Text, self.nameless.clone(), value);
            }
            Event::Comment(part) => {
                let value = part.xml10_content().into_owned();
                self.leaf(NodeKind::Comment, self.nameless.clone(), value);
            }
            Event::PI(part) => {
                let value = part.content().trim_start().to_owned();
                self.leaf(NodeKind::ProcessingInstruction, Name::local(part.target()), value);
            }
            Event::DocType(_) => {
                self.next_path();
            }
            Event::Decl(_) | Event::Text(_) | Event::GeneralRef(_) | Event::Eof => {}
        }
        Ok(false)
    }

    /// Text ends where anything else begins; outside the outermost element it is no node.
    fn end_text(&mut self) {
        let text = std::mem::take(&mut self.text);
        if !text.is_empty() && self.open.len() > 1 {
            self.leaf(NodeKind::Text, self.nameless.clone(), text);
        }
    }

    /// The path of the next child of the innermost open element.
    fn next_path(&mut self) -> String {
        let Some(outer) = self.open.last_mut() else {
            return String::new();
        };
        outer.children += 1;
        format!("{}/node()[{}]", outer.path, outer.children)
    }

    fn leaf(&mut self, kind: NodeKind, name: Arc<Name>, value: String) {
        let path = self.next_path();
        let node = self.builder.leaf(kind, name, value);
        self.nodes.push((path, node));
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), String> {
        if self.open.len() == 1 && self.has_element {
            return Err("a document has one outermost element".to_owned());
        }
        self.has_element = true;
        let bound = self.namespaces.len();
        let mut attributes: Vec<(String, String)> = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            let value = value.map_err(|error| error.to_string())?.into_owned();
            let key = attribute.key.as_ref();
            match key.strip_prefix("xmlns") {
                Some("") => self.namespaces.push((String::new(), value)),
                Some(rest) if rest.starts_with(':') => self.namespaces.push((rest[1..].to_owned(), value)),
                _ => attributes.push((key.to_owned(), value)),
            }
        }
        let path = self.next_path();
        if self.extent == Extent::PrimaryInstance && start.local_name().as_ref() == "instance" {
            self.builder = TreeBuilder::new(Arc::new(QuestionIndex::default()));
            self.nodes.clear();
        } else {
            let node = self.builder.open(self.name(start.name().as_ref(), NodeKind::Element));
            self.nodes.push((path.clone(), node));
            for (key, value) in attributes {
                let name = self.name(&key, NodeKind::Attribute);
                let node = self.builder.leaf(NodeKind::Attribute, name, value);
                self.nodes.push((format!("{path}/@{key}"), node));
            }
        }
        self.open.push(OpenElement {
            path,
            children: 0,
            bound,
        });
        Ok(())
    }

    fn end(&mut self) {
        self.builder.close();
        if self.open.len() > 1
            && let Some(element) = self.open.pop()
        {
            self.namespaces.truncate(element.bound);
        }
    }

    /// The name of an element or attribute, with the prefix by which expressions call its namespace.
    fn name(&self, written: &str, kind: NodeKind) -> Arc<Name> {
        let (prefix, local) = written.split_once(':').unwrap_or(("", written));
        let namespace = match (prefix, kind) {
            ("xml", _) => Some(PREFIXES[3].1),
            // An attribute without a prefix is in no namespace (Namespaces in XML 1.0 §6.2).
            ("", NodeKind::Attribute) => None,
            _ => {
                let mut innermost = self.namespaces.iter().rev();
                let bound = innermost.find(|(bound, _)| bound == prefix);
                bound.map(|(_, uri)| uri.as_str()).filter(|uri| !uri.is_empty())
            }
        };
        let given = self
            .prefixes
            .iter()
            .map(|(prefix, uri)| (prefix.as_str(), uri.as_str()));
        let mut known = given.chain(PREFIXES);
        let called = known.find(|(_, uri)| Some(*uri) == namespace).map(|(prefix, _)| prefix);
        let prefix = match (called, namespace) {
            (Some(called), _) => Some(called),
            (None, Some(XFORMS)) if prefix.is_empty() => None,
            (None, Some(_)) if prefix.is_empty() => Some(UNNAMED),
            (None, _) => Some(prefix).filter(|prefix| !prefix.is_empty()),
        };
        Arc::new(Name {
            prefix: prefix.map(str::to_owned),
            namespace: namespace.map(str::to_owned),
            local: local.to_owned(),
        })
    }
}

/// The character that a reference stands for: one by number, or one of the five that XML names (XML 1.0 §4.6).
fn character(reference: &BytesRef<'_>) -> Result<char, String> {
    if let Some(character) = reference.resolve_char_ref().map_err(|error| error.to_string())? {
        return Ok(character);
    }
    Ok(match &**reference {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        other => return Err(format!("&{other}; is not defined")),
    })
}
