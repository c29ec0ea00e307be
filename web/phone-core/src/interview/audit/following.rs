//! What the open interview tells its log.

use survey_forms::answers::{AnswerPath, InstanceId, Value};
use survey_forms::model::NodeKind;

use super::{EventKind, Shown};
use crate::interview::{Layout, OpenInterview, Place};

impl OpenInterview {
    /// Tells the log where the volunteer is now.
    pub(crate) fn log_place(&mut self, now: i64) {
        if self.audit.is_none() {
            return;
        }
        let shown = self.shown_now();
        if let Some(audit) = &mut self.audit {
            audit.wake(now);
            audit.show(shown, now);
        }
    }

    /// Tells the log where the volunteer is, if they were away: after the app was closed, or put away.
    pub(crate) fn log_return(&mut self, now: i64) {
        if self.audit.as_ref().is_some_and(|audit| !audit.shows_something()) {
            self.log_place(now);
        }
    }

    /// Tells the log that an answer was given, changed or taken away. `old` is what it was before.
    pub(crate) fn log_answer(&mut self, path: &AnswerPath, old: Option<Value>, now: i64) {
        if self.audit.is_none() {
            return;
        }
        let new = self.session.value(path);
        let node = self.node_of(path);
        if let Some(audit) = &mut self.audit {
            audit.wake(now);
            audit.answer(path, node, logged(old.as_ref()), logged(new.as_ref()), now);
        }
    }

    /// Tells the log that the form did not take an answer.
    pub(crate) fn log_refusal(&mut self, path: &AnswerPath, now: i64) {
        let node = self.node_of(path);
        self.log(EventKind::ConstraintError, node, now);
    }

    /// Tells the log that the instance with this path was removed from its roster.
    pub(crate) fn log_removal(&mut self, node: String, now: i64) {
        self.log(EventKind::DeleteRepeat, node, now);
    }

    /// Tells the log that the volunteer goes straight to another place.
    pub(crate) fn log_jump(&mut self, now: i64) {
        if let Some(audit) = &mut self.audit {
            audit.wake(now);
            audit.jump(now);
        }
    }

    fn log(&mut self, kind: EventKind, node: String, now: i64) {
        if let Some(audit) = &mut self.audit {
            audit.wake(now);
            audit.instant(kind, node, now);
        }
    }

    fn shown_now(&self) -> Shown {
        let here = self.here();
        let (kind, node, only) = match &here {
            // One question, as in Collect.
            Place::Page { group: None, .. } if self.layout == Layout::Question => {
                let asked = self.questions_of(&here).into_iter().next();
                let only = asked.map(|asked| asked.path);
                let node = only.as_ref().map_or_else(String::new, |path| self.node_of(path));
                let value = only.as_ref().and_then(|path| self.session.value(path));
                (
                    EventKind::Question,
                    node,
                    only.map(|path| (path, logged(value.as_ref()))),
                )
            }
            Place::Page { group, level, .. } => {
                let node = group.map_or_else(|| self.root(), |group| self.node(group, level.as_ref()));
                (EventKind::GroupQuestions, node, None)
            }
            // The list from which the next instance is added is what Collect asks whether to add one.
            Place::Roster { repeat, parent } => {
                let next = self.session.shown_instances(*repeat, parent.as_ref()).len() + 1;
                let around = self.row(*repeat).and_then(|row| row.parent);
                let around = around.map_or_else(|| self.root(), |around| self.node(around, parent.as_ref()));
                let name = self.row(*repeat).map_or("", |row| row.name.as_str());
                (EventKind::AddRepeat, format!("{around}/{name}[{next}]"), None)
            }
            Place::End => (EventKind::EndScreen, String::new(), None),
        };
        Shown {
            place: here.id(),
            kind,
            node,
            only,
        }
    }

    fn node_of(&self, path: &AnswerPath) -> String {
        let position = self.position(path);
        position.map_or_else(String::new, |position| self.node(position, path.instance.as_ref()))
    }

    /// The path of a roster instance in the filled form.
    pub(crate) fn node_of_instance(&self, instance: &InstanceId) -> String {
        match self.roster_of(instance) {
            Some(Place::Roster { repeat, .. }) => self.node(repeat, Some(instance)),
            _ => String::new(),
        }
    }

    fn root(&self) -> String {
        format!("/{}", self.session.form().settings().root_name)
    }

    /// The path of a row in the filled form. As in Collect only repeats have positions, and always have one.
    fn node(&self, position: usize, instance: Option<&InstanceId>) -> String {
        let mut instance = instance.cloned();
        let mut names: Vec<String> = Vec::new();
        let mut place = Some(position);
        while let Some(row) = place.and_then(|position| self.row(position)) {
            let roster = match row.kind {
                NodeKind::Repeat => instance.take().and_then(|id| Some((self.roster_of(&id)?, id))),
                _ => None,
            };
            names.push(match roster {
                Some((Place::Roster { repeat, parent }, id)) => {
                    let instances = self.session.shown_instances(repeat, parent.as_ref());
                    let number = instances
                        .iter()
                        .position(|other| *other == id)
                        .map_or(1, |before| before + 1);
                    instance = parent;
                    format!("{}[{number}]", row.name)
                }
                _ => row.name.clone(),
            });
            place = row.parent;
        }
        names.push(self.root());
        names.reverse();
        names.join("/")
    }
}

/// A value as Collect shows it in its log: choices by their names, separated by commas.
fn logged(value: Option<&Value>) -> String {
    match value {
        Some(Value::Choices(names)) => names.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
        Some(value) => value.to_string(),
        None => String::new(),
    }
}
