//! Lists of choices: secondary instances, and items that stand in a control (ODK XForms, "Secondary Instances").

use std::collections::HashMap;

use indexmap::IndexMap;

use super::report::{Report, shortened};
use super::texts::{Itext, Reader, Text, text_id};
use super::tree::Element;
use crate::Phrase;
use crate::model::{Choice, ChoiceLists, DataFile, FormProblem, ProblemKind, Translations, XFormProblem, lexical};
use crate::xform::paths::Context;

/// The most secondary instances.
const MAX_INSTANCES: usize = 1000;

/// Choices have no place in the filled form.
const NOWHERE: Context = Context {
    container: None,
    between: 0,
};

/// Where the children of an item hold its value and its label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) value: String,
    pub(super) label: String,
    /// Whether the label is the identity of a text.
    pub(super) is_translated: bool,
}

impl Default for Columns {
    fn default() -> Self {
        Self {
            value: "name".to_owned(),
            label: "label".to_owned(),
            is_translated: false,
        }
    }
}

/// A secondary instance.
pub(super) struct Secondary<'x> {
    pub(super) element: &'x Element,
    /// The file that it comes from, by its whole name.
    pub(super) file: Option<(String, DataFile)>,
    /// How the first control that offers its items reads them.
    pub(super) columns: Option<Columns>,
}

/// The secondary instances by identity, in the form's order.
pub(super) type Secondaries<'x> = IndexMap<String, Secondary<'x>>;

/// The instances of the model besides the first.
pub(super) fn secondaries<'x>(model: &'x Element, report: &mut Report) -> Secondaries<'x> {
    let mut found = Secondaries::new();
    let instances = model.elements().filter(|element| element.name == "instance");
    for (number, element) in instances.skip(1).enumerate() {
        if number == MAX_INSTANCES {
            let (found, most) = (number as u64 + 1, MAX_INSTANCES as u64);
            let what = Phrase::new("the number of instances", "số instance");
            report.problems.push(FormProblem {
                place: element.spot.place(),
                kind: ProblemKind::TooLarge { what, found, most },
            });
            break;
        }
        let Some(id) = element.get("id") else {
            report.refuse(&element.spot, XFormProblem::MissingAttribute("id"));
            continue;
        };
        let address = element.get("src");
        if address.is_some_and(|address| address.starts_with("jr://instance/last-saved")) {
            continue;
        }
        let file = match address {
            None => None,
            Some(address) => match file(id, address) {
                Some(file) => Some(file),
                None => {
                    let what = Phrase::new("data from there cannot be had", "không lấy được dữ liệu từ đó");
                    let cure = Phrase::new(
                        "name a file of the instance's own id: jr://file-csv/id.csv, jr://file/id.xml or \
                         jr://file/id.geojson",
                        "hãy dùng tệp cùng tên với id: jr://file-csv/id.csv, jr://file/id.xml hoặc jr://file/id.geojson",
                    );
                    report.not_held(&element.spot, what, address, cure);
                    continue;
                }
            },
        };
        let secondary = Secondary {
            element,
            file,
            columns: None,
        };
        if found.insert(id.to_owned(), secondary).is_some() {
            report.refuse(&element.spot, XFormProblem::DuplicateElement(id.to_owned()));
        }
    }
    found
}

/// The file of an instance, which has the instance's identity as its name.
fn file(id: &str, address: &str) -> Option<(String, DataFile)> {
    let name = ["jr://file-csv/", "jr://file/"]
        .into_iter()
        .find_map(|folder| address.strip_prefix(folder))?;
    let format = DataFile::of_name(name)?;
    let (stem, _) = name.rsplit_once('.')?;
    (stem == id && !stem.contains('.')).then(|| (name.to_owned(), format))
}

/// The lists of the form's own secondary instances.
pub(super) fn lists(
    secondaries: &Secondaries<'_>,
    itext: &Itext<'_>,
    reader: &mut Reader<'_, '_>,
    report: &mut Report,
) -> ChoiceLists {
    let mut lists = ChoiceLists::new();
    for (id, secondary) in secondaries {
        if secondary.file.is_some() {
            continue;
        }
        let root = secondary.element.elements().next();
        let items: Vec<&Element> = root.into_iter().flat_map(Element::elements).collect();
        let is_item = |element: &&Element| {
            element.name == "item" && element.elements().all(|column| column.elements().next().is_none())
        };
        let is_flat = root.is_some_and(|root| root.name == "root") && items.iter().all(is_item);
        if !is_flat {
            let what = Phrase::new(
                "data of this shape are not held",
                "không giữ được dữ liệu có cấu trúc này",
            );
            let cure = Phrase::new(
                "write <root><item>… with one element for each column, or use a file",
                "hãy ghi <root><item>… với một phần tử cho mỗi cột, hoặc dùng tệp",
            );
            report.not_held(&secondary.element.spot, what, id, cure);
            continue;
        }
        let columns = secondary.columns.clone().unwrap_or_else(|| guessed(&items));
        let choices = items.iter().map(|item| choice(item, &columns, itext, reader, report));
        let mut choices: Vec<Choice> = choices.collect();
        finish(&mut choices, itext);
        lists.insert(id.clone(), choices);
    }
    lists
}

