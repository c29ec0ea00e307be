//! Comparisons: what was measured, its baseline, and their ratio.

/// Which way a ratio is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// Rates.
    Higher,
    /// Times and sizes.
    Lower,
}

/// A quantity measured several times, by turns with a baseline.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// What was measured.
    pub what: String,
    /// What it is compared with.
    pub against: String,
    /// The unit of both.
    pub unit: &'static str,
    /// Which way the ratio is good.
    pub better: Better,
    /// For each repetition, ours and the baseline.
    pub pairs: Vec<(f64, f64)>,
}

/// The median of some numbers, and their extremes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The smallest.
    pub least: f64,
    /// The middle one, or the mean of the two in the middle.
    pub median: f64,
    /// The largest.
    pub greatest: f64,
}

impl Spread {
    /// The spread of `numbers`; all fields are NaN where there are none.
    pub fn of(numbers: impl IntoIterator<Item = f64>) -> Self {
        let mut numbers: Vec<f64> = numbers.into_iter().collect();
        numbers.sort_by(f64::total_cmp);
        let middle = numbers.len() / 2;
        let at = |place: usize| numbers.get(place).copied().unwrap_or(f64::NAN);
        Self {
            least: at(0),
            median: if numbers.len().is_multiple_of(2) {
                (at(middle.wrapping_sub(1)) + at(middle)) / 2.0
            } else {
                at(middle)
            },
            greatest: at(numbers.len().wrapping_sub(1)),
        }
    }
}

impl Comparison {
    /// Ours divided by the baseline, repetition by repetition.
    pub fn ratio(&self) -> Spread {
        Spread::of(self.pairs.iter().map(|(ours, baseline)| ours / baseline))
    }
}

/// Prints comparisons as a Markdown table, so that a run can be kept as it is.
pub fn print(name: &str, comparisons: &[Comparison]) {
    println!("\n{name}\n");
    println!("| measurement | baseline | unit | ours | baseline | ours ÷ baseline | better |");
    println!("| --- | --- | --- | ---: | ---: | ---: | --- |");
    for comparison in comparisons {
        let ours = Spread::of(comparison.pairs.iter().map(|(ours, _)| *ours));
        let baseline = Spread::of(comparison.pairs.iter().map(|(_, baseline)| *baseline));
        let ratio = comparison.ratio();
        let spread = if ratio.least == ratio.greatest {
            significant(ratio.median)
        } else {
            format!(
                "{} ({}–{})",
                significant(ratio.median),
                significant(ratio.least),
                significant(ratio.greatest)
            )
        };
        println!(
            "| {} | {} | {} | {} | {} | {spread} | {} |",
            comparison.what,
            comparison.against,
            comparison.unit,
            significant(ours.median),
            significant(baseline.median),
            match comparison.better {
                Better::Higher => "higher",
                Better::Lower => "lower",
            }
        );
    }
}

/// A number with three significant digits, in full where it has more before the point.
fn significant(number: f64) -> String {
    if number == 0.0 || !number.is_finite() {
        return number.to_string();
    }
    let before_point = number.abs().log10().floor() as i32 + 1;
    let decimals = usize::try_from(3 - before_point).unwrap_or(0);
    format!("{number:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_has_the_median_and_the_extremes() {
        let spread = Spread::of([4.0, 1.0, 3.0]);
        assert_eq!((spread.least, spread.median, spread.greatest), (1.0, 3.0, 4.0));
        assert_eq!(Spread::of([4.0, 1.0, 3.0, 2.0]).median, 2.5);
        assert!(Spread::of([]).median.is_nan());
    }

    #[test]
    fn ratios_are_taken_within_each_repetition() {
        let comparison = Comparison {
            what: String::new(),
            against: String::new(),
            unit: "ms",
            better: Better::Lower,
            pairs: vec![(1.0, 2.0), (4.0, 4.0), (3.0, 1.0)],
        };
        assert_eq!(
            comparison.ratio(),
            Spread {
                least: 0.5,
                median: 1.0,
                greatest: 3.0
            }
        );
    }

    #[test]
    fn numbers_keep_three_significant_digits() {
        let shown = [0.012345, 1.0, 12.34, 123.4, 12345.6].map(significant);
        assert_eq!(shown, ["0.0123", "1.00", "12.3", "123", "12346"]);
    }
}
