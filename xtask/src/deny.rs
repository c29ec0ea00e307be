//! `cargo xtask deny`: the policy on dependencies, which `deny.toml` states and cargo-deny checks.

use crate::process::{Failure, cargo, prepare, run as run_command};

/// Which parts of the policy to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checks {
    /// Licences, bans and sources: these need nothing but the lock file and the crates.
    Offline,
    /// Also the vulnerabilities in the RustSec database, which is fetched from where it is published.
    WithAdvisories,
}

/// Checks the dependencies, installing cargo-deny if it is absent.
///
/// # Errors
/// When cargo-deny cannot be installed or finds something that the policy forbids.
pub(crate) fn run(checks: Checks) -> Result<(), Failure> {
    if !is_installed() {
        prepare(&mut cargo(&["install", "--locked", "cargo-deny"]))?;
    }
    let mut command = cargo(&["deny", "check", "licenses", "bans", "sources"]);
    if checks == Checks::WithAdvisories {
        command.arg("advisories");
    }
    run_command(&mut command)
}

fn is_installed() -> bool {
    let output = cargo(&["deny", "--version"]).output();
    output.is_ok_and(|output| output.status.success())
}
