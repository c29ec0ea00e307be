//! The functions that expressions may call: one table entry each, the bodies grouped by subject.
//!
//! Sources: XPath 1.0 §4 (core function library) and the ODK XForms specification, section "XPath functions".

mod chance;
mod dates;
mod geography;
mod hashing;
mod instances;
mod logic;
mod nodes;
mod numbers;
mod selections;
mod text;

pub(crate) use chance::MAX_UUID_LENGTH;
pub(crate) use hashing::{DIGEST_ALGORITHMS, DIGEST_ENCODINGS};
pub(crate) use selections::choice_name_question;

use super::ast::Expression;
use super::evaluation::{EvaluationError, Scope};
use super::object::Object;

/// What a function does with its unevaluated arguments; it evaluates those it needs.
pub(crate) type Body = fn(&Scope<'_>, &[Expression]) -> Result<Object, EvaluationError>;

/// One function.
#[derive(Debug)]
pub struct Function {
    /// The name, with its prefix.
    pub name: &'static str,
    /// The fewest arguments.
    pub least: usize,
    /// The most arguments; none where any number is allowed.
    pub most: Option<usize>,
    pub(crate) evaluate: Body,
}

impl Function {
    /// Whether the function may be called with that many arguments.
    pub fn takes(&self, arguments: usize) -> bool {
        arguments >= self.least && self.most.is_none_or(|most| arguments <= most)
    }

    /// How many arguments the function takes, for messages: `1`, `1–2`, `2+`.
    pub fn arity_in_words(&self) -> String {
        match self.most {
            Some(most) if most == self.least => most.to_string(),
            Some(most) => format!("{}–{most}", self.least),
            None => format!("{}+", self.least),
        }
    }
}

/// The function of that name.
pub fn find(name: &str) -> Option<&'static Function> {
    TABLE
        .binary_search_by_key(&name, |function| function.name)
        .ok()
        .and_then(|position| TABLE.get(position))
}

const fn entry(name: &'static str, least: usize, most: Option<usize>, evaluate: Body) -> Function {
    Function {
        name,
        least,
        most,
        evaluate,
    }
}

/// Every function, sorted by name.
pub static TABLE: &[Function] = &[
    entry("abs", 1, Some(1), numbers::abs),
    entry("acos", 1, Some(1), numbers::acos),
    entry("area", 1, Some(1), geography::area),
    entry("asin", 1, Some(1), numbers::asin),
    entry("atan", 1, Some(1), numbers::atan),
    entry("atan2", 2, Some(2), numbers::atan2),
    entry("base64-decode", 1, Some(1), hashing::base64_decode),
    entry("boolean", 1, Some(1), logic::boolean),
    entry("boolean-from-string", 1, Some(1), logic::boolean_from_string),
    entry("ceiling", 1, Some(1), numbers::ceiling),
    entry("checklist", 2, None, logic::checklist),
    entry("coalesce", 2, None, logic::coalesce),
    entry("concat", 0, None, text::concat),
    entry("contains", 2, Some(2), text::contains),
    entry("cos", 1, Some(1), numbers::cos),
    entry("count", 1, Some(1), nodes::count),
    entry("count-non-empty", 1, Some(1), nodes::count_non_empty),
    entry("count-selected", 1, Some(1), selections::count_selected),
    entry("current", 0, Some(0), nodes::current),
    entry("date", 1, Some(1), dates::date),
    entry("date-time", 1, Some(1), dates::date),
    entry("decimal-date-time", 1, Some(1), dates::decimal_date_time),
    entry("decimal-time", 1, Some(1), dates::decimal_time),
    entry("depend", 1, None, logic::depend),
    entry("digest", 2, Some(3), hashing::digest),
    entry("distance", 1, None, geography::distance),
    entry("enclosed-area", 1, Some(1), geography::area),
    entry("ends-with", 2, Some(2), text::ends_with),
    entry("exp", 1, Some(1), numbers::exp),
    entry("exp10", 1, Some(1), numbers::exp10),
    entry("false", 0, Some(0), logic::always_false),
    entry("floor", 1, Some(1), numbers::floor),
    entry("format-date", 2, Some(2), dates::format_date),
    entry("format-date-time", 2, Some(2), dates::format_date),
    entry("geofence", 2, Some(2), geography::geofence),
    entry("id", 1, Some(1), nodes::id),
    entry("if", 3, Some(3), logic::if_then_else),
    entry("indexed-repeat", 3, None, nodes::indexed_repeat),
    entry("instance", 1, Some(1), instances::instance),
    entry("int", 1, Some(1), numbers::int),
    entry("is-selected", 2, Some(2), selections::selected),
    entry("join", 1, None, text::join),
    entry("jr:choice-name", 2, Some(2), selections::choice_name),
    entry("jr:itext", 1, Some(1), instances::itext),
    entry("lang", 1, Some(1), nodes::lang),
    entry("last", 0, Some(0), nodes::last),
    entry("local-name", 0, Some(1), nodes::local_name),
    entry("log", 1, Some(1), numbers::log),
    entry("log10", 1, Some(1), numbers::log10),
    entry("max", 0, None, numbers::max),
    entry("min", 0, None, numbers::min),
    entry("name", 0, Some(1), nodes::name),
    entry("namespace-uri", 0, Some(1), nodes::namespace_uri),
    entry("normalize-space", 0, Some(1), text::normalize_space),
    entry("not", 1, Some(1), logic::not),
    entry("now", 0, Some(0), dates::now),
    entry("number", 0, Some(1), numbers::number),
    entry("once", 1, Some(1), logic::once),
    entry("pi", 0, Some(0), numbers::pi),
    entry("position", 0, Some(1), nodes::position),
    entry("pow", 2, Some(2), numbers::pow),
    entry("property", 1, Some(1), instances::property),
    entry("pulldata", 4, Some(4), instances::pulldata),
    entry("random", 0, Some(0), chance::random),
    entry("randomize", 1, Some(2), chance::randomize),
    entry("regex", 2, Some(2), text::regex),
    entry("round", 1, Some(2), numbers::round),
    entry("selected", 2, Some(2), selections::selected),
    entry("selected-at", 2, Some(2), selections::selected_at),
    entry("sin", 1, Some(1), numbers::sin),
    entry("sqrt", 1, Some(1), numbers::sqrt),
    entry("starts-with", 2, Some(2), text::starts_with),
    entry("string", 0, Some(1), text::string),
    entry("string-length", 0, Some(1), text::string_length),
    entry("substr", 2, Some(3), text::substr),
    entry("substring", 2, Some(3), text::substring),
    entry("substring-after", 2, Some(2), text::substring_after),
    entry("substring-before", 2, Some(2), text::substring_before),
    entry("sum", 1, Some(1), numbers::sum),
    entry("tan", 1, Some(1), numbers::tan),
    entry("today", 0, Some(0), dates::today),
    entry("translate", 3, Some(3), text::translate),
    entry("true", 0, Some(0), logic::always_true),
    entry("uuid", 0, Some(1), chance::uuid),
    entry("version", 0, Some(0), instances::version),
    entry("weighted-checklist", 2, None, logic::weighted_checklist),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_every_function_is_found() {
        for function in TABLE {
            assert_eq!(find(function.name).map(|found| found.name), Some(function.name));
            assert!(function.most.is_none_or(|most| most >= function.least));
        }
        assert!(TABLE.windows(2).all(|pair| pair[0].name < pair[1].name));
    }
}
