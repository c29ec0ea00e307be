//! Rows while the sheet `survey` is read: a tree that is flattened in the end.

use crate::model::{Choice, FormNode, Translations};

/// A row with the rows inside it.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) node: FormNode,
    pub(super) children: Vec<Draft>,
}

impl From<FormNode> for Draft {
    fn from(node: FormNode) -> Self {
        Self {
            node,
            children: Vec::new(),
        }
    }
}

/// The rows in the form's order, each with the position of the row around it.
pub(super) fn flatten(drafts: Vec<Draft>) -> Vec<FormNode> {
    let mut nodes = Vec::new();
    let mut left: Vec<(Draft, Option<usize>)> = drafts.into_iter().rev().map(|draft| (draft, None)).collect();
    while let Some((draft, parent)) = left.pop() {
        let position = nodes.len();
        nodes.push(FormNode { parent, ..draft.node });
        left.extend(draft.children.into_iter().rev().map(|child| (child, Some(position))));
    }
    nodes
}

/// The rows of a loop once for each choice, `%(name)s` and `%(label)s` replaced by the choice's; the choice `none` has
/// no rows.
pub(super) fn unroll(rows: &[Draft], choices: &[Choice]) -> Vec<Draft> {
    let counted = choices.iter().filter(|choice| choice.name != "none");
    let group = |choice: &Choice| {
        let mut node = FormNode::new(choice.name.clone(), crate::model::NodeKind::Group, None);
        node.label = choice.label.clone();
        Draft {
            node,
            children: rows.iter().map(|row| for_choice(row, choice)).collect(),
        }
    };
    counted.map(group).collect()
}

fn for_choice(row: &Draft, choice: &Choice) -> Draft {
    let label = |language: Option<&str>| {
        let labels = &choice.label.0;
        let own = language.and_then(|language| labels.get(language));
        own.or_else(|| labels.values().next()).map_or("", String::as_str)
    };
    let fill = |text: &str, language: Option<&str>| {
        text.replace("%(name)s", &choice.name)
            .replace("%(label)s", label(language))
    };
    let fill_all = |texts: &Translations| {
        let filled = texts
            .0
            .iter()
            .map(|(language, text)| (language.clone(), fill(text, Some(language))));
        Translations(filled.collect())
    };
    let fill_one = |text: &Option<String>| text.as_deref().map(|text| fill(text, None));
    let node = &row.node;
    Draft {
        node: FormNode {
            name: fill(&node.name, None),
            label: fill_all(&node.label),
            hint: fill_all(&node.hint),
            guidance_hint: fill_all(&node.guidance_hint),
            constraint_message: fill_all(&node.constraint_message),
            required_message: fill_all(&node.required_message),
            relevant: fill_one(&node.relevant),
            required: fill_one(&node.required),
            constraint: fill_one(&node.constraint),
            calculation: fill_one(&node.calculation),
            default: fill_one(&node.default),
            ..node.clone()
        },
        children: row.children.iter().map(|child| for_choice(child, choice)).collect(),
    }
}
