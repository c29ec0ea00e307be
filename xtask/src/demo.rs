//! `cargo xtask demo`: from a fresh clone to a running demonstration.

use std::ffi::OsString;

use crate::process::{Failure, become_command, cargo, repository};
use crate::tools::{Tool, require};
use crate::web;

/// Builds the web interfaces and the server, then becomes `khaosat demo` with these arguments.
///
/// The demonstration runs in the folder of the person who asked for it, so that paths among its arguments mean what
/// they say.
///
/// # Errors
/// When a tool is missing (exit code 2) or a build fails.
pub(crate) fn run(arguments: &[OsString]) -> Result<(), Failure> {
    require("demo", &[Tool::CCompiler, Tool::Node, Tool::Npm])?;
    web::build()?;
    let manifest = repository().join("Cargo.toml");
    let mut command = cargo(&["run", "--release", "--package", "khaosat", "--manifest-path"]);
    command.arg(manifest).args(["--", "demo"]).args(arguments);
    if let Ok(folder) = std::env::current_dir() {
        command.current_dir(folder);
    }
    become_command(&mut command)
}
