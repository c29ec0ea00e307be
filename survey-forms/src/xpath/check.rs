//! Finds mistakes in an expression before it is ever evaluated: what [`super::parse`] cannot see because it is well
//! written, and yet cannot do what its author meant.

use std::collections::HashMap;
use std::ops::Range;

use super::ast::{BinaryOperator, Call, Expression, Path, PathStart};
use super::calendar::{Moment, milliseconds_of_day};
use super::finding::{Finding, FindingKind};
use super::functions::{DIGEST_ALGORITHMS, DIGEST_ENCODINGS, Gives, MAX_UUID_LENGTH};
use super::lexer::SyntaxError;
use super::object::text_to_number;
use super::parser::parse_with_spans;
use super::pattern::Pattern;

/// Checks an expression without a form: the types of operands and arguments, and literals that a function cannot use.
/// The findings stand in the order of the text.
///
/// # Errors
/// Where the expression cannot be read, as [`super::parse`].
pub fn check(source: &str) -> Result<Vec<Finding>, SyntaxError> {
    parse_and_check(source).map(|(_, findings)| findings)
}

/// Reads an expression and checks it, as [`super::parse`] and [`check`] do one after the other.
///
/// # Errors
/// Where the expression cannot be read.
pub fn parse_and_check(source: &str) -> Result<(Expression, Vec<Finding>), SyntaxError> {
    let parsed = parse_with_spans(source)?;
    let mut parts = Vec::with_capacity(parsed.spans.len());
    parsed.expression.walk(&mut |part| parts.push(part));
    let places = parts.iter().map(|part| std::ptr::from_ref(*part));
    let mut checker = Checker {
        places: places.zip(parsed.spans.iter().cloned()).collect(),
        findings: Vec::new(),
    };
    for part in parts {
        checker.part(part);
    }
    let mut findings = checker.findings;
    findings.sort_by_key(|finding| (finding.span.start, finding.span.end));
    Ok((parsed.expression, findings))
}

struct Checker {
    /// Where each part of the tree stands in the source; the tree is not moved while it is checked.
    places: HashMap<*const Expression, Range<usize>>,
    findings: Vec<Finding>,
}

/// What an expression gives.
fn gives(expression: &Expression) -> Gives {
    match expression {
        Expression::Number(_) | Expression::Variable(_) | Expression::Negate(_) => Gives::Number,
        Expression::Literal(_) => Gives::Text,
        Expression::Binary(BinaryOperator::Union, ..) | Expression::Path(_) => Gives::Nodes,
        Expression::Binary(operator, ..) if operator.gives_truth() => Gives::Truth,
        Expression::Binary(..) => Gives::Number,
        Expression::Call(call) => call.function.gives,
        Expression::Unresolved(_) => Gives::Any,
    }
}

/// Whether a text counts as a number, or as a date, which is a number of days.
fn is_numeric(text: &str) -> bool {
    !text_to_number(text, 0).is_nan()
}

/// Whether a function needs nodes for the argument at that place, from 0.
fn needs_nodes(function: &str, place: usize) -> bool {
    match function {
        "count" | "count-non-empty" | "sum" | "position" | "local-name" | "name" | "namespace-uri" | "randomize" => {
            place == 0
        }
        "indexed-repeat" => place == 0 || place % 2 == 1,
        _ => false,
    }
}

/// Whether a function needs a number for the argument at that place.
fn needs_number(function: &str, place: usize) -> bool {
    match function {
        "abs" | "acos" | "asin" | "atan" | "atan2" | "ceiling" | "cos" | "exp" | "exp10" | "floor" | "int" | "log"
        | "log10" | "max" | "min" | "number" | "pow" | "round" | "sin" | "sqrt" | "tan" | "uuid" => true,
        "substr" | "substring" | "selected-at" => place > 0,
        "checklist" | "weighted-checklist" => place < 2,
        "indexed-repeat" => place > 0 && place.is_multiple_of(2),
        _ => false,
    }
}

impl Checker {
    fn find(&mut self, at: &Expression, kind: FindingKind) {
        let span = self.places.get(&std::ptr::from_ref(at)).cloned().unwrap_or(0..0);
        self.findings.push(Finding { span, kind });
    }

    fn part(&mut self, part: &Expression) {
        match part {
            Expression::Binary(operator, left, right) => self.operands(*operator, left, right),
            Expression::Negate(inner) => self.number(inner),
            Expression::Call(call) => self.call(part, call),
            Expression::Path(path) => self.path(path),
            Expression::Number(_) | Expression::Literal(_) | Expression::Variable(_) | Expression::Unresolved(_) => {}
        }
    }

