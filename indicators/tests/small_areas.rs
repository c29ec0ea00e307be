//! Area-level models against three other implementations: R's package sae, the Python package samplics (both recorded, see
//! the scripts in tests/oracle), and the papers' formulas in R with dense matrices and another optimiser (run here).
//!
//! It tells how far they agree.

// What cannot be set up, or compared, fails the test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod agreement;

use std::collections::BTreeMap;
use std::process::Command;

use indicators::linear_algebra::Matrix;
use indicators::small_areas::{
    AreaInterviews, AreaModel, Benchmark, DirectEstimate, SmallAreaError, Source, VarianceMethod, benchmark, fit,
    smoothed_variances,
};
use serde_json::{Value, json};

const METHODS: [(VarianceMethod, &str, &str); 4] = [
    (VarianceMethod::RestrictedMaximumLikelihood, "reml", "REML"),
    (VarianceMethod::MaximumLikelihood, "ml", "ML"),
    (VarianceMethod::FayHerriotMoment, "fh", "FH"),
    (VarianceMethod::PrasadRaoMoment, "pr", ""),
];

fn datasets() -> Vec<Value> {
    serde_json::from_str(include_str!("oracle/small_area_datasets.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(list) => list.iter().map(|number| number.as_f64().unwrap()).collect(),
        // R writes a list of one as the number itself.
        single => vec![single.as_f64().unwrap()],
    }
}

fn rows(value: Option<&Value>) -> Vec<Vec<f64>> {
    value.map_or(Vec::new(), |rows| {
        rows.as_array().unwrap().iter().map(numbers).collect()
    })
}

/// The data's areas, those without a direct estimate last.
fn areas(data: &Value) -> (Vec<Option<DirectEstimate>>, Matrix) {
    let direct = numbers(&data["y"]).into_iter().zip(numbers(&data["psi"]));
    let mut direct: Vec<_> = direct
        .map(|(estimate, sampling_variance)| {
            Some(DirectEstimate {
                estimate,
                sampling_variance,
            })
        })
        .collect();
    let mut covariates = rows(data.get("x"));
    covariates.extend(rows(data.get("new")));
    direct.resize(covariates.len(), None);
    let columns = covariates[0].len();
    let matrix = Matrix::new(covariates.len(), columns, covariates.concat()).unwrap();
    (direct, matrix)
}

fn model(data: &Value, method: VarianceMethod) -> AreaModel {
    let (direct, covariates) = areas(data);
    fit(&direct, &covariates, method).unwrap()
}

/// Largest relative differences and numbers of comparisons, by oracle, data and statistic.
#[derive(Default)]
struct Agreement(BTreeMap<(String, String, &'static str), (f64, usize)>);

impl Agreement {
    fn add(&mut self, oracle: &str, data: &str, statistic: &'static str, ours: &[f64], theirs: &[f64]) {
        assert_eq!(ours.len(), theirs.len(), "{oracle} {data} {statistic}");
        let entry = self.0.entry((oracle.into(), data.into(), statistic)).or_default();
        for (our, their) in ours.iter().zip(theirs) {
            // Where both are 0, as shares are when nothing lies between the areas, they agree.
            let scale = their.abs().max(f64::MIN_POSITIVE);
            let difference = if our == their { 0.0 } else { (our - their).abs() / scale };
            assert!(difference.is_finite());
            entry.0 = entry.0.max(difference);
            entry.1 += 1;
        }
    }

    /// Tells the table and checks that nothing differs by more.
    #[track_caller]
    fn within(&self, largest: f64) {
        agreement::tell(self.0.iter().map(|((oracle, data, statistic), (largest, count))| {
            (oracle.as_str(), data.as_str(), *statistic, *largest, *count)
        }));
        let most = self.0.values().map(|(difference, _)| *difference).fold(0.0, f64::max);
        assert!(most <= largest, "{most:e}");
    }

    fn add_model(&mut self, oracle: &str, data: &str, model: &AreaModel, expected: &Value) {
        let sampled = || model.areas.iter().filter(|area| area.source == Source::Combined);
        let list = |read: fn(&indicators::small_areas::AreaEstimate) -> f64| sampled().map(read).collect::<Vec<_>>();
        let beta: Vec<f64> = model.coefficients.iter().map(|coefficient| coefficient.value).collect();
        self.add(
            oracle,
            data,
            "variance between areas",
            &[model.between_area_variance],
            &numbers(&expected["sigma2"]),
        );
        self.add(oracle, data, "coefficients", &beta, &numbers(&expected["beta"]));
        self.add(
            oracle,
            data,
            "estimates",
            &list(|area| area.estimate),
            &numbers(&expected["eblup"]),
        );
        self.add(
            oracle,
            data,
            "mean squared errors",
            &list(|area| area.mean_squared_error),
            &numbers(&expected["mse"]),
        );
        if !expected["loglike"].is_null() {
            let errors: Vec<f64> = model
                .coefficients
                .iter()
                .map(|coefficient| coefficient.standard_error)
                .collect();
            let fit = &model.diagnostics;
            let (ours, theirs) = (
                [fit.log_likelihood, fit.akaike, fit.bayesian],
                ["loglike", "aic", "bic"],
            );
            let theirs: Vec<f64> = theirs.iter().map(|name| expected[*name].as_f64().unwrap()).collect();
            self.add(
                oracle,
                data,
                "coefficients' errors",
                &errors,
                &numbers(&expected["beta_error"]),
            );
            self.add(oracle, data, "likelihood, AIC, BIC", &ours, &theirs);
        }
    }
}

/// Compares with recorded results of a package.
fn compare_recorded(oracle: &str, recorded: &str, models: usize) {
    let recorded: Vec<Value> = serde_json::from_str(recorded).unwrap();
    assert_eq!(recorded.len(), models);
    let datasets = datasets();
    let mut agreement = Agreement::default();
    for expected in &recorded {
        let data = datasets
            .iter()
            .find(|data| data["name"] == expected["dataset"])
            .unwrap();
        let (method, _, _) = METHODS.iter().find(|(_, _, name)| expected["method"] == *name).unwrap();
        let name = data["name"].as_str().unwrap();
        agreement.add_model(oracle, name, &model(data, *method), expected);
    }
    agreement.within(1e-9);
}

#[test]
fn models_agree_with_the_package_sae() {
    compare_recorded("sae 1.3 (R)", include_str!("oracle/small_area_sae.json"), 15);
}

#[test]
fn models_agree_with_the_package_samplics() {
    compare_recorded(
        "samplics 0.6.1 (Python)",
        include_str!("oracle/small_area_samplics.json"),
        14,
    );
}

#[test]
fn models_agree_with_the_formulas_written_in_r() {
    let datasets = datasets();
    let mut cases = Vec::new();
    for data in &datasets {
        for (_, name, _) in METHODS {
            let new = data.get("new").cloned().unwrap_or(json!([]));
            cases.push(json!({"y": data["y"], "psi": data["psi"], "x": data["x"], "new": new, "method": name}));
        }
    }
    let expected = oracle(&json!({ "cases": cases }));
    let mut agreement = Agreement::default();
    let pairs = datasets.iter().flat_map(|data| METHODS.map(|method| (data, method)));
    for ((data, (method, _, _)), expected) in pairs.zip(expected.as_array().unwrap()) {
        let model = model(data, method);
        let label = data["name"].as_str().unwrap();
        let oracle = "formulas in R";
        agreement.add_model(oracle, label, &model, expected);
        let error = [model.between_area_variance_error * model.between_area_variance_error];
        agreement.add(
            oracle,
            label,
            "variance of the variance",
            &error,
            &numbers(&expected["asymptotic"]),
        );
        let sampled = || model.areas.iter().filter(|area| area.source == Source::Combined);
        let weights: Vec<f64> = sampled().map(|area| area.direct_weight).collect();
        agreement.add(oracle, label, "direct weights", &weights, &numbers(&expected["gamma"]));
        let residuals: Vec<f64> = sampled().map(|area| area.standardised_residual.unwrap()).collect();
        agreement.add(
            oracle,
            label,
            "standardised residuals",
            &residuals,
            &numbers(&expected["standardised"]),
        );
        let synthetic = || model.areas.iter().filter(|area| area.source == Source::Synthetic);
        let estimates: Vec<f64> = synthetic().map(|area| area.estimate).collect();
        agreement.add(
            oracle,
            label,
            "areas without interviews",
            &estimates,
            &numbers(&expected["new"]),
        );
        let errors: Vec<f64> = synthetic().map(|area| area.mean_squared_error).collect();
        agreement.add(
            oracle,
            label,
            "their mean squared errors",
            &errors,
            &numbers(&expected["new_mse"]),
        );
        let explained: Vec<f64> = model.diagnostics.explained_variance.into_iter().collect();
        agreement.add(
            oracle,
            label,
            "explained variance",
            &explained,
            &numbers(&expected["explained"]),
        );
    }
    agreement.within(1e-8);
}

/// Runs the R script on an input and returns its output.
fn oracle(input: &Value) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let (input_path, output_path) = (folder.path().join("input.json"), folder.path().join("output.json"));
    std::fs::write(&input_path, serde_json::to_vec(input).unwrap()).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle/small_areas.R");
    let run = Command::new("Rscript")
        .arg(script)
        .arg(&input_path)
        .arg(&output_path)
        .output();
    let advice = "this test needs R with the package jsonlite: run `cargo xtask test`, which installs it";
    let run = run.unwrap_or_else(|error| panic!("cannot run Rscript ({error}); {advice}"));
    let complaint = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "Rscript failed; {advice}\n{complaint}");
    serde_json::from_slice(&std::fs::read(&output_path).unwrap()).unwrap()
}

#[test]
fn the_published_model_of_milk_expenditure() {
    // Printed on the page of the R package saens (R. Al Farizal P & A. Ubaidillah), which fits the same model by restricted
    // maximum likelihood: coefficients, their standard errors, log-likelihood, AIC and BIC. Its iterations stop at a
    // relative change of 1e-4, so that the last printed digits may differ.
    let milk = datasets().remove(0);
    let model = model(&milk, VarianceMethod::RestrictedMaximumLikelihood);
    let coefficients = [0.968_189_0, 0.132_780_1, 0.226_946_2, -0.241_301_1];
    let errors = [0.069_362, 0.103_001, 0.092_330, 0.081_617];
    for ((ours, value), error) in model.coefficients.iter().zip(coefficients).zip(errors) {
        assert!((ours.value - value).abs() < 1e-6, "{ours:?} {value}");
        assert!((ours.standard_error - error).abs() < 1e-6, "{ours:?} {error}");
    }
    let fit = &model.diagnostics;
    assert!((fit.log_likelihood - 12.677_48).abs() < 2e-5, "{fit:?}");
    assert!((fit.akaike + 15.354_96).abs() < 2e-5, "{fit:?}");
    assert!((fit.bayesian + 6.548_956).abs() < 2e-5, "{fit:?}");
}

#[test]
fn the_same_everywhere_leaves_the_regression_alone() {
    let data = datasets().into_iter().find(|data| data["name"] == "alike").unwrap();
    for (method, _, _) in METHODS {
        let model = model(&data, method);
        if model.between_area_variance == 0.0 {
            assert!(
                model
                    .areas
                    .iter()
                    .all(|area| area.estimate == area.synthetic && area.direct_weight == 0.0)
            );
        }
        assert!(model.areas.iter().all(|area| area.mean_squared_error > 0.0));
    }
    // Direct estimates that are all equal cannot differ by more than sampling.
    let direct = vec![
        Some(DirectEstimate {
            estimate: 0.4,
            sampling_variance: 0.01
        });
        12
    ];
    let ones = Matrix::new(12, 1, vec![1.0; 12]).unwrap();
    for (method, _, _) in METHODS {
        let model = fit(&direct, &ones, method).unwrap();
        assert_eq!(model.between_area_variance, 0.0);
        assert!((model.areas[3].estimate - 0.4).abs() < 1e-12);
        assert_eq!(model.diagnostics.explained_variance, None);
    }
}

#[test]
fn equal_sampling_variances_have_a_closed_form() {
    // With ψ alike and an intercept alone, β̂ is the mean and Σ(y − ȳ)²/(m − 1) − ψ is what REML and both moments give;
    // maximum likelihood divides by m.
    let y = [0.31, 0.52, 0.44, 0.70, 0.25, 0.61];
    let psi = 0.004;
    let direct: Vec<_> = y
        .iter()
        .map(|estimate| {
            Some(DirectEstimate {
                estimate: *estimate,
                sampling_variance: psi,
            })
        })
        .collect();
    let ones = Matrix::new(6, 1, vec![1.0; 6]).unwrap();
    let mean = y.iter().sum::<f64>() / 6.0;
    let squares: f64 = y.iter().map(|value| (value - mean) * (value - mean)).sum();
    for (method, name, _) in METHODS {
        let model = fit(&direct, &ones, method).unwrap();
        let expected = squares / if name == "ml" { 6.0 } else { 5.0 } - psi;
        assert!((model.between_area_variance - expected).abs() < 1e-12, "{name}");
        let weight = expected / (expected + psi);
        assert!((model.areas[0].estimate - (weight * 0.31 + (1.0 - weight) * mean)).abs() < 1e-12);
        assert_eq!(model.areas[0].direct, direct[0]);
    }
}

#[test]
fn benchmarked_areas_add_up_to_the_whole() {
    let data = datasets().into_iter().find(|data| data["name"] == "communes").unwrap();
    let model = model(&data, VarianceMethod::RestrictedMaximumLikelihood);
    let weights: Vec<f64> = (0..model.areas.len())
        .map(|area| 1_000.0 + 37.0 * area as f64)
        .collect();
    let total: f64 = weights.iter().sum();
    let whole = 0.62;
    let sum = |estimates: &[f64]| -> f64 {
        weights
            .iter()
            .zip(estimates)
            .map(|(weight, estimate)| weight / total * estimate)
            .sum()
    };
    let before: Vec<f64> = model.areas.iter().map(|area| area.estimate).collect();
    assert!((sum(&before) - whole).abs() > 1e-3);
    for method in [Benchmark::Ratio, Benchmark::Difference, Benchmark::ErrorWeighted] {
        let after = benchmark(&model, &weights, whole, method).unwrap();
        assert!((sum(&after) - whole).abs() < 1e-12, "{method:?}");
        let moved = |area: usize| match method {
            Benchmark::Ratio => after[area] / before[area],
            Benchmark::Difference => after[area] - before[area],
            Benchmark::ErrorWeighted => {
                (after[area] - before[area]) / (weights[area] * model.areas[area].mean_squared_error)
            }
        };
        assert!(
            (1..before.len()).all(|area| (moved(area) / moved(0) - 1.0).abs() < 1e-9),
            "{method:?}"
        );
    }
    let wrong = benchmark(&model, &weights[1..], whole, Benchmark::Ratio).unwrap_err();
    assert!(matches!(wrong, SmallAreaError::Length { .. }));
    let nothing = vec![0.0; weights.len()];
    assert!(benchmark(&model, &nothing, whole, Benchmark::Ratio).is_err());
    let error = benchmark(&model, &weights, f64::NAN, Benchmark::Difference).unwrap_err();
    assert!(error.vietnamese().contains("toàn bộ"));
}

/// Areas with 1 to some 60 respondents; the first `unknown` have no variance of their own, and every fifth has 0.
fn interviews(areas: u64, unknown: u64) -> Vec<Option<AreaInterviews>> {
    let area = |number: u64| {
        let respondents = 1 + number * 7919 % 61;
        let expected = 0.05 + 0.9 * (number * 31 % 17) as f64 / 17.0;
        let spread = 0.5 + (number * 13 % 11) as f64 / 5.0;
        let variance = if number % 5 == 4 {
            0.0
        } else {
            spread * expected * (1.0 - expected) / respondents as f64
        };
        AreaInterviews {
            respondents,
            sampling_variance: (number >= unknown).then_some(variance),
            expected_proportion: expected,
        }
    };
    (0..areas).map(|number| Some(area(number))).collect()
}

#[test]
fn smoothed_variances_agree_with_weighted_least_squares_in_r() {
    let sets = [
        ("43 areas", interviews(43, 0)),
        ("9 of 172 areas unknown", interviews(172, 9)),
        ("two", interviews(2, 1)),
    ];
    let cases = sets.iter().map(|(_, areas)| {
        let areas = || areas.iter().flatten();
        json!({
            "n": areas().map(|area| area.respondents).collect::<Vec<_>>(),
            "p": areas().map(|area| area.expected_proportion).collect::<Vec<_>>(),
            "psi": areas().map(|area| area.sampling_variance).collect::<Vec<_>>(),
        })
    });
    let expected = oracle(&json!({ "smooth": cases.collect::<Vec<_>>() }));
    let mut agreement = Agreement::default();
    for ((name, areas), expected) in sets.iter().zip(expected.as_array().unwrap()) {
        let smoothed = smoothed_variances(areas).unwrap();
        let variances: Vec<f64> = smoothed.variances.iter().map(|variance| variance.unwrap()).collect();
        let effect = numbers(&expected["design_effect"]);
        agreement.add("lm in R", name, "design effect", &[smoothed.design_effect], &effect);
        agreement.add(
            "lm in R",
            name,
            "smoothed variances",
            &variances,
            &numbers(&expected["psi"]),
        );
    }
    agreement.within(1e-12);
}

#[test]
fn smoothing_keeps_what_follows_the_function_and_the_sum() {
    // Variances of simple random samples with a design effect of 1.7 follow the function already.
    let exact: Vec<_> = interviews(30, 0)
        .into_iter()
        .flatten()
        .map(|area| {
            let binomial = area.expected_proportion * (1.0 - area.expected_proportion) / area.respondents as f64;
            Some(AreaInterviews {
                sampling_variance: Some(1.7 * binomial),
                ..area
            })
        })
        .collect();
    let smoothed = smoothed_variances(&exact).unwrap();
    assert!((smoothed.design_effect - 1.7).abs() < 1e-12);
    for (smoothed, area) in smoothed.variances.iter().zip(&exact) {
        let own = area.unwrap().sampling_variance.unwrap();
        assert!((smoothed.unwrap() / own - 1.0).abs() < 1e-12);
    }
    // Others keep their sum in squares of respondents, and areas without interviews stay without.
    let mut areas = interviews(50, 0);
    areas.insert(20, None);
    let smoothed = smoothed_variances(&areas).unwrap();
    assert_eq!(smoothed.variances[20], None);
    let sum = |variance: &dyn Fn(usize) -> f64| -> f64 {
        let present = areas.iter().enumerate();
        present
            .filter_map(|(place, area)| Some((area.as_ref()?.respondents as f64).powi(2) * variance(place)))
            .sum()
    };
    let before = sum(&|place| areas[place].unwrap().sampling_variance.unwrap());
    let after = sum(&|place| smoothed.variances[place].unwrap());
    assert!((after / before - 1.0).abs() < 1e-12);
}

#[test]
fn what_cannot_be_smoothed_is_refused_by_its_area() {
    let good = interviews(6, 0);
    let refused = |change: &dyn Fn(&mut AreaInterviews)| {
        let mut areas = good.clone();
        change(areas[3].as_mut().unwrap());
        let error = smoothed_variances(&areas).unwrap_err();
        assert!(
            error.to_string().contains("area 3") && error.vietnamese().contains("khu vực 3"),
            "{error}"
        );
        error
    };
    let error = refused(&|area| area.respondents = 0);
    assert_eq!(error, SmallAreaError::NoRespondents { area: 3 });
    for proportion in [0.0, 1.0, -0.1, f64::NAN, f64::INFINITY] {
        let error = refused(&|area| area.expected_proportion = proportion);
        assert!(matches!(error, SmallAreaError::ExpectedProportion { .. }), "{error}");
    }
    for variance in [-1e-9, f64::NAN, f64::INFINITY] {
        let error = refused(&|area| area.sampling_variance = Some(variance));
        assert!(matches!(error, SmallAreaError::DesignVariance { .. }), "{error}");
    }
    for variance in [None, Some(0.0)] {
        let areas: Vec<_> = good
            .iter()
            .flatten()
            .map(|area| {
                Some(AreaInterviews {
                    sampling_variance: variance,
                    ..*area
                })
            })
            .collect();
        assert_eq!(smoothed_variances(&areas), Err(SmallAreaError::NoDesignEffect));
    }
    assert_eq!(smoothed_variances(&[]), Err(SmallAreaError::NoDesignEffect));
}

#[test]
fn bad_input_is_refused_by_its_area() {
    let good = Some(DirectEstimate {
        estimate: 0.5,
        sampling_variance: 0.01,
    });
    let ones = |areas| Matrix::new(areas, 1, vec![1.0; areas]).unwrap();
    let refused = |direct: &[_], covariates: &Matrix| fit(direct, covariates, VarianceMethod::default()).unwrap_err();
    for (variance, given) in [(0.0, "0"), (-0.1, "-0.1"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let bad = Some(DirectEstimate {
            estimate: 0.5,
            sampling_variance: variance,
        });
        let error = refused(&[good, None, bad, good], &ones(4));
        assert!(error.to_string().contains(&format!("area 2 is {given};")), "{error}");
        assert!(error.vietnamese().contains("khu vực 2"), "{error}");
    }
    let bad = Some(DirectEstimate {
        estimate: f64::NAN,
        sampling_variance: 1.0,
    });
    assert!(
        refused(&[good, good, good, bad], &ones(4))
            .to_string()
            .contains("area 3")
    );
    let error = refused(&[good, good, None, None], &ones(4));
    assert_eq!(error, SmallAreaError::TooFewAreas { areas: 2, columns: 1 });
    assert!(matches!(
        refused(&[good; 4], &ones(5)),
        SmallAreaError::Length { given: 5, expected: 4 }
    ));
    // An area without a direct estimate, for which the regression is beyond all numbers.
    let own = |estimate| {
        Some(DirectEstimate {
            estimate,
            sampling_variance: 0.01,
        })
    };
    let direct = [own(0.5), own(0.6), own(0.9), own(0.4), own(0.3), None];
    let far = Matrix::new(6, 2, vec![1.0, 1.0, 1.0, 2.0, 1.0, 4.0, 1.0, 3.0, 1.0, 2.5, 1.0, 1e308]).unwrap();
    let error = refused(&direct, &far);
    assert_eq!(error, SmallAreaError::OutOfRange);
    assert!(error.vietnamese().contains("đơn vị đo"));
    // The third column is the sum of the first two among the areas with direct estimates.
    let rows = [
        [1.0, 2.0, 3.0],
        [1.0, 5.0, 6.0],
        [1.0, 1.0, 2.0],
        [1.0, 0.0, 1.0],
        [1.0, 7.0, 8.0],
        [1.0, 0.0, 9.0],
    ];
    let dependent = Matrix::new(6, 3, rows.concat()).unwrap();
    let error = refused(&[good, good, good, good, good, None], &dependent);
    assert_eq!(error, SmallAreaError::DependentCovariate { column: 2 });
}
