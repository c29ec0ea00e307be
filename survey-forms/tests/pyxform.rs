//! The household questionnaire as pyxform and ODK Validate see it: other people's software must accept the same workbook
//! and read the same form from it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test's own helpers fail by panicking

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use quick_xml::events::{BytesStart, Event};
use survey_forms::model::{Form, FormNode, Metadata, NodeKind};
use survey_forms::xpath::{Axis, Expression, NodeTest, PathStart, parse};

/// Converts the workbook named by the first argument and validates the result with the ODK Validate jar that comes with
/// pyxform; prints the XForm.
const CONVERT: &str = "
import sys
from pyxform.xls2xform import convert
result = convert(sys.argv[1], validate=True)
sys.stdout.buffer.write(result.xform.encode('utf-8'))
for warning in result.warnings:
    print(warning, file=sys.stderr)
";

fn household_path() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../forms/household.xlsx")
}

fn household() -> Form {
    survey_forms::xlsform::read(&std::fs::read(household_path()).unwrap()).unwrap()
}

/// The XForm that pyxform makes, once ODK Validate has accepted it.
fn convert() -> String {
    let python = std::env::var("KHAOSAT_PYTHON").expect(
        "KHAOSAT_PYTHON is not set: run these tests with `cargo xtask test`, which makes a Python environment with \
         pyxform from survey-forms/tests/oracles/requirements.txt and names its interpreter in that variable",
    );
    let output = Command::new(python)
        .args(["-c", CONVERT])
        .arg(household_path())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "pyxform or ODK Validate refuses the form:\n{errors}"
    );
    assert_eq!(errors.trim(), "", "pyxform or ODK Validate warns");
    String::from_utf8(output.stdout).unwrap()
}

/// What an XForm says, by the question's path.
#[derive(Default)]
struct XForm {
    /// The elements of the primary instance.
    elements: BTreeSet<String>,
    binds: BTreeMap<String, BTreeMap<String, String>>,
    /// The names of the choices by list, in order.
    choices: BTreeMap<String, Vec<String>>,
    /// The list of each select, and whether several may be chosen.
    selects: BTreeMap<String, (String, bool)>,
}

fn attributes(start: &BytesStart<'_>) -> BTreeMap<String, String> {
    let pairs = start.attributes().map(|attribute| {
        let attribute = attribute.unwrap();
        let value = attribute
            .value
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"");
        (attribute.key.as_ref().to_owned(), value.replace("&amp;", "&"))
    });
    pairs.collect()
}

fn read_xform(xml: &str) -> XForm {
    let mut form = XForm::default();
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut open: Vec<String> = Vec::new();
    // Where the primary instance begins in `open`, the secondary instance and select being read, and the last text.
    let (mut primary, mut list, mut select, mut text) = (None, None, None, String::new());
    loop {
        let event = reader.read_event().unwrap();
        match &event {
            Event::Start(start) | Event::Empty(start) => {
                let name = start.name().as_ref().to_owned();
                let attributes = attributes(start);
                match name.as_str() {
                    "instance" if primary.is_none() => primary = Some(open.len() + 1),
                    "instance" => list = attributes.get("id").cloned(),
                    "bind" => {
                        form.binds.insert(attributes["nodeset"].clone(), attributes);
                    }
                    "select1" | "select" => select = Some((attributes["ref"].clone(), name == "select")),
                    "itemset" => {
                        let source = attributes["nodeset"].split('\'').nth(1).unwrap().to_owned();
                        let (path, multiple) = select.clone().unwrap();
                        form.selects.insert(path, (source, multiple));
                    }
                    _ => {}
                }
                if let Some(depth) = primary
                    && depth <= open.len()
                    && open[depth - 1] == "instance"
                    && list.is_none()
                {
                    let path: Vec<&str> = open[depth..].iter().map(String::as_str).collect();
                    form.elements
                        .insert(format!("/{}", [path, vec![name.as_str()]].concat().join("/")));
                }
                text.clear();
                if matches!(event, Event::Start(_)) {
                    open.push(name);
                }
            }
            Event::Text(part) => text.push_str(part),
            Event::End(_) => {
                let name = open.pop().unwrap();
                if let Some(list) = &list
                    && name == "name"
                {
                    form.choices.entry(list.clone()).or_default().push(text.clone());
                }
            }
            Event::Eof => return form,
            _ => {}
        }
    }
}

