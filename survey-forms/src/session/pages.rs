//! Moving through a form: what stands on one page, what comes before and after, and how much is done.

use super::{AskedQuestion, Session};
use crate::answers::{AnswerPath, AnswersMut, InstanceId};
use crate::model::NodeKind;

/// The appearance of a group whose questions stand on one page (XLSForm reference, "Appearance").
const FIELD_LIST: &str = "field-list";

/// What people see at a time: one question, or all questions of a group or repeat instance with the appearance
/// `field-list`.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<'f> {
    /// The position of the group or repeat whose questions stand together; none where it is a single question.
    pub group: Option<usize>,
    /// The questions, in the form's order; at least one.
    pub questions: Vec<AskedQuestion<'f>>,
}

impl Page<'_> {
    /// The address of the page's first question, which identifies the page.
    pub fn first(&self) -> Option<&AnswerPath> {
        self.questions.first().map(|question| &question.path)
    }

    /// Whether the question is on the page.
    pub fn shows(&self, path: &AnswerPath) -> bool {
        self.questions.iter().any(|question| question.path == *path)
    }
}

/// How much of a part of the form is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The position of the top-level group or repeat; none for the questions that are in no group.
    pub group: Option<usize>,
    /// How many of the questions that are to be asked now have an answer.
    pub answered: usize,
    /// How many questions are to be asked now.
    pub asked: usize,
}

impl<'f, S: AnswersMut> Session<'f, S> {
    /// The pages of the form as it is now. Groups without anything to ask or show have none.
    pub fn pages(&self) -> Vec<Page<'f>> {
        let mut pages = Vec::new();
        self.add_pages(self.form.top(), None, &mut pages);
        pages
    }

    /// The page after the one that shows the question at `path`; the first where `path` is none, none after the last. A
    /// question that is no longer to be asked leads on from where it stood.
    pub fn next_page(&self, path: Option<&AnswerPath>) -> Option<Page<'f>> {
        let mut pages = self.pages();
        let next = match path {
            None => 0,
            Some(path) => match pages.iter().position(|page| page.shows(path)) {
                Some(place) => place + 1,
                None => pages.iter().position(|page| self.is_after(page, path))?,
            },
        };
        (next < pages.len()).then(|| pages.swap_remove(next))
    }

    /// The page before the one that shows the question at `path`; the last where `path` is none, none before the first.
    pub fn previous_page(&self, path: Option<&AnswerPath>) -> Option<Page<'f>> {
        let mut pages = self.pages();
        let end = match path {
            None => pages.len(),
            Some(path) => {
                let place = pages.iter().position(|page| page.shows(path));
                let after = || pages.iter().position(|page| self.is_after(page, path));
                place.or_else(after).unwrap_or(pages.len())
            }
        };
        let previous = end.checked_sub(1)?;
        (previous < pages.len()).then(|| pages.swap_remove(previous))
    }

    /// How much is done of each top-level group, and of the questions outside all groups, in the form's order; parts
    /// without anything to ask are left out.
    pub fn progress(&self) -> Vec<Progress> {
        let mut parts: Vec<Progress> = Vec::new();
        for asked in self.questions().into_iter().filter(AskedQuestion::takes_answer) {
            let group = self
                .form
                .position(&asked.path.question)
                .and_then(|position| self.top_group(position));
            let place = parts.iter().position(|part| part.group == group).unwrap_or_else(|| {
                parts.push(Progress {
                    group,
                    answered: 0,
                    asked: 0,
                });
                parts.len() - 1
            });
            if let Some(part) = parts.get_mut(place) {
                part.asked += 1;
                part.answered += usize::from(self.value(&asked.path).is_some());
            }
        }
        parts
    }

    fn top_group(&self, position: usize) -> Option<usize> {
        let parent = |position: usize| self.form.nodes().get(position).and_then(|row| row.parent);
        std::iter::successors(parent(position), |group| parent(*group)).last()
    }

    /// Whether a page stands behind a place in the document.
    fn is_after(&self, page: &Page<'_>, path: &AnswerPath) -> bool {
        let (Some(first), Some(node)) = (page.first().and_then(|first| self.node(first)), self.node(path)) else {
            return false;
        };
        first > node
    }

    fn add_pages(&self, rows: &[usize], instance: Option<&InstanceId>, pages: &mut Vec<Page<'f>>) {
        for position in rows {
            let Some(row) = self.form.nodes().get(*position) else {
                continue;
            };
            let together = row.is_container() && row.has_appearance(FIELD_LIST);
            let children = self.form.children(*position);
            let mut inside = |instance: Option<&InstanceId>, rows: &[usize]| {
                if !together && row.is_container() {
                    self.add_pages(rows, instance, pages);
                    return;
                }
                let mut questions = Vec::new();
                self.collect(rows, instance, &mut questions);
                if !questions.is_empty() {
                    let group = together.then_some(*position);
                    pages.push(Page { group, questions });
                }
            };
            match row.kind {
                NodeKind::Repeat => {
                    for id in self.instance.instances(*position, instance) {
                        let place = self.instance.instance_node(&id);
                        if place.is_some_and(|place| self.instance.tree.is_relevant(place)) {
                            inside(Some(&id), children);
                        }
                    }
                }
                NodeKind::Group => inside(instance, children),
                _ => inside(instance, &[*position]),
            }
        }
    }
}
