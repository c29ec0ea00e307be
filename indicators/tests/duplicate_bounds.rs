//! The bounds that suspected duplicates and open conflicts leave together, against every combination of settlements.

#![allow(clippy::unwrap_used, reason = "a step that fails is a failed test")]

mod settlements;

use indicators::bounds::{
    Remaining, SuspectedGroup, Unsettled, WeightedOptions, WeightedTotals, bounded_ratio, ratio_bounds,
};
use indicators::design::{Domain, Sample};
use indicators::estimators::{Estimate, Indicator, Measure, Settings, ratio};
use indicators::summary::Contribution;
use proptest::prelude::*;
use settlements::{Survey, contribution, settlements, surveys, suspicions};

const INDICATOR: Indicator = Indicator {
    index: 0,
    measure: Measure::Mean,
};

fn options() -> impl Strategy<Value = Vec<Contribution>> {
    prop::collection::vec(contribution(), 1..3)
}

/// The estimate for the whole survey with these values.
fn estimate(survey: &Survey, settled: &[Option<Contribution>]) -> Estimate {
    let (design, summaries) = (survey.design(), survey.summaries(settled));
    let sample = Sample::new(&design, &summaries).unwrap();
    ratio(&sample, &Domain::whole(&design), INDICATOR, &Settings::default()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn bounds_are_those_of_all_settlements(
        totals in prop_oneof![Just((0, 0)), (0..30_u32, 0..30_u32)],
        first in (suspicions(5), any::<u8>()),
        second in (suspicions(3), any::<u8>()),
        households in prop::collection::vec((1..40_u32, options()), 10),
        alone in 0..3_usize,
    ) {
        let totals = WeightedTotals { numerator: f64::from(totals.0), denominator: f64::from(totals.1) };
        // Some members of the groups bring nothing; the others are numbered one after the other, then those in no group.
        let mut listed = 0;
        let groups: Vec<_> = [first, second]
            .into_iter()
            .map(|(suspicions, outside)| {
                let members = (0..suspicions.responses).map(|member| {
                    let is_outside = outside >> member & 1 == 1 && outside >> 7 == 1;
                    (!is_outside).then(|| {
                        listed += 1;
                        listed - 1
                    })
                });
                let members: Vec<Option<usize>> = members.collect();
                (suspicions, members)
            })
            .collect();
        let households = &households[..listed + alone];
        // Quarters are exact, so that ratios can be compared to the last bit.
        let weights: Vec<f64> = households.iter().map(|(weight, _)| f64::from(*weight) / 4.0).collect();
        let options: Vec<Vec<Contribution>> = households.iter().map(|(_, options)| options.clone()).collect();
        let weighted: Vec<_> =
            weights.iter().zip(&options).map(|(&weight, options)| WeightedOptions { weight, options }).collect();
        let remaining: Vec<_> = groups.iter().map(|(suspicions, _)| suspicions.remaining()).collect();
        let suspected: Vec<_> = groups
            .iter()
            .zip(&remaining)
            .map(|((_, members), remaining)| SuspectedGroup { members: members.clone(), remaining })
            .collect();
        let bounds = ratio_bounds(totals, &weighted, &suspected).unwrap();

        let all = settlements(&options, &groups);
        let ratio_of = |settled: &[Option<Contribution>]| {
            let (mut y, mut x) = (totals.numerator, totals.denominator);
            for (value, weight) in settled.iter().zip(&weights) {
                let value = value.unwrap_or(Contribution::NONE);
                (y, x) = (y + weight * value.numerator, x + weight * value.denominator);
            }
            (x > 0.0).then_some(y / x)
        };
        let ratios: Vec<Option<f64>> = all.iter().map(|settled| ratio_of(settled)).collect();
        let defined = || ratios.iter().copied().flatten();
        let (lower, upper) = (bounds.lower.as_ref(), bounds.upper.as_ref());
        prop_assert_eq!(lower.map(|end| end.ratio), defined().reduce(f64::min));
        prop_assert_eq!(upper.map(|end| end.ratio), defined().reduce(f64::max));
        prop_assert_eq!(bounds.denominator_may_vanish, ratios.contains(&None));
        // The choices reported are a settlement, and lead where they are said to.
        for end in [lower, upper].into_iter().flatten() {
            let chosen: Vec<Option<Contribution>> =
                end.choices.iter().zip(&options).map(|(choice, options)| choice.map(|choice| options[choice])).collect();
            prop_assert!(all.contains(&chosen), "{chosen:?} is no settlement");
            prop_assert_eq!(ratio_of(&chosen), Some(end.ratio));
        }
    }

    #[test]
    fn where_not_all_outcomes_are_worked_out_the_bounds_lie_around(
        suspicions in suspicions(5),
        households in prop::collection::vec((1..40_u32, options()), 5),
    ) {
        // As a group that is too large to list its sets is taken.
        let (exact, around) = (suspicions.remaining(), Remaining::any(suspicions.responses));
        let totals = WeightedTotals { numerator: 3.0, denominator: 4.0 };
        let weighted: Vec<_> = households[..suspicions.responses]
            .iter()
            .map(|(weight, options)| WeightedOptions { weight: f64::from(*weight) / 4.0, options })
            .collect();
        let bounds = |remaining| {
            let members = (0..suspicions.responses).map(Some).collect();
            let bounds = ratio_bounds(totals, &weighted, &[SuspectedGroup { members, remaining }]).unwrap();
            (bounds.lower.unwrap().ratio, bounds.upper.unwrap().ratio)
        };
        let ((lower, upper), (below, above)) = (bounds(&exact), bounds(&around));
        prop_assert!(below <= lower && lower <= upper && upper <= above);
        if suspicions.different.is_empty() {
            prop_assert_eq!((below, above), (lower, upper));
        }
    }

    #[test]
    fn ends_are_estimates_of_settled_data_with_the_weights_kept(survey in surveys()) {
        let remaining = survey.remaining();
        let unsettled =
            Unsettled { households: survey.unsettled.clone(), groups: survey.suspected(&remaining) };
        let (design, summaries) = (survey.design(), survey.summaries(&survey.counted()));
        let sample = Sample::new(&design, &summaries).unwrap();
        let bounded =
            bounded_ratio(&sample, &Domain::whole(&design), INDICATOR, &Settings::default(), &unsettled).unwrap();
        prop_assert_eq!(&bounded.estimate, &estimate(&survey, &survey.counted()));

        let all = settlements(&survey.options(), &survey.groups);
        let estimates: Vec<Estimate> = all.iter().map(|settled| estimate(&survey, settled)).collect();
        let points = || estimates.iter().filter_map(|estimate| estimate.point);
        let ends = [(&bounded.lower, points().reduce(f64::min)), (&bounded.upper, points().reduce(f64::max))];
        for (end, expected) in ends {
            match (end.as_ref().and_then(|end| end.point), expected) {
                (Some(actual), Some(expected)) => prop_assert!((actual - expected).abs() <= 1e-12 * expected.abs()),
                (actual, expected) => prop_assert_eq!(actual, expected),
            }
            if let Some(end) = end {
                prop_assert!(estimates.contains(end), "not the estimate of any settlement: {end:?}");
            }
        }
        // That all stay as counted is among the settlements.
        prop_assert!(all.contains(&survey.counted()));
    }
}

#[test]
fn a_long_chain_of_suspicions_is_exact() {
    // 60 households, each perhaps the same as the next one, and every other one with the attribute. Beside them one with it and
    // one without: any of the 60 may be all that stays, and so may all that are alike.
    let pairs: Vec<(usize, usize)> = (1..60).map(|response| (response - 1, response)).collect();
    let remaining = Remaining::of_group(60, &pairs, &[]);
    assert!(remaining.is_exact());
    let option = |numerator| Contribution {
        numerator,
        denominator: 1.0,
    };
    let (with, without) = ([option(1.0)], [option(0.0)]);
    let households: Vec<WeightedOptions<'_>> = (0..60)
        .map(|response| WeightedOptions {
            weight: 1.0,
            options: if response % 2 == 0 { &with } else { &without },
        })
        .collect();
    let totals = WeightedTotals {
        numerator: 1.0,
        denominator: 2.0,
    };
    let group = SuspectedGroup {
        members: (0..60).map(Some).collect(),
        remaining: &remaining,
    };
    let bounds = ratio_bounds(totals, &households, &[group]).unwrap();
    assert_eq!(bounds.lower.unwrap().ratio, 1.0 / 32.0);
    assert_eq!(bounds.upper.unwrap().ratio, 31.0 / 32.0);
}
