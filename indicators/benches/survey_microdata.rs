//! Time and memory of estimates from the microdata of a whole province: 1.8 million persons in 172 strata, 10 indicators,
//! 184 domains (172 communes of the strata and 12 that straddle them); then one indicator with weights calibrated on 10
//! auxiliaries.
//!
//! Run with `cargo bench -p indicators --bench survey_microdata`; a number of persons may be given after `--`.

// What cannot be set up ends the benchmark.
#![allow(clippy::expect_used)]

#[path = "../tests/regression/mod.rs"]
mod regression;

use indicators::intervals::ConfidenceLevel;
use indicators::linear_algebra::Matrix;
use indicators::survey::{
    DesignColumns, EstimateSettings, Labels, Partition, PartitionRatio, Selection, SingleUnits, StageColumns,
    SurveyDesign, Values, VarianceEstimator, partition_ratios,
};
use peak_alloc::PeakAlloc;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use regression::Regression;
use std::hint::black_box;
use std::time::{Duration, Instant};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const STRATA: u32 = 172;
const DOMAINS: usize = 184;
const INDICATORS: usize = 10;
const AUXILIARIES: usize = 10;
const HAMLETS_OF_STRATUM: u32 = 6;

/// The columns of a design, person by person.
#[derive(Default)]
struct Persons {
    weights: Vec<f64>,
    stratum: Vec<u32>,
    hamlet: Vec<u32>,
    household: Vec<u32>,
    hamlets: Vec<f64>,
    households: Vec<f64>,
    domain: Vec<u32>,
}

fn draw(count: usize) -> Persons {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut persons = Persons::default();
    let per_hamlet = count / (STRATA * HAMLETS_OF_STRATUM) as usize + 1;
    let mut household = 0;
    for stratum in 0..STRATA {
        for hamlet in 0..HAMLETS_OF_STRATUM {
            let first = persons.weights.len();
            let first_household = household;
            while persons.weights.len() - first < per_hamlet && persons.weights.len() < count {
                household += 1;
                for _ in 0..random.random_range(1..=6_u32) {
                    persons.weights.push(2.5);
                    persons.stratum.push(stratum);
                    persons.hamlet.push(hamlet);
                    persons.household.push(household);
                    persons.hamlets.push(f64::from(HAMLETS_OF_STRATUM + 2));
                    let straddles = random.random_bool(0.05);
                    persons
                        .domain
                        .push(if straddles { STRATA + stratum % 12 } else { stratum });
                }
            }
            let size = f64::from(2 * (household - first_household) + 1);
            persons.households.resize(persons.weights.len(), size);
        }
    }
    persons
}

fn main() {
    let count = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(1_800_000);
    let persons = draw(count);
    let rows = persons.weights.len();
    let mut random = ChaCha8Rng::seed_from_u64(2);

    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let start = Instant::now();
    let design = SurveyDesign::new(&DesignColumns {
        weights: &persons.weights,
        stages: vec![
            StageColumns {
                clusters: Some(&persons.hamlet),
                strata: Some(&persons.stratum),
                selection: Selection::WithoutReplacement {
                    population: &persons.hamlets,
                },
            },
            StageColumns {
                clusters: Some(&persons.household),
                strata: None,
                selection: Selection::WithoutReplacement {
                    population: &persons.households,
                },
            },
        ],
        labels: Labels::WithinStrata,
        single_units: SingleUnits::Adjust,
    })
    .expect("the design is sound");
    let partition = Partition::new(&design, &persons.domain, DOMAINS).expect("every person has a domain");
    let read = start.elapsed();
    let settings = EstimateSettings {
        level: ConfidenceLevel::NINETY_FIVE_PERCENT,
        is_proportion: true,
        method: None,
    };
    let estimator = VarianceEstimator::new(&design);
    let mut estimated = Duration::ZERO;
    for _ in 0..INDICATORS {
        let asked: Vec<f64> = (0..rows)
            .map(|_| f64::from(u8::from(random.random_bool(0.8))))
            .collect();
        let counted: Vec<f64> = asked
            .iter()
            .map(|asked| asked * f64::from(u8::from(random.random_bool(0.4))))
            .collect();
        let of = PartitionRatio {
            numerator: Values::new("counted", &counted),
            denominator: Values::new("asked", &asked),
        };
        let start = Instant::now();
        black_box(partition_ratios(&estimator, &partition, &of, &settings).expect("values are finite"));
        estimated += start.elapsed();
    }
    println!(
        "{rows} persons, {STRATA} strata, {INDICATORS} indicators × {DOMAINS} domains: design {:.2} s, estimates {:.2} s",
        read.as_secs_f64(),
        estimated.as_secs_f64()
    );
    let peak = MEMORY.peak_usage() as f64;
    println!(
        "peak {:.0} bytes per person, of which {:.0} are the columns of the design as given",
        peak / rows as f64,
        before as f64 / rows as f64
    );

    let mut auxiliaries = Vec::with_capacity(rows * AUXILIARIES);
    for _ in 0..rows {
        auxiliaries.push(1.0);
        auxiliaries.extend((1..AUXILIARIES).map(|_| random.random_range(0.0..1.0)));
    }
    let auxiliaries = Matrix::new(rows, AUXILIARIES, auxiliaries).expect("there are as many numbers");
    let adjustment = Regression::new(auxiliaries, persons.weights.clone(), persons.weights.clone());
    let counted: Vec<f64> = (0..rows)
        .map(|_| f64::from(u8::from(random.random_bool(0.3))))
        .collect();
    let ones = vec![1.0; rows];
    let of = PartitionRatio {
        numerator: Values::new("counted", &counted),
        denominator: Values::new("ones", &ones),
    };
    let calibrated = VarianceEstimator {
        adjustment: Some(&adjustment),
        ..estimator
    };
    let start = Instant::now();
    black_box(partition_ratios(&calibrated, &partition, &of, &settings).expect("values are finite"));
    println!(
        "one indicator with calibrated weights: {:.2} s",
        start.elapsed().as_secs_f64()
    );
}
