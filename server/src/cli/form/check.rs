//! `khaosat form check`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use survey_forms::model::{FormProblem, ProblemKind};

use super::load::{LoadError, UNREADABLE, load_form};
use super::{Failure, counted, worded};
use crate::config::MessageLanguage;

/// Tell every error and warning of forms at once.
///
/// Each is told with its sheet, row and column and with what would be right; in an expression a caret marks the place.
#[derive(Debug, Args)]
#[command(after_help = "Exit code: 0 no error, 1 errors, 2 a file that cannot be read.")]
pub(in crate::cli) struct CheckArguments {
    /// The forms' files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// One JSON document for machines, in both languages
    #[arg(long)]
    json: bool,
}

/// What was found in one file.
#[derive(Debug, Serialize)]
struct Report {
    file: String,
    /// False where the file is no form at all; its errors say why.
    readable: bool,
    errors: Vec<Finding>,
    warnings: Vec<Finding>,
}

/// One error or warning.
#[derive(Debug, Serialize)]
struct Finding {
    sheet: Option<String>,
    row: Option<u32>,
    column: Option<String>,
    message: Message,
    #[serde(skip_serializing_if = "Option::is_none")]
    expression: Option<MarkedExpression>,
}

#[derive(Debug, Serialize)]
struct Message {
    vi: String,
    en: String,
}

/// An expression that cannot be read, and where reading failed.
#[derive(Debug, Serialize)]
struct MarkedExpression {
    text: String,
    /// Bytes before the place.
    offset: usize,
    /// Characters before the place, of the whole text.
    character: usize,
}

impl Finding {
    fn of(problem: &FormProblem) -> Self {
        let place = &problem.place;
        let expression = match &problem.kind {
            ProblemKind::Syntax { error, source_text } => Some(MarkedExpression {
                text: source_text.clone(),
                offset: error.offset,
                character: source_text
                    .char_indices()
                    .take_while(|(start, _)| *start < error.offset)
                    .count(),
            }),
            _ => None,
        };
        Self {
            sheet: (!place.sheet.is_empty()).then(|| place.sheet.clone()),
            row: place.row,
            column: place.column.clone(),
            message: Message {
                vi: problem.vietnamese(),
                en: problem.to_string(),
            },
            expression,
        }
    }
}

pub(super) fn run(arguments: &CheckArguments, language: MessageLanguage) -> Result<ExitCode, Failure> {
    let mut exit_code = 0;
    let mut reports = Vec::with_capacity(arguments.files.len());
    for path in &arguments.files {
        let loaded = load_form(path);
        if let Err(error) = &loaded {
            exit_code = error.exit_code().max(exit_code);
        }
        let findings = |problems: &[FormProblem]| problems.iter().map(Finding::of).collect();
        let (errors, warnings) = match &loaded {
            Ok(loaded) => (Vec::new(), findings(&loaded.warnings)),
            Err(LoadError::Unreadable { problems, .. } | LoadError::Broken { problems, .. }) => {
                (findings(&problems.0), Vec::new())
            }
            Err(LoadError::Io { error, .. }) => (vec![unopened(error)], Vec::new()),
        };
        reports.push(Report {
            file: path.display().to_string(),
            readable: !loaded.is_err_and(|error| error.exit_code() == UNREADABLE),
            errors,
            warnings,
        });
    }
    let mut output = std::io::stdout().lock();
    if arguments.json {
        #[derive(Serialize)]
        struct Document {
            files: Vec<Report>,
        }
        serde_json::to_writer_pretty(&mut output, &Document { files: reports }).map_err(std::io::Error::from)?;
        writeln!(output)?;
    } else {
        for report in &reports {
            output.write_all(report.for_people(language).as_bytes())?;
        }
    }
    Ok(ExitCode::from(exit_code))
}

fn unopened(error: &std::io::Error) -> Finding {
    Finding {
        sheet: None,
        row: None,
        column: None,
        message: Message {
            vi: format!("không đọc được tệp: {error}"),
            en: format!("the file cannot be read: {error}"),
        },
        expression: None,
    }
}

impl Report {
    fn for_people(&self, language: MessageLanguage) -> String {
        let (errors, warnings) = (self.errors.len(), self.warnings.len());
        let counts = worded(
            language,
            format!("{errors} lỗi, {warnings} cảnh báo"),
            format!("{}, {}", counted(errors, "error"), counted(warnings, "warning")),
        );
        let mut text = format!("{}: {counts}\n", self.file);
        let kinds = [
            (&self.errors, worded(language, "lỗi", "error")),
            (&self.warnings, worded(language, "cảnh báo", "warning")),
        ];
        for (findings, kind) in kinds {
            for finding in findings {
                let message = worded(language, &finding.message.vi, &finding.message.en);
                let mut lines = message.lines();
                text += &format!("  {kind}: {}\n", lines.next().unwrap_or_default());
                // An expression and the caret below it keep their places to each other.
                for line in lines {
                    text += &format!("    {line}\n");
                }
            }
        }
        text
    }
}
