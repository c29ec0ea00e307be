//! Filling in a form: one answer at a time, with skip logic, constraints and calculations kept up to date.
//!
//! A [`Session`] behaves as ODK Collect (JavaRosa) does, with these decisions where the two leave room:
//!
//! - Answers that are not to be asked now stay in the store and are not seen; Collect removes them when the form is
//!   finished.
//! - A repeat with `repeat_count` has as many instances as the count says from the moment it changes, as in ODK Web Forms
//!   (`RepeatRangeControlled`); Collect makes them when the person gets there. When the count shrinks, the surplus is out
//!   of sight and comes back with its answers when it grows; Web Forms forgets it, Collect goes on showing it. While the
//!   count is blank, every instance that was made is shown, as in Collect.

mod answering;
mod choices;
mod defaults;
mod identity;
mod pages;
mod presentation;
mod types;
mod validation;

use std::fmt;

use crate::answers::{AnswerPath, AnswersMut, InstanceId, Value};
use crate::data::FormData;
use crate::instance::{Instance, is_calculated};
use crate::model::{Form, FormNode, NodeKind, Translations};
use crate::xpath::{EvaluationContext, Expression, Moment, NodeId, Tree, Variables};

pub use answering::{AnswerError, Refusal};
pub use identity::Identity;
pub use pages::{Page, Progress};
pub use presentation::Row;
pub use validation::{AnswerProblem, AnswerProblemKind, Severity};

/// A form being filled in, over any store of answers.
#[derive(Debug)]
pub struct Session<'f, S> {
    form: &'f Form,
    store: S,
    data: FormData,
    context: EvaluationContext,
    identity: Identity,
    instance: Instance,
    ids: InstanceIds<'f>,
}

/// Where the identities of instances come from that the form itself adds.
struct InstanceIds<'f>(Option<Box<dyn FnMut() -> InstanceId + 'f>>);

impl fmt::Debug for InstanceIds<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InstanceIds").field(&self.0.is_some()).finish()
    }
}

/// A row that is to be asked or shown now.
#[derive(Debug, Clone, PartialEq)]
pub struct AskedQuestion<'f> {
    /// Where its answer goes.
    pub path: AnswerPath,
    /// The row.
    pub node: &'f FormNode,
}

impl AskedQuestion<'_> {
    /// Whether an answer is expected here: not of notes, and not of the heading of a table of selects, which shows the
    /// labels of the choices only (XLSForm reference, appearance `label`).
    pub fn takes_answer(&self) -> bool {
        self.node.is_asked() && !is_table_heading(self.node)
    }
}

fn is_table_heading(row: &FormNode) -> bool {
    row.kind.choice_source().is_some() && row.has_appearance("label")
}

impl<'f, S: AnswersMut> Session<'f, S> {
    /// Opens a form over the answers in `store`; changes nothing there.
    pub fn new(form: &'f Form, store: S, context: EvaluationContext) -> Self {
        let data = FormData::own(form);
        let instance = Instance::new(form, &store, &data, &context, form.dependencies().order());
        Self {
            form,
            store,
            data,
            context,
            identity: Identity::default(),
            instance,
            ids: InstanceIds(None),
        }
    }

    /// Takes the identities of instances that `repeat_count` asks for from `ids`, which must give a new one each time.
    /// Without such a source a session never adds instances by itself.
    #[must_use]
    pub fn with_instance_ids(mut self, ids: impl FnMut() -> InstanceId + 'f) -> Self {
        self.ids = InstanceIds(Some(Box::new(ids)));
        self
    }

    /// Gives the form the files that come with it and the form saved last; without them expressions that look there have
    /// no value, and selects from files offer nothing.
    #[must_use]
    pub fn with_data(mut self, data: FormData) -> Self {
        self.data = data;
        self.refresh();
        self
    }

    /// Fills metadata questions from `identity`.
    #[must_use]
    pub fn with_identity(mut self, identity: Identity) -> Self {
        self.identity = identity;
        self
    }

