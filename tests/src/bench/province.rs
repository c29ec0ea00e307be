//! The province's estimates by R's survey package (Lumley), timed inside R without its start.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use indicators::summary::Contribution;

/// The script that R runs.
const SCRIPT: &str = include_str!("province.R");

/// One responding household, as R gets it.
#[derive(Debug, Clone)]
pub struct Row {
    /// The stratum's number.
    pub stratum: usize,
    /// The hamlet's number.
    pub hamlet: usize,
    /// Hamlets of the stratum in the frame.
    pub stratum_hamlets: u64,
    /// Households of the hamlet in the frame.
    pub hamlet_households: u64,
    /// Numerator and denominator of each indicator.
    pub contributions: Vec<Contribution>,
}

/// What R computed.
#[derive(Debug)]
pub struct Answer {
    /// Ratio and standard error of each indicator.
    pub estimates: Vec<(f64, f64)>,
    /// Seconds of each repetition.
    pub seconds: Vec<f64>,
}

/// Whether R and its survey package are here.
pub fn available() -> bool {
    Command::new("Rscript")
        .args(["-e", "suppressPackageStartupMessages(library(survey))"])
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Estimates every indicator for everything, `repetitions` times; files go to `folder`.
///
/// # Panics
/// When R fails.
pub fn estimate(folder: &Path, rows: &[Row], repetitions: usize) -> Answer {
    let indicators = rows.first().map_or(0, |row| row.contributions.len());
    let mut csv = "stratum,hamlet,stratum_hamlets,hamlet_households".to_owned();
    for number in 0..indicators {
        write!(csv, ",y{number},x{number}").unwrap();
    }
    csv.push('\n');
    for row in rows {
        write!(
            csv,
            "{},{},{},{}",
            row.stratum, row.hamlet, row.stratum_hamlets, row.hamlet_households
        )
        .unwrap();
        for pair in &row.contributions {
            write!(csv, ",{},{}", pair.numerator, pair.denominator).unwrap();
        }
        csv.push('\n');
    }
    let path = |name: &str| folder.join(name);
    std::fs::write(path("households.csv"), csv).unwrap();
    std::fs::write(path("province.R"), SCRIPT).unwrap();
    let output = Command::new("Rscript")
        .arg(path("province.R"))
        .arg(path("households.csv"))
        .args([indicators.to_string(), repetitions.to_string()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut answer = Answer {
        estimates: Vec::new(),
        seconds: Vec::new(),
    };
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let numbers: Vec<f64> = line.split(' ').skip(1).map(|number| number.parse().unwrap()).collect();
        match (line.split(' ').next(), numbers.as_slice()) {
            (Some("estimate"), [point, standard_error]) => answer.estimates.push((*point, *standard_error)),
            (Some("seconds"), [seconds]) => answer.seconds.push(*seconds),
            _ => panic!("R answers {line:?}"),
        }
    }
    answer
}
