//! What people see of a form as it is now: the rows at one level of rosters, and texts with the values that they mention.

use super::{AskedQuestion, Session};
use crate::answers::{AnswerPath, AnswersMut, InstanceId};
use crate::model::lexical::reference_length;
use crate::model::{NodeKind, Translations};
use crate::xpath::{NodeId, Tree, Variables, evaluate, parse};

/// A row at one level: of the form outside all rosters, or of one roster instance.
#[derive(Debug, Clone, PartialEq)]
pub enum Row<'f> {
    /// A question, note or acknowledgement that is to be asked or shown now.
    Question(AskedQuestion<'f>),
    /// A roster that is to be filled now, whose instances are levels of their own.
    Roster {
        /// The position of the repeat.
        repeat: usize,
        /// The instance that the roster stands in.
        parent: Option<InstanceId>,
    },
}

impl<'f, S: AnswersMut> Session<'f, S> {
    /// The rows of one level that are to be asked or shown now, in the form's order: outside all rosters where `level` is
    /// none, else inside that instance. Empty for an instance that is not shown now.
    pub fn rows(&self, level: Option<&InstanceId>) -> Vec<Row<'f>> {
        let mut found = Vec::new();
        match level {
            None => self.collect_rows(self.form.top(), None, &mut found),
            Some(instance) => {
                let place = self.instance.place_of(instance);
                let shown = self.instance.instance_node(instance);
                if let (Some((repeat, _)), Some(node)) = (place, shown)
                    && self.instance.tree.is_relevant(node)
                {
                    self.collect_rows(self.form.children(repeat), Some(instance), &mut found);
                }
            }
        }
        found
    }

    /// The instances of a roster that are to be filled now.
    pub fn shown_instances(&self, repeat: usize, parent: Option<&InstanceId>) -> Vec<InstanceId> {
        let mut instances = self.instance.instances(repeat, parent);
        instances.retain(|id| {
            let node = self.instance.instance_node(id);
            node.is_some_and(|node| self.instance.tree.is_relevant(node))
        });
        instances
    }

    /// The text in the session's language, with each `${question}` in it replaced by the value that the row at `path` sees
    /// (XLSForm reference, "Labels": `${question}` in a label).
    pub fn shown_text(&self, path: &AnswerPath, texts: &Translations) -> String {
        let mut rest = self.text(texts);
        let mut shown = String::with_capacity(rest.len());
        while let Some(start) = rest.find("${") {
            let (before, reference) = rest.split_at(start);
            shown.push_str(before);
            let length = reference_length(reference);
            let (written, after) = reference.split_at(length.unwrap_or(2));
            match length.and_then(|_| self.mentioned(path, written)) {
                Some(value) => shown.push_str(&value),
                // What is no reference to a question is a part of the text.
                None if length.is_none() => shown.push_str(written),
                None => {}
            }
            rest = after;
        }
        shown.push_str(rest);
        shown
    }

    fn mentioned(&self, path: &AnswerPath, reference: &str) -> Option<String> {
        let expression = parse(reference).ok()?;
        let node = self.node(path)?;
        let tree = &self.instance.tree;
        let object = evaluate(&expression, tree, node, &self.context, &Variables::new()).ok()?;
        Some(object.to_text(tree))
    }

    fn collect_rows(&self, positions: &[usize], instance: Option<&InstanceId>, found: &mut Vec<Row<'f>>) {
        for position in positions {
            let Some(node) = self.form.nodes().get(*position) else {
                continue;
            };
            let path = AnswerPath {
                instance: instance.cloned(),
                question: self.form.key(*position).to_owned(),
            };
            match node.kind {
                NodeKind::Group if self.is_relevant(&path) => {
                    self.collect_rows(self.form.children(*position), instance, found);
                }
                NodeKind::Repeat if self.is_roster_relevant(*position, instance) => found.push(Row::Roster {
                    repeat: *position,
                    parent: instance.cloned(),
                }),
                NodeKind::Group
                | NodeKind::Repeat
                | NodeKind::Calculate
                | NodeKind::Hidden
                | NodeKind::Metadata(_)
                | NodeKind::ExternalData(_) => {}
                _ if self.is_relevant(&path) => found.push(Row::Question(AskedQuestion { path, node })),
                _ => {}
            }
        }
    }

    /// Whether a roster is to be filled whose groups are: one without instances has no element that could say so.
    fn is_roster_relevant(&self, repeat: usize, parent: Option<&InstanceId>) -> bool {
        let formulas = self.form.formulas(repeat);
        let Some(relevant) = formulas.and_then(|formulas| formulas.relevant.as_ref()) else {
            return true;
        };
        if !self.instance.instances(repeat, parent).is_empty() {
            return !self.shown_instances(repeat, parent).is_empty();
        }
        let around: Option<NodeId> = match parent {
            None => Some(Tree::ROOT),
            Some(parent) => self.instance.instance_node(parent),
        };
        around.is_some_and(|around| self.evaluates_to_true(relevant, around))
    }
}
