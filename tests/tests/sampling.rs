//! `khaosat sample`: samples from a frame in CSV, with probabilities, weights and a record to draw them again by.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a step that fails is a failed test")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use khaosat_tests::process::{Ended, khaosat, run_to_end};
use serde_json::Value;
use tempfile::TempDir;

/// Eight hamlets with 900 households in two strata.
const FRAME: &str = "unit,stratum,size,name\n\
    28249-01,đô thị,120,Khu phố 1\n28249-02,đô thị,95,Khu phố 2\n28249-03,đô thị,85,Khu phố 3\n\
    28270-01,nông thôn,210,Ấp Bình\n28270-02,nông thôn,64,Ấp Hòa\n28270-03,nông thôn,88,Ấp Thạnh\n\
    28270-04,nông thôn,136,Ấp Tân\n28270-05,nông thôn,102,Ấp Mỹ\n";

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// Draws from a frame into `output`.
    fn draw(&self, frame: &Path, output: &str, arguments: &[&str]) -> Ended {
        let mut command = khaosat(["sample", "draw"]);
        command
            .arg(frame)
            .arg("--output")
            .arg(self.path(output))
            .args(arguments);
        run_to_end(&mut command)
    }

    /// The rows of a sample, by column.
    fn rows(&self, name: &str) -> Vec<BTreeMap<String, String>> {
        let text = std::fs::read_to_string(self.path(name)).unwrap();
        let mut lines = text.lines();
        let columns: Vec<&str> = lines.next().unwrap().split(',').collect();
        lines
            .map(|line| {
                columns
                    .iter()
                    .map(|column| (*column).to_owned())
                    .zip(line.split(',').map(str::to_owned))
                    .collect()
            })
            .collect()
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.path(name)).unwrap()).unwrap()
    }
}

#[test]
fn hamlets_by_size_and_fifteen_households_each_have_weights_that_are_worked_out_by_hand() {
    let folder = Folder::new();
    let frame = folder.file("frame.csv", FRAME);
    let arguments = ["--method", "pps", "--size", "5", "--households", "15", "--seed", "394"];
    let told = folder.draw(&frame, "sample.csv", &arguments).success();
    assert!(
        told.text().contains("75 dòng") && told.text().contains("75 rows"),
        "{}",
        told.text()
    );
    let rows = folder.rows("sample.csv");
    assert_eq!(rows.len(), 75);
    for row in &rows {
        // 2 of the 3 hamlets with 300 households in towns: 2·M/300·15/M. Of the 5 with 600 in the country 3, and 210·3
        // reaches 600: that hamlet is certain, 15/210, and 2 of the other 390 are drawn, 2·M/390·15/M.
        let (fraction, weight) = match (row["stratum"].as_str(), row["unit"].as_str()) {
            ("đô thị", _) => ("1/10", 10.0),
            (_, "28270-01") => ("1/14", 14.0),
            _ => ("1/13", 13.0),
        };
        assert_eq!(row["inclusion_fraction"], fraction);
        assert_eq!(row["weight"].parse::<f64>().unwrap(), weight);
        let (size, household): (u64, u64) = (row["size"].parse().unwrap(), row["household"].parse().unwrap());
        assert!((1..=size).contains(&household));
    }
    let hamlets: std::collections::BTreeSet<&String> = rows.iter().map(|row| &row["unit"]).collect();
    assert_eq!(hamlets.len(), 5);

    let record = folder.json("sample.record.json");
    assert_eq!((&record["software"], &record["seed"]), (&"khaosat".into(), &394.into()));
    assert_eq!(
        (&record["method"], &record["allocation"]),
        (&"pps".into(), &"proportional".into())
    );
    assert_eq!(record["frame"]["file"], "frame.csv");
    // sha256sum of the frame and of the sample, by Python.
    assert_eq!(record["frame"]["sha256"], digest(&frame));
    assert_eq!(record["sample"]["sha256"], digest(&folder.path("sample.csv")));
    let strata = record["strata"].as_array().unwrap();
    let samples: Vec<_> = strata
        .iter()
        .map(|stratum| (stratum["size"].as_u64(), stratum["sample"].as_u64()))
        .collect();
    assert_eq!(samples, [(Some(600), Some(3)), (Some(300), Some(2))]);

    // What the record says draws the same again, byte for byte; another seed does not.
    folder.draw(&frame, "again.csv", &arguments).success();
    let bytes = |name: &str| std::fs::read(folder.path(name)).unwrap();
    assert_eq!(bytes("again.csv"), bytes("sample.csv"));
    let other = ["--method", "pps", "--size", "5", "--households", "15", "--seed", "395"];
    folder.draw(&frame, "other.csv", &other).success();
    assert_ne!(bytes("other.csv"), bytes("sample.csv"));
    // A sample is never overwritten.
    let refused = folder.draw(&frame, "sample.csv", &other).failure();
    assert!(refused.stderr.contains("đã có"), "{}", refused.stderr);
    assert_eq!(bytes("again.csv"), bytes("sample.csv"));
}

fn digest(file: &Path) -> String {
    let program = "import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], 'rb').read()).hexdigest())";
    let mut python = std::process::Command::new("python3");
    run_to_end(python.args(["-c", program]).arg(file))
        .success()
        .text()
        .trim()
        .to_owned()
}

