//! Reads a form from a file of any format.

use crate::model::{Form, FormDefinition, FormProblems, ProblemKind};
use crate::xlsform::{self, Reading};

/// Reads and checks a form: the workbook of an XLSForm in any container, or a [`FormDefinition`] as JSON. What the file
/// holds decides; its name is a hint, and names a form that names itself nowhere.
///
/// # Errors
/// With everything found wrong, each with its place.
pub fn read_form(bytes: &[u8], file_name: Option<&str>) -> Result<Reading, FormProblems> {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    match first {
        Some(b'{') => read_json(bytes),
        _ => xlsform::read_file(bytes, file_name),
    }
}

fn read_json(bytes: &[u8]) -> Result<Reading, FormProblems> {
    let definition: FormDefinition = serde_json::from_slice(bytes).map_err(|error| {
        FormProblems::workbook(ProblemKind::BadDefinition {
            line: error.line(),
            column: error.column(),
            detail: error.to_string(),
        })
    })?;
    let form = Form::compile(definition)?;
    Ok(Reading {
        warnings: form.warnings().to_vec(),
        form,
    })
}
