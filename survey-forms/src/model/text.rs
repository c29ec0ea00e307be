//! What people read and hear: texts and media files by language.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::lexical;

/// The key of a text that stands in a column without a language, where the row has no other.
pub(crate) const NO_LANGUAGE: &str = "";

/// Texts by language code.
///
/// A text in a column without a language belongs to the form's default language. It stands under that language's code
/// where the row has texts in other languages too, and under the empty code where it is the row's only text: XForms
/// write such a text in place, not in a translation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Translations(pub BTreeMap<String, String>);

impl Translations {
    /// One text, in no language in particular.
    pub fn plain(text: impl Into<String>) -> Self {
        Self(BTreeMap::from([(NO_LANGUAGE.to_owned(), text.into())]))
    }

    /// The text in `language`, else in the first of `otherwise` that has one, else the text without a language.
    pub fn get<'a>(&'a self, language: &str, otherwise: &[Language]) -> Option<&'a str> {
        let fallback = || otherwise.iter().find_map(|language| self.0.get(&language.code));
        let text = self.0.get(language).or_else(fallback);
        text.or_else(|| self.0.get(NO_LANGUAGE)).map(String::as_str)
    }

    /// Whether there is no text at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The only text, where it is in no language in particular.
    pub fn as_plain(&self) -> Option<&str> {
        self.0.get(NO_LANGUAGE).map(String::as_str)
    }
}

/// A language of a form, written `Tiếng Việt (vi)` in a column's heading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Language {
    /// The code in brackets; the whole name where there is none.
    pub code: String,
    /// The name as written.
    pub name: String,
}

/// A kind of media file that accompanies a text (XLSForm reference, "Media").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MediaKind {
    /// A picture beside the text.
    Image,
    /// A larger version of the picture, shown when it is tapped.
    BigImage,
    /// A recording of the text.
    Audio,
    /// A film.
    Video,
}

impl MediaKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Image, Self::BigImage, Self::Audio, Self::Video];

    /// The column's heading, which is also the `form` of an itext value (ODK XForms, "Languages").
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::BigImage => "big-image",
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }
}

/// Names of media files by kind and language.
pub type Media = BTreeMap<MediaKind, Translations>;

/// Whether a message stands among the translations of an XForm: where it has several languages, or refers to a question,
/// which an attribute and the item of a list cannot.
pub(crate) fn needs_translation(message: &Translations) -> bool {
    match message.as_plain() {
        Some(plain) => lexical::references(plain).next().is_some(),
        None => !message.is_empty(),
    }
}
