//! The repository's documents: every relative link leads somewhere, every direct dependency is explained, and no file
//! names the machine it was written on.

mod dependencies;
mod links;
mod markdown;
mod words;

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use crate::process::{FAILED, Failure, announce, cannot_start, judge, repository};

/// The files of the repository by their path from its top (with `/`); those that are not text have none.
pub(crate) type Files = BTreeMap<String, Option<String>>;

/// Checks links, words and the list of dependencies, and lists all that is wrong.
///
/// # Errors
/// A [`Failure`] that names each wrong line as `path:line`; or git or a file cannot be read.
pub(crate) fn check_repository() -> Result<(), Failure> {
    let files = read_repository()?;
    let mut complaints = links::check(&files);
    complaints.extend(words::check(&files));
    complaints.extend(dependencies::check(&files));
    for complaint in &complaints {
        println!("{complaint}");
    }
    if complaints.is_empty() {
        println!(
            "docs: {} files, links, words and dependencies are in order",
            files.len()
        );
        Ok(())
    } else {
        Err(Failure::new(
            FAILED,
            format!("{} places to mend in the repository's files", complaints.len()),
        ))
    }
}

/// Reads what git tracks or would track: what it ignores is not part of the repository.
fn read_repository() -> Result<Files, Failure> {
    let mut command = Command::new("git");
    command
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(repository());
    announce(&command);
    let output = command.output().map_err(|error| cannot_start(&command, &error))?;
    judge(&command, output.status)?;
    let mut files = Files::new();
    for name in String::from_utf8_lossy(&output.stdout).split_terminator('\0') {
        let path = repository().join(name);
        // A tracked file that was deleted and not yet committed is no longer there to be read or linked to.
        if path.is_file() {
            let bytes = fs::read(&path).map_err(|error| Failure::at(&path, &error))?;
            files.insert(
                name.to_owned(),
                String::from_utf8(bytes).ok().filter(|text| !text.contains('\0')),
            );
        }
    }
    Ok(files)
}
