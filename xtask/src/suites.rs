//! `cargo xtask test`: the test suites, one after another, each announced, up to the first that fails.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::documents;
use crate::fuzzing;
use crate::module;
use crate::oracles::{self, Environment, Oracle};
use crate::process::{FAILED, Failure, announce, cannot_start, cargo, judge, run as run_command, target_folder, words};
use crate::tools::{Tool, require};
use crate::web;

/// Tells the tests of the web interfaces where the program is.
const PROGRAM_VARIABLE: &str = "KHAOSAT_PROGRAM";

/// One group of tests that passes or fails as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Suite {
    /// Formatting, and the types of the web interfaces.
    Format,
    /// Clippy over everything, warnings denied.
    Lint,
    /// All tests of the Rust workspace.
    Rust,
    /// The fuzz targets, each for a fixed number of inputs.
    Fuzz,
    /// The phone's core and the indicators compile to WebAssembly, and the form engine's module is within its budget.
    Wasm,
    /// The tests of the web interfaces.
    Web,
    /// The repository's documents: links, words, the list of dependencies.
    Docs,
}

impl Suite {
    /// Every suite, in the order in which they run.
    pub(crate) const ALL: [Self; 7] = [
        Self::Format,
        Self::Lint,
        Self::Rust,
        Self::Fuzz,
        Self::Wasm,
        Self::Web,
        Self::Docs,
    ];

    /// The name by which `--only` calls the suite.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Lint => "lint",
            Self::Rust => "rust",
            Self::Fuzz => "fuzz",
            Self::Wasm => "wasm",
            Self::Web => "web",
            Self::Docs => "docs",
        }
    }

    /// The suite with this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.name() == name)
    }

    /// The names of all suites, for messages.
    pub(crate) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    fn tools(self) -> &'static [Tool] {
        match self {
            Self::Format | Self::Web => &[Tool::Node, Tool::Npm],
            Self::Lint => &[Tool::CCompiler, Tool::Node, Tool::Npm],
            Self::Rust => &[Tool::CCompiler, Tool::Node, Tool::Npm, Tool::Python],
            Self::Fuzz => &[Tool::CppCompiler],
            Self::Wasm => &[],
            Self::Docs => &[Tool::Git],
        }
    }

    fn oracles(self) -> &'static [Oracle] {
        match self {
            Self::Rust => &[
                Oracle::RSurvey,
                Oracle::Python,
                Oracle::WebForms,
                Oracle::Automerge,
                Oracle::Browser,
                Oracle::Java,
            ],
            Self::Web => &[Oracle::Browser],
            Self::Format | Self::Lint | Self::Fuzz | Self::Wasm | Self::Docs => &[],
        }
    }

    /// Runs the suite; the number is that of the tests it counted, where it counts them.
    fn run(self, environment: &Environment) -> Result<Option<usize>, Failure> {
        let oracles = environment.iter().map(|(name, value)| (*name, value));
        match self {
            Self::Format => {
                run_command(&mut cargo(&["fmt", "--all", "--check"]))?;
                web::install()?;
                run_command(&mut web::npm(&["run", "check"])).map(|()| None)
            }
            Self::Lint => {
                // The server does not compile without the interfaces that it embeds.
                web::build()?;
                let arguments = ["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"];
                run_command(&mut cargo(&arguments)).map(|()| None)
            }
            Self::Rust => {
                web::build()?;
                // Tests of another crate start the binary `khaosat`, which `cargo test` alone does not build. Naming
                // tests and binaries together chooses the features of `cargo test`, so that nothing is compiled twice.
                run_command(&mut cargo(&["build", "--workspace", "--bins", "--tests"]))?;
                run_counting(cargo(&["test", "--workspace"]).envs(oracles)).map(Some)
            }
            Self::Fuzz => fuzzing::run().map(Some),
            Self::Wasm => {
                // With it the form engine and the sync core, whose crates it is made of.
                module::build_phone_core()?;
                let indicators = ["build", "--package", "indicators", "--target", module::TARGET];
                run_command(cargo(&indicators).args(["--profile", module::SMALL]))?;
                module::weigh().map(|()| None)
            }
            Self::Web => {
                web::install()?;
                web::build_core()?;
                // The interfaces are also tested over the real server, which the suite before has built.
                let program = target_folder()
                    .join("debug")
                    .join(format!("khaosat{}", std::env::consts::EXE_SUFFIX));
                let mut test = web::npm(&["test"]);
                run_counting(test.envs(oracles).env(PROGRAM_VARIABLE, program)).map(Some)
            }
            Self::Docs => documents::check_repository().map(|()| None),
        }
    }
}

/// How a suite ended.
struct Ending {
    suite: Suite,
    passed: bool,
    tests: Option<usize>,
    time: Duration,
}

