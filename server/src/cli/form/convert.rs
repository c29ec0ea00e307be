//! `khaosat form convert`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use survey_forms::model::Form;

use super::Failure;
use super::load::load_form;

/// Write a form in another format.
///
/// A form with errors is refused with the messages of `khaosat form check`, and nothing is written.
#[derive(Debug, Args)]
#[command(after_help = "Exit code: 0 written, 1 errors, 2 a file that cannot be read.")]
pub(in crate::cli) struct ConvertArguments {
    /// The form's file
    file: PathBuf,
    /// The format to write
    #[arg(long, value_name = "FORMAT")]
    to: FormFormat,
    /// File to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// A format in which forms are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormFormat {
    /// ODK XForm, as ODK Collect and other clients read it
    Xform,
    /// The form's definition as JSON
    Json,
    /// The workbook's sheets as Markdown tables
    Md,
}

pub(super) fn run(arguments: &ConvertArguments) -> Result<ExitCode, Failure> {
    let loaded = load_form(&arguments.file)?;
    let text = match arguments.to {
        FormFormat::Xform => survey_forms::xform::write(&loaded.form),
        FormFormat::Json => json(&loaded.form)?,
        FormFormat::Md => markdown(&loaded.form)?,
    };
    match &arguments.output {
        Some(path) => std::fs::write(path, text).map_err(|error| {
            Failure::new(
                format!("không ghi được {}: {error}", path.display()),
                format!("cannot write {}: {error}", path.display()),
            )
        })?,
        None => std::io::stdout().write_all(text.as_bytes())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn json(form: &Form) -> Result<String, Failure> {
    let mut text = serde_json::to_string_pretty(form.definition())
        .map_err(|error| Failure::new(error.to_string(), error.to_string()))?;
    text.push('\n');
    Ok(text)
}

fn markdown(form: &Form) -> Result<String, Failure> {
    let workbook = survey_forms::xlsform::write(form.definition());
    survey_forms::workbook::write_markdown(&workbook)
        .map_err(|problems| Failure::new(problems.vietnamese(), problems.to_string()))
}
