//! `khaosat tabulate`: small counts are hidden, and nobody can work them out again.

use khaosat_tests::process::{Ended, khaosat, run_to_end};
use serde_json::Value;

/// A file with so many rows in each cell of a table of communes by reasons; the weights are 2.
fn file(counts: &[[u32; 3]]) -> tempfile::NamedTempFile {
    let mut data = "w,commune,reason\n".to_owned();
    for (row, line) in counts.iter().enumerate() {
        for (column, count) in line.iter().enumerate() {
            for _ in 0..*count {
                data.push_str(&format!("2,C{row},R{column}\n"));
            }
        }
    }
    data.push_str("2,C0,\n2,,R0\n2,NA,R1\n");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), data).unwrap();
    file
}

const COUNTS: [[u32; 3]; 4] = [[12, 20, 3], [30, 9, 14], [8, 25, 0], [17, 11, 22]];

fn run(file: &tempfile::NamedTempFile, arguments: &[&str]) -> Ended {
    let mut command = khaosat(["tabulate", "--data"]);
    command.arg(file.path());
    run_to_end(
        command
            .args(["--rows", "commune", "--columns", "reason"])
            .args(arguments),
    )
}

fn cells(json: &Value, part: &str) -> Vec<Vec<Option<f64>>> {
    let line = |line: &Value| {
        line.as_array()
            .unwrap()
            .iter()
            .map(|cell| cell[part].as_f64())
            .collect()
    };
    json["cells"].as_array().unwrap().iter().map(line).collect()
}

/// The counts with their totals.
fn with_totals(counts: &[[u32; 3]]) -> Vec<Vec<u32>> {
    let mut lines: Vec<Vec<u32>> = counts
        .iter()
        .map(|line| [&line[..], &[line.iter().sum()]].concat())
        .collect();
    let total = (0..4)
        .map(|column| lines.iter().map(|line| line[column]).sum())
        .collect();
    lines.push(total);
    lines
}

/// The values that the cell may have, found by going through all tables that have the shown counts and totals.
fn possible(shown: &[Vec<Option<f64>>], cell: (usize, usize)) -> std::collections::BTreeSet<u32> {
    // Hidden inner cells, each with the rows and columns that must still be filled.
    let hidden: Vec<(usize, usize)> = (0..shown.len() - 1)
        .flat_map(|row| (0..3).map(move |column| (row, column)))
        .filter(|(row, column)| shown[*row][*column].is_none())
        .collect();
    let left =
        |line: &[Option<f64>], total: Option<f64>| -> f64 { total.unwrap() - line.iter().flatten().sum::<f64>() };
    let mut rows: Vec<f64> = shown[..shown.len() - 1]
        .iter()
        .map(|line| left(&line[..3], line[3]))
        .collect();
    let mut columns: Vec<f64> = (0..3)
        .map(|column| {
            let line: Vec<Option<f64>> = shown[..shown.len() - 1].iter().map(|line| line[column]).collect();
            left(&line, shown[shown.len() - 1][column])
        })
        .collect();
    let mut found = std::collections::BTreeSet::new();
    fill(&hidden, &mut rows, &mut columns, cell, None, &mut found);
    found
}

fn fill(
    hidden: &[(usize, usize)],
    rows: &mut [f64],
    columns: &mut [f64],
    cell: (usize, usize),
    value: Option<u32>,
    found: &mut std::collections::BTreeSet<u32>,
) {
    let Some(((row, column), rest)) = hidden.split_first() else {
        if rows.iter().chain(columns.iter()).all(|left| *left == 0.0) {
            found.extend(value);
        }
        return;
    };
    for count in 0..=rows[*row].min(columns[*column]) as u32 {
        rows[*row] -= f64::from(count);
        columns[*column] -= f64::from(count);
        let value = if (*row, *column) == cell { Some(count) } else { value };
        fill(rest, rows, columns, cell, value, found);
        rows[*row] += f64::from(count);
        columns[*column] += f64::from(count);
    }
}

#[test]
fn a_small_count_is_hidden_and_cannot_be_worked_out() {
    let file = file(&COUNTS);
    let json = run(&file, &["--weights", "w", "--format", "json"]).success().json();
    assert_eq!(json["left_out"], 3);
    assert_eq!(json["rows"]["labels"], serde_json::json!(["C0", "C1", "C2", "C3"]));
    let shown = cells(&json, "count");
    let all = with_totals(&COUNTS);
    for (row, line) in shown.iter().enumerate() {
        for (column, count) in line.iter().enumerate() {
            // What is shown is true, with its weighted count beside it.
            let weighted = cells(&json, "weighted_count")[row][column];
            match count {
                Some(count) => {
                    assert_eq!(*count, f64::from(all[row][column]));
                    assert_eq!(weighted, Some(2.0 * count));
                }
                None => assert_eq!(weighted, None),
            }
        }
    }
    assert_eq!(json["cells"][0][2]["status"], "primary");
    assert_eq!(shown[2][2], Some(0.0), "zeros are shown");
    // All totals are large, so they are shown, and whoever tries all tables finds the 3 anywhere from 0 to 8.
    assert!(
        shown[4]
            .iter()
            .chain(shown.iter().map(|line| &line[3]))
            .all(Option::is_some)
    );
    let possible = possible(&shown, (0, 2));
    assert!(
        possible.contains(&0) && possible.iter().any(|count| *count >= 8),
        "{possible:?}"
    );
}

