//! The elements of the primary instance, with what the model and the body say of each (ODK XForms, "Primary Instance").

use std::collections::HashMap;

use super::report::Report;
use super::tree::{Element, Spot};
use crate::Phrase;
use crate::model::{ProblemKind, XFormProblem};

/// The most elements of a filled form.
pub(super) const MAX_ROWS: usize = 20_000;

/// An element of the primary instance; all instances of a repeat are one.
pub(super) struct Slot<'x> {
    pub(super) name: String,
    /// The group around it; none directly inside the outermost element.
    pub(super) parent: Option<usize>,
    pub(super) children: Vec<usize>,
    pub(super) element: &'x Element,
    pub(super) bind: Option<&'x Element>,
    /// The binds of its attributes, which only entities have.
    pub(super) attribute_binds: Vec<(String, &'x Element)>,
    pub(super) control: Option<&'x Element>,
    /// The `<group>` that a `<repeat>` stands in.
    pub(super) wrapper: Option<&'x Element>,
    /// The place of the control among all.
    pub(super) order: usize,
    pub(super) is_repeat: bool,
    /// Whether it stands for the label of a group without an element.
    pub(super) is_group_label: bool,
    /// Whether it becomes no row.
    pub(super) is_hidden: bool,
}

impl Slot<'_> {
    pub(super) fn is_container(&self) -> bool {
        let is_group = self.control.is_some_and(|control| control.name == "group") && !self.is_group_label;
        self.is_repeat || is_group || !self.children.is_empty()
    }

    /// Where to look for what is wrong with it.
    pub(super) fn spot(&self) -> &Spot {
        &self.bind.or(self.control).unwrap_or(self.element).spot
    }
}

/// The elements in the order of the instance.
pub(super) struct Outline<'x> {
    pub(super) root: &'x Element,
    pub(super) slots: Vec<Slot<'x>>,
    pub(super) top: Vec<usize>,
    index: HashMap<(Option<usize>, String), usize>,
    /// The elements by the identities of their binds.
    pub(super) by_bind: HashMap<&'x str, usize>,
}

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// The element; none for the outermost one.
    pub(super) slot: Option<usize>,
    pub(super) attribute: Option<String>,
}

impl<'x> Outline<'x> {
    /// The outline of the instance whose outermost element is `root`.
    pub(super) fn new(root: &'x Element, report: &mut Report) -> Self {
        let mut outline = Self {
            root,
            slots: Vec::new(),
            top: Vec::new(),
            index: HashMap::new(),
            by_bind: HashMap::new(),
        };
        outline.add(None, root, report);
        outline
    }

    fn add(&mut self, parent: Option<usize>, container: &'x Element, report: &mut Report) {
        for element in container.elements() {
            let name = local(&element.name);
            let key = (parent, name.to_owned());
            let slot = match self.index.get(&key) {
                Some(known) => *known,
                None if self.slots.len() >= MAX_ROWS => {
                    let what = Phrase::new("the number of elements in the form", "số phần tử trong biểu mẫu");
                    let (found, most) = (MAX_ROWS as u64 + 1, MAX_ROWS as u64);
                    report.problems.push(crate::model::FormProblem {
                        place: element.spot.place(),
                        kind: ProblemKind::TooLarge { what, found, most },
                    });
                    return;
                }
                None => self.push(parent, name.to_owned(), element),
            };
            self.add(Some(slot), element, report);
        }
    }

    /// Adds an element that is not in the instance, or not yet.
    pub(super) fn push(&mut self, parent: Option<usize>, name: String, element: &'x Element) -> usize {
        let slot = self.slots.len();
        self.index.insert((parent, name.clone()), slot);
        self.slots.push(Slot {
            name,
            parent,
            children: Vec::new(),
            element,
            bind: None,
            attribute_binds: Vec::new(),
            control: None,
            wrapper: None,
            order: 0,
            is_repeat: false,
            is_group_label: false,
            is_hidden: false,
        });
        match parent.and_then(|parent| self.slots.get_mut(parent)) {
            Some(parent) => parent.children.push(slot),
            None => self.top.push(slot),
        }
        slot
    }

    pub(super) fn child(&self, parent: Option<usize>, name: &str) -> Option<usize> {
        self.index.get(&(parent, name.to_owned())).copied()
    }

