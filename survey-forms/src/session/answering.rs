//! Giving an answer: the checks before it is kept, and what is computed anew afterwards.

use thiserror::Error;

use super::Session;
use crate::Phrase;
use crate::answers::{AnswerPath, AnswersMut, InstanceId, Value};
use crate::instance::{Roster, text_of};
use crate::model::NodeKind;
use crate::xpath::NodeId;

/// Why an answer was not kept. `E` is the store's own error.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum AnswerError<E: std::error::Error + 'static> {
    /// The form refuses the answer; nothing was changed.
    #[error("{path}: {refusal}")]
    Refused {
        /// The question.
        path: AnswerPath,
        /// Why.
        refusal: Refusal,
    },
    /// The store could not keep the answer, or what follows from it.
    #[error("the answer could not be kept: {0}")]
    Store(#[source] E),
}

impl<E: std::error::Error + 'static> AnswerError<E> {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::Refused { path, refusal } => format!("{path}: {}", refusal.vietnamese()),
            Self::Store(error) => format!("không lưu được câu trả lời: {error}"),
        }
    }
}

/// Why a form refuses an answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The form has no such question, or the roster no such instance.
    #[error("there is no such question here; names are those of the form, instances those of its roster")]
    UnknownPlace,
    /// The row is not answered by people.
    #[error("this row takes no answer; it is shown, computed or recorded")]
    TakesNoAnswer,
    /// Earlier answers make the question irrelevant.
    #[error("the question is not to be asked with the answers given so far")]
    NotRelevant,
    /// The form says that the answer may not be changed.
    #[error("the answer is read-only")]
    ReadOnly,
    /// The value is of another type.
    #[error("expected {expected}, found {found:?}")]
    WrongType {
        /// What would be right.
        expected: Phrase,
        /// What was given.
        found: String,
    },
    /// A choice that is not offered.
    #[error("{0:?} is not one of the choices offered")]
    UnknownChoice(String),
    /// Instances of a repeat whose number the form itself decides.
    #[error("the number of instances follows from the form's repeat_count; change the answers that it depends on")]
    Counted,
    /// The constraint does not hold; the form's own message in the session's language.
    #[error("{0}")]
    Constraint(String),
}

impl Refusal {
    /// The refusal in Vietnamese; a constraint's message is in the session's language.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::UnknownPlace => "không có câu hỏi hoặc thành viên này".to_owned(),
            Self::TakesNoAnswer => "mục này không nhận câu trả lời".to_owned(),
            Self::NotRelevant => "với các câu trả lời hiện có thì không hỏi câu này".to_owned(),
            Self::ReadOnly => "câu trả lời này không được sửa".to_owned(),
            Self::WrongType { expected, found } => {
                format!("cần {}, nhưng gặp {found:?}", expected.vietnamese)
            }
            Self::UnknownChoice(name) => format!("{name:?} không nằm trong các lựa chọn"),
            Self::Counted => {
                "số mục lặp do repeat_count của biểu mẫu quyết định; hãy sửa câu trả lời mà nó dựa vào".to_owned()
            }
            Self::Constraint(message) => message.clone(),
        }
    }
}

