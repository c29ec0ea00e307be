//! Counts comparisons and remembers the largest difference of each kind.

#[path = "../agreement/mod.rs"]
mod agreement;

use std::collections::BTreeMap;

/// Differences by (data set, statistic).
#[derive(Default)]
pub(crate) struct Comparisons {
    cells: BTreeMap<(String, String), Cell>,
    failures: Vec<String>,
}

#[derive(Default)]
struct Cell {
    largest: f64,
    count: usize,
}

impl Comparisons {
    /// Compares two numbers to a relative difference. What is smaller than a hundred-thousandth of `scale`, as rounding
    /// leaves of a zero, is compared with that.
    pub(crate) fn compare(&mut self, place: &Place<'_>, actual: f64, expected: f64, tolerance: f64, scale: f64) {
        let difference = (actual - expected).abs() / expected.abs().max(scale * 1e-5).max(f64::MIN_POSITIVE);
        let key = (place.dataset.to_owned(), place.statistic.clone());
        let cell = self.cells.entry(key).or_default();
        cell.count += 1;
        cell.largest = cell.largest.max(difference);
        if actual.is_nan() || difference > tolerance {
            self.failures.push(format!(
                "{place}: {actual:e} here, {expected:e} in R ({difference:.1e})"
            ));
        }
    }

    /// Counts something that must hold.
    pub(crate) fn require(&mut self, place: &Place<'_>, holds: bool, what: &str) {
        let key = (place.dataset.to_owned(), place.statistic.clone());
        self.cells.entry(key).or_default().count += 1;
        if !holds {
            self.failures.push(format!("{place}: {what}"));
        }
    }

    /// Comparisons with the oracle.
    pub(crate) fn count(&self) -> usize {
        let others = self.cells.iter().filter(|((_, statistic), _)| !is_own(statistic));
        others.map(|(_, cell)| cell.count).sum()
    }

    pub(crate) fn print(&self, oracle: &str) {
        agreement::tell(self.cells.iter().map(|((dataset, statistic), cell)| {
            let oracle = if is_own(statistic) { "another way here" } else { oracle };
            (oracle, dataset.as_str(), statistic.as_str(), cell.largest, cell.count)
        }));
    }

    pub(crate) fn check(&self) {
        let shown = self.failures.iter().take(60).cloned().collect::<Vec<_>>();
        assert!(
            self.failures.is_empty(),
            "{} of {} comparisons fail:\n{}",
            self.failures.len(),
            self.count(),
            shown.join("\n")
        );
    }
}

/// Whether figures of ours are compared with other figures of ours, not with the oracle's.
fn is_own(statistic: &str) -> bool {
    statistic.ends_with(ONE_BY_ONE) || statistic.ends_with(LINEARISED)
}

/// Domains in one pass against domains one by one.
pub(crate) const ONE_BY_ONE: &str = "one by one";
/// The standard error of a statistic by the variance engine against that by its own formula.
pub(crate) const LINEARISED: &str = "linearised";

/// Where a comparison is made.
pub(crate) struct Place<'a> {
    pub(crate) dataset: &'a str,
    pub(crate) case: &'a str,
    /// What kind of figure is compared.
    pub(crate) statistic: String,
    /// The statistic as the fixture has it.
    pub(crate) detail: &'a str,
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Place {
            dataset,
            case,
            statistic,
            detail,
        } = self;
        write!(formatter, "{dataset}, {case}, {statistic} of {detail}")
    }
}
