//! What the headings of a sheet mean: a column's canonical name and, after `::`, its language.

use std::collections::BTreeMap;

use crate::model::{FormProblem, Language, Place, ProblemKind, Translations};
use crate::workbook::{Row, Sheet};

/// The code of the language of texts in a form that names none, as pyxform's.
const UNNAMED_LANGUAGE: &str = "default";

/// Other ways to write a heading, as pyxform reads them.
const ALIASES: [(&str, &str); 13] = [
    ("caption", "label"),
    ("calculate", "calculation"),
    ("constraint message", "constraint_message"),
    ("constraint-msg", "constraint_message"),
    ("list name", "list_name"),
    ("list", "list_name"),
    ("value", "name"),
    ("readonly", "read_only"),
    ("read only", "read_only"),
    ("relevance", "relevant"),
    ("required message", "required_message"),
    ("repeat count", "repeat_count"),
    ("choice filter", "choice_filter"),
];

/// The headings that may carry a language.
const TRANSLATED: [&str; 4] = ["label", "hint", "required_message", "constraint_message"];

/// A heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heading {
    /// The canonical name in lower case; the heading as written where a language belongs to no known column.
    pub(super) name: String,
    /// The code of the language.
    pub(super) language: Option<String>,
    /// The heading as written, for messages.
    pub(super) written: String,
}

/// The languages met so far, in the order in which headings name them, the default one first.
pub(super) struct Languages {
    met: Vec<Language>,
}

impl Languages {
    pub(super) fn new(default: Option<&str>) -> Self {
        Self {
            met: default.map(language).into_iter().collect(),
        }
    }

    /// The code of a language, which is new or was met before.
    fn code(&mut self, written: &str) -> String {
        let language = language(written);
        let code = language.code.clone();
        if !self.met.iter().any(|met| met.code == code) {
            self.met.push(language);
        }
        code
    }

    /// The code under which texts without a language stand.
    fn default_code(&mut self) -> String {
        match self.met.first() {
            Some(first) => first.code.clone(),
            None => self.code(UNNAMED_LANGUAGE),
        }
    }

    pub(super) fn finish(mut self) -> Vec<Language> {
        if self.met.is_empty() {
            self.code(UNNAMED_LANGUAGE);
        }
        self.met
    }
}

/// Reads `Tiếng Việt (vi)`.
fn language(written: &str) -> Language {
    let name = written.trim();
    let code = name
        .strip_suffix(')')
        .and_then(|rest| rest.rsplit_once('('))
        .map_or(name, |(_, code)| code.trim());
    Language {
        code: code.to_owned(),
        name: name.to_owned(),
    }
}

/// The headings of a sheet by column; a heading that stands twice is a problem.
pub(super) fn headings(
    sheet: &Sheet,
    languages: &mut Languages,
    problems: &mut Vec<FormProblem>,
) -> BTreeMap<u32, Heading> {
    let mut headings: BTreeMap<u32, Heading> = BTreeMap::new();
    for (column, written) in &sheet.headings {
        let heading = heading(written, languages);
        let twice = headings
            .values()
            .any(|other| other.name == heading.name && other.language == heading.language);
        if twice {
            problems.push(FormProblem {
                place: Place::new(&sheet.name, None, Some(written)),
                kind: ProblemKind::DuplicateColumn,
            });
        }
        headings.insert(*column, heading);
    }
    headings
}

fn heading(written: &str, languages: &mut Languages) -> Heading {
    let (name, language) = match written.split_once("::").or_else(|| written.split_once(':')) {
        Some((name, language)) => (name.trim(), Some(language)),
        None => (written, None),
    };
    let lower = name.trim().to_lowercase();
    let canonical = ALIASES
        .iter()
        .find(|(alias, _)| *alias == lower)
        .map_or(lower.as_str(), |(_, canonical)| canonical);
    let (name, language) = match language {
        Some(language) if TRANSLATED.contains(&canonical) => (canonical.to_owned(), Some(languages.code(language))),
        Some(_) => (written.trim().to_owned(), None),
        None if TRANSLATED.contains(&canonical) => (canonical.to_owned(), None),
        None => (canonical.to_owned(), None),
    };
    Heading {
        name,
        language,
        written: written.trim().to_owned(),
    }
}

/// A row's cells taken one after another by meaning; what is left in the end are columns unknown to the reader.
pub(super) struct Cells<'a> {
    left: Vec<(&'a Heading, &'a str)>,
}

impl<'a> Cells<'a> {
    pub(super) fn new(row: &'a Row, headings: &'a BTreeMap<u32, Heading>) -> Self {
        let cells = row.cells.iter();
        Self {
            left: cells
                .filter_map(|(column, text)| Some((headings.get(column)?, text.as_str())))
                .collect(),
        }
    }

    /// The cell of the column `name`.
    pub(super) fn take(&mut self, name: &str) -> Option<&'a str> {
        let place = self.left.iter().position(|(heading, _)| heading.name == name)?;
        Some(self.left.remove(place).1)
    }

    /// The cells of the column `name` in all languages.
    pub(super) fn translations(&mut self, name: &str, languages: &mut Languages) -> Translations {
        let mut texts = BTreeMap::new();
        self.left.retain(|(heading, text)| {
            let taken = heading.name == name;
            if taken {
                let code = heading.language.clone().unwrap_or_else(|| languages.default_code());
                texts.insert(code, (*text).to_owned());
            }
            !taken
        });
        Translations(texts)
    }

    /// The cells that nobody took, by heading.
    pub(super) fn rest(self) -> BTreeMap<String, String> {
        self.left
            .into_iter()
            .map(|(heading, text)| (heading.name.clone(), text.to_owned()))
            .collect()
    }
}
