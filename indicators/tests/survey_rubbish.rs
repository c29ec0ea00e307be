//! Whatever the columns hold, reading them ends in an error or in a design, and no estimate of it is NaN or infinite.

// What cannot be set up fails the test.
#![allow(clippy::unwrap_used)]

use indicators::intervals::ConfidenceLevel;
use indicators::survey::{
    DesignColumns, Domain, EstimateSettings, Joint, Labels, Linearised, PairForm, Partition, PartitionRatio,
    QuantileInterval, Selection, SingleUnits, StageColumns, StatisticError, SurveyDesign, SurveyEstimate, Undefined,
    Values, VarianceEstimator, combination, cross_tabulation, difference, estimate, mean, partition_ratios, quantile,
    quotient, ratio, total,
};
use proptest::prelude::*;

const MOST_ROWS: usize = 9;

fn number(choices: &'static [f64]) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(prop::sample::select(choices), MOST_ROWS)
}

fn codes() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(0..4_u32, MOST_ROWS)
}

/// One stage's columns; which of them are used is drawn too.
#[derive(Debug, Clone)]
struct Stage {
    clusters: Option<Vec<u32>>,
    strata: Option<Vec<u32>>,
    population: Vec<f64>,
    inclusion: Vec<f64>,
    joint: Vec<f64>,
    kind: u8,
    form: PairForm,
}

fn stage() -> impl Strategy<Value = Stage> {
    let forms = prop::sample::select(vec![PairForm::HorvitzThompson, PairForm::YatesGrundy]);
    (
        prop::option::of(codes()),
        prop::option::of(codes()),
        // Mostly the same number, so that many designs are sound.
        prop_oneof![
            3 => prop::sample::select(&[9.0, 20.0, f64::INFINITY][..]).prop_map(|size| vec![size; MOST_ROWS]),
            1 => number(&[0.0, 1.0, 2.0, 9.0, 1e300, f64::INFINITY, f64::NAN]),
        ],
        prop_oneof![
            3 => prop::sample::select(&[0.2, 0.9, 1.0, 1e-300][..]).prop_map(|share| vec![share; MOST_ROWS]),
            1 => number(&[0.0, 0.3, 0.5, 1.0, 1.5, f64::NAN]),
        ],
        (0.01..1.2_f64, 0.0..1.2_f64),
        0..6_u8,
        forms,
    )
        .prop_map(|(clusters, strata, population, inclusion, (own, joint), kind, form)| {
            let mut matrix = vec![own * joint; MOST_ROWS * MOST_ROWS];
            for (row, &inclusion) in inclusion.iter().enumerate() {
                matrix[row * (MOST_ROWS + 1)] = inclusion;
            }
            Stage {
                clusters,
                strata,
                population,
                inclusion,
                joint: matrix,
                kind,
                form,
            }
        })
}

impl Stage {
    fn columns(&self, rows: usize) -> StageColumns<'_> {
        let joint = match self.kind {
            0 | 1 => None,
            2 => Some(Joint::Brewer),
            3 => Some(Joint::Overton(self.form)),
            4 => Some(Joint::HartleyRao {
                mean_probability: self.clusters.is_none().then_some(&self.inclusion[..rows]),
                form: self.form,
            }),
            _ => Some(Joint::Exact {
                probabilities: &self.joint[..rows * rows],
                form: self.form,
            }),
        };
        StageColumns {
            clusters: self.clusters.as_ref().map(|codes| &codes[..rows]),
            strata: self.strata.as_ref().map(|codes| &codes[..rows]),
            selection: match (self.kind, joint) {
                (0, _) => Selection::WithReplacement,
                (_, Some(joint)) => Selection::UnequalProbabilities {
                    inclusion: &self.inclusion[..rows],
                    joint,
                },
                _ => Selection::WithoutReplacement {
                    population: &self.population[..rows],
                },
            },
        }
    }
}

fn assert_finite(estimate: &SurveyEstimate) {
    let interval = estimate
        .interval
        .iter()
        .flat_map(|interval| [interval.lower, interval.upper]);
    let parts = [
        estimate.point,
        estimate.standard_error,
        estimate.design_effect,
        estimate.design_effect_with_replacement,
        Some(estimate.population),
    ];
    for value in parts.into_iter().flatten().chain(interval) {
        assert!(value.is_finite(), "{estimate:?}");
    }
    // What is absent has its reason, and what is present none.
    assert_eq!(estimate.point.is_none(), estimate.absences.point.is_some());
    assert_eq!(
        estimate.standard_error.is_none(),
        estimate.absences.standard_error.is_some()
    );
    assert_eq!(
        estimate.interval.is_none(),
        estimate.absences.interval.is_some(),
        "{estimate:?}"
    );
    assert_eq!(
        estimate.design_effect.is_none(),
        estimate.absences.design_effect.is_some(),
        "{estimate:?}"
    );
}

