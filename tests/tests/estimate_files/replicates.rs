//! Replicate weights, made and given, against R.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::analyst::{Analyst, Comparisons, csv, fixture, of};
use crate::calibration::{compare, margin, registry};

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|value| value.as_f64().unwrap())
        .collect()
}

/// Multipliers of the rows from how often each cluster was drawn: times n/(n − 1).
fn multipliers(fixture: &Value, counts: &Value) -> Vec<(String, Vec<f64>)> {
    let (clusters, strata) = (
        numbers(&fixture["columns"]["cluster"]),
        numbers(&fixture["columns"]["stratum"]),
    );
    let mut positions: BTreeMap<u64, usize> = BTreeMap::new();
    let mut sizes: BTreeMap<u64, f64> = BTreeMap::new();
    for (cluster, stratum) in clusters.iter().zip(&strata) {
        let next = positions.len();
        positions.entry(*cluster as u64).or_insert_with(|| {
            *sizes.entry(*stratum as u64).or_default() += 1.0;
            next
        });
    }
    let columns = counts
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
        .map(|(replicate, counts)| {
            let counts = numbers(counts);
            let values = clusters.iter().zip(&strata).map(|(cluster, stratum)| {
                let size = sizes[&(*stratum as u64)];
                counts[positions[&(*cluster as u64)]] * size / (size - 1.0)
            });
            (format!("rep{replicate}"), values.collect())
        });
    columns.collect()
}

#[test]
fn replicates_give_the_standard_errors_of_r() {
    let mut comparisons = Comparisons::default();
    let mut methods = std::collections::BTreeSet::new();
    for name in [
        "apiclus1",
        "apiclus2",
        "apisrs_pairs",
        "apistrat",
        "crowd",
        "crowd_lonely",
        "fpc",
        "mu284",
        "scd",
    ] {
        let fixture = fixture(&format!("replicates_{name}.json"));
        for case in fixture["cases"].as_array().unwrap() {
            let settings = &case["settings"];
            let mut design = "weights = \"weight\"\n".to_owned();
            if let Some(policy) = settings["lonely"].as_str() {
                design.push_str(&format!("single_units = \"{policy}\"\n"));
            }
            design.push_str("[[stage]]\ncluster = \"cluster\"\nstratum = \"stratum\"\n");
            if settings["fpc"] == true {
                design.push_str("population = \"population\"\n");
            }
            design.push_str("[replicates]\n");
            if settings["mse"] == true {
                design.push_str("centre = \"full_estimate\"\n");
            }
            let method = case["method"].as_str().unwrap();
            methods.insert(method.to_owned());
            let mut further = Vec::new();
            match method {
                "balanced" if settings["fay_rho"] == 0 => design.push_str("method = \"brr\"\n"),
                "balanced" => design.push_str(&format!("method = \"fay\"\nrho = {}\n", settings["fay_rho"])),
                "counts" => {
                    further = multipliers(&fixture, &settings["counts"]);
                    design.push_str("method = \"bootstrap\"\ncolumns = [\"rep*\"]\ncombined = false\n");
                }
                _ => design.push_str("method = \"jkn\"\n"),
            }
            match method {
                "post_stratified" => {
                    design.push_str("[calibration]\nmethod = \"post_strata\"\n");
                    design.push_str(&margin("type", &numbers(&settings["totals"])));
                }
                "calibrated" => {
                    design.push_str(&format!("[calibration]\nmethod = {}\n", settings["distance"]));
                    if !settings["lower"].is_null() {
                        design.push_str(&format!(
                            "lower = {}\nupper = {}\n",
                            settings["lower"], settings["upper"]
                        ));
                    }
                    let totals = numbers(&settings["totals"]);
                    design.push_str(&margin(
                        "type",
                        &[totals[0] - totals[1] - totals[2], totals[1], totals[2]],
                    ));
                    if let Some(total) = totals.get(3) {
                        design.push_str(&format!(
                            "[[calibration.margin]]\ncolumn = \"api99\"\ntotal = {total:?}\n"
                        ));
                    }
                }
                _ => {}
            }
            let analyst = Analyst::new(&csv(&fixture, "weight", &further), &design, &registry(case));
            let json = analyst.run(&["--format", "json"]).success().json();
            let what = format!("{name} {}", case["name"]);
            compare(&what, case, json["estimates"].as_array().unwrap(), &mut comparisons);
            comparisons.compare(
                &format!("{what}: degrees of freedom"),
                &json["sample"]["replicates"]["degrees_of_freedom"],
                &case["degrees_of_freedom"],
                0.0,
            );
        }
    }
    assert_eq!(methods.len(), 5, "{methods:?}");
    comparisons.end(400);
}

#[test]
fn the_jackknife_without_strata_by_hand_and_the_bootstrap_by_seed() {
    // Values 1, 2, 6: the variance of their mean is s²/3 = 7/3.
    let (data, registry) = ("w,y\n1,1\n1,2\n1,6\n", "code,kind,numerator\nM,mean,y\n");
    let with = |section: &str| Analyst::new(data, &format!("weights = \"w\"\n[replicates]\n{section}"), registry);
    let jackknife = with("method = \"jk1\"\n").estimates(&[]);
    let standard_error = of(&jackknife, "M", None)["standard_error"].as_f64().unwrap();
    assert!((standard_error - (7.0_f64 / 3.0).sqrt()).abs() < 1e-12);
    let bootstrap = |seed: u64| {
        let section = format!("method = \"bootstrap\"\nreplicates = 200\nseed = {seed}\n");
        with(&section).estimates(&[])[0]["standard_error"].as_f64().unwrap()
    };
    assert_eq!(bootstrap(7), bootstrap(7));
    assert_ne!(bootstrap(7), bootstrap(8));
}

#[test]
fn a_domain_that_a_replicate_leaves_nothing_of_has_no_standard_error() {
    let data = "w,g,y\n1,a,1\n1,a,2\n1,a,6\n1,b,4\n";
    let analyst = Analyst::new(
        data,
        "weights = \"w\"\n[replicates]\nmethod = \"jk1\"\n",
        "code,kind,numerator\nM,mean,y\n",
    );
    let estimates = analyst.estimates(&["g"]);
    let alone = of(&estimates, "M", Some(("g", "b")));
    assert_eq!(alone["point"], 4.0);
    assert!(alone["standard_error"].is_null());
    assert_eq!(alone["absences"]["standard_error"], "empty_in_replicate");
    assert!(of(&estimates, "M", Some(("g", "a")))["standard_error"].is_f64());
}
