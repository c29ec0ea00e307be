//! Laws that hold for every survey: incremental summaries, domains, order, full enumeration.

// What cannot be set up fails the test.
#![allow(clippy::unwrap_used)]

mod surveys;

use indicators::design::{Design, Domain, Psu, Sample, UnitTree};
use indicators::estimators::{Estimate, Indicator, Measure, Settings, evaluate_tree, ratio};
use indicators::intervals::IntervalMethod;
use indicators::summary::{Contribution, PsuSummary};
use indicators::variance::LonelyPsu;
use proptest::prelude::*;
use surveys::{MEASURES, Plan, Survey};

fn plan() -> impl Strategy<Value = Plan> {
    let policy = prop_oneof![
        Just(LonelyPsu::Adjust),
        Just(LonelyPsu::Certainty),
        Just(LonelyPsu::Fail)
    ];
    (any::<u64>(), 1..4_usize, 1..5_u64, 1..6_u64, any::<bool>(), policy).prop_map(
        |(seed, strata, sampled, responding, lists_frame, lonely_psu)| Plan {
            seed,
            strata,
            frame_psus: (1, 7),
            sampled_psus: (1, sampled),
            frame_households: (1, 12),
            responding: (0, responding),
            lists_frame,
            lonely_psu,
        },
    )
}

fn settings(plan: &Plan) -> Settings {
    Settings {
        lonely_psu: plan.lonely_psu,
        ..Settings::default()
    }
}

fn all_estimates(design: &Design, summaries: &[PsuSummary], domain: &Domain, settings: &Settings) -> Vec<Estimate> {
    let sample = Sample::new(design, summaries).unwrap();
    let estimate = |(index, measure)| ratio(&sample, domain, Indicator { index, measure }, settings).unwrap();
    MEASURES.into_iter().enumerate().map(estimate).collect()
}

/// Nodes 0, 1, 2 … are the hamlets' own; then come the districts (strata), then the province.
fn tree(survey: &Survey, design: &Design) -> UnitTree {
    let (hamlets, districts) = (survey.psus.len(), survey.strata.len());
    let province = hamlets + districts;
    let mut parents: Vec<Option<usize>> = survey.psus.iter().map(|psu| Some(hamlets + psu.stratum)).collect();
    parents.extend(vec![Some(province); districts]);
    parents.push(None);
    let mut numbers = vec![Some(1); hamlets];
    numbers.extend(survey.strata.iter().map(|stratum| Some(stratum.psus)));
    numbers.push(None);
    UnitTree::new(design, &parents, &(0..hamlets).collect::<Vec<_>>(), Some(&numbers)).unwrap()
}

fn assert_near(one: Option<f64>, other: Option<f64>) -> Result<(), TestCaseError> {
    match (one, other) {
        (Some(one), Some(other)) => prop_assert!((one - other).abs() <= 1e-9 * one.abs() + 1e-12, "{one} and {other}"),
        _ => prop_assert_eq!(one, other),
    }
    Ok(())
}

