//! `[small_areas]`: modelled estimates beside direct ones, against the papers' formulas in R.

use std::fmt::Write as _;
use std::process::Command;

use khaosat_tests::installation::repository;
use serde_json::{Value, json};

use crate::analyst::{Analyst, Comparisons, of};
use crate::bad_input::told;

/// Names of the methods in DESIGN.toml and in the R script.
const METHODS: [(&str, &str); 4] = [
    ("restricted_maximum_likelihood", "reml"),
    ("maximum_likelihood", "ml"),
    ("fay_herriot_moment", "fh"),
    ("prasad_rao_moment", "pr"),
];
/// The normal distribution's quantile at 0.975.
const Z: f64 = 1.959_963_984_540_054;
const REGISTRY: &str = "code,kind,numerator\nM,mean,y\n";

/// The expenditure on fresh milk in 43 areas of the United States, with the standard errors and the major areas.
fn milk() -> Value {
    let path = repository().join("indicators/tests/oracle/small_area_datasets.json");
    let datasets: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    datasets.into_iter().find(|data| data["name"] == "milk").unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_f64().unwrap())
        .collect()
}

/// Microdata whose direct estimates are those of the data set: in a stratum of two units drawn with replacement, the mean
/// has half their distance as its standard error.
fn microdata(milk: &Value) -> String {
    let mut data = "w,area,unit,y\n".to_owned();
    for (area, (mean, variance)) in numbers(&milk["y"]).into_iter().zip(numbers(&milk["psi"])).enumerate() {
        for (unit, sign) in [(1, -1.0), (2, 1.0)] {
            writeln!(data, "1,{area},{unit},{}", mean + sign * f64::sqrt(variance)).unwrap();
        }
    }
    data
}

/// The areas with their covariates, and two more that nobody was interviewed in.
fn areas(milk: &Value) -> String {
    let mut text = "area,second,third,fourth,people\n".to_owned();
    let covariates = milk["x"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| numbers(row)[1..].to_vec());
    let unvisited = [vec![0.0, 1.0, 0.0], vec![0.0, 0.0, 0.0]];
    for (area, row) in covariates.chain(unvisited).enumerate() {
        writeln!(text, "{area},{},{},{},{}", row[0], row[1], row[2], 1_000 + 37 * area).unwrap();
    }
    text
}

const DESIGN: &str = "weights = \"w\"\ncluster_codes = \"within_strata\"\n\n[[stage]]\nstratum = \"area\"\ncluster = \"unit\"\n\n\
                      [small_areas]\ncolumn = \"area\"\nfile = \"areas.csv\"\ncovariates = [\"second\", \"third\", \"fourth\"]\n";

fn analyst(design: &str) -> Analyst {
    let milk = milk();
    let analyst = Analyst::new(&microdata(&milk), design, REGISTRY);
    analyst.write("areas.csv", &areas(&milk));
    analyst
}

fn oracle(input: &Value) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("input.json"), folder.path().join("output.json"));
    std::fs::write(&from, input.to_string()).unwrap();
    let script = repository().join("indicators/tests/oracle/small_areas.R");
    let ended = Command::new("Rscript")
        .arg(script)
        .arg(&from)
        .arg(&to)
        .output()
        .unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    serde_json::from_slice(&std::fs::read(to).unwrap()).unwrap()
}

/// Compares the report of a run with one case of the R script.
fn compare(report: &Value, code: &str, areas: usize, expected: &Value, comparisons: &mut Comparisons) {
    let estimates = report["estimates"].as_array().unwrap();
    let model = &report["models"][0];
    comparisons.compare(
        "variance between areas",
        &model["between_area_variance"],
        &expected["sigma2"],
        0.0,
    );
    for (place, coefficient) in model["coefficients"].as_array().unwrap().iter().enumerate() {
        comparisons.compare("coefficient", &coefficient["value"], &expected["beta"][place], 0.0);
        comparisons.compare(
            "its error",
            &coefficient["standard_error"],
            &expected["beta_error"][place],
            0.0,
        );
    }
    let figures = &model["diagnostics"];
    for (ours, theirs) in [("log_likelihood", "loglike"), ("akaike", "aic"), ("bayesian", "bic")] {
        comparisons.compare(ours, &figures[ours], &expected[theirs], 0.0);
    }
    let sampled = expected["eblup"].as_array().unwrap().len();
    for area in 0..areas {
        let modelled = &of(estimates, code, Some(("area", &area.to_string())))["modelled"];
        let error = modelled["root_mean_squared_error"].as_f64().unwrap();
        let squared = json!(error * error);
        let estimate = modelled["estimate"].as_f64().unwrap();
        for (end, expected) in [("lower", estimate - Z * error), ("upper", estimate + Z * error)] {
            comparisons.compare(end, &modelled[end], &json!(expected), 1.0);
        }
        let (source, estimates, errors, place) = match area.checked_sub(sampled) {
            None => ("combined", &expected["eblup"], &expected["mse"], area),
            Some(place) => ("synthetic", &expected["new"], &expected["new_mse"], place),
        };
        assert_eq!(modelled["source"], source);
        comparisons.compare("estimate", &modelled["estimate"], &estimates[place], 0.0);
        comparisons.compare("mean squared error", &squared, &errors[place], 0.0);
        if source == "combined" {
            comparisons.compare(
                "direct weight",
                &modelled["direct_weight"],
                &expected["gamma"][place],
                0.0,
            );
            let residual = &modelled["standardised_residual"];
            comparisons.compare("residual", residual, &expected["standardised"][place], 1e-3);
        }
    }
}

