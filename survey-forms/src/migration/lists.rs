//! Compares the lists of choices.

use std::collections::BTreeMap;

use super::difference::{Change, ChangeKind, Safety};
use super::lineage::{RENAMED_FROM, renamed_choices};
use crate::model::{Choice, ChoiceLists};

/// What differs between a list of the old form and the list that follows on it, named `list`.
pub(super) fn compare(sheet: &str, list: &str, old: &[Choice], new: &[Choice], changes: &mut Vec<Change>) {
    let renamed = renamed_choices(old, new);
    let former: BTreeMap<&str, &str> = renamed
        .iter()
        .map(|(before, after)| (after.as_str(), before.as_str()))
        .collect();
    let find = |choices: &'_ [Choice], name: &str| choices.iter().position(|choice| choice.name == name);
    let row = |row: u32| (row > 0).then_some(row);
    let change = |name: &str, old_row: Option<u32>, new_row: Option<u32>, safety, kind| Change {
        sheet: sheet.to_owned(),
        name: format!("{list}/{name}"),
        old_row,
        new_row,
        safety,
        kind,
    };
    for choice in new {
        let before = former.get(choice.name.as_str()).copied();
        let origin = find(old, before.unwrap_or(&choice.name)).and_then(|position| old.get(position));
        let new_row = row(choice.row);
        let Some(origin) = origin else {
            changes.push(change(
                &choice.name,
                None,
                new_row,
                Safety::Safe,
                ChangeKind::ChoiceAdded,
            ));
            if let Some(from) = choice.other.get(RENAMED_FROM).cloned() {
                let kind = ChangeKind::RenamedFromNothing { from };
                changes.push(change(&choice.name, None, new_row, Safety::Warning, kind));
            }
            continue;
        };
        let old_row = row(origin.row);
        let mut push = |safety, kind| changes.push(change(&choice.name, old_row, new_row, safety, kind));
        if let Some(from) = before {
            let from = from.to_owned();
            push(Safety::Safe, ChangeKind::ChoiceRenamed { from });
        }
        for (language, from, to) in differing(&origin.label.0, &choice.label.0) {
            let column = "label".to_owned();
            push(
                Safety::Safe,
                ChangeKind::TextChanged {
                    column,
                    language,
                    from,
                    to,
                },
            );
        }
        if origin.media != choice.media {
            let column = "media".to_owned();
            let (from, to) = (None, None);
            push(Safety::Safe, ChangeKind::ColumnChanged { column, from, to });
        }
        let others = |choice: &Choice| -> BTreeMap<String, String> {
            let columns = choice.other.iter().filter(|(column, _)| *column != RENAMED_FROM);
            columns.map(|(column, cell)| (column.clone(), cell.clone())).collect()
        };
        for (column, from, to) in differing(&others(origin), &others(choice)) {
            // Filters and calculations read these columns.
            push(Safety::Unsafe, ChangeKind::ColumnChanged { column, from, to });
        }
    }
    for choice in old {
        if find(new, &choice.name).is_none() && !renamed.contains_key(&choice.name) {
            let kind = ChangeKind::ChoiceRemoved;
            changes.push(change(&choice.name, row(choice.row), None, Safety::Unsafe, kind));
        }
    }
}

/// Compares lists that keep their names, such as the tags of a map.
pub(super) fn compare_by_name(sheet: &str, old: &ChoiceLists, new: &ChoiceLists, changes: &mut Vec<Change>) {
    let names = old.keys().chain(new.keys().filter(|name| !old.contains_key(*name)));
    for list in names {
        let choices = |lists: &ChoiceLists| lists.get(list).cloned().unwrap_or_default();
        compare(sheet, list, &choices(old), &choices(new), changes);
    }
}

/// The keys whose values differ, with both values.
pub(super) fn differing(
    old: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
) -> Vec<(String, Option<String>, Option<String>)> {
    let keys = old.keys().chain(new.keys().filter(|key| !old.contains_key(*key)));
    let both = keys.map(|key| (key.clone(), old.get(key).cloned(), new.get(key).cloned()));
    both.filter(|(_, from, to)| from != to).collect()
}
