//! The rows of the XLSForm reference, and whether a form uses one.
//!
//! `tests/forms/reference.csv` has a line a row: the sheet, the feature, the forms that use it, a note. A feature is
//! written so that a form can be searched for it:
//!
//! | feature | is used where |
//! | --- | --- |
//! | `type: geotrace` | a type cell is that, or begins with it and goes on after a space |
//! | `column: hint` | a column of that heading, in any language, has a cell that is not empty |
//! | `translation: hint` | a column of that heading with a language has a cell that is not empty |
//! | `parameter: quality of audio` | a row of that type sets that parameter |
//! | `appearance: minimal of select_one` | a row of that type has that word in its appearance; a word that ends in `:`, `-` or `(` only begins one |
//! | `cell: trigger contains ,` | a cell of that column contains that text |
//! | `nesting: repeat in group` | a repeat stands directly in a group |

use super::sheets::{FormFile, Sheet, folder};

/// A row of the reference.
pub(crate) struct Feature {
    pub(crate) sheet: String,
    /// The feature as written, for example `type: geotrace`.
    pub(crate) name: String,
    /// The names of the forms that use it.
    pub(crate) forms: Vec<String>,
    pub(crate) note: String,
}

/// A form that must be refused.
pub(crate) struct BrokenForm {
    pub(crate) name: String,
    pub(crate) mistake: String,
    /// Who refuses it first: `pyxform`, `ODK Validate`, or `Khảo Sát` where only this library does.
    pub(crate) refused_by: String,
    /// Why this library is stricter than the two.
    pub(crate) reason: String,
}

/// Reads `reference.csv`.
pub(crate) fn features() -> Vec<Feature> {
    let mut reader = csv::Reader::from_path(folder().join("reference.csv")).unwrap();
    let records = reader.deserialize::<[String; 4]>();
    records
        .map(|record| {
            let [sheet, name, forms, note] = record.unwrap();
            Feature {
                sheet,
                name,
                forms: forms.split_whitespace().map(str::to_owned).collect(),
                note,
            }
        })
        .collect()
}

/// Reads `refused/refused.csv`.
pub(crate) fn broken_forms() -> Vec<BrokenForm> {
    let mut reader = csv::Reader::from_path(folder().join("refused/refused.csv")).unwrap();
    let records = reader.deserialize::<[String; 4]>();
    records
        .map(|record| {
            let [name, mistake, refused_by, reason] = record.unwrap();
            BrokenForm {
                name,
                mistake,
                refused_by,
                reason,
            }
        })
        .collect()
}

impl Feature {
    /// Whether the form uses the feature.
    ///
    /// # Panics
    /// Where the feature is written in none of the ways above.
    pub(crate) fn is_used_by(&self, form: &FormFile) -> bool {
        let (kind, what) = self.name.split_once(": ").expect("a feature has a kind");
        let Some(sheet) = form.sheets.get(&self.sheet) else {
            return false;
        };
        match kind {
            "type" => sheet.cells(is_type).any(|(_, cell)| begins_with_word(cell, what)),
            "column" => sheet.cells(|heading| is_column(heading, what)).next().is_some(),
            "translation" => {
                let translated = |heading: &str| heading != what && is_column(heading, what);
                sheet.cells(translated).next().is_some()
            }
            "parameter" => {
                let (parameter, of) = what.split_once(" of ").expect("a parameter is one of a type");
                sheet.cells(|heading| heading == "parameters").any(|(row, cell)| {
                    let mut pairs = cell.split([' ', ',', ';']);
                    is_of_type(sheet, row, of)
                        && pairs.any(|pair| pair.split_once('=').is_some_and(|(name, _)| name == parameter))
                })
            }
            "appearance" => {
                let (appearance, of) = what.split_once(" of ").expect("an appearance is one of a type");
                let begins = appearance.ends_with([':', '-', '(']);
                let is_it = |word: &str| word == appearance || (begins && word.starts_with(appearance));
                sheet
                    .cells(|heading| heading == "appearance" || heading == "control::appearance")
                    .any(|(row, cell)| is_of_type(sheet, row, of) && cell.split_whitespace().any(is_it))
            }
            "cell" => {
                let (column, text) = what.split_once(" contains ").expect("a cell contains a text");
                let column_or_alias = |heading: &str| match column {
                    "type" => is_type(heading),
                    column => is_column(heading, column),
                };
                sheet.cells(column_or_alias).any(|(_, cell)| cell.contains(text))
            }
            "nesting" => {
                let (inner, outer) = what.split_once(" in ").expect("nesting is one thing in another");
                nests(sheet, inner, outer)
            }
            _ => panic!("{} is no kind of feature", self.name),
        }
    }
}

fn is_type(heading: &str) -> bool {
    heading == "type" || heading == "command"
}

fn is_column(heading: &str, column: &str) -> bool {
    let column = column.to_lowercase();
    heading == column || heading.strip_prefix(&column).is_some_and(|rest| rest.starts_with(':'))
}

fn begins_with_word(cell: &str, word: &str) -> bool {
    cell.strip_prefix(word)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

fn is_of_type(sheet: &Sheet, row: &[String], of: &str) -> bool {
    begins_with_word(sheet.cell(row, is_type), of)
}

/// Whether a group, repeat or loop `inner` stands directly in an `outer`.
fn nests(sheet: &Sheet, inner: &str, outer: &str) -> bool {
    let mut open: Vec<&str> = Vec::new();
    for (_, cell) in sheet.cells(is_type) {
        let Some((edge, rest)) = cell.split_once(['_', ' ']) else {
            continue;
        };
        let kind = match rest {
            "lgroup" | "looped group" => "repeat",
            rest => ["group", "repeat", "loop"]
                .into_iter()
                .find(|kind| begins_with_word(rest, kind))
                .unwrap_or(""),
        };
        match (edge, kind) {
            (_, "") => {}
            ("begin", kind) => {
                if kind == inner && open.last() == Some(&outer) {
                    return true;
                }
                open.push(kind);
            }
            ("end", _) => {
                open.pop();
            }
            _ => {}
        }
    }
    false
}
