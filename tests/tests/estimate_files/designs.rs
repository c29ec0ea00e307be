//! Designs of one and several stages, equal and unequal probabilities, against R.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::analyst::{Analyst, Comparisons, csv, fixture, of};

/// A fixture's design as DESIGN.toml.
pub(crate) fn design(description: &Value, settings: &str) -> String {
    let mut toml = format!(
        "weights = {}\ncluster_codes = {}\nsingle_units = {}\n{settings}\n",
        description["weights"], description["labels"], description["single_units"],
    );
    if description["first_stage_only"] == true {
        toml.push_str("variance_stages = \"first\"\n");
    }
    for stage in description["stages"].as_array().unwrap() {
        toml.push_str("[[stage]]\n");
        for (key, field) in [
            ("cluster", "clusters"),
            ("stratum", "strata"),
            ("mean_probability", "mean"),
        ] {
            if !stage[field].is_null() {
                toml.push_str(&format!("{key} = {}\n", stage[field]));
            }
        }
        match stage["kind"].as_str().unwrap() {
            "with_replacement" => {}
            "population" => toml.push_str(&format!("population = {}\n", stage["column"])),
            joint => {
                toml.push_str(&format!("probability = {}\njoint = \"{joint}\"\n", stage["column"]));
                match stage["form"].as_str() {
                    Some("yg") => toml.push_str("form = \"yates_grundy\"\n"),
                    Some(_) => toml.push_str("form = \"horvitz_thompson\"\n"),
                    None => {}
                }
            }
        }
    }
    toml
}

/// A statistic's line in REGISTRY.csv without its code; `None` for what the command does not estimate.
fn indicator(statistic: &Value) -> Option<String> {
    let text = |field: &str| statistic[field].as_str().unwrap();
    Some(match statistic["kind"].as_str().unwrap() {
        kind @ ("total" | "mean" | "proportion") => format!("{kind},{},,", text("value")),
        "quantile" => format!("quantile,{},,{}", text("value"), statistic["probability"]),
        "ratio" | "partition" => format!("ratio,{},{},", text("numerator"), text("denominator")),
        _ => return None,
    })
}

/// What is asked of a fixture's case at one confidence level.
pub(crate) struct Question<'a> {
    /// The statistics that the command estimates, each with its line in REGISTRY.csv.
    statistics: Vec<(&'a Value, String)>,
    lines: BTreeSet<String>,
    pub(crate) registry: String,
    pub(crate) by: Vec<&'a str>,
}

impl<'a> Question<'a> {
    pub(crate) fn of(case: &'a Value, level: f64) -> Self {
        let statistics: Vec<(&Value, String)> = case["statistics"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|statistic| statistic["level"].as_f64().unwrap_or(0.95) == level)
            .filter_map(|statistic| Some((statistic, indicator(statistic)?)))
            .collect();
        let lines: BTreeSet<String> = statistics.iter().map(|(_, line)| line.clone()).collect();
        let mut registry = "code,kind,numerator,denominator,probability\n".to_owned();
        for (number, line) in lines.iter().enumerate() {
            registry.push_str(&format!("S{number},{line}\n"));
        }
        let mut by: BTreeSet<&str> = statistics
            .iter()
            .filter_map(|(statistic, _)| statistic["domain"]["column"].as_str())
            .collect();
        by.extend(statistics.iter().filter_map(|(statistic, _)| statistic["by"].as_str()));
        Self {
            statistics,
            lines,
            registry,
            by: by.into_iter().collect(),
        }
    }

    fn code(&self, line: &str) -> String {
        format!("S{}", self.lines.iter().position(|other| other == line).unwrap())
    }
}

