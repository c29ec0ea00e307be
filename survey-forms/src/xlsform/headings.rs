//! What the headings of a sheet mean: the place in a row's data that a column fills.
//!
//! A heading such as `label::Tiếng Việt (vi)` names a place by parts separated by `::` (or by `:` in a sheet that uses
//! no `::`); its first part may be written in several ways. The ways are those of the XLSForm reference and of pyxform
//! 4.5, so that a workbook means the same to both.

use std::collections::BTreeMap;

use crate::model::{FormProblem, Place, ProblemKind};
use crate::workbook::Sheet;

/// The parts of a place in a row's data, outermost first, such as `bind`, `relevant`.
pub(super) type Parts = Vec<String>;

/// A heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heading {
    /// The place that the column fills.
    pub(super) parts: Parts,
    /// The heading as written, for messages.
    pub(super) written: String,
}

/// What headings a sheet may have.
pub(super) struct Columns {
    /// Names that mean themselves, in any capitalisation and with spaces for `_`.
    pub(super) known: &'static [&'static str],
    /// Other ways to write the first part, and the parts that each stands for.
    pub(super) aliases: &'static [(&'static str, &'static [&'static str])],
    /// First parts without which the sheet cannot be read.
    pub(super) required: &'static [&'static str],
}

/// The headings of the sheet `survey`.
pub(super) static SURVEY: Columns = Columns {
    known: &[
        "name",
        "label",
        "default",
        "guidance_hint",
        "instance",
        "query",
        "trigger",
        "bind",
        "choice_filter",
        "control",
        "hint",
        "media",
        "parameters",
        "type",
        "choices",
        "itemset",
        "list_name",
        "actions",
    ],
    aliases: &[
        ("sms_field", &["sms_field"]),
        ("sms_option", &["sms_option"]),
        ("sms_separator", &["sms_separator"]),
        ("sms_allow_media", &["sms_allow_media"]),
        ("sms_date_format", &["sms_date_format"]),
        ("sms_datetime_format", &["sms_datetime_format"]),
        ("sms_response", &["sms_response"]),
        ("compact_tag", &["instance", "odk:tag"]),
        ("read_only", &["bind", "readonly"]),
        ("readonly", &["bind", "readonly"]),
        ("relevant", &["bind", "relevant"]),
        ("relevance", &["bind", "relevant"]),
        ("required", &["bind", "required"]),
        ("constraint", &["bind", "constraint"]),
        ("constraining_message", &["bind", "jr:constraintMsg"]),
        ("constraint_message", &["bind", "jr:constraintMsg"]),
        ("calculation", &["bind", "calculate"]),
        ("calculate", &["bind", "calculate"]),
        ("noapperrorstring", &["bind", "jr:noAppErrorString"]),
        ("no_app_error_string", &["bind", "jr:noAppErrorString"]),
        ("requiredmsg", &["bind", "jr:requiredMsg"]),
        ("required_message", &["bind", "jr:requiredMsg"]),
        ("save_to", &["bind", "entities:saveto"]),
        ("caption", &["label"]),
        ("appearance", &["control", "appearance"]),
        ("command", &["type"]),
        ("tag", &["name"]),
        ("value", &["name"]),
        ("image", &["media", "image"]),
        ("big-image", &["media", "big-image"]),
        ("audio", &["media", "audio"]),
        ("video", &["media", "video"]),
        ("count", &["control", "jr:count"]),
        ("repeat_count", &["control", "jr:count"]),
        ("jr:count", &["control", "jr:count"]),
        ("autoplay", &["control", "autoplay"]),
        ("rows", &["control", "rows"]),
        ("body", &["control"]),
    ],
    required: &["type"],
};

const CHOICE_ALIASES: &[(&str, &[&str])] = &[
    ("caption", &["label"]),
    ("list_name", &["list name"]),
    ("value", &["name"]),
    ("image", &["media", "image"]),
    ("big-image", &["media", "big-image"]),
    ("audio", &["media", "audio"]),
    ("video", &["media", "video"]),
];

/// The headings of the sheet `choices`.
pub(super) const CHOICES: Columns = Columns {
    known: &["name", "label", "media", "sms_option"],
    aliases: CHOICE_ALIASES,
    required: &["name"],
};

/// The headings of the sheets `external_choices` and `osm`.
pub(super) const OTHER_CHOICES: Columns = Columns {
    known: &["name", "label", "media", "sms_option"],
    aliases: CHOICE_ALIASES,
    required: &[],
};

