//! Defaults that their question could never take: the form works without them, but that is not what was meant.

use super::super::choices::ChoiceSource;
use super::super::definition::{FormDefinition, FormNode};
use super::super::kind::NodeKind;
use super::super::problem::ProblemKind;
use super::Checker;
use crate::Phrase;
use crate::xpath::Date;

impl Checker<'_> {
    /// Checks the defaults that are values.
    pub(super) fn defaults(&mut self, definition: &FormDefinition) {
        for node in &definition.nodes {
            let default = node.default.as_deref().filter(|_| !node.has_dynamic_default());
            let unfit = default.and_then(|default| Some((default, unfit(definition, node, default)?)));
            if let Some((found, expected)) = unfit {
                let found = found.to_owned();
                self.warn_in(
                    "survey",
                    node.row,
                    "default",
                    ProblemKind::BadDefault { found, expected },
                );
            }
        }
    }
}

/// What a default should be, where it is not that.
fn unfit(definition: &FormDefinition, node: &FormNode, default: &str) -> Option<Phrase> {
    let unless = |fits: bool, english, vietnamese| (!fits).then_some(Phrase::new(english, vietnamese));
    match &node.kind {
        NodeKind::Integer => unless(default.parse::<i64>().is_ok(), "a whole number", "số nguyên"),
        NodeKind::Decimal | NodeKind::Range => unless(default.parse::<f64>().is_ok(), "a number", "một số"),
        NodeKind::Date => {
            let day = default.split(['T', ' ']).next().unwrap_or_default();
            unless(Date::parse(day).is_some(), "a date YYYY-MM-DD", "ngày dạng NNNN-TT-NN")
        }
        NodeKind::SelectOne { .. } => unless(
            is_offered(definition, node, default),
            "a choice of the list",
            "một lựa chọn trong danh sách",
        ),
        NodeKind::SelectMultiple { .. } | NodeKind::Rank { .. } => {
            let mut names = default.split_whitespace();
            unless(
                names.all(|name| is_offered(definition, node, name)),
                "choices of the list, separated by spaces",
                "các lựa chọn trong danh sách, cách nhau bằng dấu cách",
            )
        }
        _ => None,
    }
}

fn is_offered(definition: &FormDefinition, node: &FormNode, name: &str) -> bool {
    match node.kind.choice_source() {
        Some(ChoiceSource::List(list)) => {
            let choices = definition.choices.get(list);
            choices.is_none_or(|choices| choices.iter().any(|choice| choice.name == name))
        }
        _ => true,
    }
}
