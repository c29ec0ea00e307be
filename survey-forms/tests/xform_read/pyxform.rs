//! What pyxform writes of a form is read as the form that the library reads from the workbook.

use std::path::Path;

use survey_forms::xform;

use super::{forms, oracles};

/// Where pyxform writes another form than the library reads from the workbook; see docs/xlsform-support.md.
const OTHERWISE: [forms::Explained; 4] = [
    (
        "flat-groups",
        "/nodes/",
        "pyxform writes groups without elements, whose conditions stand at each question",
    ),
    (
        "none-option",
        "/choices/assets",
        "pyxform adds the choice \"none\" to a copy of the list only",
    ),
    (
        "label-lookup",
        "/nodes/band/label",
        "pyxform escapes the label's expression twice",
    ),
    (
        "loop-nested",
        "/nodes/water/label",
        "pyxform leaves the place of the choice's label open",
    ),
];

#[test]
fn what_pyxform_writes_is_read_as_the_same_definition() {
    let (forms, _) = forms::read_all();
    let paths: Vec<&Path> = forms.iter().map(|test| test.path.as_path()).collect();
    let answers = oracles::pyxform(&paths);
    let mut failures = Vec::new();
    let mut compared = 0;
    for (test, conversion) in forms.iter().zip(&answers.conversions) {
        // What pyxform refuses is a matter of the conformance test.
        let Ok(conversion) = conversion else { continue };
        match xform::read(&conversion.plain) {
            Err(problems) => failures.push(format!("{}: {problems}", test.name)),
            Ok(form) => failures.extend(forms::unexplained(test, form.definition(), &OTHERWISE)),
        }
        compared += 1;
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(compared > forms.len() - 5, "pyxform refuses {}", forms.len() - compared);
}