    pub(super) fn get(&self, slot: usize) -> Option<&Slot<'x>> {
        self.slots.get(slot)
    }

    /// What a path leads to; a relative one starts at `from` (none for the outermost element).
    pub(super) fn resolve(&self, path: &str, from: Option<usize>) -> Option<Target> {
        let path = path.trim();
        let path = path.strip_prefix("current()/").unwrap_or(path);
        // Older forms name the instance: /model/instance[1]/data/…
        let path = path.strip_prefix("/model/instance[1]").unwrap_or(path);
        let mut slot = from;
        let mut steps = path.split('/').peekable();
        if path.starts_with('/') {
            steps.next();
            let outermost = steps.next()?.trim();
            if local(outermost) != local(&self.root.name) {
                return None;
            }
            slot = None;
        }
        while let Some(step) = steps.next() {
            let step = step.trim();
            match step {
                "." => {}
                "" if steps.peek().is_none() => {}
                ".." => slot = self.get(slot?)?.parent,
                _ => match step.strip_prefix('@') {
                    Some(name) if steps.peek().is_none() => {
                        let attribute = Some(name.to_owned());
                        return Some(Target { slot, attribute });
                    }
                    _ => slot = Some(self.child(slot, local(step))?),
                },
            }
        }
        Some(Target { slot, attribute: None })
    }

    /// Gives each element its bind.
    pub(super) fn bind(&mut self, binds: impl Iterator<Item = &'x Element>, report: &mut Report) {
        for bind in binds {
            let Some(path) = bind.get("nodeset").or_else(|| bind.get("ref")) else {
                report.refuse(&bind.spot, XFormProblem::MissingAttribute("nodeset"));
                continue;
            };
            let found = self.resolve(path, None);
            let Some(Target {
                slot: Some(slot),
                attribute,
            }) = found
            else {
                // A bind of the outermost element says nothing that a form here could not do without.
                if found.is_none() {
                    report.refuse(&bind.spot, XFormProblem::Nowhere(super::report::shortened(path)));
                }
                continue;
            };
            if let Some(id) = bind.get("id") {
                self.by_bind.entry(id).or_insert(slot);
            }
            let Some(slot) = self.slots.get_mut(slot) else { continue };
            let before = match attribute {
                Some(attribute) => {
                    let known = slot.attribute_binds.iter().find(|(name, _)| *name == attribute);
                    let known = known.map(|(_, bind)| bind.spot.line);
                    slot.attribute_binds.push((attribute, bind));
                    known
                }
                None => slot.bind.replace(bind).map(|bind| bind.spot.line),
            };
            if let Some(first) = before {
                let path = super::report::shortened(path);
                report.refuse(&bind.spot, XFormProblem::DuplicateBind { path, first });
            }
        }
    }

    /// Reports elements of one name that are no instances of a repeat, and instances that the form would begin with.
    pub(super) fn check_names(&self, report: &mut Report) {
        let mut left: Vec<(Option<usize>, &Element)> = vec![(None, self.root)];
        while let Some((parent, container)) = left.pop() {
            let mut instances: HashMap<usize, usize> = HashMap::new();
            let mut names: HashMap<usize, usize> = HashMap::new();
            for element in container.elements() {
                let Some(slot) = self.child(parent, local(&element.name)) else {
                    continue;
                };
                left.push((Some(slot), element));
                let is_repeat = self.get(slot).is_some_and(|slot| slot.is_repeat);
                let all = names.entry(slot).or_default();
                *all += 1;
                if *all == 2 && !is_repeat {
                    report.refuse(&element.spot, XFormProblem::DuplicateElement(element.name.clone()));
                }
                if !is_template(element) {
                    let count = instances.entry(slot).or_default();
                    *count += 1;
                    if *count == 2 && is_repeat {
                        let what = Phrase::new(
                            "a form begins with one instance of a repeat; the further ones are left out",
                            "biểu mẫu chỉ bắt đầu với một lượt của nhóm lặp; các lượt sau bị bỏ",
                        );
                        report.changed(&element.spot, what, &element.name);
                    }
                }
            }
        }
    }

    /// The rows inside a group in the order of filling: elements that are shown take one another's places so that they
    /// stand in the order of their controls.
    pub(super) fn in_order(&self, container: Option<usize>) -> Vec<usize> {
        let children = match container {
            Some(container) => self.get(container).map_or(&[][..], |slot| &slot.children),
            None => &self.top,
        };
        let shown = |slot: &&usize| self.get(**slot).is_some_and(|slot| slot.control.is_some());
        let mut by_control: Vec<usize> = children.iter().filter(shown).copied().collect();
        by_control.sort_by_key(|slot| self.get(*slot).map_or(0, |slot| slot.order));
        let mut by_control = by_control.into_iter();
        let places = children.iter().map(|slot| match shown(&slot) {
            true => by_control.next().unwrap_or(*slot),
            false => *slot,
        });
        places
            .filter(|slot| self.get(*slot).is_some_and(|slot| !slot.is_hidden))
            .collect()
    }
}

/// Whether an element is the pattern of a repeat's further instances.
pub(super) fn is_template(element: &Element) -> bool {
    element.get("jr:template").is_some()
}

/// A name without the prefix of OpenRosa's metadata, which stands for the same elements with or without it.
pub(super) fn local(name: &str) -> &str {
    name.strip_prefix("orx:").unwrap_or(name)
}
