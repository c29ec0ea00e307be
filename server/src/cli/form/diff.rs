//! `khaosat form diff`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use survey_forms::migration::{Change, FormDifference, FormVersion, Safety, diff};
use survey_forms::model::Form;

use super::load::{UNREADABLE, load_form};
use super::{Failure, counted, worded};
use crate::config::MessageLanguage;

/// Tell every change between two versions of a form.
///
/// Each is told with its place, whether a round in the field can take it, and why.
#[derive(Debug, Args)]
#[command(after_help = "Exit code: 0 it can take them all, 1 some it cannot, 2 the two cannot be compared.")]
pub(in crate::cli) struct DiffArguments {
    /// The version in the field
    old: PathBuf,
    /// The version to come
    new: PathBuf,
    /// One JSON document for machines, in both languages
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Document<'a> {
    form_id: &'a str,
    old: &'a FormVersion,
    new: &'a FormVersion,
    safe: bool,
    changes: Vec<Described<'a>>,
}

#[derive(Debug, Serialize)]
struct Described<'a> {
    #[serde(flatten)]
    change: &'a Change,
    reason: Reason,
    message: Message,
}

#[derive(Debug, Serialize)]
struct Reason {
    vi: &'static str,
    en: &'static str,
}

#[derive(Debug, Serialize)]
struct Message {
    vi: String,
    en: String,
}

pub(super) fn run(arguments: &DiffArguments, language: MessageLanguage) -> Result<ExitCode, Failure> {
    let (old, new) = (load(&arguments.old)?, load(&arguments.new)?);
    let difference = diff(&old, &new)
        .map_err(|error| Failure::new(error.vietnamese(), error.to_string()).with_exit_code(UNREADABLE))?;
    let mut output = std::io::stdout().lock();
    if arguments.json {
        serde_json::to_writer_pretty(&mut output, &document(&difference)).map_err(std::io::Error::from)?;
        writeln!(output)?;
    } else {
        output.write_all(for_people(&difference, language).as_bytes())?;
    }
    Ok(if difference.is_safe() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Without both forms nothing can be said of their changes, so even a form with errors counts as not comparable.
fn load(path: &Path) -> Result<Form, Failure> {
    let loaded = load_form(path).map_err(|error| Failure::from(error).with_exit_code(UNREADABLE))?;
    Ok(loaded.form)
}

fn document(difference: &FormDifference) -> Document<'_> {
    let described = difference.changes.iter().map(|change| Described {
        change,
        reason: Reason {
            vi: change.reason_vietnamese(),
            en: change.reason_english(),
        },
        message: Message {
            vi: change.vietnamese(),
            en: change.to_string(),
        },
    });
    Document {
        form_id: &difference.form_id,
        old: &difference.old,
        new: &difference.new,
        safe: difference.is_safe(),
        changes: described.collect(),
    }
}

fn for_people(difference: &FormDifference, language: MessageLanguage) -> String {
    let count = |safety| {
        let changes = difference.changes.iter();
        changes.filter(|change| change.safety == safety).count()
    };
    let (total, unfit, warnings) = (difference.changes.len(), count(Safety::Unsafe), count(Safety::Warning));
    let (old, new) = (&difference.old.version, &difference.new.version);
    let mut text = worded(
        language,
        format!(
            "{} {old:?} → {new:?}: {total} thay đổi, {unfit} không an toàn, {warnings} lưu ý\n",
            difference.form_id
        ),
        format!(
            "{} {old:?} → {new:?}: {}, {unfit} unsafe, {}\n",
            difference.form_id,
            counted(total, "change"),
            counted(warnings, "warning"),
        ),
    );
    for change in &difference.changes {
        text += "  ";
        text += &worded(language, change.vietnamese(), change.to_string());
        text.push('\n');
    }
    text
}
