//! Official figures stand beside the survey's estimates, with their source and the difference.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a step that fails is a failed test")]

use khaosat_tests::installation::Installation;
use serde_json::Value;

fn indicator<'a>(overview: &'a Value, code: &str) -> &'a Value {
    let indicators = overview["indicators"].as_array().unwrap();
    indicators.iter().find(|indicator| indicator["code"] == code).unwrap()
}

#[test]
fn figures_by_year_and_source_are_kept_corrected_and_shown() {
    let installation = Installation::new();
    let set = |arguments: &[&str]| installation.run(&[&["indicator", "official", "set"], arguments].concat());
    let server = installation.serve();
    assert_eq!(
        indicator(&server.overview(None), "KTS-01")["official"],
        serde_json::json!([])
    );
    // Recorded by another process while the server runs.
    set(&[
        "KTS-01",
        "--year",
        "2023",
        "--percent",
        "11.2",
        "--source",
        "Cục Thống kê",
    ])
    .success();
    set(&[
        "KTS-01",
        "--year",
        "2024",
        "--percent",
        "14.1",
        "--source",
        "Cục Thống kê",
    ])
    .success();
    set(&[
        "KTS-01",
        "--year",
        "2024",
        "--percent",
        "15",
        "--source",
        "Bộ KH&CN",
        "--note",
        "ước",
    ])
    .success();
    // A correction.
    set(&[
        "KTS-01",
        "--year",
        "2023",
        "--percent",
        "11.5",
        "--source",
        "Cục Thống kê",
    ])
    .success();
    set(&[
        "KTS-02",
        "--year",
        "2024",
        "--percent",
        "9",
        "--source",
        "S",
        "--sector",
        "Du lịch",
    ])
    .success();
    // The plan says «đạt trên» 10 %: 10 itself does not meet it.
    set(&[
        "KTS-04",
        "--year",
        "2024",
        "--percent",
        "10",
        "--source",
        "Sở Công Thương",
    ])
    .success();

    let overview = server.overview(None);
    let shown = indicator(&overview, "KTS-01")["official"].as_array().unwrap();
    let figures: Vec<_> = shown
        .iter()
        .map(|figure| {
            let text = |name: &str| figure[name].as_str().unwrap();
            (
                figure["year"].as_i64().unwrap(),
                text("source"),
                figure["percent"].as_f64().unwrap(),
                text("decision"),
            )
        })
        .collect();
    assert_eq!(
        figures,
        [
            (2024, "Bộ KH&CN", 15.0, "met"),
            (2024, "Cục Thống kê", 14.1, "missed"),
            (2023, "Cục Thống kê", 11.5, "missed")
        ]
    );
    assert_eq!(indicator(&overview, "KTS-02")["official"][0]["part"], "Du lịch");
    assert_eq!(indicator(&overview, "KTS-04")["official"][0]["decision"], "missed");
    assert_eq!(indicator(&overview, "XHS-01")["official"], serde_json::json!([]));
    // Another unit has none of the province's.
    assert_eq!(
        indicator(&server.overview(Some("28249")), "KTS-01")["official"],
        serde_json::json!([])
    );

    let listed = installation
        .run(&["indicator", "official", "list", "KTS-01", "--format", "json"])
        .success()
        .json();
    assert_eq!(listed.as_array().unwrap().len(), 3);
    let table = installation.run(&["estimate"]).success();
    assert!(
        table
            .text()
            .contains("KTS-01, số liệu chính thức 2024: 14,1 % (Cục Thống kê): chưa đạt"),
        "{}",
        table.text()
    );

    for (arguments, reason) in [
        (
            ["XXX-01", "--year", "2024", "--percent", "1", "--source", "S"],
            "XXX-01",
        ),
        (["KTS-01", "--year", "24", "--percent", "1", "--source", "S"], "1990"),
        (["KTS-01", "--year", "2024", "--percent", "nan", "--source", "S"], "NaN"),
        (
            ["KTS-01", "--year", "2024", "--percent", "1", "--source", " "],
            "chưa ghi nguồn",
        ),
    ] {
        let refused = set(&arguments).failure();
        assert!(refused.stderr.contains(reason), "{}", refused.stderr);
    }
    let listed = installation
        .run(&["indicator", "official", "list", "--format", "json"])
        .success()
        .json();
    assert_eq!(listed.as_array().unwrap().len(), 5);
}
