//! How often nominal 95 % intervals hold the truth: samples from a fixed synthetic population of the size of Tiền Giang, of
//! which the truth is known.
//!
//! Run with `cargo bench -p indicators --bench coverage_study`; a number of samples may be given after `--` (2,000 if not).
//! Prints Markdown. The same number gives the same figures on any machine.

// What cannot be set up ends the study.
#![allow(clippy::expect_used)]

mod coverage;

use coverage::campaign::Campaign;
use coverage::population::Population;
use coverage::repetition::{Study, Tallies};
use coverage::report;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

/// The seed of the population; samples have the seeds from 1.
const POPULATION_SEED: u64 = 20_261_201;
/// Samples are counted in blocks, which are then put together in order, so that rounding does not depend on which thread
/// was first.
const BLOCK: u64 = 25;

/// A province's survey as it may be planned, and one as small as that of `khaosat demo`, nearly.
const CAMPAIGNS: [Campaign; 2] = [
    Campaign {
        hamlets: 240,
        households: 12,
    },
    Campaign {
        hamlets: 40,
        households: 10,
    },
];

fn main() {
    let samples = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(2_000);
    let start = Instant::now();
    let population = Population::make(POPULATION_SEED);
    println!(
        "# Coverage of nominal 95 % intervals\n\n{} households in {} hamlets of {} districts; {samples} samples",
        population
            .hamlets
            .iter()
            .map(|hamlet| hamlet.households.len())
            .sum::<usize>(),
        population.hamlets.len(),
        population.district_count()
    );
    for campaign in CAMPAIGNS {
        let study = Study::new(&population, campaign);
        println!(
            "\n## {} hamlets × {} households\n\nHamlets in the districts: {:?}",
            campaign.hamlets,
            campaign.households,
            study.allocation()
        );
        report::print(&population, &repeat(&study, samples));
    }
    eprintln!("{:.0} s", start.elapsed().as_secs_f64());
}

/// Counts samples on all cores.
fn repeat(study: &Study<'_>, samples: u64) -> Vec<Tallies> {
    let blocks = samples.div_ceil(BLOCK);
    let next = AtomicU64::new(0);
    let counted = Mutex::new(Vec::new());
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let block = next.fetch_add(1, Ordering::Relaxed);
                    if block >= blocks {
                        return;
                    }
                    let mut tallies = study.tallies();
                    for seed in (block * BLOCK..samples.min((block + 1) * BLOCK)).map(|number| number + 1) {
                        study.repeat(seed, &mut tallies);
                    }
                    counted.lock().expect("no thread fails").push((block, tallies));
                }
            });
        }
    });
    let mut counted = counted.into_inner().expect("no thread fails");
    counted.sort_by_key(|(block, _)| *block);
    let mut sums = study.tallies();
    for (_, tallies) in counted {
        for (sums, tallies) in sums.iter_mut().flatten().zip(tallies.iter().flatten()) {
            sums.merge(tallies);
        }
    }
    sums
}
