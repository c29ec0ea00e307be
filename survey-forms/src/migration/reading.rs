//! Reads a store of answers as the new version of a form has them.

use std::collections::HashMap;

use super::conversion::Conversion;
use super::lineage::Lineage;
use crate::answers::{AnswerPath, Answers, AnswersMut, InstanceId, Value};
use crate::model::{Form, NodeKind};

/// The way from one version of a form to a later one, worked out once for any number of responses.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Migration {
    /// What differs for the questions of the new form, by the name under which it keeps their answers.
    questions: HashMap<String, Continued>,
    /// The old names of the new form's repeats that were renamed.
    repeats: HashMap<String, String>,
}

/// How one question continues another.
#[derive(Debug, Clone, PartialEq)]
struct Continued {
    /// The name under which the old form kept the answers, where it differs.
    former_key: Option<String>,
    conversion: Conversion,
}

impl Migration {
    /// The way from `old` to `new`. Their identities are not compared; see [`super::diff`].
    pub fn between(old: &Form, new: &Form) -> Self {
        Self::along(&Lineage::new(old, new), old, new)
    }

    pub(super) fn along(lineage: &Lineage, old: &Form, new: &Form) -> Self {
        let mut migration = Self::default();
        for (position, after) in new.nodes().iter().enumerate() {
            let Some(origin) = lineage.origin(position) else {
                continue;
            };
            let Some(before) = old.nodes().get(origin) else {
                continue;
            };
            let (key, former) = (new.key(position).to_owned(), old.key(origin));
            let former_key = (key != former).then(|| former.to_owned());
            if after.kind == NodeKind::Repeat {
                migration.repeats.extend(former_key.map(|former| (key, former)));
            } else if !after.is_container() {
                let conversion = Conversion::new(old, before, new, after);
                if former_key.is_some() || !conversion.is_identity() {
                    migration.questions.insert(key, Continued { former_key, conversion });
                }
            }
        }
        migration
    }

    /// Whether every answer is read as it stands.
    pub fn is_identity(&self) -> bool {
        self.questions.is_empty() && self.repeats.is_empty()
    }

    /// Reads `answers`, given under the old version or the new one, as the new version has them.
    pub fn read<A: Answers>(&self, answers: A) -> MigratedAnswers<'_, A> {
        MigratedAnswers {
            migration: self,
            answers,
        }
    }
}

/// Answers given under an older version of a form, as the newer version has them.
///
/// A session or a projector of the new form works over it as over any store. What is written goes under the new name;
/// clearing an answer, or removing an instance, does so under the old name too, lest the old one come back. Adapters
/// may stand one over another, one for each step between versions.
#[derive(Debug, Clone)]
pub struct MigratedAnswers<'m, A> {
    migration: &'m Migration,
    answers: A,
}

impl<A> MigratedAnswers<'_, A> {
    /// The store itself.
    pub fn into_inner(self) -> A {
        self.answers
    }

    fn former(&self, path: &AnswerPath) -> Option<AnswerPath> {
        let former = self.migration.questions.get(&path.question)?.former_key.as_ref()?;
        Some(AnswerPath {
            instance: path.instance.clone(),
            question: former.clone(),
        })
    }
}

impl<A: Answers> Answers for MigratedAnswers<'_, A> {
    fn answer(&self, path: &AnswerPath) -> Option<Value> {
        let Some(continued) = self.migration.questions.get(&path.question) else {
            return self.answers.answer(path);
        };
        let read = |path: &AnswerPath| continued.conversion.apply(self.answers.answer(path)?);
        read(path).or_else(|| read(&self.former(path)?))
    }

    fn instances(&self, repeat: &str, parent: Option<&InstanceId>) -> Vec<InstanceId> {
        let current = self.answers.instances(repeat, parent);
        let Some(former) = self.migration.repeats.get(repeat) else {
            return current;
        };
        let mut instances = self.answers.instances(former, parent);
        let added = current.into_iter().filter(|instance| !instances.contains(instance));
        let added: Vec<InstanceId> = added.collect();
        instances.extend(added);
        instances
    }
}

impl<A: AnswersMut> AnswersMut for MigratedAnswers<'_, A> {
    type Error = A::Error;

    fn put_answer(&mut self, path: &AnswerPath, value: &Value) -> Result<(), Self::Error> {
        self.answers.put_answer(path, value)
    }

    fn clear_answer(&mut self, path: &AnswerPath) -> Result<(), Self::Error> {
        self.answers.clear_answer(path)?;
        match self.former(path) {
            Some(former) => self.answers.clear_answer(&former),
            None => Ok(()),
        }
    }

    fn add_instance(
        &mut self,
        repeat: &str,
        parent: Option<&InstanceId>,
        instance: &InstanceId,
    ) -> Result<(), Self::Error> {
        self.answers.add_instance(repeat, parent, instance)
    }

    fn remove_instance(&mut self, repeat: &str, instance: &InstanceId) -> Result<(), Self::Error> {
        self.answers.remove_instance(repeat, instance)?;
        match self.migration.repeats.get(repeat) {
            Some(former) => self.answers.remove_instance(former, instance),
            None => Ok(()),
        }
    }
}
