//! Phrases that messages are put together from, in both languages.

use std::fmt;

/// A phrase inside a message; it displays in English.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phrase {
    /// The English words.
    pub english: &'static str,
    /// The Vietnamese words.
    pub vietnamese: &'static str,
}

impl Phrase {
    pub(crate) const fn new(english: &'static str, vietnamese: &'static str) -> Self {
        Self { english, vietnamese }
    }
}

impl fmt::Display for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.english)
    }
}