/// Everything that is compared of a fixture's case.
fn compare(fixture: &Value, case: &Value, level: f64, comparisons: &mut Comparisons) {
    let question = Question::of(case, level);
    let code = |line: &String| question.code(line);
    let weights = case["design"]["weights"].as_str().unwrap();
    let data = csv(fixture, weights, &[]);
    // What R calls the intervals of a proportion, and of a quantile.
    let runs = [
        ("logit", "logit", "xlogit", "logit"),
        ("korn_graubard", "beta", "beta", "beta"),
        ("student_t", "mean", "mean", "mean"),
        ("wilson", "wilson", "mean", "mean"),
    ];
    for (method, of_proportion, of_quantile, quantile_method) in runs {
        let settings =
            format!("interval = \"{method}\"\nquantile_interval = \"{quantile_method}\"\nconfidence = {level}");
        let analyst = Analyst::new(&data, &design(&case["design"], &settings), &question.registry);
        let estimates = analyst.estimates(&question.by);
        for (statistic, line) in &question.statistics {
            let what = format!("{} {} {line} {}", fixture["dataset"], case["name"], statistic["domain"]);
            let expected = &statistic["expected"];
            if statistic["kind"] == "partition" {
                let column = statistic["by"].as_str().unwrap();
                for (place, value) in expected["codes"].as_array().unwrap().iter().enumerate() {
                    let actual = of(&estimates, &code(line), Some((column, &value.to_string())));
                    comparisons.compare(&what, &actual["point"], &expected["points"][place], 0.0);
                    // R does not ask whether a domain lies in one first-stage unit, where nothing is known between units.
                    if actual["absences"]["standard_error"] == "single_unit_in_domain" {
                        continue;
                    }
                    comparisons.compare(
                        &what,
                        &actual["standard_error"],
                        &expected["standard_errors"][place],
                        0.0,
                    );
                    comparisons.compare(&what, &actual["design_effect"], &expected["design_effects"][place], 0.0);
                    let degrees = &expected["degrees_of_freedom"][place];
                    comparisons.compare(&what, &actual["degrees_of_freedom"], degrees, 0.0);
                }
                continue;
            }
            let value = statistic["domain"]["code"].to_string();
            let domain = statistic["domain"]["column"]
                .as_str()
                .map(|column| (column, value.as_str()));
            let actual = of(&estimates, &code(line), domain);
            comparisons.compare(&what, &actual["point"], &expected["point"], 0.0);
            let (lower, upper, standard_error) = match statistic["kind"].as_str().unwrap() {
                "proportion" => {
                    let interval = &expected[of_proportion];
                    (&interval[0], &interval[1], &expected["standard_error"])
                }
                "quantile" => {
                    let interval = &expected[of_quantile];
                    if actual["absences"]["interval"] == "no_variation" {
                        // R's interval has no length, or ends beyond 1 by rounding.
                        assert!(
                            matches!(interval["standard_error"].as_f64(), None | Some(0.0)),
                            "{what}"
                        );
                        continue;
                    }
                    // Where one end is beyond all values, there is no interval.
                    if interval["lower"].is_null() || interval["upper"].is_null() {
                        assert!(actual["interval"].is_null(), "{what}: {actual}");
                        assert_eq!(actual["absences"]["interval"], "beyond_observations");
                        continue;
                    }
                    (&interval["lower"], &interval["upper"], &interval["standard_error"])
                }
                _ => {
                    let effects = ["design_effect", "design_effect_with_replacement"];
                    for field in effects.into_iter().filter(|field| !expected[*field].is_null()) {
                        comparisons.compare(&format!("{what} {field}"), &actual[field], &expected[field], 0.0);
                    }
                    comparisons.compare(
                        &what,
                        &actual["degrees_of_freedom"],
                        &expected["degrees_of_freedom"],
                        0.0,
                    );
                    (&expected["lower"], &expected["upper"], &expected["standard_error"])
                }
            };
            comparisons.compare(&what, &actual["standard_error"], standard_error, 0.0);
            let size = actual["point"].as_f64().unwrap().abs();
            comparisons.compare(&format!("{what} lower"), &actual["interval"]["lower"], lower, size);
            comparisons.compare(&format!("{what} upper"), &actual["interval"]["upper"], upper, size);
        }
    }
}

fn compare_data_set(name: &str, wanted: impl Fn(&str) -> bool, at_least: usize) {
    let fixture = fixture(&format!("survey/{name}.json"));
    let mut comparisons = Comparisons::default();
    let cases = fixture["cases"].as_array().unwrap();
    for case in cases.iter().filter(|case| case["design"]["adjustment"].is_null()) {
        if wanted(case["name"].as_str().unwrap()) {
            compare(&fixture, case, 0.95, &mut comparisons);
            if case["statistics"]
                .as_array()
                .unwrap()
                .iter()
                .any(|statistic| statistic["level"] == 0.9)
            {
                compare(&fixture, case, 0.9, &mut comparisons);
            }
        }
    }
    comparisons.end(at_least);
}

#[test]
fn a_stratified_sample_gives_the_figures_of_r() {
    compare_data_set("apistrat", |_| true, 800);
}

#[test]
fn clusters_in_two_stages_without_replacement_give_the_figures_of_r() {
    compare_data_set("apiclus2", |_| true, 800);
    compare_data_set("mu284", |_| true, 100);
}

#[test]
fn clusters_of_one_stage_give_the_figures_of_r() {
    compare_data_set("apiclus1", |_| true, 400);
}

#[test]
fn codes_of_clusters_that_start_anew_in_each_stratum_give_the_figures_of_r() {
    compare_data_set("fpc", |_| true, 100);
    compare_data_set("scd", |_| true, 50);
}

#[test]
fn unequal_probabilities_with_approximate_joint_ones_give_the_figures_of_r() {
    // Joint probabilities themselves are no columns.
    compare_data_set("election_pps", |case| !case.starts_with("joint probabilities"), 100);
}

#[test]
fn three_stages_and_every_policy_for_single_units_give_the_figures_of_r() {
    compare_data_set("simulated_people", |_| true, 200);
}
