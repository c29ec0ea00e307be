//! Where in a filled form each entity stands: in the innermost group or repeat that holds all that it is made from.
//!
//! The rules are those of the ODK Entities specification, 2025.1: an entity belongs to one scope (the form, or one
//! repeat), and no two entities share a group, for each has the group's `meta` element to itself.

use std::collections::{HashMap, HashSet};

use super::definition::{FormDefinition, FormNode};
use super::entity::{EntityDeclaration, EntityProblem};
use super::kind::NodeKind;
use super::lexical;
use super::problem::{FormProblem, Place, ProblemKind};

/// The groups and repeats around a row, outermost first.
type Containers = Vec<usize>;

/// A use of one of the form's rows by an entity.
struct Use {
    containers: Containers,
    row: u32,
    /// The property that the row's answer becomes; none where an expression of the entity refers to the row.
    property: Option<String>,
}

/// Finds the group or repeat of each declared entity (none for the whole form), in the sheet's order.
pub(super) fn allocate(definition: &FormDefinition, problems: &mut Vec<FormProblem>) -> Vec<Option<usize>> {
    let before = problems.len();
    let mut scopes = Scopes { definition, problems };
    let uses = scopes.uses();
    scopes.check_declarations();
    if scopes.problems.len() > before {
        return vec![None; definition.entities.len()];
    }
    scopes.allocate(&uses)
}

/// The list and the property that `save_to` names: `list#property`, or the property of the form's only list.
pub(crate) fn save_to<'d>(definition: &'d FormDefinition, written: &'d str) -> Option<(usize, &'d str)> {
    let (list, property) = match written.split_once('#') {
        Some((list, property)) => (Some(list), property),
        None => (None, written),
    };
    let mut declarations = definition.entities.iter();
    let declared = match list {
        Some(list) => declarations.position(|declared| declared.list_name == list)?,
        None => 0,
    };
    (declared < definition.entities.len()).then_some((declared, property))
}

struct Scopes<'d, 'p> {
    definition: &'d FormDefinition,
    problems: &'p mut Vec<FormProblem>,
}

/// A place that an entity asks for.
struct Request {
    declared: usize,
    scope: Containers,
    wanted: Containers,
    lineages: Vec<Containers>,
}

impl Scopes<'_, '_> {
    fn report(&mut self, sheet: &str, row: u32, column: &str, problem: EntityProblem) {
        self.problems.push(FormProblem {
            place: Place::new(sheet, Some(row), Some(column)),
            kind: ProblemKind::Entity(problem),
        });
    }

    fn containers(&self, node: &FormNode) -> Containers {
        let mut found: Containers = std::iter::successors(node.parent, |parent| {
            self.definition.nodes.get(*parent).and_then(|node| node.parent)
        })
        .collect();
        found.reverse();
        found
    }

