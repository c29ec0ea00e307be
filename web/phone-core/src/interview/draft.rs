//! The answers of the open interview, and a journal of what was done to them: each step is kept on its own as soon as it is
//! taken, and all of them become one change when the interview ends.

use std::collections::HashSet;
use std::convert::Infallible;

use survey_forms::answers::{AnswerMap, AnswerPath, Answers, AnswersMut, InstanceId, Value};
use sync_core::response::{Edit, ResponseError};

use crate::record::DraftStep;

/// A store of answers that writes down what is done to it.
#[derive(Debug, Default)]
pub(crate) struct DraftAnswers {
    answers: AnswerMap,
    /// What was done since it was last taken.
    new: Vec<DraftStep>,
}

impl DraftAnswers {
    /// The answers of a response, after what was done to them already.
    pub(crate) fn new(answers: AnswerMap, done: impl IntoIterator<Item = DraftStep>) -> Self {
        let mut draft = Self {
            answers,
            new: Vec::new(),
        };
        for step in done {
            let Ok(()) = apply(&mut draft.answers, &step);
        }
        draft
    }

    /// What was done since this was last asked.
    pub(crate) fn take_new(&mut self) -> Vec<DraftStep> {
        std::mem::take(&mut self.new)
    }

    /// Writes down that a person decided between several people's answers; the answer itself is put as any other.
    pub(crate) fn settle(&mut self, path: &AnswerPath, value: Option<Value>) {
        self.new.push(DraftStep::Settle {
            path: path.clone(),
            value,
        });
    }

    fn take_step(&mut self, step: DraftStep) -> Result<(), Infallible> {
        apply(&mut self.answers, &step)?;
        self.new.push(step);
        Ok(())
    }
}

impl Answers for DraftAnswers {
    fn answer(&self, path: &AnswerPath) -> Option<Value> {
        self.answers.answer(path)
    }

    fn instances(&self, repeat: &str, parent: Option<&InstanceId>) -> Vec<InstanceId> {
        self.answers.instances(repeat, parent)
    }
}

impl AnswersMut for DraftAnswers {
    type Error = Infallible;

    fn put_answer(&mut self, path: &AnswerPath, value: &Value) -> Result<(), Infallible> {
        self.take_step(DraftStep::Put {
            path: path.clone(),
            value: value.clone(),
        })
    }

    fn clear_answer(&mut self, path: &AnswerPath) -> Result<(), Infallible> {
        self.take_step(DraftStep::Clear { path: path.clone() })
    }

    fn add_instance(
        &mut self,
        repeat: &str,
        parent: Option<&InstanceId>,
        instance: &InstanceId,
    ) -> Result<(), Infallible> {
        self.take_step(DraftStep::Add {
            repeat: repeat.to_owned(),
            parent: parent.cloned(),
            instance: instance.clone(),
        })
    }

    fn remove_instance(&mut self, repeat: &str, instance: &InstanceId) -> Result<(), Infallible> {
        self.take_step(DraftStep::Remove {
            repeat: repeat.to_owned(),
            instance: instance.clone(),
        })
    }
}

fn apply<A: AnswersMut>(answers: &mut A, step: &DraftStep) -> Result<(), A::Error> {
    match step {
        DraftStep::Put { path, value }
        | DraftStep::Settle {
            path,
            value: Some(value),
        } => answers.put_answer(path, value),
        DraftStep::Clear { path } | DraftStep::Settle { path, value: None } => answers.clear_answer(path),
        DraftStep::Add {
            repeat,
            parent,
            instance,
        } => answers.add_instance(repeat, parent.as_ref(), instance),
        DraftStep::Remove { repeat, instance } => answers.remove_instance(repeat, instance),
    }
}

/// Writes what was done into a response. Of several answers to one question only the last is written: what was typed and
/// corrected in between is nobody's claim.
///
/// # Errors
/// When the response cannot hold an answer.
pub(crate) fn write(edit: &mut Edit<'_>, done: &[DraftStep]) -> Result<(), ResponseError> {
    let mut later: HashSet<&AnswerPath> = HashSet::new();
    let mut kept: Vec<&DraftStep> = Vec::with_capacity(done.len());
    for step in done.iter().rev() {
        match step {
            DraftStep::Put { path, .. } | DraftStep::Clear { path } if !later.insert(path) => {}
            // A settlement says more than an answer: it is written also where a later answer says the same.
            _ => kept.push(step),
        }
    }
    for step in kept.into_iter().rev() {
        match step {
            DraftStep::Settle { path, value } => edit.settle(path, value.as_ref())?,
            // Somebody else may have removed the person in the meantime, which does not happen while the interview keeps
            // what comes aside; it costs nothing to leave such an answer out rather than the whole visit.
            other => match apply(edit, other) {
                Err(ResponseError::UnknownInstance { .. }) => {}
                result => result?,
            },
        }
    }
    Ok(())
}
