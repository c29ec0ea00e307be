//! The tree that expressions see: a form joined with a store of answers, with relevance and calculations worked out.

mod building;
mod computation;

use std::collections::{BTreeMap, BTreeSet};

use crate::answers::{AnswerPath, Answers, InstanceId};
use crate::data::FormData;
use crate::model::Form;
use crate::xpath::{EvaluationContext, EvaluationError, NodeId, Tree};

pub(crate) use building::text_of;
use computation::Cell;

/// The most instances that an expression may ask for in one place: a slip of the pen must not fill a phone's memory.
pub(crate) const MAX_COUNTED_INSTANCES: usize = 1000;
/// The most instances of all repeats together beyond which expressions get no more, for counts inside counts multiply.
pub(crate) const MAX_INSTANCES: usize = 10_000;

/// A form's instance tree.
///
/// Answers to questions that are not to be asked now stay in the store but are not seen by expressions, as in ODK; and
/// calculated values live here only, never in the store: they follow from the answers, so storing them could only bring
/// two devices' copies into conflict. What `once()` computed does not follow from the answers and is kept in the store.
///
/// A repeat whose number of instances an expression gives shows no more than that many of those in the store; the rest
/// keep their answers there and are seen again when the number grows.
#[derive(Debug, Clone)]
pub(crate) struct Instance {
    pub(crate) tree: Tree,
    /// The repeat instances that are shown.
    places: BTreeMap<InstanceId, Place>,
    /// The same by their nodes.
    ids: BTreeMap<NodeId, InstanceId>,
    /// How many instances the form wants in a roster, where an expression says so.
    wanted: BTreeMap<Roster, usize>,
    /// The expressions that could not be evaluated in the last computation, by the row's node.
    failures: BTreeMap<NodeId, EvaluationError>,
    /// What has to be computed anew.
    dirty: BTreeSet<Cell>,
    /// What `once()` computed and the store does not have yet.
    unsaved: Vec<(AnswerPath, String)>,
}

/// Where a repeat instance stands.
#[derive(Debug, Clone)]
struct Place {
    node: NodeId,
    repeat: usize,
    parent: Option<InstanceId>,
}

/// The instances of a repeat inside one instance of the repeat around it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Roster {
    pub(crate) repeat: usize,
    pub(crate) parent: Option<InstanceId>,
}

impl Instance {
    /// Builds the tree from a store and computes it. `order` lists the rows that matter, those that others depend on
    /// first: of other rows neither the answer is read nor the relevance worked out.
    pub(crate) fn new(
        form: &Form,
        answers: &impl Answers,
        data: &FormData,
        context: &EvaluationContext,
        order: &[usize],
    ) -> Self {
        let mut matters = vec![false; form.nodes().len()];
        for position in order {
            if let Some(matters) = matters.get_mut(*position) {
                *matters = true;
            }
        }
        let mut instance = building::build(form, answers, &BTreeMap::new(), Some(&matters), None).instance;
        instance.tree.set_secondary(data.instances());
        for position in order {
            if let Some(count) = form.dependencies().count(*position) {
                instance.limit(form, answers, context, *position, count);
            }
            instance.compute_everywhere(form, context, *position, None);
        }
        instance
    }

    /// The node of an answer; none where the form or the roster has no such place.
    pub(crate) fn node(&self, form: &Form, path: &AnswerPath) -> Option<NodeId> {
        let position = form.position(&path.question)?;
        let nodes = self.tree.nodes_of(position);
        match &path.instance {
            None => nodes.first().copied().filter(|_| form.repeat_of(position).is_none()),
            Some(instance) => {
                let place = self.places.get(instance)?;
                let is_own = form.repeat_of(position) == Some(place.repeat);
                // The nodes of one row stand in document order, and an instance's subtree is a range of it.
                let node = nodes.get(nodes.partition_point(|node| *node < place.node)).copied()?;
                (is_own && self.tree.contains(place.node, node)).then_some(node)
            }
        }
    }

    /// The node of a repeat's instance; none where it is not shown.
    pub(crate) fn instance_node(&self, instance: &InstanceId) -> Option<NodeId> {
        self.places.get(instance).map(|place| place.node)
    }

    /// The repeat of an instance and the instance around it.
    pub(crate) fn place_of(&self, instance: &InstanceId) -> Option<(usize, Option<&InstanceId>)> {
        let place = self.places.get(instance)?;
        Some((place.repeat, place.parent.as_ref()))
    }

    /// The shown instances of a repeat inside an instance of the repeat around it.
    pub(crate) fn instances(&self, repeat: usize, parent: Option<&InstanceId>) -> Vec<InstanceId> {
        let around = match parent {
            None => Some(Tree::ROOT),
            Some(parent) => self.instance_node(parent),
        };
        let nodes = around.map_or(&[][..], |around| self.within(repeat, around));
        nodes.iter().filter_map(|node| self.ids.get(node)).cloned().collect()
    }

