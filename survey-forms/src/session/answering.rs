//! Giving an answer: the checks before it is kept, and what is computed anew afterwards.

use thiserror::Error;

use super::Session;
use crate::Phrase;
use crate::answers::{AnswerPath, AnswersMut, InstanceId, Value};
use crate::model::{FormNode, Metadata, NodeKind};
use crate::xpath::{Date, Expression, NodeId, Object, Variables, evaluate};

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
    /// The store could not keep the answer; nothing was changed.
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
            Self::Constraint(message) => message.clone(),
        }
    }
}

const INTEGER: Phrase = Phrase::new("a whole number", "số nguyên");
const DECIMAL: Phrase = Phrase::new("a number", "số");
const DATE: Phrase = Phrase::new("a date YYYY-MM-DD", "ngày dạng NNNN-TT-NN");
const GEOPOINT: Phrase = Phrase::new("latitude longitude altitude accuracy", "vĩ độ, kinh độ, độ cao, sai số");
const ACKNOWLEDGED: Phrase = Phrase::new("OK", "OK");
const CHOICE: Phrase = Phrase::new("the name of a choice", "tên một lựa chọn");
const CHOICES: Phrase = Phrase::new("the names of choices", "tên các lựa chọn");
const TEXT: Phrase = Phrase::new("text", "chữ");

