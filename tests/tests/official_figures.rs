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

const HEADER: &str = "unit,indicator,year,source,sector,percent,note\n";

#[test]
fn a_csv_file_is_recorded_whole_and_exported_as_it_can_be_imported() {
    let installation = Installation::new();
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    let import = |installation: &Installation, rows: &str| {
        std::fs::write(path, format!("{HEADER}{rows}")).unwrap();
        installation.run(&["indicator", "official", "import", path])
    };
    let export = |installation: &Installation| {
        installation
            .run(&["indicator", "official", "export"])
            .success()
            .text()
            .to_owned()
    };
    let rows = "82,KTS-01,2024,Cục Thống kê,,14.1,\n\
                82,KTS-01,2023,\"Bộ KH&CN, Hà Nội\",,11.5,ước\n\
                28249,KTS-02,2024,S,Du lịch,-0.5,\"'=1+1, 'đã sửa\"\n";
    let imported = import(&installation, rows).success().text().to_owned();
    assert!(imported.contains("3 số liệu"), "{imported}");
    let exported = export(&installation);
    let mut lines: Vec<&str> = exported.lines().skip(1).collect();
    let mut expected: Vec<&str> = rows.lines().collect();
    lines.sort_unstable();
    expected.sort_unstable();
    assert_eq!(lines, expected);
    assert!(exported.starts_with(HEADER));
    // Again, and into another installation: the same figures.
    import(&installation, exported.strip_prefix(HEADER).unwrap()).success();
    assert_eq!(export(&installation), exported);
    let other = Installation::new();
    import(&other, exported.strip_prefix(HEADER).unwrap()).success();
    assert_eq!(export(&other), exported);
    // What was recorded by hand begins as a formula does, and comes out as text.
    let formula = [
        "KTS-01",
        "--year",
        "2020",
        "--percent",
        "1",
        "--source",
        "=HYPERLINK(1)",
        "--note",
        "+84",
    ];
    installation
        .run(&[&["indicator", "official", "set"], &formula[..]].concat())
        .success();
    let exported = export(&installation);
    assert!(exported.contains("82,KTS-01,2020,'=HYPERLINK(1),,1,'+84"), "{exported}");
    import(&other, exported.strip_prefix(HEADER).unwrap()).success();
    assert_eq!(export(&other), exported);
}

#[test]
fn a_csv_file_with_a_mistake_records_nothing_and_names_every_cell() {
    let installation = Installation::new();
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    let refused = |text: &str| {
        std::fs::write(path, text).unwrap();
        let run = |language: &str| {
            installation
                .run(&["--language", language, "indicator", "official", "import", path])
                .failure()
                .stderr
        };
        (run("vi"), run("en"))
    };
    let long = "x".repeat(1_001);
    let rows = format!(
        "82,KTS-01,2024,S,,14.1,\n\
         XX,KTS-01,2024,S,,14.1,\n\
         82,KTS-99,24,S,,14.1,\n\
         82,KTS-01,2023, ,,\"14,1\",\n\
         82,KTS-01,2022,S,,NaN,{long}\n\
         82,KTS-01,2024,S,,9,\n"
    );
    let (vietnamese, english) = refused(&format!("{HEADER}{rows}"));
    for words in [
        "dòng 3, cột unit: không có đơn vị hành chính mã \"XX\"",
        "dòng 4, cột indicator: bộ chỉ tiêu không có chỉ tiêu mã \"KTS-99\"",
        "dòng 4, cột year: năm là 24",
        "dòng 5, cột source: chưa ghi nguồn",
        "dòng 5, cột percent: \"14,1\" không hợp lệ",
        "dòng 6, cột percent: giá trị là NaN",
        "dòng 6, cột note:",
        "dòng 7, cột indicator: số liệu KTS-01 2024 đã có ở một dòng trước",
    ] {
        assert!(vietnamese.contains(words), "{words:?} is not in {vietnamese}");
    }
    for words in [
        "line 3, column unit",
        "line 5, column percent: \"14,1\" is not valid",
        "line 7, column indicator",
    ] {
        assert!(english.contains(words), "{words:?} is not in {english}");
    }
    let (vietnamese, english) = refused("unit,indicator,year,source,percent\n82,KTS-01,2024,S,1\n");
    assert!(vietnamese.contains("thiếu cột sector") && english.contains("column note is missing"));
    let (vietnamese, _) = refused("\u{0}PAR1");
    assert!(vietnamese.starts_with("Lỗi: "), "{vietnamese}");
    let exported = installation
        .run(&["indicator", "official", "export"])
        .success()
        .text()
        .to_owned();
    assert_eq!(exported, HEADER);
}
