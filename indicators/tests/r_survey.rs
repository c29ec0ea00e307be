//! Estimates, intervals and quantiles against the R packages survey and stats.

// What cannot be set up, or compared, fails the test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod surveys;

use indicators::design::Sample;
use indicators::estimators::{Absence, Estimate, Indicator, Settings, ratio};
use indicators::intervals::{ConfidenceLevel, IntervalMethod, beta_quantile, student_t_quantile};
use indicators::variance::LonelyPsu;
use serde_json::{Value, json};
use std::process::Command;
use surveys::{Plan, Survey};

const LEVEL: f64 = 0.95;

/// Runs the R script on an input and returns its output.
fn oracle(input: &Value) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let (input_path, output_path) = (folder.path().join("input.json"), folder.path().join("output.json"));
    std::fs::write(&input_path, serde_json::to_vec(input).unwrap()).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle/estimates.R");
    let run = Command::new("Rscript")
        .arg(script)
        .arg(&input_path)
        .arg(&output_path)
        .output();
    let advice = "this test needs R with the packages survey and jsonlite: run `cargo xtask test`, which installs them";
    let run = run.unwrap_or_else(|error| panic!("cannot run Rscript ({error}); {advice}"));
    let complaint = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "Rscript failed; {advice}\n{complaint}");
    serde_json::from_slice(&std::fs::read(&output_path).unwrap()).unwrap()
}

#[track_caller]
fn assert_close(actual: f64, expected: f64, relative: f64, what: &str) {
    assert!(
        (actual - expected).abs() <= relative * expected.abs().max(1e-6),
        "{what}: {actual:e} here, {expected:e} in R"
    );
}

fn number(expected: &Value, field: &str) -> Option<f64> {
    expected.get(field).unwrap().as_f64()
}

/// Compares one estimate with R's. Returns how its interval was made, so that the caller can see that all kinds occur.
fn compare(estimate: &Estimate, expected: &Value, what: &str) -> Option<IntervalMethod> {
    if number(expected, "households").is_none() {
        // svydesign refuses a design of one unit; nothing may be claimed of its precision here either.
        let reasons = [Absence::SinglePsu, Absence::SingleHousehold, Absence::NoDenominator].map(Some);
        assert!(reasons.contains(&estimate.absences.standard_error), "{what}");
        return None;
    }
    assert_eq!(
        Some(estimate.households as f64),
        number(expected, "households"),
        "{what}"
    );
    for (total, field) in [
        (estimate.numerator_total, "numerator_total"),
        (estimate.denominator_total, "denominator_total"),
    ] {
        assert_close(total, number(expected, field).unwrap(), 1e-12, what);
    }
    match (estimate.point, number(expected, "point")) {
        (Some(point), Some(expected)) => assert_close(point, expected, 1e-12, what),
        (point, expected) => assert_eq!(point, expected, "{what}"),
    }
    if estimate.households > 0 && number(expected, "degrees_of_freedom").is_some() {
        assert_eq!(
            Some(estimate.degrees_of_freedom as f64),
            number(expected, "degrees_of_freedom"),
            "{what}"
        );
    }
    match (estimate.standard_error, number(expected, "standard_error")) {
        (Some(actual), Some(expected)) => assert_close(actual, expected, 1e-9, what),
        (Some(actual), None) => panic!("{what}: {actual} here, nothing in R"),
        // R computes a degenerate value where one hamlet stands for several; here it is withheld.
        (None, Some(_)) => assert_eq!(estimate.absences.standard_error, Some(Absence::SinglePsu), "{what}"),
        (None, None) => assert!(estimate.absences.standard_error.is_some(), "{what}"),
    }
    if let Some(actual) = estimate.design_effect {
        assert_close(actual, number(expected, "design_effect").unwrap(), 1e-8, what);
    }
    let interval = estimate.interval?;
    let fields = match interval.method {
        IntervalMethod::Logit => ["logit_lower", "logit_upper"],
        IntervalMethod::ClopperPearson => ["exact_lower", "exact_upper"],
        IntervalMethod::Census => ["point", "point"],
        IntervalMethod::StudentT => ["linear_lower", "linear_upper"],
        IntervalMethod::Wilson => panic!("{what}: the live path has no such interval"),
    };
    for (actual, field) in [interval.lower, interval.upper].into_iter().zip(fields) {
        assert_close(
            actual,
            number(expected, field).unwrap(),
            1e-9,
            &format!("{what}, {field}"),
        );
    }
    let by_svyciprop = number(expected, "svyciprop_lower").is_some() && estimate.degrees_of_freedom >= 4;
    if interval.method == IntervalMethod::Logit && by_svyciprop {
        // svyciprop fits a model by iteration and stops when its deviance changes by less than 1e-8. It also takes its
        // quantile of t through the normal distribution, which has no such probability left for few degrees of freedom.
        assert_close(interval.lower, number(expected, "svyciprop_lower").unwrap(), 1e-5, what);
        assert_close(interval.upper, number(expected, "svyciprop_upper").unwrap(), 1e-5, what);
    }
    Some(interval.method)
}

