//! Working out relevance, calculations and numbers of instances: of everything, or of what a change touches.

use super::{Instance, MAX_COUNTED_INSTANCES, Roster, building};
use crate::answers::Answers;
use crate::model::{Form, Part, Reader};
use crate::xpath::{EvaluationContext, Expression, NodeId, Tree, Variables, evaluate};

/// Something to be computed anew; cells compare in the order of computing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cell {
    /// The row's place in the order of computing.
    rank: usize,
    /// The number of instances comes before what is in them.
    part: Part,
    /// The row's node; of a number of instances, the node around them.
    node: NodeId,
}

/// What counting the instances of a roster brought to light.
struct Recounted {
    /// The roster, where the store has too few instances.
    shortage: Option<Roster>,
    /// The roster, where others are to be shown than are.
    resized: Option<Roster>,
}

impl Instance {
    /// Works out relevance and calculations of the rows of `order`, in that order: everywhere, or only inside one repeat
    /// instance. Numbers of instances stay as they are.
    pub(crate) fn compute(
        &mut self,
        form: &Form,
        context: &EvaluationContext,
        order: &[usize],
        within: Option<NodeId>,
    ) {
        for position in order {
            self.compute_everywhere(form, context, *position, within);
        }
    }

    pub(super) fn compute_everywhere(
        &mut self,
        form: &Form,
        context: &EvaluationContext,
        position: usize,
        within: Option<NodeId>,
    ) {
        let count = match within {
            Some(place) => self.within(position, place).len(),
            None => self.tree.nodes_of(position).len(),
        };
        for index in 0..count {
            let nodes = match within {
                Some(place) => self.within(position, place),
                None => self.tree.nodes_of(position),
            };
            if let Some(node) = nodes.get(index).copied() {
                self.compute_node(form, context, position, node);
            }
        }
    }

    /// Works out one row in one place; whether its relevance changed, and whether its value did.
    fn compute_node(
        &mut self,
        form: &Form,
        context: &EvaluationContext,
        position: usize,
        node: NodeId,
    ) -> (bool, bool) {
        let Some(formulas) = form.formulas(position) else {
            return (false, false);
        };
        if !self.failures.is_empty() {
            self.failures.remove(&node);
        }
        let parent = self.tree.parent(node);
        let parent_relevant = parent.is_none_or(|parent| self.tree.is_relevant(parent));
        let relevant = parent_relevant
            && match &formulas.relevant {
                Some(expression) => self.truth(expression, node, context),
                None => true,
            };
        let relevance_changed = relevant != self.tree.is_relevant(node);
        self.tree.set_relevant(node, relevant);
        let mut value_changed = false;
        if let Some(expression) = &formulas.calculation
            && super::is_calculated(form, position)
        {
            let once = form.dependencies().happens_once(position);
            let value = match (relevant, once) {
                (true, _) => self.calculated(expression, node, context),
                (false, true) => self.tree.value(node).to_owned(),
                (false, false) => String::new(),
            };
            value_changed = value != self.tree.value(node);
            if value_changed {
                if once {
                    self.unsaved.push((self.path_of(form, position, node), value.clone()));
                }
                self.tree.set_value(node, value);
            }
        }
        (relevance_changed, value_changed)
    }

    fn calculated(&mut self, expression: &Expression, node: NodeId, context: &EvaluationContext) -> String {
        match evaluate(expression, &self.tree, node, context, &Variables::new()) {
            Ok(object) => object.to_answer(&self.tree),
            Err(error) => {
                self.failures.insert(node, error);
                String::new()
            }
        }
    }

    /// Evaluates a condition at a node; true where it cannot be evaluated, so that nothing is hidden by a mistake.
    fn truth(&mut self, expression: &Expression, node: NodeId, context: &EvaluationContext) -> bool {
        match evaluate(expression, &self.tree, node, context, &Variables::new()) {
            Ok(object) => object.to_boolean(),
            Err(error) => {
                self.failures.insert(node, error);
                true
            }
        }
    }

    /// Replaces a value in the tree and marks what depends on it.
    pub(crate) fn set_value(&mut self, form: &Form, position: usize, node: NodeId, text: String) {
        if self.tree.value(node) != text {
            self.tree.set_value(node, text);
            self.mark_readers(form, form.dependencies().readers(position), node);
        }
    }

