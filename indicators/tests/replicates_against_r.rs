//! Replicate weights and the variances that they give, against the R package survey.

// What cannot be set up, or compared, fails the test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod comparisons;

use comparisons::{Comparisons, Fixture, committed, made_again, numbers, run_r};
use indicators::replicates::{
    BalancedSettings, BootstrapSettings, Centre, FirstStage, GivenMethod, Hadamard, LargeStrata, ReplicateEstimate,
    Replicates,
};
use indicators::variance::LonelyPsu;
use indicators::weights::{
    Auxiliaries, Auxiliary, CalibrationSettings, Distance, Margin, WeightsError, calibrate, post_stratify,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap()
}

fn weighted_sum(weights: &[f64], values: &[f64]) -> f64 {
    weights.iter().zip(values).map(|(weight, value)| weight * value).sum()
}

/// The statistics of a case in its order, then the means of its first two variables, then the slope of one on the other.
struct Statistics {
    columns: Vec<Vec<f64>>,
    /// Positions of numerator and denominator among the columns; the last column is 1.
    pairs: Vec<(usize, Option<usize>)>,
    /// Positions of the first two variables.
    first: (usize, usize),
}

impl Statistics {
    fn of(data: &dyn Fn(&str) -> Vec<f64>, case: &Value, variables: (&str, &str)) -> Self {
        let mut names: Vec<String> = Vec::new();
        let mut columns: Vec<Vec<f64>> = Vec::new();
        let mut position = |name: &str| match names.iter().position(|known| known == name) {
            Some(position) => position,
            None => {
                names.push(name.to_owned());
                columns.push(data(name));
                names.len() - 1
            }
        };
        let first = (position(variables.0), position(variables.1));
        let mut pairs = Vec::new();
        let mut means = Vec::new();
        for statistic in case["statistics"].as_array().unwrap() {
            let numerator = position(text(statistic, "numerator"));
            match text(statistic, "kind") {
                "mean" => {
                    means.push(pairs.len());
                    pairs.push((numerator, None));
                }
                "total" => pairs.push((numerator, None)),
                _ => pairs.push((numerator, Some(position(text(statistic, "denominator"))))),
            }
        }
        let ones = columns.len();
        columns.push(vec![1.0; columns[0].len()]);
        means.into_iter().for_each(|mean| pairs[mean].1 = Some(ones));
        // Products for the slope.
        let product = |one: &[f64], other: &[f64]| one.iter().zip(other).map(|(a, b)| a * b).collect::<Vec<_>>();
        columns.push(product(&columns[first.0], &columns[first.1]));
        columns.push(product(&columns[first.1], &columns[first.1]));
        Statistics { columns, pairs, first }
    }

    fn of_totals(&self, totals: &[f64]) -> Vec<f64> {
        let ones = self.columns.len() - 3;
        let ratio = |(numerator, denominator): (usize, Option<usize>)| {
            totals[numerator] / denominator.map_or(1.0, |denominator| totals[denominator])
        };
        let (y, x) = self.first;
        let (size, xy, xx) = (totals[ones], totals[ones + 1], totals[ones + 2]);
        let slope = (xy - totals[x] * totals[y] / size) / (xx - totals[x] * totals[x] / size);
        let means = [(y, Some(ones)), (x, Some(ones))].map(ratio);
        self.pairs
            .iter()
            .map(|&pair| ratio(pair))
            .chain(means)
            .chain([slope])
            .collect()
    }

    fn of_weights(&self, weights: &[f64]) -> Vec<f64> {
        let totals: Vec<f64> = self
            .columns
            .iter()
            .map(|column| weighted_sum(weights, column))
            .collect();
        self.of_totals(&totals)
    }

    fn by_totals(&self, replicates: &Replicates) -> ReplicateEstimate {
        let columns: Vec<&[f64]> = self.columns.iter().map(Vec::as_slice).collect();
        replicates
            .variance_of_totals(&columns, |totals| self.of_totals(totals))
            .unwrap()
    }
}

/// The first two variables of a case: those of its first total and the total after.
fn first_variables(case: &Value) -> (&str, &str) {
    let mut totals = case["statistics"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|statistic| statistic["kind"] == "total");
    let mut next = || text(totals.next().unwrap(), "numerator");
    (next(), next())
}

fn centred(replicates: Replicates, settings: &Value) -> Replicates {
    replicates.centred_at(match settings["mse"].as_bool().unwrap() {
        true => Centre::FullEstimate,
        false => Centre::ReplicateMean,
    })
}

