//! Time and memory of estimates from the microdata of a whole province: 1.8 million persons in 172 strata, 10 indicators,
//! 184 domains (the province, 11 districts and 172 communes); then one indicator with weights calibrated on 10 auxiliaries;
//! then the time for each hamlet as these become larger.
//!
//! Run with `cargo bench -p indicators --bench survey_microdata`; a number of persons may be given after `--`.

// What cannot be set up ends the benchmark.
#![allow(clippy::expect_used)]

mod persons;
#[path = "../tests/regression/mod.rs"]
mod regression;

use indicators::intervals::ConfidenceLevel;
use indicators::linear_algebra::Matrix;
use indicators::survey::{
    EstimateSettings, Partition, PartitionRatio, SurveyDesign, Values, VarianceEstimator, partition_ratios,
};
use peak_alloc::PeakAlloc;
use persons::{COMMUNES, DISTRICTS, HAMLETS_OF_COMMUNE, PERSONS, Persons};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use regression::Regression;
use std::hint::black_box;
use std::time::{Duration, Instant};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const INDICATORS: u64 = 10;
const AUXILIARIES: usize = 10;
const REPETITIONS: usize = 3;
/// Persons for which the time of a hamlet is measured: from 1,000 households to 500,000.
const SIZES: [usize; 5] = [3_500, 35_000, 175_000, 700_000, 1_750_000];

const SETTINGS: EstimateSettings = EstimateSettings {
    level: ConfidenceLevel::NINETY_FIVE_PERCENT,
    is_proportion: true,
    method: None,
};

fn main() {
    let count = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(PERSONS);
    let persons = Persons::draw(count);
    let (rows, whole, district) = (persons.rows(), vec![0; persons.rows()], persons.district());
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let start = Instant::now();
    let design = persons.design();
    let estimator = VarianceEstimator::new(&design);
    let partitions = [(&whole, 1), (&district, DISTRICTS), (&persons.commune, COMMUNES)]
        .map(|(codes, domains)| Partition::new(&design, codes, domains as usize).expect("every person has a domain"));
    let read = start.elapsed();
    let mut estimated = Duration::ZERO;
    for number in 0..INDICATORS {
        let answers = persons.indicator(number);
        let of = PartitionRatio {
            numerator: Values::new("counted", &answers.counted),
            denominator: Values::new("asked", &answers.asked),
        };
        let start = Instant::now();
        for partition in &partitions {
            black_box(partition_ratios(&estimator, partition, &of, &SETTINGS).expect("values are finite"));
        }
        estimated += start.elapsed();
    }
    let domains: usize = partitions.iter().map(Partition::domains).sum();
    println!(
        "{rows} persons, {} households, {COMMUNES} strata, {INDICATORS} indicators × {domains} domains: design {:.2} s, \
         estimates {:.2} s",
        households(&persons),
        read.as_secs_f64(),
        estimated.as_secs_f64()
    );
    println!(
        "peak {:.0} bytes per person, of which {:.0} are the columns of the design as given",
        MEMORY.peak_usage() as f64 / rows as f64,
        before as f64 / rows as f64
    );
    calibrated(&persons, &design, &partitions[2]);
    for size in SIZES.into_iter().filter(|&size| size <= count) {
        println!("{}", time_of_hamlet(size));
    }
}

fn households(persons: &Persons) -> u32 {
    persons.household.last().copied().unwrap_or(0)
}

/// One indicator of all communes with calibrated weights.
fn calibrated(persons: &Persons, design: &SurveyDesign, communes: &Partition<'_>) {
    let (rows, mut random) = (persons.rows(), ChaCha8Rng::seed_from_u64(2));
    let mut auxiliaries = Vec::with_capacity(rows * AUXILIARIES);
    for _ in 0..rows {
        auxiliaries.push(1.0);
        auxiliaries.extend((1..AUXILIARIES).map(|_| random.random_range(0.0..1.0)));
    }
    let auxiliaries = Matrix::new(rows, AUXILIARIES, auxiliaries).expect("there are as many numbers");
    let adjustment = Regression::new(auxiliaries, persons.weights.clone(), persons.weights.clone());
    let answers = persons.indicator(0);
    let of = PartitionRatio {
        numerator: Values::new("counted", &answers.counted),
        denominator: Values::new("asked", &answers.asked),
    };
    let calibrated = VarianceEstimator {
        adjustment: Some(&adjustment),
        ..VarianceEstimator::new(design)
    };
    let start = Instant::now();
    black_box(partition_ratios(&calibrated, communes, &of, &SETTINGS).expect("values are finite"));
    println!(
        "one indicator with calibrated weights: {:.2} s",
        start.elapsed().as_secs_f64()
    );
}

/// Design and one indicator of all communes: the median of some repetitions, for each hamlet and each person.
fn time_of_hamlet(size: usize) -> String {
    let persons = Persons::draw(size);
    let answers = persons.indicator(0);
    let of = PartitionRatio {
        numerator: Values::new("counted", &answers.counted),
        denominator: Values::new("asked", &answers.asked),
    };
    let mut times: Vec<(f64, f64)> = (0..REPETITIONS)
        .map(|_| {
            let start = Instant::now();
            let design = persons.design();
            let sorted = start.elapsed();
            let partition =
                Partition::new(&design, &persons.commune, COMMUNES as usize).expect("every person has a commune");
            let estimator = VarianceEstimator::new(&design);
            black_box(partition_ratios(&estimator, &partition, &of, &SETTINGS).expect("values are finite"));
            (start.elapsed().as_secs_f64(), sorted.as_secs_f64())
        })
        .collect();
    times.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (all, design) = times[REPETITIONS / 2];
    let per_hamlet = 1e6 / f64::from(COMMUNES * HAMLETS_OF_COMMUNE);
    let per_person = 1e9 / persons.rows() as f64;
    format!(
        "{} households: {:.1} µs a hamlet ({:.1} of them the design), {:.0} ns a person ({:.0})",
        households(&persons),
        all * per_hamlet,
        design * per_hamlet,
        all * per_person,
        design * per_person
    )
}
