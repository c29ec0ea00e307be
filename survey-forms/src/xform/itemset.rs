//! Where a select's choices come from (ODK XForms, "Secondary Instances - Internal" and "Itemset").

use super::element::Element;
use super::paths::{Paths, Style};
use crate::model::{ChoiceSource, FormNode, NodeKind, is_translated_list};

/// An `<itemset>` while it is put together.
struct Itemset {
    nodeset: String,
    value: String,
    label: String,
    filter: Option<String>,
}

impl Itemset {
    fn of_instance(id: &str, value: &str, label: &str) -> Self {
        Self {
            nodeset: format!("instance('{id}')/root/item"),
            value: value.to_owned(),
            label: label.to_owned(),
            filter: None,
        }
    }
}

/// The element `<itemset>`; none for questions without choices.
pub(super) fn element(paths: &Paths<'_>, position: usize, node: &FormNode) -> Option<Element> {
    let mut itemset = match &node.kind {
        NodeKind::Range => of_source(
            paths,
            position,
            node,
            ChoiceSource::List(node.parameters.get("tick_labelset")?),
        )?,
        NodeKind::Geopoint | NodeKind::Geotrace | NodeKind::Geoshape => {
            let geometry = node.parameters.get("reference-geometry")?;
            match ChoiceSource::of(geometry) {
                ChoiceSource::Question(_) => of_geometry(paths, position, geometry),
                source => of_source(paths, position, node, source)?,
            }
        }
        kind => of_source(paths, position, node, kind.choice_source()?)?,
    };
    let geometry = node
        .parameters
        .get("reference-geometry")
        .map(|geometry| ChoiceSource::of(geometry));
    let source = node.kind.choice_source().or(geometry);
    let is_of_answers = matches!(source, Some(ChoiceSource::Question(_)));
    if let Some(filter) = &node.choice_filter {
        let style = Style {
            from_current: true,
            all_instances: is_of_answers,
        };
        let filter = paths.insert(filter, paths.context(position), style);
        itemset.filter = Some(if is_of_answers {
            // The answers themselves are what is filtered.
            let from_current = format!("current()/{}", itemset.nodeset);
            filter.replace(&from_current, ".").replace(&itemset.nodeset, ".")
        } else {
            filter
        });
    }
    if let Some(filter) = &itemset.filter {
        itemset.nodeset = format!("{}[{filter}]", itemset.nodeset);
    }
    if node.parameters.get("randomize").is_some_and(|value| value == "true") {
        itemset.nodeset = match node.parameters.get("seed") {
            Some(seed) => {
                let seed = paths.insert(seed, paths.context(position), Style::default());
                format!("randomize({}, {})", itemset.nodeset, seed.trim())
            }
            None => format!("randomize({})", itemset.nodeset),
        };
    }
    let value = Element::new("value").with("ref", itemset.value);
    let label = Element::new("label").with("ref", itemset.label);
    let element = Element::new("itemset").with("nodeset", itemset.nodeset);
    Some(element.containing([value, label]))
}

fn of_source(paths: &Paths<'_>, position: usize, node: &FormNode, source: ChoiceSource<'_>) -> Option<Itemset> {
    Some(match source {
        ChoiceSource::File { format, .. } => {
            let (value, label) = format.choice_columns();
            let given = |name: &str, otherwise| node.parameters.get(name).map_or(otherwise, String::as_str);
            Itemset::of_instance(source.instance_id()?, given("value", value), given("label", label))
        }
        ChoiceSource::List(list) => {
            let choices = paths.form.definition().choices.get(list);
            let is_translated = choices.is_some_and(|choices| is_translated_list(choices));
            Itemset::of_instance(list, "name", if is_translated { "jr:itext(itextId)" } else { "label" })
        }
        ChoiceSource::Question(question) => {
            let style = Style {
                from_current: false,
                all_instances: true,
            };
            let path = paths.insert(&format!("${{{question}}}"), paths.context(position), style);
            let (repeat, question) = path.trim().rsplit_once('/')?;
            Itemset {
                nodeset: repeat.to_owned(),
                value: question.to_owned(),
                label: question.to_owned(),
                filter: Some(format!("./{question} != ''")),
            }
        }
        ChoiceSource::External(_) => return None,
    })
}

/// The shapes that a map shows for reference: those of the instances of a repeat.
fn of_geometry(paths: &Paths<'_>, position: usize, repeat: &str) -> Itemset {
    let style = Style {
        from_current: false,
        all_instances: true,
    };
    let path = paths.insert(repeat, paths.context(position), style);
    const GEOMETRY: &str = "geometry";
    Itemset {
        nodeset: path.trim().to_owned(),
        value: GEOMETRY.to_owned(),
        label: GEOMETRY.to_owned(),
        filter: Some(format!("./{GEOMETRY} != ''")),
    }
}

/// The look-up of a `select_one_external` in its file.
pub(super) fn query(paths: &Paths<'_>, position: usize, node: &FormNode, list: &str) -> String {
    match &node.choice_filter {
        None => format!("instance('{list}')/root/item"),
        Some(filter) => {
            let filter = paths.insert(filter, paths.context(position), Style::PREDICATE);
            format!("instance('{list}')/root/item[{filter}]")
        }
    }
}
