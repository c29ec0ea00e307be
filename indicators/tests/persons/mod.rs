//! Drawn persons in households in hamlets, as microdata, with the designs by which they may have been sampled.

// A design that cannot be read fails the test that asked for it.
#![allow(clippy::unwrap_used)]

use indicators::intervals::ConfidenceLevel;
use indicators::survey::{
    DesignColumns, Domain, EstimateSettings, Labels, Linearised, Partition, PartitionRatio, QuantileInterval,
    Selection, SingleUnits, StageColumns, SurveyDesign, Values, VarianceEstimator, cross_tabulation, difference, mean,
    partition_ratios, proportion, quantile, quotient, ratio, total,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The confidence level of all tests.
pub(crate) const LEVEL: ConfidenceLevel = ConfidenceLevel::NINETY_FIVE_PERCENT;

/// Settings of a statistic that is not a proportion.
pub(crate) fn plain() -> EstimateSettings {
    EstimateSettings {
        level: LEVEL,
        is_proportion: false,
        method: None,
    }
}

/// Persons in households in hamlets in strata.
#[derive(Debug, Clone, Default)]
pub(crate) struct Persons {
    pub(crate) weights: Vec<f64>,
    pub(crate) stratum: Vec<u32>,
    pub(crate) hamlet: Vec<u32>,
    pub(crate) household: Vec<u32>,
    pub(crate) hamlets: Vec<f64>,
    pub(crate) households: Vec<f64>,
    pub(crate) y: Vec<f64>,
    pub(crate) x: Vec<f64>,
    pub(crate) group: Vec<u32>,
    pub(crate) answer: Vec<u32>,
}

impl Persons {
    /// `share` is how much larger than the sample the population is at both stages; 1 for a census.
    pub(crate) fn draw(seed: u64, share: u32) -> Persons {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut persons = Persons::default();
        for stratum in 0..4 {
            let sampled = random.random_range(2..6_u32);
            for hamlet in 0..sampled {
                let households = random.random_range(1..7_u32);
                let level = random.random_range(0.2..0.8);
                for household in 0..households {
                    for _ in 0..random.random_range(1..5_u32) {
                        persons.weights.push(f64::from(share * share));
                        persons.stratum.push(stratum);
                        persons.hamlet.push(10 * stratum + hamlet);
                        persons.household.push(household);
                        persons.hamlets.push(f64::from(sampled * share));
                        persons.households.push(f64::from(households * share));
                        let answer = u32::from(random.random_bool(level));
                        persons.x.push(random.random_range(0.5..3.0));
                        persons.y.push(f64::from(answer) * random.random_range(0.0..5.0));
                        persons.group.push(random.random_range(0..3));
                        persons.answer.push(answer);
                    }
                }
            }
        }
        persons
    }

    pub(crate) fn rows(&self) -> usize {
        self.weights.len()
    }

    /// The same persons with those at `order[0]`, `order[1]`, … in this order.
    pub(crate) fn reordered(&self, order: &[usize]) -> Persons {
        fn take<T: Copy>(column: &[T], order: &[usize]) -> Vec<T> {
            order.iter().map(|&row| column[row]).collect()
        }
        Persons {
            weights: take(&self.weights, order),
            stratum: take(&self.stratum, order),
            hamlet: take(&self.hamlet, order),
            household: take(&self.household, order),
            hamlets: take(&self.hamlets, order),
            households: take(&self.households, order),
            y: take(&self.y, order),
            x: take(&self.x, order),
            group: take(&self.group, order),
            answer: take(&self.answer, order),
        }
    }

    pub(crate) fn two_stages(&self) -> SurveyDesign {
        self.design(vec![
            StageColumns {
                clusters: Some(&self.hamlet),
                strata: Some(&self.stratum),
                selection: Selection::WithoutReplacement {
                    population: &self.hamlets,
                },
            },
            StageColumns {
                clusters: Some(&self.household),
                strata: None,
                selection: Selection::WithoutReplacement {
                    population: &self.households,
                },
            },
        ])
    }

    pub(crate) fn with_replacement(&self) -> SurveyDesign {
        self.design(vec![StageColumns {
            clusters: Some(&self.hamlet),
            strata: Some(&self.stratum),
            selection: Selection::WithReplacement,
        }])
    }

    pub(crate) fn design(&self, stages: Vec<StageColumns<'_>>) -> SurveyDesign {
        SurveyDesign::new(&DesignColumns {
            weights: &self.weights,
            stages,
            labels: Labels::Unique,
            single_units: SingleUnits::Adjust,
        })
        .unwrap()
    }

    /// Points and standard errors of statistics of every kind.
    pub(crate) fn figures(&self, design: &SurveyDesign) -> Vec<f64> {
        let estimator = VarianceEstimator::new(design);
        let (y, x) = (Values::new("y", &self.y), Values::new("x", &self.x));
        let group = |code| Domain::Category {
            codes: &self.group,
            code,
        };
        let answered = Domain::Category {
            codes: &self.answer,
            code: 1,
        };
        let means: Vec<Linearised> = (0..3).map(|code| mean(design, &x, &group(code)).unwrap()).collect();
        let mut statistics = vec![
            total(design, &y, &Domain::Everyone).unwrap(),
            mean(design, &y, &group(1)).unwrap(),
            ratio(design, &y, &x, &group(2)).unwrap(),
            proportion(design, &answered, &Domain::Everyone).unwrap(),
            difference(&means[0], &means[2]).unwrap(),
            quotient(&means[1], &means[0]).unwrap(),
        ];
        for method in [QuantileInterval::Mean, QuantileInterval::Logit] {
            let median = quantile(&estimator, &x, &Domain::Everyone, 0.5, method, LEVEL).unwrap();
            statistics.extend(median.linearised.ok());
        }
        let covariance = estimator.covariance(&statistics.iter().collect::<Vec<_>>()).unwrap();
        let mut figures: Vec<f64> = statistics.iter().map(|statistic| statistic.point).collect();
        for one in 0..statistics.len() {
            // Variances, and covariances scaled so that each is compared with what it could be.
            figures.push(covariance.standard_error(one));
            let product = |other| covariance.standard_error(one) * covariance.standard_error(other);
            figures.extend((0..one).map(|other| 1.0 + covariance.get(one, other) / product(other)));
        }
        let partition = Partition::new(design, &self.group, 3).unwrap();
        let of = PartitionRatio {
            numerator: y,
            denominator: x,
        };
        for found in partition_ratios(&estimator, &partition, &of, &plain()).unwrap() {
            figures.extend(
                [found.point, found.standard_error, found.design_effect]
                    .into_iter()
                    .flatten(),
            );
        }
        if let Ok(test) = cross_tabulation(&estimator, &self.group, &self.answer, &Domain::Everyone)
            .unwrap()
            .independence()
        {
            figures.extend([
                1.0 + test.second_order,
                test.numerator_degrees,
                1.0 + test.second_order_p,
            ]);
        }
        figures
    }
}
