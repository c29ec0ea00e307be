//! `cargo xtask bench`: the benchmark program against the release build of the server.

use std::ffi::OsString;
use std::process::Command;

use crate::module;
use crate::oracles::{self, Oracle};
use crate::process::{Failure, become_command, cargo, prepare, target_folder};
use crate::tools::{Tool, require};
use crate::web;

/// The measurement that needs the form engine as WebAssembly, and the variables that tell it where the two modules are.
const WASM: &str = "wasm";
const MODULES: [(&str, &str); 2] = [("KHAOSAT_MODULE", module::SMALL), ("KHAOSAT_FAST_MODULE", module::FAST)];

/// The measurement that needs other programs' exchanges.
const PEERS: &str = "peers";

/// The measurement of the phone app in a browser, which is a script of its own and runs when it is asked for alone.
const PHONE: &str = "phone";

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
    if matches!(arguments, [only] if only == PHONE) {
        let server = target_folder().join("release").join("khaosat");
        let mut bench = web::npm(&["run", "bench", "--workspace", "phone"]);
        bench.env("KHAOSAT_PROGRAM", server);
        return become_command(bench.envs(oracles::set_up(&[Oracle::Browser, Oracle::WebFormsPage])?));
    }
    let mut bench = Command::new(target_folder().join("release").join("bench"));
    let is_asked_for = |name: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == name);
    if is_asked_for(PEERS) {
        bench.envs(oracles::set_up(&[Oracle::Automerge, Oracle::PouchDb])?);
    }
    if is_asked_for(WASM) {
        for (variable, profile) in MODULES {
            bench.env(variable, module::build(profile)?);
        }
    }
    become_command(bench.args(arguments))
}
