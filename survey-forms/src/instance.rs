//! The tree that expressions see: a form joined with a store of answers, with relevance and calculations worked out.

use std::collections::BTreeMap;

use crate::answers::{AnswerPath, Answers, InstanceId, Value};
use crate::model::{Form, NodeKind};
use crate::xpath::{
    EvaluationContext, EvaluationError, Expression, Name, NodeId, Tree, TreeBuilder, Variables, evaluate,
};

/// The name of the outermost element, as pyxform calls it.
const ROOT_NAME: &str = "data";

/// A form's instance tree.
///
/// Answers to questions that are not to be asked now stay in the store but are not seen by expressions, as in ODK; and
/// calculated values live here only, never in the store: they follow from the answers, so storing them could only bring
/// two devices' copies into conflict.
#[derive(Debug, Clone)]
pub(crate) struct Instance {
    pub(crate) tree: Tree,
    instances: BTreeMap<InstanceId, NodeId>,
    /// The expressions that could not be evaluated in the last computation, by the row's node.
    pub(crate) failures: BTreeMap<NodeId, EvaluationError>,
}

impl Instance {
    /// Builds the tree from a store and computes it. `order` lists the rows that matter, those that others depend on
    /// first: of other rows neither the answer is read nor the relevance worked out.
    pub(crate) fn new(form: &Form, answers: &impl Answers, context: &EvaluationContext, order: &[usize]) -> Self {
        let mut matters = vec![false; form.nodes().len()];
        for position in order {
            if let Some(matters) = matters.get_mut(*position) {
                *matters = true;
            }
        }
        let mut builder = TreeBuilder::new(form.index().clone());
        let mut instances = BTreeMap::new();
        builder.open(Name::local(ROOT_NAME));
        let mut path = AnswerPath::top("");
        for position in form.top() {
            add(
                form,
                answers,
                *position,
                &matters,
                &mut path,
                &mut builder,
                &mut instances,
            );
        }
        let mut instance = Self {
            tree: builder.finish(),
            instances,
            failures: BTreeMap::new(),
        };
        instance.compute(form, context, order, None);
        instance
    }

    /// The node of an answer; none where the form or the roster has no such place.
    pub(crate) fn node(&self, form: &Form, path: &AnswerPath) -> Option<NodeId> {
        let position = form.position(&path.question)?;
        let in_repeat = form.repeat_of(position).is_some();
        let nodes = self.tree.nodes_of(position);
        match &path.instance {
            None if !in_repeat => nodes.first().copied(),
            Some(instance) if in_repeat => {
                let place = *self.instances.get(instance)?;
                nodes.iter().copied().find(|node| self.tree.contains(place, *node))
            }
            _ => None,
        }
    }

    /// The node of a repeat's instance.
    pub(crate) fn instance_node(&self, instance: &InstanceId) -> Option<NodeId> {
        self.instances.get(instance).copied()
    }

    /// Works out relevance and calculations of the rows of `order`, in that order: everywhere, or only inside one repeat
    /// instance.
    pub(crate) fn compute(
        &mut self,
        form: &Form,
        context: &EvaluationContext,
        order: &[usize],
        within: Option<NodeId>,
    ) {
        let variables = Variables::new();
        match within {
            Some(place) => {
                let tree = &self.tree;
                self.failures.retain(|node, _| !tree.contains(place, *node));
            }
            None => self.failures.clear(),
        }
        for position in order {
            let Some(formulas) = form.formulas(*position) else {
                continue;
            };
            for index in 0..self.tree.nodes_of(*position).len() {
                let node = self.tree.nodes_of(*position)[index];
                if within.is_some_and(|place| !self.tree.contains(place, node)) {
                    continue;
                }
                let parent_relevant = self
                    .tree
                    .parent(node)
                    .is_none_or(|parent| self.tree.is_relevant(parent));
                let relevant = parent_relevant
                    && match &formulas.relevant {
                        Some(expression) => self.truth(expression, node, context, &variables, true),
                        None => true,
                    };
                self.tree.set_relevant(node, relevant);
                if let Some(expression) = &formulas.calculation {
                    let value = if relevant {
                        self.calculated(expression, node, context, &variables)
                    } else {
                        String::new()
                    };
                    self.tree.set_value(node, value);
                }
            }
        }
    }

    fn calculated(
        &mut self,
        expression: &Expression,
        node: NodeId,
        context: &EvaluationContext,
        variables: &Variables,
    ) -> String {
        match evaluate(expression, &self.tree, node, context, variables) {
            // A calculation over blank answers has no value yet; "NaN" would be taken for one.
            Ok(object) => object.to_answer(&self.tree),
            Err(error) => {
                self.failures.insert(node, error);
                String::new()
            }
        }
    }

    /// Evaluates a condition at a node; `otherwise` where it cannot be evaluated.
    pub(crate) fn truth(
        &mut self,
        expression: &Expression,
        node: NodeId,
        context: &EvaluationContext,
        variables: &Variables,
        otherwise: bool,
    ) -> bool {
        match evaluate(expression, &self.tree, node, context, variables) {
            Ok(object) => object.to_boolean(),
            Err(error) => {
                self.failures.insert(node, error);
                otherwise
            }
        }
    }
}

/// Adds the row at `position` and what is inside it; `path` says in which instance, and is used again for every row.
fn add(
    form: &Form,
    answers: &impl Answers,
    position: usize,
    matters: &[bool],
    path: &mut AnswerPath,
    builder: &mut TreeBuilder,
    instances: &mut BTreeMap<InstanceId, NodeId>,
) {
    let Some(node) = form.nodes().get(position) else { return };
    let name = form.element_name(position);
    match node.kind {
        NodeKind::Repeat => {
            for id in answers.instances(&node.name) {
                let element = builder.open_question(name.clone(), position, true);
                path.instance = Some(id.clone());
                for child in form.children(position) {
                    add(form, answers, *child, matters, path, builder, instances);
                }
                path.instance = None;
                builder.close();
                instances.insert(id, element);
            }
        }
        NodeKind::Group => {
            builder.open_question(name, position, false);
            for child in form.children(position) {
                add(form, answers, *child, matters, path, builder, instances);
            }
            builder.close();
        }
        _ => {
            let calculated = form
                .formulas(position)
                .is_some_and(|formulas| formulas.calculation.is_some());
            let matters = matters.get(position).copied().unwrap_or(false);
            let value = if calculated || !matters || node.kind == NodeKind::Note {
                None
            } else {
                path.question.clear();
                path.question.push_str(&node.name);
                answers.answer(path)
            };
            let text = match value {
                None => String::new(),
                Some(Value::Text(text)) => text,
                Some(other) => other.to_string(),
            };
            builder.question(name, position, text);
        }
    }
}
