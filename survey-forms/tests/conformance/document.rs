//! XML documents as trees in which every difference is one that matters.
//!
//! XForms are compared by what they say. The canonical tree therefore
//!
//! - names elements and attributes by their namespace, with the prefix that is usual for it, and has no declarations;
//! - has no white space between elements;
//! - has no white space at the edges of a text that has `<output>` in it: pyxform writes a space of its own there;
//! - writes XPath without the white space that its grammar does not need, literals untouched;
//! - has the `bind`s of a model after its other children and in the order of their nodesets, the texts of a translation
//!   in the order of their ids, and the values of a text in the order of their forms.

use std::collections::BTreeMap;

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{NamespaceResolver, QName, ResolveResult};
use quick_xml::{NsReader, XmlVersion};

/// An element.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) children: Vec<Node>,
}

/// What an element holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    Element(Element),
    Text(String),
}

/// The namespaces of XForms with the prefixes that are usual for them; XForms' own has none.
const NAMESPACES: [(&str, &str); 8] = [
    ("http://www.w3.org/2002/xforms", ""),
    ("http://www.w3.org/1999/xhtml", "h:"),
    ("http://www.w3.org/2001/xml-events", "ev:"),
    ("http://www.w3.org/2001/XMLSchema", "xsd:"),
    ("http://openrosa.org/javarosa", "jr:"),
    ("http://openrosa.org/xforms", "orx:"),
    ("http://www.opendatakit.org/xforms", "odk:"),
    ("http://www.opendatakit.org/xforms/entities", "entities:"),
];

impl Element {
    /// Reads a document into its canonical tree.
    ///
    /// # Errors
    /// Where the text is no well-formed XML, or a prefix is not declared.
    pub(crate) fn read(xml: &str) -> Result<Self, String> {
        let mut root = read_tree(xml)?;
        root.make_canonical();
        Ok(root)
    }

    /// The element children.
    pub(crate) fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|child| match child {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    fn make_canonical(&mut self) {
        for (name, value) in &mut self.attributes {
            if holds_xpath(&self.name, name) {
                *value = without_needless_space(value);
            }
        }
        if self.elements().next().is_some() {
            if self.elements().any(|child| child.name == "output") {
                trim_edges(&mut self.children);
            } else {
                self.children
                    .retain(|child| !matches!(child, Node::Text(text) if text.trim().is_empty()));
            }
        }
        for child in &mut self.children {
            if let Node::Element(child) = child {
                child.make_canonical();
            }
        }
        let (of, by) = match self.name.as_str() {
            "model" => ("bind", "nodeset"),
            "translation" => ("text", "id"),
            "text" => ("value", "form"),
            _ => return,
        };
        let order = |child: &Node| match child {
            Node::Element(child) if child.name == of => Some(child.attributes.get(by).cloned()),
            _ => None,
        };
        self.children.sort_by_cached_key(order);
    }
}

/// Whether an attribute is an expression or a path.
fn holds_xpath(element: &str, attribute: &str) -> bool {
    match attribute {
        "nodeset" | "ref" | "relevant" | "constraint" | "calculate" | "required" | "readonly" | "query"
        | "jr:count" => true,
        "value" => matches!(element, "output" | "setvalue"),
        _ => false,
    }
}

/// Removes white space at the beginning and the end of a text with elements in it.
fn trim_edges(children: &mut Vec<Node>) {
    if let Some(Node::Text(first)) = children.first_mut() {
        *first = first.trim_start().to_owned();
    }
    if let Some(Node::Text(last)) = children.last_mut() {
        *last = last.trim_end().to_owned();
    }
    children.retain(|child| !matches!(child, Node::Text(text) if text.is_empty()));
}

/// An expression in which white space stands only where two words would run together, and literals are as they were.
fn without_needless_space(expression: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '$');
    let mut written = String::with_capacity(expression.len());
    let mut literal = None;
    let mut space = false;
    for c in expression.chars() {
        if literal.is_none() && c.is_whitespace() {
            space = true;
            continue;
        }
        if space && is_word(c) && written.chars().next_back().is_some_and(is_word) {
            written.push(' ');
        }
        space = false;
        written.push(c);
        match literal {
            Some(quote) if quote == c => literal = None,
            None if matches!(c, '\'' | '"') => literal = Some(c),
            _ => {}
        }
    }
    written
}

