//! Reads a form from a file of any format.

use crate::model::{Form, FormDefinition, FormProblems, ProblemKind};
use crate::xform;
use crate::xlsform::{self, Reading};

/// Reads and checks a form: the workbook of an XLSForm in any container, an XForm, or a [`FormDefinition`] as JSON. What
/// the file holds decides; its name is a hint, and names a form that names itself nowhere.
///
/// # Errors
/// With everything found wrong, each with its place.
pub fn read_form(bytes: &[u8], file_name: Option<&str>) -> Result<Reading, FormProblems> {
    // A byte order mark and white space may stand before anything.
    let first = bytes.iter().find(|byte| byte.is_ascii() && !byte.is_ascii_whitespace());
    match first {
        Some(b'{') => read_json(bytes),
        Some(b'<') => read_xml(bytes),
        _ => xlsform::read_file(bytes, file_name),
    }
}

fn read_xml(bytes: &[u8]) -> Result<Reading, FormProblems> {
    // A byte order mark is no part of the text.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(xml) => xform::read_with_warnings(xml),
        Err(error) => Err(FormProblems::workbook(not_text(bytes, error.valid_up_to()))),
    }
}

fn not_text(bytes: &[u8], valid: usize) -> ProblemKind {
    let before = bytes.get(..valid).unwrap_or_default();
    let lines = before.iter().filter(|byte| **byte == b'\n').count();
    ProblemKind::NotText {
        line: lines as u64 + 1,
        byte: valid as u64,
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