    /// The form.
    pub fn form(&self) -> &'f Form {
        self.form
    }

    /// The answers.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// The answers, for a store that has to be told something else than answers. Whoever changes answers there calls
    /// [`refresh`](Self::refresh).
    pub fn store_mut(&mut self) -> &mut S {
        &mut self.store
    }

    /// Sets the clock: what `now()` and `today()` say from now on where something is computed anew.
    pub fn set_now(&mut self, now: Moment) {
        self.context.now = now;
    }

    /// Ends the session and gives the answers back.
    pub fn into_store(self) -> S {
        self.store
    }

    /// The document that the form's expressions see, with relevance and calculations worked out.
    pub fn tree(&self) -> &Tree {
        &self.instance.tree
    }

    /// What the session takes for today, and the language of its messages.
    pub fn context(&self) -> &EvaluationContext {
        &self.context
    }

    /// Changes the language of messages, and of the labels that calculations see.
    pub fn set_language(&mut self, language: impl Into<String>) {
        self.context.language = language.into();
        self.refresh();
    }

    /// Reads the store again after it was changed from outside, for example by merging another device's changes.
    pub fn refresh(&mut self) {
        let order = self.form.dependencies().order();
        self.instance = Instance::new(self.form, &self.store, &self.data, &self.context, order);
    }

    /// The value at `path`: the answer, or the computed value of a calculation. None where it is blank, not to be asked
    /// now, or no such place exists.
    pub fn value(&self, path: &AnswerPath) -> Option<Value> {
        let node = self.node(path).filter(|node| self.instance.tree.is_relevant(*node))?;
        let position = self.form.position(&path.question)?;
        if is_calculated(self.form, position) {
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

    /// Whether the answer may not be changed now: it is computed, or the form says so of the question or of a group or
    /// repeat around it (XForms 1.1 §6.1.2: the property is inherited).
    pub fn is_read_only(&self, path: &AnswerPath) -> bool {
        let Some(position) = self.form.position(&path.question) else {
            return false;
        };
        if is_calculated(self.form, position) {
            return true;
        }
        let mut place = self.node(path).map(|node| (position, node));
        while let Some((position, node)) = place {
            let read_only = self
                .form
                .formulas(position)
                .and_then(|formulas| formulas.read_only.as_ref());
            if read_only.is_some_and(|read_only| self.evaluates_to_true(read_only, node)) {
                return true;
            }
            // A row's element stands in that of the row around it.
            let around = self.form.nodes().get(position).and_then(|row| row.parent);
            place = around.zip(self.instance.tree.parent(node));
        }
        false
    }

    /// The rows that are to be asked or shown now, in the form's order: questions, notes and acknowledgements, those of
    /// a repeat once for each of its instances.
    pub fn questions(&self) -> Vec<AskedQuestion<'f>> {
        let mut found = Vec::new();
        self.collect(self.form.top(), None, &mut found);
        found
    }

    /// The instances of the repeat with the key `repeat` that are shown inside the instance `parent`.
    pub fn instances(&self, repeat: &str, parent: Option<&InstanceId>) -> Vec<InstanceId> {
        let position = self.form.position(repeat);
        position.map_or_else(Vec::new, |position| self.instance.instances(position, parent))
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
                    for id in self.instance.instances(*position, instance) {
                        let place = self.instance.instance_node(&id);
                        if place.is_some_and(|place| self.instance.tree.is_relevant(place)) {
                            self.collect(self.form.children(*position), Some(&id), found);
                        }
                    }
                }
                NodeKind::Group => self.collect(self.form.children(*position), instance, found),
                NodeKind::Calculate | NodeKind::Hidden | NodeKind::Metadata(_) | NodeKind::ExternalData(_) => {}
                _ => {
                    let path = AnswerPath {
                        instance: instance.cloned(),
                        question: self.form.key(*position).to_owned(),
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
}
