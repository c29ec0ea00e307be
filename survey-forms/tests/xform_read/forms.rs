//! The test forms, and definitions without what an XForm cannot say.

use std::path::{Path, PathBuf};

use serde_json::Value;
use survey_forms::model::{Choice, ChoiceSource, Form, FormDefinition, FormNode, Metadata, NodeKind, Translations};

/// A test form that the library reads.
pub(crate) struct TestForm {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) form: Form,
}

/// The test forms that the library reads, and the names of those that it does not.
pub(crate) fn read_all() -> (Vec<TestForm>, Vec<String>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/forms");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    paths.sort();
    let (mut forms, mut refused) = (Vec::new(), Vec::new());
    for path in paths {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(&path).unwrap();
        let file_name = format!("{name}.md");
        match survey_forms::xlsform::read_file(&bytes, Some(&file_name)) {
            Ok(reading) => forms.push(TestForm {
                name,
                path,
                form: reading.form,
            }),
            Err(_) => refused.push(name),
        }
    }
    (forms, refused)
}

/// The places at which two definitions differ, with what each says there.
pub(crate) fn differences(expected: &FormDefinition, found: &FormDefinition) -> Vec<String> {
    let json = |definition: &FormDefinition| serde_json::to_value(definition).unwrap();
    let mut differences = Vec::new();
    compare("", &json(expected), &json(found), &mut differences);
    differences
}

fn compare(place: &str, expected: &Value, found: &Value, differences: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            let names: std::collections::BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
            for name in names {
                let [expected, found] = [expected, found].map(|object| object.get(name).unwrap_or(&Value::Null));
                compare(&format!("{place}/{name}"), expected, found, differences);
            }
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            for (index, (expected, found)) in expected.iter().zip(found).enumerate() {
                let name = expected.get("name").and_then(Value::as_str);
                let name = name.map_or_else(|| index.to_string(), str::to_owned);
                compare(&format!("{place}/{name}"), expected, found, differences);
            }
        }
        (expected, found) if expected == found => {}
        (expected, found) => differences.push(format!("{place}: {expected} was read as {found}")),
    }
}

/// A definition without what an XForm does not say, so that what was written and read can be compared with it:
///
/// - columns that only the author or other programs look at (`other`), and the lists of `external_choices`, which travel
///   in a file; the names of lists that stand in controls, and of the tags of OpenStreetMap with their values;
/// - whether a default, a parameter or a title that is the usual one was written out;
/// - the order of languages, entities and logs of filling, and whether a language is the default one that no text is in;
/// - whether a text in the default language only was in a column without a language;
/// - which of several ways was taken to say the same: a `note` or a `text` that is read-only, a `calculate` or a
///   `hidden` with a default or a calculation, a parameter or the attribute that it becomes, a type or the attribute
///   `type`; a file that a select uses and that is named by a row of its own too; the group around such a row.
///
/// `default` is the code of the form's first language.
pub(crate) fn sayable(definition: &FormDefinition, default: &str) -> FormDefinition {
    let mut said = definition.clone();
    let identity = said.settings.identity().to_owned();
    said.settings.form_id = identity;
    said.settings.title = said.settings.shown_title().to_owned();
    said.settings.other.clear();
    said.settings.allow_choice_duplicates = false;
    said.settings.namespaces = said.settings.namespaces.map(|text| text.replace('\'', "\""));
    said.external_choices.clear();
    said.osm_tags.clear();
    said.entities.sort_by(|one, other| one.list_name.cmp(&other.list_name));
    let searched: Vec<String> = said
        .nodes
        .iter()
        .filter(|node| node.appearance.as_deref().is_some_and(|text| text.contains("search(")))
        .filter_map(|node| node.list().map(str::to_owned))
        .collect();
    for node in &mut said.nodes {
        say_node(node, default);
    }
    let selected: Vec<String> = said
        .nodes
        .iter()
        .filter_map(|node| match node.kind.choice_source()? {
            ChoiceSource::File { name, .. } => Some(name.to_owned()),
            _ => None,
        })
        .collect();
    let is_selected = |node: &FormNode| match node.kind {
        NodeKind::ExternalData(format) => selected.contains(&format!("{}.{}", node.name, format.extension())),
        _ => false,
    };
    let positions = || said.nodes.iter().enumerate().filter(|(_, node)| !is_selected(node));
    let logs: Vec<usize> = positions()
        .filter(|(_, node)| is_outside(node))
        .map(|(at, _)| at)
        .collect();
    let others = positions().filter(|(_, node)| !is_outside(node)).map(|(at, _)| at);
    let order: Vec<usize> = logs.iter().copied().chain(others).collect();
    let nodes = order.iter().map(|position| {
        let mut node = said.nodes[*position].clone();
        let moved = |parent: usize| order.iter().position(|old| *old == parent);
        node.parent = node.parent.and_then(moved).filter(|_| !is_outside(&node));
        node
    });
    let mut nodes: Vec<FormNode> = nodes.collect();
    nodes[..logs.len()].sort_by(|one, other| one.name.cmp(&other.name));
    said.nodes = nodes;
    for (list, choices) in &mut said.choices {
        for choice in choices.iter_mut() {
            say_choice(choice, default);
        }
        if searched.contains(list) {
            choices.sort_by(|one, other| one.name.cmp(&other.name));
        }
    }
    let listed = said
        .choices
        .iter()
        .map(|(name, choices)| match searched.contains(name) {
            true => (format!("searched {}", choices[0].name), choices.clone()),
            false => (name.clone(), choices.clone()),
        });
    let mut listed: Vec<(String, Vec<Choice>)> = listed.collect();
    listed.sort_by_key(|(name, _)| name.starts_with("searched "));
    said.choices = listed.into_iter().collect();
    let is_used = |code: &str| {
        let json = serde_json::to_string(&(&said.nodes, &said.choices)).unwrap();
        json.contains(&format!("{code:?}:"))
    };
    let mut languages: Vec<_> = definition
        .languages
        .iter()
        .filter(|language| language.code != "default" && is_used(&language.code))
        .cloned()
        .collect();
    languages.sort_by(|one, other| one.code.cmp(&other.code));
    let has_default = languages
        .iter()
        .any(|language| Some(&language.name) == said.settings.default_language.as_ref());
    said.languages = languages;
    if !has_default {
        said.settings.default_language = None;
    }
    said
}