    fn operands(&mut self, operator: BinaryOperator, left: &Expression, right: &Expression) {
        use BinaryOperator as Op;
        match operator {
            Op::Or | Op::And => {}
            Op::Add | Op::Subtract | Op::Multiply | Op::Divide | Op::Remainder => {
                self.number(left);
                self.number(right);
            }
            Op::Union => {
                self.nodes(left, "|");
                self.nodes(right, "|");
            }
            Op::Equal | Op::NotEqual | Op::Less | Op::LessOrEqual | Op::Greater | Op::GreaterOrEqual => {
                self.comparison(operator, left, right);
                self.comparison(operator, right, left);
            }
        }
    }

    /// Whether a comparison with a literal can ever hold; `literal` may be either side.
    fn comparison(&mut self, operator: BinaryOperator, literal: &Expression, other: &Expression) {
        let Expression::Literal(text) = literal else { return };
        let equality = matches!(operator, BinaryOperator::Equal | BinaryOperator::NotEqual);
        match gives(other) {
            Gives::Truth => self.find(literal, FindingKind::TruthComparedWithText(text.clone())),
            Gives::Number if !is_numeric(text) => {
                self.find(literal, FindingKind::NumberComparedWithText(text.clone()));
            }
            // `date()` of a blank answer is blank.
            Gives::Date if !text.is_empty() && !is_numeric(text) => {
                self.find(literal, FindingKind::DateComparedWithText(text.clone()))
            }
            Gives::Text | Gives::Nodes | Gives::Any if !equality && !is_numeric(text) => {
                self.find(literal, FindingKind::OrderOfText(text.clone()));
            }
            _ => {}
        }
    }

    /// A place that needs a number.
    fn number(&mut self, operand: &Expression) {
        if let Expression::Literal(text) = operand
            && !is_numeric(text)
        {
            self.find(operand, FindingKind::NotANumber(text.clone()));
        }
    }

    /// A place that needs nodes.
    fn nodes(&mut self, operand: &Expression, place: &'static str) {
        if !matches!(gives(operand), Gives::Nodes | Gives::Any) {
            self.find(operand, FindingKind::NeedsNodes(place));
        }
    }

    fn path(&mut self, path: &Path) {
        if let PathStart::Expression(start) = &path.start {
            self.nodes(start, "a path");
        }
    }

    fn call(&mut self, whole: &Expression, call: &Call) {
        let name = call.function.name;
        for (place, argument) in call.arguments.iter().enumerate() {
            if needs_nodes(name, place) {
                self.nodes(argument, name);
            }
            if needs_number(name, place) {
                self.number(argument);
            }
        }
        match (name, call.arguments.as_slice()) {
            ("selected" | "is-selected", [list, choice]) => self.selected(list, choice),
            ("date" | "date-time" | "decimal-date-time", [date]) => self.date(date),
            ("format-date" | "format-date-time", [date, pattern]) => {
                self.date(date);
                self.date_pattern(pattern);
            }
            ("decimal-time", [time]) => {
                if let Expression::Literal(text) = time {
                    let clock = text.split_once('T').map_or(text.as_str(), |(_, clock)| clock);
                    if milliseconds_of_day(clock).is_none() {
                        self.find(time, FindingKind::NotATime(text.clone()));
                    }
                }
            }
            ("regex", [_, pattern]) => {
                if let Expression::Literal(text) = pattern
                    && let Err(reason) = Pattern::new(text)
                {
                    self.find(pattern, FindingKind::BadPattern(reason));
                }
            }
            ("digest", [_, algorithm, others @ ..]) => {
                self.one_of(algorithm, &DIGEST_ALGORITHMS);
                if let Some(encoding) = others.first() {
                    self.one_of(encoding, &DIGEST_ENCODINGS);
                }
            }
            ("uuid", [Expression::Number(length)]) if *length > MAX_UUID_LENGTH as f64 => {
                self.find(whole, FindingKind::LongUuid);
            }
            ("indexed-repeat", arguments) if arguments.len() % 2 == 0 => {
                self.find(whole, FindingKind::OddArguments(name));
            }
            ("weighted-checklist", arguments) if arguments.len() % 2 == 1 => {
                self.find(whole, FindingKind::OddArguments(name));
            }
            _ => {}
        }
    }

    fn selected(&mut self, list: &Expression, choice: &Expression) {
        if let Expression::Literal(text) = list
            && matches!(choice, Expression::Path(_))
            && !text.trim().contains(char::is_whitespace)
        {
            self.find(list, FindingKind::SelectedTurnedRound(text.clone()));
        }
        if let Expression::Literal(text) = choice
            && text.trim().contains(char::is_whitespace)
        {
            self.find(choice, FindingKind::SeveralChoices(text.clone()));
        }
    }

    fn date(&mut self, date: &Expression) {
        if let Expression::Literal(text) = date
            && !text.is_empty()
            && Moment::parse(text, 0).is_none()
            && !is_numeric(text)
        {
            self.find(date, FindingKind::NotADate(text.clone()));
        }
    }