#[test]
fn where_everything_is_small_everything_is_hidden() {
    let json = run(&file(&[[1, 0, 2], [0, 1, 0]]), &["--format", "json"])
        .success()
        .json();
    for (counts, all) in cells(&json, "count").iter().zip(with_totals(&[[1, 0, 2], [0, 1, 0]])) {
        let shown: Vec<f64> = counts.iter().flatten().copied().collect();
        assert_eq!(
            shown,
            vec![0.0; all.iter().filter(|count| **count == 0).count()],
            "{json}"
        );
    }
}

#[test]
fn counts_are_rounded_to_the_nearest_or_at_random() {
    let file = file(&COUNTS);
    let all = with_totals(&COUNTS);
    let rounded = |arguments: &[&str]| {
        let arguments = [&["--minimum", "1", "--round-to", "5", "--format", "json"], arguments].concat();
        let json = run(&file, &arguments).success().json();
        let counts = cells(&json, "count")
            .concat()
            .into_iter()
            .map(Option::unwrap)
            .collect::<Vec<f64>>();
        (counts, json["rounding"].clone())
    };
    let (nearest, how) = rounded(&[]);
    assert_eq!(how, "nearest");
    for (rounded, count) in nearest.iter().zip(all.concat()) {
        assert!(
            rounded % 5.0 == 0.0 && (rounded - f64::from(count)).abs() <= 2.5,
            "{count} {rounded}"
        );
    }
    let (random, how) = rounded(&["--seed", "7"]);
    assert_eq!(how, "random");
    for (rounded, count) in random.iter().zip(all.concat()) {
        assert!(
            rounded % 5.0 == 0.0 && (rounded - f64::from(count)).abs() < 5.0,
            "{count} {rounded}"
        );
    }
    assert_eq!(rounded(&["--seed", "7"]).0, random);
    assert!((0..20).any(|seed| rounded(&["--seed", &seed.to_string()]).0 != nearest));
}

#[test]
fn every_format_says_what_is_hidden() {
    let file = file(&COUNTS);
    let table = run(&file, &[]).success().text().to_owned();
    assert!(
        table.contains('×') && table.contains("số đếm từ 1 đến 4") && table.contains("Bỏ qua 3 dòng"),
        "{table}"
    );
    let table = run(&file, &["--language", "en", "--round-to", "3"])
        .success()
        .text()
        .to_owned();
    assert!(
        table.contains("a count from 1 to 4") && table.contains("multiples of 3"),
        "{table}"
    );
    let csv = run(&file, &["--format", "csv"]).success().text().to_owned();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 1 + 5 * 4);
    assert_eq!(lines[0], "commune,reason,count,weighted_count,status");
    assert!(
        lines.contains(&"C0,R2,,,primary") && lines.contains(&"C2,R2,0,,shown"),
        "{csv}"
    );
    assert!(lines.contains(&",,171,,shown"), "{csv}");
}

#[test]
fn what_cannot_be_tabulated_is_told() {
    let sound = file(&COUNTS);
    let told = |file: &tempfile::NamedTempFile, arguments: &[&str], vietnamese: &str, english: &str| {
        for (language, words) in [("vi", vietnamese), ("en", english)] {
            let ended = run(file, &[&["--language", language], arguments].concat()).failure();
            assert!(ended.stdout.is_empty(), "{ended:?}");
            assert!(ended.stderr.contains(words), "{words:?} is not in {}", ended.stderr);
        }
    };
    told(
        &sound,
        &["--weights", "reasons"],
        "có phải là \"reason\"?",
        "did you mean \"reason\"?",
    );
    told(
        &sound,
        &["--weights", "commune"],
        "\"C0\" không phải là số",
        "\"C0\" is not a number",
    );
    // One row and column.
    let one = file(&[[9, 0, 0]]);
    told(
        &one,
        &[],
        "cần ít nhất hai giá trị ở mỗi chiều",
        "at least two values each way",
    );
    // Options that are wrong by themselves.
    for arguments in [["--minimum", "0"], ["--round-to", "0"], ["--seed", "1"]] {
        assert_eq!(run(&sound, &arguments).status.code(), Some(2));
    }
    let nowhere = khaosat(["tabulate", "--rows", "a", "--columns", "b"]);
    let ended = run_to_end(&mut { nowhere }).failure();
    assert!(
        ended.stderr.contains("--data phải là tệp CSV hoặc Parquet"),
        "{}",
        ended.stderr
    );
}
