//! Which row of the new form continues which row of the old one.

use std::collections::BTreeMap;

use crate::model::{Choice, Form, FormNode};

/// The column that names what a row or choice was called before.
pub(super) const RENAMED_FROM: &str = "renamed_from";

/// The rows of two versions, matched.
#[derive(Debug)]
pub(super) struct Lineage {
    /// For each row of the new form the row of the old one that it continues.
    origins: Vec<Option<usize>>,
    /// For each row of the old form the row of the new one that continues it.
    continuations: Vec<Option<usize>>,
}

impl Lineage {
    pub(super) fn new(old: &Form, new: &Form) -> Self {
        let mut lineage = Self {
            origins: vec![None; new.nodes().len()],
            continuations: vec![None; old.nodes().len()],
        };
        // Where a row stands can only be compared once it is known which groups are the same, so groups come first.
        for containers in [true, false] {
            let rows: Vec<usize> = (0..new.nodes().len())
                .filter(|position| new.nodes().get(*position).map(FormNode::is_container) == Some(containers))
                .collect();
            for way in [Self::in_place, Self::by_key, Self::by_former_name] {
                for position in &rows {
                    if lineage.origin(*position).is_none()
                        && let Some(origin) = way(&lineage, old, new, *position)
                    {
                        lineage.origins[*position] = Some(origin);
                        lineage.continuations[origin] = Some(*position);
                    }
                }
            }
        }
        lineage
    }

    /// The old row that the new row at `position` continues.
    pub(super) fn origin(&self, position: usize) -> Option<usize> {
        self.origins.get(position).copied().flatten()
    }

    /// The new row that continues the old row at `position`.
    pub(super) fn continuation(&self, position: usize) -> Option<usize> {
        self.continuations.get(position).copied().flatten()
    }

    fn is_free(&self, old: &Form, new: &Form, origin: usize, position: usize) -> bool {
        let (Some(before), Some(after)) = (old.nodes().get(origin), new.nodes().get(position)) else {
            return false;
        };
        let are_alike = before.is_container() == after.is_container();
        are_alike && (!after.is_container() || before.kind == after.kind) && self.continuation(origin).is_none()
    }

    /// The row of the same name in the same group.
    fn in_place(&self, old: &Form, new: &Form, position: usize) -> Option<usize> {
        let node = new.nodes().get(position)?;
        let siblings = match node.parent {
            None => old.top(),
            Some(parent) => old.children(self.origin(parent)?),
        };
        let mut siblings = siblings.iter().copied();
        siblings.find(|sibling| {
            old.nodes().get(*sibling).is_some_and(|other| other.name == node.name)
                && self.is_free(old, new, *sibling, position)
        })
    }

    /// The row whose answers are kept under the same name.
    fn by_key(&self, old: &Form, new: &Form, position: usize) -> Option<usize> {
        let origin = old.position(new.key(position))?;
        self.is_free(old, new, origin, position).then_some(origin)
    }

    /// The row that the column `renamed_from` names.
    fn by_former_name(&self, old: &Form, new: &Form, position: usize) -> Option<usize> {
        former_names(new.nodes().get(position)?).find_map(|name| {
            let origin = old.position(name)?;
            self.is_free(old, new, origin, position).then_some(origin)
        })
    }

    /// Whether the row stands in the same repeats as the row that it continues.
    pub(super) fn is_in_same_repeat(&self, old: &Form, new: &Form, origin: usize, position: usize) -> bool {
        let (mut before, mut after) = (repeat_around(old, origin), repeat_around(new, position));
        loop {
            match (before, after) {
                (None, None) => return true,
                (Some(outer), Some(continued)) if self.origin(continued) == Some(outer) => {
                    before = repeat_around(old, outer);
                    after = repeat_around(new, continued);
                }
                _ => return false,
            }
        }
    }
}

/// The innermost repeat around a row, not counting the row itself.
pub(super) fn repeat_around(form: &Form, position: usize) -> Option<usize> {
    form.repeat_of(form.nodes().get(position)?.parent?)
}

/// What a row was called before, the latest name first.
pub(super) fn former_names(node: &FormNode) -> impl Iterator<Item = &str> {
    split(node.other.get(RENAMED_FROM))
}

fn split(written: Option<&String>) -> impl Iterator<Item = &str> {
    let written = written.map_or("", String::as_str);
    written
        .split([' ', ',', ';', '\n', '\t'])
        .filter(|name| !name.is_empty())
}

/// The new names of choices by their old ones. A name that the new list still has is no former name.
pub(super) fn renamed_choices(old: &[Choice], new: &[Choice]) -> BTreeMap<String, String> {
    let has = |choices: &[Choice], name: &str| choices.iter().any(|choice| choice.name == name);
    let mut renamed = BTreeMap::new();
    for choice in new.iter().filter(|choice| !has(old, &choice.name)) {
        let names = split(choice.other.get(RENAMED_FROM));
        for name in names.filter(|name| has(old, name) && !has(new, name)) {
            renamed.entry(name.to_owned()).or_insert_with(|| choice.name.clone());
        }
    }
    renamed
}
