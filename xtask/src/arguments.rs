//! The command line of `cargo xtask`.

use std::ffi::OsString;

use crate::deny::Checks;
use crate::process::{Failure, USAGE_ERROR};
use crate::suites::Suite;

/// What `cargo xtask help` prints.
pub(crate) const USAGE: &str = "\
Usage: cargo xtask CHORE

Chores:
  demo [ARGUMENT…]      build everything and run `khaosat demo ARGUMENT…`
  test [--only SUITE]…  set up what the tests need and run them; suites, in order:
                        format, lint, rust, fuzz, wasm, web, docs
  web                   build the web interfaces that the server embeds
  bench [ARGUMENT…]     run the benchmarks on release builds
  deny [--advisories]   check licences, bans and sources of the dependencies;
                        with --advisories also the database of vulnerabilities
  help                  print this text
";

/// One chore with its arguments.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Chore {
    /// Print [`USAGE`].
    Help,
    /// Build everything and run `khaosat demo` with these arguments.
    Demo(Vec<OsString>),
    /// Build the web interfaces.
    Web,
    /// Run these test suites, in this order.
    Test(Vec<Suite>),
    /// Run the benchmark program with these arguments.
    Bench(Vec<OsString>),
    /// Check the dependencies against the policy.
    Deny(Checks),
}

/// Reads the arguments that follow `cargo xtask`.
///
/// What follows `demo` and `bench` belongs to the program they start and is passed on untouched, options and `--help`
/// included.
///
/// # Errors
/// A [`Failure`] with exit code 2 that names the argument that is not understood.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Chore, Failure> {
    let mut arguments = arguments.into_iter();
    let Some(chore) = arguments.next() else {
        return Ok(Chore::Help);
    };
    match chore.to_str() {
        Some("help" | "--help" | "-h") => Ok(Chore::Help),
        Some("demo") => Ok(Chore::Demo(arguments.collect())),
        Some("bench") => Ok(Chore::Bench(arguments.collect())),
        Some("test") => parse_suites(arguments).map(Chore::Test),
        Some("web") => match arguments.next() {
            None => Ok(Chore::Web),
            Some(argument) => Err(not_understood("web", &argument)),
        },
        Some("deny") => match (arguments.next(), arguments.next()) {
            (None, _) => Ok(Chore::Deny(Checks::Offline)),
            (Some(argument), None) if argument == "--advisories" => Ok(Chore::Deny(Checks::WithAdvisories)),
            (Some(argument), None) | (_, Some(argument)) => Err(not_understood("deny", &argument)),
        },
        _ => Err(Failure::new(
            USAGE_ERROR,
            format!("there is no chore {}\n\n{USAGE}", chore.display()),
        )),
    }
}

/// Reads `--only SUITE` and `--only=SUITE`; without any, every suite. The suites keep their own order.
fn parse_suites(mut arguments: impl Iterator<Item = OsString>) -> Result<Vec<Suite>, Failure> {
    let mut chosen = Vec::new();
    while let Some(argument) = arguments.next() {
        let name = match argument.to_str() {
            Some("--only") => arguments
                .next()
                .ok_or_else(|| Failure::new(USAGE_ERROR, format!("--only needs a suite: {}", Suite::names())))?,
            Some(text) if text.starts_with("--only=") => text.trim_start_matches("--only=").into(),
            _ => return Err(not_understood("test", &argument)),
        };
        let suite = name.to_str().and_then(Suite::named).ok_or_else(|| {
            Failure::new(
                USAGE_ERROR,
                format!("there is no suite {}; there are: {}", name.display(), Suite::names()),
            )
        })?;
        chosen.push(suite);
    }
    let all = chosen.is_empty();
    Ok(Suite::ALL
        .into_iter()
        .filter(|suite| all || chosen.contains(suite))
        .collect())
}

fn not_understood(chore: &str, argument: &OsString) -> Failure {
    Failure::new(
        USAGE_ERROR,
        format!("`{chore}` does not take the argument {}\n\n{USAGE}", argument.display()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Chore, Failure> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn everything_after_demo_and_bench_is_passed_on() {
        let passed_on = ["--once", "--help", "--", "demo"].map(OsString::from).to_vec();
        assert_eq!(read("demo --once --help -- demo"), Ok(Chore::Demo(passed_on.clone())));
        assert_eq!(read("bench --once --help -- demo"), Ok(Chore::Bench(passed_on)));
    }

    #[test]
    fn suites_keep_their_order_and_are_all_run_unless_some_are_named() {
        assert_eq!(read("test"), Ok(Chore::Test(Suite::ALL.to_vec())));
        assert_eq!(
            read("test --only docs --only=format"),
            Ok(Chore::Test(vec![Suite::Format, Suite::Docs]))
        );
        assert_eq!(read("test --only docs --only docs"), Ok(Chore::Test(vec![Suite::Docs])));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (line, named) in [
            ("tset", "tset"),
            ("test --only", "--only needs a suite"),
            ("test --only rusty", "rusty"),
            ("test rust", "rust"),
            ("web --fast", "--fast"),
            ("deny --advisory", "--advisory"),
            ("deny --advisories twice", "twice"),
        ] {
            let failure = read(line).expect_err(line);
            assert_eq!(failure.code, USAGE_ERROR, "{line}");
            assert!(failure.to_string().contains(named), "{line}: {failure}");
        }
    }

    #[test]
    fn deny_reads_its_option_and_nothing_asks_for_help() {
        assert_eq!(read("deny"), Ok(Chore::Deny(Checks::Offline)));
        assert_eq!(read("deny --advisories"), Ok(Chore::Deny(Checks::WithAdvisories)));
        assert_eq!(read(""), Ok(Chore::Help));
        assert_eq!(read("--help"), Ok(Chore::Help));
    }
}
