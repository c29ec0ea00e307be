//! Comparison with fixtures that R scripts write: committed ones, and the same ones made again.

// What cannot be read or run fails the test. Each test uses its own part of this.
#![allow(clippy::unwrap_used, clippy::panic, dead_code)]

#[path = "../agreement/mod.rs"]
mod agreement;

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Largest relative differences by data set and statistic, as a table at the end of a test.
#[derive(Default)]
pub(crate) struct Comparisons {
    rows: BTreeMap<(String, String), (f64, usize)>,
}

impl Comparisons {
    /// Compares two numbers; `floor` is the size below which a difference is not relative any more.
    #[track_caller]
    pub(crate) fn compare(
        &mut self,
        place: (&str, &str, &str),
        actual: f64,
        expected: f64,
        tolerance: f64,
        floor: f64,
    ) {
        let (data, case, statistic) = place;
        let difference = (actual - expected).abs() / expected.abs().max(floor);
        assert!(
            difference <= tolerance,
            "{data}, {case}, {statistic}: {actual:e} here, {expected:e} in R"
        );
        let row = self.rows.entry((data.into(), statistic.into())).or_default();
        row.0 = row.0.max(difference);
        row.1 += 1;
    }

    /// Tells the table and returns the number of comparisons.
    pub(crate) fn print(&self, oracle: &str) -> usize {
        let rows = self.rows.iter();
        agreement::tell(
            rows.map(|((data, statistic), (largest, count))| {
                (oracle, data.as_str(), statistic.as_str(), *largest, *count)
            }),
        )
    }
}

/// A fixture and where it is from.
pub(crate) struct Fixture {
    pub(crate) content: Value,
    pub(crate) name: String,
}

impl Fixture {
    /// A column of numbers.
    pub(crate) fn numbers(&self, column: &str) -> Vec<f64> {
        numbers(&self.content["columns"][column])
    }

    /// A column of codes.
    pub(crate) fn codes(&self, column: &str) -> Vec<u32> {
        self.numbers(column).into_iter().map(|value| value as u32).collect()
    }

    pub(crate) fn has(&self, column: &str) -> bool {
        self.content["columns"].get(column).is_some()
    }

    pub(crate) fn cases(&self) -> &[Value] {
        self.content["cases"].as_array().unwrap()
    }

    pub(crate) fn oracle(&self) -> String {
        let version = |name: &str| self.content[name].as_str().unwrap().to_owned();
        format!("R {} survey {}", version("r"), version("survey"))
    }
}

/// A list of numbers; a single one may stand without its list.
pub(crate) fn numbers(list: &Value) -> Vec<f64> {
    match list {
        Value::Array(entries) => entries.iter().map(|entry| entry.as_f64().unwrap()).collect(),
        Value::Null => Vec::new(),
        single => vec![single.as_f64().unwrap()],
    }
}

/// The committed fixtures whose names start with a prefix.
pub(crate) fn committed(prefix: &str) -> Vec<Fixture> {
    let found = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures"), prefix);
    assert!(!found.is_empty(), "no fixture starts with {prefix}");
    found
}

/// The fixtures that a script writes now.
pub(crate) fn made_again(script: &str, prefix: &str) -> Vec<Fixture> {
    let folder = tempfile::tempdir().unwrap();
    run_r(script, &[folder.path().to_path_buf()]);
    read(folder.path(), prefix)
}

fn read(folder: &Path, prefix: &str) -> Vec<Fixture> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.retain(|path| path.file_name().unwrap().to_str().unwrap().starts_with(prefix));
    paths.sort();
    let fixture = |path: PathBuf| Fixture {
        content: serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap(),
        name: path
            .file_stem()
            .unwrap()
            .to_str()
            .unwrap()
            .trim_start_matches(prefix)
            .to_owned(),
    };
    paths.into_iter().map(fixture).collect()
}

/// Runs one of the scripts in `tests/oracle`.
pub(crate) fn run_r(script: &str, arguments: &[PathBuf]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle").join(script);
    let run = Command::new("Rscript").arg(script).args(arguments).output();
    let advice = "this test needs R with the packages survey and jsonlite: run `cargo xtask test`, which installs them";
    let run = run.unwrap_or_else(|error| panic!("cannot run Rscript ({error}); {advice}"));
    let complaint = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "Rscript failed; {advice}\n{complaint}");
}

/// A point with the weighted influence values of its linearisation.
pub(crate) fn linearised(fixture: &Fixture, statistic: &Value, weights: &[f64]) -> (f64, Vec<f64>) {
    let y = fixture.numbers(statistic["numerator"].as_str().unwrap());
    let x = match (statistic["kind"].as_str().unwrap(), statistic["denominator"].as_str()) {
        ("total", _) => {
            let total = y.iter().zip(weights).map(|(y, weight)| y * weight).sum();
            return (total, y.iter().zip(weights).map(|(y, weight)| y * weight).collect());
        }
        ("mean", _) => vec![1.0; y.len()],
        (_, denominator) => fixture.numbers(denominator.unwrap()),
    };
    let sum = |values: &[f64]| {
        values
            .iter()
            .zip(weights)
            .map(|(value, weight)| value * weight)
            .sum::<f64>()
    };
    let (ratio, size) = (sum(&y) / sum(&x), sum(&x));
    let influence = y
        .iter()
        .zip(&x)
        .zip(weights)
        .map(|((y, x), weight)| weight * (y - ratio * x) / size)
        .collect();
    (ratio, influence)
}

/// The variance of a sum of weighted values whose clusters were drawn within strata: (1 − n/N)·n/(n − 1)·Σ(z − z̄)².
pub(crate) fn taylor_variance(values: &[f64], clusters: &[u32], strata: &[u32], population: Option<&[f64]>) -> f64 {
    let mut totals = BTreeMap::<u32, (BTreeMap<u32, f64>, f64)>::new();
    for (row, value) in values.iter().enumerate() {
        let stratum = totals.entry(strata[row]).or_default();
        *stratum.0.entry(clusters[row]).or_default() += value;
        stratum.1 = population.map_or(f64::INFINITY, |population| population[row]);
    }
    let stratum = |(clusters, population): &(BTreeMap<u32, f64>, f64)| {
        let count = clusters.len() as f64;
        let mean = clusters.values().sum::<f64>() / count;
        let squares: f64 = clusters.values().map(|total| (total - mean) * (total - mean)).sum();
        (1.0 - count / population) * count / (count - 1.0) * squares
    };
    totals.values().map(stratum).sum()
}
