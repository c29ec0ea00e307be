//! The expression engine against ODK Web Forms' own test-suite: each case is an expression, a document, a context node
//! and the result that ODK's engine gave. See `oracles/README.md` for origin and licence.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test's own helpers fail by panicking

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;
use survey_forms::xpath::{
    EvaluationContext, Moment, NodeId, Object, RandomSeed, RegexMatching, Tree, Variables, document, evaluate, node_at,
    number_to_text, parse_lazily,
};

#[derive(Deserialize)]
struct Cases {
    docs: BTreeMap<String, String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    expr: String,
    doc: String,
    context: String,
    #[serde(rename = "type")]
    kind: String,
    expected: Json,
    #[serde(default)]
    round_factor: f64,
    /// Where ODK's engine departs from XPath 1.0, and how.
    disputed: Option<String>,
    /// The language in force; none where the form's default applies.
    lang: Option<String>,
    source: String,
}

fn expected_number(json: &Json) -> f64 {
    match json.as_str() {
        Some("NaN") => f64::NAN,
        Some("Infinity") => f64::INFINITY,
        Some("-Infinity") => f64::NEG_INFINITY,
        _ => json.as_f64().unwrap(),
    }
}

/// Whether the engine agrees with the case; the text says what it gave instead.
fn check(case: &Case, tree: &Tree, context: &EvaluationContext) -> Result<(), String> {
    let offset = context.now.utc_offset_minutes;
    let expression = parse_lazily(&case.expr).map_err(|error| error.to_string())?;
    let printed = expression.to_string();
    if parse_lazily(&printed).as_ref() != Ok(&expression) {
        return Err(format!("prints as {printed}, which is another tree"));
    }
    let origin = node_at(tree, &case.context, context).map_err(|error| error.to_string())?;
    let path = document::path_of(tree, origin);
    if path != case.context {
        return Err(format!("the context's path is given as {path}"));
    }
    let result = evaluate(&expression, tree, origin, context, &Variables::new()).map_err(|error| error.to_string())?;
    let number = result.to_number(tree, offset);
    let text = result.to_text(tree);
    let agrees = match case.kind.as_str() {
        "boolean" => result.to_boolean() == case.expected.as_bool().unwrap(),
        "number" => {
            let expected = expected_number(&case.expected);
            number == expected || (number.is_nan() && expected.is_nan()) || (number - expected).abs() < 1e-12
        }
        "number-rounded" => {
            let expected = expected_number(&case.expected);
            ((number - expected) * case.round_factor).abs() < 0.51
        }
        "string" => text == case.expected.as_str().unwrap(),
        "string-matches" => {
            let pattern = case.expected.as_str().unwrap().trim_matches('/');
            regex_lite::Regex::new(pattern).unwrap().is_match(&text)
        }
        "string-length" => text.chars().count() as u64 == case.expected.as_u64().unwrap(),
        "nodeset" | "nodeset-unordered" => {
            let Object::Nodes(nodes) = &result else {
                return Err(format!("no node set but {text:?}"));
            };
            let paths: Vec<String> = nodes.iter().map(|node| document::path_of(tree, *node)).collect();
            let found: Vec<NodeId> = paths
                .iter()
                .filter_map(|path| node_at(tree, path, context).ok())
                .collect();
            if found != *nodes {
                return Err(format!("{paths:?} are not the paths of the result"));
            }
            let mut expected: Vec<&str> = case
                .expected
                .as_array()
                .unwrap()
                .iter()
                .map(|path| path.as_str().unwrap())
                .collect();
            let mut paths: Vec<&str> = paths.iter().map(String::as_str).collect();
            if case.kind == "nodeset-unordered" {
                expected.sort_unstable();
                paths.sort_unstable();
            }
            if paths != expected {
                return Err(format!("gave {paths:?}"));
            }
            true
        }
        other => panic!("the cases have a type {other}"),
    };
    if agrees {
        Ok(())
    } else {
        Err(format!("gave {text:?} ({})", number_to_text(number)))
    }
}

/// Cases that the engine answers otherwise on purpose, with the reason.
fn departs_on_purpose(case: &Case) -> Option<&'static str> {
    if case.disputed.is_some() {
        return Some("a truth value compared with nodes is compared with whether there are any (XPath 1.0 §3.4)");
    }
    None
}

#[test]
fn the_engine_agrees_with_odk_web_forms() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracles/xpath_cases.json");
    let cases: Cases = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert!(cases.cases.len() > 1200, "the cases are there");
    let mut documents = BTreeMap::new();
    let (mut passed, mut departed, mut failures) = (0, 0, Vec::new());
    for case in &cases.cases {
        // The recording's clock: 24 November 2026, noon in Phoenix.
        let now = Moment::parse("2026-11-24T12:00:00-07:00", -420).unwrap();
        let mut context =
            EvaluationContext::new(now, case.lang.clone().unwrap_or_default()).with_random_seed(RandomSeed([7; 16]));
        context.regex_matching = RegexMatching::Part;
        let tree = documents
            .entry(&case.doc)
            .or_insert_with(|| document::parse(&cases.docs[&case.doc]).unwrap());
        match (check(case, tree, &context), departs_on_purpose(case)) {
            (Ok(()), None) => passed += 1,
            (Err(_), Some(_)) => departed += 1,
            (Ok(()), Some(reason)) => failures.push(format!("{}: agrees after all, yet {reason}", case.expr)),
            (Err(why), None) => {
                failures.push(format!(
                    "{} at {} in {}: {why}; expected {}",
                    case.expr, case.context, case.source, case.expected
                ));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{passed} agree, {departed} depart on purpose, {} fail:\n{}",
        failures.len(),
        failures.join("\n")
    );
}