    /// Marks what depends on the number of instances of a repeat in the place that holds `node`.
    fn mark_counters(&mut self, form: &Form, repeat: usize, node: NodeId) {
        self.mark_readers(form, form.dependencies().counters(repeat), node);
    }

    fn mark_readers(&mut self, form: &Form, readers: &[Reader], changed: NodeId) {
        for reader in readers {
            let scope = match reader.scope {
                None => Tree::ROOT,
                // Outside its scope nobody of this row looks at the changed place.
                Some(scope) => match self.around(scope, changed) {
                    Some(instance) => instance,
                    None => continue,
                },
            };
            let rank = form.dependencies().rank(reader.row);
            let nodes: Vec<NodeId> = match (reader.part, form.nodes().get(reader.row).and_then(|row| row.parent)) {
                (Part::Content, _) => self.within(reader.row, scope).to_vec(),
                (Part::Count, Some(parent)) => self.within(parent, scope).to_vec(),
                (Part::Count, None) => self.tree.children(Tree::ROOT).collect(),
            };
            let part = reader.part;
            self.dirty
                .extend(nodes.into_iter().map(|node| Cell { rank, part, node }));
        }
    }

    /// Marks the rows of a container whose relevance changed.
    fn mark_children(&mut self, form: &Form, container: usize, node: NodeId) {
        for child in form.children(container) {
            let rank = form.dependencies().rank(*child);
            let inside = self.within(*child, node).iter().copied();
            let cells = inside.map(|node| Cell {
                rank,
                part: Part::Content,
                node,
            });
            let cells: Vec<Cell> = cells.collect();
            self.dirty.extend(cells);
        }
    }

    /// Computes what is marked, and what that touches, each once it is certain. Returns where the store has fewer
    /// instances than the form wants.
    pub(crate) fn settle(&mut self, form: &Form, answers: &impl Answers, context: &EvaluationContext) -> Vec<Roster> {
        let mut shortages = Vec::new();
        let mut resized = Vec::new();
        while let Some(cell) = self.dirty.pop_first() {
            let Some(position) = form.dependencies().order().get(cell.rank).copied() else {
                continue;
            };
            match cell.part {
                Part::Count => {
                    if let Some(count) = form.dependencies().count(position) {
                        let recounted = self.recount(form, answers, context, position, count, cell.node);
                        shortages.extend(recounted.shortage);
                        resized.extend(recounted.resized);
                    }
                    // All places of one repeat are counted before the tree is built anew, once for all of them.
                    let same = self
                        .dirty
                        .first()
                        .is_some_and(|next| (next.rank, next.part) == (cell.rank, cell.part));
                    if !same && !resized.is_empty() {
                        self.reshape(form, answers, &std::mem::take(&mut resized));
                    }
                }
                Part::Content => {
                    let (relevance, value) = self.compute_node(form, context, position, cell.node);
                    if relevance && form.nodes().get(position).is_some_and(|row| row.is_container()) {
                        self.mark_children(form, position, cell.node);
                    }
                    if relevance || value {
                        self.mark_readers(form, form.dependencies().readers(position), cell.node);
                    }
                }
            }
        }
        shortages
    }

    /// Works out how many instances the form wants inside `around`.
    fn recount(
        &mut self,
        form: &Form,
        answers: &impl Answers,
        context: &EvaluationContext,
        repeat: usize,
        count: &Expression,
        around: NodeId,
    ) -> Recounted {
        let container = form.nodes().get(repeat).and_then(|row| row.parent);
        let roster = Roster {
            repeat,
            parent: self.identity(form, container, around),
        };
        let wanted = self.wanted_count(count, around, context);
        match wanted {
            Some(wanted) => self.wanted.insert(roster.clone(), wanted),
            None => self.wanted.remove(&roster),
        };
        let stored = answers.instances(form.key(repeat), roster.parent.as_ref()).len();
        let shown = self.within(repeat, around).len();
        let is_short = wanted.is_some_and(|wanted| wanted.min(MAX_COUNTED_INSTANCES) > stored);
        let is_resized = wanted.map_or(stored, |wanted| wanted.min(stored)) != shown;
        Recounted {
            shortage: is_short.then(|| roster.clone()),
            resized: is_resized.then_some(roster),
        }
    }

