//! Building the tree from a form and a store, also over an older tree whose values it keeps.

use std::collections::{BTreeMap, BTreeSet};

use super::{Instance, Place, Roster, is_calculated};
use crate::answers::{AnswerPath, Answers, InstanceId, Value};
use crate::model::{ChoiceSource, Form, NodeKind};
use crate::xpath::{Name, NodeId, Tree, TreeBuilder};

/// The name of the outermost element where the form gives none, as pyxform calls it.
const ROOT_NAME: &str = "data";

/// A tree just built.
pub(super) struct Built {
    pub(super) instance: Instance,
    /// The rows that were not in the older tree, with their nodes, in document order.
    pub(super) added: Vec<(usize, NodeId)>,
    /// The nodes of the older tree that are in this one too, with their new names, in document order.
    pub(super) kept: Vec<(NodeId, NodeId)>,
}

/// Builds the tree: of the instances in the store, as many as are `wanted`; of the rows, with answers those that
/// `matters`; values and relevance as they are in `older`, as far as it has the place. Nothing is computed.
pub(super) fn build(
    form: &Form,
    answers: &impl Answers,
    wanted: &BTreeMap<Roster, usize>,
    matters: Option<&[bool]>,
    older: Option<&Instance>,
) -> Built {
    let mut building = Building {
        form,
        answers,
        wanted,
        matters,
        older,
        builder: TreeBuilder::new(form.index().clone()),
        path: AnswerPath::top(""),
        places: BTreeMap::new(),
        added: Vec::new(),
        kept: Vec::new(),
    };
    let name = Some(form.settings().root_name.as_str()).filter(|name| !name.is_empty());
    let root = building.builder.open(Name::local(name.unwrap_or(ROOT_NAME)));
    let old_root = older.and_then(|older| older.tree.children(Tree::ROOT).next());
    if let Some(old_root) = old_root {
        building.kept.push((old_root, root));
    }
    building.rows(form.top(), None, old_root);
    let mut tree = building.builder.finish();
    if let Some(older) = older {
        tree.set_secondary(older.tree.shared_secondary());
        for (old, new) in &building.kept {
            tree.set_relevant(*new, older.tree.is_relevant(*old));
        }
    }
    let ids = building
        .places
        .iter()
        .map(|(id, place)| (place.node, id.clone()))
        .collect();
    Built {
        instance: Instance {
            tree,
            places: building.places,
            ids,
            wanted: wanted.clone(),
            failures: BTreeMap::new(),
            dirty: BTreeSet::new(),
            unsaved: Vec::new(),
        },
        added: building.added,
        kept: building.kept,
    }
}

struct Building<'b, A> {
    form: &'b Form,
    answers: &'b A,
    wanted: &'b BTreeMap<Roster, usize>,
    matters: Option<&'b [bool]>,
    older: Option<&'b Instance>,
    builder: TreeBuilder,
    /// The address of the next answer; used again for every row.
    path: AnswerPath,
    places: BTreeMap<InstanceId, Place>,
    added: Vec<(usize, NodeId)>,
    kept: Vec<(NodeId, NodeId)>,
}

impl<A: Answers> Building<'_, A> {
    /// Adds rows and what is inside them; `old` is the node of their container in the older tree.
    fn rows(&mut self, rows: &[usize], instance: Option<&InstanceId>, old: Option<NodeId>) {
        let older = self.older;
        let mut old_children = old
            .into_iter()
            .filter_map(|node| Some(older?.tree.children(node)))
            .flatten()
            .peekable();
        for position in rows {
            let Some(node) = self.form.nodes().get(*position) else {
                continue;
            };
            let name = self.form.element_name(*position);
            if node.kind == NodeKind::Repeat {
                // The older tree may have any number of instances here; each is found by its identity instead.
                while let (Some(older), Some(child)) = (older, old_children.peek())
                    && *older.tree.name(*child) == *name
                {
                    old_children.next();
                }
                self.instances(*position, &name, instance);
                continue;
            }
            let old = old_children.next();
            let new = if node.kind == NodeKind::Group {
                let new = self.builder.open_question(name, *position, false);
                self.note(*position, old, new);
                self.rows(self.form.children(*position), instance, old);
                self.builder.close();
                continue;
            } else {
                let text = match (older, old) {
                    (Some(older), Some(old)) => older.tree.value(old).to_owned(),
                    _ => self.text(*position, instance),
                };
                self.builder.question(name, *position, text)
            };
            self.note(*position, old, new);
        }
    }

    fn instances(&mut self, repeat: usize, name: &std::sync::Arc<Name>, parent: Option<&InstanceId>) {
        let mut ids = self.answers.instances(self.form.key(repeat), parent);
        let roster = Roster {
            repeat,
            parent: parent.cloned(),
        };
        let wanted = self.wanted.get(&roster);
        ids.truncate(wanted.copied().unwrap_or(usize::MAX));
        for id in ids {
            // A store whose instances hold one another in a circle, or twice, shows each once.
            if self.places.contains_key(&id) {
                continue;
            }
            let old = self.older.and_then(|older| older.instance_node(&id));
            let node = self.builder.open_question(name.clone(), repeat, true);
            let place = Place {
                node,
                repeat,
                parent: parent.cloned(),
            };
            self.places.insert(id.clone(), place);
            self.note(repeat, old, node);
            self.rows(self.form.children(repeat), Some(&id), old);
            self.builder.close();
        }
    }

    fn note(&mut self, position: usize, old: Option<NodeId>, new: NodeId) {
        match old {
            Some(old) => self.kept.push((old, new)),
            None => self.added.push((position, new)),
        }
    }

    fn text(&mut self, position: usize, instance: Option<&InstanceId>) -> String {
        let matters = self
            .matters
            .is_none_or(|matters| matters.get(position).copied().unwrap_or(false));
        let is_note = self
            .form
            .nodes()
            .get(position)
            .is_some_and(|node| node.kind == NodeKind::Note);
        let follows = is_calculated(self.form, position) && !self.form.dependencies().happens_once(position);
        if !matters || is_note || follows {
            return String::new();
        }
        if self.path.instance.as_ref() != instance {
            self.path.instance = instance.cloned();
        }
        self.path.question.clear();
        self.path.question.push_str(self.form.key(position));
        let value = self.answers.answer(&self.path);
        value.map_or_else(String::new, |value| text_of(self.form, position, value))
    }
}

/// A value as it stands in the tree: the ticked choices of a select in the order of its list.
pub(crate) fn text_of(form: &Form, position: usize, value: Value) -> String {
    let names = match value {
        Value::Text(text) => return text,
        Value::Choices(names) => names,
        other => return other.to_string(),
    };
    let row = form.nodes().get(position);
    let listed = match row.and_then(|row| row.kind.choice_source()) {
        Some(ChoiceSource::List(_)) => row.map_or(&[][..], |row| form.choices(row)),
        _ => &[],
    };
    let mut seen = BTreeSet::new();
    let in_order = listed
        .iter()
        .map(|choice| choice.name.as_str())
        .filter(|name| names.contains(*name));
    let mut ordered: Vec<&str> = in_order.filter(|name| seen.insert(*name)).collect();
    ordered.extend(names.iter().map(String::as_str).filter(|name| !seen.contains(name)));
    ordered.join(" ")
}
