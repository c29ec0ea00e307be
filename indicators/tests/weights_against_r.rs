//! Weights, and the standard errors that follow from them, against the R package survey.

// What cannot be set up, or compared, fails the test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod comparisons;

use comparisons::{Comparisons, Fixture, committed, linearised, made_again, numbers, taylor_variance};
use indicators::weights::{
    Auxiliaries, Auxiliary, CalibrationSettings, CollapsingRule, Disposition, Distance, Margin, MarginResiduals,
    RakingSettings, ResidualAdjustment, Sweeps, TrimmingBounds, WeightSummary, adjust_for_nonresponse, calibrate,
    post_stratify, rake, trim,
};
use serde_json::Value;

/// Passes influence values on unchanged.
struct NoAdjustment;

impl ResidualAdjustment for NoAdjustment {
    fn adjust(&self, influence: &[f64]) -> Vec<f64> {
        influence.to_vec()
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap()
}

fn distance(settings: &Value) -> Distance {
    let (lower, upper) = (settings["lower"].as_f64(), settings["upper"].as_f64());
    match (text(settings, "distance"), lower.zip(upper)) {
        ("linear", None) => Distance::Linear,
        ("linear", Some((lower, upper))) => Distance::TruncatedLinear { lower, upper },
        ("raking", None) => Distance::Raking,
        ("raking", Some((lower, upper))) => Distance::TruncatedRaking { lower, upper },
        ("logit", Some((lower, upper))) => Distance::Logit { lower, upper },
        other => panic!("{other:?}"),
    }
}

/// Columns of a fixture that a case names, kept so that they can be borrowed.
struct Columns {
    codes: Vec<Vec<u32>>,
    values: Vec<Vec<f64>>,
    totals: Vec<Vec<f64>>,
}

/// Applies a case's method. Returns new weights and, with each way of taking residuals, its name.
fn apply(fixture: &Fixture, case: &Value, old: &[f64], mut check: impl FnMut(&[f64], &dyn ResidualAdjustment, bool)) {
    let settings = &case["settings"];
    let list = |field: &str| settings[field].as_array().cloned().unwrap_or_default();
    let entries = [list("margins"), list("auxiliaries")].concat();
    let column = |entry: &Value| entry["column"].as_str().map(str::to_owned);
    let columns = Columns {
        codes: entries
            .iter()
            .map(|entry| column(entry).map_or(vec![], |name| fixture.codes(&name)))
            .collect(),
        values: entries
            .iter()
            .map(|entry| column(entry).map_or(vec![], |name| fixture.numbers(&name)))
            .collect(),
        totals: entries.iter().map(|entry| numbers(&entry["totals"])).collect(),
    };
    let margins: Vec<Margin<'_>> = columns
        .codes
        .iter()
        .zip(&columns.totals)
        .map(|(categories, totals)| Margin { categories, totals })
        .collect();
    match text(case, "method") {
        "post_stratify" => {
            let result = post_stratify(old, margins[0]).unwrap();
            assert!(result.diagnosis.largest_deviation.relative < 1e-12);
            check(&result.weights, &result.residuals, true);
        }
        "rake" => {
            let settings = RakingSettings {
                tolerance: 1e-13,
                iterations: 2_000,
            };
            let result = rake(old, &margins, &settings).unwrap();
            // R takes ten sweeps with equal weights; the residuals that raking itself gives are compared below, where R
            // calibrates with the same distance.
            let codes = margins.iter().map(|margin| margin.categories).collect();
            let equal = vec![1.0; old.len()];
            let residuals = MarginResiduals::new(codes, equal, result.weights.clone(), Sweeps::Exactly(10)).unwrap();
            check(&result.weights, &residuals, true);
        }
        "calibrate" => {
            let variables: Vec<Auxiliary<'_>> = entries
                .iter()
                .zip(columns.codes.iter().zip(&columns.values))
                .map(|(entry, (codes, values))| match text(entry, "kind") {
                    "constant" => Auxiliary::Constant,
                    "values" => Auxiliary::Values(values),
                    _ => Auxiliary::Categories {
                        codes,
                        categories: codes.iter().max().map_or(0, |&code| code as usize + 1),
                        omit_first: true,
                    },
                })
                .collect();
            let auxiliaries = Auxiliaries::new(old.len(), variables).unwrap();
            let variances = settings["variances"].as_str().map(|name| fixture.numbers(name));
            let calibration = CalibrationSettings {
                variances: variances.as_deref(),
                tolerance: 1e-12,
                ..CalibrationSettings::new(distance(settings))
            };
            let totals = numbers(&settings["totals"]);
            let result = calibrate(old, &auxiliaries, &totals, &calibration).unwrap();
            check(&result.weights, &result.residuals, true);
            let only_categories = entries.iter().all(|entry| text(entry, "kind") != "values");
            if calibration.distance == Distance::Raking && only_categories {
                // The same by iterative proportional fitting: the first category has what the others leave.
                let mut start = 1;
                let all: Vec<(&[u32], Vec<f64>)> = (entries.iter().zip(&columns.codes).skip(1))
                    .map(|(_, codes)| {
                        let others = codes.iter().max().map_or(0, |&code| code as usize);
                        let mut margin = vec![totals[0] - totals[start..start + others].iter().sum::<f64>()];
                        margin.extend(&totals[start..start + others]);
                        start += others;
                        (codes.as_slice(), margin)
                    })
                    .collect();
                let margins: Vec<Margin<'_>> = all
                    .iter()
                    .map(|(categories, totals)| Margin { categories, totals })
                    .collect();
                let settings = RakingSettings {
                    tolerance: 1e-13,
                    iterations: 2_000,
                };
                let raked = rake(old, &margins, &settings).unwrap();
                check(&raked.weights, &raked.residuals, true);
            }
        }
        "trim" => {
            let bounds = TrimmingBounds {
                lower: settings["lower"].as_f64().unwrap(),
                upper: settings["upper"].as_f64().unwrap(),
                strict: settings["strict"].as_bool().unwrap(),
            };
            check(&trim(old, bounds).unwrap().weights, &NoAdjustment, true);
        }
        "nonresponse" => {
            let kinds = [
                Disposition::Respondent,
                Disposition::Nonrespondent,
                Disposition::Ineligible,
                Disposition::Unknown,
            ];
            let dispositions: Vec<Disposition> = fixture
                .codes(text(settings, "dispositions"))
                .iter()
                .map(|&code| kinds[code as usize])
                .collect();
            let classes = fixture.codes(text(settings, "classes"));
            let rule = CollapsingRule {
                minimum_respondents: 1,
                largest_factor: f64::INFINITY,
            };
            let result = adjust_for_nonresponse(old, &dispositions, &classes, &rule).unwrap();
            check(&result.weights, &NoAdjustment, false);
        }
        other => panic!("{other}"),
    }
}

fn compare_fixture(fixture: &Fixture, comparisons: &mut Comparisons) {
    let old = fixture.numbers("weight");
    let (clusters, strata) = (fixture.codes("cluster"), fixture.codes("stratum"));
    let population = fixture.has("population").then(|| fixture.numbers("population"));
    for case in fixture.cases() {
        let name = text(case, "name");
        apply(fixture, case, &old, |weights, residuals, has_statistics| {
            for (weight, expected) in weights.iter().zip(numbers(&case["weights"])) {
                comparisons.compare((&fixture.name, name, "weight"), *weight, expected, 1e-9, 1e-9);
            }
            let summary = WeightSummary::of(weights).unwrap();
            for (field, value) in [
                ("total", summary.total),
                ("smallest", summary.smallest),
                ("largest", summary.largest),
                ("design_effect", summary.design_effect),
                ("effective_rows", summary.effective_rows),
            ] {
                let expected = case["summary"][field].as_f64().unwrap();
                let label = format!("summary: {field}");
                comparisons.compare((&fixture.name, name, &label), value, expected, 1e-9, 1e-9);
            }
            let statistics = case["statistics"].as_array().unwrap();
            assert_eq!(has_statistics, !statistics.is_empty(), "{name}");
            for statistic in statistics {
                let kind = text(statistic, "kind");
                let (point, influence) = linearised(fixture, statistic, weights);
                let expected = statistic["point"].as_f64().unwrap();
                comparisons.compare((&fixture.name, name, kind), point, expected, 1e-9, 1e-9);
                let variance =
                    taylor_variance(&residuals.adjust(&influence), &clusters, &strata, population.as_deref());
                let standard_error = statistic["standard_error"].as_f64().unwrap();
                let label = format!("standard error of a {kind}");
                // Where calibration fixes a total, its standard error is rounding.
                let floor = 1e-3 * expected.abs();
                comparisons.compare(
                    (&fixture.name, name, &label),
                    variance.sqrt(),
                    standard_error,
                    1e-9,
                    floor,
                );
            }
        });
    }
}

fn compare_all(fixtures: &[Fixture]) {
    let mut comparisons = Comparisons::default();
    for fixture in fixtures {
        compare_fixture(fixture, &mut comparisons);
    }
    let count = comparisons.print(&fixtures[0].oracle());
    assert!(count > 500, "only {count} comparisons");
    assert_eq!(fixtures.len(), 6);
}

#[test]
fn weights_agree_with_the_fixtures() {
    compare_all(&committed("weights_"));
}

#[test]
fn weights_agree_with_r() {
    compare_all(&made_again("weights.R", "weights_"));
}
