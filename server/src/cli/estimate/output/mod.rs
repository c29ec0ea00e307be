//! Estimates as a table for people, JSON or CSV.

mod csv_rows;
mod modelled;
mod table;

use serde::Serialize;

use super::OutputFormat;
use super::report::Report;
use crate::cli::{Failure, print_json};
use crate::config::MessageLanguage;

/// Prints a report on standard output.
///
/// # Errors
/// A [`Failure`] if it cannot be written.
pub(super) fn print(report: &Report, format: OutputFormat, language: MessageLanguage) -> Result<(), Failure> {
    match format {
        OutputFormat::Json => print_json(report),
        OutputFormat::Csv => csv_rows::print(report),
        OutputFormat::Table => {
            println!("{}", table::table(report, language == MessageLanguage::Vi));
            Ok(())
        }
    }
}

/// The word that JSON has for a value: the name of a variant.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(serde_json::Value::Object(object)) => {
            // A variant with a tag is named by it.
            let tag = object.get("reason").and_then(serde_json::Value::as_str);
            tag.map_or_else(|| object.keys().next().cloned().unwrap_or_default(), str::to_owned)
        }
        _ => String::new(),
    }
}
