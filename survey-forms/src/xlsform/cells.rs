//! One row's cells, taken one after another by what they mean.

use std::collections::BTreeMap;

use super::headings::Heading;
use super::languages::Languages;
use crate::model::{Media, MediaKind, Translations};
use crate::workbook::Row;

/// A row's cells that nobody has taken yet.
pub(super) struct Cells<'a> {
    pub(super) row: u32,
    left: Vec<(&'a Heading, String)>,
}

/// How cells are cleaned before they are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cleaning {
    /// Curly quotes, which spreadsheet programs put in place of straight ones, become straight again.
    Quotes,
    /// Also several spaces in a row become one.
    QuotesAndSpaces,
}

impl<'a> Cells<'a> {
    pub(super) fn new(row: &Row, headings: &'a BTreeMap<u32, Heading>, cleaning: Cleaning) -> Self {
        let cells = row.cells.iter();
        Self {
            row: row.number,
            left: cells
                .filter_map(|(column, text)| Some((headings.get(column)?, clean(text, cleaning))))
                .collect(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// Whether a cell of the column `first`, in any language, is filled and not yet taken.
    pub(super) fn has(&self, first: &str) -> bool {
        self.left.iter().any(|(heading, _)| heading.parts[0] == first)
    }

    /// The cell at exactly that place.
    pub(super) fn take(&mut self, parts: &[&str]) -> Option<String> {
        let place = self.left.iter().position(|(heading, _)| heading.parts == parts)?;
        Some(self.left.remove(place).1)
    }

    /// Leaves a column out by its heading as written.
    pub(super) fn drop_column(&mut self, written: &str) {
        self.left.retain(|(heading, _)| heading.written != written);
    }

    /// The cells below that place, with the further part as name: the languages of a text, the names of attributes.
    fn take_below(&mut self, parts: &[&str]) -> Vec<(String, String)> {
        let mut taken = Vec::new();
        self.left.retain(|(heading, text)| {
            let is_below = heading.parts.len() > parts.len() && heading.parts[..parts.len()] == *parts;
            if is_below {
                // In a sheet with single colons the prefix of an attribute is a part of its own.
                taken.push((heading.parts[parts.len()..].join(":"), text.clone()));
            }
            !is_below
        });
        taken
    }

    /// The text at that place in all its languages.
    pub(super) fn translations(&mut self, parts: &[&str], languages: &mut Languages) -> Translations {
        let plain = self.take(parts);
        let mut texts = BTreeMap::new();
        for (language, text) in self.take_below(parts) {
            texts.insert(languages.code(&language), text);
        }
        match plain {
            Some(plain) if texts.is_empty() => return Translations::plain(plain),
            // A column without a language is in the default language, unless that has a column of its own.
            Some(plain) => {
                texts.entry(languages.default_code()).or_insert(plain);
            }
            None => {}
        }
        Translations(texts)
    }

    /// The media files of a label.
    pub(super) fn media(&mut self, languages: &mut Languages) -> Media {
        let kinds = MediaKind::ALL.into_iter();
        let found = kinds.map(|kind| (kind, self.translations(&["media", kind.name()], languages)));
        found.filter(|(_, files)| !files.is_empty()).collect()
    }

    /// The attributes below that place that nobody took.
    pub(super) fn attributes(&mut self, first: &str) -> indexmap::IndexMap<String, String> {
        self.take_below(&[first]).into_iter().collect()
    }

    /// The cells that nobody took, by heading, in the sheet's order.
    pub(super) fn rest(self) -> impl Iterator<Item = (String, String)> {
        self.left
            .into_iter()
            .map(|(heading, text)| (heading.parts.join("::"), text))
    }
}

fn clean(text: &str, cleaning: Cleaning) -> String {
    let straight = |character| match character {
        '\u{2018}' | '\u{2019}' => '\'',
        '\u{201c}' | '\u{201d}' => '"',
        other => other,
    };
    if cleaning == Cleaning::Quotes {
        return text.chars().map(straight).collect();
    }
    let mut cleaned = String::with_capacity(text.len());
    for character in text.trim().chars().map(straight) {
        if character != ' ' || !cleaned.ends_with(' ') {
            cleaned.push(character);
        }
    }
    cleaned
}