/// Whether the row stands beside the others: logs, and files for expressions.
fn is_outside(node: &FormNode) -> bool {
    matches!(
        node.kind,
        NodeKind::Metadata(Metadata::Audit) | NodeKind::ExternalData(_)
    )
}

fn say_text(text: &mut Translations, default: &str) {
    if text.0.len() == 1
        && let Some(only) = text.0.remove(default)
    {
        text.0.insert(String::new(), only);
    }
}

fn say_choice(choice: &mut Choice, default: &str) {
    say_text(&mut choice.label, default);
    for files in choice.media.values_mut() {
        say_text(files, default);
    }
}

fn say_node(node: &mut FormNode, default: &str) {
    node.other.clear();
    node.triggers.sort();
    for text in [
        &mut node.label,
        &mut node.hint,
        &mut node.guidance_hint,
        &mut node.constraint_message,
        &mut node.required_message,
        &mut node.no_app_message,
    ]
    .into_iter()
    .chain(node.media.values_mut())
    {
        say_text(text, default);
    }
    for (name, value) in [("randomize", "false"), ("label", "title"), ("value", "id")] {
        if node.parameters.get(name).is_some_and(|found| found == value) {
            node.parameters.remove(name);
        }
    }
    match &mut node.kind {
        NodeKind::Range => {
            for (name, usual) in [("start", "1"), ("end", "10"), ("step", "1")] {
                node.parameters.entry(name.to_owned()).or_insert(usual.to_owned());
            }
        }
        NodeKind::Text if node.attributes.control.contains_key("rows") => {
            let rows = node.attributes.control.shift_remove("rows").unwrap();
            node.parameters.insert("rows".to_owned(), rows);
        }
        NodeKind::Geopoint => {
            if let Some(accuracy) = node.attributes.control.shift_remove("accuracyThreshold") {
                node.parameters.insert("capture-accuracy".to_owned(), accuracy);
            }
        }
        NodeKind::Image => {
            node.default = node.default.take().map(|name| name.replace("jr://images/", ""));
        }
        NodeKind::Osm { tags } => *tags = None,
        NodeKind::Text if node.read_only.as_deref() == Some("true()") => {
            node.kind = NodeKind::Note;
            node.read_only = None;
        }
        NodeKind::Calculate if node.calculation.is_none() => node.kind = NodeKind::Hidden,
        NodeKind::Hidden if node.calculation.is_some() => node.kind = NodeKind::Calculate,
        NodeKind::Metadata(Metadata::StartGeopoint) => node.label = Translations::default(),
        NodeKind::Hidden if node.attributes.bind.contains_key("jr:preload") => {
            assert_eq!(
                node.attributes.bind.get("jr:preloadParams").map(String::as_str),
                Some("today")
            );
            node.attributes.bind.clear();
            node.kind = NodeKind::Metadata(Metadata::Today);
        }
        _ => {}
    }
    let is_untyped = |name: &str| {
        node.attributes
            .bind
            .get(name)
            .is_some_and(|kind| kind == "date" || kind == "int")
    };
    if is_untyped("type") && matches!(node.kind, NodeKind::Text | NodeKind::Calculate) {
        node.kind = NodeKind::Integer;
    }
    node.attributes.bind.shift_remove("type");
    let searches = node.appearance.as_deref().is_some_and(|text| text.contains("search("));
    if let NodeKind::SelectOne { list } | NodeKind::SelectMultiple { list } = &mut node.kind
        && searches
    {
        list.clear();
    }
}

/// A difference with a reason of its own: the form, where the place of the difference begins, and why it is right.
pub(crate) type Explained = (&'static str, &'static str, &'static str);

const PATHS: [Explained; 4] = [
    (
        "or-other-in-repeat",
        "/nodes/kind_other/relevant",
        "the sibling's path is that of a reference",
    ),
    (
        "or-other-in-repeat",
        "/nodes/buyers_other/relevant",
        "the sibling's path is that of a reference",
    ),
    (
        "xpath-paths",
        "/nodes/b/relevant",
        "the path from the root is that of a reference",
    ),
    (
        "xpath-paths",
        "/nodes/d/calculation",
        "the path from the root is that of a reference",
    ),
];

/// In what a form that was read differs from the form that it was written from, but for what has a reason.
pub(crate) fn unexplained(test: &TestForm, found: &FormDefinition, reasons: &[Explained]) -> Vec<String> {
    let default = &test.form.languages()[0].code;
    let expected = sayable(test.form.definition(), default);
    let differences = differences(&expected, &sayable(found, default)).into_iter();
    let is_explained = |difference: &String| {
        let mut reasons = PATHS.iter().chain(reasons).filter(|(form, ..)| *form == test.name);
        reasons.any(|(_, place, _)| difference.starts_with(place))
    };
    let left = differences.filter(|difference| !is_explained(difference));
    left.map(|difference| format!("{}: {difference}", test.name)).collect()
}