/// The path of a row in the XForm.
fn path(form: &Form, node: &FormNode) -> String {
    let mut names = vec![node.name.as_str()];
    // The log of filling stands among what is known of the filled form itself.
    names.extend((node.kind == NodeKind::Metadata(Metadata::Audit)).then_some("meta"));
    let mut place = node.parent;
    while let Some(parent) = place {
        let parent = &form.nodes()[parent];
        names.push(&parent.name);
        place = parent.parent;
    }
    names.push("data");
    names.reverse();
    format!("/{}", names.join("/"))
}

fn bind_type(kind: &NodeKind) -> Option<&'static str> {
    Some(match kind {
        NodeKind::Integer => "int",
        NodeKind::Decimal => "decimal",
        NodeKind::Date | NodeKind::Metadata(Metadata::Today) => "date",
        NodeKind::Geopoint => "geopoint",
        NodeKind::Metadata(Metadata::Start | Metadata::End) => "dateTime",
        NodeKind::Metadata(Metadata::Audit) => "binary",
        NodeKind::Group | NodeKind::Repeat => return None,
        _ => "string",
    })
}

/// An expression with every reference written in one way: pyxform replaces `${q}` by a path, absolute or relative, whose
/// last name is q; names are unique, so the last name and what follows a predicate say which question is meant.
fn canonical(expression: &Expression) -> String {
    let list = |expressions: &[Expression]| -> String {
        let written: Vec<String> = expressions.iter().map(canonical).collect();
        written.join(", ")
    };
    match expression {
        Expression::Negate(inner) => format!("-({})", canonical(inner)),
        Expression::Binary(operator, left, right) => {
            format!("({} {} {})", canonical(left), operator.symbol(), canonical(right))
        }
        Expression::Call(call) => format!("{}({})", call.function.name, list(&call.arguments)),
        Expression::Path(path) => {
            let mut parts: Vec<(String, &[Expression])> = Vec::new();
            if let PathStart::Question(name) = &path.start {
                parts.push((name.clone(), &path.predicates));
            }
            for step in &path.steps {
                match (step.axis, &step.test) {
                    (Axis::Child, NodeTest::Name { local, .. }) => parts.push((local.clone(), &step.predicates)),
                    (Axis::Parent, _) => {}
                    _ => parts.push((step.to_string(), &[])),
                }
            }
            let first = parts.iter().position(|(_, predicates)| !predicates.is_empty());
            let kept = &parts[first.unwrap_or(parts.len().saturating_sub(1))..];
            let written: Vec<String> = kept
                .iter()
                .map(|(name, predicates)| match predicates {
                    [] => name.clone(),
                    predicates => format!("{name}[{}]", list(predicates)),
                })
                .collect();
            written.join("/")
        }
        other => other.to_string(),
    }
}

#[test]
fn pyxform_and_odk_validate_accept_the_questionnaire_and_read_the_same_form() {
    let form = household();
    let xform = read_xform(&convert());
    let mut paths = BTreeSet::from([
        "/data".to_owned(),
        "/data/meta".to_owned(),
        "/data/meta/instanceID".to_owned(),
    ]);
    for node in form.nodes() {
        let path = path(&form, node);
        assert!(xform.elements.contains(&path), "pyxform has no {path}");
        let nothing = BTreeMap::new();
        let bind = xform.binds.get(&path).unwrap_or(&nothing);
        assert_eq!(
            bind.get("type").map(String::as_str),
            bind_type(&node.kind),
            "type of {path}"
        );
        for (attribute, ours) in [
            ("relevant", &node.relevant),
            ("constraint", &node.constraint),
            ("calculate", &node.calculation),
            ("required", &node.required),
            ("readonly", &node.read_only),
        ] {
            let written = |source: &str| canonical(&parse(source).unwrap_or_else(|error| panic!("{source}: {error}")));
            let theirs = bind.get(attribute).map(|source| written(source));
            assert_eq!(ours.as_deref().map(written), theirs, "{attribute} of {path}");
        }
        let select = match &node.kind {
            NodeKind::SelectOne { list } => Some((list.clone(), false)),
            NodeKind::SelectMultiple { list } => Some((list.clone(), true)),
            _ => None,
        };
        assert_eq!(xform.selects.get(&path), select.as_ref(), "choice list of {path}");
        let names: Vec<String> = form.choices(node).iter().map(|choice| choice.name.clone()).collect();
        if let Some((list, _)) = select {
            assert_eq!(xform.choices[&list], names, "choices of {list}");
        }
        paths.insert(path);
    }
    assert_eq!(xform.elements, paths, "pyxform has rows that we do not");
}
