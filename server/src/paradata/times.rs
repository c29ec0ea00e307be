//! How long what took, from a log's intervals.

use std::collections::HashMap;

use super::log::{Interval, Log};

/// The sum over what is about one node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) milliseconds: i64,
    /// How often it was visited.
    pub(crate) visits: u64,
    /// How often an answer became another one; none where the log does not say.
    pub(crate) edits: Option<u64>,
}

/// The times of a visit.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Times {
    /// The whole interview; its visits are how often the form was opened.
    pub(crate) whole: Sum,
    /// By node, in the order in which they were first shown.
    pub(crate) nodes: Vec<(String, Sum)>,
}

impl Times {
    /// The times that a log tells.
    pub(crate) fn of(log: &Log) -> Self {
        let mut times = Self::default();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for interval in &log.intervals {
            times.whole.add_edit(interval);
            if interval.node.is_empty() {
                continue;
            }
            let place = *places.entry(&interval.node).or_insert_with(|| {
                times.nodes.push((interval.node.clone(), Sum::default()));
                times.nodes.len() - 1
            });
            if let Some((_, sum)) = times.nodes.get_mut(place) {
                sum.milliseconds = sum.milliseconds.saturating_add(interval.end - interval.start);
                sum.visits += 1;
                sum.add_edit(interval);
            }
        }
        times.whole.visits = log.openings;
        times.whole.milliseconds = covered(&log.intervals);
        times
    }
}

impl Sum {
    fn add_edit(&mut self, interval: &Interval) {
        if let Some(edited) = interval.edited {
            *self.edits.get_or_insert(0) += u64::from(edited);
        }
    }
}

/// The time that is within any of the intervals: those of questions lie within those of their pages, and between two there
/// may have been a break.
fn covered(intervals: &[Interval]) -> i64 {
    let mut spans: Vec<(i64, i64)> = intervals
        .iter()
        .map(|interval| (interval.start, interval.end))
        .collect();
    spans.sort_unstable();
    let (mut sum, mut until) = (0_i64, i64::MIN);
    for (start, end) in spans {
        if end > until {
            sum = sum.saturating_add(end - start.max(until));
            until = end;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn interval(node: &str, start: i64, end: i64, edited: Option<bool>) -> Interval {
        Interval {
            node: node.to_owned(),
            start,
            end,
            edited,
        }
    }

    #[test]
    fn questions_within_a_page_count_once_and_breaks_do_not() {
        let log = Log {
            intervals: vec![
                interval("/data/g", 0, 10_000, Some(false)),
                interval("/data/g/a", 0, 4_000, Some(false)),
                interval("/data/g/b", 4_000, 9_000, Some(false)),
                interval("/data/g/a", 9_000, 10_000, Some(true)),
                // A break of an hour.
                interval("", 3_610_000, 3_612_000, Some(false)),
            ],
            openings: 2,
        };
        let times = Times::of(&log);
        let sum = |milliseconds, visits, edits| Sum {
            milliseconds,
            visits,
            edits: Some(edits),
        };
        assert_eq!(times.whole, sum(12_000, 2, 1));
        assert_eq!(
            times.nodes,
            [
                ("/data/g".to_owned(), sum(10_000, 1, 0)),
                ("/data/g/a".to_owned(), sum(5_000, 2, 1)),
                ("/data/g/b".to_owned(), sum(5_000, 1, 0)),
            ]
        );
    }

    proptest! {
        /// Against counting every millisecond.
        #[test]
        fn the_covered_time_is_what_counting_gives(spans in proptest::collection::vec((0_i64..60, 0_i64..20), 0..12)) {
            let intervals: Vec<Interval> =
                spans.iter().map(|(start, length)| interval("", *start, start + length, None)).collect();
            let inside = |moment: &i64| intervals.iter().any(|span| (span.start..span.end).contains(moment));
            let counted = (0..100).filter(inside).count();
            prop_assert_eq!(usize::try_from(covered(&intervals)), Ok(counted));
        }
    }
}
