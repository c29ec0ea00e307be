//! Lists of choices and where they come from.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::kind::DataFile;
use super::text::{Media, Translations, needs_translation};

/// One choice of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The value that is stored.
    pub name: String,
    /// The texts that people see.
    #[serde(default, skip_serializing_if = "Translations::is_empty")]
    pub label: Translations,
    /// Pictures and recordings of the label.
    #[serde(default, skip_serializing_if = "Media::is_empty")]
    pub media: Media,
    /// Further columns in the sheet's order, which `choice_filter` expressions may use.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub other: IndexMap<String, String>,
    /// The sheet's row, for messages; 0 where the form does not come from a workbook.
    #[serde(skip)]
    pub row: u32,
}

/// The lists of a sheet by name, in the sheet's order.
pub type ChoiceLists = IndexMap<String, Vec<Choice>>;

/// Where a select's choices come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChoiceSource<'a> {
    /// A list of the `choices` sheet, by name.
    List(&'a str),
    /// A list of the `external_choices` sheet, by name.
    External(&'a str),
    /// A file that comes with the form.
    File {
        /// The file's name with its extension.
        name: &'a str,
        /// Its format.
        format: DataFile,
    },
    /// The answers to a question inside a repeat, one choice an instance; written `${question}`.
    Question(&'a str),
}

impl<'a> ChoiceSource<'a> {
    /// What the text behind `select_one` means.
    pub(crate) fn of(written: &'a str) -> Self {
        if let Some(question) = written.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
            return Self::Question(question);
        }
        match DataFile::of_name(written) {
            Some(format) => Self::File { name: written, format },
            None => Self::List(written),
        }
    }

    /// The identity of the secondary instance that holds the choices (ODK XForms, "Secondary instances"): a list's name,
    /// or a file's name without its extension.
    pub fn instance_id(&self) -> Option<&'a str> {
        match self {
            Self::List(name) | Self::External(name) => Some(name),
            Self::File { name, .. } => name.rsplit_once('.').map(|(stem, _)| stem),
            Self::Question(_) => None,
        }
    }
}

/// Whether the labels of a list stand among the translations of an XForm.
pub(crate) fn is_translated_list(choices: &[Choice]) -> bool {
    choices
        .iter()
        .any(|choice| !choice.media.is_empty() || needs_translation(&choice.label))
}