    /// The number of instances that an expression wants; none where it says nothing.
    ///
    /// As in JavaRosa (`FormEntryModel.createModelIfNecessary`) a blank number neither makes nor hides instances, and as
    /// in ODK Web Forms (`RepeatRangeControlled`) a negative one is zero. A fraction is cut off, as JavaRosa does when it
    /// stores the number.
    fn wanted_count(&mut self, count: &Expression, around: NodeId, context: &EvaluationContext) -> Option<usize> {
        let object = match evaluate(count, &self.tree, around, context, &Variables::new()) {
            Ok(object) => object,
            Err(error) => {
                self.failures.insert(around, error);
                return None;
            }
        };
        let number = object.to_number(&self.tree, context.now.utc_offset_minutes);
        // A conversion with `as` stops at the ends of the range.
        (!number.is_nan()).then_some(number.max(0.0) as usize)
    }

    /// Shows no more instances of a repeat than its expression says, everywhere; for a tree just built.
    pub(super) fn limit(
        &mut self,
        form: &Form,
        answers: &impl Answers,
        context: &EvaluationContext,
        repeat: usize,
        count: &Expression,
    ) {
        let container = form.nodes().get(repeat).and_then(|row| row.parent);
        let mut fits = true;
        for around in self.containers(form, repeat) {
            let Some(wanted) = self.wanted_count(count, around, context) else {
                continue;
            };
            let parent = self.identity(form, container, around);
            fits &= self.within(repeat, around).len() <= wanted;
            self.wanted.insert(Roster { repeat, parent }, wanted);
        }
        if !fits {
            self.rebuild(form, answers);
        }
    }

    /// Takes up that the instances of some rosters are others than before: the store's, or the number wanted. New
    /// instances and all that counts them are marked, nothing is computed.
    pub(crate) fn reshape(&mut self, form: &Form, answers: &impl Answers, rosters: &[Roster]) {
        let added = self.rebuild(form, answers);
        for (position, node) in added {
            let part = Part::Content;
            self.dirty.insert(Cell {
                rank: form.dependencies().rank(position),
                part,
                node,
            });
            for child in form.children(position) {
                if form.dependencies().count(*child).is_some() {
                    self.dirty.insert(Cell {
                        rank: form.dependencies().rank(*child),
                        part: Part::Count,
                        node,
                    });
                }
            }
            // Others may have computed over the answers that came with the instance before it was there.
            if !self.tree.value(node).is_empty() {
                self.mark_readers(form, form.dependencies().readers(position), node);
            }
        }
        for roster in rosters {
            let around = match &roster.parent {
                None => Tree::ROOT,
                Some(parent) => match self.instance_node(parent) {
                    Some(node) => node,
                    None => continue,
                },
            };
            // Who counts instances inside these instances, from outside them, counts through these too.
            self.mark_counters(form, roster.repeat, around);
        }
    }

    /// Builds the tree anew over the store, keeping what was computed; returns what was not there before.
    fn rebuild(&mut self, form: &Form, answers: &impl Answers) -> Vec<(usize, NodeId)> {
        let built = building::build(form, answers, &self.wanted, None, Some(self));
        // Both sides stand in document order.
        let renamed = |old: NodeId| {
            let place = built.kept.binary_search_by_key(&old, |(old, _)| *old).ok()?;
            built.kept.get(place).map(|(_, new)| *new)
        };
        let failures = std::mem::take(&mut self.failures).into_iter();
        let failures = failures
            .filter_map(|(node, error)| Some((renamed(node)?, error)))
            .collect();
        let cells = std::mem::take(&mut self.dirty).into_iter();
        let dirty = cells
            .filter_map(|cell| {
                Some(Cell {
                    node: renamed(cell.node)?,
                    ..cell
                })
            })
            .collect();
        let mut wanted = std::mem::take(&mut self.wanted);
        let unsaved = std::mem::take(&mut self.unsaved);
        *self = built.instance;
        wanted.retain(|roster, _| {
            let parent = roster.parent.as_ref();
            parent.is_none_or(|parent| self.places.contains_key(parent))
        });
        (self.failures, self.dirty, self.wanted, self.unsaved) = (failures, dirty, wanted, unsaved);
        built.added
    }
}
