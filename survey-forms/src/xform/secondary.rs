//! The data that expressions look things up in: secondary instances (ODK XForms, "Secondary Instances").

use super::element::Element;
use super::itext;
use crate::model::{Choice, Form, is_searched};

/// The elements `<instance>` besides the primary one.
pub(super) fn elements(form: &Form) -> Vec<Element> {
    let beside = form.data_sources().into_iter();
    let mut elements: Vec<Element> = beside
        .map(|source| {
            Element::new("instance")
                .with("id", source.id)
                .with("src", source.address)
        })
        .collect();
    let lists = form.definition().choices.iter();
    elements.extend(
        lists
            .filter(|(list, _)| !is_searched(form, list))
            .map(|(list, choices)| of_list(form, list, choices)),
    );
    elements
}

fn of_list(form: &Form, list: &str, choices: &[Choice]) -> Element {
    let is_translated = itext::list_is_translated(choices);
    // Where no choice has a label, their names are shown: JavaRosa wants a label element for a question to show.
    let is_offered = form
        .nodes()
        .iter()
        .any(|node| node.list() == Some(list) && node.is_visible());
    let has_labels = !is_offered || choices.iter().any(|choice| !choice.label.is_empty());
    let items = choices.iter().enumerate().map(|(index, choice)| {
        let mut item = Element::new("item");
        if is_translated {
            item.push(Element::new("itextId").with_text(&itext::choice_text_id(list, index)));
        }
        item.push(Element::new("name").with_text(&choice.name));
        let shown = if has_labels {
            choice.label.as_plain()
        } else {
            Some(choice.name.as_str())
        };
        if let Some(label) = shown.filter(|_| !is_translated) {
            item.push(Element::new("label").with_text(label));
        }
        item.extend(
            choice
                .other
                .iter()
                .map(|(column, value)| Element::new(column).with_text(value)),
        );
        item
    });
    let root = Element::new("root").containing(items);
    Element::new("instance").with("id", list).containing([root])
}
