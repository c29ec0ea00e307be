//! Time to evaluate a whole tree: 10,000 responding households in 1,000 hamlets, 12 indicators, 1,184 nodes.
//!
//! Run with `cargo bench -p indicators`.

// What cannot be set up ends the benchmark.
#![allow(clippy::expect_used)]

use indicators::design::{Design, Psu, Sample, Stratum, UnitTree};
use indicators::estimators::{Measure, Settings, evaluate_tree};
use indicators::summary::{Contribution, PsuSummary};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::hint::black_box;
use std::time::Instant;

const DISTRICTS: usize = 11;
const COMMUNES: usize = 172;
const HAMLETS: usize = 1000;
const HOUSEHOLDS: usize = 10_000;
const INDICATORS: usize = 12;
const REPETITIONS: usize = 50;

fn household(random: &mut ChaCha8Rng) -> Vec<Contribution> {
    (0..INDICATORS)
        .map(|_| {
            let persons = random.random_range(1..=6_u32);
            let counted = random.random_range(0..=persons);
            Contribution {
                numerator: f64::from(counted),
                denominator: f64::from(persons),
            }
        })
        .collect()
}

fn main() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let commune = |hamlet: usize| hamlet % COMMUNES;
    let district = |commune: usize| commune % DISTRICTS;
    let strata = vec![Stratum { psus: 110 }; DISTRICTS];
    let psus = (0..HAMLETS)
        .map(|hamlet| Psu {
            stratum: district(commune(hamlet)),
            households: 500,
        })
        .collect();
    let design = Design::new(strata, psus).expect("the design fits itself");
    let mut summaries = vec![PsuSummary::new(INDICATORS); HAMLETS];
    for number in 0..HOUSEHOLDS {
        summaries[number % HAMLETS]
            .add(&household(&mut random))
            .expect("counts are usable");
    }
    // Hamlets, communes, districts, the province.
    let (communes, districts, province) = (HAMLETS, HAMLETS + COMMUNES, HAMLETS + COMMUNES + DISTRICTS);
    let mut parents: Vec<Option<usize>> = (0..HAMLETS).map(|hamlet| Some(communes + commune(hamlet))).collect();
    parents.extend((0..COMMUNES).map(|commune| Some(districts + district(commune))));
    parents.extend([Some(province); DISTRICTS]);
    parents.push(None);
    let mut numbers = vec![None; parents.len()];
    numbers[..HAMLETS].fill(Some(1));
    let own_nodes: Vec<usize> = (0..HAMLETS).collect();
    let tree = UnitTree::new(&design, &parents, &own_nodes, Some(&numbers)).expect("the tree fits the design");

    let mut times: Vec<f64> = (0..REPETITIONS)
        .map(|_| {
            let start = Instant::now();
            let sample = Sample::new(&design, &summaries).expect("the summaries fit the design");
            let measures = [Measure::Proportion; INDICATORS];
            black_box(
                evaluate_tree(&sample, &tree, &measures, &Settings::default()).expect("the tree fits the sample"),
            );
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!(
        "{} nodes × {INDICATORS} indicators: median {:.2} ms, best {:.2} ms, worst {:.2} ms",
        parents.len(),
        times[REPETITIONS / 2],
        times[0],
        times[REPETITIONS - 1],
    );

    let (old, new) = (household(&mut random), household(&mut random));
    summaries[0].add(&old).expect("counts are usable");
    let start = Instant::now();
    for _ in 0..100_000 {
        summaries[0].apply(Some(&old), Some(&new)).expect("counted above");
        summaries[0].apply(Some(&new), Some(&old)).expect("counted above");
    }
    black_box(&summaries);
    println!(
        "one changed household: {:.0} ns",
        start.elapsed().as_secs_f64() * 1e9 / 200_000.0
    );
}
