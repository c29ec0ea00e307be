//! Where answers live: values, their addresses, and the stores that hold them.
//!
//! A form session and the expression engine work over any store that implements [`Answers`]; a response document
//! (`sync-core`) and a plain map ([`AnswerMap`]) both do.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

/// Identity of one instance of a repeat group, for example one member of a household's roster.
///
/// Made once, at random, by the device that adds the instance; never reused and never renumbered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstanceId(String);

impl InstanceId {
    /// Wraps an identity that was made elsewhere.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The identity as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The address of one answer: a question by its key ([`crate::model::Form::key`]), within a repeat instance or at the top
/// of the form.
///
/// An instance's identity says which instances it stands in itself, so an address holds only the innermost one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AnswerPath {
    /// The innermost repeat instance that holds the answer, or none at the top of the form.
    pub instance: Option<InstanceId>,
    /// The question's key.
    pub question: String,
}

impl AnswerPath {
    /// The address of a question outside every repeat.
    pub fn top(question: impl Into<String>) -> Self {
        Self {
            instance: None,
            question: question.into(),
        }
    }

    /// The address of a question inside a repeat instance.
    pub fn within(instance: &InstanceId, question: impl Into<String>) -> Self {
        Self {
            instance: Some(instance.clone()),
            question: question.into(),
        }
    }
}

impl fmt::Display for AnswerPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.instance {
            Some(instance) => write!(f, "{instance}/{}", self.question),
            None => f.write_str(&self.question),
        }
    }
}

/// One answer's value.
///
/// Dates and times are ISO 8601 text and geopoints are `latitude longitude altitude accuracy`, as in ODK XForms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Decimal(f64),
    /// Text, the name of a choice, a date, a geopoint.
    Text(String),
    /// The names of the ticked choices of a `select_multiple`.
    Choices(BTreeSet<String>),
}

impl fmt::Display for Value {
    /// The value as it stands in an ODK XForms instance: choices are separated by single spaces.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => write!(f, "{number}"),
            Self::Decimal(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
            Self::Choices(names) => {
                for (position, name) in names.iter().enumerate() {
                    if position > 0 {
                        f.write_str(" ")?;
                    }
                    f.write_str(name)?;
                }
                Ok(())
            }
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

/// A store of answers that can be read.
pub trait Answers {
    /// The answer at `path`, or none where the question is unanswered. Where several people's concurrent answers
    /// differ, the store's winning one.
    fn answer(&self, path: &AnswerPath) -> Option<Value>;

    /// The instances of the repeat group with the key `repeat`, in the order in which people see them: those inside the
    /// instance `parent` where the repeat stands in another repeat, else (none) those at the top of the form.
    fn instances(&self, repeat: &str, parent: Option<&InstanceId>) -> Vec<InstanceId>;
}

/// A store of answers that can be changed.
pub trait AnswersMut: Answers {
    /// What goes wrong when a change cannot be kept.
    type Error: std::error::Error;

    /// Keeps `value` as the answer at `path`, replacing what was there.
    ///
    /// # Errors
    /// When the store cannot keep it; nothing is changed then.
    fn put_answer(&mut self, path: &AnswerPath, value: &Value) -> Result<(), Self::Error>;

    /// Removes the answer at `path`; does nothing where there is none.
    ///
    /// # Errors
    /// When the store cannot keep the change; nothing is changed then.
    fn clear_answer(&mut self, path: &AnswerPath) -> Result<(), Self::Error>;

    /// Adds an instance to the repeat group `repeat` inside the instance `parent` of the repeat around it, after the
    /// others there.
    ///
    /// # Errors
    /// When the store cannot keep the change; nothing is changed then.
    fn add_instance(
        &mut self,
        repeat: &str,
        parent: Option<&InstanceId>,
        instance: &InstanceId,
    ) -> Result<(), Self::Error>;

    /// Removes an instance from the repeat group `repeat`, with its answers and the instances inside it.
    ///
    /// # Errors
    /// When the store cannot keep the change; nothing is changed then.
    fn remove_instance(&mut self, repeat: &str, instance: &InstanceId) -> Result<(), Self::Error>;
}

impl<S: Answers + ?Sized> Answers for &S {
    fn answer(&self, path: &AnswerPath) -> Option<Value> {
        (**self).answer(path)
    }

    fn instances(&self, repeat: &str, parent: Option<&InstanceId>) -> Vec<InstanceId> {
        (**self).instances(repeat, parent)
    }
}

impl<S: Answers + ?Sized> Answers for &mut S {
    fn answer(&self, path: &AnswerPath) -> Option<Value> {
        (**self).answer(path)
    }

    fn instances(&self, repeat: &str, parent: Option<&InstanceId>) -> Vec<InstanceId> {
        (**self).instances(repeat, parent)
    }
}

impl<S: AnswersMut + ?Sized> AnswersMut for &mut S {
    type Error = S::Error;

    fn put_answer(&mut self, path: &AnswerPath, value: &Value) -> Result<(), Self::Error> {
        (**self).put_answer(path, value)
    }

    fn clear_answer(&mut self, path: &AnswerPath) -> Result<(), Self::Error> {
        (**self).clear_answer(path)
    }

    fn add_instance(
        &mut self,
        repeat: &str,
        parent: Option<&InstanceId>,
        instance: &InstanceId,
    ) -> Result<(), Self::Error> {
        (**self).add_instance(repeat, parent, instance)
    }

    fn remove_instance(&mut self, repeat: &str, instance: &InstanceId) -> Result<(), Self::Error> {
        (**self).remove_instance(repeat, instance)
    }
}

/// Answers in memory: for tests, previews and a form filled without a response document.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AnswerMap {
    answers: BTreeMap<Option<InstanceId>, BTreeMap<String, Value>>,
    /// By the instance around them and the repeat's key.
    instances: BTreeMap<Option<InstanceId>, BTreeMap<String, Vec<InstanceId>>>,
}

impl Answers for AnswerMap {
    fn answer(&self, path: &AnswerPath) -> Option<Value> {
        self.answers.get(&path.instance)?.get(&path.question).cloned()
    }

