//! Laws of weights and of replicate weights that hold for every sample.

// What cannot be set up fails the test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod comparisons;

use comparisons::taylor_variance;
use indicators::replicates::{
    BalancedSettings, BootstrapSettings, FirstStage, LargeStrata, Replicates, ReplicatesError, VarianceError,
};
use indicators::variance::LonelyPsu;
use indicators::weights::{
    Auxiliaries, Auxiliary, CalibrationSettings, CollapsingRule, Disposition, Distance, Margin, RakingSettings,
    ResidualAdjustment, TrimmingBounds, WeightsError, adjust_for_nonresponse, base_weights, calibrate, post_stratify,
    rake, trim, weights_of_members,
};
use proptest::prelude::*;

/// Rows with a weight, three variables of up to three categories each, a number and a cluster.
#[derive(Debug, Clone)]
struct Rows {
    weights: Vec<f64>,
    categories: [Vec<u32>; 3],
    values: Vec<f64>,
    /// Shares by which the population differs from the sample, one per category of each variable.
    shares: [[f64; 3]; 3],
}

fn rows() -> impl Strategy<Value = Rows> {
    let row = (0.5..20.0, 0..3_u32, 0..3_u32, 0..3_u32, -5.0..50.0);
    let shares = proptest::array::uniform3(proptest::array::uniform3(0.8..1.25));
    (prop::collection::vec(row, 0..60), shares).prop_map(|(random, shares)| {
        // Every combination of categories has a row, so that margins are always possible together.
        let all = (0..27_u32).map(|cell| {
            (
                1.0 + f64::from(cell % 4),
                cell / 9,
                cell / 3 % 3,
                cell % 3,
                f64::from(cell * cell % 31),
            )
        });
        let rows: Vec<_> = all.chain(random).collect();
        Rows {
            weights: rows.iter().map(|row| row.0).collect(),
            categories: [
                rows.iter().map(|row| row.1).collect(),
                rows.iter().map(|row| row.2).collect(),
                rows.iter().map(|row| row.3).collect(),
            ],
            values: rows.iter().map(|row| row.4).collect(),
            shares,
        }
    })
}

impl Rows {
    /// Totals of a variable, scaled so that all variables add up to the same population.
    fn totals(&self, variable: usize) -> Vec<f64> {
        let mut totals = [0.0; 3];
        for (weight, &category) in self.weights.iter().zip(&self.categories[variable]) {
            totals[category as usize] += weight * self.shares[variable][category as usize];
        }
        let factor = 1.1 * self.weights.iter().sum::<f64>() / totals.iter().sum::<f64>();
        totals.iter().map(|total| total * factor).collect()
    }

    /// The constant, two variables without their first category, and the number; with totals that some ratios of new to
    /// old weight from 0.55 to 1.9 meet, different for each seed.
    fn calibration(&self, seed: usize) -> (Auxiliaries<'_>, Vec<f64>) {
        let categories = |variable: usize| Auxiliary::Categories {
            codes: &self.categories[variable],
            categories: 3,
            omit_first: true,
        };
        let variables = vec![
            Auxiliary::Constant,
            categories(0),
            categories(1),
            Auxiliary::Values(&self.values),
        ];
        let ratio = |row: usize| 0.55 + 1.35 * ((row * row + seed * (row % 7 + 1)) % 101) as f64 / 100.0;
        let mut totals = vec![0.0; 6];
        for (row, weight) in self.weights.iter().enumerate() {
            let weight = weight * ratio(row);
            totals[0] += weight;
            for variable in 0..2 {
                if let Some(category) = (self.categories[variable][row] as usize).checked_sub(1) {
                    totals[1 + 2 * variable + category] += weight;
                }
            }
            totals[5] += weight * self.values[row];
        }
        (Auxiliaries::new(self.weights.len(), variables).unwrap(), totals)
    }
}

fn close(one: f64, other: f64, tolerance: f64) -> bool {
    (one - other).abs() <= tolerance * (1.0 + one.abs().max(other.abs()))
}

