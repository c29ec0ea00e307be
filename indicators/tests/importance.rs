//! What to settle first, against every way to settle each matter, and laws about how many suffice for a decision.

#![allow(clippy::unwrap_used, reason = "a step that fails is a failed test")]

mod settlements;

use indicators::bounds::{Importance, Matter, Remaining, Unsettled, bounded_ratio, importance};
use indicators::decision::{Decision, Operator, Target, decide};
use indicators::design::{Design, Domain, Sample};
use indicators::estimators::{Indicator, Measure, Settings, ratio};
use indicators::summary::{Contribution, PsuSummary};
use proptest::prelude::*;
use settlements::{Survey, settlements, surveys};

const INDICATOR: Indicator = Indicator {
    index: 0,
    measure: Measure::Mean,
};

fn importance_of(survey: &Survey, remaining: &[Remaining], target: &Target) -> Importance {
    let unsettled = Unsettled {
        households: survey.unsettled.clone(),
        groups: survey.suspected(remaining),
    };
    let (design, summaries) = (survey.design(), survey.summaries(&survey.counted()));
    let sample = Sample::new(&design, &summaries).unwrap();
    importance(
        &sample,
        &Domain::whole(&design),
        INDICATOR,
        &Settings::default(),
        &unsettled,
        target,
    )
    .unwrap()
}

fn point(survey: &Survey, settled: &[Option<Contribution>]) -> Option<f64> {
    let (design, summaries) = (survey.design(), survey.summaries(settled));
    let sample = Sample::new(&design, &summaries).unwrap();
    ratio(&sample, &Domain::whole(&design), INDICATOR, &Settings::default())
        .unwrap()
        .point
}

/// The survey in which only this matter is open.
fn only(survey: &Survey, matter: Matter) -> Survey {
    let mut only = survey.clone();
    let members: Vec<usize> = match matter {
        Matter::Household(household) => {
            only.groups.clear();
            vec![household]
        }
        Matter::Group(group) => only.groups[group].1.iter().flatten().copied().collect(),
    };
    for (household, open) in only.unsettled.iter_mut().enumerate() {
        if !members.contains(&household) {
            open.options = vec![open.counted];
        }
    }
    only
}

/// The survey in which these matters are settled as they are counted.
fn without(survey: &Survey, matters: &[Matter]) -> Survey {
    let mut without = survey.clone();
    let mut settled = Vec::new();
    for matter in matters {
        match *matter {
            Matter::Household(household) => settled.push(household),
            Matter::Group(group) => {
                settled.extend(survey.groups[group].1.iter().flatten().copied());
                // There is one group at most.
                without.groups.clear();
            }
        }
    }
    for household in settled {
        let open = &mut without.unsettled[household];
        open.options = vec![open.counted];
    }
    without
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn effects_are_those_of_all_settlements_of_one_matter(survey in surveys(), percent in 0..200_u32) {
        let target = Target::new(Operator::AtLeast, f64::from(percent)).unwrap();
        let remaining = survey.remaining();
        let found = importance_of(&survey, &remaining, &target);
        let now = point(&survey, &survey.counted());
        let greatest = found.effects.iter().filter_map(|effect| effect.reach).fold(0.0, f64::max);

        // Every household is in one matter, and only those of groups that bring nothing are in none.
        let mut households: Vec<usize> = found
            .effects
            .iter()
            .flat_map(|effect| match effect.matter {
                Matter::Household(household) => vec![household],
                Matter::Group(group) => survey.groups[group].1.iter().flatten().copied().collect(),
            })
            .collect();
        households.sort_unstable();
        prop_assert_eq!(households, (0..survey.unsettled.len()).collect::<Vec<_>>());

        for effect in &found.effects {
            let only = only(&survey, effect.matter);
            let all = settlements(&only.options(), &only.groups);
            let points: Vec<Option<f64>> = all.iter().map(|settled| point(&survey, settled)).collect();
            let defined = || points.iter().copied().flatten();
            for (actual, expected) in
                [(effect.lower, defined().reduce(f64::min)), (effect.upper, defined().reduce(f64::max))]
            {
                match (actual, expected) {
                    (Some(actual), Some(expected)) => prop_assert!((actual - expected).abs() < 1e-9),
                    (actual, expected) => prop_assert_eq!(actual, expected),
                }
            }
            prop_assert_eq!(effect.denominator_may_vanish, points.contains(&None));
            for settled in defined() {
                if let (Some(now), Some(reach)) = (now, effect.reach) {
                    prop_assert!((settled - now).abs() <= reach + 1e-9 && reach <= greatest);
                }
            }
        }
    }

    #[test]
    fn as_many_as_suffice_make_the_decision_sure(
        survey in surveys(),
        percent in 0..200_u32,
        more_than in any::<bool>(),
    ) {
        let operator = if more_than { Operator::MoreThan } else { Operator::AtLeast };
        let target = Target::new(operator, f64::from(percent)).unwrap();
        let remaining = survey.remaining();
        let found = importance_of(&survey, &remaining, &target);
        prop_assert_eq!(found.decision_as_counted, decide(&target, [&found.bounded.estimate]));
        prop_assert_eq!(found.decision, found.bounded.decide(&target));
        prop_assert_eq!(found.is_in_doubt, found.decision != found.decision_as_counted);
        prop_assert_eq!(found.sufficient.is_none(), found.decision_as_counted == Decision::Undecided);
        let Some(sufficient) = found.sufficient else { return Ok(()) };
        prop_assert_eq!(sufficient == 0, !found.is_in_doubt);
        prop_assert!(sufficient <= found.effects.len());

        let settled: Vec<Matter> = found.effects[..sufficient].iter().map(|effect| effect.matter).collect();
        let rest = without(&survey, &settled);
        let rest_remaining = rest.remaining();
        let unsettled = Unsettled { households: rest.unsettled.clone(), groups: rest.suspected(&rest_remaining) };
        let (design, summaries) = (survey.design(), survey.summaries(&survey.counted()));
        let sample = Sample::new(&design, &summaries).unwrap();
        let bounded =
            bounded_ratio(&sample, &Domain::whole(&design), INDICATOR, &Settings::default(), &unsettled).unwrap();
        prop_assert_eq!(bounded.decide(&target), found.decision_as_counted);
        // Then also each settlement of the rest that leads to an end decides the same by itself.
        for end in [&bounded.lower, &bounded.upper] {
            prop_assert_eq!(decide(&target, end), found.decision_as_counted);
        }
    }

    #[test]
    fn what_can_move_the_estimate_furthest_against_the_decision_comes_first(survey in surveys(), percent in 0..200_u32) {
        let target = Target::new(Operator::AtLeast, f64::from(percent)).unwrap();
        let remaining = survey.remaining();
        let found = importance_of(&survey, &remaining, &target);
        let now = found.bounded.estimate.point.unwrap_or(0.0);
        let movement: Vec<(bool, f64)> = found
            .effects
            .iter()
            .map(|effect| {
                let against = match found.decision_as_counted {
                    Decision::Met => effect.lower.map(|lower| now - lower),
                    Decision::Missed => effect.upper.map(|upper| upper - now),
                    Decision::Undecided => effect.reach,
                };
                (effect.denominator_may_vanish, against.unwrap_or(0.0))
            })
            .collect();
        for pair in movement.windows(2) {
            let ((first_vanishes, first), (second_vanishes, second)) = (pair[0], pair[1]);
            if first_vanishes == second_vanishes {
                prop_assert!(first >= second);
            } else {
                prop_assert!(first_vanishes);
            }
        }
    }
}

