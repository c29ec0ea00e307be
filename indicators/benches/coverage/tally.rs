//! How often intervals held the truth, and how good their standard errors are.

use super::interval::Way;

/// What is counted of one way to an interval.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Count {
    /// Samples that gave an interval.
    pub(crate) intervals: u64,
    /// Intervals that end below the truth.
    pub(crate) below: u64,
    /// Intervals that begin above the truth.
    pub(crate) above: u64,
    /// Σ upper − lower.
    pub(crate) length: f64,
}

impl Count {
    fn add(&mut self, (lower, upper): (f64, f64), truth: f64) {
        self.intervals += 1;
        self.below += u64::from(upper < truth);
        self.above += u64::from(lower > truth);
        self.length += upper - lower;
    }

    pub(crate) fn merge(&mut self, other: &Count) {
        self.intervals += other.intervals;
        self.below += other.below;
        self.above += other.above;
        self.length += other.length;
    }

    /// Share of the intervals that held the truth.
    pub(crate) fn coverage(&self) -> f64 {
        1.0 - (self.below + self.above) as f64 / self.intervals as f64
    }

    /// Standard error of [`Count::coverage`], which a finite number of samples leaves.
    pub(crate) fn monte_carlo_error(&self) -> f64 {
        let coverage = self.coverage();
        (coverage * (1.0 - coverage) / self.intervals as f64).sqrt()
    }
}

/// What is counted of one indicator in one domain.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    samples: u64,
    /// In the order of [`Way::ALL`].
    ways: [Count; Way::ALL.len()],
    /// Samples with a standard error.
    errors: u64,
    /// Σ (p̂ − P) and Σ (p̂ − P)² over them.
    deviation: f64,
    squared_deviation: f64,
    /// Σ V̂ over them.
    variance: f64,
}

impl Tally {
    /// Counts the intervals of a sample, in the order of [`Way::ALL`].
    pub(crate) fn add_intervals(&mut self, intervals: [Option<(f64, f64)>; Way::ALL.len()], truth: f64) {
        self.samples += 1;
        for (count, interval) in self.ways.iter_mut().zip(intervals) {
            if let Some(interval) = interval {
                count.add(interval, truth);
            }
        }
    }

    /// Counts the point and standard error of a sample.
    pub(crate) fn add_error(&mut self, point: f64, standard_error: f64, truth: f64) {
        let deviation = point - truth;
        self.errors += 1;
        self.deviation += deviation;
        self.squared_deviation += deviation * deviation;
        self.variance += standard_error * standard_error;
    }

    pub(crate) fn merge(&mut self, other: &Tally) {
        self.samples += other.samples;
        self.errors += other.errors;
        self.deviation += other.deviation;
        self.squared_deviation += other.squared_deviation;
        self.variance += other.variance;
        for (count, other) in self.ways.iter_mut().zip(&other.ways) {
            count.merge(other);
        }
    }

    pub(crate) fn samples(&self) -> u64 {
        self.samples
    }

    /// What was counted of a way.
    pub(crate) fn way(&self, way: Way) -> Count {
        let position = Way::ALL.iter().position(|other| *other == way);
        position.map(|position| self.ways[position]).unwrap_or_default()
    }

    /// Mean estimated variance over the variance of the points; of districts together, both are means over the districts.
    pub(crate) fn variance_ratio(tallies: &[&Tally]) -> f64 {
        let (mut estimated, mut true_variance) = (0.0, 0.0);
        for tally in tallies {
            let count = tally.errors as f64;
            let mean = tally.deviation / count;
            estimated += tally.variance / count;
            true_variance += (tally.squared_deviation / count - mean * mean) * count / (count - 1.0);
        }
        estimated / true_variance
    }
}
