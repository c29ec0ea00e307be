//! Other programs that compute the same from the same columns.

pub(crate) mod estimates;
pub(crate) mod raking;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Repetitions of what is ours; the others run once.
const REPETITIONS: usize = 3;

/// Another program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// R with its package survey.
    R,
    /// Python with its package svy: that of the environment variable KHAOSAT_PYTHON, or `python3`.
    Svy,
}

impl Program {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Program::R => "R survey",
            Program::Svy => "Python svy",
        }
    }

    fn executable(self) -> String {
        match self {
            Program::R => "Rscript".to_owned(),
            Program::Svy => std::env::var("KHAOSAT_PYTHON").unwrap_or_else(|_| "python3".to_owned()),
        }
    }

    /// Its version, which is printed with the number of persons; `None` where it or its package is not there, which is
    /// printed too.
    pub(crate) fn announce(self, persons: usize) -> Option<()> {
        let code = match self {
            Program::R => ["-e", "cat(as.character(packageVersion('survey')))"],
            Program::Svy => ["-c", "from importlib.metadata import version; print(version('svy'))"],
        };
        let output = Command::new(self.executable()).args(code).output();
        let output = output.ok().filter(|output| output.status.success());
        match output {
            None => println!("{}: not here, so not compared", self.name()),
            Some(output) => {
                let version = String::from_utf8_lossy(&output.stdout);
                println!("\n{} {}, {persons} persons", self.name(), version.trim());
                return Some(());
            }
        }
        None
    }

    /// Runs a script on a folder of columns and returns what it prints, word by word.
    pub(crate) fn run(self, script: &str, folder: &Path, arguments: &[String]) -> Vec<Vec<String>> {
        let path = folder.join("script");
        std::fs::write(&path, script).expect("there is room for the script");
        let output = Command::new(self.executable())
            .arg(path)
            .arg(folder)
            .args(arguments)
            .output()
            .expect("the program was there");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {errors}", self.name());
        String::from_utf8(output.stdout)
            .expect("plain text")
            .lines()
            .map(|line| line.split(' ').map(str::to_owned).collect())
            .collect()
    }
}

/// A number that a program printed.
pub(crate) fn number(word: &str) -> f64 {
    word.parse().expect("a number")
}

/// Writes a column as 64-bit floating-point numbers, lowest byte first.
pub(crate) fn write(folder: &Path, name: &str, values: impl Iterator<Item = f64>) {
    let bytes: Vec<u8> = values.flat_map(f64::to_le_bytes).collect();
    std::fs::write(folder.join(name), bytes).expect("there is room for the columns");
}

/// Seconds of processor time that this thread has taken, where the system tells (Linux does).
fn processor_seconds() -> Option<f64> {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(statistics.split(' ').next()?.parse::<f64>().ok()? * 1e-9)
}

/// The median of the seconds that some repetitions take, and the result: as for the others, the smaller of elapsed and
/// processor time, which the system counts in steps of some milliseconds.
pub(crate) fn median<T>(work: impl Fn() -> T) -> (f64, T) {
    let mut times = Vec::new();
    let mut result = None;
    for _ in 0..REPETITIONS {
        let (start, before) = (Instant::now(), processor_seconds());
        result = Some(work());
        let (elapsed, after) = (start.elapsed().as_secs_f64(), processor_seconds());
        let processor = after.zip(before).map(|(after, before)| after - before);
        times.push(
            processor
                .filter(|&seconds| seconds > 0.1)
                .unwrap_or(elapsed)
                .min(elapsed),
        );
    }
    times.sort_by(f64::total_cmp);
    (times[REPETITIONS / 2], result.expect("there is a repetition"))
}

/// Prints seconds side by side.
pub(crate) fn print(what: &str, ours: f64, theirs: f64) {
    println!(
        "{what:<45} ours {:>9.1} ms, theirs {:>10.0} ms: {:.0} times",
        ours * 1e3,
        theirs * 1e3,
        theirs / ours
    );
}
