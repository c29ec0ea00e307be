//! Estimates, raking and a bootstrap from the microdata of a whole province, beside R's package survey and Python's package
//! svy on the same columns. Only computing is counted, not the reading of files; the others run once, what is ours three
//! times, of which the median counts.
//!
//! Run with `cargo bench -p indicators --bench beside_other_programs`; `estimates` or `raking` after `--` runs only that.
//! Python is that of the environment variable KHAOSAT_PYTHON, or `python3`; what is not there is said and left out.

// What cannot be set up ends the benchmark.
#![allow(clippy::expect_used)]

mod beside;
mod persons;

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_asked = |name: &str| asked.is_empty() || asked.iter().any(|word| word == name);
    if is_asked("estimates") {
        beside::estimates::measure();
    }
    if is_asked("raking") {
        beside::raking::measure();
    }
}
