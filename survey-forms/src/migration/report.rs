//! What becomes of each old answer.

use serde::{Deserialize, Serialize};

use super::conversion::Conversion;
use super::lineage::Lineage;
use super::reading::{MigratedAnswers, Migration};
use crate::answers::{AnswerPath, Answers, InstanceId, Value};
use crate::model::{Form, FormNode, NodeKind, Translations};

/// What becomes of the answers of one response. Every answer under the old form is in exactly one of the lists, or counted
/// as unchanged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Migrated {
    /// How many answers the new form reads as they stand, under the same name.
    pub unchanged: usize,
    /// Answers that the new form reads under another name or converted.
    pub carried: Vec<CarriedAnswer>,
    /// Answers that the new form does not read. They stay in the store.
    pub kept: Vec<KeptAnswer>,
    /// Instances of repeats that the new form does not have. They stay in the store.
    pub kept_instances: Vec<KeptInstance>,
}

/// An answer that the new form reads otherwise than the old one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CarriedAnswer {
    /// The old question.
    pub from: AnswerPath,
    /// The new question.
    pub to: AnswerPath,
    /// The value under the old form.
    pub before: Value,
    /// The value under the new form.
    pub after: Value,
}

/// An answer that is kept but no longer asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptAnswer {
    /// The old question.
    pub path: AnswerPath,
    /// What people saw of the question.
    pub label: Translations,
    /// The value.
    pub value: Value,
    /// Why the new form does not read it.
    pub reason: KeptReason,
}

/// Why a new form does not read an old answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeptReason {
    /// The new form has no such question.
    QuestionRemoved,
    /// The question stands in another repeat, or in one where it stood in none.
    OtherRepeat,
    /// The new type has no such value.
    OtherType,
    /// The new form computes the value.
    Computed,
    /// The question has been answered anew under its new name.
    AnsweredAnew,
}

impl KeptReason {
    /// The reason in English.
    pub fn english(self) -> &'static str {
        match self {
            Self::QuestionRemoved => "the new form does not ask the question",
            Self::OtherRepeat => "the question stands in another repeat of the new form",
            Self::OtherType => "the question's new type has no such value",
            Self::Computed => "the new form computes the value",
            Self::AnsweredAnew => "the question has a newer answer under its new name",
        }
    }

    /// The reason in Vietnamese.
    pub fn vietnamese(self) -> &'static str {
        match self {
            Self::QuestionRemoved => "biểu mẫu mới không hỏi câu này",
            Self::OtherRepeat => "câu hỏi nằm trong nhóm lặp khác của biểu mẫu mới",
            Self::OtherType => "loại mới của câu hỏi không có giá trị này",
            Self::Computed => "biểu mẫu mới tự tính giá trị này",
            Self::AnsweredAnew => "câu hỏi đã có câu trả lời mới dưới tên mới",
        }
    }
}

/// An instance of a repeat that is kept but no longer shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptInstance {
    /// The repeat, by the name under which the old form keeps it.
    pub repeat: String,
    /// The instance.
    pub instance: InstanceId,
}

/// Tells what becomes of every answer in `answers` when the form `new` follows on `old`. Nothing is changed; see
/// [`Migration::read`] for reading the answers.
pub fn migrate(old: &Form, new: &Form, answers: &impl Answers) -> Migrated {
    let lineage = Lineage::new(old, new);
    let migration = Migration::along(&lineage, old, new);
    let mut walk = Walk {
        old,
        new,
        lineage: &lineage,
        answers,
        read: migration.read(answers),
        migrated: Migrated::default(),
    };
    walk.rows(old.top(), None);
    walk.migrated
}

struct Walk<'a, A> {
    old: &'a Form,
    new: &'a Form,
    lineage: &'a Lineage,
    answers: &'a A,
    read: MigratedAnswers<'a, &'a A>,
    migrated: Migrated,
}

impl<A: Answers> Walk<'_, A> {
    fn rows(&mut self, positions: &[usize], instance: Option<&InstanceId>) {
        let old = self.old;
        for position in positions {
            let Some(node) = old.nodes().get(*position) else {
                continue;
            };
            match node.kind {
                NodeKind::Group => self.rows(old.children(*position), instance),
                NodeKind::Repeat => self.repeat(*position, instance),
                _ => self.question(*position, node, instance),
            }
        }
    }

    fn repeat(&mut self, position: usize, parent: Option<&InstanceId>) {
        let repeat = self.old.key(position);
        let continuation = self.lineage.continuation(position);
        let is_shown = continuation.is_some_and(|continuation| {
            self.lineage
                .is_in_same_repeat(self.old, self.new, position, continuation)
        });
        for instance in self.answers.instances(repeat, parent) {
            self.rows(self.old.children(position), Some(&instance));
            if !is_shown {
                self.migrated.kept_instances.push(KeptInstance {
                    repeat: repeat.to_owned(),
                    instance,
                });
            }
        }
    }

    fn question(&mut self, position: usize, node: &FormNode, instance: Option<&InstanceId>) {
        let path = |question: &str| AnswerPath {
            instance: instance.cloned(),
            question: question.to_owned(),
        };
        let from = path(self.old.key(position));
        let Some(value) = self.answers.answer(&from) else {
            return;
        };
        let continuation = self.lineage.continuation(position);
        let to = continuation.map(|continuation| path(self.new.key(continuation)));
        let kept = match (continuation, &to) {
            (Some(continuation), Some(to)) => self.kept(position, node, continuation, &from, to, &value),
            _ => Some(KeptReason::QuestionRemoved),
        };
        let after = to.and_then(|to| Some((self.read.answer(&to)?, to)));
        match (kept, after) {
            (None, Some((after, to))) if after == value && to == from => self.migrated.unchanged += 1,
            (None, Some((after, to))) => self.migrated.carried.push(CarriedAnswer {
                from,
                to,
                before: value,
                after,
            }),
            (reason, _) => self.migrated.kept.push(KeptAnswer {
                path: from,
                label: node.label.clone(),
                value,
                reason: reason.unwrap_or(KeptReason::OtherType),
            }),
        }
    }

    /// Why the new form does not read the value; none where it does.
    fn kept(
        &self,
        position: usize,
        node: &FormNode,
        continuation: usize,
        from: &AnswerPath,
        to: &AnswerPath,
        value: &Value,
    ) -> Option<KeptReason> {
        let after = self.new.nodes().get(continuation)?;
        if !self
            .lineage
            .is_in_same_repeat(self.old, self.new, position, continuation)
        {
            return Some(KeptReason::OtherRepeat);
        }
        let conversion = Conversion::new(self.old, node, self.new, after);
        if conversion.is_computed() {
            return Some(KeptReason::Computed);
        }
        let Some(converted) = conversion.apply(value.clone()) else {
            return Some(KeptReason::OtherType);
        };
        let own = if from == to { None } else { self.answers.answer(to) };
        let own = own.and_then(|own| conversion.apply(own));
        (own.is_some_and(|own| own != converted)).then_some(KeptReason::AnsweredAnew)
    }
}