    /// How many instances are missing that the form wants in a roster.
    pub(crate) fn missing(&self, form: &Form, answers: &impl Answers, roster: &Roster) -> usize {
        let is_there = match &roster.parent {
            None => true,
            Some(parent) => self.places.contains_key(parent),
        };
        let wanted = self.wanted.get(roster).copied().filter(|_| is_there).unwrap_or(0);
        let stored = answers.instances(form.key(roster.repeat), roster.parent.as_ref()).len();
        wanted.min(MAX_COUNTED_INSTANCES).saturating_sub(stored)
    }

    /// Every roster that has fewer instances in the store than the form wants.
    pub(crate) fn shortages(&self, form: &Form, answers: &impl Answers) -> Vec<Roster> {
        let rosters = self.wanted.keys().cloned();
        rosters
            .filter(|roster| self.missing(form, answers, roster) > 0)
            .collect()
    }

    /// The address of a row's node.
    pub(crate) fn path_of(&self, form: &Form, position: usize, node: NodeId) -> AnswerPath {
        AnswerPath {
            instance: self.identity(form, Some(position), node),
            question: form.key(position).to_owned(),
        }
    }

    /// The places of the row `target` that share with `node`, a node of the row at `position`, the innermost repeat
    /// instance that both rows stand in.
    pub(crate) fn beside(&self, form: &Form, target: usize, position: usize, node: NodeId) -> Vec<AnswerPath> {
        let repeats = |position| {
            std::iter::successors(form.repeat_of(position), |repeat| {
                form.repeat_of(form.nodes().get(*repeat)?.parent?)
            })
        };
        let shared = repeats(target).find(|repeat| repeats(position).any(|other| other == *repeat));
        let place = shared
            .and_then(|repeat| self.around(repeat, node))
            .unwrap_or(Tree::ROOT);
        let nodes = self.within(target, place).iter();
        nodes.map(|node| self.path_of(form, target, *node)).collect()
    }

    /// Takes what `once()` computed and the store does not have yet.
    pub(crate) fn take_unsaved(&mut self) -> Vec<(AnswerPath, String)> {
        std::mem::take(&mut self.unsaved)
    }

    /// The error of the row's expressions at its node.
    pub(crate) fn failure(&self, node: NodeId) -> Option<&EvaluationError> {
        self.failures.get(&node)
    }

    /// How many more instances expressions may ask for.
    pub(crate) fn allowance(&self) -> usize {
        MAX_INSTANCES.saturating_sub(self.places.len())
    }

    /// The rosters whose expressions ask for more instances than are allowed, with the number asked for.
    pub(crate) fn excessive(&self) -> impl Iterator<Item = (&Roster, usize)> {
        let is_full = self.allowance() == 0;
        let all = self.wanted.iter().map(|(roster, wanted)| (roster, *wanted));
        all.filter(move |(roster, wanted)| {
            let is_short = || self.instances(roster.repeat, roster.parent.as_ref()).len() < *wanted;
            *wanted > MAX_COUNTED_INSTANCES || (is_full && is_short())
        })
    }

    /// The nodes of a row inside the subtree of `ancestor`, or of `ancestor` itself.
    fn within(&self, position: usize, ancestor: NodeId) -> &[NodeId] {
        let nodes = self.tree.nodes_of(position);
        let from = nodes.partition_point(|node| *node < ancestor);
        let length = nodes[from..].partition_point(|node| self.tree.contains(ancestor, *node));
        &nodes[from..from + length]
    }

    /// The instance of `repeat` around a node, or the node itself.
    fn around(&self, repeat: usize, node: NodeId) -> Option<NodeId> {
        let nodes = self.tree.nodes_of(repeat);
        let before = nodes.partition_point(|instance| *instance <= node).checked_sub(1)?;
        nodes
            .get(before)
            .copied()
            .filter(|instance| self.tree.contains(*instance, node))
    }

    /// The identity of the innermost repeat instance around a container's node.
    fn identity(&self, form: &Form, container: Option<usize>, node: NodeId) -> Option<InstanceId> {
        let repeat = form.repeat_of(container?)?;
        self.ids.get(&self.around(repeat, node)?).cloned()
    }

    /// The nodes of what holds a row: those of its group or repeat, or the outermost element.
    fn containers(&self, form: &Form, position: usize) -> Vec<NodeId> {
        match form.nodes().get(position).and_then(|node| node.parent) {
            Some(parent) => self.tree.nodes_of(parent).to_vec(),
            None => self.tree.children(Tree::ROOT).collect(),
        }
    }
}

/// Whether the row's value is worked out from others, and so never in the store.
pub(crate) fn is_calculated(form: &Form, position: usize) -> bool {
    let waits = form.nodes().get(position).is_some_and(|row| !row.triggers.is_empty());
    !waits
        && form
            .formulas(position)
            .is_some_and(|formulas| formulas.calculation.is_some())
}
