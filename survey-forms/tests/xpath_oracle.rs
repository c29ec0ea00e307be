//! The expression engine against ODK Web Forms' own test-suite: each case is an expression, a document, a context node
//! and the result that ODK's engine gave. See `oracles/README.md` for origin and licence.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test's own helpers fail by panicking

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value as Json;
use survey_forms::xpath::{
    EvaluationContext, Moment, Name, NodeId, NodeKind, Object, QuestionIndex, Tree, TreeBuilder, Variables, evaluate,
    number_to_text, parse,
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
    source: String,
}

/// The namespaces by which the cases' expressions call their prefixes.
const PREFIXES: [(&str, &str); 4] = [
    ("http://www.w3.org/1999/xhtml", "xhtml"),
    ("http://www.w3.org/1998/Math/MathML", "mathml"),
    ("http://openrosa.org/javarosa", "jr"),
    ("http://www.w3.org/XML/1998/namespace", "xml"),
];

const XFORMS: &str = "http://www.w3.org/2002/xforms";

/// A document read as the DOM sees it, with the path of each of its nodes.
struct Document {
    tree: Tree,
    paths: BTreeMap<String, NodeId>,
}

fn qualified(written: &str, namespaces: &[(String, String)], attribute: bool) -> Arc<Name> {
    let (prefix, local) = written.split_once(':').unwrap_or(("", written));
    let namespace = if prefix == "xml" {
        Some(PREFIXES[3].0.to_owned())
    } else if prefix.is_empty() && attribute {
        None
    } else {
        let bound = namespaces.iter().rev().find(|(bound, _)| bound == prefix);
        bound.map(|(_, uri)| uri.clone()).filter(|uri| !uri.is_empty())
    };
    let known = PREFIXES.iter().find(|(uri, _)| Some(*uri) == namespace.as_deref());
    let prefix = match (known, prefix) {
        (Some((_, prefix)), _) => Some((*prefix).to_owned()),
        // Unprefixed names in the cases' expressions mean the namespace of XForms where the document is a form.
        (None, "") => namespace
            .as_deref()
            .filter(|uri| *uri != XFORMS)
            .map(|_| "unnamed".to_owned()),
        (None, prefix) => Some(prefix.to_owned()),
    };
    Arc::new(Name {
        prefix,
        namespace,
        local: local.to_owned(),
    })
}

