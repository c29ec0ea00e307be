//! Imputed answers: estimates over several imputations against the R packages survey and mitools.

// What cannot be set up, or compared, fails the test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod comparisons;

use comparisons::{Comparisons, committed, run_r, taylor_variance};
use indicators::missing::{HotDeck, HotDeckSettings, combine, completeness};
use serde_json::{Value, json};

#[test]
fn imputed_estimates_agree_with_r() {
    // Cholesterol is missing for 745 of 8,591 people of nhanes.
    let fixtures = committed("weights_nhanes");
    let fixture = &fixtures[0];
    let (weights, known) = (fixture.numbers("weight"), fixture.numbers("known"));
    let (clusters, strata) = (fixture.codes("cluster"), fixture.codes("stratum"));
    let values: Vec<Option<f64>> = fixture
        .numbers("high")
        .into_iter()
        .zip(&known)
        .map(|(high, &known)| (known == 1.0).then_some(high))
        .collect();
    let is_observed: Vec<bool> = values.iter().map(Option::is_some).collect();
    // Classes of age and sex.
    let classes: Vec<u32> = fixture
        .codes("age")
        .into_iter()
        .zip(fixture.codes("sex"))
        .map(|(age, sex)| 2 * age + sex)
        .collect();
    let settings = HotDeckSettings {
        imputations: 6,
        seed: 42,
    };
    let deck = HotDeck::new(&is_observed, &classes, settings).unwrap();
    let filled: Vec<Vec<f64>> = (0..6)
        .map(|imputation| deck.fill(&deck.donors(imputation).unwrap(), &values).unwrap())
        .collect();

    let complete = 16.0;
    let input = json!({
        "columns": { "weight": weights, "cluster": clusters, "stratum": strata, "known": known },
        "imputations": filled,
        "complete_degrees_of_freedom": complete,
    });
    let folder = tempfile::tempdir().unwrap();
    let paths = [folder.path().join("input.json"), folder.path().join("output.json")];
    std::fs::write(&paths[0], serde_json::to_vec(&input).unwrap()).unwrap();
    run_r("missing.R", &paths);
    let output: Value = serde_json::from_slice(&std::fs::read(&paths[1]).unwrap()).unwrap();

    let mut comparisons = Comparisons::default();
    let shares = completeness(&weights, &[&values]).unwrap();
    for (field, actual) in [
        ("share", shares.columns[0].share),
        ("weighted_share", shares.columns[0].weighted_share),
    ] {
        let expected = output["missing"][field].as_f64().unwrap();
        let label = format!("missing: {field}");
        comparisons.compare(("nhanes", "missing", &label), actual, expected, 1e-12, 1e-9);
        assert!(expected > 0.0);
    }
    let estimates = output["estimates"].as_array().unwrap();
    assert_eq!(estimates.len(), 3);
    for estimate in estimates {
        let name = estimate["name"].as_str().unwrap();
        let (mut points, mut variances) = (Vec::new(), Vec::new());
        for column in &filled {
            // A domain's rows outside count as zeros; the size of a total is 1, so that it is no ratio.
            let inside = |row: usize| name != "mean of a domain" || row.is_multiple_of(2);
            let weight = |row: usize| if inside(row) { weights[row] } else { 0.0 };
            let sum: f64 = column.iter().enumerate().map(|(row, value)| weight(row) * value).sum();
            let size: f64 = (0..column.len()).map(weight).sum();
            let (point, size, mean) = if name == "total" {
                (sum, 1.0, 0.0)
            } else {
                (sum / size, size, sum / size)
            };
            let influence: Vec<f64> = column
                .iter()
                .enumerate()
                .map(|(row, value)| weight(row) * (value - mean) / size)
                .collect();
            points.push(point);
            variances.push(taylor_variance(&influence, &clusters, &strata, None));
        }
        let infinite = combine(&points, &variances, None).unwrap();
        let finite = combine(&points, &variances, Some(complete)).unwrap();
        for (field, actual) in [
            ("point", infinite.point),
            ("variance", infinite.variance),
            ("degrees_of_freedom", infinite.degrees_of_freedom.unwrap()),
            ("missing_information", infinite.missing_information),
            ("barnard_rubin", finite.degrees_of_freedom.unwrap()),
        ] {
            comparisons.compare(
                ("nhanes", name, field),
                actual,
                estimate[field].as_f64().unwrap(),
                1e-9,
                1e-12,
            );
        }
    }
    let version = |name: &str| output[name].as_str().unwrap().to_owned();
    let oracle = format!("R {} mitools {}", version("r"), version("mitools"));
    assert_eq!(comparisons.print(&oracle), 17);
}
