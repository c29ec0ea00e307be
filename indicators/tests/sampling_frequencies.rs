//! Samples come out as often as their design says, over many seeds.
//!
//! Each bound is the quantile 0.999 of the chi-square distribution, computed beforehand with R 4.2 (`qchisq`). Seeds are
//! fixed, so the outcome is too: a failure means that the drawing changed.

// What cannot be drawn fails the test.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use indicators::sampling::{
    Draw, Method, SampleGenerator, SecondStage, proportional_to_size, simple_random, stratified, systematic, two_stage,
};

/// Σ (observed − expected)² / expected.
fn chi_square(observed: impl IntoIterator<Item = f64>, expected: impl IntoIterator<Item = f64>) -> f64 {
    let pairs = observed.into_iter().zip(expected);
    pairs
        .map(|(observed, expected)| (observed - expected) * (observed - expected) / expected)
        .sum()
}

/// How often each unit was drawn over these many seeds.
fn counts(units: usize, seeds: u64, draw: impl Fn(&mut SampleGenerator) -> Draw) -> Vec<u64> {
    let mut counts = vec![0; units];
    for seed in 0..seeds {
        let drawn = draw(&mut SampleGenerator::new(seed, 0));
        drawn.selected.into_iter().for_each(|unit| counts[unit] += 1);
    }
    counts
}

#[test]
fn every_set_of_four_of_ten_is_as_likely() {
    let seeds = 42_000;
    let mut sets: BTreeMap<Vec<usize>, u64> = BTreeMap::new();
    for seed in 0..seeds {
        let drawn = simple_random(10, 4, &mut SampleGenerator::new(seed, 0)).unwrap();
        *sets.entry(drawn.selected).or_default() += 1;
    }
    assert_eq!(sets.len(), 210);
    let expected = std::iter::repeat(seeds as f64 / 210.0);
    let statistic = chi_square(sets.values().map(|count| *count as f64), expected);
    assert!(statistic < 277.92, "{statistic} with 209 degrees of freedom");
}

#[test]
fn systematic_samples_start_anywhere_as_likely() {
    // 35 units, 5 drawn at a distance of 7: seven samples, each known by its first unit.
    let seeds = 14_000;
    let mut starts = [0_u64; 7];
    for seed in 0..seeds {
        let drawn = systematic(35, 5, &mut SampleGenerator::new(seed, 0)).unwrap();
        starts[drawn.selected[0]] += 1;
    }
    let statistic = chi_square(starts.map(|count| count as f64), std::iter::repeat(2_000.0));
    assert!(statistic < 22.46, "{statistic} with 6 degrees of freedom");
}

#[test]
fn one_unit_proportional_to_size_comes_as_often_as_its_size_says() {
    let sizes = [120, 95, 210, 64, 88, 143, 77, 103, 55, 45];
    let seeds = 40_000;
    let counts = counts(sizes.len(), seeds, |generator| {
        proportional_to_size(&sizes, 1, generator).unwrap()
    });
    let expected = sizes.map(|size| seeds as f64 * size as f64 / 1_000.0);
    let statistic = chi_square(counts.iter().map(|count| *count as f64), expected);
    assert!(statistic < 27.88, "{statistic} with 9 degrees of freedom");
}

#[test]
fn several_units_proportional_to_size_come_as_often_as_their_probabilities_say() {
    // Two certain units; of the rest, each unit by itself is a binomial count. Four standard errors are exceeded by chance
    // once in 16,000 units (R: 2·pnorm(−4)).
    let sizes = [900, 30, 70, 50, 400, 20, 80, 60, 40, 50];
    let seeds = 20_000_u64;
    let probabilities = proportional_to_size(&sizes, 4, &mut SampleGenerator::new(0, 0))
        .unwrap()
        .probabilities;
    let counts = counts(sizes.len(), seeds, |generator| {
        proportional_to_size(&sizes, 4, generator).unwrap()
    });
    assert_eq!((counts[0], counts[4]), (seeds, seeds));
    for (unit, (count, probability)) in counts.iter().zip(&probabilities).enumerate() {
        let p = probability.value();
        let error = (seeds as f64 * p * (1.0 - p)).sqrt();
        assert!(
            (*count as f64 - seeds as f64 * p).abs() <= 4.0 * error,
            "unit {unit}: {count} of {seeds}, p = {p}"
        );
    }
    let expected_size: f64 = probabilities.iter().map(|probability| probability.value()).sum();
    assert!((expected_size - 4.0).abs() < 1e-12);
}

#[test]
fn strata_and_households_within_hamlets_come_as_often() {
    let strata = [0, 0, 0, 1, 1, 1, 1];
    let households = [4, 6, 10, 5, 5, 8, 12];
    let seeds = 12_000_u64;
    let mut hamlets = vec![0_u64; strata.len()];
    let mut of_hamlet: Vec<Vec<u64>> = households.iter().map(|count| vec![0; *count as usize]).collect();
    let draw = |seed| {
        let (first, second) = (Method::ProportionalToSize, SecondStage::SimpleRandom);
        two_stage(first, second, &strata, &households, &[1, 2], 3, seed).unwrap()
    };
    for seed in 0..seeds {
        for hamlet in draw(seed).hamlets {
            hamlets[hamlet.position] += 1;
            hamlet
                .households
                .iter()
                .for_each(|each| of_hamlet[hamlet.position][*each as usize] += 1);
        }
    }
    let probabilities = draw(0).household_probabilities;
    for (position, counts) in of_hamlet.iter().enumerate() {
        let p = probabilities[position].value();
        let error = (seeds as f64 * p * (1.0 - p)).sqrt();
        for count in counts {
            assert!(
                (*count as f64 - seeds as f64 * p).abs() <= 4.0 * error,
                "hamlet {position}: {count}, p = {p}"
            );
        }
    }
    // 1·4/20 · 3/4 and 2·12/30 · 3/12.
    assert_eq!(probabilities[0].fraction(), (3, 20));
    assert_eq!(probabilities[6].fraction(), (1, 5));
    let drawn = stratified(Method::SimpleRandom, &strata, &households, &[1, 2], 1).unwrap();
    assert_eq!(drawn.selected.len(), 3);
}

#[test]
fn a_seed_gives_the_same_sample_on_every_machine() {
    // Worked out from the key stream by tests/oracle/sampling.py, which uses another implementation of ChaCha20.
    let fixture = include_str!("oracle/sampling.json");
    let expected: serde_json::Value = serde_json::from_str(fixture).unwrap();
    for case in expected["cases"].as_array().unwrap() {
        let number = |name: &str| case[name].as_u64().unwrap();
        let sizes: Vec<u64> = case["sizes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|size| size.as_u64().unwrap())
            .collect();
        let mut generator = SampleGenerator::new(number("seed"), number("stream"));
        let size = number("size") as usize;
        let drawn = match case["method"].as_str().unwrap() {
            "simple_random" => simple_random(sizes.len(), size, &mut generator),
            "systematic" => systematic(sizes.len(), size, &mut generator),
            _ => proportional_to_size(&sizes, size, &mut generator),
        };
        let selected: Vec<u64> = drawn.unwrap().selected.into_iter().map(|unit| unit as u64).collect();
        assert_eq!(serde_json::json!(selected), case["selected"], "{case}");
    }
}
