//! Select questions: their lists, `or_other`, and tables of selects that share a list.

use super::report::Reporter;
use super::survey::{Surroundings, TABLE_LIST};
use super::types::{SelectCommand, SelectType};
use crate::model::{Choice, ChoiceLists, ChoiceSource, DataFile, FormNode, Media, NodeKind, ProblemKind, Translations};

/// The name and label of the choice that `or_other` adds, as in pyxform.
const OTHER: (&str, &str) = ("other", "Other");
/// What the question after it asks.
const SPECIFY_OTHER: &str = "Specify other.";

/// Checks that a select's list exists and suits it.
pub(super) fn check(
    node: &FormNode,
    select: &SelectType,
    surroundings: &mut Surroundings<'_>,
    reporter: &mut Reporter<'_>,
) {
    let row = node.row;
    let source = node.kind.choice_source();
    if select.from_file {
        let dots = select.list.matches('.').count();
        if dots != 1 || DataFile::of_name(&select.list).is_none() {
            reporter.report(row, "type", ProblemKind::BadDataFile(select.list.clone()));
            return;
        }
    }
    let choices = match source {
        Some(ChoiceSource::External(list)) => {
            if !surroundings.external_choices.contains_key(list) {
                reporter.report(row, "type", ProblemKind::UnknownExternalList(list.to_owned()));
            }
            return;
        }
        Some(ChoiceSource::List(list)) => match surroundings.choices.get(list) {
            Some(choices) => Some(choices),
            None => {
                reporter.report(row, "type", ProblemKind::UnknownList(list.to_owned()));
                return;
            }
        },
        _ => None,
    };
    if select.command == SelectCommand::Multiple {
        for choice in choices.into_iter().flatten().filter(|choice| choice.name.contains(' ')) {
            let kind = ProblemKind::SpaceInChoice(choice.name.clone());
            reporter.problems.push(crate::model::FormProblem {
                place: crate::model::Place::new("choices", Some(choice.row), Some("name")),
                kind,
            });
        }
    }
    if select.or_other && node.choice_filter.is_some() {
        reporter.report(row, "choice_filter", ProblemKind::FilterWithOther);
    }
    if select.or_other && choices.is_none() {
        reporter.report(row, "type", ProblemKind::OtherWithoutList);
    }
}

/// Adds the choice "other" to the list of a select and gives the question for what is meant by it.
pub(super) fn specify_other(node: &FormNode, lists: &mut ChoiceLists) -> FormNode {
    if let Some(choices) = node.list().and_then(|list| lists.get_mut(list))
        && !choices.iter().any(|choice| choice.name == OTHER.0)
    {
        let languages = choices.iter().flat_map(|choice| choice.label.0.keys());
        let mut label: std::collections::BTreeMap<String, String> = languages
            .map(|language| (language.clone(), OTHER.1.to_owned()))
            .collect();
        if label.len() > 1 {
            label.remove(crate::model::NO_LANGUAGE);
        }
        choices.push(Choice {
            name: OTHER.0.to_owned(),
            label: if label.is_empty() {
                Translations::plain(OTHER.1)
            } else {
                Translations(label)
            },
            media: Media::new(),
            other: indexmap::IndexMap::new(),
            row: 0,
        });
    }
    let mut other = FormNode::new(format!("{}_other", node.name), NodeKind::Text, None);
    other.row = node.row;
    other.label = Translations::plain(SPECIFY_OTHER);
    other.relevant = Some(format!("selected(../{}, '{}')", node.name, OTHER.0));
    other
}

/// Adds the choice "none" to a `select_multiple`, and the constraint that nothing else may be ticked with it.
pub(super) fn add_none(node: &mut FormNode, lists: &mut ChoiceLists) {
    const NONE: &str = "none";
    let NodeKind::SelectMultiple { list } = &node.kind else {
        return;
    };
    let Some(choices) = lists.get_mut(list) else { return };
    if choices.iter().any(|choice| choice.name == NONE) {
        return;
    }
    choices.push(Choice {
        name: NONE.to_owned(),
        label: Translations::plain("None"),
        media: Media::new(),
        other: indexmap::IndexMap::new(),
        row: 0,
    });
    const ALONE: &str = "(.='none' or not(selected(., 'none')))";
    node.constraint = Some(match node.constraint.take() {
        Some(constraint) => format!("{constraint} and {ALONE}"),
        None => ALONE.to_owned(),
    });
}

/// A table of selects that share a list.
#[derive(Default)]
pub(super) struct TableList {
    list: Option<String>,
}

impl TableList {
    /// Makes a select a row of the table; the first one brings the row that shows the choices' labels.
    pub(super) fn head(
        &mut self,
        node: &mut FormNode,
        select: &SelectType,
        row: u32,
        reporter: &mut Reporter<'_>,
    ) -> Option<FormNode> {
        let mut header = None;
        match &self.list {
            None => {
                if node.choice_filter.is_some() {
                    reporter.report(row, "choice_filter", ProblemKind::FilterInTable);
                }
                self.list = Some(select.list.clone());
                let name = format!("reserved_name_for_field_list_labels_{row}");
                let mut labels = FormNode::new(name, select.kind(), None);
                labels.row = row;
                labels.appearance = Some("label".to_owned());
                labels.label = Translations::plain(" ");
                header = Some(labels);
            }
            Some(list) if *list != select.list => {
                let kind = ProblemKind::ListsDifferInTable {
                    first: list.clone(),
                    found: select.list.clone(),
                };
                reporter.report(row, "type", kind);
            }
            Some(_) => {}
        }
        node.appearance = Some("list-nolabel".to_owned());
        header
    }
}

/// Turns a group into a page that shows a table; its label and hint become a note inside it.
pub(super) fn table_label(group: &mut FormNode) -> Option<FormNode> {
    let appearance = group.appearance.take().unwrap_or_default();
    let others = appearance.split_whitespace().filter(|word| *word != TABLE_LIST);
    let words: Vec<&str> = std::iter::once("field-list").chain(others).collect();
    group.appearance = Some(words.join(" "));
    if group.label.is_empty() && group.hint.is_empty() {
        return None;
    }
    let mut note = FormNode::new(
        format!("generated_table_list_label_{}", group.row),
        NodeKind::Note,
        None,
    );
    note.row = group.row;
    note.label = std::mem::take(&mut group.label);
    note.hint = std::mem::take(&mut group.hint);
    Some(note)
}
