//! Reads XML element by element. Entities that a document declares itself are refused, so that no text can grow.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

use super::grid::damaged;
use crate::Phrase;
use crate::model::FormProblems;

/// The parts of an XML document that matter here.
pub(super) enum Node<'a> {
    /// The beginning of an element; one without content is followed by its end too.
    Start(BytesStart<'a>),
    /// The end of the innermost open element.
    End,
    /// Text, with references resolved and line ends as `\n`.
    Text(String),
}

/// A document and the place reached in it.
pub(super) struct Document<'a> {
    reader: quick_xml::Reader<&'a [u8]>,
    /// The format and the part of the file, for messages.
    format: &'static str,
    part: &'a str,
    /// How many elements are open.
    depth: usize,
}

/// The deepest nesting of elements; workbooks need a dozen, and every open element costs memory.
const MAX_DEPTH: usize = 256;

impl<'a> Document<'a> {
    pub(super) fn new(text: &'a str, format: &'static str, part: &'a str) -> Self {
        let mut reader = quick_xml::Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Self {
            reader,
            format,
            part,
            depth: 0,
        }
    }

    /// A problem at the place reached.
    pub(super) fn problem(&self, what: Phrase) -> FormProblems {
        let place = format!("{}, byte {}", self.part, self.reader.buffer_position());
        damaged(self.format, place, what)
    }

    /// The next part; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Node<'a>>, FormProblems> {
        const MALFORMED: Phrase = Phrase::new("the XML is malformed", "XML sai cú pháp");
        const ENTITIES: Phrase = Phrase::new(
            "the XML declares or uses entities of its own, which workbooks never do",
            "XML khai báo hoặc dùng thực thể riêng, điều mà sổ tính không bao giờ có",
        );
        const TOO_DEEP: Phrase = Phrase::new("elements are nested too deeply", "các phần tử lồng nhau quá sâu");
        loop {
            let event = self.reader.read_event().map_err(|_| self.problem(MALFORMED))?;
            return Ok(Some(match event {
                Event::Start(start) | Event::Empty(start) => {
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        return Err(self.problem(TOO_DEEP));
                    }
                    Node::Start(start)
                }
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    Node::End
                }
                Event::Text(text) => Node::Text(text.xml10_content().into_owned()),
                Event::CData(text) => Node::Text(text.xml10_content().into_owned()),
                Event::GeneralRef(reference) => {
                    let character = reference.resolve_char_ref().map_err(|_| self.problem(MALFORMED))?;
                    let named = || quick_xml::escape::resolve_xml_entity(&reference).map(str::to_owned);
                    let text = character.map(String::from).or_else(named);
                    Node::Text(text.ok_or_else(|| self.problem(ENTITIES))?)
                }
                Event::DocType(declaration) if declaration.contains("<!ENTITY") => {
                    return Err(self.problem(ENTITIES));
                }
                Event::Eof => return Ok(None),
                _ => continue,
            }));
        }
    }

    /// An attribute, by its name without prefix.
    pub(super) fn attribute(&self, start: &BytesStart<'_>, name: &str) -> Result<Option<String>, FormProblems> {
        const MALFORMED: Phrase = Phrase::new("an attribute is malformed", "thuộc tính sai cú pháp");
        let mut attributes = start.attributes();
        // Looking for an attribute that stands twice takes quadratic time.
        for attribute in attributes.with_checks(false) {
            let attribute = attribute.map_err(|_| self.problem(MALFORMED))?;
            if attribute.key.local_name().as_ref() == name {
                let value = attribute.normalized_value(XmlVersion::Implicit1_0);
                return value
                    .map(|value| Some(value.into_owned()))
                    .map_err(|_| self.problem(MALFORMED));
            }
        }
        Ok(None)
    }
}

/// The name of an element without its prefix.
pub(super) fn local_name<'s>(start: &'s BytesStart<'_>) -> &'s str {
    start.local_name().into_inner()
}
