//! What the form itself puts into the store: defaults, metadata, instances that a count asks for, and calculations that
//! wait for a trigger.

use std::collections::{BTreeSet, VecDeque};

use super::{AnswerError, Session};
use crate::answers::{AnswerPath, AnswersMut, InstanceId, Value};
use crate::instance::{Roster, text_of};
use crate::model::{FormNode, Metadata, NodeKind};
use crate::xpath::{Expression, Moment, NodeId, Variables, evaluate};

impl<S: AnswersMut> Session<'_, S>
where
    S::Error: 'static,
{
    /// Puts defaults and metadata into a new, empty form, and makes the instances that counts ask for: call it once, when
    /// the response is made. Opening a form again must not change it, so [`Session::new`] does not do this.
    ///
    /// # Errors
    /// When the store fails; defaults put before that stay.
    pub fn begin(&mut self) -> Result<(), AnswerError<S::Error>> {
        self.put_defaults(self.form.top().to_vec(), None)?;
        let shortages = self.instance.shortages(self.form, &self.store);
        self.fill_counts(shortages)
    }

    /// Records when filling ended (metadata `end`); call it when the person leaves the form.
    ///
    /// # Errors
    /// When the store fails.
    pub fn finish(&mut self, now: Moment) -> Result<(), AnswerError<S::Error>> {
        let form = self.form;
        for (position, row) in form.nodes().iter().enumerate() {
            if row.kind != NodeKind::Metadata(Metadata::End) {
                continue;
            }
            for node in self.instance.tree.nodes_of(position).to_vec() {
                let path = self.instance.path_of(form, position, node);
                self.keep(position, &path, Some(&Value::Text(now.to_date_time_text())))?;
            }
        }
        self.settle()
    }

    /// Computes anew what was touched, and makes the instances that counts ask for.
    pub(super) fn settle(&mut self) -> Result<(), AnswerError<S::Error>> {
        let shortages = self.instance.settle(self.form, &self.store, &self.context);
        self.fill_counts(shortages)
    }

    /// Makes the instances that are missing, and those that are missing in them, and so on: a form has no circles. Then
    /// keeps what was computed once.
    fn fill_counts(&mut self, mut shortages: Vec<Roster>) -> Result<(), AnswerError<S::Error>> {
        while !shortages.is_empty() {
            let mut made: Vec<(usize, InstanceId)> = Vec::new();
            let allowance = self.instance.allowance();
            for roster in &shortages {
                let missing = self.instance.missing(self.form, &self.store, roster);
                for _ in 0..missing.min(allowance - made.len()) {
                    let Some(ids) = &mut self.ids.0 else { break };
                    let id = ids();
                    let added = self
                        .store
                        .add_instance(self.form.key(roster.repeat), roster.parent.as_ref(), &id);
                    added.map_err(AnswerError::Store)?;
                    made.push((roster.repeat, id));
                }
            }
            if made.is_empty() {
                break;
            }
            self.instance.reshape(self.form, &self.store, &shortages);
            shortages = self.instance.settle(self.form, &self.store, &self.context);
            for (repeat, id) in made {
                self.put_defaults_without_counts(self.form.children(repeat), Some(&id))?;
            }
            shortages.extend(self.instance.settle(self.form, &self.store, &self.context));
        }
        for (path, text) in self.instance.take_unsaved() {
            // Of an instance that is out of sight by now nothing is kept.
            if self.node(&path).is_some() {
                self.store
                    .put_answer(&path, &Value::Text(text))
                    .map_err(AnswerError::Store)?;
            }
        }
        Ok(())
    }

    /// Puts the defaults of rows, as far as they are unanswered.
    pub(super) fn put_defaults(
        &mut self,
        rows: Vec<usize>,
        instance: Option<&InstanceId>,
    ) -> Result<(), AnswerError<S::Error>> {
        self.put_defaults_without_counts(&rows, instance)?;
        self.settle()
    }

    fn put_defaults_without_counts(
        &mut self,
        rows: &[usize],
        instance: Option<&InstanceId>,
    ) -> Result<(), AnswerError<S::Error>> {
        let form = self.form;
        for position in rows {
            let Some(row) = form.nodes().get(*position) else {
                continue;
            };
            if row.kind == NodeKind::Group {
                self.put_defaults_without_counts(form.children(*position), instance)?;
                continue;
            }
            let path = AnswerPath {
                instance: instance.cloned(),
                question: form.key(*position).to_owned(),
            };
            if let Some(value) = self.default_value(*position, row, &path)
                && self.store.answer(&path).is_none()
            {
                self.keep(*position, &path, Some(&value))?;
            }
        }
        Ok(())
    }

    fn default_value(&self, position: usize, row: &FormNode, path: &AnswerPath) -> Option<Value> {
        if let NodeKind::Metadata(metadata) = row.kind {
            let text = match metadata {
                Metadata::Start | Metadata::End => Some(self.context.now.to_date_time_text()),
                Metadata::Today => Some(self.context.now.date()?.to_string()),
                _ => self.identity.recorded(metadata, self.context.device_id.as_deref()),
            };
            return text.map(Value::Text);
        }
        let text = match &self.form.formulas(position)?.default {
            Some(expression) => self.evaluated_text(expression, self.node(path)?)?,
            None => row.default.clone()?,
        };
        (!text.is_empty()).then(|| typed(&row.kind, text))
    }

    fn evaluated_text(&self, expression: &Expression, node: NodeId) -> Option<String> {
        let object = evaluate(expression, &self.instance.tree, node, &self.context, &Variables::new()).ok()?;
        Some(object.to_answer(&self.instance.tree))
    }

    /// Keeps a value, or none, in the store and in the tree.
    pub(super) fn keep(
        &mut self,
        position: usize,
        path: &AnswerPath,
        value: Option<&Value>,
    ) -> Result<(), AnswerError<S::Error>> {
        match value {
            Some(value) => self.store.put_answer(path, value),
            None => self.store.clear_answer(path),
        }
        .map_err(AnswerError::Store)?;
        if let Some(node) = self.node(path) {
            let text = value.map_or_else(String::new, |value| text_of(self.form, position, value.clone()));
            self.instance.set_value(self.form, position, node, text);
        }
        Ok(())
    }

    /// Computes the calculations that wait for a change of the question at `path`, and those that wait for these (ODK
    /// XForms, "Actions": `setvalue` on `xforms-value-changed`). An empty calculation clears.
    pub(super) fn fire_triggers(&mut self, position: usize, path: &AnswerPath) -> Result<(), AnswerError<S::Error>> {
        let form = self.form;
        let mut changed = VecDeque::from([(position, path.clone())]);
        let mut fired = BTreeSet::new();
        while let Some((position, path)) = changed.pop_front() {
            let Some(name) = form.nodes().get(position).map(|row| row.name.as_str()) else {
                continue;
            };
            for (target, row) in form.nodes().iter().enumerate() {
                if !row.triggers.iter().any(|trigger| trigger_name(trigger) == name) {
                    continue;
                }
                let Some(node) = self.node(&path) else { continue };
                for place in self.instance.beside(form, target, position, node) {
                    if fired.insert(place.clone()) && self.fire(target, row, &place)? {
                        changed.push_back((target, place));
                    }
                }
            }
        }
        Ok(())
    }

    /// Computes one waiting calculation; whether its value changed.
    fn fire(&mut self, position: usize, row: &FormNode, path: &AnswerPath) -> Result<bool, AnswerError<S::Error>> {
        let Some(node) = self.node(path) else {
            return Ok(false);
        };
        let calculation = self
            .form
            .formulas(position)
            .and_then(|formulas| formulas.calculation.as_ref());
        let text = calculation.and_then(|calculation| self.evaluated_text(calculation, node));
        let value = text.filter(|text| !text.is_empty()).map(|text| typed(&row.kind, text));
        let changes = self.store.answer(path) != value;
        if changes {
            self.keep(position, path, value.as_ref())?;
            self.settle()?;
        }
        Ok(changes)
    }
}

/// The question that a trigger names, written `${name}` or plainly.
fn trigger_name(written: &str) -> &str {
    let inner = written.trim();
    let inner = inner
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
        .unwrap_or(inner);
    inner.trim()
}

/// A text as a value of a row's type; as text where it is none.
fn typed(kind: &NodeKind, text: String) -> Value {
    match kind {
        NodeKind::Integer | NodeKind::Decimal | NodeKind::Range => {
            let whole = text.parse().ok().map(Value::Integer);
            let number = || {
                text.parse()
                    .ok()
                    .filter(|number: &f64| number.is_finite())
                    .map(Value::Decimal)
            };
            whole.or_else(number).unwrap_or(Value::Text(text))
        }
        NodeKind::SelectMultiple { .. } => Value::Choices(text.split_ascii_whitespace().map(str::to_owned).collect()),
        _ => Value::Text(text),
    }
}