fn jackknife(fixture: &Fixture, settings: &Value) -> Replicates {
    let with_fpc = settings["fpc"].as_bool().unwrap();
    let lonely = match settings["lonely"].as_str() {
        Some("adjust") => LonelyPsu::Adjust,
        Some("certainty") => LonelyPsu::Certainty,
        _ => LonelyPsu::Fail,
    };
    let population = with_fpc.then(|| fixture.numbers("population"));
    let (clusters, strata) = (fixture.codes("cluster"), fixture.codes("stratum"));
    let stage = FirstStage::new(&clusters, Some(&strata), population.as_deref()).unwrap();
    Replicates::jackknife(&fixture.numbers("weight"), &stage, lonely).unwrap()
}

/// What is done to the weights of each replicate.
type Adjustment<'a> = dyn Fn(&[f64]) -> Result<Vec<f64>, WeightsError> + 'a;

/// The replicates of a case and the estimates that they give.
fn estimate(fixture: &Fixture, case: &Value) -> (Replicates, ReplicateEstimate) {
    let settings = &case["settings"];
    let weights = fixture.numbers("weight");
    let statistics = Statistics::of(&|name| fixture.numbers(name), case, first_variables(case));
    let stage = FirstStage::new(&fixture.codes("cluster"), Some(&fixture.codes("stratum")), None).unwrap();
    let after = |adjust: &Adjustment<'_>| {
        let replicates = jackknife(fixture, settings);
        let estimate = replicates
            .variance_after(adjust, |weights| Ok(statistics.of_weights(weights)))
            .unwrap();
        (replicates, estimate)
    };
    let replicates = match text(case, "method") {
        "jackknife" => jackknife(fixture, settings),
        "balanced" => {
            let settings = BalancedSettings {
                fay_rho: settings["fay_rho"].as_f64().unwrap(),
                large_strata: LargeStrata::Refuse,
            };
            Replicates::balanced(&weights, &stage, &settings).unwrap()
        }
        "counts" => {
            // How often each PSU was drawn; times n/(n − 1) that is R's multiplier.
            let (clusters, strata) = (fixture.codes("cluster"), fixture.codes("stratum"));
            let mut positions = BTreeMap::new();
            let mut sampled = BTreeMap::<u32, BTreeSet<u32>>::new();
            for (&cluster, &stratum) in clusters.iter().zip(&strata) {
                let next = positions.len();
                positions.entry(cluster).or_insert(next);
                sampled.entry(stratum).or_default().insert(cluster);
            }
            let columns = settings["counts"].as_array().unwrap().iter().map(|counts| {
                let counts = numbers(counts);
                let multiplier = |(cluster, stratum): (&u32, &u32)| {
                    let size = sampled[stratum].len() as f64;
                    counts[positions[cluster]] * size / (size - 1.0)
                };
                clusters.iter().zip(&strata).map(multiplier).collect()
            });
            Replicates::given(&weights, columns.collect(), false, &GivenMethod::Bootstrap, None).unwrap()
        }
        "post_stratified" => {
            let (categories, totals) = (fixture.codes(text(settings, "column")), numbers(&settings["totals"]));
            let margin = Margin {
                categories: &categories,
                totals: &totals,
            };
            return after(&|weights| Ok(post_stratify(weights, margin)?.weights));
        }
        "calibrated" => {
            let types = fixture.codes("type");
            let values = fixture.numbers("api99");
            let mut variables = vec![
                Auxiliary::Constant,
                Auxiliary::Categories {
                    codes: &types,
                    categories: 3,
                    omit_first: true,
                },
            ];
            if settings["terms"].as_array().unwrap().len() == 2 {
                variables.push(Auxiliary::Values(&values));
            }
            let auxiliaries = Auxiliaries::new(weights.len(), variables).unwrap();
            let distance = match text(settings, "distance") {
                "linear" => Distance::Linear,
                "raking" => Distance::Raking,
                _ => Distance::Logit {
                    lower: settings["lower"].as_f64().unwrap(),
                    upper: settings["upper"].as_f64().unwrap(),
                },
            };
            let calibration = CalibrationSettings {
                tolerance: 1e-12,
                ..CalibrationSettings::new(distance)
            };
            let totals = numbers(&settings["totals"]);
            return after(&|weights| Ok(calibrate(weights, &auxiliaries, &totals, &calibration)?.weights));
        }
        other => panic!("{other}"),
    };
    let replicates = centred(replicates, settings);
    let by_totals = statistics.by_totals(&replicates);
    // The slow way through the weights of all rows gives the same.
    let by_weights = replicates
        .variance_of::<WeightsError>(|weights| Ok(statistics.of_weights(weights)))
        .unwrap();
    for (one, other) in by_totals.standard_errors().iter().zip(by_weights.standard_errors()) {
        assert!((one - other).abs() <= 1e-9 * other.abs() + 1e-9, "{one} and {other}");
    }
    (replicates, by_totals)
}

