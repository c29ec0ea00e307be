//! The data that expressions look things up in: secondary instances (ODK XForms, "Secondary Instances").

use super::choices::ChoiceSource;
use super::definition::FormNode;
use super::form::Form;
use super::kind::{DataFile, NodeKind};
use super::lexical;
use super::problem::{FormProblem, Place, ProblemKind};
use crate::xpath::functions::LAST_SAVED_INSTANCE;

/// Data that comes beside a form, for its expressions and choices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSource<'f> {
    /// The identity of the secondary instance: `instance('id')` in expressions.
    pub id: &'f str,
    /// Where it comes from: a file (`jr://file-csv/cities.csv`), or what the app remembers
    /// (`jr://instance/last-saved`).
    pub address: String,
    /// The sheet's row that uses it; 0 where the form does not come from a workbook.
    pub row: u32,
    /// Whether the row exists for nothing else.
    is_declaration: bool,
}

impl<'f> DataSource<'f> {
    /// The name of the file; none for what the app remembers.
    pub fn file_name(&self) -> Option<&str> {
        let path = self.address.strip_prefix("jr://file")?;
        path.rsplit_once('/').map(|(_, name)| name)
    }
}

/// Every instance that the rows use and that comes beside the form, in the order of use, one for each use.
fn uses(form: &Form) -> Vec<DataSource<'_>> {
    let mut uses = Vec::new();
    let mut last_saved = false;
    for node in form.nodes() {
        let mut add = |id, address, is_declaration| {
            uses.push(DataSource {
                id,
                address,
                row: node.row,
                is_declaration,
            });
        };
        if let NodeKind::ExternalData(format) = node.kind {
            let file = format!("{}.{}", node.name, format.extension());
            add(&node.name, file_address(&file, format), true);
            continue;
        }
        for text in expressions(node) {
            for id in pulled_files(text) {
                add(id, file_address(&format!("{id}.csv"), DataFile::Csv), false);
            }
        }
        if let Some(source @ ChoiceSource::File { name, format }) = node.kind.choice_source()
            && let Some(id) = source.instance_id()
        {
            add(id, file_address(name, format), false);
        }
        last_saved |= expressions(node).any(|text| lexical::references(text).any(|reference| reference.last_saved));
    }
    // What an entity is updated from must be at hand, whether or not a question offers it.
    for declared in &form.definition().entities {
        let is_used = uses.iter().any(|used| used.id == declared.list_name);
        if declared.entity_id.is_some() && !is_used {
            uses.push(DataSource {
                id: &declared.list_name,
                address: file_address(&format!("{}.csv", declared.list_name), DataFile::Csv),
                row: declared.row,
                is_declaration: false,
            });
        }
    }
    if last_saved {
        uses.push(DataSource {
            id: LAST_SAVED_INSTANCE,
            address: "jr://instance/last-saved".to_owned(),
            row: 0,
            is_declaration: false,
        });
    }
    uses
}

/// The instances that come beside the form, each once.
pub(super) fn external(form: &Form) -> Vec<DataSource<'_>> {
    let mut found: Vec<DataSource<'_>> = Vec::new();
    for used in uses(form) {
        if !found.iter().any(|other| other.id == used.id) {
            found.push(used);
        }
    }
    found
}

/// Reports instances of one identity that come from different places.
pub(super) fn check(form: &Form, problems: &mut Vec<FormProblem>) {
    check_searches(form, problems);
    check_geometries(form, problems);
    let mut seen: Vec<DataSource<'_>> = Vec::new();
    for used in uses(form) {
        let clash = seen.iter().find(|other| {
            let declared_twice = other.is_declaration && used.is_declaration;
            other.id == used.id && (other.address != used.address || declared_twice)
        });
        if let Some(other) = clash {
            problems.push(FormProblem {
                place: Place::new("survey", Some(used.row), Some("type")),
                kind: ProblemKind::InstanceClash {
                    name: used.id.to_owned(),
                    first: other.address.clone(),
                    second: used.address.clone(),
                },
            });
        }
        seen.push(used);
    }
    let lists = form.definition().choices.keys().filter(|list| !is_searched(form, list));
    for list in lists {
        if let Some(other) = seen.iter().find(|other| other.id == list.as_str()) {
            problems.push(FormProblem {
                place: Place::new("survey", Some(other.row), Some("type")),
                kind: ProblemKind::InstanceClash {
                    name: list.clone(),
                    first: other.address.clone(),
                    second: "choices".to_owned(),
                },
            });
        }
    }
}

