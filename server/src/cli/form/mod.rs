//! `khaosat form`: check, convert, try out and compare questionnaires, without an installation.
//!
//! `load` reads a form from a file in any format; each command has its own file. Exit codes are 0 for "nothing wrong",
//! 1 for "something wrong with the form, the expression or the change" and 2 for "could not be read or compared".

mod check;
mod convert;
mod diff;
mod evaluate;
mod load;

use std::process::ExitCode;

use clap::Subcommand;

use super::Failure;
use crate::config::{Config, MessageLanguage};

/// Check, convert, try out and compare questionnaires.
#[derive(Debug, Subcommand)]
pub(super) enum FormCommand {
    /// Kiểm tra biểu mẫu: tell every error and warning of forms at once, each with its cell and cure
    Check(check::CheckArguments),
    /// Chuyển đổi: write a form as XForm, JSON definition or Markdown tables
    Convert(convert::ConvertArguments),
    /// Tính biểu thức: evaluate an expression over a filled form or any XML document
    Eval(evaluate::EvaluateArguments),
    /// So sánh hai phiên bản: tell every change and whether a round in the field can take it
    Diff(diff::DiffArguments),
}

pub(super) fn run(command: FormCommand, config: &Config) -> Result<ExitCode, Failure> {
    match command {
        FormCommand::Check(arguments) => check::run(&arguments, config.language),
        FormCommand::Convert(arguments) => convert::run(&arguments),
        FormCommand::Eval(arguments) => evaluate::run(&arguments, config.language),
        FormCommand::Diff(arguments) => diff::run(&arguments, config.language),
    }
}

/// A number and an English noun.
fn counted(number: usize, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

/// The sentence in the terminal's language.
fn worded<T>(language: MessageLanguage, vietnamese: T, english: T) -> T {
    match language {
        MessageLanguage::Vi => vietnamese,
        MessageLanguage::En => english,
    }
}
