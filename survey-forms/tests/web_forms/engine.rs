//! ODK Web Forms' engine, run under Node.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::scenario::{Scenario, Step};

/// Converts the workbooks named by the arguments; prints the XForms as a JSON list.
const CONVERT: &str = "
import json, sys
from pyxform.xls2xform import convert
forms = [convert(path, validate=False, form_name='data').xform for path in sys.argv[1:]]
sys.stdout.buffer.write(json.dumps(forms).encode('utf-8'))
";

/// What the engine says of one question.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
pub(crate) struct Said {
    pub(crate) relevant: bool,
    pub(crate) required: bool,
    pub(crate) readonly: bool,
    pub(crate) value: String,
    pub(crate) constraint: bool,
    pub(crate) choices: Option<Vec<String>>,
}

/// What is said of every question by its reference.
pub(crate) type State = BTreeMap<String, Said>;

/// The states of each scenario: before the first step and after each.
pub(crate) fn fill(scenarios: &[Scenario]) -> Vec<Vec<State>> {
    let packages = std::env::var("KHAOSAT_WEB_FORMS").expect(
        "KHAOSAT_WEB_FORMS is not set: run these tests with `cargo xtask test`, which installs the packages of \
         survey-forms/tests/oracles/web-forms and names their folder in that variable",
    );
    let forms: Vec<Value> = convert(scenarios)
        .into_iter()
        .zip(scenarios)
        .map(|(xform, scenario)| {
            let steps: Vec<Value> = scenario.steps.iter().map(written).collect();
            json!({ "xform": xform, "steps": steps })
        })
        .collect();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles/web-forms/fill.js");
    let mut node = Command::new("node")
        .arg(script)
        .env("KHAOSAT_WEB_FORMS", packages)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let input = serde_json::to_vec(&forms).unwrap();
    node.stdin.take().unwrap().write_all(&input).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "the engine failed");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn written(step: &Step) -> Value {
    match step {
        Step::Answer { reference, value } => json!({ "answer": reference, "value": value }),
        Step::Add { reference } => json!({ "add": reference }),
        Step::Remove { reference } => json!({ "remove": reference }),
    }
}

fn convert(scenarios: &[Scenario]) -> Vec<String> {
    let python = std::env::var("KHAOSAT_PYTHON").expect(
        "KHAOSAT_PYTHON is not set: run these tests with `cargo xtask test`, which makes a Python environment with \
         pyxform from survey-forms/tests/oracles/requirements.txt and names its interpreter in that variable",
    );
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("web_forms");
    std::fs::create_dir_all(&folder).unwrap();
    let paths: Vec<_> = scenarios
        .iter()
        .map(|scenario| {
            let path = folder.join(format!("{}.xlsx", scenario.name));
            std::fs::write(&path, &scenario.workbook).unwrap();
            path
        })
        .collect();
    let output = Command::new(python)
        .args(["-c", CONVERT])
        .args(&paths)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "pyxform refuses a form:\n{errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}
