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
pub(crate) use instances::LAST_SAVED_INSTANCE;
pub(in crate::xpath) use instances::last_saved;
pub(crate) use selections::choice_name_question;

use Gives::{Any, Date, Nodes, Number, Text, Truth};

use super::ast::Expression;
use super::evaluation::Scope;
use super::evaluation_error::EvaluationError;
use super::object::Object;

/// What a function does with its unevaluated arguments; it evaluates those it needs.
pub(crate) type Body = fn(&Scope<'_>, &[Expression]) -> Result<Object, EvaluationError>;

/// What a function gives, as far as that is known before it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    /// A truth value.
    Truth,
    /// A number.
    Number,
    /// Text.
    Text,
    /// A date or moment.
    Date,
    /// Nodes.
    Nodes,
    /// What one of its arguments gives.
    Any,
}

/// One function.
#[derive(Debug)]
pub struct Function {
    /// The name, with its prefix.
    pub name: &'static str,
    /// The fewest arguments.
    pub least: usize,
    /// The most arguments; none where any number is allowed.
    pub most: Option<usize>,
    /// What it gives.
    pub gives: Gives,
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

const fn entry(name: &'static str, least: usize, most: Option<usize>, gives: Gives, evaluate: Body) -> Function {
    Function {
        name,
        least,
        most,
        gives,
        evaluate,
    }
}

/// Every function, sorted by name.
pub static TABLE: &[Function] = &[
    entry("abs", 1, Some(1), Number, numbers::abs),
    entry("acos", 1, Some(1), Number, numbers::acos),
    entry("area", 1, Some(1), Number, geography::area),
    entry("asin", 1, Some(1), Number, numbers::asin),
    entry("atan", 1, Some(1), Number, numbers::atan),
    entry("atan2", 2, Some(2), Number, numbers::atan2),
    entry("base64-decode", 1, Some(1), Text, hashing::base64_decode),
    entry("boolean", 1, Some(1), Truth, logic::boolean),
    entry("boolean-from-string", 1, Some(1), Truth, logic::boolean_from_string),
    entry("ceiling", 1, Some(1), Number, numbers::ceiling),
    entry("checklist", 2, None, Truth, logic::checklist),
    entry("coalesce", 2, None, Text, logic::coalesce),
    entry("concat", 0, None, Text, text::concat),
    entry("contains", 2, Some(2), Truth, text::contains),
    entry("cos", 1, Some(1), Number, numbers::cos),
    entry("count", 1, Some(1), Number, nodes::count),
    entry("count-non-empty", 1, Some(1), Number, nodes::count_non_empty),
    entry("count-selected", 1, Some(1), Number, selections::count_selected),
    entry("current", 0, Some(0), Nodes, nodes::current),
    entry("date", 1, Some(1), Date, dates::date),
    entry("date-time", 1, Some(1), Date, dates::date),
    entry("decimal-date-time", 1, Some(1), Number, dates::decimal_date_time),
    entry("decimal-time", 1, Some(1), Number, dates::decimal_time),
    entry("depend", 1, None, Any, logic::depend),
    entry("digest", 2, Some(3), Text, hashing::digest),
    entry("distance", 1, None, Number, geography::distance),
    entry("enclosed-area", 1, Some(1), Number, geography::area),
    entry("ends-with", 2, Some(2), Truth, text::ends_with),
    entry("exp", 1, Some(1), Number, numbers::exp),
    entry("exp10", 1, Some(1), Number, numbers::exp10),
    entry("extract-signed", 2, Some(2), Text, hashing::extract_signed),
    entry("false", 0, Some(0), Truth, logic::always_false),
    entry("floor", 1, Some(1), Number, numbers::floor),
    entry("format-date", 2, Some(2), Text, dates::format_date),
    entry("format-date-time", 2, Some(2), Text, dates::format_date),
    entry("geofence", 2, Some(2), Truth, geography::geofence),
    entry("id", 1, Some(1), Nodes, nodes::id),
    entry("if", 3, Some(3), Any, logic::if_then_else),
    entry("indexed-repeat", 3, None, Nodes, nodes::indexed_repeat),
    entry("instance", 1, Some(1), Nodes, instances::instance),
    entry("int", 1, Some(1), Number, numbers::int),
    entry("intersects", 1, Some(1), Truth, geography::intersects),
    entry("is-selected", 2, Some(2), Truth, selections::selected),
    entry("join", 1, None, Text, text::join),
    entry("jr:choice-name", 2, Some(2), Text, selections::choice_name),
    entry("jr:itext", 1, Some(1), Nodes, instances::itext),
    entry("lang", 1, Some(1), Truth, nodes::lang),
    entry("last", 0, Some(0), Number, nodes::last),
    entry("local-name", 0, Some(1), Text, nodes::local_name),
    entry("log", 1, Some(1), Number, numbers::log),
    entry("log10", 1, Some(1), Number, numbers::log10),
    entry("max", 0, None, Number, numbers::max),
    entry("min", 0, None, Number, numbers::min),
    entry("name", 0, Some(1), Text, nodes::name),
    entry("namespace-uri", 0, Some(1), Text, nodes::namespace_uri),
    entry("normalize-space", 0, Some(1), Text, text::normalize_space),
    entry("not", 1, Some(1), Truth, logic::not),
    entry("now", 0, Some(0), Date, dates::now),
    entry("number", 0, Some(1), Number, numbers::number),
    entry("once", 1, Some(1), Text, logic::once),
    entry("pi", 0, Some(0), Number, numbers::pi),
    entry("position", 0, Some(1), Number, nodes::position),
    entry("pow", 2, Some(2), Number, numbers::pow),
    entry("property", 1, Some(1), Text, instances::property),
    entry("pulldata", 4, Some(4), Text, instances::pulldata),
    entry("random", 0, Some(0), Number, chance::random),
    entry("randomize", 1, Some(2), Nodes, chance::randomize),
    entry("regex", 2, Some(2), Truth, text::regex),
    entry("round", 1, Some(2), Number, numbers::round),
    entry("selected", 2, Some(2), Truth, selections::selected),
    entry("selected-at", 2, Some(2), Text, selections::selected_at),
    entry("sin", 1, Some(1), Number, numbers::sin),
    entry("sqrt", 1, Some(1), Number, numbers::sqrt),
    entry("starts-with", 2, Some(2), Truth, text::starts_with),
    entry("string", 0, Some(1), Text, text::string),
    entry("string-length", 0, Some(1), Number, text::string_length),
    entry("substr", 2, Some(3), Text, text::substr),
    entry("substring", 2, Some(3), Text, text::substring),
    entry("substring-after", 2, Some(2), Text, text::substring_after),
    entry("substring-before", 2, Some(2), Text, text::substring_before),
    entry("sum", 1, Some(1), Number, numbers::sum),
    entry("tan", 1, Some(1), Number, numbers::tan),
    entry("today", 0, Some(0), Date, dates::today),
    entry("translate", 3, Some(3), Text, text::translate),
    entry("true", 0, Some(0), Truth, logic::always_true),
    entry("uuid", 0, Some(1), Text, chance::uuid),
    entry("version", 0, Some(0), Text, instances::version),
    entry("weighted-checklist", 2, None, Truth, logic::weighted_checklist),
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
