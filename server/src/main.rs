//! The program `khaosat`.

use std::process::ExitCode;

fn main() -> ExitCode {
    khaosat::cli::run()
}