/// Whether the question takes its choices from a file by the appearance `search(…)`.
pub(crate) fn searches(node: &FormNode) -> bool {
    let appearance = node.appearance.as_deref().unwrap_or_default();
    let call = appearance.find("search(").map(|start| &appearance[start..]);
    node.kind.choice_source().is_some() && call.is_some_and(|call| call.contains(')'))
}

/// Whether a list is used with `search(…)`, so that its choices stand in the body.
pub(crate) fn is_searched(form: &Form, list: &str) -> bool {
    form.nodes()
        .iter()
        .any(|node| searches(node) && node.list() == Some(list))
}

/// The expressions of a row that may look into other instances.
fn expressions(node: &FormNode) -> impl Iterator<Item = &str> {
    let all = [
        &node.calculation,
        &node.constraint,
        &node.read_only,
        &node.required,
        &node.relevant,
        &node.choice_filter,
        &node.default,
    ];
    all.into_iter().flatten().map(String::as_str)
}

/// The files that `pulldata('file', …)` looks into.
fn pulled_files(text: &str) -> impl Iterator<Item = &str> {
    let calls = text
        .match_indices("pulldata")
        .map(|(start, word)| &text[start + word.len()..]);
    calls.filter_map(|rest| {
        let arguments = rest.trim_start().strip_prefix('(')?;
        let (first, _) = arguments.split_once(',')?;
        Some(first.trim().trim_matches(['\'', '"']).trim())
    })
}

/// The address of a file that comes with the form (ODK XForms, "Secondary Instances - External").
fn file_address(file_name: &str, format: DataFile) -> String {
    let folder = match format {
        DataFile::Csv => "file-csv",
        DataFile::Xml | DataFile::GeoJson => "file",
    };
    format!("jr://{folder}/{file_name}")
}

/// Reports `search(…)` where it cannot work.
fn check_searches(form: &Form, problems: &mut Vec<FormProblem>) {
    for node in form.nodes().iter().filter(|node| searches(node)) {
        let shares = |list: &&str| {
            form.nodes()
                .iter()
                .any(|other| other.list() == Some(list) && !searches(other))
        };
        let kind = match (node.kind.choice_source(), node.list().filter(shares)) {
            (Some(ChoiceSource::File { .. }), _) => ProblemKind::SearchInFile,
            (_, Some(list)) => ProblemKind::SearchSharesList(list.to_owned()),
            _ => continue,
        };
        problems.push(FormProblem {
            place: Place::new("survey", Some(node.row), Some("appearance")),
            kind,
        });
    }
}

/// Reports maps whose shapes for reference come from nowhere.
fn check_geometries(form: &Form, problems: &mut Vec<FormProblem>) {
    for node in form.nodes() {
        let Some(geometry) = node.parameters.get("reference-geometry") else {
            continue;
        };
        let sources = uses(form);
        let of_select = |other: &FormNode| match other.kind.choice_source() {
            // These stand in a file that only the select itself looks into.
            None | Some(ChoiceSource::External(_)) => false,
            Some(source) => source.instance_id() == Some(geometry),
        };
        let is_known = match ChoiceSource::of(geometry) {
            ChoiceSource::Question(name) => {
                let mut nodes = form.nodes().iter();
                nodes.any(|other| other.name == name && other.kind == NodeKind::Repeat)
            }
            ChoiceSource::File { name, .. } => sources.iter().any(|source| source.id == name),
            _ => {
                form.definition().choices.contains_key(geometry.as_str())
                    || form
                        .definition()
                        .entities
                        .iter()
                        .any(|declared| declared.list_name == *geometry)
                    || sources
                        .iter()
                        .any(|source| source.is_declaration && source.id == geometry)
                    || form.nodes().iter().any(of_select)
            }
        };
        if !is_known {
            problems.push(FormProblem {
                place: Place::new("survey", Some(node.row), Some("parameters")),
                kind: ProblemKind::UnknownGeometry(geometry.clone()),
            });
        }
    }
}
