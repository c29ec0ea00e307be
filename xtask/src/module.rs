//! WebAssembly modules: adding the target, building the phone's core and the form engine by itself, weighing the latter.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Failure, answer, cargo, prepare, run as run_command, target_folder};

/// What phones run.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";
/// The package that becomes a module of the form engine, and the file that cargo makes of it.
const PACKAGE: &str = "survey-forms-module";
const FILE: &str = "survey_forms_module.wasm";
/// The same for the core of the phone app.
const PHONE_CORE: &str = "phone-core";
const PHONE_CORE_FILE: &str = "phone_core.wasm";
/// The profile that makes the module as small as it gets.
pub(crate) const SMALL: &str = "phone";
/// The same for speed, to compare with.
pub(crate) const FAST: &str = "phone-fast";

/// Adds the WebAssembly target to the toolchain, unless it has it.
///
/// # Errors
/// When rustup fails.
pub(crate) fn add_target() -> Result<(), Failure> {
    let toolchain = answer("rustc", &["--print", "sysroot"]).unwrap_or_default();
    if Path::new(&toolchain).join("lib").join("rustlib").join(TARGET).is_dir() {
        return Ok(());
    }
    prepare(Command::new("rustup").args(["target", "add", TARGET]))
}

/// Builds the form engine's module with this profile and says where it is.
///
/// # Errors
/// When the target cannot be added or the build fails.
pub(crate) fn build(profile: &str) -> Result<PathBuf, Failure> {
    build_package(PACKAGE, FILE, profile)
}

/// Builds the core of the phone app and says where it is.
///
/// # Errors
/// When the target cannot be added or the build fails.
pub(crate) fn build_phone_core() -> Result<PathBuf, Failure> {
    build_package(PHONE_CORE, PHONE_CORE_FILE, SMALL)
}

/// A module is built alone, so that no other package chooses features of what it uses.
fn build_package(package: &str, file: &str, profile: &str) -> Result<PathBuf, Failure> {
    add_target()?;
    prepare(
        cargo(&["rustc", "--package", package, "--lib", "--crate-type", "cdylib"]).args([
            "--target",
            TARGET,
            "--profile",
            profile,
        ]),
    )?;
    Ok(target_folder().join(TARGET).join(profile).join(file))
}

/// Builds the module as phones would get it, prints its weight, and fails where it is over its budget.
///
/// # Errors
/// When a build fails or the module is too large.
pub(crate) fn weigh() -> Result<(), Failure> {
    let module = build(SMALL)?;
    run_command(cargo(&["run", "--quiet", "--package", PACKAGE, "--bin", "module-size", "--"]).arg(module))
}
