//! An XForm as a tree of elements that know their places. Whatever could make a small text large is refused.

use std::fmt::Write;
use std::rc::Rc;

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{LocalName, QName, ResolveResult};
use quick_xml::{NsReader, XmlVersion};

use crate::Phrase;
use crate::model::{FormProblem, FormProblems, Place, ProblemKind, XFormProblem};

/// The deepest nesting of elements: groups nest up to 64 deep, with a `<group>` and a `<repeat>` each.
const MAX_DEPTH: usize = 256;
/// The most bytes of a document.
const MAX_BYTES: usize = 64 << 20;
/// The most elements of a document.
const MAX_ELEMENTS: usize = 1_000_000;
/// The most attributes of an element.
const MAX_ATTRIBUTES: usize = 256;
/// The most bytes of an attribute's value.
const MAX_VALUE: usize = 1 << 20;
/// The most bytes of a name.
const MAX_NAME: usize = 255;

/// The namespaces of XForms with the prefixes that are usual for them; elements of those without one are known by
/// their local names.
const NAMESPACES: [(&str, &str); 8] = [
    ("http://www.w3.org/2002/xforms", ""),
    ("http://www.w3.org/1999/xhtml", ""),
    ("http://www.w3.org/2001/xml-events", "ev:"),
    ("http://www.w3.org/2001/XMLSchema", "xsd:"),
    ("http://openrosa.org/javarosa", "jr:"),
    ("http://openrosa.org/xforms", "orx:"),
    ("http://www.opendatakit.org/xforms", "odk:"),
    ("http://www.opendatakit.org/xforms/entities", "entities:"),
];

/// An element.
#[derive(Debug, Clone)]
pub(super) struct Element {
    /// The local name, behind the usual prefix of its namespace where that has one.
    pub(super) name: String,
    /// The attributes by their names in the same manner, without declarations of namespaces.
    pub(super) attributes: Vec<(String, String)>,
    pub(super) children: Vec<Content>,
    pub(super) spot: Spot,
    /// The namespace that the element declares for names without a prefix.
    pub(super) namespace: Option<String>,
}

/// What an element holds.
#[derive(Debug, Clone)]
pub(super) enum Content {
    Element(Element),
    Text(String),
}

/// Where an element begins.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    /// The line, from 1.
    pub(super) line: u32,
    /// The character of the line, from 1.
    character: u32,
    path: Rc<Step>,
}

/// The last step of an element's path, and those before it.
#[derive(Debug)]
struct Step {
    name: String,
    outer: Option<Rc<Step>>,
}

impl Spot {
    /// The place for messages.
    pub(super) fn place(&self) -> Place {
        let mut names = vec![self.path.name.as_str()];
        let mut outer = self.path.outer.as_ref();
        while let Some(step) = outer {
            names.push(&step.name);
            outer = step.outer.as_ref();
        }
        let mut column = String::new();
        for name in names.iter().rev() {
            column.push('/');
            column.push_str(name);
        }
        // Writing into a string cannot fail.
        let _ = write!(column, ":{}", self.character);
        Place::new(Place::XFORM, Some(self.line), Some(&column))
    }
}

impl Element {
    pub(super) fn get(&self, attribute: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(name, _)| name == attribute);
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|child| match child {
            Content::Element(element) => Some(element),
            Content::Text(_) => None,
        })
    }

    /// The first child of that name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.elements().find(|child| child.name == name)
    }

    /// The text directly inside the element.
    pub(super) fn text(&self) -> String {
        let texts = self.children.iter().filter_map(|child| match child {
            Content::Text(text) => Some(text.as_str()),
            Content::Element(_) => None,
        });
        texts.collect()
    }
}

/// A document.
pub(super) struct Document {
    pub(super) root: Element,
    /// The declared prefixes that no XForm has by itself, with their namespaces.
    pub(super) namespaces: Vec<(String, String)>,
}

