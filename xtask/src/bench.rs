//! `cargo xtask bench`: the benchmark program against the release build of the server.

use std::ffi::OsString;
use std::process::Command;

use crate::process::{Failure, become_command, cargo, prepare, target_folder};
use crate::tools::{Tool, require};
use crate::web;

/// Builds the server and the benchmark program together, then becomes the latter with these arguments.
///
/// Both are built by one command: built apart, cargo may choose other features for what they share and build it twice.
///
/// # Errors
/// When a tool is missing (exit code 2) or a build fails.
pub(crate) fn run(arguments: &[OsString]) -> Result<(), Failure> {
    require("bench", &[Tool::CCompiler, Tool::Node, Tool::Npm])?;
    web::build()?;
    prepare(&mut cargo(&[
        "build",
        "--release",
        "--package",
        "khaosat",
        "--package",
        "khaosat-tests",
        "--bins",
    ]))?;
    become_command(Command::new(target_folder().join("release").join("bench")).args(arguments))
}