proptest! {
    #[test]
    fn incremental_summaries_are_those_from_scratch(plan in plan(), order in any::<u64>()) {
        let survey = Survey::draw(&plan);
        let scratch = survey.summaries();
        // Count every household with its neighbour's values first, in another order, then correct it.
        let count = survey.households.len();
        let mut incremental = vec![PsuSummary::new(MEASURES.len()); survey.psus.len()];
        let at = |step: usize| (step + (order % 1009) as usize) % count;
        for step in 0..count {
            let (own, neighbour) = (&survey.households[at(step)], &survey.households[(at(step) + 1) % count]);
            incremental[own.psu].add(&neighbour.contributions).unwrap();
        }
        for step in (0..count).rev() {
            let (own, neighbour) = (&survey.households[at(step)], &survey.households[(at(step) + 1) % count]);
            incremental[own.psu].apply(Some(&neighbour.contributions), Some(&own.contributions)).unwrap();
        }
        prop_assert_eq!(&incremental, &scratch);

        let design = survey.design();
        let tree = tree(&survey, &design);
        let bits = |summaries: &[PsuSummary]| {
            let sample = Sample::new(&design, summaries).unwrap();
            let estimates = evaluate_tree(&sample, &tree, &MEASURES, &settings(&plan)).unwrap();
            // Rust prints the shortest digits that give back the very same number.
            format!("{estimates:?}")
        };
        prop_assert_eq!(bits(&incremental), bits(&scratch));
    }

    #[test]
    fn adding_and_removing_restores_exactly(
        plan in plan(),
        values in prop::collection::vec((0..1_000_000_u32, 0..1_000_000_u32), MEASURES.len()),
    ) {
        let household: Vec<Contribution> = values
            .into_iter()
            .map(|(y, x)| Contribution { numerator: f64::from(y), denominator: f64::from(x) })
            .collect();
        for mut summary in Survey::draw(&plan).summaries() {
            let before = summary.clone();
            summary.add(&household).unwrap();
            prop_assert_ne!(&summary, &before);
            summary.remove(&household).unwrap();
            prop_assert_eq!(&summary, &before);
        }
    }

    #[test]
    fn the_domain_of_everything_is_the_whole(plan in plan()) {
        let survey = Survey::draw(&plan);
        let (design, summaries) = (survey.design(), survey.summaries());
        let whole = Domain::whole(&design);
        let everything = Domain::from_predicate(&design, &|_| true, whole.population_psus()).unwrap();
        prop_assert_eq!(
            all_estimates(&design, &summaries, &everything, &settings(&plan)),
            all_estimates(&design, &summaries, &whole, &settings(&plan))
        );
    }

    #[test]
    fn a_tree_gives_what_each_domain_gives(plan in plan()) {
        let survey = Survey::draw(&plan);
        let (design, summaries) = (survey.design(), survey.summaries());
        let tree = tree(&survey, &design);
        let sample = Sample::new(&design, &summaries).unwrap();
        let estimates = evaluate_tree(&sample, &tree, &MEASURES, &settings(&plan)).unwrap();
        for (node, domain) in tree.domains().iter().enumerate() {
            let alone = all_estimates(&design, &summaries, domain, &settings(&plan));
            prop_assert_eq!(estimates.node(node), alone.as_slice());
            prop_assert_eq!(estimates.get(node, 1), alone.get(1));
        }
        prop_assert_eq!(estimates.get(tree.domains().len(), 0), None);
    }

    #[test]
    fn the_order_of_hamlets_does_not_matter(plan in plan(), shift in 0..20_usize) {
        let survey = Survey::draw(&plan);
        let (design, summaries) = (survey.design(), survey.summaries());
        let hamlets = survey.psus.len();
        let moved = |psu: usize| (psu + shift) % hamlets;
        let psus: Vec<Psu> = (0..hamlets).map(|psu| survey.psus[moved(psu)]).collect();
        let moved_summaries: Vec<PsuSummary> = (0..hamlets).map(|psu| summaries[moved(psu)].clone()).collect();
        let moved_design = Design::new(survey.strata.clone(), psus).unwrap();
        let domain = Domain::from_predicate(&design, &|psu| psu % 2 == 0, None).unwrap();
        let moved_domain = Domain::from_predicate(&moved_design, &|psu| moved(psu) % 2 == 0, None).unwrap();
        let before = all_estimates(&design, &summaries, &domain, &settings(&plan));
        let after = all_estimates(&moved_design, &moved_summaries, &moved_domain, &settings(&plan));
        for (before, after) in before.iter().zip(&after) {
            assert_near(before.point, after.point)?;
            assert_near(before.standard_error, after.standard_error)?;
            prop_assert_eq!(before.degrees_of_freedom, after.degrees_of_freedom);
            prop_assert_eq!(before.absences.point, after.absences.point);
        }
    }

    #[test]
    fn full_enumeration_leaves_no_doubt(plan in plan()) {
        let whole = Plan { sampled_psus: (7, 7), responding: (12, 12), ..plan };
        let survey = Survey::draw(&whole);
        let (design, summaries) = (survey.design(), survey.summaries());
        for (name, domain) in survey.domains() {
            for estimate in all_estimates(&design, &summaries, &domain, &settings(&whole)) {
                let Some(point) = estimate.point else { continue };
                prop_assert_eq!(estimate.standard_error, Some(0.0), "{}", &name);
                let interval = estimate.interval.unwrap();
                prop_assert_eq!((interval.lower, interval.upper), (point, point));
                prop_assert_eq!(interval.method, IntervalMethod::Census);
                prop_assert_eq!(estimate.denominator_total, estimate.denominator_observed);
            }
        }
    }

    #[test]
    fn an_interval_contains_its_point(plan in plan()) {
        let survey = Survey::draw(&plan);
        let (design, summaries) = (survey.design(), survey.summaries());
        for (_, domain) in survey.domains() {
            let estimates = all_estimates(&design, &summaries, &domain, &settings(&plan));
            for (estimate, measure) in estimates.into_iter().zip(MEASURES) {
                let (Some(point), Some(interval)) = (estimate.point, estimate.interval) else { continue };
                prop_assert!(interval.lower <= point + 1e-12 && point <= interval.upper + 1e-12, "{estimate:?}");
                if measure == Measure::Proportion {
                    prop_assert!(0.0 <= interval.lower && interval.upper <= 1.0, "{estimate:?}");
                }
                prop_assert!(estimate.standard_error.is_some_and(|error| error >= 0.0 && error.is_finite()));
            }
        }
    }
}
