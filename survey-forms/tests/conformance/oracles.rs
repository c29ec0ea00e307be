//! Other people's software: pyxform, which turns an XLSForm into an XForm, ODK Validate, which judges XForms, and
//! ODK Web Forms' engine, which opens them (`web_forms.mjs`).

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Deserialize;

/// Converts the forms whose paths stand in the lines of the standard input. Prints where the ODK Validate jar is, and
/// for each form either its XForm, written in both of pyxform's ways, or why it is refused.
const CONVERT: &str = "
import json, sys
from pyxform.validators.odk_validate import ODK_VALIDATE_PATH
from pyxform.xls2xform import convert
print(json.dumps(ODK_VALIDATE_PATH))
for line in sys.stdin:
    path = line.rstrip('\\n')
    try:
        plain = convert(path, pretty_print=False).xform
        indented = convert(path, pretty_print=True).xform
        print(json.dumps({'Ok': {'plain': plain, 'indented': indented}}))
    except Exception as error:
        print(json.dumps({'Err': str(error)}))
";

/// What pyxform makes of a form.
pub(crate) type Conversion = Result<Conversions, String>;

/// An XForm as pyxform writes it.
#[derive(Debug, Deserialize)]
pub(crate) struct Conversions {
    /// Without white space between elements.
    pub(crate) plain: String,
    /// With an element a line.
    pub(crate) indented: String,
}

/// The answers of pyxform.
pub(crate) struct Pyxform {
    /// One for each path, in the order of the paths.
    pub(crate) conversions: Vec<Conversion>,
    /// The jar of ODK Validate that comes with pyxform.
    pub(crate) validator: PathBuf,
}

/// Lets pyxform convert forms, all in one process.
pub(crate) fn pyxform(paths: &[&Path]) -> Pyxform {
    let python = std::env::var("KHAOSAT_PYTHON").expect(
        "KHAOSAT_PYTHON is not set: run these tests with `cargo xtask test`, which makes a Python environment with \
         pyxform from survey-forms/tests/oracles/requirements.txt and names its interpreter in that variable",
    );
    let mut child = Command::new(python)
        .args(["-c", CONVERT])
        .env("PYTHONIOENCODING", "utf-8")
        // pyxform walks through sets of words, whose order would otherwise change from run to run.
        .env("PYTHONHASHSEED", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let lines: String = paths.iter().map(|path| format!("{}\n", path.display())).collect();
    // Written beside the reading of the answers, so that neither waits for the other's full pipe.
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "pyxform's process failed");
    let output = String::from_utf8(output.stdout).unwrap();
    let mut lines = output.lines();
    let validator = serde_json::from_str(lines.next().unwrap()).unwrap();
    let conversions: Vec<Conversion> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(conversions.len(), paths.len(), "pyxform answers once for each form");
    Pyxform { conversions, validator }
}

/// Lets ODK Validate judge XForms, all in one process. Gives the names of those that it refuses and all that it says.
pub(crate) fn odk_validate(jar: &Path, xforms: &[(&str, &str)]) -> (BTreeSet<String>, String) {
    // Tests run beside each other, in one process.
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("khaosat-conformance-{}-{run}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut paths = Vec::new();
    for (name, xform) in xforms {
        let path = folder.join(format!("{name}.xml"));
        std::fs::write(&path, xform).unwrap();
        paths.push(path);
    }
    let output = Command::new("java")
        .args(["-Djava.awt.headless=true", "-jar"])
        .arg(jar)
        .args(&paths)
        .output()
        .expect("ODK Validate needs Java");
    std::fs::remove_dir_all(&folder).unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let judged = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        judged.lines().filter(|line| line.starts_with("Validating: ")).count(),
        xforms.len(),
        "ODK Validate judges every form:\n{said}"
    );
    // The paths of the refused stand at the end of the errors, a line each.
    let list = said
        .split("The following files failed validation:")
        .nth(1)
        .unwrap_or("");
    let refused = list.lines().filter_map(|line| {
        let path = paths.iter().find(|path| Path::new(line.trim()) == **path)?;
        Some(path.file_stem()?.to_string_lossy().into_owned())
    });
    let refused: BTreeSet<String> = refused.collect();
    assert_eq!(
        refused.is_empty(),
        output.status.success(),
        "ODK Validate's list and its exit code agree:\n{said}"
    );
    (refused, said)
}

/// What the engine of ODK Web Forms has against each XForm, by name; nothing where it opens it.
pub(crate) fn web_forms(xforms: &[(&str, &str)]) -> BTreeMap<String, Option<String>> {
    let packages = std::env::var("KHAOSAT_WEB_FORMS").expect(
        "KHAOSAT_WEB_FORMS is not set: run these tests with `cargo xtask test`, which installs the packages of \
         survey-forms/tests/oracles/web-forms and names their folder in that variable",
    );
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/web_forms.mjs");
    let mut node = Command::new("node")
        .arg(script)
        .env("KHAOSAT_WEB_FORMS", packages)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("ODK Web Forms needs Node");
    let named: BTreeMap<&str, &str> = xforms.iter().copied().collect();
    let input = serde_json::to_vec(&named).unwrap();
    node.stdin.take().unwrap().write_all(&input).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "the engine failed");
    let said: BTreeMap<String, String> = serde_json::from_slice(&output.stdout).unwrap();
    let objections = said.into_iter();
    objections
        .map(|(name, objection)| (name, Some(objection).filter(|objection| !objection.is_empty())))
        .collect()
}
