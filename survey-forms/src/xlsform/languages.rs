//! The languages that a workbook's headings name.

use crate::model::Language;

/// The name of the language of texts in a form that names none, as in pyxform.
pub(crate) const UNNAMED_LANGUAGE: &str = "default";

/// The languages met so far, the default one first.
pub(crate) struct Languages {
    default: String,
    met: Vec<Language>,
}

impl Languages {
    /// `default` is the setting `default_language`.
    pub(crate) fn new(default: Option<&str>) -> Self {
        let mut languages = Self {
            default: default.unwrap_or(UNNAMED_LANGUAGE).to_owned(),
            met: Vec::new(),
        };
        if let Some(default) = default {
            languages.code(default);
        }
        languages
    }

    /// The code of a language, which is new or was met before. Two languages with one code keep their whole names.
    pub(crate) fn code(&mut self, written: &str) -> String {
        let name = written.trim();
        if let Some(met) = self.met.iter().find(|met| met.name == name) {
            return met.code.clone();
        }
        let code = code_in_brackets(name).unwrap_or(name);
        let is_taken = self.met.iter().any(|met| met.code == code);
        let code = if is_taken || code.is_empty() { name } else { code };
        self.met.push(Language {
            code: code.to_owned(),
            name: name.to_owned(),
        });
        code.to_owned()
    }

    /// The code of the default language, which texts without a language are in.
    pub(crate) fn default_code(&mut self) -> String {
        let default = self.default.clone();
        self.code(&default)
    }

    /// The default language first; where the form names languages but no default one, the one met first is shown first.
    pub(crate) fn finish(mut self) -> Vec<Language> {
        if self.met.is_empty() {
            self.default_code();
        }
        if let Some(default) = self.met.iter().position(|met| met.name == self.default) {
            let default = self.met.remove(default);
            self.met.insert(0, default);
        }
        self.met
    }
}

/// `vi` of `Tiếng Việt (vi)`.
fn code_in_brackets(name: &str) -> Option<&str> {
    let (_, code) = name.strip_suffix(')')?.rsplit_once('(')?;
    Some(code.trim())
}