fn compare_case(
    place: (&str, &str),
    case: &Value,
    replicates: &Replicates,
    estimate: &ReplicateEstimate,
    comparisons: &mut Comparisons,
) {
    let (data, name) = place;
    let expected = |value: &Value| value.as_f64().unwrap();
    let errors = estimate.standard_errors();
    let statistics = case["statistics"].as_array().unwrap();
    for (index, statistic) in statistics.iter().enumerate() {
        let kind = text(statistic, "kind");
        let point = expected(&statistic["point"]);
        comparisons.compare((data, name, kind), estimate.points[index], point, 1e-9, 1e-9);
        let label = format!("standard error of a {kind}");
        // Where calibration fixes a total, its standard error is rounding.
        let floor = 1e-3 * point.abs();
        comparisons.compare(
            (data, name, &label),
            errors[index],
            expected(&statistic["standard_error"]),
            1e-9,
            floor,
        );
    }
    let means = statistics.len();
    let covariances = numbers(&case["covariance"]);
    let size = (covariances[0] * covariances[2]).sqrt();
    for ((row, column), value) in [(0, 0), (0, 1), (1, 1)].into_iter().zip(covariances) {
        let actual = estimate.covariance.get(means + row, means + column);
        // A mean of what hardly varies has a variance of rounding.
        let floor = 1e-3 * size.max(estimate.points[means + row].powi(2) * 1e-6);
        comparisons.compare((data, name, "covariance of means"), actual, value, 1e-9, floor);
    }
    comparisons.compare(
        (data, name, "slope"),
        estimate.points[means + 2],
        expected(&case["slope"]["point"]),
        1e-9,
        1e-9,
    );
    let slope = expected(&case["slope"]["standard_error"]);
    comparisons.compare(
        (data, name, "standard error of a slope"),
        errors[means + 2],
        slope,
        1e-9,
        1e-9,
    );
    // R numbers strata in the order of the rows, so replicates come in another order.
    let sorted = |mut scales: Vec<f64>| {
        scales.sort_by(f64::total_cmp);
        scales
    };
    let scales = sorted(numbers(&case["scales"]));
    assert_eq!(scales.len(), replicates.count(), "{data}, {name}");
    for (scale, expected) in sorted(replicates.scales().to_vec()).into_iter().zip(scales) {
        comparisons.compare((data, name, "scale of a replicate"), scale, expected, 1e-12, 1e-9);
    }
    let degrees = replicates.degrees_of_freedom() as f64;
    comparisons.compare(
        (data, name, "degrees of freedom"),
        degrees,
        expected(&case["degrees_of_freedom"]),
        0.0,
        1.0,
    );
}

fn compare_all(fixtures: &[Fixture]) {
    let mut comparisons = Comparisons::default();
    for fixture in fixtures {
        for case in fixture.cases() {
            let (replicates, estimate) = estimate(fixture, case);
            compare_case(
                (&fixture.name, text(case, "name")),
                case,
                &replicates,
                &estimate,
                &mut comparisons,
            );
        }
    }
    let count = comparisons.print(&fixtures[0].oracle());
    assert!(count > 500, "only {count} comparisons");
    assert_eq!(fixtures.len(), 10);
}

#[test]
fn replicates_agree_with_the_fixtures() {
    compare_all(&committed("replicates_"));
}

#[test]
fn replicates_agree_with_r() {
    compare_all(&made_again("replicates.R", "replicates_"));
}

