//! Modelled figures of communes against R, from the direct estimates that the server gives and what the frame says.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Frame, Reduced, assert_close, data, rows, run_r, serve};

/// A commune as the model sees it.
struct Commune {
    /// Of its direct estimate: the point, the variance where there is one, and what the denominator counts.
    direct: Option<(f64, Option<f64>, f64)>,
    households: f64,
    /// One, the share of households in urban hamlets, the logarithm of their number.
    covariates: [f64; 3],
    shown: Value,
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

/// The households of each commune: all, and those in urban hamlets.
fn households(frame: &Frame) -> BTreeMap<&str, (f64, f64)> {
    let mut households: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for hamlet in frame.hamlets.values() {
        let (all, urban) = households.entry(&hamlet.commune_code).or_default();
        *all += hamlet.households as f64;
        *urban += if hamlet.kind == "khu phố" {
            hamlet.households as f64
        } else {
            0.0
        };
    }
    households
}

#[test]
fn modelled_figures_of_communes_agree_with_r() {
    let frame = Frame::read();
    let households = households(&frame);
    let (_folder, server) = serve();
    server.current_overview();
    let stored: Vec<(Vec<u8>,)> = rows(data(), "SELECT reduced FROM projection ORDER BY response_key");
    let stored: Vec<Reduced> = stored
        .iter()
        .map(|(bytes,)| Reduced::from_bytes(bytes).unwrap())
        .collect();

    for (measured, code) in [(0, "XHS-01"), (4, "XHS-05")] {
        let mut communes = Vec::new();
        for district in server.overview(None)["children"].as_array().unwrap() {
            let page = server.indicator(district["code"].as_str().unwrap(), code);
            for child in page["children"].as_array().unwrap() {
                let commune = child["code"].as_str().unwrap();
                let (all, urban) = households[commune];
                assert_eq!(number(&child["coverage"]["frame_households"]), all);
                let estimate = match child["direct"].is_null() {
                    true => Value::Null,
                    false => server.indicator(commune, code)["indicator"]["estimate"].clone(),
                };
                communes.push(Commune {
                    direct: estimate["point"].as_f64().map(|point| {
                        let variance = estimate["standard_error"].as_f64().map(|error| error * error);
                        (point, variance, number(&estimate["denominator_count"]).round())
                    }),
                    households: all,
                    covariates: [1.0, urban / all, all.ln()],
                    shown: child["modelled"].clone(),
                });
            }
        }
        // Those with figures first, as the script takes them.
        communes.sort_by_key(|commune| commune.direct.is_none());
        let with_figures = communes.iter().filter(|commune| commune.direct.is_some()).count();
        assert!((10..communes.len() - 10).contains(&with_figures), "{with_figures}");

        let counted = stored.iter().filter(|reduced| reduced.responded);
        let (numerator, denominator) = counted.fold((0.0, 0.0), |(numerator, denominator), reduced| {
            let (more, of) = reduced.values[measured];
            (numerator + more, denominator + of)
        });
        let expected = (numerator + 1.0) / (denominator + 2.0);
        let direct: Vec<_> = communes.iter().filter_map(|commune| commune.direct).collect();
        let smoothed = run_r(
            "small_areas.R",
            &json!({ "smooth": [{
                "n": direct.iter().map(|direct| direct.2).collect::<Vec<f64>>(),
                "p": vec![expected; direct.len()],
                "psi": direct.iter().map(|direct| direct.1).collect::<Vec<Option<f64>>>(),
            }] }),
        );
        let covariates: Vec<[f64; 3]> = communes.iter().map(|commune| commune.covariates).collect();
        let (x, new) = covariates.split_at(with_figures);
        let model = run_r(
            "small_areas.R",
            &json!({ "cases": [{
                "y": direct.iter().map(|direct| direct.0).collect::<Vec<f64>>(),
                "psi": smoothed[0]["psi"],
                "x": x,
                "new": new,
                "method": "reml",
            }] }),
        );
        let model = &model[0];
        let points = [numbers(&model["eblup"]), numbers(&model["new"])].concat();
        let errors = [numbers(&model["mse"]), numbers(&model["new_mse"])].concat();

        // Wang, Fuller & Qu (2008): the difference to the whole goes to areas by weight and mean squared error.
        let all: f64 = communes.iter().map(|commune| commune.households).sum();
        let weights: Vec<f64> = communes.iter().map(|commune| commune.households / all).collect();
        let page = server.indicator("82", code);
        let sum: f64 = weights.iter().zip(&points).map(|(weight, point)| weight * point).sum();
        let difference = number(&page["indicator"]["estimate"]["point"]) - sum;
        let spread: f64 = weights
            .iter()
            .zip(&errors)
            .map(|(weight, error)| weight * weight * error)
            .sum();
        for (place, commune) in communes.iter().enumerate() {
            let what = format!("{code}, commune {place}");
            let agreeing = points[place] + difference * weights[place] * errors[place] / spread;
            assert_close(number(&commune.shown["point"]), agreeing.clamp(0.0, 1.0), &what);
            assert_close(
                number(&commune.shown["root_mean_squared_error"]),
                errors[place].sqrt(),
                &what,
            );
            let source = if commune.direct.is_some() {
                "combined"
            } else {
                "synthetic"
            };
            assert_eq!(commune.shown["source"], source, "{what}");
        }
        // The province itself is no commune, and its districts are not modelled.
        assert!(page["model"].is_null() && page["children"][0]["modelled"].is_null());
    }
}