/// Checks the tools, sets up what the suites compare with, runs them, and prints a table of how they ended.
///
/// # Errors
/// When a tool is missing (exit code 2), the set-up fails, or a suite does; the suites after it are not run.
pub(crate) fn run(suites: &[Suite]) -> Result<(), Failure> {
    let tools: Vec<Tool> = each_once(suites.iter().flat_map(|suite| suite.tools()));
    require("test", &tools)?;
    let environment = oracles::set_up(&each_once(suites.iter().flat_map(|suite| suite.oracles())))?;

    let mut endings = Vec::new();
    let mut failure = None;
    for &suite in suites {
        eprintln!("\n=== {} ===", suite.name());
        let start = Instant::now();
        let outcome = suite.run(&environment);
        let tests = outcome.as_ref().ok().copied().flatten();
        endings.push(Ending {
            suite,
            passed: outcome.is_ok(),
            tests,
            time: start.elapsed(),
        });
        if let Err(error) = outcome {
            failure = Some(Failure::new(error.code, format!("suite `{}`: {error}", suite.name())));
            break;
        }
    }
    print!("\n{}", table(suites, &endings));
    failure.map_or(Ok(()), Err)
}

fn each_once<'a, T: Copy + PartialEq + 'a>(items: impl Iterator<Item = &'a T>) -> Vec<T> {
    let mut unique = Vec::new();
    for item in items {
        if !unique.contains(item) {
            unique.push(*item);
        }
    }
    unique
}

fn table(suites: &[Suite], endings: &[Ending]) -> String {
    let mut text = format!("{:<8}{:<10}{:>8}{:>9}\n", "suite", "passed", "tests", "seconds");
    for &suite in suites {
        let line = match endings.iter().find(|ending| ending.suite == suite) {
            None => format!("{:<8}{:<10}", suite.name(), "not run"),
            Some(ending) => {
                let passed = if ending.passed { "yes" } else { "NO" };
                let tests = ending.tests.map_or_else(String::new, |count| count.to_string());
                format!(
                    "{:<8}{passed:<10}{tests:>8}{:>9.1}",
                    suite.name(),
                    ending.time.as_secs_f64()
                )
            }
        };
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Runs tests, passing their output on line by line, and counts those that passed.
///
/// # Errors
/// When a test fails, and when none ran: a test program that finds no tests calls that a success.
fn run_counting(command: &mut Command) -> Result<usize, Failure> {
    announce(command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| cannot_start(command, &error))?;
    let mut passed = 0;
    if let Some(output) = child.stdout.take() {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        let mut terminal = std::io::stdout().lock();
        loop {
            line.clear();
            let length = output
                .read_until(b'\n', &mut line)
                .map_err(|error| cannot_pass_on(&error))?;
            if length == 0 {
                break;
            }
            passed += tests_passed(&String::from_utf8_lossy(&line));
            terminal.write_all(&line).map_err(|error| cannot_pass_on(&error))?;
        }
    }
    let status = child.wait().map_err(|error| cannot_start(command, &error))?;
    judge(command, status)?;
    if passed == 0 {
        return Err(Failure::new(FAILED, format!("`{}` ran no tests", words(command))));
    }
    Ok(passed)
}

fn cannot_pass_on(error: &std::io::Error) -> Failure {
    Failure::new(FAILED, format!("cannot pass on the output of the tests: {error}"))
}

/// The number in the closing lines of a test program: `test result: ok. 12 passed; 0 failed; …` of a Rust one, `# pass
/// 12` or `ℹ pass 12` of Node's test runner.
fn tests_passed(line: &str) -> usize {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        ["test", "result:", _, count, "passed;", ..] | ["#" | "ℹ", "pass", count] => count.parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tests_of_a_closing_line_are_counted() {
        let line = "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n";
        assert_eq!(tests_passed(line), 12);
        assert_eq!(tests_passed("test result: FAILED. 3 passed; 1 failed; 0 ignored"), 3);
        assert_eq!(tests_passed("# pass 7\n"), 7);
        assert_eq!(tests_passed("ℹ pass 7"), 7);
        for line in [
            "test suites::tests::twelve_passed ... ok",
            "# tests 7",
            "# pass a card on",
            "12 passed; ok",
            "",
        ] {
            assert_eq!(tests_passed(line), 0, "{line}");
        }
    }

    #[test]
    fn every_suite_is_found_by_its_name() {
        for suite in Suite::ALL {
            assert_eq!(Suite::named(suite.name()), Some(suite));
        }
        assert_eq!(Suite::named("everything"), None);
    }

    #[test]
    fn the_table_shows_what_passed_what_failed_and_what_was_not_run() {
        let ending = |suite, passed, tests, seconds| Ending {
            suite,
            passed,
            tests,
            time: Duration::from_secs(seconds),
        };
        let endings = [
            ending(Suite::Rust, true, Some(345), 61),
            ending(Suite::Wasm, false, None, 7),
        ];
        let expected = "\
suite   passed       tests  seconds
rust    yes            345     61.0
wasm    NO                      7.0
docs    not run
";
        assert_eq!(table(&[Suite::Rust, Suite::Wasm, Suite::Docs], &endings), expected);
    }

    #[test]
    fn tools_and_oracles_are_looked_for_once() {
        assert_eq!(each_once([1, 2, 1, 3, 2].iter()), [1, 2, 3]);
    }
}
