//! The plain data of a form.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Texts by language code.
///
/// A text in a column without a language stands under the code of the form's default language.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Translations(pub BTreeMap<String, String>);

impl Translations {
    /// The text in `language`, else in the first of `otherwise` that has one.
    pub fn get<'a>(&'a self, language: &str, otherwise: &[Language]) -> Option<&'a str> {
        let fallback = || otherwise.iter().find_map(|language| self.0.get(&language.code));
        self.0.get(language).or_else(fallback).map(String::as_str)
    }

    /// Whether there is no text at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
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

/// The `settings` sheet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// `form_id`: identifies the form through all its versions.
    pub form_id: String,
    /// `form_title`: the name that people see.
    pub title: String,
    /// `version`: the label that authors give; [`super::Form::content_hash`] is what identifies a version.
    pub version: String,
    /// Columns that the XLSForm reference does not define, by name.
    pub other: BTreeMap<String, String>,
}

/// One choice of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The value that is stored.
    pub name: String,
    /// The texts that people see.
    pub label: Translations,
    /// Further columns, which `choice_filter` expressions may use.
    pub other: BTreeMap<String, String>,
    /// The sheet's row, for messages; 0 where the form does not come from a workbook.
    #[serde(skip)]
    pub row: u32,
}

/// What a row of the `survey` sheet is (XLSForm reference, "Question types").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// Free text.
    Text,
    /// A whole number.
    Integer,
    /// A number with a fraction.
    Decimal,
    /// A day, `YYYY-MM-DD`.
    Date,
    /// One choice of the list.
    SelectOne {
        /// The list's name.
        list: String,
    },
    /// Any number of choices of the list.
    SelectMultiple {
        /// The list's name.
        list: String,
    },
    /// A point, `latitude longitude altitude accuracy`, in degrees and metres.
    Geopoint,
    /// A text shown, nothing asked.
    Note,
    /// A value computed by `calculation`, not shown.
    Calculate,
    /// A value not shown, set by its default or by whoever opens the form.
    Hidden,
    /// A text to be ticked as read; stores `OK`.
    ///
    /// One that is not required and has a relevance is a soft check: while it is to be asked and not ticked,
    /// [`crate::session::Session::validate`] warns with its label.
    Acknowledge,
    /// A value that the device records.
    Metadata(Metadata),
    /// Questions that stand together.
    Group,
    /// Questions asked once for each instance.
    Repeat,
}

/// What a metadata row records (XLSForm reference, "Metadata").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metadata {
    /// When filling began.
    Start,
    /// When the form was last changed.
    End,
    /// The day of filling.
    Today,
    /// The device's identity.
    DeviceId,
}

/// A row of the `survey` sheet: a question, group, repeat, note or calculation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FormNode {
    /// The name, unique in the form.
    pub name: String,
    /// What the row is.
    pub kind: NodeKind,
    /// The position of the group or repeat around the row; always smaller than the row's own. None at the top.
    pub parent: Option<usize>,
    /// The texts that people see.
    pub label: Translations,
    /// Explanations below the label.
    pub hint: Translations,
    /// `required`: an expression.
    pub required: Option<String>,
    /// What to say where a required answer is missing.
    pub required_message: Translations,
    /// `relevant`: an expression; the row is asked only where it is true.
    pub relevant: Option<String>,
    /// `constraint`: an expression in which `.` is the answer; an answer for which it is false is refused.
    pub constraint: Option<String>,
    /// What to say where the constraint is broken.
    pub constraint_message: Translations,
    /// `calculation`: an expression that gives the value.
    pub calculation: Option<String>,
    /// `default`: a value, or an expression that gives it, put into a new form or instance.
    pub default: Option<String>,
    /// How to show the row (XLSForm reference, "Appearance").
    pub appearance: Option<String>,
    /// `read_only`: an expression.
    pub read_only: Option<String>,
    /// `choice_filter`: an expression over a choice's own columns; those for which it is false are not offered.
    pub choice_filter: Option<String>,
    /// `repeat_count`: an expression that fixes the number of instances.
    pub repeat_count: Option<String>,
    /// `parameters`: settings of the type, by name.
    pub parameters: BTreeMap<String, String>,
    /// Columns that the XLSForm reference does not define, such as `indicator` and `sensitive`, by name.
    pub other: BTreeMap<String, String>,
    /// The sheet's row, for messages; 0 where the form does not come from a workbook.
    #[serde(skip)]
    pub row: u32,
}

impl FormNode {
    /// A row with only a name, a kind and a place.
    pub fn new(name: impl Into<String>, kind: NodeKind, parent: Option<usize>) -> Self {
        Self {
            name: name.into(),
            kind,
            parent,
            label: Translations::default(),
            hint: Translations::default(),
            required: None,
            required_message: Translations::default(),
            relevant: None,
            constraint: None,
            constraint_message: Translations::default(),
            calculation: None,
            default: None,
            appearance: None,
            read_only: None,
            choice_filter: None,
            repeat_count: None,
            parameters: BTreeMap::new(),
            other: BTreeMap::new(),
            row: 0,
        }
    }

    /// The name of the choice list, of a select question.
    pub fn list(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::SelectOne { list } | NodeKind::SelectMultiple { list } => Some(list),
            _ => None,
        }
    }

    /// Whether the row holds other rows.
    pub fn is_container(&self) -> bool {
        matches!(self.kind, NodeKind::Group | NodeKind::Repeat)
    }

    /// Whether a person answers the row (also by ticking an acknowledgement).
    pub fn is_asked(&self) -> bool {
        !matches!(
            self.kind,
            NodeKind::Note
                | NodeKind::Calculate
                | NodeKind::Hidden
                | NodeKind::Metadata(_)
                | NodeKind::Group
                | NodeKind::Repeat
        )
    }
}

/// The plain data of a form, in the order of its sheets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FormDefinition {
    /// The `settings` sheet.
    pub settings: Settings,
    /// The languages, the default one first; at least one.
    pub languages: Vec<Language>,
    /// The rows of the `survey` sheet, containers before what they hold.
    pub nodes: Vec<FormNode>,
    /// The lists of the `choices` sheet, by name.
    pub choices: BTreeMap<String, Vec<Choice>>,
}