fn oracle_input(name: &str, survey: &Survey, plan: &Plan) -> Value {
    let households = &survey.households;
    let column = |value: &dyn Fn(usize) -> f64| (0..households.len()).map(value).collect::<Vec<_>>();
    let hamlet = |row: usize| households[row].psu;
    let stratum = |row: usize| survey.psus[hamlet(row)].stratum;
    json!({
        "name": name,
        "level": LEVEL,
        "lonely_psu": plan.lonely_psu,
        "households": {
            "stratum": column(&|row| stratum(row) as f64),
            "hamlet": column(&|row| hamlet(row) as f64),
            "stratum_hamlets": column(&|row| survey.strata[stratum(row)].psus as f64),
            "hamlet_households": column(&|row| survey.psus[hamlet(row)].households as f64),
        },
        "indicators": (0..surveys::MEASURES.len()).map(|index| json!({
            "name": index.to_string(),
            "numerator": column(&|row| households[row].contributions[index].numerator),
            "denominator": column(&|row| households[row].contributions[index].denominator),
        })).collect::<Vec<_>>(),
        "domains": survey.domains().iter().map(|(name, domain)| json!({
            "name": name,
            "hamlets": domain.members(),
            "population_hamlets": domain.population_psus(),
        })).collect::<Vec<_>>(),
    })
}

fn plans() -> Vec<(&'static str, Plan)> {
    let plain = Plan {
        seed: 1,
        strata: 3,
        frame_psus: (8, 14),
        sampled_psus: (4, 7),
        frame_households: (12, 40),
        responding: (3, 9),
        lists_frame: false,
        lonely_psu: LonelyPsu::Adjust,
    };
    let census = Plan {
        seed: 4,
        strata: 2,
        sampled_psus: (99, 99),
        responding: (99, 99),
        ..plain.clone()
    };
    let lonely = Plan {
        seed: 6,
        sampled_psus: (1, 2),
        responding: (1, 3),
        strata: 4,
        ..plain.clone()
    };
    vec![
        ("plain", plain.clone()),
        (
            "two strata",
            Plan {
                seed: 2,
                strata: 2,
                ..plain.clone()
            },
        ),
        (
            "whole frame listed",
            Plan {
                seed: 3,
                lists_frame: true,
                ..plain.clone()
            },
        ),
        (
            "all hamlets",
            Plan {
                seed: 5,
                responding: (3, 9),
                ..census.clone()
            },
        ),
        ("census", census),
        ("lonely, adjust", lonely.clone()),
        (
            "lonely, certainty",
            Plan {
                lonely_psu: LonelyPsu::Certainty,
                ..lonely.clone()
            },
        ),
        (
            "lonely, fail",
            Plan {
                lonely_psu: LonelyPsu::Fail,
                ..lonely
            },
        ),
        (
            "one household each",
            Plan {
                seed: 8,
                strata: 2,
                responding: (1, 1),
                ..plain.clone()
            },
        ),
        (
            "single hamlet",
            Plan {
                seed: 7,
                strata: 1,
                sampled_psus: (1, 1),
                ..plain
            },
        ),
    ]
}

