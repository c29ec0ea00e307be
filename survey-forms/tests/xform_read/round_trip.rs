//! What is written of a form is read back as that form.

use survey_forms::xform;

use super::comparison::compare;
use super::forms;

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
                failures.extend(differences.iter().map(|difference| format!("{}: {difference}", test.name)));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
