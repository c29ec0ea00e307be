//! What controls offer: lists, files, and answers given elsewhere in the form.

use std::collections::HashMap;

use super::choices::{self, Columns, Secondaries};
use super::itemset::Nodeset;
use super::outline::Outline;
use super::references::{References, is_same};
use super::report::{Report, shortened};
use super::texts::{Itext, Reader};
use super::tree::Element;
use crate::Phrase;
use crate::model::{Choice, ChoiceLists, DataFile, FormNode, NodeKind, Translations, XFormProblem, searches};
use crate::xform::paths::{Context, Style};

/// The path of the items of every secondary instance.
const ITEMS: &str = concat!("/", "root/item");

/// Notes which columns of each instance are shown.
pub(super) fn offers(outline: &Outline<'_>, secondaries: &mut Secondaries<'_>) {
    for slot in &outline.slots {
        let itemset = slot.control.and_then(|control| control.child("itemset"));
        let Some(itemset) = itemset else { continue };
        let nodeset = itemset.get("nodeset").and_then(Nodeset::read);
        let secondary = nodeset.and_then(|nodeset| secondaries.get_mut(&nodeset.instance?));
        if let Some(secondary) = secondary {
            secondary.columns.get_or_insert_with(|| columns(itemset));
        }
    }
}

/// Which columns an itemset shows.
fn columns(itemset: &Element) -> Columns {
    let path = |name: &str| itemset.child(name).and_then(|child| child.get("ref")).map(str::trim);
    let value = path("value").unwrap_or("name");
    let label = path("label").unwrap_or("label");
    let translated = label.strip_prefix("jr:itext(").and_then(|rest| rest.strip_suffix(')'));
    Columns {
        value: value.to_owned(),
        label: translated.unwrap_or(label).trim().to_owned(),
        is_translated: translated.is_some(),
    }
}

/// The lists of a form while they are gathered.
pub(super) struct Lists {
    pub(super) choices: ChoiceLists,
    pub(super) osm_tags: ChoiceLists,
    /// The lists that stand in controls, and whether those look them up by `search(…)`.
    pub(super) in_controls: HashMap<String, bool>,
}

/// What a control is read with.
pub(super) struct Offer<'o, 'x> {
    pub(super) outline: &'o Outline<'x>,
    pub(super) itext: &'o Itext<'x>,
    pub(super) secondaries: &'o Secondaries<'x>,
}

impl Offer<'_, '_> {
    /// Gives a row what its control offers.
    pub(super) fn read(
        &self,
        slot: usize,
        control: &Element,
        context: Context,
        node: &mut FormNode,
        (lists, reader, report): (&mut Lists, &mut Reader<'_, '_>, &mut Report),
    ) {
        if let Some(query) = control.get("query") {
            self.external(control, query, context, node, (reader.references, report));
        } else if let NodeKind::Osm { tags } = &mut node.kind {
            let found = osm_tags(control);
            if !found.is_empty() {
                lists.osm_tags.insert(node.name.clone(), found);
                *tags = Some(node.name.clone());
            }
        } else if let Some(itemset) = control.child("itemset") {
            self.itemset(slot, itemset, context, node, (reader.references, report));
        } else if node.kind.choice_source().is_some() {
            let items = choices::items(control, self.itext, reader, report);
            let wanted = choices::items_list(control, &node.name);
            let list = choices::add(
                &mut lists.choices,
                &mut lists.in_controls,
                items,
                &wanted,
                searches(node),
            );
            set_source(node, list);
        }
    }