    fn instances(&self, repeat: &str, parent: Option<&InstanceId>) -> Vec<InstanceId> {
        let inside = self.instances.get(&parent.cloned());
        inside
            .and_then(|inside| inside.get(repeat))
            .cloned()
            .unwrap_or_default()
    }
}

impl AnswersMut for AnswerMap {
    type Error = std::convert::Infallible;

    fn put_answer(&mut self, path: &AnswerPath, value: &Value) -> Result<(), Self::Error> {
        self.answers
            .entry(path.instance.clone())
            .or_default()
            .insert(path.question.clone(), value.clone());
        Ok(())
    }

    fn clear_answer(&mut self, path: &AnswerPath) -> Result<(), Self::Error> {
        if let Some(answers) = self.answers.get_mut(&path.instance) {
            answers.remove(&path.question);
        }
        Ok(())
    }

    fn add_instance(
        &mut self,
        repeat: &str,
        parent: Option<&InstanceId>,
        instance: &InstanceId,
    ) -> Result<(), Self::Error> {
        let inside = self.instances.entry(parent.cloned()).or_default();
        let instances = inside.entry(repeat.to_owned()).or_default();
        if !instances.contains(instance) {
            instances.push(instance.clone());
        }
        Ok(())
    }

    fn remove_instance(&mut self, repeat: &str, instance: &InstanceId) -> Result<(), Self::Error> {
        for inside in self.instances.values_mut() {
            if let Some(instances) = inside.get_mut(repeat) {
                instances.retain(|other| other != instance);
            }
        }
        let mut removed = vec![instance.clone()];
        while let Some(instance) = removed.pop() {
            let place = Some(instance);
            self.answers.remove(&place);
            removed.extend(
                self.instances
                    .remove(&place)
                    .into_iter()
                    .flatten()
                    .flat_map(|(_, inner)| inner),
            );
        }
        // An empty list is as no list, so that two stores with the same answers are equal.
        self.instances.retain(|_, inside| {
            inside.retain(|_, instances| !instances.is_empty());
            !inside.is_empty()
        });
        Ok(())
    }
}
