//! Compares the columns of one row, and the settings, that are neither names, types nor expressions.

use std::collections::BTreeMap;

use serde::Serialize;

use super::difference::{ChangeKind, Safety};
use super::lineage::RENAMED_FROM;
use super::lists::differing;
use crate::model::{ChoiceSource, FormNode, NodeKind, Settings};

/// The texts that people see.
pub(super) fn texts(before: &FormNode, after: &FormNode) -> Vec<(Safety, ChangeKind)> {
    let columns = [
        ("label", &before.label, &after.label),
        ("hint", &before.hint, &after.hint),
        ("guidance_hint", &before.guidance_hint, &after.guidance_hint),
        ("required_message", &before.required_message, &after.required_message),
        (
            "constraint_message",
            &before.constraint_message,
            &after.constraint_message,
        ),
        ("noAppErrorString", &before.no_app_message, &after.no_app_message),
    ];
    let changes = columns.into_iter().flat_map(|(column, from, to)| {
        let changed = differing(&from.0, &to.0).into_iter();
        changed.map(move |(language, from, to)| {
            let column = column.to_owned();
            let kind = ChangeKind::TextChanged {
                column,
                language,
                from,
                to,
            };
            (Safety::Safe, kind)
        })
    });
    changes.collect()
}

/// The columns that are neither text nor expression.
pub(super) fn columns(before: &FormNode, after: &FormNode) -> Vec<(Safety, ChangeKind)> {
    let mut changes = Vec::new();
    let mut push = |column: &str, safety, from: Option<String>, to: Option<String>| {
        if from != to {
            let column = column.to_owned();
            changes.push((safety, ChangeKind::ColumnChanged { column, from, to }));
        }
    };
    push(
        "appearance",
        Safety::Safe,
        before.appearance.clone(),
        after.appearance.clone(),
    );
    push("save_to", Safety::Unsafe, before.save_to.clone(), after.save_to.clone());
    push("media", Safety::Safe, json(&before.media), json(&after.media));
    push(
        "attributes",
        Safety::Warning,
        json(&before.attributes),
        json(&after.attributes),
    );
    for (parameter, from, to) in differing(&before.parameters, &after.parameters) {
        // A scale's ends and steps, and the column that a file's choices are stored by, say what an answer means.
        let is_meaning = after.kind == NodeKind::Range || parameter == "value";
        let safety = if is_meaning { Safety::Unsafe } else { Safety::Safe };
        push(&format!("parameters {parameter}"), safety, from, to);
    }
    if list_file(before) != list_file(after) {
        push("type", Safety::Warning, list_file(before), list_file(after));
    }
    for (column, from, to) in differing(&before.other, &after.other) {
        let safety = match column.as_str() {
            RENAMED_FROM => continue,
            "indicator" => Safety::Unsafe,
            "sensitive" if from.is_some() => Safety::Unsafe,
            "sensitive" => Safety::Safe,
            _ => Safety::Warning,
        };
        push(&column, safety, from, to);
    }
    changes
}

/// Where a select's choices come from, if not from the form itself.
fn list_file(node: &FormNode) -> Option<String> {
    match node.kind.choice_source()? {
        ChoiceSource::File { name, .. } | ChoiceSource::Question(name) => Some(name.to_owned()),
        ChoiceSource::List(_) | ChoiceSource::External(_) => None,
    }
}

/// A cell that has parts, for showing; none where it is empty.
fn json(cell: &impl Serialize) -> Option<String> {
    let text = serde_json::to_string(cell).ok()?;
    (text != "{}").then_some(text)
}

/// The settings by name, apart from the identity and the version's label.
pub(super) fn cells(settings: &Settings) -> BTreeMap<String, String> {
    let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(settings) else {
        return BTreeMap::new();
    };
    let mut cells = BTreeMap::new();
    for (name, value) in fields {
        match value {
            serde_json::Value::Object(others) if name == "other" => {
                cells.extend(others.into_iter().map(|(name, value)| (name, plain(value))));
            }
            _ if name == "form_id" || name == "version" => {}
            serde_json::Value::Null => {}
            value => {
                cells.insert(name, plain(value));
            }
        }
    }
    cells
}

fn plain(value: serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    }
}

/// A type as a workbook writes it, near enough for a message.
pub(super) fn type_text(kind: &NodeKind) -> String {
    match serde_json::to_value(kind) {
        Ok(serde_json::Value::String(name)) => match name.as_str() {
            "group" | "repeat" => format!("begin_{name}"),
            "date_time" => "dateTime".to_owned(),
            _ => name,
        },
        Ok(serde_json::Value::Object(fields)) => {
            let (name, inner) = fields.into_iter().next().unwrap_or_default();
            let inner = match inner {
                serde_json::Value::String(text) => text,
                serde_json::Value::Object(fields) => fields.into_values().map(plain).collect(),
                _ => String::new(),
            };
            if name == "metadata" {
                inner
            } else {
                format!("{name} {inner}")
            }
        }
        _ => String::new(),
    }
}
