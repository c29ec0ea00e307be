//! Writing into a response document: one edit, one change.

use std::collections::{BTreeMap, BTreeSet};

use automerge::transaction::{CommitOptions, Transactable, Transaction};
use automerge::{Automerge, AutomergeError, ChangeHash, ObjId, ObjType, ReadDoc as _, ScalarValue};
use survey_forms::answers::{AnswerMap, AnswerPath, Answers, AnswersMut, InstanceId, Value};

use super::document::{maps, one_line};
use super::{
    ADDRESS, CHOICE_SEPARATOR, GROUP_SEPARATOR, PARENT, POSITION, REMOVED, REPEAT, Reading, ResponseError, Visit,
    genesis, stored_question,
};
use crate::identity::ResponseId;

/// An open edit of a response.
///
/// What is written is visible to later reads through the same edit, and becomes one change when the edit ends.
pub struct Edit<'a> {
    id: ResponseId,
    transaction: Transaction<'a>,
    objects: [ObjId; 3],
    members: BTreeMap<InstanceId, ObjId>,
    address: Option<String>,
    answers: AnswerMap,
    conflicted: BTreeSet<AnswerPath>,
}

impl<'a> Edit<'a> {
    pub(super) fn begin(id: ResponseId, document: &'a mut Automerge, reading: Reading) -> Self {
        let objects = genesis::objects(id);
        let members = maps(document, &objects[1])
            .into_iter()
            .map(|(key, object)| (InstanceId::new(key), object))
            .collect();
        Self {
            id,
            transaction: document.transaction(),
            objects,
            members,
            address: reading.address,
            answers: reading.answers,
            conflicted: reading.conflicts.into_iter().map(|conflict| conflict.path).collect(),
        }
    }

    pub(super) fn commit(self, time: i64) -> Option<ChangeHash> {
        self.transaction.commit_with(CommitOptions::default().with_time(time)).0
    }

    pub(super) fn rollback(self) {
        self.transaction.rollback();
    }

    /// Settles a conflict: a person decides for `value`, which may be one of the claims or another.
    ///
    /// Unlike [`put_answer`](AnswersMut::put_answer) it writes even where the decision equals the winning claim, because
    /// only a change that knows all claims ends the conflict.
    ///
    /// # Errors
    /// As [`put_answer`](AnswersMut::put_answer).
    pub fn settle(&mut self, path: &AnswerPath, value: Option<&Value>) -> Result<(), ResponseError> {
        self.write(path, value)
    }

    /// Says where a household is to be found that was added in the field, or says it better. Writes nothing where that is
    /// known.
    ///
    /// # Errors
    /// [`ResponseError::Address`] when there are no words, or too many.
    pub fn list_household(&mut self, address: &str) -> Result<(), ResponseError> {
        let address = one_line(address).ok_or(ResponseError::Address { response: self.id })?;
        if self.address.as_ref() == Some(&address) {
            return Ok(());
        }
        let answers = self.objects[0].clone();
        self.put(&answers, ADDRESS, ScalarValue::Str(address.as_str().into()))?;
        self.address = Some(address);
        Ok(())
    }

    /// Keeps a visit under a random identity that the caller made.
    ///
    /// # Errors
    /// [`ResponseError::Automerge`], in practice never.
    pub fn record_visit(&mut self, id: &str, visit: &Visit) -> Result<(), ResponseError> {
        let visits = self.objects[2].clone();
        let object = self.checked(|transaction| transaction.put_object(&visits, id, ObjType::Map))?;
        self.checked(|transaction| visit.write(transaction, &object))
    }

    fn write(&mut self, path: &AnswerPath, value: Option<&Value>) -> Result<(), ResponseError> {
        let object = self.object(path)?;
        let scalar = match value {
            None => ScalarValue::Null,
            Some(Value::Integer(number)) => ScalarValue::Int(*number),
            Some(Value::Decimal(number)) => ScalarValue::F64(*number),
            Some(Value::Text(text)) => ScalarValue::Str(text.as_str().into()),
            Some(Value::Choices(names)) => return self.write_choices(path, &object, names),
        };
        self.put(&object, &stored_question(&path.question), scalar)?;
        self.conflicted.remove(path);
        let Ok(()) = match value {
            Some(value) => self.answers.put_answer(path, value),
            None => self.answers.clear_answer(path),
        };
        Ok(())
    }

    fn write_choices(
        &mut self,
        path: &AnswerPath,
        object: &ObjId,
        names: &BTreeSet<String>,
    ) -> Result<(), ResponseError> {
        let before = match self.answers.answer(path) {
            Some(Value::Choices(before)) => before,
            _ => BTreeSet::new(),
        };
        for name in before.symmetric_difference(names) {
            self.check_name(name)?;
            let key = format!("{}{CHOICE_SEPARATOR}{name}", stored_question(&path.question));
            self.put(object, &key, names.contains(name).into())?;
        }
        let Ok(()) = if names.is_empty() {
            self.answers.clear_answer(path)
        } else {
            self.answers.put_answer(path, &Value::Choices(names.clone()))
        };
        Ok(())
    }

