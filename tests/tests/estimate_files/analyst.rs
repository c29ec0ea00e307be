//! Files in a folder of their own, the command over them, and figures to compare with.

use std::fmt::Write as _;

use khaosat_tests::installation::repository;
use khaosat_tests::process::{Ended, khaosat, run_to_end};
use serde_json::Value;
use tempfile::TempDir;

/// A folder with the files of an analyst.
pub(crate) struct Analyst {
    folder: TempDir,
}

impl Analyst {
    pub(crate) fn new(data: &str, design: &str, registry: &str) -> Self {
        let analyst = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        analyst.write("data.csv", data);
        analyst.write("design.toml", design);
        analyst.write("registry.csv", registry);
        analyst
    }

    /// The same data and registry with another design.
    pub(crate) fn with_design(self, design: &str) -> Self {
        self.write("design.toml", design);
        self
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// Runs the command over the files with more arguments.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        let file = |name: &str| self.folder.path().join(name).display().to_string();
        let mut command = khaosat(["estimate", "--data"]);
        command.arg(file("data.csv"));
        command.arg("--design").arg(file("design.toml"));
        command.arg("--indicators").arg(file("registry.csv"));
        run_to_end(command.args(arguments))
    }

    /// The estimates as JSON.
    pub(crate) fn estimates(&self, by: &[&str]) -> Vec<Value> {
        let by = by.iter().flat_map(|column| ["--by", column]);
        let arguments: Vec<&str> = ["--format", "json"].into_iter().chain(by).collect();
        let json = self.run(&arguments).success().json();
        json["estimates"].as_array().unwrap().clone()
    }
}

/// What R gave for a data set.
pub(crate) fn fixture(name: &str) -> Value {
    let file = repository().join("indicators/tests/fixtures").join(name);
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

/// A fixture's columns as CSV, with further columns beside them.
pub(crate) fn csv(fixture: &Value, weights: &str, further: &[(String, Vec<f64>)]) -> String {
    let columns = fixture["columns"].as_object().unwrap();
    let rows = columns[weights].as_array().unwrap().len();
    let cell = |value: &Value| {
        if value.is_null() {
            "NA".to_owned()
        } else {
            value.to_string()
        }
    };
    let mut named: Vec<(&str, Vec<String>)> = columns
        .iter()
        // Joint probabilities are a matrix.
        .filter(|(_, values)| values.as_array().unwrap().len() == rows)
        .map(|(name, values)| (name.as_str(), values.as_array().unwrap().iter().map(cell).collect()))
        .collect();
    for (name, values) in further {
        named.push((name, values.iter().map(f64::to_string).collect()));
    }
    let mut text = named.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(",");
    for row in 0..rows {
        let cells: Vec<&str> = named.iter().map(|(_, cells)| cells[row].as_str()).collect();
        write!(text, "\n{}", cells.join(",")).unwrap();
    }
    text
}

/// The estimate of an indicator, in the domain where a column has a value or of everybody.
pub(crate) fn of<'a>(estimates: &'a [Value], code: &str, domain: Option<(&str, &str)>) -> &'a Value {
    let is_wanted = |estimate: &&Value| {
        let columns = estimate["domain"].as_object().unwrap();
        estimate["code"] == code
            && match domain {
                None => columns.is_empty(),
                Some((column, value)) => columns.len() == 1 && columns.get(column).is_some_and(|found| found == value),
            }
    };
    let mut found = estimates.iter().filter(is_wanted);
    let estimate = found.next().unwrap_or_else(|| panic!("no {code} in {domain:?}"));
    assert!(found.next().is_none(), "two of {code} in {domain:?}");
    estimate
}

/// Counts comparisons with R and keeps what differs by more than 1e-9.
#[derive(Default)]
pub(crate) struct Comparisons {
    count: usize,
    differences: Vec<String>,
}

impl Comparisons {
    /// Compares two figures relative to the expected one, or to `floor` if that is larger.
    pub(crate) fn compare(&mut self, what: &str, actual: &Value, expected: &Value, floor: f64) {
        self.count += 1;
        let agree = match (actual.as_f64(), expected.as_f64()) {
            (Some(actual), Some(expected)) => (actual - expected).abs() <= 1e-9 * expected.abs().max(floor),
            (None, None) => true,
            _ => false,
        };
        if !agree {
            self.differences.push(format!("{what}: {actual} here, {expected} in R"));
        }
    }

    /// Fails if anything differed, or if there was too little to compare.
    #[track_caller]
    pub(crate) fn end(self, at_least: usize) {
        println!("{} figures compared with R's", self.count);
        assert!(self.differences.is_empty(), "{}", self.differences.join("\n"));
        assert!(self.count >= at_least, "only {} comparisons", self.count);
    }
}