/// Reads a document.
pub(super) fn read(xml: &str) -> Result<Document, FormProblems> {
    let mut places = Places {
        text: xml,
        counted: 0,
        line: 1,
        line_start: 0,
    };
    if xml.len() > MAX_BYTES {
        let size = Phrase::new("the size of the file in bytes", "dung lượng tệp tính bằng byte");
        let spot = places.spot(0, "", None);
        return Err(too_large(&spot, size, xml.len(), MAX_BYTES));
    }
    let mut reader = NsReader::from_str(xml);
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut namespaces = Vec::new();
    let mut count = 0;
    loop {
        let start = usize::try_from(reader.buffer_position()).unwrap_or(xml.len());
        let outer = open.last().map(|element| &element.spot.path);
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(error) => {
                let at = usize::try_from(reader.error_position()).unwrap_or(start);
                let spot = open.last().map(|element| element.spot.path.name.clone());
                let before = open.len().checked_sub(2).and_then(|place| open.get(place));
                let spot = places.spot(at, &spot.unwrap_or_default(), before.map(|element| &element.spot.path));
                return Err(problem(&spot, XFormProblem::Malformed(error.to_string())));
            }
        };
        match &event {
            Event::Start(begun) => {
                let name: &str = begun.name().into_inner();
                let spot = places.spot(start, name.get(..MAX_NAME).unwrap_or(name), outer);
                count += 1;
                for (what, found, most) in [
                    (
                        Phrase::new("the nesting of elements", "số tầng phần tử lồng nhau"),
                        open.len() + 1,
                        MAX_DEPTH,
                    ),
                    (Phrase::new("the number of elements", "số phần tử"), count, MAX_ELEMENTS),
                    (
                        Phrase::new("the length of a name", "độ dài của tên"),
                        name.len(),
                        MAX_NAME,
                    ),
                ] {
                    if found > most {
                        return Err(too_large(&spot, what, found, most));
                    }
                }
                open.push(element(begun, &reader, spot, &mut namespaces)?);
            }
            Event::End(_) => {
                let Some(element) = open.pop() else { continue };
                match open.last_mut() {
                    Some(parent) => parent.children.push(Content::Element(element)),
                    None if root.is_none() => root = Some(element),
                    None => {
                        let what = "a second outermost element".to_owned();
                        return Err(problem(&element.spot, XFormProblem::Malformed(what)));
                    }
                }
            }
            Event::Text(text) => push_text(&mut open, &text.xml10_content()),
            Event::CData(text) => push_text(&mut open, &text.xml10_content()),
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().ok().flatten().map(String::from);
                let named = || quick_xml::escape::resolve_predefined_entity(reference).map(str::to_owned);
                match character.or_else(named) {
                    Some(text) => push_text(&mut open, &text),
                    None => return Err(problem(&places.spot(start, "", outer), XFormProblem::DocumentType)),
                }
            }
            Event::DocType(_) => return Err(problem(&places.spot(start, "", outer), XFormProblem::DocumentType)),
            Event::Eof => break,
            _ => {}
        }
    }
    if let Some(element) = open.last() {
        let what = format!("<{}> does not end", element.spot.path.name);
        return Err(problem(&element.spot, XFormProblem::Malformed(what)));
    }
    let nothing = || problem(&places.spot(0, "", None), XFormProblem::MissingElement("h:html"));
    Ok(Document {
        root: root.ok_or_else(nothing)?,
        namespaces,
    })
}

/// A single problem.
pub(super) fn problem(spot: &Spot, kind: XFormProblem) -> FormProblems {
    FormProblems(vec![FormProblem {
        place: spot.place(),
        kind: ProblemKind::XForm(kind),
    }])
}

fn too_large(spot: &Spot, what: Phrase, found: usize, most: usize) -> FormProblems {
    FormProblems(vec![FormProblem {
        place: spot.place(),
        kind: ProblemKind::TooLarge {
            what,
            found: found as u64,
            most: most as u64,
        },
    }])
}

fn push_text(open: &mut [Element], text: &str) {
    let Some(element) = open.last_mut() else { return };
    match element.children.last_mut() {
        Some(Content::Text(before)) => before.push_str(text),
        _ => element.children.push(Content::Text(text.to_owned())),
    }
}