#[test]
fn a_sample_is_shared_out_by_what_is_known_of_the_strata() {
    let folder = Folder::new();
    // Cochran, Sampling Techniques (1977), section 5.6: strata of 16 and 48 cities, standard deviations √53843 and √5581;
    // of 24, 12 and 12.
    let cities = (0..64).map(|city| format!("C{city},{}\n", if city < 16 { "large" } else { "small" }));
    let frame = folder.file(
        "cities.csv",
        &cities.fold("unit,stratum\n".to_owned(), |text, row| text + &row),
    );
    let strata = folder.file("strata.csv", "stratum,standard_deviation\nsmall,74.71\nlarge,232.04\n");
    let strata = strata.to_str().unwrap();
    let arguments = [
        "--size",
        "24",
        "--allocation",
        "neyman",
        "--strata",
        strata,
        "--seed",
        "1",
    ];
    folder.draw(&frame, "sample.csv", &arguments).success();
    let rows = folder.rows("sample.csv");
    let large = rows.iter().filter(|row| row["stratum"] == "large").count();
    assert_eq!((rows.len(), large), (24, 12));
    assert!(
        rows.iter()
            .all(|row| row["inclusion_fraction"] == if row["stratum"] == "large" { "3/4" } else { "1/4" })
    );
    let record = folder.json("sample.record.json");
    assert_eq!(record["strata_file"]["file"], "strata.csv");
    let share = record["strata"][0]["share"].as_f64().unwrap();
    assert!((share - 12.21).abs() < 0.005, "{share}");

    let given = folder.file("given.csv", "stratum,sample_size\nsmall,2\nlarge,16\n");
    let arguments = [
        "--allocation",
        "given",
        "--strata",
        given.to_str().unwrap(),
        "--seed",
        "1",
    ];
    folder.draw(&frame, "given-sample.csv", &arguments).success();
    let rows = folder.rows("given-sample.csv");
    let certain = rows.iter().filter(|row| row["certainty"] == "true").count();
    assert_eq!((rows.len(), certain), (18, 16));
}

#[test]
fn what_is_wrong_with_a_frame_is_told_by_row_and_column_and_nothing_is_written() {
    let folder = Folder::new();
    let refused = |frame: &str, arguments: &[&str]| {
        let frame = folder.file("bad.csv", frame);
        let ended = folder.draw(&frame, "none.csv", arguments).failure();
        assert!(!folder.path("none.csv").exists() && !folder.path("none.record.json").exists());
        ended.stderr
    };
    let pps: &[&str] = &["--method", "pps", "--size", "1"];
    let told = refused("unit,size\nA,10\nA,x\n,0\n", pps);
    for part in [
        "dòng 3, cột unit",
        "dòng 3, cột size",
        "dòng 4, cột unit",
        "dòng 4, cột size",
    ] {
        assert!(told.contains(part), "{told}");
    }
    assert!(refused("unit\nA\n", pps).contains("thiếu cột size"));
    assert!(refused("unit,stratum\nA,\nB,1\n", &["--size", "1"]).contains("dòng 2, cột stratum"));
    assert!(refused("unit\nA\nB\n", &["--size", "3"]).contains("chỉ có 2"));
    assert!(refused("unit\nA\nB\n", &["--size", "1"]).contains("tối thiểu 2"));
    assert!(refused("unit\nA\nB\n", &["--size", "2", "--allocation", "neyman"]).contains("standard_deviation"));
    let strata = folder.file("strata.csv", "stratum,standard_deviation\n1,-2\n3,1\n");
    let arguments = [
        "--size",
        "4",
        "--allocation",
        "neyman",
        "--strata",
        strata.to_str().unwrap(),
    ];
    let told = refused("unit,stratum\nA,1\nB,1\nC,2\nD,2\n", &arguments);
    for part in [
        "dòng 2, cột standard_deviation",
        "dòng 3, cột stratum",
        "thiếu dòng của tầng 2",
    ] {
        assert!(told.contains(part), "{told}");
    }
    let english = ["--size", "4", "--language", "en"];
    assert!(refused("unit\nA\nB\nA\nC\n", &english).contains("line 4, column unit: unit A stands in an earlier row"));
}

#[test]
fn the_size_of_a_sample_is_planned() {
    let plan = |arguments: &[&str]| run_to_end(khaosat(["sample", "plan"]).args(arguments));
    // Cochran (1977), section 4.4: with z = 2, 400 and, of 3,200, 356.
    let island = [
        "--margin",
        "5",
        "--confidence",
        "95.44997361036416",
        "--population",
        "3200",
        "--format",
        "json",
    ];
    let planned = plan(&island).success().json();
    assert_eq!(
        (planned["interviews"].as_u64(), planned["approached"].as_u64()),
        (Some(356), Some(356))
    );
    let clustered = plan(&[
        "--margin",
        "3",
        "--icc",
        "0.05",
        "--per-hamlet",
        "15",
        "--response-rate",
        "90",
        "--format",
        "json",
    ]);
    let planned = clustered.success().json();
    // 1.96²/4/0.03² = 1067.07; times 1 + 14·0.05 = 1.7; by 0.9; in hamlets of 15.
    assert_eq!(planned["interviews"], 1815);
    assert_eq!(planned["approached"], 2017);
    assert_eq!(planned["hamlets"], 121);
    let text = plan(&["--interviews", "400"]).success();
    assert!(text.text().contains("±4,90"), "{}", text.text());
    let refused = plan(&["--margin", "0"]).failure();
    assert!(
        refused.stderr.contains("sai số biên là 0; phải lớn hơn 0"),
        "{}",
        refused.stderr
    );
}
