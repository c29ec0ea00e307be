//! Compares two versions of a form.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::columns::{cells, columns, texts, type_text};
use super::conversion::{TypeChange, choices, is_computed, type_change};
use super::difference::{Change, ChangeKind, DifferenceError, FormDifference, FormVersion, Safety};
use super::lineage::{Lineage, former_names, repeat_around};
use super::lists::{self, differing};
use crate::model::{ChoiceSource, Form, FormNode};

/// Lists every change from one version of a form to another.
///
/// # Errors
/// When the forms' identities differ, so that they are no versions of one another.
pub fn diff(old: &Form, new: &Form) -> Result<FormDifference, DifferenceError> {
    let (before, after) = (old.settings(), new.settings());
    if before.form_id != after.form_id {
        return Err(DifferenceError::OtherForm {
            old: before.form_id.clone(),
            new: after.form_id.clone(),
        });
    }
    let lineage = Lineage::new(old, new);
    let mut comparison = Comparison {
        old,
        new,
        renamed: renamed(&lineage, old, new),
        lineage: &lineage,
        changes: Vec::new(),
    };
    comparison.settings();
    comparison.languages();
    comparison.rows();
    comparison.lists();
    let version = |form: &Form| FormVersion {
        version: form.settings().version.clone(),
        content_hash: hexadecimal(&form.content_hash()),
    };
    Ok(FormDifference {
        form_id: after.form_id.clone(),
        old: version(old),
        new: version(new),
        changes: comparison.changes,
    })
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The new names of the old form's rows, where they differ.
fn renamed(lineage: &Lineage, old: &Form, new: &Form) -> BTreeMap<String, String> {
    let names = old.nodes().iter().enumerate().filter_map(|(position, before)| {
        let after = new.nodes().get(lineage.continuation(position)?)?;
        (before.name != after.name).then(|| (before.name.clone(), after.name.clone()))
    });
    names.collect()
}

struct Comparison<'a> {
    old: &'a Form,
    new: &'a Form,
    lineage: &'a Lineage,
    renamed: BTreeMap<String, String>,
    changes: Vec<Change>,
}