    fn external(
        &self,
        control: &Element,
        query: &str,
        context: Context,
        node: &mut FormNode,
        (references, report): (&References<'_>, &mut Report),
    ) {
        match Nodeset::read(query) {
            Some(Nodeset {
                instance: Some(list),
                filter,
                ..
            }) => {
                set_source(node, list);
                node.choice_filter = filter.map(|filter| references.convert(&filter, context, Style::PREDICATE));
            }
            _ => not_held(control, query, report),
        }
    }

    fn itemset(
        &self,
        slot: usize,
        itemset: &Element,
        context: Context,
        node: &mut FormNode,
        (references, report): (&References<'_>, &mut Report),
    ) {
        let written = itemset.get("nodeset").unwrap_or_default();
        let Some(nodeset) = Nodeset::read(written) else {
            not_held(itemset, written, report);
            return;
        };
        if nodeset.is_random {
            node.parameters.insert("randomize".to_owned(), "true".to_owned());
        }
        if let Some(seed) = &nodeset.seed {
            let seed = references.convert(seed, context, Style::default());
            node.parameters.insert("seed".to_owned(), seed);
        }
        match &nodeset.instance {
            Some(id) => {
                if nodeset.path.replace(char::is_whitespace, "") != ITEMS {
                    not_held(itemset, written, report);
                    return;
                }
                self.of_instance(id, itemset, node, report);
                node.choice_filter = nodeset
                    .filter
                    .map(|filter| references.convert(&filter, context, Style::PREDICATE));
            }
            None => self.of_answers(slot, itemset, &nodeset, context, node, (references, report)),
        }
    }

    fn of_instance(&self, id: &str, itemset: &Element, node: &mut FormNode, report: &mut Report) {
        let Some(secondary) = self.secondaries.get(id) else {
            // Shapes on a map may be those of a list of entities, which the app brings along.
            if is_geometry(&node.kind) {
                set_source(node, id.to_owned());
                return;
            }
            report.refuse(&itemset.spot, XFormProblem::UnknownInstance(shortened(id)));
            return;
        };
        let columns = columns(itemset);
        let is_geometry = is_geometry(&node.kind);
        match &secondary.file {
            Some((file, format)) => {
                let (value, label) = match format {
                    DataFile::GeoJson if !is_geometry => ("id", "title"),
                    _ => ("name", "label"),
                };
                for (parameter, found, usual) in [("value", &columns.value, value), ("label", &columns.label, label)] {
                    if found != usual {
                        node.parameters.insert(parameter.to_owned(), found.clone());
                    }
                }
                let source = if is_geometry { id } else { file };
                set_source(node, source.to_owned());
            }
            None => {
                let is_first = secondary.columns.as_ref() == Some(&columns);
                if !is_first {
                    let what = Phrase::new(
                        "another control shows other columns of this list",
                        "câu hỏi khác hiển thị các cột khác của danh sách này",
                    );
                    let cure = Phrase::new(
                        "write a second instance for one of them",
                        "hãy ghi thêm một instance cho một trong hai",
                    );
                    report.not_held(&itemset.spot, what, id, cure);
                }
                set_source(node, id.to_owned());
            }
        }
    }

    fn of_answers(
        &self,
        slot: usize,
        itemset: &Element,
        nodeset: &Nodeset,
        context: Context,
        node: &mut FormNode,
        (references, report): (&References<'_>, &mut Report),
    ) {
        let repeat = self
            .outline
            .resolve(&nodeset.path, Some(slot))
            .and_then(|target| target.slot);
        let path = |name: &str| itemset.child(name).and_then(|child| child.get("ref"));
        let question = repeat.zip(path("value")).and_then(|(repeat, value)| {
            let question = self.outline.resolve(value, Some(repeat))?.slot?;
            let question = self.outline.get(question)?;
            (question.parent == Some(repeat)).then_some(question)
        });
        let row = match is_geometry(&node.kind) {
            true => repeat.and_then(|repeat| self.outline.get(repeat)),
            false => question,
        };
        let Some((row, question)) = row.zip(question).filter(|(row, _)| references.is_unique(&row.name)) else {
            not_held(itemset, &nodeset.path, report);
            return;
        };
        if path("label").is_some_and(|label| label.trim() != path("value").unwrap_or_default().trim()) {
            let what = Phrase::new(
                "the value of the choice is shown, not this",
                "giá trị của lựa chọn được hiển thị, không phải mục này",
            );
            report.changed(&itemset.spot, what, path("label").unwrap_or_default());
        }
        set_source(node, format!("${{{}}}", row.name));
        let usual = format!("./{} != ''", question.name);
        match &nodeset.filter {
            Some(filter) if !is_same(filter, &usual) => {
                let filter = references.filter_of_answers(filter, &row.name, context);
                node.choice_filter = Some(filter);
            }
            Some(_) => {}
            None => {
                let what = Phrase::new(
                    "instances without an answer are not offered",
                    "các lượt chưa trả lời không được đưa ra",
                );
                report.changed(&itemset.spot, what, &row.name);
            }
        }
    }
}

fn is_geometry(kind: &NodeKind) -> bool {
    matches!(kind, NodeKind::Geopoint | NodeKind::Geotrace | NodeKind::Geoshape)
}

fn not_held(element: &Element, written: &str, report: &mut Report) {
    let what = Phrase::new("choices from there are not held", "không lấy lựa chọn từ đó được");
    let cure = Phrase::new(
        "use instance('list')/root/item[condition] or the answers in a repeat, /data/repeat[./question != '']",
        "hãy dùng instance('list')/root/item[điều_kiện] hoặc câu trả lời trong nhóm lặp, /data/repeat[./question != '']",
    );
    report.not_held(&element.spot, what, written, cure);
}

/// Gives a row the source of what it offers.
fn set_source(node: &mut FormNode, source: String) {
    match &mut node.kind {
        NodeKind::SelectOne { list }
        | NodeKind::SelectMultiple { list }
        | NodeKind::Rank { list }
        | NodeKind::SelectOneExternal { list } => *list = source,
        NodeKind::Range => {
            node.parameters.insert("tick_labelset".to_owned(), source);
        }
        _ => {
            node.parameters.insert("reference-geometry".to_owned(), source);
        }
    }
}

fn osm_tags(control: &Element) -> Vec<Choice> {
    let tags = control.elements().filter(|child| child.name == "tag");
    let tags = tags.filter_map(|tag| {
        let label = tag.child("label").map(Element::text).unwrap_or_default();
        let label = match label.is_empty() {
            true => Translations::default(),
            false => Translations::plain(label),
        };
        Some(Choice {
            name: tag.get("key")?.to_owned(),
            label,
            media: crate::model::Media::new(),
            other: indexmap::IndexMap::new(),
            row: tag.spot.line,
        })
    });
    tags.collect()
}