impl<S: AnswersMut> Session<'_, S>
where
    S::Error: 'static,
{
    /// Gives an answer and computes anew what depends on it. An empty text or an empty set of choices clears it.
    ///
    /// # Errors
    /// When the form refuses the answer (unknown or irrelevant question, wrong type, broken constraint): nothing is changed
    /// then. When the store fails: what it took before, the answer itself or what follows from it, stays.
    pub fn answer(&mut self, path: &AnswerPath, value: Value) -> Result<(), AnswerError<S::Error>> {
        let is_blank = match &value {
            Value::Text(text) => text.is_empty(),
            Value::Choices(names) => names.is_empty(),
            _ => false,
        };
        if is_blank {
            return self.clear(path);
        }
        let refused = |refusal| AnswerError::Refused {
            path: path.clone(),
            refusal,
        };
        let (position, node) = self.changeable(path).map_err(refused)?;
        let row = &self.form.nodes()[position];
        self.check_type(row, path, &value).map_err(refused)?;
        let text = text_of(self.form, position, value.clone());
        let before = self.instance.tree.value(node).to_owned();
        let changes = text != before;
        self.instance.tree.set_value(node, text);
        let broken = self.breaks_constraint(position, node);
        self.instance.tree.set_value(node, before);
        if let Some(message) = broken {
            return Err(refused(Refusal::Constraint(message)));
        }
        self.keep(position, path, Some(&value))?;
        self.settle()?;
        if changes {
            self.fire_triggers(position, path)?;
        }
        Ok(())
    }

    /// Removes an answer and computes anew what depends on it. The answer to a question that is not to be asked now may
    /// be removed too.
    ///
    /// # Errors
    /// When there is no such question or it is read-only: nothing is changed then. When the store fails: what it took
    /// before stays.
    pub fn clear(&mut self, path: &AnswerPath) -> Result<(), AnswerError<S::Error>> {
        let position = match self.changeable(path) {
            Ok((position, _)) => Some(position),
            Err(Refusal::NotRelevant) => self.form.position(&path.question),
            Err(refusal) => {
                let path = path.clone();
                return Err(AnswerError::Refused { path, refusal });
            }
        };
        let Some(position) = position else { return Ok(()) };
        let changes = self
            .node(path)
            .is_some_and(|node| !self.instance.tree.value(node).is_empty());
        self.keep(position, path, None)?;
        self.settle()?;
        if changes {
            self.fire_triggers(position, path)?;
        }
        Ok(())
    }

    /// Adds an instance to a repeat, inside the instance `parent` of the repeat around it, with the defaults of its
    /// questions.
    ///
    /// # Errors
    /// When the form has no such repeat or there is no such `parent`, when the form itself decides how many instances
    /// there are, or when the store fails.
    pub fn add_instance(
        &mut self,
        repeat: &str,
        parent: Option<&InstanceId>,
        instance: &InstanceId,
    ) -> Result<(), AnswerError<S::Error>> {
        let position = self.changeable_repeat(repeat)?;
        let around = self.form.nodes()[position]
            .parent
            .and_then(|around| self.form.repeat_of(around));
        let place = parent
            .and_then(|parent| self.instance.place_of(parent))
            .map(|(repeat, _)| repeat);
        if around != place || parent.is_some() != place.is_some() {
            return Err(unknown_place(repeat));
        }
        self.store
            .add_instance(repeat, parent, instance)
            .map_err(AnswerError::Store)?;
        let roster = Roster {
            repeat: position,
            parent: parent.cloned(),
        };
        self.instance.reshape(self.form, &self.store, &[roster]);
        self.settle()?;
        self.put_defaults(self.form.children(position).to_vec(), Some(instance))
    }

    /// Removes an instance from a repeat, with its answers.
    ///
    /// # Errors
    /// When the form has no such repeat, when it itself decides how many instances there are, or when the store fails.
    pub fn remove_instance(&mut self, repeat: &str, instance: &InstanceId) -> Result<(), AnswerError<S::Error>> {
        let position = self.changeable_repeat(repeat)?;
        let place = self.instance.place_of(instance);
        let parent = place.and_then(|(_, parent)| parent.cloned());
        self.store
            .remove_instance(repeat, instance)
            .map_err(AnswerError::Store)?;
        let roster = Roster {
            repeat: position,
            parent,
        };
        self.instance.reshape(self.form, &self.store, &[roster]);
        self.settle()
    }

    /// The position of a repeat to which people may add instances.
    fn changeable_repeat(&self, repeat: &str) -> Result<usize, AnswerError<S::Error>> {
        let position = self.form.position(repeat);
        let is_repeat = |position: &usize| self.form.nodes()[*position].kind == NodeKind::Repeat;
        let position = position.filter(is_repeat).ok_or_else(|| unknown_place(repeat))?;
        if self.form.dependencies().count(position).is_some() {
            return Err(AnswerError::Refused {
                path: AnswerPath::top(repeat),
                refusal: Refusal::Counted,
            });
        }
        Ok(position)
    }

    /// The question's position and node, if its answer may be changed now.
    fn changeable(&self, path: &AnswerPath) -> Result<(usize, NodeId), Refusal> {
        let position = self.form.position(&path.question).ok_or(Refusal::UnknownPlace)?;
        let node = self.node(path).ok_or(Refusal::UnknownPlace)?;
        let row = self.form.nodes().get(position).ok_or(Refusal::UnknownPlace)?;
        if !row.is_asked() && row.kind != NodeKind::Hidden {
            return Err(Refusal::TakesNoAnswer);
        }
        if self.is_read_only(path) {
            return Err(Refusal::ReadOnly);
        }
        if !self.instance.tree.is_relevant(node) {
            return Err(Refusal::NotRelevant);
        }
        Ok((position, node))
    }

    /// The message to show if the value now in the tree breaks the question's constraint.
    pub(super) fn breaks_constraint(&self, position: usize, node: NodeId) -> Option<String> {
        let constraint = self.form.formulas(position)?.constraint.as_ref()?;
        let row = self.form.nodes().get(position)?;
        if self.evaluates_to_true(constraint, node) {
            return None;
        }
        let message = self.text(&row.constraint_message);
        Some(match (message, self.context.language.as_str()) {
            ("", "vi") => "Câu trả lời không hợp lệ.".to_owned(),
            ("", _) => "The answer is not acceptable.".to_owned(),
            (message, _) => message.to_owned(),
        })
    }
}

fn unknown_place<E: std::error::Error + 'static>(repeat: &str) -> AnswerError<E> {
    AnswerError::Refused {
        path: AnswerPath::top(repeat),
        refusal: Refusal::UnknownPlace,
    }
}
