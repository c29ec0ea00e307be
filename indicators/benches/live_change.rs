//! One changed response to all its estimates on the live path: its hamlet, commune, district and province, 10 indicators,
//! with intervals. Sums of constant size against a pass over the hamlets, for more and more responses and hamlets.
//!
//! Run with `cargo bench -p indicators --bench live_change`.

// What cannot be set up ends the benchmark.
#![allow(clippy::expect_used)]

use indicators::design::{Design, Domain, Psu, Sample, Stratum, UnitTree};
use indicators::estimators::{Indicator, LiveEstimates, Measure, Settings, ratio};
use indicators::summary::{Contribution, PsuSummary};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::hint::black_box;
use std::time::Instant;

const DISTRICTS: usize = 11;
const COMMUNES: usize = 172;
const INDICATORS: usize = 10;
/// Households of a hamlet in the frame.
const HOUSEHOLDS_OF_HAMLET: u64 = 500;
/// Changes of each run, of which the median counts, and runs.
const CHANGES: usize = 2_000;
const RUNS: usize = 5;

/// What the strata are.
#[derive(Debug, Clone, Copy)]
enum Strata {
    Districts,
    Communes,
}

/// Hamlets of the frame, how many of them are sampled, responses, and strata.
const CASES: [(usize, usize, usize, Strata); 6] = [
    (1_022, 240, 1_000, Strata::Districts),
    (1_022, 240, 10_000, Strata::Districts),
    (1_022, 240, 100_000, Strata::Districts),
    (1_022, 1_000, 500_000, Strata::Districts),
    (1_022, 1_000, 500_000, Strata::Communes),
    (10_220, 10_000, 500_000, Strata::Districts),
];

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
    for (hamlets, sampled, responses, strata) in CASES {
        measure(hamlets, sampled, responses, strata);
    }
}

fn measure(hamlets: usize, sampled: usize, responses: usize, strata: Strata) {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let commune = |hamlet: usize| hamlet % COMMUNES;
    let district = |commune: usize| commune % DISTRICTS;
    let stratum = |hamlet: usize| match strata {
        Strata::Districts => district(commune(hamlet)),
        Strata::Communes => commune(hamlet),
    };
    let mut sizes = vec![0; (0..hamlets).map(stratum).max().map_or(0, |last| last + 1)];
    (0..hamlets).for_each(|hamlet| sizes[stratum(hamlet)] += 1);
    let design = Design::new(
        sizes.into_iter().map(|psus| Stratum { psus }).collect(),
        (0..hamlets)
            .map(|hamlet| Psu {
                stratum: stratum(hamlet),
                households: HOUSEHOLDS_OF_HAMLET,
            })
            .collect(),
    )
    .expect("the design fits itself");
    let mut summaries = vec![PsuSummary::new(INDICATORS); hamlets];
    let households: Vec<Vec<Contribution>> = (0..sampled).map(|_| household(&mut random)).collect();
    for number in 0..responses {
        let place = number % sampled;
        let drawn = household(&mut random);
        let counted = if number < sampled { &households[place] } else { &drawn };
        summaries[place].add(counted).expect("counts are usable");
    }
    // Hamlets, communes, districts, the province.
    let (communes, districts, province) = (hamlets, hamlets + COMMUNES, hamlets + COMMUNES + DISTRICTS);
    let mut parents: Vec<Option<usize>> = (0..hamlets).map(|hamlet| Some(communes + commune(hamlet))).collect();
    parents.extend((0..COMMUNES).map(|commune| Some(districts + district(commune))));
    parents.extend([Some(province); DISTRICTS]);
    parents.push(None);
    let own_nodes: Vec<usize> = (0..hamlets).collect();
    let tree = UnitTree::new(&design, &parents, &own_nodes, None).expect("the tree fits the design");
    let above = |hamlet: usize| {
        let commune = commune(hamlet);
        [hamlet, communes + commune, districts + district(commune), province]
    };
    let settings = Settings::default();
    let domains = tree.domains().to_vec();
    let mut live = LiveEstimates::new(design.clone(), domains.clone(), summaries.clone(), settings)
        .expect("the summaries fit the design");
    let other = household(&mut random);

    let mut applied = Vec::new();
    let mut followed = Vec::new();
    for _ in 0..RUNS {
        let mut run = Vec::with_capacity(CHANGES);
        let mut of_apply = Vec::with_capacity(CHANGES);
        for change in 0..CHANGES {
            let place = (change / 2 * 7) % sampled;
            let (old, new) = match change % 2 {
                0 => (&households[place], &other),
                _ => (&other, &households[place]),
            };
            let start = Instant::now();
            live.apply(place, Some(old), Some(new)).expect("it was counted");
            of_apply.push(start.elapsed().as_secs_f64());
            for node in above(place) {
                for index in 0..INDICATORS {
                    black_box(live.estimate(node, indicator(index)).expect("the indicator exists"));
                }
            }
            run.push(start.elapsed().as_secs_f64());
        }
        applied.push(median(of_apply));
        followed.push(median(run));
    }
    let recomputed = (0..RUNS)
        .map(|run| {
            recompute(
                &design,
                &domains,
                &mut summaries,
                &households,
                &above(run * 7 % sampled),
            )
        })
        .collect::<Vec<_>>();
    let lowest = |times: &[f64]| times.iter().copied().fold(f64::INFINITY, f64::min) * 1e6;
    let highest = |times: &[f64]| times.iter().copied().fold(0.0, f64::max) * 1e6;
    println!(
        "{responses} responses, {sampled} of {hamlets} hamlets, strata are {}: change and estimates {:.1} µs \
         ({:.1}–{:.1}), of which the sums {:.1}; by a pass over the hamlets {:.0} µs ({:.0}–{:.0})",
        match strata {
            Strata::Districts => "11 districts",
            Strata::Communes => "172 communes",
        },
        median(followed.clone()) * 1e6,
        lowest(&followed),
        highest(&followed),
        median(applied) * 1e6,
        median(recomputed.clone()) * 1e6,
        lowest(&recomputed),
        highest(&recomputed),
    );
}

fn indicator(index: usize) -> Indicator {
    Indicator {
        index,
        measure: Measure::Proportion,
    }
}

/// The same from the hamlets' sums: seconds of a change and its estimates, the median of some.
fn recompute(
    design: &Design,
    domains: &[Domain],
    summaries: &mut [PsuSummary],
    households: &[Vec<Contribution>],
    nodes: &[usize],
) -> f64 {
    let place = nodes[0];
    let settings = Settings::default();
    let times = (0..25)
        .map(|_| {
            let start = Instant::now();
            let own = Some(households[place].as_slice());
            summaries[place].apply(own, own).expect("it was counted");
            let sample = Sample::new(design, summaries).expect("the summaries fit the design");
            for &node in nodes {
                for index in 0..INDICATORS {
                    black_box(ratio(&sample, &domains[node], indicator(index), &settings).expect("it exists"));
                }
            }
            start.elapsed().as_secs_f64()
        })
        .collect();
    median(times)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