/// Gives R the replicate weights made here, and the Hadamard matrices that R then makes half-samples by itself from.
#[test]
fn r_gives_the_same_with_our_replicates() {
    let fixtures = committed("replicates_");
    let find = |name: &str| fixtures.iter().find(|fixture| fixture.name == name).unwrap();
    let mut comparisons = Comparisons::default();
    let mut oracle = String::new();
    for (name, with_fpc) in [
        ("apistrat", true),
        ("apistrat", false),
        ("apiclus1", true),
        ("nhanes", false),
    ] {
        let fixture = find(name);
        let population = with_fpc.then(|| fixture.numbers("population"));
        let (clusters, strata) = (fixture.codes("cluster"), fixture.codes("stratum"));
        let stage = FirstStage::new(&clusters, Some(&strata), population.as_deref()).unwrap();
        let weights = fixture.numbers("weight");
        // Only rows and replicates that keep the exchange small.
        let count = if name == "nhanes" { 12 } else { 80 };
        let mut all: Vec<(Replicates, bool)> = [None, Some(1)]
            .into_iter()
            .map(|draws| {
                let settings = BootstrapSettings {
                    replicates: count,
                    seed: 11,
                    draws,
                    lonely: LonelyPsu::Fail,
                };
                (
                    Replicates::bootstrap(&weights, &stage, &settings).unwrap(),
                    draws.is_some(),
                )
            })
            .collect();
        if name == "apistrat" {
            // 100, 50 and 50 schools: 100 pairs of an order that Paley's construction gives.
            let settings = BalancedSettings {
                fay_rho: 0.4,
                large_strata: LargeStrata::Pair,
            };
            all.push((Replicates::balanced(&weights, &stage, &settings).unwrap(), false));
        }
        let all: Vec<(Replicates, bool)> = all
            .into_iter()
            .map(|(replicates, mse)| (centred(replicates, &json!({ "mse": mse })), mse))
            .collect();
        let designs: Vec<Value> = all
            .iter()
            .map(|(replicates, mse)| {
                let columns: Vec<_> = (0..replicates.count())
                    .map(|index| replicates.weights(index).unwrap())
                    .collect();
                json!({ "weights": columns, "scales": replicates.scales(), "mse": mse })
            })
            .collect();
        let output = ask_r(fixture, designs);
        oracle = format!("R {} survey {}", text(&output, "r"), text(&output, "survey"));
        for ((replicates, _), case) in all.iter().zip(output["cases"].as_array().unwrap()) {
            let statistics = Statistics::of(&|name| fixture.numbers(name), case, first_variables(case));
            // Through the columns, so that their rank is compared too.
            let columns = (0..replicates.count())
                .map(|index| replicates.weights(index).unwrap())
                .collect();
            let scales = GivenMethod::Scales(replicates.scales().to_vec());
            let given = Replicates::given(&weights, columns, true, &scales, None).unwrap();
            assert!(given.degrees_of_freedom() <= replicates.degrees_of_freedom());
            let estimate = statistics.by_totals(replicates);
            compare_case((&fixture.name, "ours"), case, &given, &estimate, &mut comparisons);
        }
    }
    // Half-samples that R makes by our matrix.
    let fixture = find("apisrs_pairs");
    let stage = FirstStage::new(&fixture.codes("cluster"), Some(&fixture.codes("stratum")), None).unwrap();
    for (order, fay_rho) in [(16, 0.0), (16, 0.25)] {
        let hadamard = Hadamard::at_least(order).unwrap();
        let sign = |plus| if plus { 1 } else { -1 };
        let rows: Vec<Vec<i32>> = (0..order)
            .map(|row| (0..order).map(|column| sign(hadamard.is_plus(row, column))).collect())
            .collect();
        let output = ask_r(fixture, vec![json!({ "hadamard": rows, "fay_rho": fay_rho })]);
        let settings = BalancedSettings {
            fay_rho,
            large_strata: LargeStrata::Refuse,
        };
        let replicates = Replicates::balanced(&fixture.numbers("weight"), &stage, &settings).unwrap();
        let case = &output["cases"][0];
        let statistics = Statistics::of(&|name| fixture.numbers(name), case, first_variables(case));
        let estimate = statistics.by_totals(&replicates);
        compare_case(
            (&fixture.name, "our matrix"),
            case,
            &replicates,
            &estimate,
            &mut comparisons,
        );
    }
    let count = comparisons.print(&oracle);
    assert!(count > 500, "only {count} comparisons");
}

fn ask_r(fixture: &Fixture, designs: Vec<Value>) -> Value {
    let first = &fixture.cases()[0];
    let (one, other) = first_variables(first);
    let mut variables = vec![one, other];
    let mut ratios = Vec::new();
    for statistic in first["statistics"].as_array().unwrap() {
        let name = text(statistic, "numerator");
        if !variables.contains(&name) && statistic["kind"] == "total" {
            variables.push(name);
        }
        if statistic["kind"] == "ratio" {
            ratios.push([name, text(statistic, "denominator")]);
        }
    }
    let input = json!({
        "columns": fixture.content["columns"], "variables": variables, "ratios": ratios, "designs": designs
    });
    let folder = tempfile::tempdir().unwrap();
    let paths = [folder.path().join("input.json"), folder.path().join("output.json")];
    std::fs::write(&paths[0], serde_json::to_vec(&input).unwrap()).unwrap();
    run_r("replicates.R", &paths);
    serde_json::from_slice(&std::fs::read(&paths[1]).unwrap()).unwrap()
}