const STRICT: RakingSettings = RakingSettings {
    tolerance: 1e-13,
    iterations: 10_000,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn raked_weights_meet_their_margins_in_any_order(rows in rows()) {
        let totals: Vec<_> = (0..3).map(|variable| rows.totals(variable)).collect();
        let margin = |variable: usize| Margin { categories: &rows.categories[variable], totals: &totals[variable] };
        let raked = rake(&rows.weights, &[margin(0), margin(1), margin(2)], &STRICT).unwrap();
        for (variable, totals) in totals.iter().enumerate() {
            for (category, total) in totals.iter().enumerate() {
                let members = rows.categories[variable].iter().zip(&raked.weights);
                let sum: f64 = members.filter(|(code, _)| **code as usize == category).map(|(_, weight)| weight).sum();
                prop_assert!(close(sum, *total, 1e-12));
            }
        }
        let other = rake(&rows.weights, &[margin(2), margin(0), margin(1)], &STRICT).unwrap();
        let influence: Vec<f64> = rows.values.iter().zip(&raked.weights).map(|(value, weight)| value * weight).collect();
        let residuals = raked.residuals.adjust(&influence).into_iter().zip(other.residuals.adjust(&influence));
        for ((one, other), (residual, other_residual)) in raked.weights.iter().zip(&other.weights).zip(residuals) {
            prop_assert!(close(*one, *other, 1e-11));
            prop_assert!(close(residual, other_residual, 1e-9));
        }
    }

    #[test]
    fn calibrated_weights_meet_their_totals_within_bounds(rows in rows(), seed in 0..1_000_usize) {
        let (auxiliaries, totals) = rows.calibration(seed);
        let (lower, upper) = (0.5, 2.0);
        for distance in [
            Distance::Linear,
            Distance::Raking,
            Distance::TruncatedLinear { lower, upper },
            Distance::TruncatedRaking { lower, upper },
            Distance::Logit { lower, upper },
        ] {
            let bounded = !matches!(distance, Distance::Linear | Distance::Raking);
            let settings = CalibrationSettings::new(distance);
            let result = calibrate(&rows.weights, &auxiliaries, &totals, &settings)
                .unwrap_or_else(|error| panic!("{distance:?}: {error}"));
            let sum = |value: &dyn Fn(usize) -> f64| -> f64 {
                result.weights.iter().enumerate().map(|(row, weight)| weight * value(row)).sum()
            };
            prop_assert!(close(sum(&|_| 1.0), totals[0], 1e-9));
            prop_assert!(close(sum(&|row| rows.values[row]), totals[5], 1e-9));
            for category in 1..3_u32 {
                let inside = |row: usize| f64::from(u8::from(rows.categories[0][row] == category));
                prop_assert!(close(sum(&inside), totals[category as usize], 1e-9), "{distance:?}");
            }
            if bounded {
                for (new, old) in result.weights.iter().zip(&rows.weights) {
                    prop_assert!((lower - 1e-12..=upper + 1e-12).contains(&(new / old)));
                }
            }
            // What follows from the auxiliaries has no variance left.
            let explained: Vec<f64> = (0..rows.weights.len())
                .map(|row| result.weights[row] * (3.0 - 0.5 * rows.values[row] + f64::from(u8::from(rows.categories[1][row] == 2))))
                .collect();
            let size = explained.iter().fold(1.0_f64, |size, value| size.max(value.abs()));
            for residual in result.residuals.adjust(&explained) {
                prop_assert!(residual.abs() < 1e-9 * size);
            }
        }
    }

    #[test]
    fn calibration_on_one_variable_is_post_stratification(rows in rows()) {
        let totals = rows.totals(2);
        let margin = Margin { categories: &rows.categories[2], totals: &totals };
        let stratified = post_stratify(&rows.weights, margin).unwrap();
        let codes = Auxiliary::Categories { codes: &rows.categories[2], categories: 3, omit_first: false };
        let auxiliaries = Auxiliaries::new(rows.weights.len(), vec![codes]).unwrap();
        for distance in [Distance::Linear, Distance::Raking] {
            let calibrated = calibrate(&rows.weights, &auxiliaries, &totals, &CalibrationSettings::new(distance)).unwrap();
            let influence: Vec<f64> = rows.values.iter().zip(&stratified.weights).map(|(y, w)| y * w).collect();
            let residuals = stratified.residuals.adjust(&influence).into_iter().zip(calibrated.residuals.adjust(&influence));
            for ((one, other), (residual, other_residual)) in stratified.weights.iter().zip(&calibrated.weights).zip(residuals) {
                prop_assert!(close(*one, *other, 1e-9));
                prop_assert!(close(residual, other_residual, 1e-8));
            }
        }
    }

    #[test]
    fn adjusting_and_trimming_keep_the_sum(
        weights in prop::collection::vec(0.1..100.0_f64, 1..80),
        kinds in prop::collection::vec((0..4_usize, 0..6_u32), 80),
        minimum in 1..12_usize,
    ) {
        let all = [Disposition::Respondent, Disposition::Nonrespondent, Disposition::Ineligible, Disposition::Unknown];
        let dispositions: Vec<_> = kinds.iter().take(weights.len()).map(|(kind, _)| all[*kind]).collect();
        let classes: Vec<_> = kinds.iter().take(weights.len()).map(|(_, class)| *class).collect();
        let rule = CollapsingRule { minimum_respondents: minimum, largest_factor: 2.5 };
        let total: f64 = weights.iter().sum();
        match adjust_for_nonresponse(&weights, &dispositions, &classes, &rule) {
            Ok(result) => {
                prop_assert!(close(result.weights.iter().sum(), total, 1e-12));
                if result.classes.len() > 1 {
                    for class in &result.classes {
                        prop_assert!(class.respondents >= minimum);
                        prop_assert!(class.eligibility_factor * class.response_factor <= 2.5);
                    }
                }
            }
            Err(error) => {
                prop_assert_eq!(error, WeightsError::NoRespondents);
                prop_assert!(!dispositions.contains(&Disposition::Respondent));
            }
        }
        let mean = total / weights.len() as f64;
        let bounds = TrimmingBounds { lower: mean * 0.3, upper: mean * 1.5, strict: true };
        let trimmed = trim(&weights, bounds).unwrap();
        prop_assert!(close(trimmed.weights.iter().sum(), total, 1e-12));
        for weight in trimmed.weights {
            prop_assert!(weight >= bounds.lower * (1.0 - 1e-12) && weight <= bounds.upper * (1.0 + 1e-12));
        }
    }

    #[test]
    fn replicates_of_a_total_give_its_taylor_variance(
        rows in prop::collection::vec((0..4_u32, 0..2_u32, 0.5..20.0, -10.0..50.0_f64), 0..80),
        extra in 3..6_u32,
        rho in 0.0..0.9_f64,
    ) {
        // Two clusters in each of four strata, and a stratum of 2 to 5 clusters for the jackknife.
        let pairs = (0..8_u32).map(|cluster| (cluster / 2, cluster % 2, 1.5, f64::from(cluster * 7 % 5)));
        let rows: Vec<_> = pairs.chain(rows).collect();
        let strata: Vec<u32> = rows.iter().map(|row| row.0).collect();
        let clusters: Vec<u32> = rows.iter().map(|row| 2 * row.0 + row.1).collect();
        let weights: Vec<f64> = rows.iter().map(|row| row.2).collect();
        let values: Vec<f64> = rows.iter().map(|row| row.3).collect();
        let weighted: Vec<f64> = weights.iter().zip(&values).map(|(weight, value)| weight * value).collect();
        let stage = FirstStage::new(&clusters, Some(&strata), None).unwrap();
        let taylor = taylor_variance(&weighted, &clusters, &strata, None);
        let variance = |replicates: Replicates| {
            replicates.variance_of_totals(&[&values], |totals| totals.to_vec()).unwrap().covariance.get(0, 0)
        };
        prop_assert!(close(variance(Replicates::jackknife(&weights, &stage, LonelyPsu::Fail).unwrap()), taylor, 1e-11));
        for fay_rho in [0.0, rho] {
            let settings = BalancedSettings { fay_rho, large_strata: LargeStrata::Refuse };
            prop_assert!(close(variance(Replicates::balanced(&weights, &stage, &settings).unwrap()), taylor, 1e-11));
        }
        // More clusters in the first stratum, and the correction for a finite population.
        let clusters: Vec<u32> = (clusters.iter().zip(&strata).enumerate())
            .map(|(row, (cluster, stratum))| if *stratum == 0 && row >= 8 { 100 + row as u32 % extra } else { *cluster })
            .collect();
        let population: Vec<f64> = strata.iter().map(|stratum| f64::from(10 + stratum)).collect();
        let stage = FirstStage::new(&clusters, Some(&strata), Some(&population)).unwrap();
        let taylor = taylor_variance(&weighted, &clusters, &strata, Some(&population));
        prop_assert!(close(variance(Replicates::jackknife(&weights, &stage, LonelyPsu::Fail).unwrap()), taylor, 1e-11));
    }

    #[test]
    fn nothing_that_comes_in_panics(
        weights in prop::collection::vec(prop_oneof![-1.0..3.0_f64, Just(f64::NAN), Just(f64::MAX), Just(0.0)], 0..8),
        codes in prop::collection::vec(0..4_u32, 0..8),
        totals in prop::collection::vec(prop_oneof![-1.0..9.0_f64, Just(f64::INFINITY), Just(0.0)], 0..4),
    ) {
        let margin = Margin { categories: &codes, totals: &totals };
        let refused = [
            post_stratify(&weights, margin).err(),
            rake(&weights, &[margin, margin], &RakingSettings { iterations: 5, ..STRICT }).err(),
            trim(&weights, TrimmingBounds { lower: 0.5, upper: 1.0, strict: true }).err(),
            Auxiliaries::new(weights.len(), vec![Auxiliary::Values(&weights), Auxiliary::Categories {
                codes: &codes, categories: totals.len(), omit_first: true
            }])
            .and_then(|auxiliaries| {
                let settings = CalibrationSettings::new(Distance::Logit { lower: 0.2, upper: 3.0 });
                calibrate(&weights, &auxiliaries, &totals, &settings).map(|_| ())
            })
            .err(),
        ];
        for error in refused.into_iter().flatten() {
            prop_assert!(!error.to_string().is_empty() && !error.vietnamese().is_empty());
        }
        let replicated: Result<(), ReplicatesError> = FirstStage::new(&codes, None, Some(&totals))
            .and_then(|stage| Replicates::jackknife(&weights, &stage, LonelyPsu::Adjust))
            .map(|_| ());
        if let Err(error) = replicated {
            prop_assert!(!error.to_string().is_empty() && !error.vietnamese().is_empty());
        }
    }
}

