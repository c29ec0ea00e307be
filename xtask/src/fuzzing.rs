//! `cargo xtask test --only fuzz`: each fuzz target of each crate, for a fixed number of inputs from a fixed seed.
//!
//! The targets are those of cargo-fuzz, in `<crate>/fuzz`. They are built here with the ordinary compiler: the flags
//! that make a program tell libFuzzer which branches an input took are stable ones, only the sanitizers need nightly,
//! and those look for faults of memory that safe Rust does not have.

use std::fs;
use std::path::{Path, PathBuf};

use crate::process::{FAILED, Failure, answer, cargo, repository, run as run_command, target_folder};

/// What `cargo fuzz run --sanitizer none` gives the compiler: counters at every branch, a table of them, and the
/// operands of comparisons.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg=fuzzing";

/// Inputs for each target, beside the seeds.
const RUNS: u32 = 30_000;

/// An input that takes longer, in seconds, or more memory, in MiB, is a finding.
const LONGEST: u32 = 10;
const LARGEST: u32 = 1_024;

/// Builds and runs every target; the number is that of targets without a finding.
///
/// # Errors
/// When a build fails, a target finds something, or there is no target.
pub(crate) fn run() -> Result<usize, Failure> {
    let host = host()?;
    let mut passed = 0;
    for package in packages()? {
        let built = target_folder().join("fuzz");
        // Naming the target keeps the flags off build scripts.
        let mut build = cargo(&["build", "--target", &host, "--target-dir"]);
        run_command(build.arg(&built).current_dir(&package).env("RUSTFLAGS", FLAGS))?;
        for target in targets(&package)? {
            let program = built.join(&host).join("debug").join(&target);
            let work = built.join("work").join(&target);
            fuzz(&program, &work, &package.join("seeds").join(&target))?;
            passed += 1;
        }
    }
    if passed == 0 {
        return Err(Failure::new(FAILED, "there is no fuzz target"));
    }
    Ok(passed)
}

/// Runs one target from its seeds alone, so that every run of this version tries the same inputs.
fn fuzz(program: &Path, work: &Path, seeds: &Path) -> Result<(), Failure> {
    let corpus = work.join("corpus");
    if corpus.exists() {
        fs::remove_dir_all(&corpus).map_err(|error| Failure::at(&corpus, &error))?;
    }
    fs::create_dir_all(&corpus).map_err(|error| Failure::at(&corpus, &error))?;
    let mut command = std::process::Command::new(program);
    command.arg(corpus).arg(seeds).args([
        format!("-runs={RUNS}"),
        "-seed=1".into(),
        "-max_len=16384".into(),
        format!("-timeout={LONGEST}"),
        format!("-rss_limit_mb={LARGEST}"),
        // Where the input that is a finding is written.
        format!("-artifact_prefix={}{}", work.display(), std::path::MAIN_SEPARATOR),
        "-verbosity=0".into(),
        "-print_final_stats=1".into(),
    ]);
    run_command(&mut command)
}

/// The triple of the machine that compiles.
fn host() -> Result<String, Failure> {
    let version = answer("rustc", &["--version", "--verbose"]).unwrap_or_default();
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .ok_or_else(|| Failure::new(FAILED, "`rustc --version --verbose` names no host"))
}

/// The fuzz packages of the repository's crates, in the order of their names.
fn packages() -> Result<Vec<PathBuf>, Failure> {
    let packages = entries(repository())?.into_iter().map(|folder| folder.join("fuzz"));
    Ok(packages.filter(|package| package.join("Cargo.toml").exists()).collect())
}

/// The names of a package's targets.
fn targets(package: &Path) -> Result<Vec<String>, Failure> {
    let files = entries(&package.join("fuzz_targets"))?;
    let names = files.iter().filter_map(|file| file.file_stem());
    Ok(names.map(|name| name.to_string_lossy().into_owned()).collect())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failure = |error| Failure::at(folder, &error);
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(failure)? {
        entries.push(entry.map_err(failure)?.path());
    }
    entries.sort();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_seeds() {
        let packages = packages().expect("the repository is readable");
        assert!(!packages.is_empty());
        for package in packages {
            for target in targets(&package).expect("the targets are readable") {
                let seeds = entries(&package.join("seeds").join(&target));
                assert!(seeds.is_ok_and(|seeds| !seeds.is_empty()), "{target}");
            }
        }
    }
}
