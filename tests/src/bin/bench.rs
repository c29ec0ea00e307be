//! `cargo xtask bench [NAME…]`: measures and prints a table; without names, everything.

use std::process::ExitCode;

use khaosat_tests::bench::Measurement;
use khaosat_tests::bench::table::print;

fn main() -> ExitCode {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let known = Measurement::ALL.map(Measurement::name);
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        eprintln!(
            "không có phép đo {unknown:?}; có: {0} (no measurement {unknown:?}; there are: {0})",
            known.join(", ")
        );
        return ExitCode::from(2);
    }
    for measurement in Measurement::ALL {
        if names.is_empty() || names.iter().any(|name| name == measurement.name()) {
            print(measurement.name(), &measurement.run());
        }
    }
    ExitCode::SUCCESS
}