#[test]
fn the_usual_order_of_steps() {
    // 1 of 2 hamlets and 1 of 4 households: each stands for 8. One of four does not respond: 8 · 4/3 for the others.
    let base = base_weights(&[&[0.5; 4], &[0.25; 4]]).unwrap();
    let (yes, no) = (Disposition::Respondent, Disposition::Nonrespondent);
    let rule = CollapsingRule {
        minimum_respondents: 1,
        largest_factor: 3.0,
    };
    let households = adjust_for_nonresponse(&base, &[yes, yes, no, yes], &[0; 4], &rule).unwrap();
    // They have 2, 1 and 3 members, of whom one cannot be asked: 8 · 4/3 · 6/5 = 12.8.
    let members = weights_of_members(&households.weights, &[0, 0, 1, 3, 3, 3]).unwrap();
    let persons = adjust_for_nonresponse(&members, &[yes, yes, yes, yes, yes, no], &[0; 6], &rule).unwrap();
    for (weight, expected) in persons.weights.iter().zip([12.8, 12.8, 12.8, 12.8, 12.8, 0.0]) {
        assert!((weight - expected).abs() < 1e-13);
    }
    // 60 women and 50 men: factors 60/25.6 and 50/38.4 for two and three of them.
    let margin = Margin {
        categories: &[0, 1, 0, 1, 1, 1],
        totals: &[60.0, 50.0],
    };
    let stratified = post_stratify(&persons.weights, margin).unwrap();
    for (weight, expected) in stratified
        .weights
        .iter()
        .zip([30.0, 50.0 / 3.0, 30.0, 50.0 / 3.0, 50.0 / 3.0, 0.0])
    {
        assert!((weight - expected).abs() < 1e-13);
    }
    // Cut to 28: twice 2 go to the three others.
    let bounds = TrimmingBounds {
        lower: 0.0,
        upper: 28.0,
        strict: true,
    };
    let trimmed = trim(&stratified.weights, bounds).unwrap();
    for (weight, expected) in trimmed.weights.iter().zip([28.0, 18.0, 28.0, 18.0, 18.0, 0.0]) {
        assert!((weight - expected).abs() < 1e-13);
    }
    let summary = trimmed.after.unwrap();
    assert_eq!(summary.rows, 5);
    // n·Σw² / (Σw)² = 5 · (2 · 784 + 3 · 324) / 110².
    assert!((summary.design_effect - 5.0 * 2_540.0 / 12_100.0).abs() < 1e-13);
}

