//! `cargo xtask`: every chore of the repository behind one command.
//!
//! The crate uses the standard library only, so that a chore starts a second or two after a fresh clone. Announcements
//! and the output of the tools it runs for set-up go to standard error; standard output belongs to the program that a
//! chore is about.

mod arguments;
mod bench;
mod demo;
mod deny;
mod documents;
mod fuzzing;
mod module;
mod oracles;
mod process;
mod suites;
mod tools;
mod web;

use std::process::ExitCode;

use arguments::Chore;

fn main() -> ExitCode {
    let outcome = match arguments::parse(std::env::args_os().skip(1)) {
        Ok(Chore::Help) => {
            print!("{}", arguments::USAGE);
            Ok(())
        }
        Ok(Chore::Demo(arguments)) => demo::run(&arguments),
        Ok(Chore::Web) => web::run(),
        Ok(Chore::Test(only)) => suites::run(&only),
        Ok(Chore::Bench(arguments)) => bench::run(&arguments),
        Ok(Chore::Deny(checks)) => deny::run(checks),
        Err(failure) => Err(failure),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::from(failure.code)
        }
    }
}
