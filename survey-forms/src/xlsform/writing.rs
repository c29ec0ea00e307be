//! Writes a form's definition as the sheets of a workbook: the inverse of reading, in the headings that are used most.

use std::collections::BTreeMap;

use super::types;
use crate::model::{
    Choice, ChoiceLists, EntityDeclaration, FormDefinition, FormNode, Media, NO_LANGUAGE, NodeKind, Translations,
};
use crate::workbook::{Row, Sheet, Workbook};

/// The sheets of a form. Reading them again gives the same definition, but for what a workbook cannot say: rows that were
/// made from one row (a loop, `or_other`, a `table-list`) stay the rows that they became.
pub fn write(definition: &FormDefinition) -> Workbook {
    let survey = survey(definition);
    let mut texts = survey.rows.iter().flat_map(|row| row.cells.values());
    let keeps_spaces = texts.any(|text| text.contains("  "));
    let mut sheets = vec![survey];
    for (name, lists) in [
        ("choices", &definition.choices),
        ("external_choices", &definition.external_choices),
        ("osm", &definition.osm_tags),
    ] {
        if !lists.is_empty() {
            sheets.push(choices(definition, name, lists));
        }
    }
    if !definition.entities.is_empty() {
        sheets.push(entities(&definition.entities));
    }
    sheets.push(settings(definition, keeps_spaces));
    Workbook {
        sheet_names: sheets.iter().map(|sheet| sheet.name.clone()).collect(),
        sheets,
    }
}

/// The cells of a row by heading, in the order in which they were put.
#[derive(Default)]
struct Cells(Vec<(String, String)>);

impl Cells {
    fn put(&mut self, heading: impl Into<String>, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() {
            self.0.push((heading.into(), text));
        }
    }

    fn put_some(&mut self, heading: &str, text: &Option<String>) {
        if let Some(text) = text {
            self.put(heading, text);
        }
    }

    fn put_texts(&mut self, definition: &FormDefinition, heading: &str, texts: &Translations) {
        if let Some(text) = texts.0.get(NO_LANGUAGE) {
            self.put(heading, text);
        }
        // The order of the columns is the order of the languages.
        for language in &definition.languages {
            if let Some(text) = texts.0.get(&language.code) {
                self.put(format!("{heading}::{}", language.name), text);
            }
        }
    }

    fn put_media(&mut self, definition: &FormDefinition, media: &Media) {
        for (kind, files) in media {
            self.put_texts(definition, kind.name(), files);
        }
    }
}

/// The order of columns; headings that are not here come last, in the order in which rows have them.
const ORDER: [&str; 30] = [
    "list_name",
    "type",
    "name",
    "label",
    "hint",
    "guidance_hint",
    "image",
    "big-image",
    "audio",
    "video",
    "appearance",
    "required",
    "required_message",
    "relevant",
    "constraint",
    "constraint_message",
    "calculation",
    "trigger",
    "default",
    "read_only",
    "choice_filter",
    "repeat_count",
    "parameters",
    "save_to",
    "form_title",
    "form_id",
    "version",
    "default_language",
    "entity_id",
    "create_if",
];

fn sheet(name: &str, rows: Vec<Cells>) -> Sheet {
    let mut headings: Vec<&str> = Vec::new();
    for (heading, _) in rows.iter().flat_map(|row| &row.0) {
        if !headings.contains(&heading.as_str()) {
            headings.push(heading);
        }
    }
    let rank = |heading: &&str| {
        let column = heading.split("::").next().unwrap_or_default();
        ORDER.iter().position(|known| *known == column).unwrap_or(ORDER.len())
    };
    headings.sort_by_key(rank);
    let columns: BTreeMap<&str, u32> = headings.iter().copied().zip(0..).collect();
    let row = |(cells, number): (&Cells, u32)| Row {
        number,
        cells: cells
            .0
            .iter()
            .filter_map(|(heading, text)| Some((*columns.get(heading.as_str())?, text.clone())))
            .collect(),
    };
    Sheet {
        name: name.to_owned(),
        without_heading: None,
        rows: rows.iter().zip(2..).map(row).collect(),
        headings: headings
            .iter()
            .map(|heading| (*heading).to_owned())
            .zip(0..)
            .map(|(heading, column)| (column, heading))
            .collect(),
    }
}

fn survey(definition: &FormDefinition) -> Sheet {
    let mut rows = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for (position, node) in definition.nodes.iter().enumerate() {
        while open.last().copied() != node.parent {
            let Some(container) = open.pop() else { break };
            rows.push(end(definition, container));
        }
        rows.push(row(definition, node));
        if node.is_container() {
            open.push(position);
        }
    }
    while let Some(container) = open.pop() {
        rows.push(end(definition, container));
    }
    sheet("survey", rows)
}

fn end(definition: &FormDefinition, container: usize) -> Cells {
    let is_repeat = definition
        .nodes
        .get(container)
        .is_some_and(|node| node.kind == NodeKind::Repeat);
    let mut cells = Cells::default();
    cells.put("type", if is_repeat { "end_repeat" } else { "end_group" });
    cells
}