#[test]
fn the_bootstrap_comes_near_the_taylor_variance() {
    // Of a total the expected value of the bootstrap variance is the Taylor variance. The relative standard deviation of
    // a variance from 4,000 nearly normal replicates is √(2/4,000) = 2.2 %; six of them are 13 %.
    let clusters: Vec<u32> = (0..90).map(|row| row % 30).collect();
    let strata: Vec<u32> = clusters.iter().map(|cluster| cluster / 12).collect();
    let values: Vec<f64> = (0..90_u32).map(|row| f64::from(row * 37 % 23 + row % 30)).collect();
    let population: Vec<f64> = strata
        .iter()
        .map(|stratum| [16.0, 40.0, 7.0][*stratum as usize])
        .collect();
    for (population, draws) in [(None, None), (Some(&population), None), (Some(&population), Some(3))] {
        let stage = FirstStage::new(&clusters, Some(&strata), population.map(Vec::as_slice)).unwrap();
        let settings = BootstrapSettings {
            replicates: 4_000,
            seed: 1,
            draws,
            lonely: LonelyPsu::Fail,
        };
        let replicates = Replicates::bootstrap(&[2.0; 90], &stage, &settings).unwrap();
        let estimate = replicates
            .variance_of_totals(&[&values], |totals| totals.to_vec())
            .unwrap();
        let weighted: Vec<f64> = values.iter().map(|value| 2.0 * value).collect();
        let taylor = taylor_variance(&weighted, &clusters, &strata, population.map(Vec::as_slice));
        let ratio = estimate.covariance.get(0, 0) / taylor;
        assert!((ratio - 1.0).abs() < 0.13, "{ratio}");
    }
}

#[test]
fn a_replicate_that_cannot_be_calibrated_is_named() {
    // The only cluster with category 1 is left out of the first replicate.
    let stage = FirstStage::new(&[0, 1, 2], None, None).unwrap();
    let replicates = Replicates::jackknife(&[1.0; 3], &stage, LonelyPsu::Fail).unwrap();
    let margin = Margin {
        categories: &[1, 0, 0],
        totals: &[5.0, 2.0],
    };
    let failure = replicates
        .variance_after(
            |weights| Ok(post_stratify(weights, margin)?.weights),
            |weights| Ok(vec![weights[1]]),
        )
        .unwrap_err();
    let VarianceError::Estimator {
        replicate: Some(0),
        source: WeightsError::EmptyCategory { .. },
    } = failure
    else {
        panic!("{failure}");
    };
}
