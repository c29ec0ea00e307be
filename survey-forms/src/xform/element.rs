//! XML elements while an XForm is put together.

use std::fmt::{self, Write};

/// An element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Content>,
}

/// What stands inside an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    Element(Element),
    Text(String),
}

impl Element {
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    pub(super) fn with(mut self, attribute: &str, value: impl Into<String>) -> Self {
        self.set(attribute, value);
        self
    }

    pub(super) fn with_text(mut self, text: &str) -> Self {
        if !text.is_empty() {
            self.children.push(Content::Text(text.to_owned()));
        }
        self
    }

    pub(super) fn containing(mut self, children: impl IntoIterator<Item = Element>) -> Self {
        self.extend(children);
        self
    }

    pub(super) fn with_content(mut self, content: Vec<Content>) -> Self {
        self.children.extend(content);
        self
    }

    /// The element with texts that stand beside each other made one.
    pub(super) fn joined(mut self) -> Self {
        let mut joined: Vec<Content> = Vec::with_capacity(self.children.len());
        for child in std::mem::take(&mut self.children) {
            match (joined.last_mut(), child) {
                (Some(Content::Text(before)), Content::Text(text)) => before.push_str(&text),
                (_, child) => joined.push(child),
            }
        }
        self.children = joined;
        self
    }

    /// Sets an attribute, replacing its value where it is set already.
    pub(super) fn set(&mut self, attribute: &str, value: impl Into<String>) {
        let value = value.into();
        match self.attributes.iter_mut().find(|(name, _)| name == attribute) {
            Some((_, old)) => *old = value,
            None => self.attributes.push((attribute.to_owned(), value)),
        }
    }

    pub(super) fn push(&mut self, child: Element) {
        self.children.push(Content::Element(child));
    }

    pub(super) fn extend(&mut self, children: impl IntoIterator<Item = Element>) {
        self.children.extend(children.into_iter().map(Content::Element));
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}", self.name)?;
        for (name, value) in &self.attributes {
            write!(f, " {name}=\"")?;
            escape(f, value, true)?;
            f.write_char('"')?;
        }
        if self.children.is_empty() {
            return f.write_str("/>");
        }
        f.write_char('>')?;
        for child in &self.children {
            match child {
                Content::Element(element) => element.write(f)?,
                Content::Text(text) => escape(f, text, false)?,
            }
        }
        write!(f, "</{}>", self.name)
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

/// Writes text so that a reader gets it back character by character (XML 1.0 §2.4 and §3.3.3). Characters that XML
/// cannot hold at all (§2.2) are left out.
fn escape(f: &mut fmt::Formatter<'_>, text: &str, in_attribute: bool) -> fmt::Result {
    for character in text.chars() {
        match character {
            '&' => f.write_str("&amp;")?,
            '<' => f.write_str("&lt;")?,
            '>' => f.write_str("&gt;")?,
            '"' if in_attribute => f.write_str("&quot;")?,
            // A reader would make spaces of these.
            '\n' if in_attribute => f.write_str("&#10;")?,
            '\t' if in_attribute => f.write_str("&#9;")?,
            '\r' => f.write_str("&#13;")?,
            '\t' | '\n' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => f.write_char(character)?,
            _ => {}
        }
    }
    Ok(())
}
