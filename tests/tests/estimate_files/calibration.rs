//! Calibrated, raked and post-stratified weights against R.

use serde_json::Value;

use crate::analyst::{Analyst, Comparisons, csv, fixture, of};

/// One indicator per statistic.
pub(crate) fn registry(case: &Value) -> String {
    let mut registry = "code,kind,numerator,denominator\n".to_owned();
    for (number, statistic) in case["statistics"].as_array().unwrap().iter().enumerate() {
        let text = |field: &str| statistic[field].as_str().unwrap_or_default();
        registry.push_str(&format!(
            "S{number},{},{},{}\n",
            text("kind"),
            text("numerator"),
            text("denominator")
        ));
    }
    registry
}

/// Compares points and standard errors of a case.
pub(crate) fn compare(what: &str, case: &Value, estimates: &[Value], comparisons: &mut Comparisons) {
    for (number, statistic) in case["statistics"].as_array().unwrap().iter().enumerate() {
        let actual = of(estimates, &format!("S{number}"), None);
        let what = format!("{what}: {}", statistic["kind"]);
        comparisons.compare(&what, &actual["point"], &statistic["point"], 1e-9);
        // Where calibration fixes a total, its standard error is rounding.
        let floor = 1e-3 * statistic["point"].as_f64().unwrap().abs();
        comparisons.compare(&what, &actual["standard_error"], &statistic["standard_error"], floor);
    }
}

/// A margin with what its first category leaves to the others.
pub(crate) fn margin(column: &str, totals: &[f64]) -> String {
    let totals: Vec<String> = totals
        .iter()
        .enumerate()
        .map(|(category, total)| format!("{category} = {total:?}"))
        .collect();
    format!(
        "[[calibration.margin]]\ncolumn = \"{column}\"\ntotals = {{ {} }}\n",
        totals.join(", ")
    )
}

/// The section [calibration] of a case; `None` for what the command does not do.
fn section(fixture: &Value, case: &Value) -> Option<String> {
    let settings = &case["settings"];
    let numbers = |value: &Value| -> Vec<f64> {
        value
            .as_array()
            .unwrap()
            .iter()
            .map(|total| total.as_f64().unwrap())
            .collect()
    };
    match case["method"].as_str().unwrap() {
        "post_stratify" => {
            let entry = &settings["margins"][0];
            let totals = numbers(&entry["totals"]);
            let margin = margin(entry["column"].as_str().unwrap(), &totals);
            Some(format!("[calibration]\nmethod = \"post_strata\"\n{margin}"))
        }
        "calibrate" if settings["variances"].is_null() => {
            let mut toml = format!("[calibration]\nmethod = {}\n", settings["distance"]);
            for bound in ["lower", "upper"] {
                if !settings[bound].is_null() {
                    toml.push_str(&format!("{bound} = {}\n", settings[bound]));
                }
            }
            let mut totals = numbers(&settings["totals"]).into_iter();
            let mut population = None;
            for entry in settings["auxiliaries"].as_array().unwrap() {
                let column = entry["column"].as_str().unwrap_or_default();
                match entry["kind"].as_str().unwrap() {
                    "constant" => population = totals.next(),
                    "values" => {
                        let total = totals.next().unwrap();
                        toml.push_str(&format!(
                            "[[calibration.margin]]\ncolumn = \"{column}\"\ntotal = {total:?}\n"
                        ));
                    }
                    _ => {
                        let codes = numbers(&fixture["columns"][column]);
                        let others = codes.iter().fold(0.0_f64, |most, code| most.max(*code)) as usize;
                        let others: Vec<f64> = totals.by_ref().take(others).collect();
                        let first = population.unwrap() - others.iter().sum::<f64>();
                        toml.push_str(&margin(column, &[vec![first], others].concat()));
                    }
                }
            }
            Some(toml)
        }
        _ => None,
    }
}

#[test]
fn calibrated_weights_give_the_standard_errors_of_r() {
    let mut comparisons = Comparisons::default();
    let mut methods = std::collections::BTreeSet::new();
    for name in ["apiclus1", "apiclus2", "apistrat", "apisrs"] {
        let fixture = fixture(&format!("weights_{name}.json"));
        let data = csv(&fixture, "weight", &[]);
        let population = match fixture["columns"].get("population") {
            Some(_) => "population = \"population\"\n",
            None => "",
        };
        let stage =
            format!("weights = \"weight\"\n[[stage]]\ncluster = \"cluster\"\nstratum = \"stratum\"\n{population}");
        for case in fixture["cases"].as_array().unwrap() {
            if let Some(section) = section(&fixture, case) {
                methods.insert(section.lines().nth(1).unwrap().to_owned());
                let analyst = Analyst::new(&data, &format!("{stage}{section}"), &registry(case));
                compare(
                    &format!("{name} {}", case["name"]),
                    case,
                    &analyst.estimates(&[]),
                    &mut comparisons,
                );
            }
        }
    }
    assert_eq!(methods.len(), 4, "{methods:?}");
    comparisons.end(500);
}

#[test]
fn totals_may_come_from_a_file_and_domains_share_them() {
    // One category of the margin is one domain: its weights add up to the total, without a standard error.
    let data = "w,sex,y\n1,nam,1\n1,nam,2\n1,nu,3\n1,nu,5\n";
    let design = "weights = \"w\"\n[calibration]\nmethod = \"raking\"\n[[calibration.margin]]\ncolumn = \"sex\"\n\
                  file = \"sexes.csv\"\n";
    let analyst = Analyst::new(data, design, "code,kind,numerator\nN,total,w\nY,total,y\nM,mean,y\n");
    analyst.write("sexes.csv", "category,total\nnam,30\nnu,50\n");
    let estimates = analyst.estimates(&["sex"]);
    let men = of(&estimates, "N", Some(("sex", "nam")));
    assert!((men["point"].as_f64().unwrap() - 30.0).abs() < 1e-9);
    assert!(men["standard_error"].as_f64().unwrap() < 1e-9);
    // 15·(1 + 2) + 25·(3 + 5) = 245, and residuals from the means of 1.5 and 4.
    let everybody = of(&estimates, "Y", None);
    assert!((everybody["point"].as_f64().unwrap() - 245.0).abs() < 1e-9);
    // w·e: −7.5, 7.5, −25, 25; with replacement 4/3 · (2·56.25 + 2·625) = 5450/3.
    let variance: f64 = 5450.0 / 3.0;
    assert!((everybody["standard_error"].as_f64().unwrap() - variance.sqrt()).abs() < 1e-9);
    // Of the men, (1·15 + 2·15)/30 and the same residuals over 30.
    let men = of(&estimates, "M", Some(("sex", "nam")));
    assert!((men["point"].as_f64().unwrap() - 1.5).abs() < 1e-12);
    let variance: f64 = 4.0 / 3.0 * 2.0 * 56.25 / 900.0;
    assert!((men["standard_error"].as_f64().unwrap() - variance.sqrt()).abs() < 1e-12);
}
