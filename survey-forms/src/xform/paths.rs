//! Paths of rows in the filled form, and `${question}` references written as paths.
//!
//! A reference out of a repeat into the same repeat must mean the own instance, so it is written relative to where it
//! stands; every other one is written from the root (ODK XForms, "XPath paths").

use crate::model::lexical::{self, Reference};
use crate::model::{Form, NodeKind};
use crate::xpath::functions::LAST_SAVED_INSTANCE;

/// Where an expression stands: what matters is the group or repeat around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Context {
    /// The position of the group or repeat; none at the top of the form.
    pub(super) container: Option<usize>,
    /// How many elements stand between that and the expression's own element.
    pub(super) between: usize,
}

/// How references are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Style {
    /// In a predicate `..` would start from the item that is tested, so relative paths start at `current()`.
    pub(super) from_current: bool,
    /// A path to the answers of a repeat, for a list of choices: as far out as all its instances.
    pub(super) all_instances: bool,
}

impl Style {
    pub(super) const PREDICATE: Self = Self {
        from_current: true,
        all_instances: false,
    };
}

/// Paths of a form's rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paths<'f> {
    pub(super) form: &'f Form,
}

impl<'f> Paths<'f> {
    /// The path of the row at `position` from the root.
    pub(super) fn of(&self, position: usize) -> String {
        self.below(Some(position))
    }

    /// The path of a group, repeat or question, or of the outermost element.
    pub(super) fn below(&self, position: Option<usize>) -> String {
        let mut path = format!("/{}", self.form.settings().root_name);
        path.push_str(&self.from(None, position));
        path
    }

    /// The names from below `ancestor` to `position`, each after a `/`.
    fn from(&self, ancestor: Option<usize>, position: Option<usize>) -> String {
        let mut names = Vec::new();
        let mut place = position;
        while place != ancestor {
            let Some(node) = place.and_then(|place| self.form.nodes().get(place)) else {
                break;
            };
            names.push(node.name.as_str());
            place = node.parent;
        }
        names.iter().rev().map(|name| format!("/{name}")).collect()
    }

    /// Where the expressions of the row at `position` stand.
    pub(super) fn context(&self, position: usize) -> Context {
        Context {
            container: self.form.nodes().get(position).and_then(|node| node.parent),
            between: 0,
        }
    }

    fn ancestors(&self, position: Option<usize>) -> impl Iterator<Item = usize> + use<'f> {
        let form = self.form;
        std::iter::successors(position, |place| form.nodes().get(*place).and_then(|node| node.parent))
    }

    fn is_repeat(&self, position: usize) -> bool {
        self.form
            .nodes()
            .get(position)
            .is_some_and(|node| node.kind == NodeKind::Repeat)
    }

    /// The path of an element without a row, beside the expression that refers to it.
    pub(super) fn beside(&self, name: &str, context: Context) -> String {
        let in_repeat = self.ancestors(context.container).any(|place| self.is_repeat(place));
        if in_repeat {
            format!(" ../{name} ")
        } else {
            format!(" {}/{name} ", self.below(context.container))
        }
    }

    /// The text with every reference written as a path.
    pub(super) fn insert(&self, text: &str, context: Context, style: Style) -> String {
        let mut written = String::with_capacity(text.len());
        let mut end = 0;
        for reference in lexical::references(text) {
            written.push_str(&text[end..reference.start]);
            written.push_str(&self.reference(text, &reference, Some(context), style));
            end = reference.end;
        }
        written.push_str(&text[end..]);
        written
    }

    /// One reference as a path, with a space at both ends; `text` is the whole text that it stands in. Without a context
    /// the path starts at the root.
    pub(super) fn reference(
        &self,
        text: &str,
        reference: &Reference<'_>,
        context: Option<Context>,
        style: Style,
    ) -> String {
        let Some(target) = self.form.nodes().iter().position(|node| node.name == reference.name) else {
            // Only metadata that every form has is referred to without having a row.
            return format!(" /{}/meta/{} ", self.form.settings().root_name, reference.name);
        };
        if let Some(context) = context
            && !reference.last_saved
            && !is_repeat_of_indexed_repeat(text, reference)
        {
            let style = Style {
                from_current: style.from_current || is_in_predicate_of_instance(text, reference),
                ..style
            };
            if let Some(path) = self.relative(target, context, style) {
                return path;
            }
        }
        let path = self.of(target);
        if reference.last_saved {
            format!(" instance('{LAST_SAVED_INSTANCE}'){path} ")
        } else {
            format!(" {path} ")
        }
    }

    /// The path from `context` to the row at `target`, where both stand in one repeat.
    fn relative(&self, target: usize, context: Context, style: Style) -> Option<String> {
        let around_target: Vec<usize> = self.ancestors(self.form.nodes().get(target)?.parent).collect();
        let shared = |place: &usize| around_target.contains(place);
        let repeat = self
            .ancestors(context.container)
            .find(|place| shared(place) && self.is_repeat(*place))?;
        let steps_to = |ancestor: usize| {
            let steps = self.ancestors(context.container).position(|place| place == ancestor);
            steps.map(|steps| steps + 1 + context.between)
        };
        let (steps, path) = if style.all_instances && self.reaches_out(target, context, repeat) {
            let outside = self.form.nodes().get(repeat)?.parent;
            (steps_to(repeat)? + 1, self.from(outside, Some(target)))
        } else {
            let nearest = self.ancestors(context.container).find(shared)?;
            (steps_to(nearest)?, self.from(Some(nearest), Some(target)))
        };
        let up = vec![".."; steps].join("/");
        let start = if style.from_current { "current()/" } else { "" };
        Some(format!(" {start}{up}{path} "))
    }

    /// Whether a list made of a repeat's answers is to be taken from all instances of that repeat: the answers stand
    /// directly in the repeat that both share, and that repeat is the outermost, or the list stands in a further repeat.
    fn reaches_out(&self, target: usize, context: Context, repeat: usize) -> bool {
        let innermost = |position: Option<usize>| self.ancestors(position).find(|place| self.is_repeat(*place));
        let parent = |position: usize| self.form.nodes().get(position).and_then(|node| node.parent);
        let is_outermost = innermost(parent(repeat)).is_none();
        innermost(parent(target)) == Some(repeat) && (is_outermost || innermost(context.container) != Some(repeat))
    }
}

/// Whether the reference is an argument of `indexed-repeat` that names a question or repeat, not an index.
fn is_repeat_of_indexed_repeat(text: &str, reference: &Reference<'_>) -> bool {
    const CALL: &str = "indexed-repeat(";
    let mut from = 0;
    while let Some(start) = text[from..].find(CALL).map(|found| from + found) {
        let arguments = start + CALL.len();
        let end = text[arguments..]
            .find(')')
            .map_or(text.len(), |length| arguments + length);
        if reference.start >= arguments && reference.end <= end {
            let index = text[arguments..reference.start].matches(',').count();
            return matches!(index, 0 | 1 | 3 | 5);
        }
        from = end.max(arguments);
    }
    false
}

/// Whether the reference stands in brackets in a text that looks into a secondary instance.
fn is_in_predicate_of_instance(text: &str, reference: &Reference<'_>) -> bool {
    if !text.contains("instance(") {
        return false;
    }
    let mut from = 0;
    while let Some(start) = text[from..].find('[').map(|found| from + found) {
        let Some(end) = text[start..].find(']').map(|length| start + length) else {
            return false;
        };
        if reference.start >= start && reference.end <= end {
            return true;
        }
        from = end + 1;
    }
    false
}
