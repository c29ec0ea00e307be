//! The rows of a form as an XForm has them: with the elements that no row of the sheet stands for.

use crate::model::{Form, FormNode, Metadata, NodeKind};

/// An element of the filled form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Row {
    /// A row of the sheet.
    Node(usize),
    /// The number of instances of a repeat whose `repeat_count` is more than one reference.
    Count(usize),
    /// The metadata of a group, repeat or of the form: the entities that stand there, and what every form has.
    Meta(Option<usize>),
}

/// Whether the row is an element among the others: logs of filling stand in the metadata, files are no answers.
fn is_element(node: &FormNode) -> bool {
    !matches!(
        node.kind,
        NodeKind::Metadata(Metadata::Audit) | NodeKind::ExternalData(_)
    )
}

/// The elements directly inside a group or repeat, or at the top of the form.
pub(super) fn inside(form: &Form, container: Option<usize>) -> Vec<Row> {
    let positions = container.map_or(form.top(), |container| form.children(container));
    let mut rows = Vec::with_capacity(positions.len() + 1);
    for position in positions {
        let Some(node) = form.nodes().get(*position) else {
            continue;
        };
        if node.needs_count_element() {
            rows.push(Row::Count(*position));
        }
        if is_element(node) {
            rows.push(Row::Node(*position));
        }
    }
    if has_meta(form, container) {
        rows.push(Row::Meta(container));
    }
    rows
}

fn has_meta(form: &Form, container: Option<usize>) -> bool {
    let has_entity = entities_at(form, container).next().is_some();
    let settings = form.settings();
    let has_metadata = !settings.omit_instance_id || settings.instance_name.is_some() || audits(form).next().is_some();
    has_entity || (container.is_none() && has_metadata)
}

/// The entities that stand in a group or repeat, or at the top of the form, by their place in the sheet.
pub(super) fn entities_at(form: &Form, container: Option<usize>) -> impl Iterator<Item = usize> + '_ {
    (0..form.definition().entities.len()).filter(move |declared| form.entity_place(*declared) == container)
}

/// The rows that log how the form is filled.
pub(super) fn audits(form: &Form) -> impl Iterator<Item = usize> + '_ {
    let rows = form.nodes().iter().enumerate();
    rows.filter(|(_, node)| node.kind == NodeKind::Metadata(Metadata::Audit))
        .map(|(position, _)| position)
}
