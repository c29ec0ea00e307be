//! Filling in a form: one answer at a time, with skip logic, constraints and calculations kept up to date.

mod answering;
mod validation;

use crate::answers::{AnswerPath, AnswersMut, InstanceId, Value};
use crate::instance::Instance;
use crate::model::{Choice, Form, FormNode, NodeKind, Translations};
use crate::xpath::{EvaluationContext, Expression, NodeId, Tree, Variables};

pub use answering::{AnswerError, Refusal};
pub use validation::{AnswerProblem, AnswerProblemKind, Severity};

/// A form being filled in, over any store of answers.
#[derive(Debug)]
pub struct Session<'f, S> {
    form: &'f Form,
    store: S,
    context: EvaluationContext,
    instance: Instance,
}

/// A row that is to be asked or shown now.
#[derive(Debug, Clone, PartialEq)]
pub struct AskedQuestion<'f> {
    /// Where its answer goes.
    pub path: AnswerPath,
    /// The row.
    pub node: &'f FormNode,
}

impl<'f, S: AnswersMut> Session<'f, S> {
    /// Opens a form over the answers in `store`; changes nothing there.
    pub fn new(form: &'f Form, store: S, context: EvaluationContext) -> Self {
        let instance = Instance::new(form, &store, &context, form.dependencies().order());
        Self {
            form,
            store,
            context,
            instance,
        }
    }

    /// The form.
    pub fn form(&self) -> &'f Form {
        self.form
    }

    /// The answers.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// The document that the form's expressions see, with relevance and calculations worked out.
    pub fn tree(&self) -> &Tree {
        &self.instance.tree
    }

    /// Ends the session and gives the answers back.
    pub fn into_store(self) -> S {
        self.store
    }

    /// What the session takes for today, and the language of its messages.
    pub fn context(&self) -> &EvaluationContext {
        &self.context
    }

    /// Changes the language of messages.
    pub fn set_language(&mut self, language: impl Into<String>) {
        self.context.language = language.into();
    }

    /// Reads the store again after it was changed from outside, for example by merging another device's changes.
    pub fn refresh(&mut self) {
        self.instance = Instance::new(self.form, &self.store, &self.context, self.form.dependencies().order());
    }

    /// The value at `path`: the answer, or the computed value of a calculation. None where it is blank, not to be asked
    /// now, or no such place exists.
    pub fn value(&self, path: &AnswerPath) -> Option<Value> {
        let node = self.node(path).filter(|node| self.instance.tree.is_relevant(*node))?;
        let position = self.form.position(&path.question)?;
        if self.form.formulas(position)?.calculation.is_some() {
            let text = self.instance.tree.value(node);
            return (!text.is_empty()).then(|| Value::Text(text.to_owned()));
        }
        self.store.answer(path)
    }

    /// Whether the question is to be asked now; false where no such place exists.
    pub fn is_relevant(&self, path: &AnswerPath) -> bool {
        self.node(path).is_some_and(|node| self.instance.tree.is_relevant(node))
    }

    /// Whether the question must be answered now.
    pub fn is_required(&self, path: &AnswerPath) -> bool {
        self.is_relevant(path) && self.holds(path, |formulas| formulas.required.as_ref())
    }

    /// Whether the answer may not be changed now.
    pub fn is_read_only(&self, path: &AnswerPath) -> bool {
        self.holds(path, |formulas| {
            formulas
                .read_only
                .as_ref()
                .or(formulas.calculation.as_ref().map(|_| &TRUE))
        })
    }

    /// The choices that are offered now, of a select question; empty for others.
    pub fn choices(&self, path: &AnswerPath) -> Vec<&'f Choice> {
        let Some(position) = self.form.position(&path.question) else {
            return Vec::new();
        };
        let Some(node) = self.form.nodes().get(position) else {
            return Vec::new();
        };
        let filter = self
            .form
            .formulas(position)
            .and_then(|formulas| formulas.choice_filter.as_ref());
        let choices = self.form.choices(node).iter();
        match (filter, self.node(path)) {
            (Some(filter), Some(origin)) => choices.filter(|choice| self.offers(filter, choice, origin)).collect(),
            _ => choices.collect(),
        }
    }

    /// The rows that are to be asked or shown now, in the form's order: questions, notes and acknowledgements, those of
    /// a repeat once for each of its instances.
    pub fn questions(&self) -> Vec<AskedQuestion<'f>> {
        let mut found = Vec::new();
        self.collect(self.form.top(), None, &mut found);
        found
    }

    /// The instances of a repeat.
    pub fn instances(&self, repeat: &str) -> Vec<InstanceId> {
        self.store.instances(repeat)
    }

    /// The text in the session's language, else in the form's default language.
    pub fn text<'t>(&self, texts: &'t Translations) -> &'t str
    where
        'f: 't,
    {
        texts.get(&self.context.language, self.form.languages()).unwrap_or("")
    }

    fn collect(&self, positions: &[usize], instance: Option<&InstanceId>, found: &mut Vec<AskedQuestion<'f>>) {
        for position in positions {
            let Some(node) = self.form.nodes().get(*position) else {
                continue;
            };
            match node.kind {
                NodeKind::Repeat => {
                    for id in self.store.instances(&node.name) {
                        let place = self.instance.instance_node(&id);
                        if place.is_some_and(|place| self.instance.tree.is_relevant(place)) {
                            self.collect(self.form.children(*position), Some(&id), found);
                        }
                    }
                }
                NodeKind::Group => self.collect(self.form.children(*position), instance, found),
                NodeKind::Calculate | NodeKind::Hidden | NodeKind::Metadata(_) => {}
                _ => {
                    let path = AnswerPath {
                        instance: instance.cloned(),
                        question: node.name.clone(),
                    };
                    if self.is_relevant(&path) {
                        found.push(AskedQuestion { path, node });
                    }
                }
            }
        }
    }

    fn node(&self, path: &AnswerPath) -> Option<NodeId> {
        self.instance.node(self.form, path)
    }

    fn holds<'e>(
        &'e self,
        path: &AnswerPath,
        which: impl FnOnce(&'e crate::model::Formulas) -> Option<&'e Expression>,
    ) -> bool {
        let formulas = self
            .form
            .position(&path.question)
            .and_then(|position| self.form.formulas(position));
        let (Some(expression), Some(node)) = (formulas.and_then(which), self.node(path)) else {
            return false;
        };
        self.evaluates_to_true(expression, node)
    }

    fn evaluates_to_true(&self, expression: &Expression, node: NodeId) -> bool {
        crate::xpath::evaluate(expression, &self.instance.tree, node, &self.context, &Variables::new())
            .is_ok_and(|object| object.to_boolean())
    }

    /// Whether a choice passes the filter: names in it are the choice's own columns, `${…}` refers to the form.
    fn offers(&self, filter: &Expression, choice: &Choice, origin: NodeId) -> bool {
        let columns = std::iter::once(("name", choice.name.as_str()))
            .chain(choice.other.iter().map(|(name, text)| (name.as_str(), text.as_str())));
        let columns: Vec<(&str, &str)> = columns.collect();
        let filter = filter.with_names_replaced(&|name| {
            columns
                .iter()
                .find(|(column, _)| *column == name)
                .map(|(_, text)| (*text).to_owned())
        });
        self.evaluates_to_true(&filter, origin)
    }
}

static TRUE: Expression = Expression::Number(1.0);