    fn date_pattern(&mut self, pattern: &Expression) {
        let Expression::Literal(text) = pattern else { return };
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            if character != '%' {
                continue;
            }
            let letter = characters.next();
            if !letter.is_some_and(|letter| Moment::FORMAT_LETTERS.contains(&letter)) {
                self.find(pattern, FindingKind::UnknownDateLetter(letter));
                return;
            }
        }
    }

    fn one_of(&mut self, argument: &Expression, known: &'static [&'static str]) {
        if let Expression::Literal(text) = argument
            && !known.contains(&text.as_str())
        {
            let written = text.clone();
            self.find(argument, FindingKind::NotOneOf { written, known });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Severity;
    use super::*;

    /// The parts of the expression at fault, each with `!` for an error or `?` for a warning before it.
    fn faults(source: &str) -> Vec<String> {
        let findings = check(source).unwrap();
        let faults = findings.iter().map(|finding| {
            assert!(!finding.to_string().is_empty() && !finding.vietnamese().is_empty());
            let mark = match finding.severity() {
                Severity::Error => '!',
                Severity::Warning => '?',
            };
            format!("{mark}{}", &source[finding.span.clone()])
        });
        faults.collect()
    }

    #[test]
    fn each_mistake_is_found_where_it_stands() {
        for (source, expected) in [
            ("1 + count('text')", "!'text'"),
            ("sum(1 + 2) > 3", "!1 + 2"),
            ("position('a')", "!'a'"),
            ("${a} | 'b'", "!'b'"),
            ("count(${a}) = 'many'", "?'many'"),
            ("position(..) = 'first'", "?'first'"),
            ("'x' != string-length(.)", "?'x'"),
            ("today() > 'soon'", "?'soon'"),
            ("selected(${a}, 'b') = 'false'", "?'false'"),
            (". >= 'abc'", "?'abc'"),
            ("'abc' + 1", "?'abc'"),
            ("-'abc'", "?'abc'"),
            ("round('x', 2)", "?'x'"),
            ("selected('a', ${q})", "?'a'"),
            ("selected(${q}, 'a b')", "?'a b'"),
            ("date('yesterday')", "!'yesterday'"),
            ("format-date('2025-02-30', '%Y')", "!'2025-02-30'"),
            ("format-date(., '%d/%q')", "?'%d/%q'"),
            ("format-date(., 'at %')", "?'at %'"),
            ("decimal-time('25:00')", "!'25:00'"),
            ("regex(., '(?!0)[0-9]+')", "!'(?!0)[0-9]+'"),
            ("regex(., '[0-9')", "!'[0-9'"),
            ("digest(., 'SHA1')", "!'SHA1'"),
            ("digest(., 'MD5', 'HEX')", "!'HEX'"),
            (
                "indexed-repeat(${a}, ${b}, 1, ${c})",
                "!indexed-repeat(${a}, ${b}, 1, ${c})",
            ),
            ("weighted-checklist(1, 2, ${a})", "!weighted-checklist(1, 2, ${a})"),
            ("uuid(5000)", "!uuid(5000)"),
            ("//a[count('x') = 1]/b", "!'x'"),
            ("(1)[2]", "!1"),
        ] {
            assert_eq!(faults(source), [expected], "{source}");
        }
    }

    #[test]
    fn what_works_is_left_alone() {
        for source in [
            "${age} >= 18 and ${age} < '65'",
            ". = '' or . != 'yes'",
            "count(${a}) = '3'",
            "today() >= '2025-01-01'",
            "'2012-07-24' + 10",
            "date('') = ''",
            "date('2024-02-29') < ${d}",
            "format-date(today(), '%e/%n/%Y %H:%M:%S.%3 %a %b %y %m %d %h')",
            "selected('a b c', ${q}) or selected(${q}, 'a')",
            "regex(., '^[\\p{L} ]+$') and digest(., 'SHA-256', 'hex') = ${h}",
            "if(${a} = 1, 'x', 2) = 'x'",
            "count(if(true(), ${a}, ${b}))",
            "sum(instance('x')/root/item[name = current()/../y]/size)",
            "indexed-repeat(${a}, ${b}, 1) = 'x'",
            "decimal-time('10:20:30.000+07:00') + decimal-time(${t})",
        ] {
            assert_eq!(faults(source), [""; 0], "{source}");
        }
    }

    #[test]
    fn two_mistakes_are_told_in_the_order_of_the_text() {
        assert_eq!(faults("count('a') + sum('b')"), ["!'a'", "!'b'"]);
        assert!(check("count(").is_err());
        let source = "1 +\ncount('đ')";
        let finding = &check(source).unwrap()[0];
        assert_eq!(finding.caret(source), "count('đ')\n      ^^^");
    }
}
