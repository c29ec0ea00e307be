//! Small surveys whose figures can be worked out by hand.

// What cannot be set up fails the test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod small_designs;

use indicators::intervals::IntervalMethod;
use indicators::survey::{
    Domain, IntervalReason, ProportionMethod, QuantileInterval, Selection, SingleUnits, StatisticError, SurveyError,
    Undefined, Values, VarianceEstimator, estimate, proportion, quantile, total,
};
use small_designs::{LEVEL, read, read_with, settings, stage};

#[test]
fn a_single_unit_follows_the_policy() {
    // Strata 1 (two units: totals 2 and 6), 2 (one unit: 5), 3 (one unit: 1). With replacement, weights 1.
    let (clusters, strata) = ([1, 2, 3, 4], [1, 1, 2, 3]);
    let variance = |policy| {
        let stages = vec![stage(Some(&clusters), Some(&strata), Selection::WithReplacement)];
        let design = read_with(&[1.0; 4], stages, policy).unwrap();
        let statistic = total(&design, &Values::new("y", &[2.0, 6.0, 5.0, 1.0]), &Domain::Everyone).unwrap();
        VarianceEstimator::new(&design).variance(&statistic)
    };
    assert_eq!(variance(SingleUnits::Fail), Err(Undefined::SingleUnit));
    // 2/(2 − 1) · ((2 − 4)² + (6 − 4)²) of stratum 1.
    assert_eq!(variance(SingleUnits::Certainty), Ok(16.0));
    // 5² and 1² more.
    assert_eq!(variance(SingleUnits::Adjust), Ok(42.0));
    // Three strata, of which one has a variance.
    assert_eq!(variance(SingleUnits::Average), Ok(48.0));
    // Strata 2 and 3 together: 2 · ((5 − 3)² + (1 − 3)²) = 16.
    assert_eq!(variance(SingleUnits::Collapse), Ok(32.0));
}

#[test]
fn a_stratum_that_was_not_reached_does_no_harm() {
    let (clusters, strata) = ([1, 2, 3], [1, 1, 2]);
    let stages = vec![stage(Some(&clusters), Some(&strata), Selection::WithReplacement)];
    let design = read(&[1.0; 3], stages).unwrap();
    let values = Values::new("y", &[1.0, 2.0, 3.0]);
    let estimator = VarianceEstimator::new(&design);
    let first = Domain::Category {
        codes: &strata,
        code: 1,
    };
    let statistic = total(&design, &values, &first).unwrap();
    // 2 · (¼ + ¼)
    assert_eq!(estimator.variance(&statistic), Ok(1.0));
    let everyone = total(&design, &values, &Domain::Everyone).unwrap();
    assert_eq!(estimator.variance(&everyone), Err(Undefined::SingleUnit));
}

#[test]
fn one_of_a_stratum_of_one_is_certain() {
    let population = [1.0, 4.0, 4.0];
    let stages = vec![stage(
        None,
        Some(&[1, 2, 2]),
        Selection::WithoutReplacement {
            population: &population,
        },
    )];
    let design = read(&[1.0, 2.0, 2.0], stages).unwrap();
    let statistic = total(&design, &Values::new("y", &[50.0, 1.0, 3.0]), &Domain::Everyone).unwrap();
    assert_eq!(statistic.point, 58.0);
    // (1 − 2/4) · 2/1 · ((2 − 4)² + (6 − 4)²) = 8.
    assert_eq!(VarianceEstimator::new(&design).variance(&statistic), Ok(8.0));
}

#[test]
fn a_quantile_meets_a_round_share() {
    // Ten values of equal weight whose tenth is no binary fraction: the third value is reached by three tenths.
    let weights = [30.97; 10];
    let design = read(&weights, vec![stage(None, None, Selection::WithReplacement)]).unwrap();
    let estimator = VarianceEstimator::new(&design);
    let numbers: Vec<f64> = (1..=10).rev().map(f64::from).collect();
    let values = Values::new("y", &numbers);
    let at = |p| quantile(&estimator, &values, &Domain::Everyone, p, QuantileInterval::Mean, LEVEL);
    for tenth in 1..=9_u32 {
        assert_eq!(at(f64::from(tenth) / 10.0).unwrap().point, f64::from(tenth));
        assert_eq!(at(f64::from(tenth) / 10.0 + 0.01).unwrap().point, f64::from(tenth + 1));
    }
    // Below the first value's share it is the first value.
    assert_eq!(at(0.05).unwrap().point, 1.0);
    let low = at(0.1).unwrap();
    assert_eq!(low.lower, Err(Undefined::BeyondObservations));
    assert!(low.standard_error.is_err() && low.linearised.is_err());
    for wrong in [0.0, 1.0, f64::NAN] {
        assert!(matches!(
            at(wrong),
            Err(StatisticError::Columns(SurveyError::Fraction { .. }))
        ));
    }
}

#[test]
fn the_choice_of_an_interval_has_its_reason() {
    // 80 hamlets of two persons each.
    let clusters: Vec<u32> = (0..160).map(|row| row / 2).collect();
    let design = read(
        &[10.0; 160],
        vec![stage(Some(&clusters), None, Selection::WithReplacement)],
    )
    .unwrap();
    let estimator = VarianceEstimator::new(&design);
    let found = |first: usize| {
        let marks: Vec<bool> = (0..160).map(|row| row < first).collect();
        let statistic = proportion(&design, &Domain::Rows(&marks), &Domain::Everyone).unwrap();
        estimate(&estimator, Ok(&statistic), &Domain::Everyone, &settings(true))
    };
    let half = found(80);
    let choice = half.choice.unwrap();
    assert_eq!(
        (choice.method, choice.reason),
        (ProportionMethod::Logit, IntervalReason::Ordinary)
    );
    assert_eq!(half.interval.unwrap().method, IntervalMethod::Logit);
    let few = found(8);
    let choice = few.choice.unwrap();
    assert_eq!(choice.method, ProportionMethod::KornGraubard);
    // p(1 − p)/V is 79, since both persons of a hamlet are alike: p times that are expected.
    let IntervalReason::FewCases { expected } = choice.reason else {
        panic!("{choice:?}")
    };
    assert!((expected - 79.0 * 0.05).abs() < 1e-9);
    let nobody = found(0);
    assert_eq!(nobody.standard_error, Some(0.0));
    assert_eq!(nobody.choice.unwrap().reason, IntervalReason::NothingVaries);
    let interval = nobody.interval.unwrap();
    // 80 hamlets count, not 160 persons, and there are 79 degrees of freedom, no fewer than 80 independent ones have.
    assert_eq!(interval.lower, 0.0);
    assert!((interval.upper - (1.0 - 0.025_f64.powf(1.0 / 80.0))).abs() < 1e-12);
}
