//! Thousands of worlds in which everything fails that can, and what must hold in each.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a failed test"
)]

use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use khaosat_tests::simulation::{Bug, Invariant, Statistics, Violation, play};

/// How many worlds are played; a bug that is planted must be found within as many.
const WORLDS: u64 = 2_000;

/// Plays all worlds on every core until one breaks a promise; gives that one, and what happened in all.
fn play_all(bug: Option<Bug>) -> (Statistics, Option<(u64, Violation)>) {
    let next = AtomicU64::new(0);
    let workers = thread::available_parallelism().map_or(2, usize::from);
    let outcomes: Vec<(Statistics, Option<(u64, Violation)>)> = thread::scope(|scope| {
        let work = || {
            let mut statistics = Statistics::default();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= WORLDS {
                    return (statistics, None);
                }
                let outcome = play(number, bug, false);
                statistics.add(&outcome.statistics);
                if let Some(violation) = outcome.violation {
                    next.store(WORLDS, Ordering::Relaxed);
                    return (statistics, Some((number, violation)));
                }
            }
        };
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    let mut all = Statistics::default();
    outcomes.iter().for_each(|(statistics, _)| all.add(statistics));
    let first = outcomes
        .into_iter()
        .filter_map(|(_, broken)| broken)
        .min_by_key(|(number, _)| *number);
    (all, first)
}

/// The world that `KHAOSAT_WORLD` names.
fn named_world() -> u64 {
    let named = std::env::var("KHAOSAT_WORLD").ok();
    named.map_or(4_711, |number| number.parse().unwrap())
}

/// Prints a line also where the test runner keeps back what passing tests print: how much was played is part of the result.
fn tell(line: &str) {
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
}

#[test]
fn every_promise_holds_in_every_world() {
    let (statistics, broken) = play_all(None);
    tell(&format!(
        "{WORLDS} worlds: {statistics:?}, promises: {:?}",
        Invariant::ALL
    ));
    if let Some((number, violation)) = broken {
        panic!(
            "world {number}: {violation}\nKHAOSAT_WORLD={number} cargo test -p khaosat-tests --test simulation one_world -- --nocapture"
        );
    }
    for (what, count) in statistics.named() {
        assert!(count > WORLDS / 10, "too little happens: {count} {what}");
    }
}

#[test]
fn every_planted_bug_is_found() {
    let mut found = Vec::new();
    for bug in Bug::ALL {
        let (_, broken) = play_all(Some(*bug));
        let (number, violation) = broken.unwrap_or_else(|| panic!("{bug:?} is not found in {WORLDS} worlds"));
        tell(&format!(
            "{bug:?}: found in world {number} by {:?}",
            violation.invariant
        ));
        found.push(violation.invariant);
    }
    for invariant in Invariant::ALL {
        assert!(found.contains(&invariant), "no planted bug breaks {invariant:?}");
    }
}

/// Plays the world that `KHAOSAT_WORLD` names, twice, and tells what happens.
#[test]
fn one_world_is_the_same_whenever_it_is_played() {
    let number = named_world();
    let told = play(number, None, true);
    let again = play(number, None, false);
    assert_eq!(told.statistics, again.statistics);
    if let Some(violation) = told.violation {
        panic!("world {number}: {violation}");
    }
}
