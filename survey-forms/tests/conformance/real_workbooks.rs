//! Workbooks that people really made, with recorded verdicts of pyxform and ODK Validate.

use std::path::Path;

use serde::Deserialize;
use survey_forms::{read_form, xform};

use super::comparison::compare;
use super::oracles::{odk_validate, pyxform};

/// An entry of `tests/oracles/xlsforms/manifest.json`.
#[derive(Debug, Deserialize)]
struct Workbook {
    file: String,
    /// `ok`, or why it is refused.
    pyxform_4_5_0: String,
    valid_by_odk_validate_1_20_0: Option<bool>,
}

#[test]
fn real_workbooks_are_read_as_pyxform_reads_them_and_written_so_that_odk_validate_accepts_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles/xlsforms");
    let manifest = std::fs::read(folder.join("manifest.json")).unwrap();
    let workbooks: Vec<Workbook> = serde_json::from_slice(&manifest).unwrap();
    assert!(workbooks.len() > 20, "the workbooks are missing");
    let paths: Vec<_> = workbooks.iter().map(|workbook| folder.join(&workbook.file)).collect();
    let oracle = pyxform(&paths.iter().map(|path| path.as_path()).collect::<Vec<_>>());
    let mut wrong = Vec::new();
    let mut written = Vec::new();
    for ((workbook, path), conversion) in workbooks.iter().zip(&paths).zip(&oracle.conversions) {
        let name = &workbook.file;
        assert_eq!(
            conversion.is_ok(),
            workbook.pyxform_4_5_0 == "ok",
            "pyxform says of {name} what the manifest says"
        );
        let reading = read_form(&std::fs::read(path).unwrap(), Some(name));
        match (reading, conversion) {
            (Ok(reading), Ok(theirs)) => {
                let ours = xform::write(&reading.form);
                let differences = compare(&ours, &theirs.plain);
                wrong.extend(differences.iter().map(|difference| format!("{name}: {difference}")));
                written.push((name.as_str(), ours));
            }
            (Err(problems), Ok(_)) if workbook.valid_by_odk_validate_1_20_0 == Some(true) => {
                wrong.push(format!("{name} is refused: {problems}"));
            }
            (Err(problems), _) => {
                let placed = problems.0.iter().all(|problem| !problem.place.sheet.is_empty());
                if !placed {
                    wrong.push(format!("{name} is refused without a place: {problems}"));
                }
            }
            (Ok(reading), Err(_)) => written.push((name.as_str(), xform::write(&reading.form))),
        }
    }
    let xforms: Vec<(&str, &str)> = written.iter().map(|(name, xform)| (*name, xform.as_str())).collect();
    let (refused, said) = odk_validate(&oracle.validator, &xforms);
    assert!(refused.is_empty(), "ODK Validate refuses {refused:?}:\n{said}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
