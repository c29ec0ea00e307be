//! Reads a form from a file.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use survey_forms::model::{FormProblem, FormProblems, ProblemKind};
use survey_forms::workbook::MAX_FILE_BYTES;
use survey_forms::xlsform::Reading;

use super::Failure;

/// The exit code for what could not be read or compared.
pub(super) const UNREADABLE: u8 = 2;

/// Why there is no form.
#[derive(Debug)]
pub(super) enum LoadError {
    /// The file cannot be opened.
    Io { path: PathBuf, error: std::io::Error },
    /// The file is no form at all, or a damaged one.
    Unreadable { path: PathBuf, problems: FormProblems },
    /// The form has errors.
    Broken { path: PathBuf, problems: FormProblems },
}

impl LoadError {
    /// The exit code of a command that needed the form.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Broken { .. } => 1,
            _ => UNREADABLE,
        }
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        let exit_code = error.exit_code();
        let failure = match error {
            LoadError::Io { path, error } => Self::new(
                format!("không đọc được {}: {error}", path.display()),
                format!("cannot read {}: {error}", path.display()),
            ),
            LoadError::Unreadable { path, problems } | LoadError::Broken { path, problems } => {
                Self::new(problems.vietnamese(), problems.to_string()).of_file(&path)
            }
        };
        failure.with_exit_code(exit_code)
    }
}

/// Reads and checks the form in a file.
pub(super) fn load_form(path: &Path) -> Result<Reading, LoadError> {
    let bytes = read_limited(path, MAX_FILE_BYTES).map_err(|error| LoadError::Io {
        path: path.to_owned(),
        error,
    })?;
    match survey_forms::read_form(&bytes, path.file_name().and_then(OsStr::to_str)) {
        Ok(reading) => Ok(reading),
        Err(problems) if problems.0.iter().all(is_of_whole_file) => Err(LoadError::Unreadable {
            path: path.to_owned(),
            problems,
        }),
        Err(problems) => Err(LoadError::Broken {
            path: path.to_owned(),
            problems,
        }),
    }
}

/// A file's bytes; at most one more than `most`, so that whoever reads them can say that they are too many.
pub(super) fn read_limited(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether the problem is that there is no form to speak of, not that something is wrong in one.
fn is_of_whole_file(problem: &FormProblem) -> bool {
    problem.place.sheet.is_empty() && !matches!(problem.kind, ProblemKind::MissingSheet(_))
}