#[test]
fn estimates_agree_with_r_survey() {
    let surveys: Vec<_> = plans()
        .into_iter()
        .map(|(name, plan)| (name, Survey::draw(&plan), plan))
        .collect();
    let designs: Vec<_> = surveys
        .iter()
        .map(|(name, survey, plan)| oracle_input(name, survey, plan))
        .collect();
    let input = json!({ "designs": designs });
    let output = oracle(&input);
    let mut methods = Vec::new();
    let mut absences = Vec::new();
    for ((plan_name, survey, plan), expected) in surveys.iter().zip(output["designs"].as_array().unwrap()) {
        assert_eq!(expected["name"], *plan_name);
        let mut expected = expected["estimates"].as_array().unwrap().iter();
        let (design, summaries) = (survey.design(), survey.summaries());
        let sample = Sample::new(&design, &summaries).unwrap();
        let settings = Settings {
            level: ConfidenceLevel::new(LEVEL).unwrap(),
            lonely_psu: plan.lonely_psu,
        };
        for (name, domain) in survey.domains() {
            for (index, measure) in surveys::MEASURES.into_iter().enumerate() {
                let what = format!("{plan_name}, domain {name}, indicator {index}");
                let estimate = ratio(&sample, &domain, Indicator { index, measure }, &settings).unwrap();
                methods.extend(compare(&estimate, expected.next().unwrap(), &what));
                let missing = estimate.absences;
                absences.extend(
                    [missing.point, missing.standard_error, missing.interval]
                        .into_iter()
                        .flatten(),
                );
                if *plan_name == "census" && estimate.point.is_some() {
                    assert_eq!(estimate.standard_error, Some(0.0), "{what}");
                }
            }
        }
        assert_eq!(expected.next(), None);
    }
    // The drawn surveys reach every kind of interval and every reason for not giving one.
    for method in [
        IntervalMethod::Census,
        IntervalMethod::Logit,
        IntervalMethod::ClopperPearson,
        IntervalMethod::StudentT,
    ] {
        assert!(methods.contains(&method), "no interval was made by {method:?}");
    }
    for absence in [
        Absence::NoResponses,
        Absence::NoDenominator,
        Absence::SinglePsu,
        Absence::SingleHousehold,
        Absence::LonelyPsu,
        Absence::NoDegreesOfFreedom,
    ] {
        assert!(absences.contains(&absence), "nothing was absent because of {absence:?}");
    }
}

#[test]
fn quantiles_agree_with_r() {
    let mut t = Vec::new();
    let whole = (1..=1000).map(f64::from);
    let fractional = (1..400).map(|step| 0.37 * f64::from(step) + 0.3);
    let large = [2.5e3, 1e4, 1e5, 1e6];
    for df in whole.chain(fractional).chain(large) {
        for p in [0.005, 0.025, 0.1, 0.6, 0.9, 0.95, 0.975, 0.995, 0.9995] {
            t.push((p, df));
        }
    }
    let mut beta = Vec::new();
    let sizes = [0.5, 1.0, 3.7, 12.0, 50.0, 333.3, 2000.0, 40_000.0];
    for size in sizes {
        for share in [0.0, 0.001, 0.02, 0.3, 0.5, 0.88, 0.999] {
            for p in [0.005, 0.025, 0.5, 0.975, 0.995] {
                beta.push((p, size * share + 1.0, size * (1.0 - share)));
                if share > 0.0 {
                    beta.push((p, size * share, size * (1.0 - share) + 1.0));
                }
            }
        }
    }
    let column =
        |values: &[(f64, f64, f64)], part: fn(&(f64, f64, f64)) -> f64| values.iter().map(part).collect::<Vec<_>>();
    let input = json!({ "quantiles": {
        "student_t": {
            "p": t.iter().map(|pair| pair.0).collect::<Vec<_>>(),
            "df": t.iter().map(|pair| pair.1).collect::<Vec<_>>(),
        },
        "beta": {
            "p": column(&beta, |row| row.0), "a": column(&beta, |row| row.1), "b": column(&beta, |row| row.2),
        },
    }});
    let output = oracle(&input);
    let expected = |name: &str| -> Vec<f64> {
        output["quantiles"][name]
            .as_array()
            .unwrap()
            .iter()
            .map(|value| value.as_f64().unwrap())
            .collect()
    };
    let (expected_t, expected_beta) = (expected("student_t"), expected("beta"));
    assert_eq!((expected_t.len(), expected_beta.len()), (t.len(), beta.len()));
    for (&(p, df), expected) in t.iter().zip(expected_t) {
        assert_close(
            student_t_quantile(p, df).unwrap(),
            expected,
            1e-10,
            &format!("qt({p}, {df})"),
        );
    }
    for (&(p, a, b), expected) in beta.iter().zip(expected_beta) {
        assert_close(
            beta_quantile(p, a, b).unwrap(),
            expected,
            1e-10,
            &format!("qbeta({p}, {a}, {b})"),
        );
    }
}
