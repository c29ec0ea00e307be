//! The data that expressions look things up in: secondary instances (ODK XForms, "Secondary Instances").

use super::element::Element;
use super::itext;
use crate::model::{Choice, Form, is_searched, is_translated_list};

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
    let is_translated = is_translated_list(choices);
    // Choices without a label show their names. JavaRosa finds out from the first one whether a question can show them.
    let is_offered = form
        .nodes()
        .iter()
        .any(|node| node.list() == Some(list) && node.is_visible());
    let names_shown = is_offered && choices.first().is_some_and(|choice| choice.label.is_empty());
    let items = choices.iter().enumerate().map(|(index, choice)| {
        let mut item = Element::new("item");
        if is_translated {
            item.push(Element::new("itextId").with_text(&itext::choice_text_id(list, index)));
        }
        item.push(Element::new("name").with_text(&choice.name));
        let name = Some(choice.name.as_str()).filter(|_| names_shown);
        let shown = choice.label.as_plain().or(name);
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