/// The headings of the sheet `settings`.
pub(super) const SETTINGS: Columns = Columns {
    known: &[
        "name",
        "title",
        "id_string",
        "version",
        "style",
        "default_language",
        "instance_name",
        "instance_xmlns",
        "namespaces",
        "public_key",
        "submission_url",
        "auto_send",
        "auto_delete",
        "client_editable",
        "allow_choice_duplicates",
        "clean_text_values",
        "add_none_option",
        "attribute",
        "omit_instanceID",
        "delimiter",
        "prefix",
        "sms_keyword",
        "sms_allow_media",
        "sms_date_format",
        "sms_datetime_format",
        "sms_response",
        "sms_separator",
        "label",
        "choices",
        "bind",
        "children",
        "control",
        "hint",
        "media",
        "type",
        "instance",
        "flat",
        "sms_field",
    ],
    aliases: &[
        ("form_title", &["title"]),
        ("set_form_title", &["title"]),
        ("form_id", &["id_string"]),
        ("set_form_id", &["id_string"]),
        ("prefix", &["prefix"]),
    ],
    required: &[],
};

/// The headings of the sheet `entities`.
pub(super) const ENTITIES: Columns = Columns {
    known: &["dataset", "entity_id", "create_if", "update_if", "repeat", "label"],
    aliases: &[("list_name", &["dataset"])],
    required: &[],
};

impl Columns {
    fn alias(&self, name: &str) -> Option<&'static [&'static str]> {
        let found = self.aliases.iter().find(|(alias, _)| *alias == name);
        found.map(|(_, parts)| *parts)
    }

    fn means_itself(&self, name: &str) -> bool {
        self.known.contains(&name) && self.alias(name).is_none()
    }

    /// The parts of one heading. `double_colon` says whether the sheet separates parts by `::`.
    fn parts(&self, written: &str, double_colon: bool) -> Parts {
        if self.means_itself(written) {
            return vec![written.to_owned()];
        }
        let normal = snake_case(written);
        if self.means_itself(&normal) {
            return vec![normal];
        }
        let mut parts: Parts = if double_colon {
            written.split("::").map(|part| part.trim().to_owned()).collect()
        } else {
            single_colon_parts(written)
        };
        let first = snake_case(&parts[0]);
        if let Some(meant) = self.alias(&first) {
            parts.splice(..1, meant.iter().map(|part| (*part).to_owned()));
        } else if self.known.contains(&first.as_str()) {
            parts[0] = first;
        }
        // The name of an unknown column stays as it is, for choice filters may use it.
        parts
    }

    /// The headings of a sheet by column; two that mean the same place are a problem.
    pub(super) fn headings(&self, sheet: &Sheet, problems: &mut Vec<FormProblem>) -> BTreeMap<u32, Heading> {
        let double_colon = sheet.headings.values().any(|written| written.contains("::"));
        let mut headings: BTreeMap<u32, Heading> = BTreeMap::new();
        for (column, written) in &sheet.headings {
            let heading = Heading {
                parts: self.parts(written, double_colon),
                written: written.clone(),
            };
            let twice = headings.values().find(|other| other.parts == heading.parts);
            if let Some(other) = twice {
                problems.push(FormProblem {
                    place: Place::new(&sheet.name, None, Some(written)),
                    kind: ProblemKind::DuplicateColumn(other.written.clone()),
                });
            }
            headings.insert(*column, heading);
        }
        let is_read = !sheet.rows.is_empty() || std::ptr::eq(self, &SURVEY);
        for required in self.required.iter().filter(|_| is_read) {
            if !headings.values().any(|heading| heading.parts[0] == *required) {
                problems.push(FormProblem {
                    place: Place::new(&sheet.name, None, None),
                    kind: ProblemKind::MissingColumn(required),
                });
            }
        }
        headings
    }
}

/// Lower case with `_` for spaces.
fn snake_case(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().collect();
    words.join("_").to_lowercase()
}

/// Parts separated by single colons; the prefix `jr` stays with its name.
fn single_colon_parts(written: &str) -> Parts {
    let mut parts: Parts = Vec::new();
    let mut pieces = written.split(':').map(str::trim).peekable();
    while let Some(piece) = pieces.next() {
        match pieces.peek() {
            Some(local) if piece == "jr" => {
                parts.push(format!("jr:{local}"));
                pieces.next();
            }
            _ => parts.push(piece.to_owned()),
        }
    }
    parts
}