impl<S: AnswersMut> Session<'_, S>
where
    S::Error: 'static,
{
    /// Gives an answer and computes anew what depends on it. An empty text or an empty set of choices clears it.
    ///
    /// # Errors
    /// When the form refuses the answer (unknown or irrelevant question, wrong type, broken constraint) or the store
    /// fails; nothing is changed then.
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
        let before = self.instance.tree.value(node).to_owned();
        self.instance.tree.set_value(node, value.to_string());
        let broken = self.breaks_constraint(position, node);
        self.instance.tree.set_value(node, before);
        if let Some(message) = broken {
            return Err(refused(Refusal::Constraint(message)));
        }
        self.store.put_answer(path, &value).map_err(AnswerError::Store)?;
        self.instance.tree.set_value(node, value.to_string());
        self.instance
            .compute(self.form, &self.context, self.form.dependencies().order(), None);
        Ok(())
    }

    /// Removes an answer and computes anew what depends on it. The answer to a question that is not to be asked now may
    /// be removed too.
    ///
    /// # Errors
    /// When there is no such question, it is read-only, or the store fails; nothing is changed then.
    pub fn clear(&mut self, path: &AnswerPath) -> Result<(), AnswerError<S::Error>> {
        let node = match self.changeable(path) {
            Ok((_, node)) => Some(node),
            Err(Refusal::NotRelevant) => self.node(path),
            Err(refusal) => {
                let path = path.clone();
                return Err(AnswerError::Refused { path, refusal });
            }
        };
        self.store.clear_answer(path).map_err(AnswerError::Store)?;
        if let Some(node) = node {
            self.instance.tree.set_value(node, String::new());
        }
        self.instance
            .compute(self.form, &self.context, self.form.dependencies().order(), None);
        Ok(())
    }

    /// Adds an instance to a repeat, with the defaults of its questions.
    ///
    /// # Errors
    /// When the form has no such repeat or the store fails.
    pub fn add_instance(&mut self, repeat: &str, instance: &InstanceId) -> Result<(), AnswerError<S::Error>> {
        let position = self.repeat(repeat)?;
        self.store.add_instance(repeat, instance).map_err(AnswerError::Store)?;
        self.refresh();
        let rows = self.form.children(position).to_vec();
        self.put_defaults(&rows, Some(instance))?;
        self.refresh();
        Ok(())
    }

    /// Removes an instance from a repeat, with its answers.
    ///
    /// # Errors
    /// When the form has no such repeat or the store fails.
    pub fn remove_instance(&mut self, repeat: &str, instance: &InstanceId) -> Result<(), AnswerError<S::Error>> {
        self.repeat(repeat)?;
        self.store
            .remove_instance(repeat, instance)
            .map_err(AnswerError::Store)?;
        self.refresh();
        Ok(())
    }

    /// Puts defaults and metadata into a new, empty form: call it once, when the response is made. Opening a form again
    /// must not change it, so [`Session::new`] does not do this.
    ///
    /// # Errors
    /// When the store fails; defaults put before that stay.
    pub fn begin(&mut self) -> Result<(), AnswerError<S::Error>> {
        let rows = self.form.top().to_vec();
        self.put_defaults(&rows, None)?;
        self.refresh();
        Ok(())
    }

    fn repeat(&self, repeat: &str) -> Result<usize, AnswerError<S::Error>> {
        let position = self.form.position(repeat);
        let is_repeat = |position: &usize| self.form.nodes()[*position].kind == NodeKind::Repeat;
        position.filter(is_repeat).ok_or_else(|| AnswerError::Refused {
            path: AnswerPath::top(repeat),
            refusal: Refusal::UnknownPlace,
        })
    }

    fn put_defaults(&mut self, rows: &[usize], instance: Option<&InstanceId>) -> Result<(), AnswerError<S::Error>> {
        for position in rows {
            let row = &self.form.nodes()[*position];
            if row.kind == NodeKind::Group {
                self.put_defaults(self.form.children(*position), instance)?;
                continue;
            }
            let path = AnswerPath {
                instance: instance.cloned(),
                question: row.name.clone(),
            };
            let Some(value) = self
                .default_value(*position, &path)
                .filter(|value| *value != Value::from(""))
            else {
                continue;
            };
            if self.store.answer(&path).is_none() {
                self.store.put_answer(&path, &value).map_err(AnswerError::Store)?;
            }
        }
        Ok(())
    }

    fn default_value(&self, position: usize, path: &AnswerPath) -> Option<Value> {
        let row = self.form.nodes().get(position)?;
        if let NodeKind::Metadata(metadata) = row.kind {
            return Some(Value::Text(match metadata {
                Metadata::Start | Metadata::End => self.context.now.to_date_time_text(),
                Metadata::Today => self.context.now.date()?.to_string(),
                Metadata::DeviceId => self.context.device_id.clone()?,
                _ => return None,
            }));
        }
        let written = row.default.as_deref()?;
        let text = match &self.form.formulas(position)?.default {
            Some(expression) => self.evaluated_text(expression, self.node(path)?)?,
            None => written.to_owned(),
        };
        Some(match row.kind {
            NodeKind::Integer => Value::Integer(text.parse().ok()?),
            NodeKind::Decimal => Value::Decimal(text.parse().ok()?),
            NodeKind::SelectMultiple { .. } => {
                Value::Choices(text.split_ascii_whitespace().map(str::to_owned).collect())
            }
            _ => Value::Text(text),
        })
    }

    fn evaluated_text(&self, expression: &Expression, node: NodeId) -> Option<String> {
        let object = evaluate(expression, &self.instance.tree, node, &self.context, &Variables::new()).ok()?;
        match object {
            Object::Number(number) if number.is_nan() => None,
            Object::Date(date) if date.moment.is_none() => None,
            other => Some(other.to_text(&self.instance.tree)),
        }
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

    pub(super) fn check_type(&self, row: &FormNode, path: &AnswerPath, value: &Value) -> Result<(), Refusal> {
        let (fits, expected) = match (&row.kind, value) {
            (NodeKind::Integer, value) => (matches!(value, Value::Integer(_)), INTEGER),
            (NodeKind::Decimal, Value::Decimal(number)) => (number.is_finite(), DECIMAL),
            (NodeKind::Decimal, value) => (matches!(value, Value::Integer(_)), DECIMAL),
            (NodeKind::Date, Value::Text(text)) => (Date::parse(text).is_some(), DATE),
            (NodeKind::Date, _) => (false, DATE),
            (NodeKind::Geopoint, Value::Text(text)) => (is_geopoint(text), GEOPOINT),
            (NodeKind::Geopoint, _) => (false, GEOPOINT),
            (NodeKind::Acknowledge, value) => (*value == Value::from("OK"), ACKNOWLEDGED),
            (NodeKind::SelectOne { .. }, Value::Text(name)) => {
                self.check_choice(path, name)?;
                (true, CHOICE)
            }
            (NodeKind::SelectOne { .. }, _) => (false, CHOICE),
            (NodeKind::SelectMultiple { .. }, Value::Choices(names)) => {
                for name in names {
                    self.check_choice(path, name)?;
                }
                (true, CHOICES)
            }
            (NodeKind::SelectMultiple { .. }, _) => (false, CHOICES),
            (_, value) => (matches!(value, Value::Text(_)), TEXT),
        };
        if fits {
            return Ok(());
        }
        Err(Refusal::WrongType {
            expected,
            found: value.to_string(),
        })
    }

    fn check_choice(&self, path: &AnswerPath, name: &str) -> Result<(), Refusal> {
        if self.choices(path).iter().any(|choice| choice.name == name) {
            Ok(())
        } else {
            Err(Refusal::UnknownChoice(name.to_owned()))
        }
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

/// Two to four numbers: latitude and longitude in degrees, altitude and accuracy in metres.
fn is_geopoint(text: &str) -> bool {
    let numbers: Option<Vec<f64>> = text.split_ascii_whitespace().map(|part| part.parse().ok()).collect();
    let Some(numbers) = numbers else { return false };
    match numbers.as_slice() {
        [latitude, longitude, rest @ ..] => {
            latitude.abs() <= 90.0
                && longitude.abs() <= 180.0
                && rest.len() <= 2
                && rest.iter().all(|number| number.is_finite())
                && rest.get(1).is_none_or(|accuracy| *accuracy >= 0.0)
        }
        _ => false,
    }
}