#[test]
fn models_of_43_areas_are_those_of_the_formulas_in_r() {
    let milk = milk();
    let cases = METHODS.map(|(_, name)| {
        json!({"y": milk["y"], "psi": milk["psi"], "x": milk["x"], "new": [[1, 0, 1, 0], [1, 0, 0, 0]], "method": name})
    });
    let expected = oracle(&json!({ "cases": cases }));
    let mut comparisons = Comparisons::default();
    for (place, (method, _)) in METHODS.iter().enumerate() {
        let analyst = analyst(&format!("{DESIGN}method = \"{method}\"\n"));
        let report = analyst.run(&["--by", "area", "--format", "json"]).success().json();
        assert_eq!(report["models"][0]["method"], *method);
        compare(&report, "M", 45, &expected[place], &mut comparisons);
    }
    comparisons.end(1_000);
}

#[test]
fn areas_agree_with_the_whole_where_that_is_asked_for() {
    for method in ["ratio", "difference", "error_weighted"] {
        let analyst = analyst(&format!("{DESIGN}population = \"people\"\nbenchmark = \"{method}\"\n"));
        let report = analyst.run(&["--by", "area", "--format", "json"]).success().json();
        let estimates = report["estimates"].as_array().unwrap();
        let whole = of(estimates, "M", None)["point"].as_f64().unwrap();
        let (mut sum, mut before, mut people) = (0.0, 0.0, 0.0);
        for area in 0..45 {
            let modelled = &of(estimates, "M", Some(("area", &area.to_string())))["modelled"];
            let share = f64::from(1_000 + 37 * area);
            sum += share * modelled["estimate"].as_f64().unwrap();
            before += share * modelled["before_benchmark"].as_f64().unwrap();
            people += share;
        }
        assert!((sum / people - whole).abs() < 1e-12, "{method}");
        assert!((before / people - whole).abs() > 1e-3, "{method}");
        assert_eq!(report["models"][0]["benchmark"], method);
    }
}

/// Answers of yes and no in 43 areas with 4 to 20 rows each, in pairs of clusters; in some areas all say yes.
fn answers() -> String {
    let mut data = "w,area,unit,y\n".to_owned();
    for area in 0..43_u32 {
        let rows = 4 + area * 7 % 17;
        for row in 0..rows {
            let yes = area % 9 == 4 || (row * 13 + area * 5) % 11 < 5 + area % 3;
            writeln!(data, "{},{area},{},{}", 1 + row % 3, row % 4, u8::from(yes)).unwrap();
        }
    }
    data
}

#[test]
fn smoothed_variances_are_those_of_r() {
    let design = format!("{DESIGN}smoothing = \"design_effect\"\n");
    let analyst = Analyst::new(&answers(), &design, "code,kind,numerator\nP,proportion,y\n");
    analyst.write("areas.csv", &areas(&milk()));
    let report = analyst.run(&["--by", "area", "--format", "json"]).success().json();
    let estimates = report["estimates"].as_array().unwrap();
    let whole = of(estimates, "P", None)["point"].as_f64().unwrap();
    let direct: Vec<&Value> = (0..43)
        .map(|area| of(estimates, "P", Some(("area", &area.to_string()))))
        .collect();
    let error = |estimate: &Value| estimate["standard_error"].as_f64();
    assert!(
        direct.iter().any(|estimate| error(estimate) == Some(0.0)),
        "some area's own variance is 0"
    );
    let smooth = json!({
        "n": direct.iter().map(|estimate| &estimate["rows"]).collect::<Vec<_>>(),
        "p": vec![whole; 43],
        "psi": direct.iter().map(|estimate| error(estimate).map(|error| error * error)).collect::<Vec<_>>(),
    });
    let smoothed = oracle(&json!({ "smooth": [smooth] }))[0].clone();
    let mut comparisons = Comparisons::default();
    let model = &report["models"][0];
    comparisons.compare(
        "design effect",
        &model["smoothing_design_effect"],
        &smoothed["design_effect"],
        0.0,
    );
    for (place, estimate) in direct.iter().enumerate() {
        let modelled = &estimate["modelled"];
        comparisons.compare("variance", &modelled["sampling_variance"], &smoothed["psi"][place], 0.0);
        assert_eq!(modelled["is_variance_smoothed"], true);
    }
    let points: Vec<&Value> = direct.iter().map(|estimate| &estimate["point"]).collect();
    let case = json!({"y": points, "psi": smoothed["psi"], "x": milk()["x"], "new": [[1, 0, 1, 0], [1, 0, 0, 0]], "method": "reml"});
    let expected = oracle(&json!({ "cases": [case] }));
    compare(&report, "P", 45, &expected[0], &mut comparisons);
    comparisons.end(300);
}

