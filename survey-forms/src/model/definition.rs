//! The plain data of a form.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::choices::ChoiceLists;
use super::entity::EntityDeclaration;
use super::kind::NodeKind;
use super::lexical;
use super::text::{Language, Media, Translations};

/// The `settings` sheet (XLSForm reference, "Settings").
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// `form_id`: identifies the form through all its versions.
    pub form_id: String,
    /// `form_title`: the name that people see.
    pub title: String,
    /// `version`: the label that authors give; [`super::Form::content_hash`] is what identifies a version.
    pub version: String,
    /// `name`: the name of the outermost element; `data` where the sheet gives none.
    #[serde(default = "default_root_name")]
    pub root_name: String,
    /// `default_language`: the language shown first, by its whole name; texts in columns without a language are in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_language: Option<String>,
    /// `instance_name`: an expression that gives the name of one filled form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_name: Option<String>,
    /// `style`: how to show the form (`pages`, `theme-grid`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub style: Option<String>,
    /// How filled forms are sent.
    #[serde(default, skip_serializing_if = "Submission::is_default")]
    pub submission: Submission,
    /// `namespaces`: further XML namespaces, `prefix="uri"` separated by spaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<String>,
    /// `instance_xmlns`: the XML namespace of the filled form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_namespace: Option<String>,
    /// `attribute::name`: further attributes of the outermost element.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub attributes: IndexMap<String, String>,
    /// `instance_id`: what `instanceID` is made from; a random identity where the sheet does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
    /// `omit_instanceID`: whether filled forms carry no identity.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub omit_instance_id: bool,
    /// `allow_choice_duplicates`: whether two choices of a list may have one name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_choice_duplicates: bool,
    /// `prefix`: begins the compact text message of a filled form (ODK XForms, "Compact Record Representation").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compact_prefix: Option<String>,
    /// `delimiter`: separates the values of that text message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compact_delimiter: Option<String>,
    /// Columns that the XLSForm reference does not define, by name.
    pub other: BTreeMap<String, String>,
}

fn default_root_name() -> String {
    Settings::DEFAULT_ROOT_NAME.to_owned()
}

impl Settings {
    /// The name of the outermost element, and the identity of a form, where the sheet gives none.
    pub const DEFAULT_ROOT_NAME: &'static str = "data";

    /// The identity of the form: `form_id`, else a default one.
    pub fn identity(&self) -> &str {
        if self.form_id.is_empty() {
            Self::DEFAULT_ROOT_NAME
        } else {
            &self.form_id
        }
    }

    /// What to call the form: `form_title`, else its identity.
    pub fn shown_title(&self) -> &str {
        if self.title.is_empty() {
            self.identity()
        } else {
            &self.title
        }
    }
}

/// How filled forms are sent (XLSForm reference, "Settings").
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// `submission_url`: where to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// `public_key`: the RSA key that filled forms are encrypted to, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// `auto_send`: whether to send without being asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_send: Option<String>,
    /// `auto_delete`: whether to delete after sending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_delete: Option<String>,
    /// `client_editable`: whether a filled form may be edited after sending.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub client_editable: bool,
}

impl Submission {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The name of an attribute of a bind that marks a row without a data type: the older type `trigger`.
pub(crate) const UNTYPED: &str = "";

/// Attributes that a form's author puts into the XForm by columns such as `bind::odk:length`, `body::intent` or
/// `instance::odk:tag`, by name; values may refer to questions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtraAttributes {
    /// Of the row's `bind`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub bind: IndexMap<String, String>,
    /// Of the row's control in the body.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub control: IndexMap<String, String>,
    /// Of the row's element in the filled form.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub instance: IndexMap<String, String>,
}

impl ExtraAttributes {
    fn is_empty(&self) -> bool {
        self.bind.is_empty() && self.control.is_empty() && self.instance.is_empty()
    }
}