impl Comparison<'_> {
    fn push_setting(&mut self, name: &str, safety: Safety, kind: ChangeKind) {
        self.changes.push(Change {
            sheet: "settings".to_owned(),
            name: name.to_owned(),
            old_row: None,
            new_row: None,
            safety,
            kind,
        });
    }

    fn settings(&mut self) {
        let (old, new) = (self.old.settings(), self.new.settings());
        let is_same = self.old.content_hash() == self.new.content_hash();
        if !is_same && old.version == new.version {
            let version = new.version.clone();
            self.push_setting("version", Safety::Warning, ChangeKind::VersionUnchanged { version });
        }
        for (name, from, to) in differing(&cells(old), &cells(new)) {
            let safety = match name.as_str() {
                // What ODK clients send is recognised by these.
                "root_name" | "namespaces" | "instance_namespace" | "omit_instance_id" => Safety::Unsafe,
                "submission" | "instance_id" | "compact_prefix" | "compact_delimiter" => Safety::Warning,
                _ => Safety::Safe,
            };
            self.push_setting(&name, safety, ChangeKind::SettingChanged { from, to });
        }
        if self.old.definition().entities != self.new.definition().entities {
            self.changes.push(Change {
                sheet: "entities".to_owned(),
                name: String::new(),
                old_row: None,
                new_row: None,
                safety: Safety::Unsafe,
                kind: ChangeKind::EntitiesChanged,
            });
        }
    }

    fn languages(&mut self) {
        let (old, new) = (self.old.languages(), self.new.languages());
        for language in new {
            if !old.iter().any(|other| other.code == language.code) {
                self.push_setting(&language.code, Safety::Safe, ChangeKind::LanguageAdded);
            }
        }
        for language in old {
            if !new.iter().any(|other| other.code == language.code) {
                self.push_setting(&language.code, Safety::Safe, ChangeKind::LanguageRemoved);
            }
        }
        if let (Some(before), Some(after)) = (old.first(), new.first())
            && before.code != after.code
        {
            let from = before.code.clone();
            self.push_setting(&after.code, Safety::Safe, ChangeKind::DefaultLanguageChanged { from });
        }
    }

    fn rows(&mut self) {
        let (old, new) = (self.old, self.new);
        for (position, after) in new.nodes().iter().enumerate() {
            let origin = self.lineage.origin(position);
            match origin.and_then(|origin| Some((origin, old.nodes().get(origin)?))) {
                Some((origin, before)) => self.row(origin, before, position, after),
                None => self.added(position, after),
            }
        }
        let continued = (0..new.nodes().len()).filter_map(|position| self.lineage.origin(position));
        let continued: Vec<usize> = continued.collect();
        if !continued.is_sorted() {
            self.changes.push(Change {
                sheet: "survey".to_owned(),
                name: String::new(),
                old_row: None,
                new_row: None,
                safety: Safety::Safe,
                kind: ChangeKind::OrderChanged,
            });
        }
        for (position, before) in old.nodes().iter().enumerate() {
            if self.lineage.continuation(position).is_none() {
                self.changes.push(Change {
                    sheet: "survey".to_owned(),
                    name: old.key(position).to_owned(),
                    old_row: row(before),
                    new_row: None,
                    safety: Safety::Safe,
                    kind: ChangeKind::RowRemoved {
                        kind: type_text(&before.kind),
                    },
                });
            }
        }
    }

    fn added(&mut self, position: usize, after: &FormNode) {
        let mut push = |safety, kind| {
            self.changes.push(Change {
                sheet: "survey".to_owned(),
                name: self.new.key(position).to_owned(),
                old_row: None,
                new_row: row(after),
                safety,
                kind,
            });
        };
        // A repeat has no instance yet, and in an instance added later everything is asked.
        let in_new_repeat = repeat_around(self.new, position).is_some_and(|outer| self.lineage.origin(outer).is_none());
        let required = after.required.is_some() && after.is_asked() && !is_computed(after) && !in_new_repeat;
        let safety = if required { Safety::Unsafe } else { Safety::Safe };
        let kind = type_text(&after.kind);
        push(safety, ChangeKind::RowAdded { kind, required });
        let former: Vec<&str> = former_names(after).collect();
        if !former.is_empty() {
            let from = former.join(" ");
            push(Safety::Warning, ChangeKind::RenamedFromNothing { from });
        }
    }

    fn row(&mut self, origin: usize, before: &FormNode, position: usize, after: &FormNode) {
        let mut kinds: Vec<(Safety, ChangeKind)> = Vec::new();
        let former = self.old.key(origin);
        if former != self.new.key(position) {
            let from = former.to_owned();
            kinds.push((Safety::Safe, ChangeKind::Renamed { from }));
        }
        let change = type_change(&before.kind, &after.kind);
        if change != TypeChange::None {
            let lossless = change == TypeChange::Lossless;
            let safety = if lossless { Safety::Safe } else { Safety::Unsafe };
            let (from, to) = (type_text(&before.kind), type_text(&after.kind));
            kinds.push((safety, ChangeKind::TypeChanged { from, to, lossless }));
        }
        kinds.extend(self.moved(origin, before, position, after));
        kinds.extend(self.expressions(before, after));
        kinds.extend(texts(before, after));
        kinds.extend(columns(before, after));
        self.changes.extend(kinds.into_iter().map(|(safety, kind)| Change {
            sheet: "survey".to_owned(),
            name: self.new.key(position).to_owned(),
            old_row: row(before),
            new_row: row(after),
            safety,
            kind,
        }));
    }

    fn moved(
        &self,
        origin: usize,
        before: &FormNode,
        position: usize,
        after: &FormNode,
    ) -> Option<(Safety, ChangeKind)> {
        let key = |form: &Form, position: Option<usize>| position.map(|position| form.key(position).to_owned());
        if !self.lineage.is_in_same_repeat(self.old, self.new, origin, position) {
            let (from, to) = (
                key(self.old, repeat_around(self.old, origin)),
                key(self.new, repeat_around(self.new, position)),
            );
            return Some((Safety::Unsafe, ChangeKind::MovedAcrossRepeats { from, to }));
        }
        let is_same = match (before.parent, after.parent) {
            (None, None) => true,
            (Some(outer), Some(continued)) => self.lineage.origin(continued) == Some(outer),
            _ => false,
        };
        if is_same {
            return None;
        }
        let same_relevance =
            self.conditions(self.old, before, &self.renamed) == self.conditions(self.new, after, &BTreeMap::new());
        let safety = if same_relevance { Safety::Safe } else { Safety::Unsafe };
        let (from, to) = (key(self.old, before.parent), key(self.new, after.parent));
        Some((
            safety,
            ChangeKind::MovedToGroup {
                from,
                to,
                same_relevance,
            },
        ))
    }

    /// The conditions of the groups around a row.
    fn conditions(&self, form: &Form, node: &FormNode, renamed: &BTreeMap<String, String>) -> BTreeSet<String> {
        let mut conditions = BTreeSet::new();
        let mut outer = node.parent;
        while let Some(group) = outer.and_then(|position| form.nodes().get(position)) {
            conditions.extend(group.relevant.as_deref().map(|relevant| canonical(relevant, renamed)));
            outer = group.parent;
        }
        conditions
    }

    fn expressions(&self, before: &FormNode, after: &FormNode) -> Vec<(Safety, ChangeKind)> {
        let columns = [
            ("required", &before.required, &after.required),
            ("relevant", &before.relevant, &after.relevant),
            ("constraint", &before.constraint, &after.constraint),
            ("calculation", &before.calculation, &after.calculation),
            ("default", &before.default, &after.default),
            ("read_only", &before.read_only, &after.read_only),
            ("choice_filter", &before.choice_filter, &after.choice_filter),
            ("repeat_count", &before.repeat_count, &after.repeat_count),
        ];
        let mut changes = Vec::new();
        for (column, from, to) in columns {
            let old = from.as_deref().map(|text| canonical(text, &self.renamed));
            let new = to.as_deref().map(|text| canonical(text, &BTreeMap::new()));
            if old == new {
                continue;
            }
            let safety = match column {
                "default" | "read_only" => Safety::Safe,
                "required" | "constraint" | "choice_filter" if to.is_none() => Safety::Safe,
                _ => Safety::Unsafe,
            };
            let column = column.to_owned();
            let (from, to) = (from.clone(), to.clone());
            changes.push((safety, ChangeKind::ExpressionChanged { column, from, to }));
        }
        let triggers: Vec<&String> = before
            .triggers
            .iter()
            .map(|name| self.renamed.get(name).unwrap_or(name))
            .collect();
        if triggers != after.triggers.iter().collect::<Vec<_>>() {
            let cell = |triggers: &[String]| (!triggers.is_empty()).then(|| triggers.join(" "));
            let (from, to) = (cell(&before.triggers), cell(&after.triggers));
            let column = "trigger".to_owned();
            changes.push((Safety::Unsafe, ChangeKind::ExpressionChanged { column, from, to }));
        }
        changes
    }

    /// Compares each pair of lists that a question offers before and after, and the tags of maps.
    fn lists(&mut self) {
        let (old, new) = (self.old, self.new);
        let mut compared: BTreeSet<(&str, &str)> = BTreeSet::new();
        for (position, after) in new.nodes().iter().enumerate() {
            let before = self.lineage.origin(position).and_then(|origin| old.nodes().get(origin));
            let Some(before) = before else { continue };
            let name = |node: &'_ FormNode| match node.kind.choice_source() {
                Some(ChoiceSource::List(_)) => Some("choices"),
                Some(ChoiceSource::External(_)) => Some("external_choices"),
                _ => None,
            };
            let (Some(former), Some(current)) = (choices(old, before), choices(new, after)) else {
                continue;
            };
            let (Some(list), Some(sheet)) = (list_name(after), name(after)) else {
                continue;
            };
            if compared.insert((list_name(before).unwrap_or_default(), list)) {
                lists::compare(sheet, list, former, current, &mut self.changes);
            }
        }
        let tags = (&old.definition().osm_tags, &new.definition().osm_tags);
        lists::compare_by_name("osm", tags.0, tags.1, &mut self.changes);
    }
}

fn list_name(node: &FormNode) -> Option<&str> {
    match node.kind.choice_source()? {
        ChoiceSource::List(name) | ChoiceSource::External(name) => Some(name),
        ChoiceSource::File { .. } | ChoiceSource::Question(_) => None,
    }
}

/// A row's number where the form comes from a workbook.
fn row(node: &FormNode) -> Option<u32> {
    (node.row > 0).then_some(node.row)
}

/// An expression without the author's spelling and with renamed questions under their new names, for comparing.
fn canonical(source: &str, renamed: &BTreeMap<String, String>) -> String {
    let printed = crate::xpath::parse(source).map_or_else(|_| source.to_owned(), |expression| expression.to_string());
    if renamed.is_empty() {
        return printed;
    }
    let mut text = String::with_capacity(printed.len());
    let mut rest = printed.as_str();
    while let Some((before, after)) = rest.split_once("${") {
        text += before;
        text += "${";
        let (name, _) = after.split_once('}').unwrap_or(("", after));
        text += renamed.get(name).map_or(name, String::as_str);
        rest = &after[name.len()..];
    }
    text + rest
}
