//! What is written of a form is read back as that form.

use survey_forms::xform;

use super::comparison::compare;
use super::forms;

#[test]
fn every_form_is_read_from_its_workbook() {
    let (read, refused) = forms::read_all();
    assert!(read.len() > 160, "the test forms are missing");
    assert_eq!(refused, [""; 0]);
}

#[test]
fn what_is_written_is_read_and_written_again_as_the_same_xform() {
    let (forms, _) = forms::read_all();
    let mut failures = Vec::new();
    for test in &forms {
        let written = xform::write(&test.form);
        match xform::read(&written) {
            Err(problems) => failures.push(format!("{}: {problems}", test.name)),
            Ok(form) => {
                let differences = compare(&xform::write(&form), &written);
                failures.extend(
                    differences
                        .iter()
                        .map(|difference| format!("{}: {difference}", test.name)),
                );
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn what_is_written_is_read_as_the_same_definition() {
    let (forms, _) = forms::read_all();
    let mut failures = Vec::new();
    for test in &forms {
        match xform::read(&xform::write(&test.form)) {
            Err(problems) => failures.push(format!("{}: {problems}", test.name)),
            Ok(form) => failures.extend(forms::unexplained(test, form.definition(), &[])),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