/// Reads a document. Where it is a whole XForm, `/data/…` in its expressions means its primary instance, so with
/// `primary_instance` the tree holds that alone.
fn read_document(xml: &str, primary_instance: bool) -> Document {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut builder = TreeBuilder::new(Arc::new(QuestionIndex::default()));
    let mut paths = BTreeMap::from([("/".to_owned(), Tree::ROOT)]);
    let mut namespaces: Vec<(String, String)> = Vec::new();
    // For each open element: its path, how many children it has so far, how many namespaces were bound outside it.
    let mut open: Vec<(String, usize, usize)> = vec![(String::new(), 0, 0)];
    let mut text = String::new();
    let nameless = Name::local("");
    loop {
        let event = reader.read_event().expect("the oracle's documents are well-formed");
        let flush = !matches!(event, Event::Text(_) | Event::GeneralRef(_));
        if flush && !text.is_empty() {
            if open.len() > 1 {
                let outer = open.last_mut().unwrap();
                outer.1 += 1;
                let path = format!("{}/node()[{}]", outer.0, outer.1);
                paths.insert(
                    path,
                    builder.leaf(NodeKind::Text, nameless.clone(), std::mem::take(&mut text)),
                );
            } else {
                text.clear();
            }
        }
        let (start, empty) = match event {
            Event::Start(start) => (start, false),
            Event::Empty(start) => (start, true),
            Event::End(end) => {
                if primary_instance && end.local_name().as_ref() == "instance" {
                    break;
                }
                builder.close();
                let (_, _, bound) = open.pop().unwrap();
                namespaces.truncate(bound);
                continue;
            }
            Event::Text(part) => {
                text += &part;
                continue;
            }
            Event::GeneralRef(name) => {
                text += match &*name {
                    "lt" => "<",
                    "gt" => ">",
                    "amp" => "&",
                    "quot" => "\"",
                    "apos" => "'",
                    other => panic!("unexpected entity {other}"),
                };
                continue;
            }
            Event::CData(part) => {
                let outer = open.last_mut().unwrap();
                outer.1 += 1;
                let value = part.to_string();
                let path = format!("{}/node()[{}]", outer.0, outer.1);
                paths.insert(path, builder.leaf(NodeKind::Text, nameless.clone(), value));
                continue;
            }
            Event::Comment(part) => {
                let outer = open.last_mut().unwrap();
                outer.1 += 1;
                let value = part.to_string();
                let path = format!("{}/node()[{}]", outer.0, outer.1);
                paths.insert(path, builder.leaf(NodeKind::Comment, nameless.clone(), value));
                continue;
            }
            Event::PI(part) => {
                let outer = open.last_mut().unwrap();
                outer.1 += 1;
                let name = Name::local(part.target());
                let value = part.content().trim_start().to_owned();
                let path = format!("{}/node()[{}]", outer.0, outer.1);
                paths.insert(path, builder.leaf(NodeKind::ProcessingInstruction, name, value));
                continue;
            }
            Event::DocType(_) => {
                open.last_mut().unwrap().1 += 1;
                continue;
            }
            Event::Decl(_) => continue,
            Event::Eof => break,
        };
        let bound = namespaces.len();
        let attributes: Vec<(String, String)> = start
            .attributes()
            .with_checks(false)
            .map(|attribute| {
                let attribute = attribute.unwrap();
                let value = attribute.value.to_string();
                (attribute.key.as_ref().to_owned(), value)
            })
            .collect();
        for (key, value) in &attributes {
            if key == "xmlns" {
                namespaces.push((String::new(), value.clone()));
            } else if let Some(prefix) = key.strip_prefix("xmlns:") {
                namespaces.push((prefix.to_owned(), value.clone()));
            }
        }
        let outer = open.last_mut().unwrap();
        outer.1 += 1;
        let path = format!("{}/node()[{}]", outer.0, outer.1);
        if primary_instance && start.local_name().as_ref() == "instance" {
            builder = TreeBuilder::new(Arc::new(QuestionIndex::default()));
            paths.clear();
            open.push((path, 0, bound));
            continue;
        }
        paths.insert(
            path.clone(),
            builder.open(qualified(start.name().as_ref(), &namespaces, false)),
        );
        for (key, value) in &attributes {
            if !key.starts_with("xmlns") {
                let name = qualified(key, &namespaces, true);
                let node = builder.leaf(NodeKind::Attribute, name, value.clone());
                paths.insert(format!("{path}/@{key}"), node);
            }
        }
        if empty {
            builder.close();
            namespaces.truncate(bound);
        } else {
            open.push((path, 0, bound));
        }
    }
    Document {
        tree: builder.finish(),
        paths,
    }
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
fn check(case: &Case, document: &Document, context: &EvaluationContext) -> Result<(), String> {
    let offset = context.now.utc_offset_minutes;
    let expression = parse(&case.expr).map_err(|error| error.to_string())?;
    let printed = expression.to_string();
    if parse(&printed).as_ref() != Ok(&expression) {
        return Err(format!("prints as {printed}, which is another tree"));
    }
    let origin = *document.paths.get(&case.context).ok_or("no such context")?;
    let result =
        evaluate(&expression, &document.tree, origin, context, &Variables::new()).map_err(|error| error.to_string())?;
    let number = result.to_number(&document.tree, offset);
    let text = result.to_text(&document.tree);
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
        _ => {
            let Object::Nodes(nodes) = &result else {
                return Err(format!("no node set but {text:?}"));
            };
            let mut expected: Vec<NodeId> = Vec::new();
            for path in case.expected.as_array().unwrap() {
                let path = path.as_str().unwrap();
                expected.push(*document.paths.get(path).ok_or(format!("the document has no {path}"))?);
            }
            expected.sort();
            *nodes == expected
        }
    };
    if agrees {
        Ok(())
    } else {
        Err(format!("gave {text:?} ({})", number_to_text(number)))
    }
}

#[test]
fn the_engine_agrees_with_odk_web_forms() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracles/xpath_cases.json");
    let cases: Cases = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert!(cases.cases.len() > 1000, "the cases are there");
    // The recording's clock: 24 November 2026, noon in Phoenix.
    let context = EvaluationContext::new(Moment::parse("2026-11-24T12:00:00-07:00", -420).unwrap(), "en");
    let mut documents = BTreeMap::new();
    let (mut passed, mut failures) = (0, Vec::new());
    for case in &cases.cases {
        let document = documents
            .entry(&case.doc)
            .or_insert_with(|| read_document(&cases.docs[&case.doc], case.source.contains("indexed-repeat")));
        match check(case, document, &context) {
            Ok(()) => passed += 1,
            Err(why) => {
                failures.push(format!(
                    "{} at {} in {}: {why}; expected {}",
                    case.expr, case.context, case.source, case.expected
                ));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{passed} pass, {} fail:\n{}",
        failures.len(),
        failures.join("\n")
    );
}