    /// Writes a value of its own at a key, also where it is there already.
    ///
    /// Asked to write what wins among several concurrent values, Automerge deletes the others and writes nothing: what was
    /// decided would then be out of sight as soon as somebody else's concurrent value replaced the winner. Another value
    /// in between makes it a value of its own.
    fn put(&mut self, object: &ObjId, key: &str, scalar: ScalarValue) -> Result<(), ResponseError> {
        let there = self.checked(|transaction| {
            let values = transaction.get_all(object, key)?;
            let winner = values.last().and_then(|(value, _)| value.as_scalar().cloned());
            Ok((values.len() > 1).then_some(winner).flatten())
        })?;
        if there.is_some_and(|winner| winner == scalar) {
            let between = match scalar {
                ScalarValue::Null => ScalarValue::Boolean(false),
                _ => ScalarValue::Null,
            };
            self.checked(|transaction| transaction.put(object, key, between))?;
        }
        self.checked(|transaction| transaction.put(object, key, scalar))
    }

    /// The map that holds the answers of `path`.
    fn object(&self, path: &AnswerPath) -> Result<ObjId, ResponseError> {
        self.check_name(&stored_question(&path.question))?;
        if path.question.contains(GROUP_SEPARATOR) {
            return Err(self.reserved(&path.question));
        }
        match &path.instance {
            None => Ok(self.objects[0].clone()),
            Some(instance) => self.member(instance),
        }
    }

    /// The map of a repeat instance.
    fn member(&self, instance: &InstanceId) -> Result<ObjId, ResponseError> {
        let unknown = || ResponseError::UnknownInstance {
            response: self.id,
            instance: instance.clone(),
        };
        self.members.get(instance).cloned().ok_or_else(unknown)
    }

    fn check_name(&self, name: &str) -> Result<(), ResponseError> {
        if name.is_empty() || name.starts_with('@') || name.contains(CHOICE_SEPARATOR) {
            return Err(self.reserved(name));
        }
        Ok(())
    }

    fn reserved(&self, name: &str) -> ResponseError {
        ResponseError::ReservedName {
            response: self.id,
            name: name.to_owned(),
        }
    }

    fn checked<T>(
        &mut self,
        write: impl FnOnce(&mut Transaction<'a>) -> Result<T, AutomergeError>,
    ) -> Result<T, ResponseError> {
        write(&mut self.transaction).map_err(|source| ResponseError::automerge(self.id, source))
    }
}

impl Answers for Edit<'_> {
    fn answer(&self, path: &AnswerPath) -> Option<Value> {
        self.answers.answer(path)
    }

    fn instances(&self, repeat: &str, parent: Option<&InstanceId>) -> Vec<InstanceId> {
        self.answers.instances(repeat, parent)
    }
}

impl AnswersMut for Edit<'_> {
    type Error = ResponseError;

    /// Writes nothing where the answer is that already: neither bytes are wasted nor is an open conflict settled by
    /// somebody who did not mean to.
    fn put_answer(&mut self, path: &AnswerPath, value: &Value) -> Result<(), ResponseError> {
        if self.answers.answer(path).as_ref() == Some(value) {
            return self.object(path).map(drop);
        }
        self.write(path, Some(value))
    }

    fn clear_answer(&mut self, path: &AnswerPath) -> Result<(), ResponseError> {
        match self.answers.answer(path) {
            None if !self.conflicted.contains(path) => self.object(path).map(drop),
            Some(Value::Choices(_)) => self.write(path, Some(&Value::Choices(BTreeSet::new()))),
            _ => self.write(path, None),
        }
    }

    /// Adds an instance, or brings one back that was removed; its answers of then are seen again in the next edit.
    fn add_instance(
        &mut self,
        repeat: &str,
        parent: Option<&InstanceId>,
        instance: &InstanceId,
    ) -> Result<(), ResponseError> {
        self.check_name(instance.as_str())?;
        if let Some(parent) = parent {
            self.member(parent)?;
        }
        if let Some(object) = self.members.get(instance).cloned() {
            if !self.answers.instances(repeat, parent).contains(instance) {
                self.put(&object, REMOVED, false.into())?;
            }
        } else {
            let position = self.members.len() as i64;
            let members = self.objects[1].clone();
            let object = self.checked(|transaction| {
                let object = transaction.put_object(&members, instance.as_str(), ObjType::Map)?;
                transaction.put(&object, REPEAT, repeat)?;
                if let Some(parent) = parent {
                    transaction.put(&object, PARENT, parent.as_str())?;
                }
                transaction.put(&object, POSITION, position)?;
                Ok(object)
            })?;
            self.members.insert(instance.clone(), object);
        }
        let Ok(()) = self.answers.add_instance(repeat, parent, instance);
        Ok(())
    }

    /// Marks the instance as removed. Its answers, and the instances inside it, stay in the document, so that nothing that
    /// anybody wrote is lost.
    fn remove_instance(&mut self, repeat: &str, instance: &InstanceId) -> Result<(), ResponseError> {
        let object = self.member(instance)?;
        self.put(&object, REMOVED, true.into())?;
        let Ok(()) = self.answers.remove_instance(repeat, instance);
        Ok(())
    }
}
