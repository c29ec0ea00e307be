//! Microdata in Parquet files, written by pyarrow: the same figures as from CSV, and every refusal told.

use std::path::{Path, PathBuf};

use khaosat_tests::process::{Ended, khaosat, run_to_end};
use khaosat_tests::python::python;
use serde_json::Value;
use tempfile::TempDir;

use crate::analyst::{csv, fixture};
use crate::designs::{Question, design};

const DATASETS: [&str; 15] = [
    "apiclus1",
    "apiclus2",
    "apisrs",
    "apistrat",
    "apistrat_single",
    "crowd",
    "election_pps",
    "fpc",
    "hospital",
    "mu284",
    "nhanes",
    "scd",
    "simulated_people",
    "simulated_rounds",
    "yrbs",
];

/// A folder into which pyarrow has written.
fn written(what: &str, prepare: impl FnOnce(&Path)) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let ended = python("parquet_files.py")
        .arg(what)
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    folder
}

/// Runs the command over a file of microdata with a design and a registry beside it.
fn estimate(data: &Path, design: &str, registry: &str, arguments: &[&str]) -> Ended {
    let beside = |name: &str, text: &str| -> PathBuf {
        let path = data.with_extension(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let mut command = khaosat(["estimate", "--data"]);
    command.arg(data);
    command.arg("--design").arg(beside("design", design));
    command.arg("--indicators").arg(beside("registry", registry));
    run_to_end(command.args(arguments))
}

/// The data sets whose figures from CSV are compared with R's give the same figures, to the last digit, from Parquet.
#[test]
fn the_figures_are_those_of_csv() {
    let fixtures: Vec<Value> = DATASETS
        .iter()
        .map(|name| fixture(&format!("survey/{name}.json")))
        .collect();
    let folder = written("tables", |folder| {
        for (name, fixture) in DATASETS.iter().zip(&fixtures) {
            let weights = fixture["cases"][0]["design"]["weights"].as_str().unwrap();
            std::fs::write(folder.join(format!("{name}.csv")), csv(fixture, weights, &[])).unwrap();
        }
    });
    let mut figures = 0;
    for (name, fixture) in DATASETS.iter().zip(&fixtures) {
        let case = &fixture["cases"][0];
        let question = Question::of(case, 0.95);
        let by = question.by.iter().flat_map(|column| ["--by", column]);
        let arguments: Vec<&str> = ["--format", "csv"].into_iter().chain(by).collect();
        let from = |extension: &str| {
            let data = folder.path().join(name).with_extension(extension);
            estimate(&data, &design(&case["design"], ""), &question.registry, &arguments)
                .success()
                .text()
                .to_owned()
        };
        let (parquet, csv) = (from("parquet"), from("csv"));
        assert_eq!(parquet, csv, "{name}");
        figures += csv
            .split([',', '\n'])
            .filter(|cell| cell.parse::<f64>().is_ok())
            .count();
    }
    assert!(figures > 5_000, "{figures}");
}

/// The labels of the domains that a column has, in the order of the rows that they are in; none for a missing cell.
fn labels(data: &Path, column: &str) -> Vec<Option<String>> {
    let registry = "code,kind,numerator\nW,mean,w\n";
    let arguments = ["--format", "json", "--by", column];
    let json = estimate(data, "weights = \"w\"\n", registry, &arguments)
        .success()
        .json();
    // The rows' weights are 1, 2 and 3, so that a domain's mean says which row it is.
    let mut labels = vec![None; 3];
    for estimate in json["estimates"].as_array().unwrap() {
        if let Some(label) = estimate["domain"][column].as_str() {
            labels[estimate["point"].as_f64().unwrap() as usize - 1] = Some(label.to_owned());
        }
    }
    labels
}

#[test]
fn every_type_of_value_is_the_text_that_csv_would_have() {
    let folder = written("types", |_| ());
    let expected: [(&str, [Option<&str>; 3]); 20] = [
        ("text", [Some("Tiền Giang"), None, Some("có khoảng trắng")]),
        ("large_text", [Some("a"), Some("b"), None]),
        ("dictionary", [Some("nam"), Some("nữ"), None]),
        ("bytes", [Some("x"), None, Some("y")]),
        // As in CSV.
        ("empty_text", [None, None, Some("c")]),
        // So that a share can be taken of it.
        ("truth", [Some("1"), Some("0"), None]),
        ("small", [Some("-128"), None, Some("127")]),
        ("unsigned_small", [Some("255"), Some("0"), None]),
        ("unsigned", [Some("4294967295"), None, Some("1")]),
        ("unsigned_large", [Some("18446744073709551615"), None, Some("1")]),
        (
            "large",
            [Some("-9223372036854775808"), None, Some("9223372036854775807")],
        ),
        // A float of four bytes is the number that it is, not the shorter one that was written down.
        ("single", [Some("0.10000000149011612"), None, Some("2")]),
        ("decimal", [Some("-0.05"), None, Some("123.40")]),
        ("long_decimal", [Some("12345678901234567890.5"), None, None]),
        ("date", [Some("2025-07-01"), Some("1969-12-31"), None]),
        ("time", [Some("12:30:15"), None, Some("00:00:00")]),
        ("local", [Some("2025-07-01T12:30:15.25"), None, None]),
        ("universal", [Some("2025-07-01T12:30:15.25Z"), None, None]),
        ("nothing", [None, None, None]),
        ("w", [Some("1"), Some("2"), Some("3")]),
    ];
    for way in 0..6 {
        let data = folder.path().join(format!("types-{way}.parquet"));
        for (column, expected) in &expected {
            // All ways for two, and the ways by turns for the others: each is a run of the command.
            if way == column.len() % 6 || ["dictionary", "decimal"].contains(column) {
                let labels = labels(&data, column);
                let labels: Vec<Option<&str>> = labels.iter().map(Option::as_deref).collect();
                assert_eq!(labels, expected, "{column} in {}", data.display());
            }
        }
    }
    // What is not a number is missing.
    let double = labels(&folder.path().join("types-0.parquet"), "double");
    assert_eq!(double[0].as_deref(), Some("0.1"));
    assert_eq!(double[1], None);
    assert_eq!(double[2].as_ref().unwrap().parse(), Ok(1e300));
    let old = labels(&folder.path().join("old.parquet"), "local");
    assert_eq!(old, [Some("2025-07-01T12:30:15.25".to_owned()), None, None]);
    let required = labels(&folder.path().join("required.parquet"), "w");
    assert_eq!(required.iter().flatten().collect::<Vec<_>>(), ["1", "2", "3"]);
}

/// Runs over a file that is refused, and checks what both languages say.
#[track_caller]
fn refused(data: &Path, numerator: &str, vietnamese: &str, english: &str) {
    for (language, prefix, words) in [("vi", "Lỗi: ", vietnamese), ("en", "Error: ", english)] {
        let registry = format!("code,kind,numerator\nA,mean,{numerator}\n");
        let ended = estimate(data, "weights = \"w\"\n", &registry, &["--language", language]).failure();
        assert!(ended.stdout.is_empty(), "{ended:?}");
        assert!(ended.stderr.starts_with(prefix), "{}", ended.stderr);
        assert!(ended.stderr.contains(words), "{words:?} is not in {}", ended.stderr);
    }
}

#[test]
fn what_cannot_be_read_is_told() {
    let types = written("types", |_| ());
    let data = types.path().join("types-0.parquet");
    let nested = "cột chứa danh sách hoặc cột con";
    refused(
        &data,
        "members",
        nested,
        "column members: the column holds lists or columns of its own",
    );
    refused(&data, "household", nested, "column household: the column holds lists");
    refused(&data, "texts", "có phải là \"text\"?", "did you mean \"text\"?");
    // A table has its names in line 1, whatever it is kept in.
    refused(
        &data,
        "dictionary",
        "dòng 2, cột dictionary: \"nam\" không phải là số",
        "line 2, column dictionary: \"nam\" is not a number",
    );
    let folder = written("refused", |_| ());
    for (name, vietnamese, english) in [
        (
            "lz4",
            "nén kiểu LZ4_RAW không đọc được",
            "compression LZ4_RAW cannot be read",
        ),
        (
            "delta",
            "cột text: tệp Parquet hỏng",
            "column text: the Parquet file is broken: NYI: the encoding DELTA_BYTE_ARRAY",
        ),
        (
            "bytes",
            "cột text: các byte không phải",
            "column text: the bytes are no UTF-8 text",
        ),
        ("empty", "không có dòng dữ liệu", "the table has no rows"),
        (
            "twice",
            "cột w: có hai cột cùng tên này",
            "column w: two columns have this name",
        ),
        (
            "cells",
            "bảng có 140000000 ô, nhiều hơn",
            "the table has 140000000 cells, more than",
        ),
        ("unpacked", "khi giải nén, tệp có 28", "unpacked, the file has 28"),
    ] {
        refused(
            &folder.path().join(name).with_extension("parquet"),
            "w",
            vietnamese,
            english,
        );
    }
    let too_large = folder.path().join("too_large.csv");
    std::fs::File::create(&too_large)
        .unwrap()
        .set_len((256 << 20) + 1)
        .unwrap();
    refused(
        &too_large,
        "w",
        "lớn hơn 268435456 byte",
        "has more than 268435456 bytes",
    );
}

#[test]
fn broken_files_are_answered() {
    let folder = written("types", |_| ());
    let data = folder.path().join("broken.parquet");
    let (mut read, mut refused) = (0, 0);
    for way in 0..6 {
        let sound = std::fs::read(folder.path().join(format!("types-{way}.parquet"))).unwrap();
        let cut = |part: usize| sound[..sound.len() * part / 4].to_vec();
        let mut broken: Vec<Vec<u8>> = (1..4).map(cut).collect();
        for place in (way * 41..sound.len()).step_by(701) {
            let mut flipped = sound.clone();
            flipped[place] ^= 0xff;
            broken.push(flipped);
        }
        for bytes in broken {
            std::fs::write(&data, bytes).unwrap();
            let ended = estimate(
                &data,
                "weights = \"w\"\n",
                "code,kind,numerator\nA,mean,w\n",
                &["--by", "text"],
            );
            assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
            match ended.status.code() {
                Some(0) => read += 1,
                Some(1) => refused += 1,
                other => panic!("{other:?}: {}", ended.stderr),
            }
            assert_eq!(ended.status.success(), ended.stderr.is_empty(), "{}", ended.stderr);
        }
    }
    assert!(refused > 30, "{read} read, {refused} refused");
}