fn undefined(error: StatisticError) -> Option<Undefined> {
    match error {
        StatisticError::Undefined(reason) => Some(reason),
        StatisticError::Columns(error) => {
            assert!(!error.to_string().is_empty() && !error.vietnamese().is_empty());
            None
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn no_columns_make_a_panic_or_a_nan(
        rows in 0..=MOST_ROWS,
        weights in prop_oneof![
            3 => number(&[0.0, 1.0, 2.5, 9e15, 1e-300]),
            1 => number(&[0.0, 1.0, 1e300, -1.0, f64::NAN]),
        ],
        stages in prop::collection::vec(stage(), 1..=3),
        unique in any::<bool>(),
        policy in prop::sample::select(vec![
            SingleUnits::Fail, SingleUnits::Certainty, SingleUnits::Adjust, SingleUnits::Average, SingleUnits::Collapse,
        ]),
        y in prop_oneof![
            3 => number(&[0.0, 1.0, -3.0]),
            1 => number(&[0.0, 1.0, 1e308, -1e308, 1e-308, f64::NAN, f64::INFINITY]),
        ],
        x in number(&[0.0, 1.0, 2.0]),
        groups in codes(),
        is_proportion in any::<bool>(),
    ) {
        let columns = DesignColumns {
            weights: &weights[..rows],
            stages: stages.iter().map(|stage| stage.columns(rows)).collect(),
            labels: if unique { Labels::Unique } else { Labels::WithinStrata },
            single_units: policy,
        };
        let design = match SurveyDesign::new(&columns) {
            Ok(design) => design,
            Err(error) => {
                prop_assert!(!error.to_string().is_empty() && !error.vietnamese().is_empty());
                return Ok(());
            }
        };
        let estimator = VarianceEstimator::new(&design);
        let settings = EstimateSettings { level: ConfidenceLevel::NINETY_FIVE_PERCENT, is_proportion, method: None };
        let (y, x) = (Values::new("y", &y[..rows]), Values::new("x", &x[..rows]));
        let groups = &groups[..rows];
        let domains = [Domain::Everyone, Domain::Category { codes: groups, code: 1 }];
        let mut made: Vec<Linearised> = Vec::new();
        for domain in domains {
            for statistic in [
                total(&design, &y, &domain), mean(&design, &y, &domain), ratio(&design, &y, &x, &domain),
                ratio(&design, &x, &y, &domain), mean(&design, &x, &domain),
            ] {
                let statistic = match statistic {
                    Ok(statistic) => {
                        made.push(statistic);
                        Ok(())
                    }
                    Err(error) => match undefined(error) {
                        Some(reason) => Err(reason),
                        None => continue,
                    },
                };
                let statistic = statistic.map(|()| made.last().unwrap());
                assert_finite(&estimate(&estimator, statistic, &domain, &settings));
            }
            for method in [QuantileInterval::Mean, QuantileInterval::Logit, QuantileInterval::Beta] {
                match quantile(&estimator, &y, &domain, 0.4, method, settings.level) {
                    Ok(found) => {
                        let parts = [Ok(found.point), found.lower, found.upper, found.standard_error];
                        prop_assert!(parts.into_iter().flatten().all(f64::is_finite), "{:?}", found);
                        made.extend(found.linearised.ok());
                    }
                    Err(error) => {
                        undefined(error);
                    }
                }
            }
            if let Ok(table) = cross_tabulation(&estimator, groups, groups, &domain)
                && let Ok(test) = table.independence()
            {
                let parts = [test.pearson, test.first_order_p, test.second_order, test.second_order_p];
                prop_assert!(parts.iter().all(|value| value.is_finite()), "{:?}", test);
            }
        }
        for pair in made.windows(2) {
            for combined in [difference(&pair[0], &pair[1]), quotient(&pair[0], &pair[1]), combination(&[], &[])]
                .into_iter()
                .flatten()
            {
                assert_finite(&estimate(&estimator, Ok(&combined), &Domain::Everyone, &settings));
            }
        }
        let partition = Partition::new(&design, groups, 4).unwrap();
        let of = PartitionRatio { numerator: y, denominator: x };
        for found in partition_ratios(&estimator, &partition, &of, &settings).into_iter().flatten() {
            assert_finite(&found);
        }
    }
}
