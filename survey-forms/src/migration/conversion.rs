//! What a change of a question's type keeps of its answers.

use std::collections::{BTreeMap, BTreeSet};

use super::lineage::renamed_choices;
use crate::answers::Value;
use crate::model::{Choice, Form, FormNode, NodeKind};
use crate::xpath::{Date, Moment};

/// What becomes of the answers when a question's type changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TypeChange {
    /// The type is the same, whatever the list.
    None,
    /// Every old answer has its equal among the new type's.
    Lossless,
    /// Some old answers have no equal.
    Lossy,
}

pub(super) fn type_change(old: &NodeKind, new: &NodeKind) -> TypeChange {
    use NodeKind as Kind;
    if std::mem::discriminant(old) == std::mem::discriminant(new) {
        let is_same = match (old, new) {
            (Kind::Metadata(before), Kind::Metadata(after)) => before == after,
            _ => true,
        };
        return if is_same { TypeChange::None } else { TypeChange::Lossy };
    }
    let is_lossless = matches!(
        (old, new),
        (Kind::Integer, Kind::Decimal)
            | (
                Kind::SelectOne { .. },
                Kind::SelectMultiple { .. } | Kind::SelectOneExternal { .. }
            )
            | (Kind::SelectOneExternal { .. }, Kind::SelectOne { .. })
            | (
                Kind::Integer
                    | Kind::Decimal
                    | Kind::Range
                    | Kind::Date
                    | Kind::Time
                    | Kind::DateTime
                    | Kind::SelectOne { .. }
                    | Kind::SelectOneExternal { .. }
                    | Kind::SelectMultiple { .. }
                    | Kind::Rank { .. }
                    | Kind::Geopoint
                    | Kind::Geotrace
                    | Kind::Geoshape
                    | Kind::Barcode
                    | Kind::Hidden,
                Kind::Text
            )
    );
    if is_lossless {
        TypeChange::Lossless
    } else {
        TypeChange::Lossy
    }
}

/// How answers to an old row are read by the new row that continues it.
///
/// Both versions may be in the field at once, so a value may have been given under either: one that the new row takes
/// already is left as it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Conversion {
    /// The new type, where it differs.
    to: Option<NodeKind>,
    /// Whether every value of the old type has its equal in the new one.
    is_lossless: bool,
    /// The names of the new list, where choices are in the form itself.
    offered: Option<BTreeSet<String>>,
    /// New names of choices by their old ones.
    renamed: BTreeMap<String, String>,
    /// Whether the new row computes its value and takes no answer.
    is_computed: bool,
}

impl Conversion {
    pub(super) fn new(old: &Form, before: &FormNode, new: &Form, after: &FormNode) -> Self {
        let is_select = |node: &FormNode| node.kind.choice_source().is_some();
        let (former, current) = (choices(old, before), choices(new, after));
        let renamed = match (former, current) {
            (Some(former), Some(current)) if is_select(before) && is_select(after) => renamed_choices(former, current),
            _ => BTreeMap::new(),
        };
        let change = type_change(&before.kind, &after.kind);
        Self {
            to: (change != TypeChange::None).then(|| after.kind.clone()),
            is_lossless: change == TypeChange::Lossless,
            offered: current.map(|choices| choices.iter().map(|choice| choice.name.clone()).collect()),
            renamed,
            is_computed: is_computed(after) && !is_computed(before),
        }
    }

    /// Whether every value is read as it stands.
    pub(super) fn is_identity(&self) -> bool {
        self.to.is_none() && self.renamed.is_empty() && !self.is_computed
    }

    pub(super) fn is_computed(&self) -> bool {
        self.is_computed
    }

    /// The value as the new row has it; none where it takes no such value.
    pub(super) fn apply(&self, value: Value) -> Option<Value> {
        if self.is_computed {
            return None;
        }
        let value = self.with_renamed_choices(value);
        let Some(kind) = &self.to else {
            return Some(value);
        };
        match (kind, value) {
            (NodeKind::Text, value) => Some(Value::Text(value.to_string())),
            (NodeKind::SelectMultiple { .. }, Value::Text(name)) if self.is_lossless || self.offers(&name) => {
                Some(Value::Choices(BTreeSet::from([name])))
            }
            (kind, value) => self.is_taken(kind, &value).then_some(value),
        }
    }

    fn with_renamed_choices(&self, value: Value) -> Value {
        if self.renamed.is_empty() {
            return value;
        }
        let current = |name: &str| self.renamed.get(name).map_or(name, String::as_str).to_owned();
        match value {
            Value::Text(text) => {
                // The names of a ranking stand in one text; those of other selects hold no space.
                let names: Vec<String> = text.split(' ').map(current).collect();
                Value::Text(names.join(" "))
            }
            Value::Choices(names) => Value::Choices(names.iter().map(|name| current(name)).collect()),
            other => other,
        }
    }

    /// Whether a choice may be among those of the new list: lists in files are not known here.
    fn offers(&self, name: &str) -> bool {
        match &self.offered {
            Some(offered) => offered.contains(name),
            None => !name.contains(char::is_whitespace),
        }
    }

    /// Whether a value may have been given to a question of that type.
    fn is_taken(&self, kind: &NodeKind, value: &Value) -> bool {
        match (kind, value) {
            (NodeKind::Integer, value) => matches!(value, Value::Integer(_)),
            (NodeKind::Decimal | NodeKind::Range, value) => matches!(value, Value::Integer(_) | Value::Decimal(_)),
            (NodeKind::SelectMultiple { .. }, value) => matches!(value, Value::Choices(_)),
            (NodeKind::SelectOne { .. } | NodeKind::SelectOneExternal { .. }, Value::Text(name)) => self.offers(name),
            (NodeKind::Date, Value::Text(text)) => Date::parse(text).is_some(),
            (NodeKind::Time, Value::Text(text)) => Moment::parse(&format!("2000-01-01T{text}"), 0).is_some(),
            (NodeKind::DateTime, Value::Text(text)) => text.contains('T') && Moment::parse(text, 0).is_some(),
            (NodeKind::Geopoint | NodeKind::Geotrace | NodeKind::Geoshape, Value::Text(text)) => are_points(text),
            (NodeKind::Acknowledge, value) => *value == Value::from("OK"),
            (NodeKind::Note | NodeKind::ExternalData(_) | NodeKind::Group | NodeKind::Repeat, _) => false,
            (_, value) => matches!(value, Value::Text(_)),
        }
    }
}

/// Whether the row's value follows from others and is never kept.
pub(super) fn is_computed(node: &FormNode) -> bool {
    node.calculation.is_some() && node.triggers.is_empty()
}

/// The choices of a select, where the form itself has them.
pub(super) fn choices<'f>(form: &'f Form, node: &FormNode) -> Option<&'f [Choice]> {
    use crate::model::ChoiceSource;
    let definition = form.definition();
    let list = match node.kind.choice_source()? {
        ChoiceSource::List(name) => definition.choices.get(name),
        ChoiceSource::External(name) => definition.external_choices.get(name),
        ChoiceSource::File { .. } | ChoiceSource::Question(_) => None,
    };
    list.map(Vec::as_slice)
}

/// Whether the text is points, each of two to four numbers, separated by `;` (ODK XForms, "Data types").
fn are_points(text: &str) -> bool {
    let mut points = text.trim().trim_end_matches(';').split(';');
    points.all(|point| {
        let numbers: Vec<&str> = point.split_ascii_whitespace().collect();
        (2..=4).contains(&numbers.len()) && numbers.iter().all(|number| number.parse::<f64>().is_ok())
    })
}
