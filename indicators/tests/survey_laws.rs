//! What must hold for any survey: no order of rows matters, a census has no error, and the live path from hamlet sums
//! gives what the general path gives.

// What cannot be set up fails the test.
#![allow(clippy::unwrap_used)]

mod persons;
mod regression;
mod surveys;

use indicators::design::Sample;
use indicators::estimators::{Indicator, Settings, ratio as live_ratio};
use indicators::intervals::IntervalMethod;
use indicators::linear_algebra::Matrix;
use indicators::survey::{
    DesignColumns, Domain, Labels, Partition, PartitionRatio, QuantileInterval, Selection, SingleUnits, StageColumns,
    SurveyDesign, Undefined, Values, VarianceEstimator, difference, estimate, mean, partition_ratios, partition_totals,
    quantile, ratio, total,
};
use indicators::variance::LonelyPsu;
use persons::{LEVEL, Persons, plain};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use regression::Regression;
use surveys::{MEASURES, Plan, Survey};

#[track_caller]
fn assert_same(one: &[f64], other: &[f64], tolerance: f64) {
    assert_eq!(one.len(), other.len());
    for (position, (one, other)) in one.iter().zip(other).enumerate() {
        let difference = (one - other).abs() / one.abs().max(1e-9);
        assert!(difference <= tolerance, "figure {position}: {one:e} and {other:e}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn the_order_of_rows_does_not_matter(seed in 0..10_000_u64) {
        let persons = Persons::draw(seed, 3);
        let mut order: Vec<usize> = (0..persons.rows()).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed + 1));
        let shuffled = persons.reordered(&order);
        assert_same(
            &persons.figures(&persons.two_stages()),
            &shuffled.figures(&shuffled.two_stages()),
            1e-12,
        );
    }

    /// Where only the units of the first stage count, a person may as well be two persons of half the weight.
    #[test]
    fn a_weight_may_be_split_within_its_unit(seed in 0..10_000_u64) {
        let persons = Persons::draw(seed, 3);
        let order: Vec<usize> = (0..persons.rows()).flat_map(|row| vec![row; 1 + row % 3]).collect();
        let mut split = persons.reordered(&order);
        for (weight, row) in split.weights.iter_mut().zip(&order) {
            *weight /= (1 + row % 3) as f64;
        }
        // Design effects and tests count rows, so only points and standard errors are compared.
        let (whole, parts) = (persons.with_replacement(), split.with_replacement());
        let of = |persons: &Persons, design: &SurveyDesign| -> Vec<f64> {
            let (y, x) = (Values::new("y", &persons.y), Values::new("x", &persons.x));
            let statistics = [
                total(design, &y, &Domain::Everyone).unwrap(),
                mean(design, &x, &Domain::Everyone).unwrap(),
                ratio(design, &y, &x, &Domain::Everyone).unwrap(),
            ];
            let estimator = VarianceEstimator::new(design);
            let errors = statistics.iter().map(|statistic| estimator.variance(statistic).unwrap().sqrt());
            statistics.iter().map(|statistic| statistic.point).chain(errors).collect()
        };
        assert_same(&of(&persons, &whole), &of(&split, &parts), 1e-12);
    }

    #[test]
    fn a_census_has_no_error(seed in 0..10_000_u64) {
        let persons = Persons::draw(seed, 1);
        let design = persons.two_stages();
        prop_assert!(design.is_census());
        prop_assert!(!persons.with_replacement().is_census());
        let estimator = VarianceEstimator::new(&design);
        let (y, x) = (Values::new("y", &persons.y), Values::new("x", &persons.x));
        let group = Domain::Category { codes: &persons.group, code: 1 };
        for statistic in [
            total(&design, &y, &Domain::Everyone).unwrap(),
            ratio(&design, &y, &x, &group).unwrap(),
        ] {
            let found = estimate(&estimator, Ok(&statistic), &group, &plain());
            prop_assert_eq!(found.standard_error, Some(0.0));
            let interval = found.interval.unwrap();
            prop_assert_eq!((interval.lower, interval.upper), (statistic.point, statistic.point));
            prop_assert_eq!(interval.method, IntervalMethod::Census);
        }
        let median = quantile(&estimator, &x, &Domain::Everyone, 0.5, QuantileInterval::Mean, LEVEL).unwrap();
        prop_assert_eq!((median.lower, median.upper), (Ok(median.point), Ok(median.point)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Residuals of calibration reach other domains' rows, also in strata where a domain has none.
    #[test]
    fn calibrated_domains_in_one_pass_are_those_one_by_one(seed in 0..10_000_u64) {
        let mut persons = Persons::draw(seed, 3);
        let base_weights = persons.weights.clone();
        for (weight, x) in persons.weights.iter_mut().zip(&persons.x) {
            *weight *= 0.7 + 0.2 * x;
        }
        let auxiliaries = persons.x.iter().zip(&persons.answer).flat_map(|(&x, &answer)| [1.0, x, f64::from(answer)]);
        let auxiliaries = Matrix::new(persons.rows(), 3, auxiliaries.collect()).unwrap();
        let regression = Regression::new(auxiliaries, base_weights, persons.weights.clone());
        let (y, x) = (Values::new("y", &persons.y), Values::new("x", &persons.x));
        for design in [persons.two_stages(), persons.with_replacement()] {
            let estimator = VarianceEstimator {
                adjustment: Some(&regression),
                ..VarianceEstimator::new(&design)
            };
            let mut straddling = persons.stratum.clone();
            for (code, &group) in straddling.iter_mut().zip(&persons.group) {
                *code = if group == 0 { *code / 2 } else { Partition::NONE };
            }
            for (codes, domains) in [(&persons.stratum, 4), (&persons.group, 3), (&straddling, 2)] {
                let partition = Partition::new(&design, codes, domains).unwrap();
                let of = PartitionRatio { numerator: y, denominator: x };
                let together = partition_ratios(&estimator, &partition, &of, &plain()).unwrap();
                for (code, found) in together.iter().enumerate() {
                    let domain = Domain::Category { codes, code: code as u32 };
                    let Ok(alone) = ratio(&design, &y, &x, &domain) else {
                        prop_assert_eq!(found.point, None);
                        continue;
                    };
                    let alone = estimate(&estimator, Ok(&alone), &domain, &plain());
                    prop_assert_eq!(found.absences, alone.absences);
                    if let (Some(one), Some(other)) = (found.standard_error, alone.standard_error) {
                        prop_assert!((one - other).abs() <= 1e-10 * other, "{one:e} together, {other:e} alone");
                    }
                }
                let together = partition_totals(&estimator, &partition, &y, &plain()).unwrap();
                for (code, found) in together.iter().enumerate() {
                    let domain = Domain::Category { codes, code: code as u32 };
                    let Ok(alone) = total(&design, &y, &domain) else {
                        prop_assert_eq!(found.point, None);
                        continue;
                    };
                    let alone = estimate(&estimator, Ok(&alone), &domain, &plain());
                    prop_assert_eq!(found.absences, alone.absences);
                    prop_assert_eq!((found.rows, found.degrees_of_freedom), (alone.rows, alone.degrees_of_freedom));
                    for (one, other) in [
                        (found.point, alone.point),
                        (found.standard_error, alone.standard_error),
                        (found.design_effect, alone.design_effect),
                    ] {
                        let (one, other) = (one.unwrap_or(0.0), other.unwrap_or(0.0));
                        prop_assert!((one - other).abs() <= 1e-10 * other, "{one:e} together, {other:e} alone");
                    }
                }
            }
        }
    }
}

/// The household rows of a survey of hamlets, as microdata.
struct Households {
    weights: Vec<f64>,
    stratum: Vec<u32>,
    hamlet: Vec<u32>,
    hamlets: Vec<f64>,
    households: Vec<f64>,
}

impl Households {
    fn of(survey: &Survey) -> Self {
        let rows = &survey.households;
        let sampled = |stratum: usize| {
            let in_stratum = survey.psus.iter().enumerate().filter(|(_, psu)| psu.stratum == stratum);
            let responding = in_stratum.filter(|(hamlet, _)| rows.iter().any(|row| row.psu == *hamlet));
            responding.count() as f64
        };
        let sampled: Vec<f64> = (0..survey.strata.len()).map(sampled).collect();
        let column = |value: &dyn Fn(usize) -> f64| rows.iter().map(|row| value(row.psu)).collect::<Vec<f64>>();
        let stratum = |hamlet: usize| survey.psus[hamlet].stratum;
        let hamlets = |hamlet: usize| survey.strata[stratum(hamlet)].psus as f64;
        let households = |hamlet: usize| survey.psus[hamlet].households as f64;
        let responding = |hamlet: usize| rows.iter().filter(|row| row.psu == hamlet).count() as f64;
        Households {
            weights: column(&|hamlet| {
                hamlets(hamlet) / sampled[stratum(hamlet)] * (households(hamlet) / responding(hamlet))
            }),
            stratum: rows.iter().map(|row| stratum(row.psu) as u32).collect(),
            hamlet: rows.iter().map(|row| row.psu as u32).collect(),
            hamlets: column(&hamlets),
            households: column(&households),
        }
    }

    fn design(&self, single_units: SingleUnits) -> SurveyDesign {
        SurveyDesign::new(&DesignColumns {
            weights: &self.weights,
            stages: vec![
                StageColumns {
                    clusters: Some(&self.hamlet),
                    strata: Some(&self.stratum),
                    selection: Selection::WithoutReplacement {
                        population: &self.hamlets,
                    },
                },
                StageColumns {
                    clusters: None,
                    strata: None,
                    selection: Selection::WithoutReplacement {
                        population: &self.households,
                    },
                },
            ],
            labels: Labels::Unique,
            single_units,
        })
        .unwrap()
    }
}

#[test]
fn the_live_path_gives_what_the_general_path_gives() {
    let plain_plan = Plan {
        seed: 31,
        strata: 4,
        frame_psus: (8, 14),
        sampled_psus: (3, 6),
        frame_households: (12, 40),
        responding: (3, 9),
        lists_frame: false,
        lonely_psu: LonelyPsu::Adjust,
    };
    let lonely = Plan {
        seed: 32,
        sampled_psus: (1, 2),
        responding: (1, 3),
        ..plain_plan.clone()
    };
    let plans = [
        (plain_plan.clone(), SingleUnits::Adjust),
        (Plan { seed: 33, ..plain_plan }, SingleUnits::Fail),
        (lonely.clone(), SingleUnits::Adjust),
        (
            Plan {
                lonely_psu: LonelyPsu::Certainty,
                ..lonely
            },
            SingleUnits::Certainty,
        ),
    ];
    let mut compared = 0;
    for (plan, policy) in plans {
        let survey = Survey::draw(&plan);
        let households = Households::of(&survey);
        let general = households.design(policy);
        let (live, summaries) = (survey.design(), survey.summaries());
        let sample = Sample::new(&live, &summaries).unwrap();
        let settings = Settings {
            level: LEVEL,
            lonely_psu: plan.lonely_psu,
        };
        let estimator = VarianceEstimator::new(&general);
        for (name, hamlets) in survey.domains() {
            let contains = |hamlet: usize| hamlets.members().contains(&hamlet);
            let marks: Vec<bool> = survey
                .households
                .iter()
                .map(|household| contains(household.psu))
                .collect();
            let responding = hamlets
                .members()
                .iter()
                .filter(|&&hamlet| summaries[hamlet].households() > 0)
                .count();
            if hamlets.population_psus() == Some(responding as u64) {
                // The live path takes such a domain as given, each hamlet as a stratum: another design.
                continue;
            }
            for (index, measure) in MEASURES.into_iter().enumerate() {
                let expected = live_ratio(&sample, &hamlets, Indicator { index, measure }, &settings).unwrap();
                let column = |part: &dyn Fn(usize) -> f64| (0..marks.len()).map(part).collect::<Vec<f64>>();
                let y = column(&|row| survey.households[row].contributions[index].numerator);
                let x = column(&|row| survey.households[row].contributions[index].denominator);
                let domain = Domain::Rows(&marks);
                let found = ratio(&general, &Values::new("y", &y), &Values::new("x", &x), &domain);
                let Ok(found) = found else {
                    assert_eq!(expected.point, None);
                    continue;
                };
                let found = estimate(&estimator, Ok(&found), &domain, &plain());
                assert_eq!(found.rows, expected.households);
                assert_eq!(found.degrees_of_freedom, expected.degrees_of_freedom);
                let same = |one: Option<f64>, other: Option<f64>| match (one, other) {
                    (Some(one), Some(other)) => assert!(
                        (one - other).abs() <= 1e-10 * other.abs().max(1e-6),
                        "{name}, indicator {index}: {one:e} here, {other:e} live"
                    ),
                    (one, other) => assert_eq!(one, other, "{name}, indicator {index}"),
                };
                same(found.point, expected.point);
                same(found.standard_error, expected.standard_error);
                if found.standard_error.is_some_and(|error| error > 1e-9) {
                    same(found.design_effect, expected.design_effect);
                }
                compared += 1;
            }
        }
    }
    assert!(compared >= 250, "only {compared} compared");
}

#[test]
fn a_change_between_rounds_knows_the_hamlets_visited_twice() {
    // Two rounds in the same hamlets, one below the other, and the same answers: the change is 0 and certain. With
    // hamlets of their own in each round it is 0 too, but uncertain.
    let first = Persons::draw(5, 3);
    let order: Vec<usize> = (0..first.rows()).chain(0..first.rows()).collect();
    let both = first.reordered(&order);
    let round: Vec<u32> = (0..both.rows()).map(|row| u32::from(row >= first.rows())).collect();
    let standard_error = |persons: &Persons| {
        let design = persons.with_replacement();
        let of_round = |code| {
            let domain = Domain::Category { codes: &round, code };
            mean(&design, &Values::new("y", &persons.y), &domain).unwrap()
        };
        let change = difference(&of_round(1), &of_round(0)).unwrap();
        assert!(change.point.abs() < 1e-12);
        VarianceEstimator::new(&design).variance(&change).unwrap().sqrt()
    };
    assert!(standard_error(&both) < 1e-12);
    let mut apart = both.clone();
    for (hamlet, &round) in apart.hamlet.iter_mut().zip(&round) {
        *hamlet += 1000 * round;
    }
    assert!(standard_error(&apart) > 0.05);
}

#[test]
fn a_mean_within_one_of_several_units_has_no_standard_error() {
    let persons = Persons::draw(9, 3);
    let design = persons.two_stages();
    let domain = Domain::Category {
        codes: &persons.hamlet,
        code: persons.hamlet[0],
    };
    let statistic = mean(&design, &Values::new("y", &persons.y), &domain).unwrap();
    let found = estimate(&VarianceEstimator::new(&design), Ok(&statistic), &domain, &plain());
    assert!(found.point.is_some());
    assert_eq!(found.absences.standard_error, Some(Undefined::SingleUnitInDomain));
}