#[test]
fn a_census_with_two_conflicts_and_a_pair_by_hand() {
    // Ten households of one hamlet, all visited: eight have the attribute. One of the eight and one of the others are in
    // conflict, and two of the eight may be one household.
    let design = Design::new(
        vec![indicators::design::Stratum { psus: 1 }],
        vec![indicators::design::Psu {
            stratum: 0,
            households: 10,
        }],
    )
    .unwrap();
    let option = |numerator| Contribution {
        numerator,
        denominator: 1.0,
    };
    let mut summary = PsuSummary::new(1);
    for household in 0..10 {
        summary.add(&[option(if household < 8 { 1.0 } else { 0.0 })]).unwrap();
    }
    let summaries = [summary];
    let sample = Sample::new(&design, &summaries).unwrap();
    let open = |counted: f64, options: &[f64]| indicators::bounds::UnsettledHousehold {
        psu: 0,
        counted: option(counted),
        options: options.iter().copied().map(option).collect(),
    };
    let pair = Remaining::any(2);
    let unsettled = Unsettled {
        households: vec![
            open(0.0, &[0.0, 1.0]),
            open(1.0, &[1.0, 0.0]),
            open(1.0, &[1.0]),
            open(1.0, &[1.0]),
        ],
        groups: vec![indicators::bounds::SuspectedGroup {
            members: vec![Some(2), Some(3)],
            remaining: &pair,
        }],
    };
    let found = |percent| {
        let target = Target::new(Operator::AtLeast, percent).unwrap();
        importance(
            &sample,
            &Domain::whole(&design),
            INDICATOR,
            &Settings::default(),
            &unsettled,
            &target,
        )
        .unwrap()
    };
    let order = |found: &Importance| found.effects.iter().map(|effect| effect.matter).collect::<Vec<_>>();

    // 8 of 10 meets 75 %. The conflict of one that counts can take it to 7 of 10, the pair to 7 of 9.
    let met = found(75.0);
    assert_eq!(met.decision_as_counted, Decision::Met);
    assert_eq!(met.decision, Decision::Undecided);
    assert!(met.is_in_doubt);
    assert_eq!(
        order(&met),
        [Matter::Household(1), Matter::Group(0), Matter::Household(0)]
    );
    let close = |actual: Option<f64>, expected: f64| assert!((actual.unwrap() - expected).abs() < 1e-12);
    close(met.effects[0].lower, 0.7);
    close(met.effects[0].upper, 0.8);
    close(met.effects[1].lower, 7.0 / 9.0);
    close(met.effects[1].reach, 0.8 - 7.0 / 9.0);
    close(met.effects[2].upper, 0.9);
    // Settled as counted, the first leaves 7 of 9 at worst, which meets 75 %.
    assert_eq!(met.sufficient, Some(1));
    close(met.bounded.lower.as_ref().unwrap().point, 6.0 / 9.0);
    close(met.bounded.upper.as_ref().unwrap().point, 0.9);
    assert_eq!(met.bounded.conflicted_households, 2);
    assert_eq!(met.bounded.suspected_households, 2);

    // It misses 85 %, and the other conflict alone can change that.
    let missed = found(85.0);
    assert_eq!(missed.decision_as_counted, Decision::Missed);
    assert_eq!(order(&missed)[0], Matter::Household(0));
    assert_eq!(missed.sufficient, Some(1));
    // Nothing that is open can change that it meets 60 % and misses 95 %.
    assert_eq!((found(60.0).sufficient, found(95.0).sufficient), (Some(0), Some(0)));
    assert!(!found(60.0).is_in_doubt);
}