fn element(
    begun: &BytesStart<'_>,
    reader: &NsReader<&[u8]>,
    spot: Spot,
    namespaces: &mut Vec<(String, String)>,
) -> Result<Element, FormProblems> {
    let resolver = reader.resolver();
    let unknown = |name: QName<'_>| problem(&spot, XFormProblem::UnknownPrefix(name.into_inner().to_owned()));
    let name = written_name(resolver.resolve_element(begun.name()), begun.name());
    let mut element = Element {
        name: name.ok_or_else(|| unknown(begun.name()))?,
        attributes: Vec::new(),
        children: Vec::new(),
        namespace: None,
        spot: spot.clone(),
    };
    let mut attributes = begun.attributes();
    // Looking for attributes that stand twice takes quadratic time; below their number has a limit.
    for attribute in attributes.with_checks(false) {
        let malformed = |error: String| problem(&spot, XFormProblem::Malformed(error));
        let attribute = attribute.map_err(|error| malformed(error.to_string()))?;
        if attribute.value.len() > MAX_VALUE {
            let what = Phrase::new(
                "the length of an attribute in bytes",
                "độ dài của thuộc tính tính bằng byte",
            );
            return Err(too_large(&spot, what, attribute.value.len(), MAX_VALUE));
        }
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|error| malformed(error.to_string()))?;
        let written: &str = attribute.key.into_inner();
        if let Some(prefix) = written.strip_prefix("xmlns:") {
            let is_usual = NAMESPACES.iter().any(|(known, _)| *known == value);
            if !is_usual && !namespaces.iter().any(|(known, _)| known == prefix) {
                namespaces.push((prefix.to_owned(), value.into_owned()));
            }
            continue;
        }
        if written == "xmlns" {
            element.namespace = Some(value.into_owned());
            continue;
        }
        let name = written_name(resolver.resolve_attribute(attribute.key), attribute.key);
        let name = name.ok_or_else(|| unknown(attribute.key))?;
        if element.get(&name).is_some() {
            return Err(problem(&spot, XFormProblem::DuplicateAttribute(name)));
        }
        element.attributes.push((name, value.into_owned()));
        if element.attributes.len() > MAX_ATTRIBUTES {
            let what = Phrase::new("the number of attributes", "số thuộc tính");
            return Err(too_large(&spot, what, element.attributes.len(), MAX_ATTRIBUTES));
        }
    }
    Ok(element)
}

/// The local name behind the usual prefix of its namespace, or as written where the namespace is no XForm's.
fn written_name((namespace, local): (ResolveResult<'_>, LocalName<'_>), name: QName<'_>) -> Option<String> {
    let local = local.into_inner();
    match namespace {
        ResolveResult::Bound(namespace) => {
            let namespace = namespace.into_inner();
            let usual = NAMESPACES.iter().find(|(known, _)| *known == namespace);
            Some(match usual {
                Some((_, prefix)) => format!("{prefix}{local}"),
                None => name.into_inner().to_owned(),
            })
        }
        ResolveResult::Unbound => Some(local.to_owned()),
        ResolveResult::Unknown(_) => None,
    }
}

/// Counts lines up to the place reached.
struct Places<'t> {
    text: &'t str,
    counted: usize,
    line: u32,
    line_start: usize,
}

impl Places<'_> {
    fn spot(&mut self, byte: usize, name: &str, outer: Option<&Rc<Step>>) -> Spot {
        let bytes = self.text.as_bytes();
        let byte = byte.min(bytes.len()).max(self.counted);
        for (place, found) in bytes.iter().enumerate().take(byte).skip(self.counted) {
            if *found == b'\n' {
                self.line = self.line.saturating_add(1);
                self.line_start = place + 1;
            }
        }
        self.counted = byte;
        let before = bytes.get(self.line_start..byte).unwrap_or_default();
        // Every byte but those that continue a character begins one.
        let characters = before.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        Spot {
            line: self.line,
            character: u32::try_from(characters + 1).unwrap_or(u32::MAX),
            path: Rc::new(Step {
                name: name.to_owned(),
                outer: outer.cloned(),
            }),
        }
    }
}