fn read_tree(xml: &str) -> Result<Element, String> {
    let mut reader = NsReader::from_str(xml);
    let mut open = vec![Element::default()];
    loop {
        let event = reader
            .read_event()
            .map_err(|error| format!("byte {}: {error}", reader.error_position()))?;
        let top = open.last_mut().ok_or("more elements end than begin")?;
        match &event {
            Event::Start(start) => open.push(read_start(start, reader.resolver())?),
            Event::Empty(start) => {
                let element = read_start(start, reader.resolver())?;
                top.children.push(Node::Element(element));
            }
            Event::End(_) => {
                let element = open.pop().unwrap_or_default();
                let parent = open.last_mut().ok_or("more elements end than begin")?;
                parent.children.push(Node::Element(element));
            }
            Event::Text(text) => push_text(top, text),
            Event::CData(text) => push_text(top, text),
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().map_err(|error| error.to_string())?;
                match character {
                    Some(character) => push_text(top, &character.to_string()),
                    None => {
                        let text = quick_xml::escape::resolve_predefined_entity(reference)
                            .ok_or_else(|| format!("&{}; is not defined", &**reference))?;
                        push_text(top, text);
                    }
                }
            }
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    match open.as_slice() {
        [document] => document
            .elements()
            .next()
            .cloned()
            .ok_or_else(|| "there is no element".to_owned()),
        _ => Err("an element does not end".to_owned()),
    }
}

fn push_text(element: &mut Element, text: &str) {
    match element.children.last_mut() {
        Some(Node::Text(before)) => before.push_str(text),
        _ => element.children.push(Node::Text(text.to_owned())),
    }
}

fn read_start(start: &BytesStart<'_>, resolver: &NamespaceResolver) -> Result<Element, String> {
    let mut element = Element {
        name: written_name(resolver.resolve_element(start.name()), start.name())?,
        ..Element::default()
    };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        let name = written_name(resolver.resolve_attribute(attribute.key), attribute.key)?;
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|error| error.to_string())?;
        element.attributes.insert(name, value.into_owned());
    }
    Ok(element)
}

/// The local name behind the usual prefix of its namespace, or behind the namespace in braces.
fn written_name(
    (namespace, local): (ResolveResult<'_>, quick_xml::name::LocalName<'_>),
    name: QName<'_>,
) -> Result<String, String> {
    let local: &str = local.as_ref();
    match namespace {
        ResolveResult::Bound(namespace) => {
            let namespace: &str = namespace.as_ref();
            let usual = NAMESPACES.iter().find(|(known, _)| *known == namespace);
            Ok(usual.map_or_else(
                || format!("{{{namespace}}}{local}"),
                |(_, prefix)| format!("{prefix}{local}"),
            ))
        }
        ResolveResult::Unbound => Ok(local.to_owned()),
        ResolveResult::Unknown(_) => Err(format!("the prefix of {} is not declared", AsRef::<str>::as_ref(&name))),
    }
}

#[test]
fn white_space_in_an_expression_counts_only_between_words_and_in_literals() {
    for (written, canonical) in [
        (" /data/a  != ''", "/data/a!=''"),
        ("if( /data/a  = 'a  b',  \"c d\" , 1)", "if(/data/a='a  b',\"c d\",1)"),
        (". > 3 and . < 5", ".>3 and .<5"),
        ("/data/a div 2 - 1", "/data/a div 2 - 1"),
        (" ../a ", "../a"),
        ("count( /data/r )\n*  2", "count(/data/r)*2"),
    ] {
        assert_eq!(without_needless_space(written), canonical);
    }
}

#[test]
fn text_keeps_its_characters_and_broken_documents_are_refused() {
    let text = |xml: &str| Element::read(xml).map(|element| element.children);
    assert_eq!(
        text("<a>x &lt; y &#38; <![CDATA[<z>]]></a>"),
        Ok(vec![Node::Text("x < y & <z>".into())])
    );
    assert_eq!(text("<a> </a>"), Ok(vec![Node::Text(" ".into())]));
    assert_eq!(text("<a> <b/> </a>").unwrap().len(), 1);
    for broken in ["<a>", "<a></b>", "", "<a>&nothing;</a>", "<x:a/>", "<a b='1' b='2'/>"] {
        assert!(Element::read(broken).is_err(), "{broken} was read");
    }
}
