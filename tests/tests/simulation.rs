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

use khaosat_tests::simulation::hubs::{self, HubBug, HubStatistics};
use khaosat_tests::simulation::{Bug, Invariant, Statistics, Violation, play};

/// How many worlds are played; a bug that is planted must be found within as many.
const WORLDS: u64 = 3_000;

/// How many worlds of hubs are played.
const HUB_WORLDS: u64 = 1_200;

/// Plays so many worlds on every core until one breaks a promise; gives that one, and what happened in all.
fn play_all<S: Default + Send>(
    worlds: u64,
    play: impl Fn(u64) -> (S, Option<Violation>) + Sync,
    add: fn(&mut S, &S),
) -> (S, Option<(u64, Violation)>) {
    let next = AtomicU64::new(0);
    let workers = thread::available_parallelism().map_or(2, usize::from);
    let outcomes: Vec<(S, Option<(u64, Violation)>)> = thread::scope(|scope| {
        let work = || {
            let mut statistics = S::default();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= worlds {
                    return (statistics, None);
                }
                let (happened, violation) = play(number);
                add(&mut statistics, &happened);
                if let Some(violation) = violation {
                    next.store(worlds, Ordering::Relaxed);
                    return (statistics, Some((number, violation)));
                }
            }
        };
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    let mut all = S::default();
    outcomes.iter().for_each(|(statistics, _)| add(&mut all, statistics));
    let first = outcomes
        .into_iter()
        .filter_map(|(_, broken)| broken)
        .min_by_key(|(number, _)| *number);
    (all, first)
}

fn play_field(bug: Option<Bug>) -> (Statistics, Option<(u64, Violation)>) {
    let play = |number| {
        let outcome = play(number, bug, false);
        (outcome.statistics, outcome.violation)
    };
    play_all(WORLDS, play, Statistics::add)
}

fn play_hubs(bug: Option<HubBug>) -> (HubStatistics, Option<(u64, Violation)>) {
    let play = |number| {
        let outcome = hubs::play(number, bug, false);
        (outcome.statistics, outcome.violation)
    };
    play_all(HUB_WORLDS, play, HubStatistics::add)
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
    let (statistics, broken) = play_field(None);
    tell(&format!(
        "{WORLDS} worlds: {statistics:?}, promises: {:?}",
        Invariant::ALL
    ));
    if let Some((number, violation)) = broken {
        panic!(
            "world {number}: {violation}\nKHAOSAT_WORLD={number} cargo test -p khaosat-tests --test simulation one_world -- --nocapture"
        );
    }
    for (what, count) in [
        ("answers", statistics.answers),
        ("mishaps", statistics.mishaps),
        ("crashes", statistics.crashes),
        ("restored", statistics.restored),
        ("erased", statistics.erased),
        ("forgeries", statistics.forgeries),
        ("refused", statistics.refused),
        ("withdrawals", statistics.withdrawals),
        ("quarantined", statistics.quarantined),
        ("clones", statistics.clones),
        ("new keys", statistics.new_keys),
    ] {
        assert!(count > WORLDS / 10, "too little happens: {count} {what}");
    }
}

#[test]
fn every_planted_bug_is_found() {
    let mut found = Vec::new();
    for bug in Bug::ALL {
        let (_, broken) = play_field(Some(bug));
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

#[test]
fn every_promise_holds_in_every_world_of_hubs() {
    let (statistics, broken) = play_hubs(None);
    tell(&format!("{HUB_WORLDS} worlds of hubs: {statistics:?}"));
    if let Some((number, violation)) = broken {
        panic!(
            "world {number}: {violation}\nKHAOSAT_WORLD={number} cargo test -p khaosat-tests --test simulation one_hub_world -- --nocapture"
        );
    }
    for (what, count) in [
        ("answers", statistics.answers),
        ("mishaps", statistics.mishaps),
        ("crashes", statistics.crashes),
        ("restored", statistics.restored),
        ("lost", statistics.lost),
        ("from above", statistics.from_above),
    ] {
        assert!(count > HUB_WORLDS / 10, "too little happens: {count} {what}");
    }
}

#[test]
fn every_bug_planted_in_a_hub_is_found() {
    for bug in HubBug::ALL {
        let (_, broken) = play_hubs(Some(bug));
        let (number, violation) = broken.unwrap_or_else(|| panic!("{bug:?} is not found in {HUB_WORLDS} worlds"));
        tell(&format!(
            "{bug:?}: found in world {number} by {:?}",
            violation.invariant
        ));
    }
}

/// Plays the world of hubs that `KHAOSAT_WORLD` names, twice, and tells what happens.
#[test]
fn one_hub_world_is_the_same_whenever_it_is_played() {
    let number = named_world();
    let told = hubs::play(number, None, true);
    let again = hubs::play(number, None, false);
    assert_eq!(told.statistics, again.statistics);
    if let Some(violation) = told.violation {
        panic!("world {number}: {violation}");
    }
}