fn row(definition: &FormDefinition, node: &FormNode) -> Cells {
    let mut cells = Cells::default();
    cells.put("type", types::written(node));
    cells.put("name", &node.name);
    // A heading of a table without words has a blank for a label, which no sheet can say and reading puts there again.
    if node.label.as_plain() != Some(" ") {
        cells.put_texts(definition, "label", &node.label);
    }
    cells.put_texts(definition, "hint", &node.hint);
    cells.put_texts(definition, "guidance_hint", &node.guidance_hint);
    cells.put_media(definition, &node.media);
    cells.put_some("appearance", &node.appearance);
    cells.put_some("required", &node.required);
    cells.put_texts(definition, "required_message", &node.required_message);
    cells.put_some("relevant", &node.relevant);
    cells.put_some("constraint", &node.constraint);
    cells.put_texts(definition, "constraint_message", &node.constraint_message);
    cells.put_texts(definition, "no_app_error_string", &node.no_app_message);
    cells.put_some("calculation", &node.calculation);
    let triggers: Vec<String> = node.triggers.iter().map(|trigger| format!("${{{trigger}}}")).collect();
    cells.put("trigger", triggers.join(", "));
    cells.put_some("default", &node.default);
    cells.put_some("read_only", &node.read_only);
    cells.put_some("choice_filter", &node.choice_filter);
    cells.put_some("repeat_count", &node.repeat_count);
    let parameters: Vec<String> = node
        .parameters
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    cells.put("parameters", parameters.join(" "));
    cells.put_some("save_to", &node.save_to);
    for (prefix, attributes) in [
        ("bind", &node.attributes.bind),
        ("body", &node.attributes.control),
        ("instance", &node.attributes.instance),
    ] {
        for (name, value) in attributes {
            cells.put(format!("{prefix}::{name}"), value);
        }
    }
    for (name, value) in &node.other {
        cells.put(name, value);
    }
    cells
}

fn choices(definition: &FormDefinition, name: &str, lists: &ChoiceLists) -> Sheet {
    let row = |(list, choice): (&String, &Choice)| {
        let mut cells = Cells::default();
        cells.put("list_name", list);
        cells.put("name", &choice.name);
        cells.put_texts(definition, "label", &choice.label);
        cells.put_media(definition, &choice.media);
        for (column, value) in &choice.other {
            cells.put(column, value);
        }
        cells
    };
    let all = lists
        .iter()
        .flat_map(|(list, choices)| choices.iter().map(move |choice| (list, choice)));
    sheet(name, all.map(row).collect())
}

fn entities(declarations: &[EntityDeclaration]) -> Sheet {
    let row = |declared: &EntityDeclaration| {
        let mut cells = Cells::default();
        cells.put("list_name", &declared.list_name);
        cells.put_some("label", &declared.label);
        cells.put_some("entity_id", &declared.entity_id);
        cells.put_some("create_if", &declared.create_if);
        cells.put_some("update_if", &declared.update_if);
        cells
    };
    sheet("entities", declarations.iter().map(row).collect())
}

/// `keeps_spaces` says whether a text has several spaces in a row, which are one unless the sheet says otherwise.
fn settings(definition: &FormDefinition, keeps_spaces: bool) -> Sheet {
    let settings = &definition.settings;
    let mut cells = Cells::default();
    cells.put("form_title", &settings.title);
    cells.put("form_id", &settings.form_id);
    cells.put("version", &settings.version);
    cells.put_some("default_language", &settings.default_language);
    if settings.root_name != crate::model::Settings::DEFAULT_ROOT_NAME {
        cells.put("name", &settings.root_name);
    }
    cells.put_some("instance_name", &settings.instance_name);
    cells.put_some("style", &settings.style);
    let submission = &settings.submission;
    cells.put_some("submission_url", &submission.url);
    cells.put_some("public_key", &submission.public_key);
    cells.put_some("auto_send", &submission.auto_send);
    cells.put_some("auto_delete", &submission.auto_delete);
    for (name, is_set) in [
        ("client_editable", submission.client_editable),
        ("omit_instanceID", settings.omit_instance_id),
        ("allow_choice_duplicates", settings.allow_choice_duplicates),
    ] {
        cells.put(name, if is_set { "yes" } else { "" });
    }
    cells.put_some("namespaces", &settings.namespaces);
    cells.put_some("instance_xmlns", &settings.instance_namespace);
    cells.put_some("instance_id", &settings.instance_id);
    cells.put_some("prefix", &settings.compact_prefix);
    cells.put_some("delimiter", &settings.compact_delimiter);
    for (name, value) in &settings.attributes {
        cells.put(format!("attribute::{name}"), value);
    }
    for (name, value) in &settings.other {
        cells.put(name, value);
    }
    if keeps_spaces {
        cells.put("clean_text_values", "no");
    }
    sheet("settings", vec![cells])
}