/// The columns of a list that no control offers.
fn guessed(items: &[&Element]) -> Columns {
    let has = |name: &str| items.iter().any(|item| item.child(name).is_some());
    match has("itextId") {
        true => Columns {
            label: "itextId".to_owned(),
            is_translated: true,
            ..Columns::default()
        },
        false => Columns::default(),
    }
}

fn choice(
    item: &Element,
    columns: &Columns,
    itext: &Itext<'_>,
    reader: &mut Reader<'_, '_>,
    report: &mut Report,
) -> Choice {
    let mut text = Text::default();
    let mut name = String::new();
    let mut other = IndexMap::new();
    for column in item.elements() {
        let value = column.text();
        if column.name == columns.value {
            name.clone_from(&value);
        }
        if column.name == columns.label {
            let id = value.trim();
            if !columns.is_translated {
                if !value.is_empty() {
                    text.label = Translations::plain(value.clone());
                }
            } else if itext.has(id) {
                text = itext.by_id(id, NOWHERE, reader, report);
            } else {
                report.refuse(&column.spot, XFormProblem::UnknownText(shortened(id)));
            }
        }
        // Further columns, and those that are written under another name, stay for expressions that look into them.
        let is_own = matches!(column.name.as_str(), "name" | "label" | "itextId");
        if !is_own && other.insert(column.name.clone(), value).is_some() {
            report.refuse(&column.spot, XFormProblem::DuplicateElement(column.name.clone()));
        }
    }
    Choice {
        name,
        label: text.label,
        media: text.media,
        other,
        row: item.spot.line,
    }
}

/// Texts without a language's name are in none, where the list is translated anyway.
fn finish(choices: &mut [Choice], itext: &Itext<'_>) {
    let is_translated = |choice: &Choice| {
        let refers = |text: &String| lexical::references(text).next().is_some();
        !choice.media.is_empty() || choice.label.0.len() > 1 || choice.label.0.values().any(refers)
    };
    let stays = choices.iter().any(is_translated);
    for choice in choices {
        choice.label = itext.plain_if(stays, std::mem::take(&mut choice.label.0));
    }
}

/// The choices that stand in a control.
pub(super) fn items(
    control: &Element,
    itext: &Itext<'_>,
    reader: &mut Reader<'_, '_>,
    report: &mut Report,
) -> Vec<Choice> {
    let mut choices = Vec::new();
    // Choices may be gathered under headings.
    let gathered = control.elements().filter(|child| child.name == "choices");
    let all = control.elements().chain(gathered.flat_map(Element::elements));
    for item in all.filter(|child| child.name == "item") {
        let label = item.child("label");
        let text = label
            .map(|label| itext.text(label, NOWHERE, reader, report))
            .unwrap_or_default();
        let Some(value) = item.child("value") else {
            report.refuse(&item.spot, XFormProblem::MissingElement("value"));
            continue;
        };
        choices.push(Choice {
            name: value.text().trim().to_owned(),
            label: text.label,
            media: text.media,
            other: IndexMap::new(),
            row: item.spot.line,
        });
    }
    finish(&mut choices, itext);
    choices
}

/// The name of the list that items stand for: that by which their texts are known, else `otherwise`.
pub(super) fn items_list(control: &Element, otherwise: &str) -> String {
    let items = control.elements().filter(|child| child.name == "item");
    let mut names = items.enumerate().map(|(index, item)| {
        let id = text_id(item.child("label")?.get("ref")?)?;
        id.strip_suffix(&format!("-{index}"))
    });
    let first = names.next().flatten();
    match first {
        Some(first) if lexical::is_qualified_name(first) && names.all(|name| name == Some(first)) => first.to_owned(),
        _ => otherwise.to_owned(),
    }
}

/// Adds items as a list; a list of the same items that is there already is shared, unless one of both is `searched`.
/// Gives the list's name.
pub(super) fn add(
    lists: &mut ChoiceLists,
    searched: &mut HashMap<String, bool>,
    choices: Vec<Choice>,
    wanted: &str,
    searches: bool,
) -> String {
    let same = |known: &[Choice]| {
        let mut pairs = known.iter().zip(&choices);
        known.len() == choices.len()
            && pairs.all(|(known, new)| {
                known.name == new.name
                    && known.label == new.label
                    && known.media == new.media
                    && known.other == new.other
            })
    };
    let mut shared = lists
        .iter()
        .filter(|(name, known)| searched.get(*name) == Some(&searches) && same(known));
    if let Some((name, _)) = shared.next() {
        return name.clone();
    }
    let mut name = wanted.to_owned();
    let mut number = 1;
    while lists.contains_key(&name) {
        number += 1;
        name = format!("{wanted}_{number}");
    }
    searched.insert(name.clone(), searches);
    lists.insert(name.clone(), choices);
    name
}
