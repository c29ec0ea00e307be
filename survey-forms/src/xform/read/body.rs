//! The controls of the body, given to the elements that they show (ODK XForms, "Body").

use super::outline::{MAX_ROWS, Outline};
use super::report::{Report, shortened};
use super::tree::Element;
use crate::Phrase;
use crate::model::XFormProblem;

/// The elements that ask something.
const QUESTIONS: [&str; 9] = [
    "input", "select1", "select", "rank", "odk:rank", "range", "trigger", "upload", "secret",
];

/// Something that happens to an element.
pub(super) struct Action<'x> {
    pub(super) element: &'x Element,
    /// The question in whose control the action stands.
    pub(super) question: Option<usize>,
    /// The group or repeat in whose control it stands, from which relative paths start.
    pub(super) around: Option<usize>,
}

/// Whether an element is an action.
pub(super) fn is_action(element: &Element) -> bool {
    matches!(
        element.name.as_str(),
        "setvalue" | "odk:setgeopoint" | "odk:recordaudio" | "action"
    )
}

/// Gives every element its control and collects the actions that stand in controls.
pub(super) fn read<'x>(body: &'x Element, outline: &mut Outline<'x>, report: &mut Report) -> Vec<Action<'x>> {
    let mut walk = Walk {
        outline,
        report,
        actions: Vec::new(),
        order: 0,
        labels: 0,
    };
    walk.inside(body, None);
    walk.actions
}

struct Walk<'o, 'x> {
    outline: &'o mut Outline<'x>,
    report: &'o mut Report,
    actions: Vec<Action<'x>>,
    order: usize,
    /// How many rows were made for labels of groups.
    labels: usize,
}

impl<'x> Walk<'_, 'x> {
    fn inside(&mut self, container: &'x Element, around: Option<usize>) {
        for element in container.elements() {
            match element.name.as_str() {
                "group" => self.group(element, around),
                "repeat" => self.repeat(element, None, around),
                name if QUESTIONS.contains(&name) => self.question(element, around),
                "label" | "hint" | "help" => {}
                _ if is_action(element) => self.action(element, None, around),
                name => {
                    let what = Phrase::new(
                        "this element of the body is not known and left out",
                        "phần tử này của body không rõ nên bị bỏ qua",
                    );
                    self.report.changed(&element.spot, what, name);
                }
            }
        }
    }

    fn action(&mut self, element: &'x Element, question: Option<usize>, around: Option<usize>) {
        if element.name == "action" {
            for inner in element.elements().filter(|inner| is_action(inner)) {
                self.action(inner, question, around);
            }
        } else {
            self.actions.push(Action {
                element,
                question,
                around,
            });
        }
    }

    /// What a control is about: by its path, or by the bind that it names.
    fn target(&mut self, element: &'x Element, around: Option<usize>) -> Option<Option<usize>> {
        let written = element.get("ref").or_else(|| element.get("nodeset"));
        let found = match (written, element.get("bind")) {
            (Some(path), _) => self.outline.resolve(path, around).map(|target| target.slot),
            (None, Some(id)) => self.outline.by_bind.get(id).copied().map(Some),
            (None, None) => return Some(None),
        };
        if found.is_none() {
            let written = written.or_else(|| element.get("bind")).unwrap_or_default();
            self.report
                .refuse(&element.spot, XFormProblem::Nowhere(shortened(written)));
        }
        found
    }

    /// Makes `element` the control of the element at `slot`; says whether it may.
    fn show(&mut self, slot: usize, element: &'x Element, around: Option<usize>) -> bool {
        let Some(found) = self.outline.slots.get_mut(slot) else {
            return false;
        };
        if found.control.is_some() {
            let what = Phrase::new(
                "the element is shown twice; only its first control is kept",
                "phần tử được hiển thị hai lần; chỉ giữ lần đầu",
            );
            let name = found.name.clone();
            self.report.changed(&element.spot, what, &name);
            return false;
        }
        self.order += 1;
        found.control = Some(element);
        found.order = self.order;
        let parent = found.parent;
        if parent != around {
            let what = Phrase::new(
                "the control stands in another group than its element; it is shown where the element is",
                "câu hỏi đứng ở nhóm khác với phần tử của nó; nó được hiển thị ở nhóm của phần tử",
            );
            let name = found.name.clone();
            self.report.changed(&element.spot, what, &name);
        }
        true
    }

    fn group(&mut self, element: &'x Element, around: Option<usize>) {
        let Some(target) = self.target(element, around) else {
            return;
        };
        let repeat = element.child("repeat");
        let repeated = repeat.and_then(|repeat| {
            let path = repeat.get("nodeset").or_else(|| repeat.get("ref"))?;
            self.outline.resolve(path, around)?.slot
        });
        let alone = |child: &Element| matches!(child.name.as_str(), "label" | "hint" | "help" | "repeat");
        if let Some(repeat) = repeat
            && repeated.is_some()
            && (target == repeated || (target.is_none() && element.elements().all(alone)))
        {
            self.repeat(repeat, Some(element), around);
            return;
        }
        match target {
            Some(slot) => {
                self.show(slot, element, around);
                self.inside(element, Some(slot));
            }
            None => {
                let what = Phrase::new(
                    "the group has no element: its questions stay where their elements are, without its appearance",
                    "nhóm không có phần tử: câu hỏi của nó ở nguyên chỗ, không giữ kiểu hiển thị của nhóm",
                );
                let appearance = element.get("appearance").unwrap_or_default();
                self.report.changed(&element.spot, what, appearance);
                self.group_label(element, around);
                self.inside(element, around);
            }
        }
    }

    /// The label of a group without an element becomes a note before its questions.
    fn group_label(&mut self, element: &'x Element, around: Option<usize>) {
        let Some(label) = element.child("label") else { return };
        let is_empty = label.get("ref").is_none() && label.children.is_empty();
        if is_empty || self.outline.slots.len() >= MAX_ROWS {
            return;
        }
        let name = loop {
            self.labels += 1;
            let name = format!("generated_group_label_{}", self.labels);
            if self.outline.child(around, &name).is_none() {
                break name;
            }
        };
        let slot = self.outline.push(around, name, element);
        self.show(slot, element, around);
        if let Some(slot) = self.outline.slots.get_mut(slot) {
            slot.is_group_label = true;
        }
    }

    fn repeat(&mut self, element: &'x Element, wrapper: Option<&'x Element>, around: Option<usize>) {
        let Some(target) = self.target(element, around) else {
            return;
        };
        let Some(slot) = target else {
            self.report
                .refuse(&element.spot, XFormProblem::MissingAttribute("nodeset"));
            return;
        };
        if self.show(slot, element, around)
            && let Some(found) = self.outline.slots.get_mut(slot)
        {
            found.is_repeat = true;
            found.wrapper = wrapper;
        }
        self.inside(element, Some(slot));
    }

    fn question(&mut self, element: &'x Element, around: Option<usize>) {
        let Some(target) = self.target(element, around) else {
            return;
        };
        let Some(slot) = target else {
            self.report.refuse(&element.spot, XFormProblem::MissingAttribute("ref"));
            return;
        };
        self.show(slot, element, around);
        for child in element.elements().filter(|child| is_action(child)) {
            self.action(child, Some(slot), around);
        }
    }
}
