//! The bounds that open conflicts leave, against every combination of settlements.

use indicators::bounds::{Unsettled, UnsettledHousehold, WeightedOptions, WeightedTotals, bounded_ratio, ratio_bounds};
use indicators::design::{Design, Domain, Psu, Sample, Stratum};
use indicators::estimators::{Indicator, Measure, Settings};
use indicators::summary::{Contribution, PsuSummary};
use proptest::prelude::*;

fn contribution() -> impl Strategy<Value = Contribution> {
    (0..5_u32, 0..4_u32).prop_map(|(y, x)| Contribution {
        numerator: f64::from(y),
        denominator: f64::from(x),
    })
}

fn options() -> impl Strategy<Value = Vec<Contribution>> {
    prop::collection::vec(contribution(), 1..4)
}

/// The ratio of every combination of options; `None` among them stands for a combination without a denominator.
fn all_ratios(totals: WeightedTotals, conflicts: &[(f64, Vec<Contribution>)]) -> Vec<Option<f64>> {
    let mut combinations = vec![(totals.numerator, totals.denominator)];
    for (weight, options) in conflicts {
        combinations = combinations
            .iter()
            .flat_map(|&(y, x)| {
                options
                    .iter()
                    .map(move |o| (y + weight * o.numerator, x + weight * o.denominator))
            })
            .collect();
    }
    combinations
        .into_iter()
        .map(|(y, x)| (x > 0.0).then_some(y / x))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn bounds_are_those_of_all_combinations(
        totals in prop_oneof![Just((0, 0)), (0..30_u32, 0..30_u32)],
        conflicts in prop::collection::vec((1..40_u32, options()), 0..6),
    ) {
        let totals = WeightedTotals { numerator: f64::from(totals.0), denominator: f64::from(totals.1) };
        // Quarters are exact, so that ratios can be compared to the last bit.
        let conflicts: Vec<_> = conflicts.into_iter().map(|(weight, options)| (f64::from(weight) / 4.0, options)).collect();
        let weighted: Vec<_> =
            conflicts.iter().map(|(weight, options)| WeightedOptions { weight: *weight, options }).collect();
        let bounds = ratio_bounds(totals, &weighted, &[]).unwrap();
        let all = all_ratios(totals, &conflicts);
        let defined = || all.iter().copied().flatten();
        let (lower, upper) = (bounds.lower.as_ref(), bounds.upper.as_ref());
        prop_assert_eq!(lower.map(|end| end.ratio), defined().reduce(f64::min));
        prop_assert_eq!(upper.map(|end| end.ratio), defined().reduce(f64::max));
        prop_assert_eq!(bounds.denominator_may_vanish, all.contains(&None));
        // The choices reported lead where they are said to.
        for end in [lower, upper].into_iter().flatten() {
            let chosen: Vec<_> = conflicts
                .iter()
                .zip(&end.choices)
                .map(|((weight, options), &choice)| (*weight, vec![options[choice.unwrap()]]))
                .collect();
            prop_assert_eq!(all_ratios(totals, &chosen), vec![Some(end.ratio)]);
        }
    }

    #[test]
    fn bounds_contain_the_point_and_are_estimates_of_settled_data(
        hamlets in prop::collection::vec(prop::collection::vec((contribution(), options(), any::<bool>()), 1..5), 1..5),
    ) {
        let indicator = Indicator { index: 0, measure: Measure::Mean };
        let settings = Settings::default();
        let psus: Vec<Psu> =
            hamlets.iter().map(|households| Psu { stratum: 0, households: households.len() as u64 + 2 }).collect();
        let design = Design::new(vec![Stratum { psus: psus.len() as u64 + 3 }], psus).unwrap();
        let domain = Domain::whole(&design);
        let mut conflicts = Vec::new();
        for (psu, households) in hamlets.iter().enumerate() {
            for (counted, options, in_conflict) in households {
                if *in_conflict && conflicts.len() < 6 {
                    let options = options.iter().copied().chain([*counted]).collect();
                    conflicts.push(UnsettledHousehold { psu, counted: *counted, options });
                }
            }
        }
        // Summaries with the conflicted households' values replaced by those given.
        let summaries = |settled: &[Contribution]| {
            let mut summaries = vec![PsuSummary::new(1); hamlets.len()];
            for (summary, households) in summaries.iter_mut().zip(&hamlets) {
                for (counted, ..) in households {
                    summary.add(&[*counted]).unwrap();
                }
            }
            for (conflict, &value) in conflicts.iter().zip(settled) {
                summaries[conflict.psu].apply(Some(&[conflict.counted]), Some(&[value])).unwrap();
            }
            summaries
        };
        let counted: Vec<Contribution> = conflicts.iter().map(|conflict| conflict.counted).collect();
        let now = summaries(&counted);
        let sample = Sample::new(&design, &now).unwrap();
        let unsettled = Unsettled { households: conflicts.clone(), groups: Vec::new() };
        let bounded = bounded_ratio(&sample, &domain, indicator, &settings, &unsettled).unwrap();
        let point_of = |settled: &[Contribution]| {
            let summaries = summaries(settled);
            let sample = Sample::new(&design, &summaries).unwrap();
            indicators::estimators::ratio(&sample, &domain, indicator, &settings).unwrap()
        };
        prop_assert_eq!(&bounded.estimate, &point_of(&counted));

        let mut combinations = vec![Vec::new()];
        for conflict in &conflicts {
            combinations = combinations
                .iter()
                .flat_map(|start: &Vec<Contribution>| {
                    conflict.options.iter().map(|&option| start.iter().copied().chain([option]).collect())
                })
                .collect();
        }
        let estimates: Vec<_> = combinations.iter().map(|settled| point_of(settled)).collect();
        let points = || estimates.iter().filter_map(|estimate| estimate.point);
        let lower = bounded.lower.as_ref();
        let upper = bounded.upper.as_ref();
        for (end, expected) in [(lower, points().reduce(f64::min)), (upper, points().reduce(f64::max))] {
            match (end.and_then(|end| end.point), expected) {
                (Some(actual), Some(expected)) => prop_assert!((actual - expected).abs() <= 1e-12 * expected.abs()),
                (actual, expected) => prop_assert_eq!(actual, expected),
            }
            if let Some(end) = end {
                prop_assert!(estimates.contains(end), "not the estimate of any settlement: {end:?}");
            }
        }
        if let (Some(lower), Some(point), Some(upper)) =
            (lower.and_then(|end| end.point), bounded.estimate.point, upper.and_then(|end| end.point))
        {
            prop_assert!(lower <= point * (1.0 + 1e-12) && point <= upper * (1.0 + 1e-12));
        }
    }
}