#[test]
fn the_table_and_csv_mark_what_is_modelled() {
    let analyst = analyst(DESIGN);
    let by = ["--by", "area"];
    let english = analyst
        .run(&[&["--language", "en"], &by[..]].concat())
        .success()
        .text()
        .to_owned();
    for words in [
        "Estimates modelled by Fay & Herriot: not measured",
        "43 areas with interviews",
        "model alone",
    ] {
        assert!(english.contains(words), "{english}");
    }
    let vietnamese = analyst.run(&by).success().text().to_owned();
    assert!(vietnamese.contains("không phải số đo trực tiếp") && vietnamese.contains("chỉ mô hình"));
    let csv = analyst
        .run(&["--by", "area", "--format", "csv"])
        .success()
        .text()
        .to_owned();
    let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    let column = |name: &str| rows[0].iter().position(|column| *column == name).unwrap();
    assert_eq!(rows.len(), 1 + 1 + 45);
    // Everybody together is not modelled; an area without interviews has nothing else.
    assert_eq!(rows[1][column("modelled_source")], "");
    assert_eq!(rows[46][column("modelled_source")], "synthetic");
    assert_eq!(rows[46][column("point")], "");
    assert_eq!(rows[46][column("point_absent")], "empty_domain");
    assert!(rows[2][column("modelled_estimate")].parse::<f64>().is_ok());
}

#[test]
fn what_cannot_be_modelled_is_told() {
    let by = ["--by", "area"];
    told(
        &analyst(DESIGN),
        &[],
        &["design.toml", "dòng 9: cần --by area"],
        &["design.toml", "line 9: --by area is needed"],
    );
    told(
        &analyst(&format!("{DESIGN}benchmark = \"ratio\"\n")),
        &by,
        &["dòng 12: benchmark cần population"],
        &["line 12: benchmark needs population"],
    );
    told(
        &analyst(&DESIGN.replace("\"second\"", "\"secnd\"")),
        &by,
        &["areas.csv", "thiếu cột secnd"],
        &["areas.csv", "column secnd is missing"],
    );
    told(
        &analyst(&DESIGN.replace("areas.csv", "communes.csv")),
        &by,
        &["không đọc được"],
        &["cannot read"],
    );
    let sound = areas(&milk());
    for (wrong, vietnamese, english) in [
        (
            sound.replace("\n7,1", "\nx7,1"),
            "thiếu các khu vực có trong dữ liệu: 7",
            "areas of the data are missing: 7",
        ),
        (
            sound.replace("\n8,1", "\n7,1"),
            "dòng 10, cột area: khu vực 7 đã có",
            "line 10, column area: area 7 stands in an earlier row",
        ),
        (
            sound.replace("\n7,1", "\n7,nhiều"),
            "dòng 9, cột second: \"nhiều\" không hợp lệ",
            "line 9, column second: \"nhiều\" is not valid",
        ),
        (
            sound.replace("\n7,1", "\n7,inf"),
            "cột second: phải là số hữu hạn",
            "column second: the number must be finite",
        ),
    ] {
        let analyst = analyst(DESIGN);
        analyst.write("areas.csv", &wrong);
        told(&analyst, &by, &["areas.csv", vietnamese], &["areas.csv", english]);
    }
    // Where all say yes, there is no variance to smooth.
    let design = format!("{DESIGN}smoothing = \"design_effect\"\n");
    let all = analyst(&design);
    all.write("registry.csv", "code,kind,numerator\nP,proportion,w = 1\n");
    let told = all.run(&[&["--language", "en"], &by[..]].concat()).success();
    assert!(
        told.text().contains("no model: the proportion of everybody is 1"),
        "{}",
        told.text()
    );
    // A model that cannot be had leaves the direct estimates.
    for (design, vietnamese, english) in [
        (
            DESIGN.replace("\"fourth\"", "\"second\""),
            "không lập được mô hình: biến bổ trợ second phụ thuộc",
            "no model: covariate second depends linearly",
        ),
        (
            format!("{DESIGN}population = \"fourth\"\nbenchmark = \"ratio\"\n").replace(", \"fourth\"]", "]"),
            "43 khu vực có phỏng vấn",
            "43 areas with interviews",
        ),
    ] {
        for (language, words) in [("vi", vietnamese), ("en", english)] {
            let ended = analyst(&design)
                .run(&[&["--language", language], &by[..]].concat())
                .success();
            assert!(ended.text().contains(words), "{words:?} is not in {}", ended.text());
        }
    }
}
