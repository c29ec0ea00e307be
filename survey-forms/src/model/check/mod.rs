//! The static checks of a form: what can be known to be wrong before anybody fills it in.

mod defaults;
mod expressions;
mod spelling;

use std::collections::{HashMap, HashSet};

use super::definition::{FormDefinition, FormNode};
use super::dependencies::{Circle, Dependencies};
use super::entity_scope;
use super::form::Formulas;
use super::kind::NodeKind;
use super::lexical::is_qualified_name;
use super::problem::{FormProblem, FormProblems, Place, ProblemKind};

pub use spelling::nearest;

/// How deeply groups may nest.
const MAX_GROUP_DEPTH: usize = 64;
/// The group of metadata that every filled form has (ODK XForms, "Metadata").
const RESERVED_NAME: &str = "meta";

/// The metadata that expressions may refer to though no row has its name.
pub(crate) const INSTANCE_ID: &str = "instanceID";

/// The prefixes that every XForm declares (ODK XForms, "Namespaces").
const KNOWN_PREFIXES: [&str; 7] = ["h", "ev", "xsd", "jr", "orx", "odk", "entities"];

/// What checking a form finds out.
pub(super) struct Checked {
    pub(super) formulas: Vec<Formulas>,
    pub(super) dependencies: Dependencies,
    pub(super) entity_places: Vec<Option<usize>>,
    /// Advice to the form's author.
    pub(super) warnings: Vec<FormProblem>,
}

/// Checks everything and parses the expressions.
pub(super) fn check(definition: &FormDefinition) -> Result<Checked, FormProblems> {
    let mut checker = Checker {
        positions: HashMap::new(),
        problems: Vec::new(),
        warnings: Vec::new(),
    };
    checker.form(definition);
    checker.count_names(definition);
    checker.attribute_prefixes(definition);
    checker.choices(definition);
    let formulas: Vec<Formulas> = definition
        .nodes
        .iter()
        .map(|node| checker.formulas(definition, node))
        .collect();
    checker.other_expressions(definition);
    checker.defaults(definition);
    let dependencies = Dependencies::new(definition, &formulas, &checker.positions);
    if let Err(Circle { rows, column }) = &dependencies {
        let nodes = rows.iter().filter_map(|position| definition.nodes.get(*position));
        let names: Vec<String> = nodes.clone().map(|node| node.name.clone()).collect();
        let row = nodes.clone().next().map_or(0, |node| node.row);
        checker.report(row, column, ProblemKind::Circular(names));
    }
    let entity_places = entity_scope::allocate(definition, &mut checker.problems);
    match dependencies {
        Ok(dependencies) if checker.problems.is_empty() => Ok(Checked {
            formulas,
            dependencies,
            entity_places,
            warnings: checker.warnings,
        }),
        _ => Err(FormProblems(checker.problems)),
    }
}

struct Checker<'a> {
    /// The rows of each name.
    positions: HashMap<&'a str, Vec<usize>>,
    problems: Vec<FormProblem>,
    warnings: Vec<FormProblem>,
}

impl<'a> Checker<'a> {
    fn report(&mut self, row: u32, column: &str, kind: ProblemKind) {
        self.report_in("survey", row, column, kind);
    }

    /// Something that works, if only like in ODK Collect, but that the author should look at.
    fn warn_in(&mut self, sheet: &str, row: u32, column: &str, kind: ProblemKind) {
        self.warnings.push(FormProblem {
            place: Place::new(sheet, Some(row), Some(column)),
            kind,
        });
    }

    fn report_in(&mut self, sheet: &str, row: u32, column: &str, kind: ProblemKind) {
        self.problems.push(FormProblem {
            place: Place::new(sheet, Some(row), Some(column)),
            kind,
        });
    }