    /// The outermost part of the containers that ends with the innermost repeat; empty for the form itself.
    fn boundary<'c>(&self, containers: &'c [usize]) -> &'c [usize] {
        let is_repeat = |position: &usize| self.definition.nodes[*position].kind == NodeKind::Repeat;
        let length = containers.iter().rposition(is_repeat).map_or(0, |place| place + 1);
        &containers[..length]
    }

    fn repeats(&self, containers: &[usize]) -> usize {
        let is_repeat = |position: &&usize| self.definition.nodes[**position].kind == NodeKind::Repeat;
        containers.iter().filter(is_repeat).count()
    }

    /// The uses of rows by each entity, in the order of the sheets.
    fn uses(&mut self) -> Vec<Vec<Use>> {
        let definition = self.definition;
        let mut uses: Vec<Vec<Use>> = definition.entities.iter().map(|_| Vec::new()).collect();
        for node in &definition.nodes {
            let containers = self.containers(node);
            if let Some(written) = &node.save_to
                && let Some((declared, property)) = self.property(node, written)
            {
                let taken = uses[declared]
                    .iter()
                    .find(|other| other.property.as_deref() == Some(property))
                    .map(|other| other.row);
                self.check_property(node, property, taken);
                uses[declared].push(Use {
                    containers: containers.clone(),
                    row: node.row,
                    property: Some(property.to_owned()),
                });
            }
            for (declaration, uses) in definition.entities.iter().zip(&mut uses) {
                if expressions(declaration).any(|text| lexical::references(text).any(|found| found.name == node.name)) {
                    uses.push(Use {
                        containers: containers.clone(),
                        row: declaration.row,
                        property: None,
                    });
                }
            }
        }
        uses
    }

    fn property<'w>(&mut self, node: &FormNode, written: &'w str) -> Option<(usize, &'w str)> {
        let definition = self.definition;
        let problem = if definition.entities.is_empty() {
            EntityProblem::NoDeclaration
        } else if written.matches('#').count() > 1 {
            EntityProblem::MalformedProperty
        } else if !written.contains('#') && definition.entities.len() > 1 {
            EntityProblem::ListNotNamed
        } else {
            match written.split_once('#') {
                None => return Some((0, written)),
                Some((list, property)) => {
                    let mut declarations = definition.entities.iter();
                    match declarations.position(|declared| declared.list_name == list) {
                        Some(declared) => return Some((declared, property)),
                        None => EntityProblem::UnknownList(list.to_owned()),
                    }
                }
            }
        };
        self.report("survey", node.row, "save_to", problem);
        None
    }

    fn check_property(&mut self, node: &FormNode, property: &str, taken: Option<u32>) {
        let problem = if node.is_container() {
            EntityProblem::PropertyOfGroup
        } else if matches!(property.to_lowercase().as_str(), "name" | "label")
            || property.starts_with(RESERVED_PREFIX)
            || !lexical::is_qualified_name(property)
        {
            EntityProblem::BadProperty(property.to_owned())
        } else if let Some(first) = taken {
            EntityProblem::DuplicateProperty {
                property: property.to_owned(),
                first,
            }
        } else {
            return;
        };
        self.report("survey", node.row, "save_to", problem);
    }

    fn check_declarations(&mut self) {
        let definition = self.definition;
        let mut names = HashSet::new();
        for declaration in &definition.entities {
            let name = declaration.list_name.as_str();
            let has = |text: &Option<String>| text.is_some();
            let (column, problem) = if name.is_empty()
                || name.starts_with(RESERVED_PREFIX)
                || name.contains('.')
                || !lexical::is_qualified_name(name)
            {
                ("list_name", EntityProblem::BadListName(name.to_owned()))
            } else if !names.insert(name) {
                ("list_name", EntityProblem::DuplicateList(name.to_owned()))
            } else if has(&declaration.update_if) && !has(&declaration.entity_id) {
                ("entity_id", EntityProblem::UpdateWithoutId)
            } else if has(&declaration.entity_id) && has(&declaration.create_if) && !has(&declaration.update_if) {
                ("update_if", EntityProblem::IdWhenCreating)
            } else if !has(&declaration.entity_id) && !has(&declaration.label) {
                ("label", EntityProblem::NoLabel)
            } else {
                continue;
            };
            self.report("entities", declaration.row, column, problem);
        }
    }

    fn allocate(&mut self, uses: &[Vec<Use>]) -> Vec<Option<usize>> {
        let definition = self.definition;
        let mut requests = Vec::new();
        for (declared, uses) in uses.iter().enumerate() {
            if let Some(request) = self.request(declared, uses) {
                requests.push(request);
            }
        }
        let mut places = vec![None; definition.entities.len()];
        // A form with one entity about the whole form keeps it at the top, as the older specification has it.
        if let [only] = requests.as_slice()
            && only.scope.is_empty()
        {
            return places;
        }
        let mut taken: HashMap<Containers, usize> = HashMap::new();
        for request in requests {
            let reserved = |path: &Containers| taken.get(path).copied();
            let mut depths = (request.scope.len()..=request.wanted.len()).rev();
            let mut conflict = None;
            let free = depths.find_map(|depth| {
                let path = request.wanted[..depth].to_vec();
                match reserved(&path) {
                    None => Some(Some(path)),
                    Some(other) => {
                        conflict = Some(other);
                        let crossed = request.lineages.iter().find_map(&reserved);
                        crossed.map(|crossed| {
                            conflict = Some(crossed);
                            None
                        })
                    }
                }
            });
            match (free.flatten(), conflict) {
                (Some(path), _) => {
                    places[request.declared] = path.last().copied();
                    for lineage in &request.lineages {
                        for length in path.len()..=lineage.len() {
                            taken.insert(lineage[..length].to_vec(), request.declared);
                        }
                    }
                    taken.insert(path, request.declared);
                }
                (None, other) => {
                    let other = other.map_or(0, |other| definition.entities[other].row);
                    let row = definition.entities[request.declared].row;
                    self.report("entities", row, "list_name", EntityProblem::NoPlace { other });
                }
            }
        }
        places
    }

    /// The place that an entity's uses ask for; none, with a report, where they lie in different scopes.
    fn request(&mut self, declared: usize, uses: &[Use]) -> Option<Request> {
        let Some(deepest) = uses.iter().rev().max_by_key(|used| self.repeats(&used.containers)) else {
            return Some(Request {
                declared,
                scope: Containers::new(),
                wanted: Containers::new(),
                lineages: Vec::new(),
            });
        };
        let scope = self.boundary(&deepest.containers).to_vec();
        let deepest_of = |mut found: Vec<&Containers>| {
            found.sort_by_key(|containers| std::cmp::Reverse(containers.len()));
            found
                .into_iter()
                .find(|containers| self.boundary(containers) == scope)
                .cloned()
        };
        let mut lineages: Vec<Containers> = Vec::new();
        for used in uses.iter().filter(|used| used.property.is_some()) {
            if !lineages.contains(&used.containers) {
                lineages.push(used.containers.clone());
            }
        }
        let wanted = match lineages.as_slice() {
            [] => deepest_of(uses.iter().map(|used| &used.containers).collect()),
            [only] => Some(only.clone()),
            [first, rest @ ..] => {
                let shared = |length: &usize| rest.iter().all(|other| other.get(..*length) == Some(&first[..*length]));
                let length = (0..=first.len()).rev().find(shared).unwrap_or(0);
                let common = first[..length].to_vec();
                let bound = deepest_of(lineages.iter().collect()).unwrap_or_else(|| first.clone());
                let bound = self.boundary(&bound).to_vec();
                let key = |containers: &Containers| {
                    let repeats = self.repeats(containers);
                    (repeats, containers.len() - self.boundary(containers).len())
                };
                Some(if key(&common) > key(&bound) { common } else { bound })
            }
        };
        let wanted = wanted.unwrap_or_else(|| scope.clone());
        let wanted_scope = self.boundary(&wanted).to_vec();
        let mut fits = true;
        for used in uses {
            let boundary = self.boundary(&used.containers);
            let outside = !scope.starts_with(boundary);
            let elsewhere = used.property.is_some() && boundary != wanted_scope;
            if outside || elsewhere {
                fits = false;
                let list = self.definition.entities[declared].list_name.clone();
                let (sheet, column) = match used.property {
                    Some(_) => ("survey", "save_to"),
                    None => ("entities", "list_name"),
                };
                self.report(sheet, used.row, column, EntityProblem::SeveralScopes(list));
            }
        }
        fits.then_some(Request {
            declared,
            scope,
            wanted,
            lineages,
        })
    }
}

/// What the names of the specification's own properties begin with.
const RESERVED_PREFIX: &str = "__";

fn expressions(declaration: &EntityDeclaration) -> impl Iterator<Item = &str> {
    let all = [
        &declaration.entity_id,
        &declaration.create_if,
        &declaration.update_if,
        &declaration.label,
    ];
    all.into_iter().flatten().map(String::as_str)
}