/// A row of the `survey` sheet: a question, group, repeat, note or calculation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FormNode {
    /// The name, unique among the rows of its group or repeat.
    pub name: String,
    /// What the row is.
    pub kind: NodeKind,
    /// The position of the group or repeat around the row; always smaller than the row's own. None at the top.
    pub parent: Option<usize>,
    /// The texts that people see.
    pub label: Translations,
    /// Explanations below the label.
    pub hint: Translations,
    /// Longer explanations for interviewers, hidden at first.
    #[serde(default, skip_serializing_if = "Translations::is_empty")]
    pub guidance_hint: Translations,
    /// Pictures and recordings of the label.
    #[serde(default, skip_serializing_if = "Media::is_empty")]
    pub media: Media,
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
    /// What to say where another app that the row calls is not installed.
    #[serde(default, skip_serializing_if = "Translations::is_empty")]
    pub no_app_message: Translations,
    /// `calculation`: an expression that gives the value.
    pub calculation: Option<String>,
    /// `trigger`: the questions whose change computes the calculation anew; it is computed whenever what it refers to
    /// changes where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub triggers: Vec<String>,
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
    /// `save_to`: the property of an entity that the answer becomes, after the entity's list and `#` where the form has
    /// several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub save_to: Option<String>,
    /// Attributes that the author puts into the XForm.
    #[serde(default, skip_serializing_if = "ExtraAttributes::is_empty")]
    pub attributes: ExtraAttributes,
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
            guidance_hint: Translations::default(),
            media: Media::default(),
            required: None,
            required_message: Translations::default(),
            relevant: None,
            constraint: None,
            constraint_message: Translations::default(),
            no_app_message: Translations::default(),
            calculation: None,
            triggers: Vec::new(),
            default: None,
            appearance: None,
            read_only: None,
            choice_filter: None,
            repeat_count: None,
            parameters: BTreeMap::new(),
            save_to: None,
            attributes: ExtraAttributes::default(),
            other: BTreeMap::new(),
            row: 0,
        }
    }

    /// The name of the list of the `choices` sheet that a select question offers.
    pub fn list(&self) -> Option<&str> {
        match self.kind.choice_source()? {
            super::ChoiceSource::List(name) => Some(name),
            _ => None,
        }
    }

    /// Whether the row holds other rows.
    pub fn is_container(&self) -> bool {
        self.kind.is_container()
    }

    /// Whether a person answers the row (also by ticking an acknowledgement).
    pub fn is_asked(&self) -> bool {
        self.kind.is_asked()
    }

    /// Whether the row's default is an expression; else it is a value.
    pub fn has_dynamic_default(&self) -> bool {
        let default = self.default.as_deref();
        default.is_some_and(|default| lexical::is_dynamic_default(default, &self.kind))
    }

    /// Whether the number of a repeat's instances needs an element of its own in an XForm: unless it is one reference.
    pub(crate) fn needs_count_element(&self) -> bool {
        let count = self.repeat_count.as_deref();
        self.kind == NodeKind::Repeat && count.is_some_and(|count| !lexical::is_reference(count))
    }

    /// The name of that element.
    pub(crate) fn count_element_name(&self) -> String {
        format!("{}_count", self.name)
    }

    /// Whether people see the question: what is computed without a text is not asked.
    pub(crate) fn is_visible(&self) -> bool {
        let is_computed = self.calculation.is_some() || !self.triggers.is_empty();
        let has_text = !self.label.is_empty() || !self.hint.is_empty();
        self.kind != NodeKind::Calculate && (has_text || !is_computed)
    }

    /// Whether the appearance has that word.
    pub fn has_appearance(&self, word: &str) -> bool {
        let appearance = self.appearance.as_deref().unwrap_or_default();
        appearance.split_whitespace().any(|found| found == word)
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
    /// The lists of the `choices` sheet.
    pub choices: ChoiceLists,
    /// The lists of the `external_choices` sheet, which travel as a file beside the form.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub external_choices: ChoiceLists,
    /// The lists of the `osm` sheet: tags of OpenStreetMap, and the values of each in the list of the tag's name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub osm_tags: ChoiceLists,
    /// The `entities` sheet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<EntityDeclaration>,
}