    fn form(&mut self, definition: &'a FormDefinition) {
        if definition.languages.is_empty() {
            self.problems.push(FormProblem {
                place: Place::new("settings", None, None),
                kind: ProblemKind::NoLanguage,
            });
        }
        if definition.nodes.is_empty() {
            self.problems.push(FormProblem {
                place: Place::new("survey", None, None),
                kind: ProblemKind::NoQuestions,
            });
        }
        let mut depths: Vec<usize> = Vec::with_capacity(definition.nodes.len());
        let mut siblings: HashMap<(Option<usize>, &str), u32> = HashMap::new();
        for (position, node) in definition.nodes.iter().enumerate() {
            self.name(
                definition,
                node,
                siblings.get(&(node.parent, node.name.as_str())).copied(),
            );
            siblings.entry((node.parent, &node.name)).or_insert(node.row);
            self.positions.entry(&node.name).or_default().push(position);
            let parent = node.parent.and_then(|parent| definition.nodes[..position].get(parent));
            if node.parent.is_some() && !parent.is_some_and(FormNode::is_container) {
                self.report(node.row, "type", ProblemKind::BadParent(node.name.clone()));
            }
            let depth = node
                .parent
                .and_then(|parent| depths.get(parent))
                .map_or(0, |depth| depth + 1);
            depths.push(depth);
            if depth == MAX_GROUP_DEPTH + 1 {
                self.report(node.row, "type", ProblemKind::TooDeep(MAX_GROUP_DEPTH));
            }
        }
    }

    /// Checks one row's name; `taken` is the row of its group that has the name already.
    fn name(&mut self, definition: &FormDefinition, node: &FormNode, taken: Option<u32>) {
        let name = || node.name.clone();
        if !is_qualified_name(&node.name) {
            self.report(node.row, "name", ProblemKind::BadName(name()));
        }
        if node.name == RESERVED_NAME {
            self.report(node.row, "name", ProblemKind::ReservedName(name()));
        } else if let Some(first) = taken {
            self.report(node.row, "name", ProblemKind::DuplicateName { name: name(), first });
        }
        if node.kind != NodeKind::Repeat {
            return;
        }
        let earlier = self.positions.get(node.name.as_str()).into_iter().flatten();
        let mut earlier = earlier.filter_map(|position| definition.nodes.get(*position));
        let repeat = earlier.find(|other| other.kind == NodeKind::Repeat && taken.is_none());
        let first = repeat.map(|other| other.row);
        if node.name == definition.settings.root_name {
            self.report(node.row, "name", ProblemKind::ReservedName(name()));
        } else if let Some(first) = first {
            self.report(node.row, "name", ProblemKind::DuplicateRepeat { name: name(), first });
        }
    }

    /// Attributes must have a prefix that the XForm declares.
    fn attribute_prefixes(&mut self, definition: &FormDefinition) {
        let declared = definition.settings.namespaces.as_deref().unwrap_or_default();
        let declared = declared.split_whitespace().filter_map(|pair| pair.split_once('='));
        let declared: Vec<&str> = declared.map(|(prefix, _)| prefix).collect();
        for node in &definition.nodes {
            let attributes = &node.attributes;
            for (column, names) in [
                ("bind", attributes.bind.keys()),
                ("body", attributes.control.keys()),
                ("instance", attributes.instance.keys()),
            ] {
                let prefixes = names.filter_map(|name| Some((name, name.split_once(':')?.0)));
                for (name, prefix) in prefixes {
                    if !KNOWN_PREFIXES.contains(&prefix) && !declared.contains(&prefix) {
                        let kind = ProblemKind::UndeclaredPrefix(prefix.to_owned());
                        self.report(node.row, &format!("{column}::{name}"), kind);
                    }
                }
            }
        }
    }

    /// The element for the number of a repeat's instances must not meet a row of the same name.
    fn count_names(&mut self, definition: &FormDefinition) {
        for node in definition.nodes.iter().filter(|node| node.needs_count_element()) {
            let name = node.count_element_name();
            let clash = definition
                .nodes
                .iter()
                .find(|other| other.parent == node.parent && other.name == name);
            if let Some(other) = clash {
                let first = other.row;
                self.report(node.row, "repeat_count", ProblemKind::DuplicateName { name, first });
            }
        }
    }

    fn choices(&mut self, definition: &'a FormDefinition) {
        for (list, choices) in &definition.choices {
            let mut names = HashSet::new();
            for choice in choices {
                let mut report = |kind| {
                    self.problems.push(FormProblem {
                        place: Place::new("choices", Some(choice.row), Some("name")),
                        kind,
                    });
                };
                if !names.insert(&choice.name) && !definition.settings.allow_choice_duplicates {
                    report(ProblemKind::DuplicateChoice {
                        list: list.clone(),
                        name: choice.name.clone(),
                    });
                }
            }
        }
    }
}
